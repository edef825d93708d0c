// Where everything is.

import test from 'node:test';
import assert from 'node:assert/strict';
import { byKsock, layout, lines } from '../../../internal/web/page/files/js/layout.js';
import { busOf, counts, ksock, message, name } from './bus.js';

const sizes = [[336, 528], [800, 496], [1860, 736]];

function crowd(fish, names) {
  return busOf({
    ksocks: Array.from({ length: fish }, (_, i) => ksock(i + 1, `p${i}`, { out: i })),
    names: Array.from({ length: names }, (_, i) => name(`$.N${i}`, { rate: i })),
    bindings: Array.from({ length: fish }, (_, i) => ({ ksock: i + 1, as: i % 3 ? 'Listener' : 'Replier', name: `$.N${i % Math.max(1, names)}` })),
  });
}

test('everything is within the bowl, whatever there is', () => {
  for (const [width, height] of sizes) {
    for (const [fish, names] of [[0, 0], [1, 1], [2, 1], [7, 9], [60, 40], [200, 200]]) {
      const l = layout(crowd(fish, names), width, height);
      for (const f of l.fish) {
        assert.ok(f.x > 40 && f.x < width - 40 && f.y > l.surface && f.y < height - 20, `fish at ${f.x}, ${f.y} of ${width}, ${height}`);
      }
      for (const n of l.names) {
        assert.ok(n.x - n.width / 2 > 0 && n.x + n.width / 2 < width && n.y > l.surface && n.y < height, `name at ${n.x}, ${n.y}`);
      }
      assert.equal(l.fish.length + l.hidden.fish, fish);
      assert.equal(l.names.length + l.hidden.names, Math.max(names, new Set(crowd(fish, names).picture.bindings.map((b) => b.name)).size));
    }
  }
});

test('nothing lies on another', () => {
  for (const [width, height] of sizes) {
    const full = layout(crowd(200, 40), width, height);
    for (const f of full.fish) {
      for (const n of full.names) assert.ok(Math.abs(f.x - n.x) > n.width / 2 || Math.abs(f.y - n.y) > 14, `fish ${f.ksock} on ${n.name} at ${width}, full`);
    }
    const l = layout(crowd(8, 6), width, height);
    for (const [i, a] of l.fish.entries()) {
      for (const b of l.fish.slice(i + 1)) assert.ok(Math.hypot(a.x - b.x, a.y - b.y) > 55, `${a.ksock} and ${b.ksock} at ${width}`);
      for (const n of l.names) assert.ok(Math.abs(a.x - n.x) > n.width / 2 + 10 || Math.abs(a.y - n.y) > 30, `fish ${a.ksock} on ${n.name} at ${width}`);
    }
    for (const [i, a] of l.names.entries()) {
      for (const b of l.names.slice(i + 1)) assert.ok(Math.abs(a.y - b.y) >= 38 || Math.abs(a.x - b.x) >= a.width, `${a.name} and ${b.name}`);
    }
  }
});

test('a fish keeps its place while the figures change', () => {
  const before = layout(crowd(8, 6), 800, 500);
  const bus = crowd(8, 6);
  bus.picture.ksocks.reverse().forEach((k, i) => { k.queued = i * 10; k.in = i; });
  assert.deepEqual(layout(bus, 800, 500).fish.map((f) => [f.ksock, f.x, f.y]), before.fish.map((f) => [f.ksock, f.x, f.y]));
});

test('where not all have room, who is seen makes way only for who does much more', () => {
  const bus = crowd(40, 40);
  const seen = (l) => [l.fish.map((f) => f.ksock), l.names.map((n) => n.name)];
  const quiet = (except) => {
    bus.picture.ksocks.forEach((k) => { k.out = k.ksock === except ? 9 : k.ksock % 2; });
    bus.picture.names.forEach((n, i) => { n.rate = i + 1 === except ? 9 : i % 2; });
  };
  const before = layout(bus, 336, 528);
  quiet(0);
  const now = layout(bus, 336, 528, before);
  assert.deepEqual(seen(now), seen(before));
  quiet(1);
  const later = layout(bus, 336, 528, now);
  assert.ok(!now.fish.some((f) => f.ksock === 1) && later.fish.some((f) => f.ksock === 1));
  assert.ok(!now.names.some((n) => n.name === '$.N0') && later.names.some((n) => n.name === '$.N0'));
});

test('who answers is on the right', () => {
  const bus = busOf({ ksocks: [ksock(1, 'lamp'), ksock(2, 'hand')], bindings: [{ ksock: 1, as: 'Replier', name: '$.A' }] });
  const l = layout(bus, 800, 500);
  const [lamp, hand] = [1, 2].map((k) => l.fish.find((f) => f.ksock === k));
  assert.ok(lamp.x > l.middle.x && hand.x < l.middle.x);
  assert.deepEqual([lamp.faces, hand.faces], ['left', 'right']);
});

test('with which something is the matter is shown before all others', () => {
  const bus = crowd(200, 3);
  bus.picture.ksocks[0].queued = 100;
  assert.ok(layout(bus, 336, 528).fish.some((f) => f.ksock === 1));
});

test('lines are bindings of what is to be seen', () => {
  const bus = crowd(3, 3);
  bus.picture.bindings.push({ ksock: 1, as: 'Listener', name: '$.N0' }, { ksock: 1, as: 'Listener', name: '$.N0' }, { ksock: 99, as: 'Listener', name: '$.N0' });
  const found = lines(bus, layout(bus, 800, 500));
  assert.deepEqual(found.map((l) => l.key).sort(), ['1 Listener $.N0', '1 Replier $.N0', '2 Listener $.N1', '3 Listener $.N2']);
});

test('a Ksock that passes has the fish of its program', () => {
  const bus = busOf({ ksocks: [ksock(1, 'lamp')] }, ['beat', { bus: 0, time: 1001, counts: counts(), of: 1, messages: [message(1, 'Request', '$.A', { from: 7, program: 'till' })] }]);
  const placed = layout(bus, 800, 500);
  const later = [{ program: 'till', ksocks: [7, 8] }];
  assert.equal(byKsock(placed, later).get(8).of.program, 'till');
  assert.equal(byKsock(placed, later).get(1).ksock, 1);
});
