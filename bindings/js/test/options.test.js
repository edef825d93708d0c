// Arguments that are none: each is refused before anything is asked, with words that say what to write.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as browser from '../src/browser.js';
import { Ksock, announcement, open, replyTo, request, statefulRequest } from '../src/node.js';
import { unix } from './world.js';

const start = async (t) => (await unix.start(t)).open();

/** A promise, or what a function throws at once. */
const attempt = async (f) => f();

const refuses = (f, message, error = TypeError) => assert.rejects(attempt(f), (e) => {
  assert.ok(e instanceof error, e.stack);
  if (message instanceof RegExp) assert.match(e.message, message);
  else assert.equal(e.message, message);
  return true;
});

const asked = () => replyTo(request('$.A', null, { flags: 2, from: 1, id: { network: 0, serial: 1 } }));

/** Functions with options: how each is called with them, how an error shows them, and which there are. */
const FUNCTIONS = {
  bind: [(k, o) => k.bind('$.A', o), '{ replier: true }', 'replier, standby, signal'],
  bindReplier: [(k, o) => k.bindReplier('$.A', o), '{ signal }', 'signal'],
  standBy: [(k, o) => k.standBy('$.A', o), '{ signal }', 'signal'],
  unbind: [(k, o) => k.unbind('$.A', o), '{ replier: true }', 'replier, signal'],
  findReplier: [(k, o) => k.findReplier('$.A', o), '{ signal }', 'signal'],
  send: [(k, o) => k.send(announcement('$.A'), o), '{ signal }', 'signal'],
  call: [(k, o) => k.call(request('$.A'), o), '{ timeout: 1000 }', 'timeout, signal, keepLateAnswer'],
  reply: [(k, o) => k.reply(asked(), asked(), o), '{ signal }', 'signal'],
  fail: [(k, o) => k.fail(request('$.A', null, { flags: 2 }), 'why', o), '{ signal }', 'signal'],
  discard: [(k, o) => k.discard(o), '{ signal }', 'signal'],
  waitSent: [(k, o) => k.waitSent(o), '{ timeout: 1000 }', 'timeout, signal'],
  lastSent: [(k, o) => k.lastSent(o), '{ signal }', 'signal'],
  receive: [(k, o) => k.receive(o), '{ timeout: 1000 }', 'timeout, signal'],
  next: [(k, o) => k.next(o), '{ signal }', 'signal'],
  messages: [(k, o) => k.messages(o).next(), '{ signal }', 'signal'],
  serve: [(k, o) => k.serve('$.A', () => {}, o), '{ signal }', 'signal, otherwise, onError, onBound'],
  numMessages: [(k, o) => k.numMessages(o), '{ signal }', 'signal'],
  numUnreplied: [(k, o) => k.numUnreplied(o), '{ signal }', 'signal'],
  maxMessages: [(k, o) => k.maxMessages(o), '{ signal }', 'signal'],
  setMaxMessages: [(k, o) => k.setMaxMessages(5, o), '{ signal }', 'signal'],
  onlyOnce: [(k, o) => k.onlyOnce(true, o), '{ signal }', 'signal'],
  reportReplierBinds: [(k, o) => k.reportReplierBinds(true, o), '{ signal }', 'signal'],
  verbose: [(k, o) => k.verbose(true, o), '{ signal }', 'signal'],
  maxMessageSize: [(k, o) => k.maxMessageSize(o), '{ signal }', 'signal'],
  setMaxMessageSize: [(k, o) => k.setMaxMessageSize(5000, o), '{ signal }', 'signal'],
  newBus: [(k, o) => k.newBus(o), '{ signal }', 'signal'],
  poll: [(k, o) => k.poll(o), '{ signal }', 'signal'],
  missed: [(k, o) => k.missed(o), '{ signal }', 'signal'],
  peer: [(k, o) => k.peer(k.id, o), '{ signal }', 'signal'],
  reopen: [(k, o) => k.reopen(o), '{ timeout: 1000 }', 'timeout, signal'],
};

test('every function that has options refuses what is none of them', async (t) => {
  const ksock = await start(t);
  const without = ['constructor', 'start', 'id', 'toString', 'close'];
  assert.deepEqual(Object.keys(FUNCTIONS).sort(), Object.getOwnPropertyNames(Ksock.prototype).filter((n) => !without.includes(n)).sort());
  const { signal } = new AbortController();
  for (const [name, [call, example, known]] of Object.entries(FUNCTIONS)) {
    for (const [value, text] of [['replier', '"replier"'], [5, '5'], [true, 'true'], [null, 'null'], [[], '[object Array]'], [signal, '[object AbortSignal]']]) {
      await refuses(() => call(ksock, value), `${name}: options are an object such as ${example}, not ${text}`);
    }
    await refuses(() => call(ksock, { patience: 1 }), `${name}: unknown option "patience"; there is ${known}`);
    await refuses(() => call(ksock, { sginal: signal }), `${name}: unknown option "sginal"; did you mean "signal"?`);
    await refuses(() => call(ksock, { signal: new AbortController() }),
      `${name}: the signal is an AbortSignal, as an AbortController has one, not [object AbortController]`);
    if (known.includes('timeout')) {
      for (const [value, text] of [[5n, '5n'], ['5', '"5"'], ['soon', '"soon"'], [NaN, 'NaN'], [{}, '[object Object]'], [true, 'true']]) {
        await refuses(() => call(ksock, { timeout: value }), `${name}: a time limit is a number of milliseconds, not ${text}`);
      }
    }
  }
  assert.equal(await ksock.findReplier('$.A'), null);
  assert.equal((await ksock.send(announcement('$.A'))).reached, 0);
  assert.equal(await ksock.maxMessages(), 100);
  assert.equal(await ksock.onlyOnce(), false);
});

