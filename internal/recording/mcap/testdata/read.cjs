// Reads an MCAP file as Foxglove does: node read.cjs FILE indexed|stream [TOPIC [START END]]. A line for each message.
const { McapIndexedReader, McapStreamReader } = require("@mcap/core");
const fs = require("fs");

const [file, how, topic, start, end] = process.argv.slice(2);
const bytes = fs.readFileSync(file);
const text = new TextDecoder();
const channels = new Map();

function show(m) {
  const o = JSON.parse(text.decode(m.data));
  console.log([m.logTime, m.sequence, channels.get(m.channelId), o.happened, o.data ?? ""].join(" "));
}

async function indexed() {
  const reader = await McapIndexedReader.Initialize({
    readable: {
      size: async () => BigInt(bytes.length),
      read: async (offset, size) => new Uint8Array(bytes.subarray(Number(offset), Number(offset + size))),
    },
  });
  for (const c of reader.channelsById.values()) channels.set(c.id, c.topic);
  const only = { topics: topic ? [topic] : undefined };
  if (start) Object.assign(only, { startTime: BigInt(start), endTime: BigInt(end) });
  for await (const m of reader.readMessages(only)) show(m);
  const s = reader.statistics;
  const schemas = [...reader.schemasById.values()].map((x) => x.name + "/" + x.encoding + "/" + JSON.parse(text.decode(x.data)).type);
  console.log(`${s.messageCount} ${s.channelCount} ${s.chunkCount} ${reader.chunkIndexes.length} ${schemas}`);
}

function stream() {
  const reader = new McapStreamReader({ validateCrcs: true });
  reader.append(new Uint8Array(bytes));
  for (let r; (r = reader.nextRecord()); ) {
    if (r.type === "Channel") channels.set(r.id, r.topic);
    if (r.type === "Message") show(r);
  }
  console.log(reader.done() ? "done" : "cut");
}

if (how === "indexed") indexed();
else stream();
