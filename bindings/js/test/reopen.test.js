// Coming back after the loss of a bus, given up at each step. The Ksock is as before then, and the next reopen() brings everything
// back.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';
import test from 'node:test';

import { announcement, open } from '../src/node.js';
import { Program, event, stop, unix } from './world.js';

const STEPS = 1 + 1 + 4; // Hello, the limit of the queue, bindings: what reopen() asks
const BINDINGS = [
  { name: '$.A', role: 'listener' }, { name: '$.Q', role: 'replier' }, { name: '$.A', role: 'listener' }, { name: '$.P.*', role: 'standby' },
];
const HELLO = 1; // as the operation of a frame

const lost = { condition: 'ErrBusGone' };

/** Calls act() when a new connection is about to send the frame of that number. */
function at(step, act) {
  const { write } = net.Socket.prototype;
  let [connection, sent] = [null, 0];
  net.Socket.prototype.write = function counted(bytes, ...rest) {
    if (bytes instanceof Uint8Array && bytes[4] === HELLO) [connection, sent] = [this, 0];
    if (this === connection && sent++ === step) act();
    return write.call(this, bytes, ...rest);
  };
  return () => { net.Socket.prototype.write = write; };
}

/** A Ksock whose daemon has been killed, and started anew. */
async function lose(t) {
  const world = await unix.start(t);
  const ksock = await world.open();
  for (const { name, role } of BINDINGS) await ksock.bind(name, { replier: role === 'replier', standby: role === 'standby' });
  await ksock.setMaxMessages(7);
  await world.kbusd.kill();
  await world.again();
  return { world, ksock };
}

async function isBack(world, ksock, { bound, failed, id }) {
  assert.deepEqual([bound, failed, id], [BINDINGS, [], ksock.id]);
  const other = await world.open();
  assert.equal((await other.send(announcement('$.A', 'x'))).reached, 2);
  assert.equal(await other.findReplier('$.Q'), id);
  assert.equal(await other.findReplier('$.P.*'), id);
  for (let i = 0; i < 2; i++) assert.equal((await ksock.receive()).text, 'x');
  assert.equal(await ksock.maxMessages(), 7);
}

const goOn = (world) => world.kbusd.child.kill('SIGCONT');

for (let step = 0; step < STEPS; step++) {
  test(`a reopen that is given up at step ${step}, by a limit of time and by a signal`, async (t) => {
    const { world, ksock } = await lose(t);
    let stands = false;
    let end = at(step, () => {
      stop(world.kbusd);
      stands = true;
    });
    for (let timeout = 50; !stands; timeout *= 2) { // the first may be over before that step
      await assert.rejects(ksock.reopen({ timeout }), { code: 'ETIMEDOUT' });
    }
    end();
    await assert.rejects(ksock.bind('$.B'), lost);
    await assert.rejects(ksock.reopen({ timeout: 50 }), { code: 'ETIMEDOUT' });
    goOn(world);
    const controller = new AbortController();
    end = at(step, () => controller.abort());
    await assert.rejects(ksock.reopen({ signal: controller.signal }), { name: 'AbortError' });
    end();
    await assert.rejects(ksock.bind('$.B'), lost);
    await isBack(world, ksock, await ksock.reopen());
  });

  test(`a reopen whose bus is lost once more at step ${step}`, async (t) => {
    const { world, ksock } = await lose(t);
    let killed;
    const end = at(step, () => { killed ??= world.kbusd.kill(); });
    await assert.rejects(ksock.reopen(), lost);
    end();
    await killed;
    await world.again();
    await isBack(world, ksock, await ksock.reopen());
  });
}

/** A relay before a daemon: what the next client sends after so many bytes, and its end, is kept until goOn(). Others pass. */
function relayTo(t, daemonPath, clientPath) {
  let [holds, release] = [Infinity, null];
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    const daemon = net.connect({ path: daemonPath, allowHalfOpen: true });
    let left = holds;
    holds = Infinity;
    const kept = [];
    let held = left !== Infinity;
    const pass = (bytes) => (bytes === null ? daemon.end() : daemon.write(bytes));
    const take = (bytes) => {
      if (held && (bytes === null || left <= 0)) kept.push(bytes);
      else pass(bytes);
      left -= bytes?.length ?? 0;
    };
    if (held) {
      release = () => {
        held = false;
        kept.forEach(pass);
      };
    }
    client.on('data', take).on('end', () => take(null)).on('error', () => {});
    daemon.on('data', (bytes) => client.write(bytes)).on('end', () => client.end()).on('error', () => client.destroy());
  }).listen(clientPath);
  t.after(() => server.close());
  return { holdNext: (bytes) => { holds = bytes; }, goOn: () => release() };
}

