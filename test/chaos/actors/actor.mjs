// An actor in JavaScript, through the socket. ../actor.go tells what it does.

import fs from 'node:fs';
import process from 'node:process';

import { KbusError, announcement, open, replyTo, request } from '../../../bindings/js/src/node.js';

const OPEN_REQUESTS = 8;
const HELD = 2;
const [own, count, seed] = process.argv.slice(2).map(Number);

/** Numbers from 0 to 1 that are the same each time; any good enough to vary what is done will do. */
function* chances(state) {
  for (let n = state >>> 0; ;) {
    n = (Math.imul(n, 1664525) + 1013904223) >>> 0;
    yield n / 2 ** 32;
  }
}

const chance = chances(seed + own);
const random = () => chance.next().value;
const say = (...words) => fs.writeSync(1, `${words.join(' ')}\n`);
const number = ({ network, serial }) => `${network}:${serial}`;

let finishing = false;
process.stdin.on('data', () => { finishing = true; });
process.stdin.on('end', () => process.exit(0));

const ksock = await open();
const asked = new Set(); // Requests without an answer
const held = [];
let told = false;

for (let bound = false; !bound;) {
  bound = await ksock.bindReplier(`$.Chaos.R${own}`).then(() => true, (e) => {
    if (e.code !== 'EADDRINUSE' && e.code !== 'EAGAIN') throw e;
    return false;
  });
}
await ksock.bind('$.Chaos.News');
say('open', ksock.id);

/** A send that was refused is nothing. When the bus is gone, the Statuses are still to be read. */
async function send(message) {
  try {
    return await ksock.send(message);
  } catch (e) {
    if (e instanceof KbusError) return null;
    throw e;
  }
}

async function speak() {
  const message = random() < 0.5 ? announcement('$.Chaos.News', String(own)) : request(`$.Chaos.R${Math.floor(random() * count)}`, String(own));
  const sent = await send(message);
  if (sent === null) return;
  if (message.isRequest) asked.add(number(sent.id));
  say(message.isRequest ? 'ask' : 'say', number(sent.id));
}

function came(message) {
  if (message.missed > 0) say('missed', '0:0', message.missed);
  if (message.isReply) {
    say('end', number(message.inReplyTo), message.name);
    asked.delete(number(message.inReplyTo));
  } else if (message.wantsUsToReply) {
    say('took', number(message.id));
    held.push(message);
  } else if (!message.isRequest) say('hear', number(message.id));
}

try {
  for (;;) {
    const speaks = !finishing && asked.size < OPEN_REQUESTS;
    if (speaks) await speak();
    if (finishing && asked.size === 0 && !told) {
      told = true;
      say('done');
    }
    await ksock.receive({ timeout: speaks ? 1 : 200 }).then(came, (e) => {
      if (e.code !== 'ETIMEDOUT') throw e;
    });
    for (const message of held.splice(0, Math.max(0, held.length - (finishing ? 0 : HELD)))) await send(replyTo(message, message.data));
  }
} catch (e) {
  if (!(e instanceof KbusError)) throw e;
  say('gone', e.errno);
  process.exit(0);
}
