// Doors for pages: what they refuse, and that who does what he can harms nobody but himself. With a real daemon and kbus-web.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import path from 'node:path';
import { test } from 'node:test';

import { KbusError, NoReply, announcement, open, request } from '../src/node.js';
import * as wire from '../src/wire.js';
import { need, web } from './world.js';

const WebSocket = need('ws');
const PAGE = 'https://panel.example';

const denied = (text) => (e) => e instanceof KbusError && e.condition === 'ErrDenied' && e.code === 'EACCES' && e.message.includes(text);

const PANEL = {
  origin: PAGE, bus: [0], send: ['$.Panel.*'], listen: ['$.Panel.*', '$.Lamp.Is'], request: ['$.Lamp.%'], reply: ['$.Panel.Ask'],
};
const PROGRAM = { origin: 'none', bus: [0], connections: 2, send: ['$.Panel.*'], listen: ['$.Panel.*'] };

/** The class of a browser's page. */
const pageOf = (origin) => class extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols, { origin });
  }
};

/** A world with two doors, a Ksock of the daemon, and one of a page. */
async function start(t) {
  const world = await web.start(t, [PANEL, PROGRAM]);
  world.socket = path.join(world.dir, 'bus0.sock');
  world.neighbour = await open(world.socket);
  t.after(() => world.neighbour.close());
  world.page = () => world.open({ WebSocket: pageOf(PAGE) });
  return world;
}

test('what a door does not allow is refused with its place, between what it allows', async (t) => {
  const { page: open1, neighbour } = await start(t);
  const page = await open1();
  await neighbour.bind('$.Panel.*');
  await neighbour.bind('$.Door.*');
  await neighbour.bindReplier('$.Lamp.Set');
  const outcomes = await Promise.allSettled([ // in one go: the results come in the order of the requests
    page.send(announcement('$.Panel.A')),
    page.send(announcement('$.Door.Open')),
    page.bind('$.Panel.*'),
    page.bind('$.*'),
    page.bindReplier('$.Panel.Ask'),
    page.bindReplier('$.Panel.*'),
    page.findReplier('$.Lamp.Set'),
    page.findReplier('$.Door.Open'),
    page.send(announcement('$.Panel.B')),
    page.call(request('$.Door.Open')),
    page.peer(neighbour.id),
    page.newBus(),
    page.setMaxMessages(1000),
    page.send(announcement('$.!')),
    page.numMessages(),
  ]);
  const said = outcomes.map(({ status, reason }) => (status === 'fulfilled' ? 'ok' : reason.condition));
  const no = 'ErrDenied';
  assert.deepEqual(said, ['ok', no, 'ok', no, 'ok', no, 'ok', no, 'ok', no, no, no, no, 'ErrBadName', 'ok']);
  assert.throws(() => { throw outcomes[1].reason; }, denied('doors.toml:1 does not allow to send $.Door.Open'));
  assert.equal(outcomes[6].value, neighbour.id);
  for (const name of ['$.Panel.A', '$.Panel.B']) assert.equal((await neighbour.receive()).name, name);
  assert.equal(await neighbour.next(), null);

  const answer = neighbour.call(request('$.Panel.Ask', 'ready?'), { timeout: 60000 });
  let asked;
  do asked = await page.receive();
  while (!asked.wantsUsToReply);
  await page.reply(asked, 'yes');
  assert.equal((await answer).text, 'yes');
});

test('a long message that is refused is not in the way of the next', async (t) => {
  const { page: open1, neighbour } = await start(t);
  const page = await open1();
  await neighbour.bind('$.Panel.*');
  const outcomes = await Promise.allSettled([
    page.send(announcement('$.Door.Open', new Uint8Array(300000))),
    page.send(announcement('$.Panel.Long', new Uint8Array(300000).fill(7))),
  ]);
  assert.equal(outcomes[0].reason.condition, 'ErrDenied');
  const { name, data } = await neighbour.receive();
  assert.deepEqual([name, data.length, data[299999]], ['$.Panel.Long', 300000, 7]);
});

