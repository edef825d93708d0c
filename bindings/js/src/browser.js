// The package in a browser: a bus is reached through kbus-web, at `/socket` of the page's own server unless options.url is given.

import { Ksock } from './ksock.js';
import { modeOf, numberOf, optionsOfOpen } from './opening.js';
import { addressOf, connectWebSocket } from './websocket.js';

export * from './api.js';

/** Opens a Ksock on a bus, which is a number. */
export async function open(bus = 0, given = {}) {
  const { mode = 'rw', url = '/socket', token, WebSocket, ...options } = optionsOfOpen(given);
  const where = addressOf(new URL(url, globalThis.location?.href), numberOf(bus));
  return new Ksock(where, modeOf(mode), connectWebSocket(where, { token, WebSocket })).start(options);
}
