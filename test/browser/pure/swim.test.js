// How messages swim.

import test from 'node:test';
import assert from 'node:assert/strict';
import { journeys, mostSwimming, position, still } from '../../../internal/web/page/files/js/swim.js';
import { layout } from '../../../internal/web/page/files/js/layout.js';
import { busOf, ksock, message, name } from './bus.js';

const bus = busOf({
  ksocks: [ksock(1, 'lamp'), ksock(2, 'hand'), ksock(3, 'ear')], names: [name('$.A')],
  bindings: [{ ksock: 1, as: 'Replier', name: '$.A' }, { ksock: 3, as: 'Listener', name: '$.*' }],
});
const placed = layout(bus, 800, 500);
const at = (k) => { const f = placed.fish.find((each) => each.ksock === k); return { x: f.x, y: f.y }; };
const end = (j) => j.legs.at(-1).b;

test('a Request goes to its Replier and to those who listen', () => {
  const ways = journeys([message(1, 'Request', '$.A', { from: 2, to: 1 })], bus, placed, 100);
  assert.deepEqual(ways.map(end), [at(1), at(3)]);
  assert.ok(ways.every((w) => w.kind === 'Request' && w.begin === 100));
  assert.deepEqual(ways[0].legs[0].a, at(2));
});

test('a Reply goes straight to who asked', () => {
  const [way, listened] = journeys([message(1, 'Reply', '$.A', { from: 1, to: 2 })], bus, placed, 0);
  assert.equal(way.legs.length, 1);
  assert.deepEqual(end(way), at(2));
  assert.deepEqual(end(listened), at(3));
});

test('a Status comes from above, and nobody listens', () => {
  const ways = journeys([message(1, 'Status', '$.KBUS.Replier.GoneAway', { to: 2 })], bus, placed, 0);
  assert.equal(ways.length, 1);
  assert.ok(ways[0].legs[0].a.y < placed.surface);
});

test('what was refused sinks', () => {
  const [way] = journeys([message(1, 'Request', '$.A', { from: 2, refused: { why: 'no' } })], bus, placed, 0);
  assert.equal(way.kind, 'Refused');
  assert.ok(end(way).y > placed.height - 40);
});

test('one that reaches nobody ends at its name', () => {
  const quiet = { ...bus, picture: { ...bus.picture, bindings: [] } };
  const [way] = journeys([message(1, 'Announcement', '$.A', { from: 2 })], quiet, placed, 0);
  assert.ok(Math.abs(end(way).x - placed.names[0].x) <= placed.names[0].width / 2);
});

test('a journey is somewhere from its beginning to its end, and nowhere else', () => {
  const [way] = journeys([message(1, 'Request', '$.A', { from: 2, to: 1 })], bus, placed, 1000);
  assert.equal(position(way, 999), null);
  assert.equal(position(way, way.end), null);
  assert.deepEqual({ x: position(way, 1000).x, y: position(way, 1000).y }, at(2));
  for (let t = way.begin; t < way.end; t += 10) {
    const p = position(way, t);
    assert.ok(p.x >= 0 && p.x <= 800 && p.y >= 0 && p.y <= 500);
  }
});

test('so many swim at most, and those that have come are forgotten', () => {
  const many = Array.from({ length: 500 }, (_, i) => message(i, 'Announcement', '$.A', { from: 2 }));
  const ways = journeys(many, bus, placed, 0);
  assert.equal(still(ways, 0).length, mostSwimming);
  assert.equal(still(ways, 1e9).length, 0);
});
