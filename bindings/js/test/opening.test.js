// Opening through a WebSocket, where there is nobody: with a class that tells as little as it may, and with Node's own where it has one.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { announcement, open } from '../src/node.js';
import { web } from './world.js';

const nobody = { condition: 'ErrNoSuchBus', code: 'ENOENT', message: /is kbus-web running/ };
const own = globalThis.WebSocket;
const skip = own === undefined ? 'this Node has no WebSocket of its own' : false;

/** A WebSocket that tells of an error and never of a close, as Node's own does when nobody can be connected to. */
class OnlyErrors {
  readyState = 0;

  constructor() {
    setImmediate(() => {
      this.readyState = 3;
      this.onerror({});
    });
  }

  close() {}
}

test('an error before it is open is enough to know that nobody is there', async () => {
  await assert.rejects(open(0, { url: 'ws://127.0.0.1:1/', token: 'x', WebSocket: OnlyErrors, timeout: 10000 }), nobody);
});

test('Node\'s own WebSocket', { skip }, async (t) => {
  const world = await web.start(t);
  await assert.rejects(world.open({ WebSocket: own, url: 'http://127.0.0.1:1/socket', timeout: Infinity }), nobody);
  const { tokens: [token] } = world;
  world.tokens[0] = 'wrongwrongwrongwrong';
  await assert.rejects(world.open({ WebSocket: own, timeout: Infinity }), nobody);
  world.tokens[0] = token;
  await assert.rejects(world.open({ WebSocket: own, bus: 1 }), { condition: 'ErrDenied' });
  const ksock = await world.open({ WebSocket: own });
  await ksock.bind('$.A');
  await ksock.send(announcement('$.A', 'x'.repeat(100000)));
  assert.equal((await ksock.receive()).text.length, 100000);
  const waits = assert.rejects(ksock.receive(), { condition: 'ErrBusGone' });
  await world.kbusWeb.kill();
  await waits;
  await assert.rejects(ksock.reopen(), nobody);
});