test('many refusals at once, with Resets between: each has its result', async (t) => {
  const { page: open1 } = await start(t);
  const page = await open1();
  const outcomes = await Promise.allSettled(Array.from({ length: 3000 }, (_, i) => (i % 3 === 0 ? page.reopen() : page.send(announcement(`$.Door.N${i}`)))));
  outcomes.forEach(({ status, reason }, i) => {
    if (i % 3 === 0) assert.equal(status, 'fulfilled');
    else assert.ok(reason.message.endsWith(`$.Door.N${i}`), reason.message);
  });
});

/** What a server says to somebody who would like to connect: the number of an HTTP answer, or 101. */
function knock(t, url, protocols, headers) {
  const socket = new WebSocket(url, protocols, { headers });
  t.after(() => socket.terminate());
  return new Promise((resolve) => {
    socket.once('open', () => resolve(101));
    socket.once('unexpected-response', (_, response) => resolve(response.statusCode));
    socket.on('error', () => {});
  });
}

test('who has not both the origin and the token is not let in', async (t) => {
  const { url, tokens: [token, other] } = await start(t);
  const by = (origin, ...protocols) => knock(t, url, protocols, origin === null ? {} : { origin });
  assert.equal(await by(PAGE, 'kbus', `kbus.token.${token}`), 101);
  assert.equal(await by(PAGE, 'kbus', `kbus.token.${other}`), 403);
  assert.equal(await by(PAGE, 'kbus', `kbus.token.${token}x`), 403);
  assert.equal(await by(PAGE, 'kbus', 'kbus.token.x'), 403);
  assert.equal(await by(PAGE, 'kbus'), 403);
  assert.equal(await by('https://evil.example', 'kbus', `kbus.token.${token}`), 403);
  assert.equal(await by('null', 'kbus', `kbus.token.${token}`), 403);
  assert.equal(await by(null, 'kbus', `kbus.token.${token}`), 403);
  assert.equal(await by(null, 'kbus', `kbus.token.${other}`), 101);
  assert.equal(await by(PAGE, `kbus.token.${token}`), 400);
  assert.equal(await knock(t, `${url}?token=${token}`, ['kbus'], { origin: PAGE }), 403);
  assert.equal((await fetch(url.replace('ws:', 'http:'))).status, 403);
});

test('other buses, and a daemon that is not there', async (t) => {
  const world = await start(t);
  await assert.rejects(world.open({ WebSocket: pageOf(PAGE), bus: 1 }), denied('does not allow bus 1'));
  await world.kbusd.kill();
  await assert.rejects(world.page(), (e) => e.condition === 'ErrNoSuchBus' && e.message.includes('is kbusd running?'));
  await assert.rejects(open(0, { url: 'http://127.0.0.1:1/socket', token: 'x', WebSocket }), { condition: 'ErrNoSuchBus' });
});

test('a door has so many connections and no more, until one ends', async (t) => {
  const world = await start(t);
  const { url, tokens } = world;
  const program = () => world.open({ door: 1 });
  const [first] = [await program(), await program()];
  assert.equal(await knock(t, url, ['kbus', `kbus.token.${tokens[1]}`], {}), 503);
  await world.page(); // another door is another matter
  await first.close();
  let state;
  do state = await knock(t, url, ['kbus', `kbus.token.${tokens[1]}`], {});
  while (state === 503); // kbus-web takes note after us
  assert.equal(state, 101);
});

/** A connection that was let in, and says what it likes. */
async function hostile(t, { url, tokens: [token] }) {
  const socket = new WebSocket(url, ['kbus', `kbus.token.${token}`], { origin: PAGE });
  t.after(() => socket.terminate());
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}

const hello = wire.frame(wire.OPS.HELLO, 1, 3, wire.hello(0));

