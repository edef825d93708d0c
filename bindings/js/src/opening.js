// What may be given to open(), in Node as in a browser.

import { optionsOf, shown } from './options.js';

/** The options of open(). */
export const optionsOfOpen = (given) => optionsOf('open', given, ['mode', 'timeout', 'signal', 'url', 'token', 'WebSocket']);

const MODES = { r: 1, w: 2, rw: 3 };

/** The argument of Hello for a mode. */
export function modeOf(mode) {
  if (!Object.hasOwn(MODES, mode)) throw new TypeError(`the mode of a Ksock is 'r', 'w' or 'rw', not ${shown(mode)}`);
  return MODES[mode];
}

/** The number of a bus. */
export function numberOf(bus) {
  if (!Number.isInteger(bus) || bus < 0 || bus > 0xffffffff) throw new TypeError(`a bus has a number from 0 on, not ${shown(bus)}`);
  return bus;
}
