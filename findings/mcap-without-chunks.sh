#!/bin/sh
# @mcap/core 2.2.2 (npm): a valid MCAP file without chunks, or without an index of them, is read as if it were empty, without an error.
#
# Guess, written down before the first run: McapIndexedReader gives all messages, or says that the file has no index. (Then: the same
# for files without other parts that MCAP leaves to the writer.)
# Seen: a file without a summary is refused, and so is one without indexes of messages. One that has a summary, and no chunks or no index
# of them, is opened; its statistics say 40 messages, and readMessages gives none. McapStreamReader, of the same library, gives all 40
# each time. The files are made by the library's own McapWriter with `useChunks: false` or `useChunkIndex: false`; MCAP leaves both to the
# writer.
#
# For those who read recordings: compare what came with statistics.messageCount, or take McapStreamReader, which has the order of the
# file. What KBUS records has chunks and both indexes.
#
# Needs npm. Opens no socket.
. "$(dirname "$0")/begin.sh"
npm_packages @mcap/core@2.2.2
cat >main.js <<'E'
const { McapWriter, McapIndexedReader, McapStreamReader, TempBuffer } = require('@mcap/core')
const main = async () => {
  const noSummary = ['useChunkIndex', 'useStatistics', 'useSummaryOffsets', 'repeatChannels', 'repeatSchemas']
  for (const without of [[], ['useChunks'], ['useChunkIndex'], ['useMessageIndex'], noSummary]) {
    const file = new TempBuffer(), options = Object.fromEntries(without.map(part => [part, false]))
    const writer = new McapWriter({ writable: file, ...options })
    await writer.start({ profile: '', library: '' })
    const schemaId = await writer.registerSchema({ name: 'text', encoding: '', data: new Uint8Array() })
    const channelId = await writer.registerChannel({ schemaId, topic: 'lamp', messageEncoding: '', metadata: new Map() })
    for (let n = 0; n < 40; n++) {
      await writer.addMessage({ channelId, sequence: n, logTime: BigInt(n), publishTime: BigInt(n), data: new Uint8Array() })
    }
    await writer.end()
    let indexed = 0, said = 'no error', stream = 0
    try {
      const reader = await McapIndexedReader.Initialize({ readable: file })
      said = `statistics: ${reader.statistics.messageCount}`
      for await (const _ of reader.readMessages()) indexed++
    } catch (e) {
      said = e.message.split(' [')[0]
    }
    const reader = new McapStreamReader()
    reader.append(file.get())
    for (let record; (record = reader.nextRecord());) stream += record.type === 'Message'
    console.log(`without ${without.length < 2 ? without[0] ?? 'nothing' : 'a summary'}: indexed: ${indexed} (${said}), stream: ${stream}`)
  }
}
main()
E
timeout 30 node main.js >seen
as_found <<'E'
without nothing: indexed: 40 (statistics: 40), stream: 40
without useChunks: indexed: 0 (statistics: 40), stream: 40
without useChunkIndex: indexed: 0 (statistics: 40), stream: 40
without useMessageIndex: indexed: 0 (Encountered a chunk index without message indexes and non-zero start and end times), stream: 40
without a summary: indexed: 0 (File is not indexed), stream: 40
E
