// What the page makes of the stream.

import test from 'node:test';
import assert from 'node:assert/strict';
import { apply, initial, ksocksOf, messagesOf, messagesWith, mostRecent, namesOf, refusalOf, trouble } from '../../../internal/web/page/files/js/state.js';
import { History } from '../../../internal/web/page/files/js/history.js';
import { busOf, counts, ksock, message, name, picture, play } from './bus.js';

test('a state that is there does not change', () => {
  const before = Object.freeze(play(['bus', { bus: 0, up: true, lives: 1 }]));
  Object.freeze(before.buses.get(0));
  const after = apply(before, 'picture', picture(5, { ksocks: [ksock(1, 'lamp')] }));
  assert.equal(before.buses.get(0).picture, null);
  assert.equal(after.buses.get(0).picture.ksocks.length, 1);
});

test('messages that come twice count once, and old ones go', () => {
  const many = Array.from({ length: mostRecent + 50 }, (_, i) => message(i + 1, 'Announcement', '$.A'));
  const bus = busOf({}, ['past', { bus: 0, time: 1, messages: many.slice(0, 200) }], ['beat', { bus: 0, time: 2, counts: counts(), of: 200, messages: many.slice(150) }]);
  assert.equal(bus.recent.length, mostRecent);
  assert.equal(bus.recent.at(-1).n, mostRecent + 50);
  assert.equal(new Set(bus.recent.map((m) => m.n)).size, mostRecent);
});

test('another kbus-web numbers its messages anew', () => {
  const hello = (began) => ['hello', { version: '1', began, data: 256 }];
  const said = (n) => ['beat', { bus: 0, time: n, counts: counts(), of: 1, messages: [message(n, 'Announcement', '$.A')] }];
  const numbers = (...updates) => play(...updates).buses.get(0).recent.map((m) => m.n);
  assert.deepEqual(numbers(hello(1), said(500), hello(1), said(2)), [500], 'the same, after the link was lost');
  assert.deepEqual(numbers(hello(1), said(500), hello(2), said(2)), [2]);
});

test('programs that come and go are one fish each, until they have been quiet', () => {
  const till = (n, from) => message(n, 'Announcement', '$.A', { from, program: 'till' });
  let state = play(['bus', { bus: 0, up: true, lives: 1 }], ['picture', picture(1000, { ksocks: [ksock(1, 'lamp')] })],
    ['beat', { bus: 0, time: 1001, counts: counts(), of: 3, messages: [till(1, 7), till(2, 8), message(3, 'Reply', '$.A', { from: 1, program: 'lamp' })] }]);
  const passing = ksocksOf(state.buses.get(0)).filter((k) => k.passing);
  assert.deepEqual(passing.map((k) => [k.program, k.ksocks]), [['till', [7, 8]]]);
  state = apply(state, 'picture', picture(2000, { ksocks: [ksock(1, 'lamp'), ksock(8, 'till')] }));
  assert.deepEqual(state.buses.get(0).passers[0].ksocks, [7]);
  state = apply(state, 'picture', picture(20_000, {}));
  assert.deepEqual(ksocksOf(state.buses.get(0)), []);
});

test('trouble is a full queue, what was missed now, and what is owed for long', () => {
  assert.deepEqual(trouble(ksock(1, 'a', { missed: 9, unanswered: 1, oldest: 0.4 })), []);
  assert.deepEqual(trouble(ksock(1, 'a', { queued: 100 })), ['queue full']);
  assert.deepEqual(trouble(ksock(1, 'a', { missed_now: 3 })), ['missed 3 now']);
  assert.deepEqual(trouble(ksock(1, 'a', { unanswered: 1, oldest: 1.5 })), ['owes 1 answer']);
  assert.deepEqual(trouble(ksock(1, 'a', { unanswered: 2, oldest: 3, queued: 100 })), ['queue full', 'owes 2 answers']);
});

test('names are those that are said and those that somebody is bound to', () => {
  const bus = busOf({ names: [name('$.Said')], bindings: [{ ksock: 1, as: 'Listener', name: '$.Bound.*' }, { ksock: 2, as: 'Replier', name: '$.Said' }] });
  assert.deepEqual(namesOf(bus).map((n) => n.name).sort(), ['$.Bound.*', '$.Said']);
});