/** What each gets. Where kbus-web leaves bytes unread, the reset of the connection may overtake its close, and that is 1006. */
const attacks = {
  text: [1003, (s) => s.send('hello')],
  'no Hello': [1008, (s) => s.send(wire.frame(wire.OPS.POLL, 1, 0, new Uint8Array(0)))],
  'an observer': [4403, (s) => s.send(wire.frame(wire.OPS.HELLO, 1, 0, wire.hello(0)))],
  'no protocol': [1008, (s) => s.send(Buffer.alloc(50000, 'x'))],
  'a long message': [1009, (s) => s.send(Buffer.concat([hello, Buffer.alloc(70000)]))],
  'no message': [1008, (s) => s.send(Buffer.concat([hello, wire.frame(wire.OPS.SEND_MESSAGE, 2, 0, new Uint8Array(8))]))],
  'a Hello too many': [1000, (s) => s.send(Buffer.concat([hello, hello]))],
  'a payload where none is': [1000, (s) => s.send(Buffer.concat([hello, wire.frame(wire.OPS.POLL, 2, 0, new Uint8Array(5))]))],
  'its end': [1000, (s) => s.send(Buffer.alloc(0))],
  'its end after a Hello': [1000, (s) => { s.send(hello); s.send(Buffer.alloc(0)); }],
};

test('who does not speak the protocol loses the own connection, and nobody else does', async (t) => {
  const world = await start(t);
  const page = await world.page();
  await page.bind('$.Panel.*');
  for (const [what, [code, attack]] of Object.entries(attacks)) {
    await t.test(what, async () => {
      const socket = await hostile(t, world);
      const closed = once(socket, 'close');
      attack(socket);
      const [got] = await closed;
      assert.ok(got === code || (got === 1006 && code !== 1000), `${got} in place of ${code}`);
      await world.neighbour.send(announcement('$.Panel.Still', what));
      assert.equal((await page.receive()).text, what);
    });
  }
});

test('who asks and never reads keeps nobody waiting, and is held up', async (t) => {
  const world = await start(t);
  const page = await world.page();
  await page.bind('$.Panel.*');
  const socket = await hostile(t, world);
  socket.send(hello);
  await once(socket, 'message');
  socket.pause();
  const flood = Buffer.concat(Array.from({ length: 1000 }, (_, i) => wire.frame(wire.OPS.LAST_SENT, i, 0, new Uint8Array(0))));
  for (let i = 0; i < 2000; i++) socket.send(flood); // 32 MB of requests, which have 48 MB of results
  await new Promise((resolve) => { setImmediate(resolve); });
  for (let i = 0; i < 20; i++) {
    await world.neighbour.send(announcement('$.Panel.Still', String(i)));
    assert.equal((await page.receive()).text, String(i));
  }
  assert.ok(socket.bufferedAmount > 0, 'all of the flood was taken');
  socket.terminate();
});

test('kbus-web is killed: each open Request has its Status, and neighbours see only that Ksocks have gone', async (t) => {
  const world = await start(t);
  const [page, other] = [await world.page(), await world.page()];
  await world.neighbour.bindReplier('$.Lamp.Set');
  await other.bindReplier('$.Panel.Ask');
  const goneAway = (name) => (e) => e instanceof NoReply && e.status.name === name;
  const call = assert.rejects(page.call(request('$.Lamp.Set')), goneAway('$.KBUS.Bus.GoneAway'));
  const asked = assert.rejects(world.neighbour.call(request('$.Panel.Ask')), goneAway('$.KBUS.Replier.Ignored'));
  await other.receive();
  await world.neighbour.receive();
  await world.kbusWeb.kill();
  await call;
  await asked;
  await assert.rejects(page.receive(), { condition: 'ErrBusGone' });
  assert.equal(await world.neighbour.findReplier('$.Panel.Ask'), null);
});
