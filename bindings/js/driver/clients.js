// The driver of the client scripts (test/clients) for JavaScript: one Ksock, each of whose operations is a promise of its own.
//
// Lines in: LABEL VERB ARGUMENT FLAGS TO NETWORK:SERIAL DATA TIMEOUT KEEP, where - stands for nothing and data are in
// hexadecimal. The time limit is not used: "giveup" aborts the operation with that label. What is opened is a path, or a URL with a
// token behind it as #TOKEN. Lines out: LABEL, and what became of it.

import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import readline from 'node:readline';

import { KbusError, Message, NoReply, open } from '../src/node.js';

let ksock;
const aborts = new Map();
const hex = (bytes) => Buffer.from(bytes).toString('hex') || '-';
const pair = (id) => (id === null ? '0:0' : `${id.network}:${id.serial}`);

function read(line) {
  const [label, verb, argument, flags, to, asked, data, , keep] = line.split(' ');
  const [network, serial] = asked.split(':').map(Number);
  const message = () => new Message(argument, data === '-' ? null : Buffer.from(data, 'hex'), {
    flags: Number(flags), to: Number(to), inReplyTo: { network, serial },
  });
  return { label, verb, argument, message, keepLateAnswer: keep === '1' };
}

const gets = (m) => `gets ${hex(m.parts.name)} ${pair(m.id)} ${pair(m.inReplyTo)} ${m.to} ${m.from} ${m.flags} ${m.missed} ${hex(m.data)}`;

const verbs = {
  open: async (op) => {
    const [url, token] = op.argument.split('#');
    ksock = token === undefined ? await open(url, { timeout: 60000 })
      : await open(0, { url, token, timeout: 60000, WebSocket: createRequire(path.resolve('bin/js/package.json'))('ws') });
    return `ends ${ksock.id}`;
  },
  find: async (op) => {
    process.env.KBUS_DIR = op.argument;
    ksock = await open(0, { timeout: 60000 });
    return `ends ${ksock.id}`;
  },
  close: () => ksock.close(),
  listen: (op, signal) => ksock.bind(op.argument, { signal }),
  bind: (op, signal) => ksock.bindReplier(op.argument, { signal }),
  send: async (op, signal) => {
    const { id, reached, skipped } = await ksock.send(op.message(), { signal });
    return `sent ${pair(id)} ${reached} ${skipped}`;
  },
  call: async (op, signal) => gets(await ksock.call(op.message(), { signal, keepLateAnswer: op.keepLateAnswer })),
  wait: async (op, signal) => gets(await ksock.receive({ signal })),
  waitsent: (op, signal) => ksock.waitSent({ signal }),
  discard: (op, signal) => ksock.discard({ signal }),
  nummsgs: async (op, signal) => `ends ${await ksock.numMessages({ signal })}`,
  maxmsgs: async (op, signal) => `ends ${await ksock.setMaxMessages(Number(op.argument), { signal })}`,
  reopen: async () => `ends ${(await ksock.reopen({ timeout: 60000 })).id}`,
};

function failure(e) {
  if (e instanceof NoReply) return gets(e.status);
  if (e instanceof KbusError && e.messageId !== null) return `pending ${pair(e.messageId)} 0 0`;
  if (e instanceof KbusError) return `fails ${e.errno} ${e.message.replaceAll('\n', ' ')}`;
  return e.name === 'AbortError' ? 'late' : `fails 22 ${String(e.stack).replaceAll('\n', ' ')}`;
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const op = read(line);
  if (op.verb === 'giveup') {
    aborts.get(op.label).abort();
    continue;
  }
  const abort = new AbortController();
  aborts.set(op.label, abort);
  Promise.resolve().then(() => verbs[op.verb](op, abort.signal)).catch(failure)
    .then((how) => process.stdout.write(`${op.label} ${how ?? 'ends'}\n`));
}
process.exit(0);
