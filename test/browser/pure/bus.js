// A bus for tests of the pure parts: updates as kbus-web sends them.

import { apply, initial } from '../../../internal/web/page/files/js/state.js';

export function ksock(number, program, more = {}) {
  return {
    ksock: number, pid: 100 + number, uid: 0, program, out: 0, out_bytes: 0, in: 0, in_bytes: 0, queued: 0, max_messages: 100, missed: 0,
    missed_now: 0, outstanding: 0, unanswered: 0, ...more,
  };
}

export function name(text, more = {}) {
  return { name: text, rate: 0, bytes: 0, size: 0, reached: 0, messages: 0, skipped: 0, refused: 0, statuses: 0, answered: 0, ...more };
}

export function counts(more = {}) {
  return { announcements: 0, requests: 0, replies: 0, statuses: 0, refused: 0, reached: 0, skipped: 0, bytes: 0, not_seen: 0, ...more };
}

export function picture(at, { ksocks = [], names = [], bindings = [], refusals = [], lives = 1, of = {} } = {}) {
  const missed = ksocks.reduce((sum, k) => sum + k.missed, 0);
  return {
    bus: 0, at, ksocks, names, bindings, refusals, lives, counts: counts(of),
    totals: { ksocks: ksocks.length, connections: 0, bindings: bindings.length, queued: 0, outstanding: 0, sending: 0, missed },
    left_out: { ksocks: 0, names: 0, bindings: 0 },
  };
}

export function message(n, kind, text, more = {}) {
  return { n, time: 1000 + n, kind, name: text, reached: 1, bytes: 0, ...more };
}

/** play applies updates one after the other; each is [kind, data]. */
export function play(...updates) {
  return updates.reduce((state, [kind, data]) => apply(state, kind, data), initial());
}

/** busOf is bus 0 after a picture. */
export function busOf(parts, ...updates) {
  return play(['bus', { bus: 0, up: true, lives: 1 }], ['picture', picture(1000, parts)], ...updates).buses.get(0);
}
