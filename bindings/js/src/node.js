// The package in Node: a bus is reached through its daemon's socket, or with options.url through kbus-web.

import path from 'node:path';

import { Ksock } from './ksock.js';
import { modeOf, numberOf, optionsOfOpen } from './opening.js';
import { connectUnix, socketDirectory } from './unix.js';
import { addressOf, connectWebSocket } from './websocket.js';

export * from './api.js';

/** Opens a Ksock on a bus: a number, or the path of a daemon's socket. */
export async function open(bus = 0, given = {}) {
  const { mode = 'rw', url, token, WebSocket, ...options } = optionsOfOpen(given);
  if (url !== undefined) {
    const where = addressOf(url, numberOf(bus));
    return new Ksock(where, modeOf(mode), connectWebSocket(where, { token, WebSocket })).start(options);
  }
  const isPath = typeof bus === 'string' && bus.includes('/');
  const where = isPath ? bus : socketIn(socketDirectory(), numberOf(bus));
  return new Ksock(where, modeOf(mode), connectUnix(where)).start(options);
}

/** The socket of a bus. `./@a` is a directory, but `@a` would be an abstract socket. */
function socketIn(directory, number) {
  const where = path.join(directory, `bus${number}.sock`);
  return where.startsWith('@') && directory.startsWith('.') ? `./${where}` : where;
}