test('options that open() does not have, in Node as in a browser', async () => {
  for (const { open: opens } of [{ open }, browser]) {
    await refuses(() => opens(0, 'w'), 'open: options are an object such as { mode: \'r\' }, not "w"');
    await refuses(() => opens(0, { tokne: 'x' }), 'open: unknown option "tokne"; did you mean "token"?');
    await refuses(() => opens(0, { timeout: 5n }), 'open: a time limit is a number of milliseconds, not 5n');
    await refuses(() => opens(0, { signal: 5 }), /^open: the signal is an AbortSignal/);
  }
});

test('the mistakes that passed unseen', async (t) => {
  const ksock = await start(t);
  await refuses(() => ksock.bind('$.Q', 'replier'), 'bind: options are an object such as { replier: true }, not "replier"');
  await refuses(() => ksock.call(request('$.Q'), { timeOut: 5 }), 'call: unknown option "timeOut"; did you mean "timeout"?');
  await refuses(() => ksock.onlyOnce({ signal: AbortSignal.abort() }), 'onlyOnce: true, false, or nothing to ask only, not [object Object]');
  await refuses(() => announcement('$.A', 'x', { flag: 8 }), 'message: unknown option "flag"; did you mean "flags"?');
  await refuses(() => request('$.A', 'x', 5), 'message: options are an object such as { flags: URGENT }, not 5');
  await refuses(() => statefulRequest(asked(), '$.A', 'x', { too: 5 }), 'message: unknown option "too"; did you mean "to"?');
});

test('options that are undefined or null were not given', async (t) => {
  const world = await unix.start(t);
  const ksock = await world.open({ mode: undefined, timeout: null, signal: null, url: undefined });
  await ksock.bind('$.A', { replier: undefined, signal: null });
  const waits = [{ timeout: null }, { timeout: undefined, signal: undefined }, undefined].map((o) => ksock.receive(o));
  for (const text of ['a', 'b', 'c']) await ksock.send(announcement('$.A', text, { to: undefined }));
  assert.deepEqual((await Promise.all(waits)).map((m) => m.text), ['a', 'b', 'c']);
});

test('who is told of a mistake takes no message away', async (t) => {
  const ksock = await start(t);
  await ksock.bind('$.A');
  await refuses(() => ksock.receive({ timeout: 5n }), /milliseconds/);
  await refuses(() => ksock.receive({ signal: { aborted: false } }), /AbortSignal/);
  await ksock.send(announcement('$.A', 'precious'));
  assert.equal((await ksock.receive({ timeout: 10000 })).text, 'precious');
});

test('numbers that do not fit 32 bits', async (t) => {
  const ksock = await start(t);
  await ksock.setMaxMessages(7);
  for (const [value, text] of [[-1, '-1'], [2 ** 32, '4294967296'], [2 ** 32 + 1, '4294967297'], [1.5, '1.5'], [NaN, 'NaN'], ['5', '"5"'], [5n, '5n'], [undefined, 'undefined']]) {
    await refuses(() => ksock.setMaxMessages(value), `setMaxMessages: ${text} is no number of 32 bits`, RangeError);
    await refuses(() => ksock.setMaxMessageSize(value), `setMaxMessageSize: ${text} is no number of 32 bits`, RangeError);
  }
  for (const value of [-1, 2 ** 32 + ksock.id, 1.5, NaN]) await refuses(() => ksock.peer(value), /^peer: .* is no number of 32 bits$/, RangeError);
  for (const value of [undefined, null, '5', 5n, {}]) await refuses(() => ksock.peer(value), /^peer: a message or the id of a Ksock is needed, not /);
  for (const name of ['onlyOnce', 'verbose', 'reportReplierBinds']) {
    for (const value of [null, 'on', {}]) await refuses(() => ksock[name](value), /: true, false, or nothing to ask only, not /);
    await refuses(() => ksock[name](-1), `${name}: -1 is no number of 32 bits`, RangeError);
  }
  assert.equal(await ksock.maxMessages(), 7);
  assert.equal(await ksock.onlyOnce(), false);
});

test('what is no message, no name and no Request', async (t) => {
  const ksock = await start(t);
  await refuses(() => ksock.send('$.A'), 'send: a message is needed: request(\'$.A\', data) or announcement(\'$.A\', data)');
  await refuses(() => ksock.call('$.A', { timeout: 5 }), 'call: a message is needed: request(\'$.A\', data)');
  await refuses(() => ksock.send(), 'send: a message is needed: request(name, data) or announcement(name, data), not undefined');
  await refuses(() => ksock.send({ name: '$.A' }), 'send: a message is needed: request(name, data) or announcement(name, data), not [object Object]');
  await refuses(() => ksock.call(null), /^call: a message is needed/);
  for (const name of [undefined, null, 5, ['$.A']]) {
    for (const does of ['bind', 'bindReplier', 'standBy', 'unbind', 'findReplier']) {
      await refuses(() => ksock[does](name), /^a name is a text such as \$\.Lamp\.Set, not /);
    }
  }
  for (const value of [undefined, null, '$.A']) {
    await refuses(() => ksock.reply(value, 'x'), /does not want us to reply/);
    await refuses(() => ksock.fail(value, 'x'), /does not want us to reply/);
  }
});

test('what is late says what has not come', async (t) => {
  const ksock = await start(t);
  await assert.rejects(ksock.receive({ timeout: 1 }), { code: 'ETIMEDOUT', message: 'receive: no message in 1 ms' });
  await ksock.bindReplier('$.R');
  await assert.rejects(ksock.call(request('$.R'), { timeout: 1 }), { code: 'ETIMEDOUT', message: 'call $.R: no answer in 1 ms' });
});
