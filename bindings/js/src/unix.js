// The way to a bus through the socket of its daemon, for Node.

import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';

import { onAbort } from './aborting.js';
import { KbusError, NO_SUCH_BUS, refusal } from './conditions.js';

const LONGEST_PATH = 107; // bytes
const SYSTEM_DIR = '/run/kbus';
const AGAIN = 10; // milliseconds until the next try, when as many wait as the daemon lets wait

const isDirectory = (dir) => fs.statSync(dir, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** The directory with the daemon's sockets: $KBUS_DIR, /run/kbus for root, $XDG_RUNTIME_DIR/kbus, or /run/kbus if only that is there. */
export function socketDirectory() {
  if (process.env.KBUS_DIR) return process.env.KBUS_DIR;
  if (process.getuid() === 0) return SYSTEM_DIR;
  const own = path.join(process.env.XDG_RUNTIME_DIR || `/run/user/${process.getuid()}`, 'kbus');
  return isDirectory(own) || !isDirectory(SYSTEM_DIR) ? own : SYSTEM_DIR;
}

/** One connection. */
class UnixTransport {
  onBytes = () => {};
  onEnd = () => {};
  #socket;

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.onBytes(bytes));
    socket.on('error', () => {}); // what it means is told by the end
    socket.on('close', () => this.onEnd(''));
  }

  send(list) {
    if (!this.#socket.writable) return;
    this.#socket.cork();
    for (const bytes of list) this.#socket.write(bytes);
    this.#socket.uncork();
  }

  /** Says that nothing more comes, and waits until the daemon has closed too. */
  end(patience) {
    return new Promise((resolve) => {
      if (this.#socket.closed) {
        resolve();
        return;
      }
      const timer = patience < 2 ** 31 ? setTimeout(() => this.abort(), patience) : undefined; // longer is for ever, for timers
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.end();
    });
  }

  abort() {
    this.#socket.destroy();
  }
}

/** Refuses what is no path of a socket in a directory, before the kernel does so in fewer words. */
function refuse(where) {
  const length = Buffer.byteLength(where);
  if (where.startsWith('@')) {
    throw new KbusError('EINVAL', `open ${where}: a socket of the daemon is a file in a directory; names of abstract sockets, which begin `
      + 'with @, are not supported');
  }
  if (where.includes('\0')) throw new KbusError('EINVAL', `open ${JSON.stringify(where)}: a path cannot hold a zero byte`);
  if (length > LONGEST_PATH) {
    throw new KbusError('ENAMETOOLONG', `open ${where}: the path of the socket has ${length} bytes, and the kernel takes ${LONGEST_PATH}: `
      + 'use a shorter directory');
  }
}

/** What the system says of a socket that nobody can be reached through. */
function failed(where, e) {
  if (['ENOENT', 'ECONNREFUSED', 'ENOTDIR'].includes(e.code)) {
    return refusal(NO_SUCH_BUS, `open ${where}`, 'nobody listens there; is kbusd running?');
  }
  return new KbusError(e.code ?? 'EINVAL', `open ${where}: ${e.message}`, '', Math.abs(e.errno ?? 22));
}

/** Connects to a daemon within limit milliseconds. */
export function connectUnix(where) {
  return (limit, signal) => new Promise((resolve, reject) => {
    refuse(where);
    signal?.throwIfAborted();
    const deadline = Date.now() + limit;
    let socket;
    let again;
    let isOver = false; // or else it would try again though nobody waits for it
    const over = (settle, value) => {
      isOver = true;
      clearTimeout(timer);
      clearTimeout(again);
      leave();
      if (settle === reject) socket?.destroy();
      settle(value);
    };
    const leave = onAbort(signal, () => over(reject, signal.reason));
    const late = () => over(reject, new KbusError('ETIMEDOUT', `open ${where}: no answer in ${limit} ms`));
    const timer = limit < 2 ** 31 ? setTimeout(late, limit) : undefined;
    const attempt = () => {
      socket = net.createConnection({ path: where });
      socket.once('error', (e) => {
        if (isOver) return; // it was tried, and then given up
        if (e.code !== 'EAGAIN') over(reject, failed(where, e));
        else if (Date.now() >= deadline) late();
        else again = setTimeout(attempt, AGAIN);
      });
      socket.once('connect', () => {
        socket.removeAllListeners('error');
        over(resolve, new UnixTransport(socket));
      });
    };
    attempt();
  });
}