test('another does not begin before the daemon has noticed the end of the first, whose names may be taken still', async (t) => {
  const world = await unix.start(t);
  const [front, behind] = [path.join(world.dir, 'front.sock'), path.join(world.dir, 'bus0.sock')];
  const relay = relayTo(t, behind, front);
  const ksock = await open(front);
  t.after(() => ksock.close());
  await ksock.bindReplier('$.Q');
  await world.kbusd.kill();
  await world.again();
  relay.holdNext(1); // the Hello
  for (let i = 0; i < 2; i++) await assert.rejects(ksock.reopen({ timeout: 50 }), { code: 'ETIMEDOUT' });
  relay.goOn();
  assert.deepEqual((await ksock.reopen()).bound, [{ name: '$.Q', role: 'replier' }]);
});

test('several reopen it together: one does, and the others find it done', async (t) => {
  const { world, ksock } = await lose(t);
  const back = await Promise.all([1, 2, 3].map(() => ksock.reopen()));
  assert.deepEqual(back.map(({ bound }) => bound.length), [BINDINGS.length, 0, 0]);
  await isBack(world, ksock, back[0]);
});

// Nothing but the close can end these: the test plays a daemon that holds the Ksock up for as long as it likes.

const LISTENER = 'net.createServer((c) => c.once("data", () => console.log("hello"))).listen({ path: process.argv[1], backlog: 1 }, () => console.log("listens"))';

/** A program that listens in place of the daemon and answers nothing. */
async function silent(t, { dir, kbusd }) {
  await kbusd.kill();
  const where = path.join(dir, 'bus0.sock');
  fs.rmSync(where, { force: true });
  const listener = new Program(t, process.execPath, ['-e', `const net = require("node:net"); ${LISTENER}`, where]);
  await listener.line('listens');
  return { listener, where };
}

test('a Ksock is closed while its Hello is not answered', async (t) => {
  const world = await unix.start(t);
  const ksock = await world.open();
  const { listener } = await silent(t, world);
  const refused = assert.rejects(ksock.reopen({ timeout: 2 ** 40 }), { condition: 'ErrClosed' });
  await listener.line('hello');
  await ksock.close();
  await refused;
});

/** Has nobody accept there, with as many who wait as may. Gives the errors of further connections, as they come. */
async function full(t, { listener, where }) {
  stop(listener);
  for (let is = false; !is;) {
    const one = net.connect({ path: where });
    t.after(() => one.destroy());
    is = await new Promise((resolve) => { one.on('connect', () => resolve(false)).on('error', () => resolve(true)); });
  }
  const tried = event();
  const errors = [];
  const { createConnection } = net;
  net.createConnection = (...args) => {
    const socket = createConnection(...args);
    socket.once('error', (e) => {
      errors.push(e.code);
      tried.happened();
    });
    return socket;
  };
  t.after(() => { net.createConnection = createConnection; });
  return { tried: tried.promise, errors };
}

test('a Ksock is closed while nobody accepts it', async (t) => {
  const world = await unix.start(t);
  const ksock = await world.open();
  const { tried, errors } = await full(t, await silent(t, world));
  const refused = assert.rejects(ksock.reopen({ timeout: 2 ** 40 }), { condition: 'ErrClosed' });
  await tried;
  assert.equal(errors[0], 'EAGAIN');
  await ksock.close();
  await refused;
});

/** How many timers are set. */
const timers = () => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length;

const WAYS = {
  'at once': { aborts: (abort) => abort(), name: 'AbortError' },
  'by a signal': { aborts: (abort, tried) => tried.then(abort), name: 'AbortError' },
  'by a limit of time': { timeout: 25, aborts: () => {}, name: 'KbusError' },
};
for (const [how, { timeout, aborts, name }] of Object.entries(WAYS)) {
  test(`who gives up opening ${how}, while nobody accepts him, tries no more`, async (t) => {
    const world = await unix.start(t);
    const there = await silent(t, world);
    const { tried, errors } = await full(t, there);
    const controller = new AbortController();
    const before = timers();
    const refused = assert.rejects(open(there.where, { timeout, signal: controller.signal }), { name });
    aborts(() => controller.abort(), tried);
    await refused;
    await new Promise(setImmediate); // what is under way has failed
    assert.equal(timers(), before); // so there is no other try
    assert.deepEqual(errors, new Array(errors.length).fill('EAGAIN'));
  });
}

test('a Ksock is closed while it is reopened', async (t) => {
  const { world, ksock } = await lose(t);
  const other = await world.open();
  let closed;
  const end = at(3, () => { closed ??= ksock.close(); });
  await assert.rejects(ksock.reopen(), { condition: 'ErrClosed' });
  end();
  await closed;
  await assert.rejects(ksock.reopen(), { condition: 'ErrClosed' });
  assert.equal(await other.findReplier('$.Q'), null);
});
