// A real daemon, a real kbus-web and real programs, for tests of the page and for its pictures. A program is kbus under another name,
// so that the page can tell them apart. Everything is ended by its own process, and nothing waits for time to pass.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const bin = resolve(root, process.env.KBUS_BIN ?? 'bin');
const installed = createRequire(join(bin, 'browser', 'package.json'));

export class Stage {
  #running = new Set();

  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), 'kbus-page-'));
  }

  /** spawn starts a program. Its lines on standard output and standard error can be waited for. */
  spawn(program, args, { as } = {}) {
    let path = join(bin, program);
    if (as) {
      path = join(this.dir, as);
      if (!existsSync(path)) symlinkSync(join(bin, program), path);
    }
    const child = spawn(path, [...args, '--dir', this.dir], { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: `${bin}:${process.env.PATH}`, HOME: this.dir } });
    const running = new Running(as ?? program, child);
    this.#running.add(running);
    running.ended.then(() => this.#running.delete(running));
    return running;
  }

  async daemon(buses = 1) {
    const daemon = this.spawn('kbusd', ['--buses', String(buses)]);
    await daemon.says(/buses are open/);
    return daemon;
  }

  /** web starts the page, and gives where it is. */
  async web(...flags) {
    const web = this.spawn('kbus-web', ['web', '--listen', '127.0.0.1:0', '--json', ...flags]);
    const [, url] = await web.says(/"url":"([^"]+)"/);
    return { web, url };
  }

  /** listener is a program that listens until it is ended; replier one that answers. When they are bound, the page shows. */
  listener(as, name, ...flags) {
    return this.spawn('kbus', ['listen', name, ...flags], { as });
  }

  replier(as, name, ...flags) {
    return this.spawn('kbus', ['answer', name, ...flags], { as });
  }

  /** sender is a program that sends what is written to it, a message a line; with asks it asks, one Request after the other. */
  sender(as, name, asks = false) {
    return this.spawn('kbus', [asks ? 'ask' : 'send', '--lines', ...(asks ? ['--wait'] : []), name], { as });
  }

  async end() {
    const all = [...this.#running];
    for (const r of all) r.child.kill('SIGKILL');
    await Promise.all(all.map((r) => r.ended));
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Running is a program that runs. */
class Running {
  #text = '';
  #waiting = [];

  constructor(name, child) {
    this.name = name;
    this.child = child;
    this.ended = new Promise((done) => child.once('close', done));
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => this.#take(text));
    child.stdin.on('error', () => {}); // it has ended: whoever waits for it is told
    this.ended.then(() => this.#waiting.forEach((w) => w.fail(new Error(`${name} ended, and never said ${w.what}: ${this.#text}`))));
  }

  #take(text) {
    this.#text = (this.#text + text).slice(-100_000);
    this.#waiting = this.#waiting.filter((w) => {
      const found = this.#text.match(w.what);
      if (found) w.done(found);
      return !found;
    });
  }

  /** says waits until it has written something. */
  says(what) {
    const found = this.#text.match(what);
    if (found) return Promise.resolve(found);
    return new Promise((done, fail) => this.#waiting.push({ what, done, fail }));
  }

  write(line) {
    this.child.stdin.write(`${line}\n`);
  }

  kill(signal = 'SIGKILL') {
    this.child.kill(signal);
    return this.ended;
  }
}

/** browser starts Chromium. As root it has no sandbox, which it would refuse. */
export function browser() {
  const { chromium } = installed('playwright-core');
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
}

/** axe is the source of axe-core. */
export function axe() {
  return installed('axe-core').source;
}