test('a name is wrong when more of it was refused or skipped than before', () => {
  const state = play(['bus', { bus: 0, up: true, lives: 1 }], ['picture', picture(1, { names: [name('$.A', { refused: 5 }), name('$.B')] })]);
  assert.deepEqual(state.buses.get(0).picture.names.map((n) => n.wrong), [false, false]);
  const after = apply(state, 'picture', picture(2, { names: [name('$.A', { refused: 5 }), name('$.B', { skipped: 1 }), name('$.C', { refused: 1 })] }));
  assert.deepEqual(after.buses.get(0).picture.names.map((n) => n.wrong), [false, true, true]);
});

test('the last refused send is the newer of picture and beat', () => {
  const refused = (n) => message(n, 'Request', '$.No', { from: 4, refused: { condition: 'ErrNoReplier', why: 'nobody' } });
  const bus = busOf({ ksocks: [ksock(4, 'till')], refusals: [refused(3)] });
  assert.equal(refusalOf(bus, 4).n, 3);
  assert.equal(refusalOf(bus, 5), undefined);
  assert.equal(refusalOf(busOf({ refusals: [refused(3)] }, ['beat', { bus: 0, time: 2, counts: counts(), of: 1, messages: [refused(9)] }]), 4).n, 9);
});

test('messages of a name and of a Ksock, the last first', () => {
  const bus = busOf({}, ['past', { bus: 0, time: 1, messages: [message(1, 'Request', '$.A', { from: 1, to: 2 }), message(2, 'Reply', '$.A', { from: 2, to: 1 }), message(3, 'Announcement', '$.B', { from: 3 })] }]);
  assert.deepEqual(messagesOf(bus, '$.A').map((m) => m.n), [2, 1]);
  assert.deepEqual(messagesWith(bus, 2).map((m) => m.n), [2, 1]);
  assert.deepEqual(messagesWith(bus, 1, 3).map((m) => m.n), [3, 2, 1]);
});

test('a bus that goes has no picture, and says when it is back', () => {
  const state = play(['bus', { bus: 0, up: true, lives: 1 }], ['picture', picture(1000)], ['bus', { bus: 0, up: false, lives: 1, why: 'killed' }]);
  assert.deepEqual([state.buses.get(0).picture, state.buses.get(0).why], [null, 'killed']);
  const back = apply(state, 'bus', { bus: 0, up: true, lives: 2 }).buses.get(0);
  assert.deepEqual([back.up, back.lives, back.why], [true, 2, '']);
});

test('a bus that was away came back when it did, and the time line has the time between', () => {
  const past = new History();
  let state = initial();
  for (const [kind, data] of [
    ['bus', { bus: 0, up: true, lives: 1, at: 500 }], ['picture', picture(1000)],
    ['bus', { bus: 0, up: false, lives: 1, why: 'killed', at: 2000 }], ['bus', { bus: 0, up: true, lives: 2, at: 9000 }], ['picture', picture(9100)],
  ]) {
    state = apply(state, kind, data);
    past.add(state.buses.get(0).time, state.buses.get(0));
  }
  assert.equal(state.buses.get(0).changed, 9000);
  assert.deepEqual([1500, 2000, 8999, 9000].map((time) => past.at(time).get(0).up), [true, false, false, true]);
});

test('the link: what the page says of it', () => {
  assert.equal(initial().link, 'connecting');
  let state = play(['hello', { version: '1', data: 256 }], ['lost', { updates: 1, messages: 2 }]);
  assert.deepEqual([state.link, state.most, state.lost.messages], ['live', 256, 2]);
  assert.equal(apply(state, 'closed').link, 'closed');
  state = apply(apply(state, 'end'), 'closed');
  assert.equal(state.link, 'end');
  state = apply(apply(state, 'full', { most: 3 }), 'closed');
  assert.deepEqual([state.link, state.viewers], ['full', 3]);
  state = apply(state, 'hello', { version: '2', data: 0 });
  assert.deepEqual([state.link, state.other, state.lost.messages], ['live', true, 0]);
  assert.equal(apply(state, 'of a newer kbus-web', {}), state);
});
