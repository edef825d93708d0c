// What the tests have in common: real daemons and programs of bin/, each of which ends with its test.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

import { open } from '../src/node.js';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const HERE = fileURLToPath(new URL('.', import.meta.url));

/** A module that test/js has installed. */
export const need = createRequire(path.join(ROOT, 'bin/js/package.json'));

/** A running program, whose lines the test reads. */
export class Program {
  #lines;
  said = '';

  constructor(t, command, args, { env = {}, from = 'stdout' } = {}) {
    this.child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.gone = once(this.child, 'exit');
    const other = from === 'stdout' ? 'stderr' : 'stdout';
    this.child[other].on('data', (text) => { this.said += text; });
    this.#lines = readline.createInterface({ input: this.child[from] })[Symbol.asyncIterator]();
    t.after(() => this.kill());
  }

  /** The next line that has these words. */
  async line(words = '') {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`${this.child.spawnargs.join(' ')} never said ${JSON.stringify(words)}: ${this.said}`);
      this.said += `${value}\n`;
      if (value.includes(words)) return value;
    }
  }

  /** Ends it at once, and returns when it is gone. */
  async kill(signal = 'SIGKILL') {
    this.child.kill(signal);
    await this.gone;
  }
}

/** A directory that goes with the test. Its name is short, for a socket's has at most 107 bytes. */
export function directory(t) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'kbus-js-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A daemon in a directory. */
export async function daemon(t, dir, ...args) {
  const program = new Program(t, path.join(ROOT, 'bin/kbusd'), ['--dir', dir, '--buses', '1', ...args], { from: 'stderr' });
  await program.line('buses are open');
  return program;
}

/** Has a program stand still; when this returns it does. */
export function stop({ child }) {
  child.kill('SIGSTOP');
  while (!/\) T /.test(fs.readFileSync(`/proc/${child.pid}/stat`, 'utf8')));
}

/** A promise, and what keeps it. */
export function event() {
  let happened;
  const promise = new Promise((resolve) => { happened = resolve; });
  return { promise, happened };
}

/** A way to a bus: start(t) gives a world with a daemon, and open(). */
export const unix = {
  name: 'the daemon\'s socket',
  async start(t) {
    const dir = directory(t);
    const world = { dir, kbusd: await daemon(t, dir), env: { KBUS_DIR: dir }, options: {} };
    world.again = async () => { world.kbusd = await daemon(t, dir); };
    world.open = async (options = {}) => {
      const ksock = await open(path.join(dir, 'bus0.sock'), options);
      t.after(() => ksock.close());
      return ksock;
    };
    return world;
  },
};

/** A file of doors, each with a token of its own; gives its path and the tokens. */
export function doors(dir, list) {
  const tokens = list.map(() => randomBytes(16).toString('hex'));
  const text = list.map((door, i) => {
    fs.writeFileSync(path.join(dir, `token${i}`), `${tokens[i]}\n`, { mode: 0o600 });
    return ['[[door]]', `token-file = "token${i}"`, ...Object.entries(door).map(([key, value]) => `${key} = ${JSON.stringify(value)}`)].join('\n');
  });
  fs.writeFileSync(path.join(dir, 'doors.toml'), text.join('\n'));
  return { file: path.join(dir, 'doors.toml'), tokens };
}

/** kbus-web beside a daemon; gives its address. */
export async function gateway(t, dir, file) {
  const program = new Program(t, path.join(ROOT, 'bin/kbus-web'), ['socket', '--dir', dir, '--listen', '127.0.0.1:0', '--allow', file], { from: 'stderr' });
  const said = await program.line('ws://');
  return { program, url: /ws:\S+/.exec(said)[0] };
}

const EVERYTHING = { origin: 'none', bus: [0], connections: 100, send: ['$.*'], listen: ['$.*'], request: ['$.*'], reply: ['$.*'] };

/** Through kbus-web. Node 20 has no WebSocket of its own, so it is the one of package ws. */
export const web = {
  name: 'kbus-web',
  async start(t, list = [EVERYTHING]) {
    const dir = directory(t);
    const kbusd = await daemon(t, dir);
    const { file, tokens } = doors(dir, list);
    const { program, url } = await gateway(t, dir, file);
    const options = { url, token: tokens[0] };
    const world = { dir, kbusd, kbusWeb: program, url, tokens, options, env: {} };
    world.again = async () => { world.kbusd = await daemon(t, dir); };
    world.open = async ({ door = 0, bus = 0, ...more } = {}) => {
      const ksock = await open(bus, { WebSocket: need('ws'), url, token: tokens[door], ...more });
      t.after(() => ksock.close());
      return ksock;
    };
    return world;
  },
};
