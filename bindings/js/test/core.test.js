// The parts without I/O. What a client must do is played by the scripts of test/clients; here is what those do not see.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';

import { CONDITIONS, Message, announcement, failureOf, fromEntire, replyTo, request, statefulRequest, toEntire } from '../src/api.js';
import { Core } from '../src/core.js';
import { Cutter } from '../src/cutter.js';
import { Question } from '../src/question.js';
import * as wire from '../src/wire.js';
import { ROOT } from './world.js';

const { OPS } = wire;

test('the conditions are those of the protocol', () => {
  const page = fs.readFileSync(`${ROOT}docs/protocol.md`, 'utf8');
  const rows = [...page.matchAll(/^\| (\d+) \| (\w+) \| (?:(\w+) )?(\d+) \| (.*) \|$/gm)]
    .map(([, number, name, code, errno, text]) => [Number(number), name, code ?? '', Number(errno), text])
    .filter(([, name]) => name === 'OK' || name.startsWith('Err'));
  assert.deepEqual(CONDITIONS.map((row, i) => [i, ...row]), rows);
});

/** A result, as a bus sends it. */
function result(op, seq, payload = new Uint8Array(0), { arg = 0, condition = 0 } = {}) {
  const bytes = wire.frame(op, seq, arg, payload);
  new DataView(bytes.buffer).setUint16(6, condition, true);
  return bytes;
}

const said = (name) => wire.message(new Message(name).parts);

test('a stream is cut into the same frames in whatever pieces it comes', () => {
  const stream = Buffer.concat([result(1, 2, said('$.A')), result(3, 4), result(5, 6, said('$.B'))]);
  for (let piece = 1; piece <= stream.length; piece++) {
    const seen = [];
    const cutter = new Cutter();
    for (let at = 0; at < stream.length; at += piece) {
      cutter.feed(new Uint8Array(stream.subarray(at, at + piece)), (h, payload) => {
        seen.push([h.op, h.seq, payload.length]);
        return false;
      });
    }
    assert.deepEqual(seen, [[1, 2, 59], [3, 4, 0], [5, 6, 59]], `pieces of ${piece} bytes`);
  }
});

/** A core that has said nothing yet, and what it has sent since the last look. */
function fresh() {
  const core = new Core();
  const sent = () => core.takeOut().map((b) => wire.header(b)).map((h) => `${Object.keys(OPS).find((k) => OPS[k] === h.op)} ${h.arg}`);
  const receiver = () => {
    const question = new Question(OPS.NEXT_WAIT, 'receive');
    core.receive(question);
    return question;
  };
  return { core, sent, receiver };
}

const nameOf = (question) => Buffer.from(question.parts.name).toString();

test('a message for a receiver that gave up goes to the next, whose own question is canceled', () => {
  const { core, sent, receiver } = fresh();
  const [first, second, third] = [receiver(), receiver(), receiver()];
  core.giveUp(first);
  assert.deepEqual(sent(), ['NEXT_WAIT 0', 'NEXT_WAIT 0', 'NEXT_WAIT 0', `CANCEL ${first.seq}`]);
  core.feed(result(OPS.NEXT_WAIT, first.seq, said('$.A'), { arg: 1 }));
  assert.equal(nameOf(second), '$.A');
  assert.deepEqual(sent(), [`CANCEL ${second.seq}`]);
  core.feed(result(OPS.NEXT_WAIT, second.seq, said('$.B'), { arg: 1 })); // it crossed with the Cancel
  assert.equal(nameOf(third), '$.B');
  core.feed(result(OPS.NEXT_WAIT, third.seq, said('$.C'), { arg: 1 }));
  assert.deepEqual(core.inbox.length, 1);
  assert.equal(nameOf(receiver()), '$.C');
  assert.equal(first.done, false);
});

test('a question that gave up is not told, and a taken message is kept', () => {
  const { core } = fresh();
  const next = new Question(OPS.NEXT, 'receive');
  next.tell = () => assert.fail('it is told');
  core.ask(next);
  core.giveUp(next);
  core.feed(result(OPS.NEXT, next.seq, said('$.A'), { arg: 1 }));
  assert.equal(core.inbox.length, 1);
});

test('receivers that wait when the bus is lost get the last words first', () => {
  const { core, receiver } = fresh();
  const sends = new Question(OPS.SEND_MESSAGE, 'send', { message: request('$.R').parts });
  core.ask(sends);
  core.feed(result(OPS.SEND_MESSAGE, sends.seq, new Uint8Array(16)));
  const [first, second] = [receiver(), receiver()];
  core.end(39);
  assert.equal(nameOf(first), '$.KBUS.Bus.GoneAway');
  assert.equal(second.failure.condition, 'ErrBusGone');
});

test('a message is a value', () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const message = announcement('$.A', bytes);
  bytes[0] = 9;
  assert.deepEqual([...message.data], [1, 2, 3]);
  assert.throws(() => new Message('A'), /begins with/);
  assert.throws(() => new Message('$.A', 5), TypeError);
  assert.throws(() => new Message('$.A', null, { to: -1 }), RangeError);
  assert.throws(() => announcement('$.A', null, { flags: 1 }), /request\(\)/);
  assert.throws(() => replyTo(message), /does not want us to reply/);
});

test('the kinds of message', () => {
  const asked = new Message('$.A', 'q', { id: { network: 0, serial: 7 }, from: 4, flags: 3 });
  assert.equal(asked.kind, 'Request');
  const reply = replyTo(asked, 'a');
  assert.deepEqual([reply.kind, reply.inReplyTo, reply.to, reply.text], ['Reply', { network: 0, serial: 7 }, 4, 'a']);
  const failed = failureOf(asked, 'é'.repeat(600));
  assert.deepEqual([failed.kind, failed.name, failed.data.length], ['Status', '$.KBUS.Replier.Failed', 1000]);
  const odd = failureOf(asked, `x${'é'.repeat(600)}`);
  assert.equal(odd.data.length, 999); // a whole character
  const again = statefulRequest(new Message('$.A', null, { inReplyTo: asked.id, from: 5 }), '$.B');
  assert.deepEqual([again.kind, again.to], ['Request', 5]);
  assert.equal(String(asked), '<Request \'$.A\', id=0:7, from=4, flags=REQ,YOU, data="q">');
});

test('the entire form, and what is none', () => {
  const message = new Message('$.Ab', 'data!', { id: { network: 1, serial: 2 }, to: 3, flags: 0x80000001 });
  const bytes = toEntire(message);
  assert.equal(bytes.length, 88 + 8 + 8 + 4);
  assert.deepEqual(fromEntire(bytes).parts, message.parts);
  for (let at = 0; at < bytes.length; at++) assert.throws(() => fromEntire(bytes.subarray(0, at)), TypeError);
  for (const at of [0, 64, 80, bytes.length - 1]) {
    const bad = bytes.slice();
    bad[at] ^= 1;
    assert.throws(() => fromEntire(bad), TypeError);
  }
});
