// Who hears a message.

import test from 'node:test';
import assert from 'node:assert/strict';
import { matches, recipients } from '../../../internal/web/page/files/js/names.js';

test('bindings are matched as the bus does', () => {
  for (const [binding, name, is] of [
    ['$.A', '$.A', true], ['$.A', '$.B', false], ['$.A', '$.A.B', false],
    ['$.A.*', '$.A.B', true], ['$.A.*', '$.A.B.C', true], ['$.A.*', '$.A', false], ['$.A.*', '$.AB.C', false],
    ['$.A.%', '$.A.B', true], ['$.A.%', '$.A.B.C', false], ['$.A.%', '$.A', false],
    ['$.*', '$.A', true], ['$.%', '$.A', true], ['$.%', '$.A.B', false],
  ]) assert.equal(matches(binding, name), is, `${binding} ${name}`);
});

test('recipients are the addressee, and each Listener once', () => {
  const bindings = [
    { ksock: 1, as: 'Replier', name: '$.A' }, { ksock: 2, as: 'Listener', name: '$.A' }, { ksock: 2, as: 'Listener', name: '$.*' },
    { ksock: 1, as: 'Listener', name: '$.*' }, { ksock: 3, as: 'Standby', name: '$.A' },
  ];
  assert.deepEqual(recipients(bindings, { kind: 'Request', name: '$.A', to: 1 }), { to: 1, listeners: [2] });
  assert.deepEqual(recipients(bindings, { kind: 'Announcement', name: '$.A' }), { to: 0, listeners: [2, 1] });
  assert.deepEqual(recipients(bindings, { kind: 'Status', name: '$.KBUS.Replier.GoneAway', to: 4 }), { to: 4, listeners: [] });
  assert.deepEqual(recipients(bindings, { kind: 'Request', name: '$.A', refused: {} }), { to: 0, listeners: [] });
});
