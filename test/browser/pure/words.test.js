// Numbers, times and sentences.

import test from 'node:test';
import assert from 'node:assert/strict';
import { amount, became, bodyText, duration, rate, size, summary } from '../../../internal/web/page/files/js/words.js';
import { busOf, ksock, message, name } from './bus.js';

test('numbers', () => {
  assert.deepEqual([0, 999, 1000, 1234567, 98_765_432].map(amount), ['0', '999', '1\u2009000', '1\u2009234\u2009567', '99\u2009M']);
  assert.deepEqual([0, 0.01, 0.5, 9.94, 12.4, 1234.5].map(rate), ['0', '<0.1', '0.5', '9.9', '12', '1\u2009235']);
  assert.deepEqual([0, 999, 1500, 2.5e6].map(size), ['0 B', '999 B', '1.5 kB', '2.5 MB']);
  assert.deepEqual([0.0000123, 0.0123, 1.23, 12.3, 75, 3700].map(duration), ['12 µs', '12 ms', '1.2 s', '12 s', '1 min 15 s', '1 h 1 min']);
});

test('the summary says how a bus stands', () => {
  const fine = busOf({ ksocks: [ksock(1, 'lamp')], names: [name('$.A', { rate: 2.5 })] });
  assert.equal(summary(fine), 'Bus 0: 1 Ksock, 2.5 messages a second. Nothing is the matter.');
  const bad = busOf({ ksocks: [ksock(1, 'lamp', { queued: 100, missed_now: 2 }), ...[2, 3, 4].map((k) => ksock(k, 'p', { queued: 100 }))] });
  assert.equal(summary(bad), 'Bus 0: 4 Ksocks, 0 messages a second. lamp 1: queue full, missed 2 now; p 2: queue full; p 3: queue full; and 1 more.');
  assert.equal(summary({ number: 3, up: false, why: 'killed' }), 'Bus 3 cannot be seen: killed.');
});

test('data is shown as text, with what is missing of it', () => {
  assert.equal(bodyText({ bytes: 0 }, 256), '(no data)');
  assert.equal(bodyText({ bytes: 5 }, 0), '(5 B, not shown)');
  assert.equal(bodyText({ bytes: 14, data: '<b>bold</b>\u0007\n\t' }, 256), '<b>bold</b>\u00b7\n\t');
  assert.equal(bodyText({ bytes: 3, data_base64: '/wAB' }, 256), 'ff 00 01');
  assert.equal(bodyText({ bytes: 3000, data: 'abc' }, 256), 'abc … (3.0 kB in all)');
});

test('what became of a message', () => {
  assert.equal(became(message(1, 'Announcement', '$.A', { reached: 3 })), 'reached 3');
  assert.equal(became(message(1, 'Announcement', '$.A', { reached: 0, skipped: 2 })), 'reached 0, skipped 2');
  assert.equal(became(message(1, 'Request', '$.A', { refused: { why: 'nobody is bound' } })), 'refused: nobody is bound');
  assert.equal(became(message(1, 'Status', '$.A')), 'from the bus');
});
