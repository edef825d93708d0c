#!/bin/sh
# Parsers of serialport 13.0.0 (npm, @serialport/parser-readline, @serialport/parser-byte-length): `for await` gives several lines as
# one, with nothing between them.
#
# Guess, written down before the first run: port.pipe(new ReadlineParser()) gives one line a turn, however it is read; an empty line is
# an empty string.
# Seen: with "data" events each line comes alone. With `for await`, or read() after "readable", all lines that wait come as one text, and
# the ends of the lines have been cut off: 20.5 and 21.7 are 20.521.7, 3 and 4 are 34. Lines that come one by one, to a reader that
# waits for each, come alone, so a first trial does not show it. Empty lines never come. The parser for a fixed length does the same.
# (To Node.js both are streams of bytes, and what waits in such a stream is joined.)
#
# For a Sender behind a serial port: read with "data" events, or give the parser `readableObjectMode: true`; then empty lines come too.
# On KBUS a message stays one message.
#
# Needs Node.js and npm. Listens on a Unix socket only, which stands for the serial port.
. "$(dirname "$0")/begin.sh"
npm_packages @serialport/parser-readline@13.0.0 @serialport/parser-byte-length@13.0.0
cat >main.js <<'E'
const { ReadlineParser } = require('@serialport/parser-readline'), { ByteLengthParser } = require('@serialport/parser-byte-length')
const net = require('net'), delimiter = '\r\n'
const ways = {
  data: (parser, got) => parser.on('data', line => got.push(line)),
  readable: (parser, got) => parser.on('readable', () => {
    for (let line; (line = parser.read()) !== null;) got.push(line)
  }),
  'for await': async (parser, got) => {
    for await (const line of parser) got.push(line)
  }
}
// The device sends each part as soon as the one before has been read
const run = (what, way, parser, ...parts) => new Promise(done => {
  const device = net.createServer(async port => {
    for (const part of parts) {
      const before = got.length
      port.write(part)
      while (parts.length > 1 && got.length === before) await new Promise(later => setTimeout(later, 10))
    }
    port.end()
  })
  const got = []
  device.listen('device', () => {
    net.connect('device').pipe(parser).on('close', () => {
      console.log(`${what}:`, ...got.map(line => JSON.stringify(String(line))))
      device.close(done)
    })
    ways[way](parser, got)
  })
})
const main = async () => {
  const lines = ['20.5', '21.7', '', '3', '4', ''].join(delimiter)
  for (const way in ways) await run(`lines, ${way}`, way, new ReadlineParser({ delimiter }), lines)
  await run('lines one by one, for await', 'for await', new ReadlineParser({ delimiter }), ...['20.5', '21.7'].map(line => line + delimiter))
  await run('lines, for await, readableObjectMode', 'for await', new ReadlineParser({ delimiter, readableObjectMode: true }), lines)
  for (const way of ['data', 'for await']) await run(`of three bytes, ${way}`, way, new ByteLengthParser({ length: 3 }), 'abcdefghi')
}
main()
E
timeout 60 node main.js >seen
as_found <<'E'
lines, data: "20.5" "21.7" "3" "4"
lines, readable: "20.521.734"
lines, for await: "20.521.734"
lines one by one, for await: "20.5" "21.7"
lines, for await, readableObjectMode: "20.5" "21.7" "" "3" "4" ""
of three bytes, data: "abc" "def" "ghi"
of three bytes, for await: "abcdefghi"
E
