// AbortSignals: one for many operations, and what happens though it is given up.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import process from 'node:process';
import { test } from 'node:test';

import { announcement, open } from '../src/node.js';
import { onAbort } from '../src/aborting.js';
import { unix } from './world.js';

const listeners = (signal) => getEventListeners(signal, 'abort').length;

test('it has one listener for all of them, of which Node does not warn, and none afterwards', async (t) => {
  const warnings = [];
  const warned = (w) => warnings.push(w.name);
  process.on('warning', warned);
  t.after(() => process.off('warning', warned));
  const world = await unix.start(t);
  const { signal, abort } = controlled();
  const ksocks = await Promise.all([1, 2].map(() => world.open({ signal })));
  assert.equal(listeners(signal), 0);
  await ksocks[0].bind('$.A', { signal });
  const waits = ksocks.flatMap((k) => Array.from({ length: 20 }, () => k.receive({ signal })));
  const outcomes = Promise.allSettled(waits);
  await ksocks[1].send(announcement('$.A'), { signal });
  assert.equal((await waits[0]).name, '$.A');
  assert.equal(listeners(signal), 1);
  abort();
  assert.deepEqual(new Set((await outcomes).slice(1).map(({ reason }) => reason)), new Set([signal.reason]));
  assert.equal(listeners(signal), 0);
  await assert.rejects(open(world.dir, { signal }), { name: 'AbortError' });
  await new Promise((resolve) => { setImmediate(resolve); });
  assert.deepEqual(warnings, []);
});

test('who is called may leave, and have others leave', () => {
  const { signal, abort } = controlled();
  const called = [];
  const leave = ['a', 'b', 'c', 'd'].map((name, i) => onAbort(signal, () => {
    called.push(name);
    leave[i]();
    if (name === 'b') leave[2]();
  }));
  leave[3]();
  leave[3]();
  onAbort(null, assert.fail)();
  onAbort(undefined, assert.fail)();
  abort();
  abort();
  assert.deepEqual(called, ['a', 'b']);
  assert.equal(listeners(signal), 0);
});

test('a bind that is given up may be made all the same, and can be taken back', async (t) => {
  const ksock = await (await unix.start(t)).open();
  const { signal, abort } = controlled();
  const bound = assert.rejects(ksock.bindReplier('$.A', { signal }), { name: 'AbortError' });
  abort();
  await bound;
  assert.equal(await ksock.findReplier('$.A'), ksock.id);
  await ksock.unbind('$.A', { replier: true });
  assert.equal(await ksock.findReplier('$.A'), null);
});

function controlled() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
