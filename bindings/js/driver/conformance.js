// The driver of the conformance table (test/conformance): does with a Ksock what each line asks for, and prints the outcome.
//
//     node conformance.js socket
//
// One command per line on standard input, one line of answer on standard output. Words are separated by a space, bytes are in
// hexadecimal (`-` for none), an error is an errno number and 0 is success. KBUS_DIR says where the daemon is.

import process from 'node:process';
import readline from 'node:readline';

import { KbusError, Message, fromEntire, open, toEntire } from '../src/node.js';
import * as trace from '../src/trace.js';

const ksocks = new Map();
const traces = new Map(); // of what is sent next, by handle
const received = new Map(); // the message that came last
const decoder = new TextDecoder();
const bytes = (word) => (word === '-' ? new Uint8Array(0) : new Uint8Array(Buffer.from(word, 'hex')));
const hex = (data) => Buffer.from(data).toString('hex') || '-';

/** The argument of a switch: a number that is neither on nor off nor a question goes to the bus as it is. */
const switched = (n) => (n === 0xffffffff ? undefined : n < 2 ? n === 1 : n);

/** Operations that take or give a number, by the names of their ioctls. */
const values = {
  ksockid: (k) => k.id,
  nummsgs: (k) => k.numMessages(),
  unrepliedto: (k) => k.numUnreplied(),
  maxmsgs: (k, n) => (n > 0 ? k.setMaxMessages(n) : k.maxMessages()),
  msgonlyonce: async (k, n) => Number(await k.onlyOnce(switched(n))),
  reportreplierbinds: async (k, n) => Number(await k.reportReplierBinds(switched(n))),
  verbose: async (k, n) => Number(await k.verbose(switched(n))),
  newdevice: (k) => k.newBus(),
  missed: (k) => k.missed(),
  maxmsgsize: (k, n) => (n > 0 ? k.setMaxMessageSize(n) : k.maxMessageSize()),
};

const commands = {
  caps: () => ['whole', 'results', 'modern', 'traces'],
  async open(handle, bus, mode) {
    const ksock = await open(Number(bus), { mode });
    ksocks.set(handle, ksock);
    return [0, ksock.id];
  },
  async close(handle) {
    await ksocks.get(handle).close();
    ksocks.delete(handle);
    return [0];
  },
  async bind(handle, name, replier) {
    await ksocks.get(handle).bind(bytes(name), { replier: replier !== '0' });
    return [0];
  },
  async unbind(handle, name, replier) {
    await ksocks.get(handle).unbind(bytes(name), { replier: replier !== '0' });
    return [0];
  },
  async replier(handle, name) {
    const found = await ksocks.get(handle).findReplier(bytes(name));
    return [0, Number(found !== null), found ?? 0];
  },
  async lastsent(handle) {
    const { network, serial } = await ksocks.get(handle).lastSent();
    return [0, network, serial];
  },
  async value(handle, what, number) {
    return [0, await values[what](ksocks.get(handle), Number(number))];
  },
  async poll(handle) {
    const { readable, writable } = await ksocks.get(handle).poll();
    return [0, Number(readable), Number(writable)];
  },
  async plain(handle, what) {
    if (what === 'discard') await ksocks.get(handle).discard();
    return [0];
  },
  async sendmessage(handle, entire) {
    try {
      const { id, reached, skipped } = await ksocks.get(handle).send(
        Message.fromParts({ ...fromEntire(bytes(entire)).parts, trace: trace.toBytes(traces.get(handle)) }));
      return [0, id.network, id.serial, reached, skipped];
    } catch (e) {
      if (!(e instanceof KbusError) || e.messageId === null) throw e;
      return [e.errno, e.messageId.network, e.messageId.serial, 0, 0]; // it waits for room
    }
  },
  async receive(handle) {
    const message = await ksocks.get(handle).next();
    received.set(handle, message);
    return message === null ? [0, 0, '-'] : [0, 1, hex(toEntire(message))];
  },
  trace(handle, parent, state) {
    traces.set(handle, { parent: decoder.decode(bytes(parent)), state: decoder.decode(bytes(state)) });
    return [0];
  },
  traced(handle) {
    const { parent, state } = received.get(handle).trace ?? { parent: '', state: '' };
    return [0, hex(parent), hex(state)];
  },
  encode: (entire) => [0, hex(toEntire(fromEntire(bytes(entire))))],
  async end() {
    await Promise.all([...ksocks.values()].map((k) => k.close()));
    ksocks.clear();
    return [0];
  },
};

async function perform(line) {
  const [command, ...words] = line.split(' ');
  try {
    return (await commands[command](...words)).join(' ');
  } catch (e) {
    return e instanceof KbusError ? String(e.errno) : `22 ${e.name}`;
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write(`${await perform(line)}\n`);
  if (line === 'end') break;
}
process.exit(0);
