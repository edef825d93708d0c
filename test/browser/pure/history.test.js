// The time line.

import test from 'node:test';
import assert from 'node:assert/strict';
import { History } from '../../../internal/web/page/files/js/history.js';
import { busOf, ksock, message, name } from './bus.js';

const bus = (number, parts = {}) => ({ ...busOf(parts), number });

test('at a moment the buses are as they were', () => {
  const h = new History();
  h.add(1000, bus(0, { ksocks: [] }));
  h.add(1500, bus(1));
  h.add(2000, bus(0, { ksocks: [ksock(1, 'lamp')] }));
  assert.deepEqual([h.first, h.last], [1000, 2000]);
  assert.equal(h.at(1999).get(0).picture.ksocks.length, 0);
  assert.equal(h.at(2000).get(0).picture.ksocks.length, 1);
  assert.ok(h.at(1000).has(1), 'a bus that came later is shown as it was first');
});

test('steps go from state to state, and not beyond the ends', () => {
  const h = new History();
  for (const t of [1000, 2000, 3000]) h.add(t, bus(0));
  assert.equal(h.step(3000, -1), 2000);
  assert.equal(h.step(2000, 1), 3000);
  assert.equal(h.step(1000, -1), 1000);
  assert.equal(h.step(3000, 1), 3000);
});

test('memory has limits: time, number, and how much is in it', () => {
  let h = new History({ span: 10_000 });
  for (let t = 0; t <= 60_000; t += 1000) h.add(t, bus(0));
  assert.deepEqual([h.first, h.last, h.states.length], [50_000, 60_000, 11]);
  h = new History({ most: 7 });
  for (let t = 0; t < 50; t++) h.add(t, bus(0));
  assert.equal(h.states.length, 7);
  h = new History({ weight: 1000 });
  const large = () => bus(0, { ksocks: Array.from({ length: 180 }, (_, i) => ksock(i, 'p')) });
  for (let t = 0; t < 50; t++) h.add(t, large());
  assert.equal(h.states.length, 5);
  assert.equal(h.weight, h.states.reduce((sum, s) => sum + s.weight, 0));
  h.add(51, bus(0, { ksocks: Array.from({ length: 5000 }, (_, i) => ksock(i, 'p')) }));
  assert.equal(h.states.length, 1, 'the last is kept however large it is');
});

test('messages weigh too, each once', () => {
  const h = new History({ weight: 1000 });
  const recent = Array.from({ length: 500 }, (_, i) => message(i + 1, 'Announcement', '$.A'));
  h.add(1, { ...bus(0), recent: recent.slice(0, 300) });
  h.add(2, { ...bus(0), recent: recent.slice(100, 400) });
  assert.deepEqual(h.states.map((s) => s.weight), [320, 120]);
});

test('a clock that goes back does not turn the line round', () => {
  const h = new History();
  h.add(2000, bus(0));
  h.add(1000, bus(0));
  assert.deepEqual([h.first, h.last], [2000, 2000]);
});

test('marks show how much was said, and where something was wrong', () => {
  const h = new History();
  const said = (rate, refused) => bus(0, { names: [name('$.A', { rate })], of: { refused } });
  h.add(0, said(1, 0));
  h.add(1000, said(5, 0));
  h.add(2000, said(2, 3));
  const marks = h.marks(3);
  assert.deepEqual(marks.map((m) => m.rate), [0, 5, 2]);
  assert.deepEqual(marks.map((m) => m.bad), [false, false, true]);
});
