// Two tabs of a real browser and programs in Go talk to each other: the page and the doors of docs/javascript.md, with the
// addresses of this test in them.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';

import { Program, ROOT, daemon, directory, gateway, need } from './world.js';

const CHROMIUM = '/usr/bin/chromium';
const there = fs.existsSync(CHROMIUM);
const skip = there || process.env.CI === 'true' ? false : 'there is no chromium: apt-get install chromium';
const TOKEN = '5f2b7c1d9e8a4f60';

const page = fs.readFileSync(`${ROOT}docs/javascript.md`, 'utf8');
const shown = (kind) => page.match(new RegExp(`^\`\`\`${kind}\n(.*?)^\`\`\``, 'ms'))[1];

/** A server for the page, the package and the token; gives its origin. */
async function panel(t, html) {
  const server = http.createServer(({ url }, response) => {
    const [type, body] = url === '/' ? ['text/html', html()]
      : url === '/token' ? ['text/plain', TOKEN]
        : /^\/kbus\/src\/\w+\.js$/.test(url) ? ['text/javascript', fs.readFileSync(path.join(ROOT, 'bindings/js', url.slice(5)))]
          : [null, ''];
    response.writeHead(type === null ? 404 : 200, { 'content-type': type ?? 'text/plain' });
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  return `http://127.0.0.1:${server.address().port}`;
}

/** A daemon, kbus-web with the door, and a browser. */
async function world(t) {
  const dir = directory(t);
  const kbusd = await daemon(t, dir);
  let socket;
  const origin = await panel(t, () => shown('html').replace('https://bus.example/socket', socket));
  fs.writeFileSync(path.join(dir, 'panel.token'), TOKEN, { mode: 0o600 });
  fs.writeFileSync(path.join(dir, 'doors.toml'), shown('toml').replace('https://panel.example', origin));
  const { program, url } = await gateway(t, dir, path.join(dir, 'doors.toml'));
  socket = url;
  const browser = await need('playwright-core').chromium.launch({ executablePath: CHROMIUM, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
  t.after(() => browser.close());
  const context = await browser.newContext();
  context.setDefaultTimeout(120000);
  const kbus = (...args) => execFileSync(path.join(ROOT, 'bin/kbus'), ['--dir', dir, ...args]).toString();
  const tab = async (at = origin) => {
    const opened = await context.newPage();
    await opened.goto(at);
    return opened;
  };
  return { dir, kbusd, kbusWeb: program, socket, browser, kbus, tab };
}

/** Waits until the log of a tab has that line, and so many of the kind before it. */
const says = (tab, text, before = 0) => tab.locator('#log li', { hasText: text }).nth(before).waitFor();

test('two tabs and a service in Go', { skip }, async (t) => {
  const { dir, kbus, tab, kbusWeb } = await world(t);
  const lamp = new Program(t, path.join(ROOT, 'bin/kbus'), ['--dir', dir, 'answer', '$.Lamp.Set', '--with', 'the lamp is on']);
  const first = await tab();
  await says(first, '$.Panel.Joined'); // its own
  const second = await tab();
  await says(second, '$.Panel.Joined');
  await says(first, '$.Panel.Joined', 1);
  kbus('wait', '$.Lamp.Set');
  await second.click('#on');
  await says(second, 'the lamp is on');
  kbus('send', '$.Lamp.Is', 'on');
  await says(first, '$.Lamp.Is on');
  await says(second, '$.Lamp.Is on');
  kbus('send', '$.Door.Is', 'open'); // which a page may not hear
  await lamp.kill();
  await first.click('#on');
  await says(first, 'nobody is bound as Replier');
  assert.equal(await first.locator('li', { hasText: 'Door' }).count(), 0);

  await kbusWeb.kill();
  await says(first, 'the bus is gone');
  await says(second, 'the bus is gone');
});

/** Has a tab import the package and do something with it. */
const inTab = (tab, f, arg) => tab.evaluate(`import('/kbus/src/browser.js').then((kbus) => (${f})(kbus, ${JSON.stringify(arg)}))`);

test('one tab asks another; a tab that is closed is gone; a page of another site gets nothing', { skip }, async (t) => {
  const { tab, socket } = await world(t);
  const options = { url: socket, token: TOKEN };
  const [replier, asker] = [await tab(), await tab()];
  await inTab(replier, async ({ open }, given) => {
    globalThis.ksock = await open(0, given);
    await new Promise((onBound) => {
      globalThis.ksock.serve('$.Panel.Ask', (m) => (m.text === 'wait' ? new Promise(() => {}) : `${m.text}, says a tab`), { onBound });
    });
  }, options);
  const ask = (text) => inTab(asker, async ({ open, request }, [given, data]) => {
    const ksock = await open(0, given);
    const outcome = await ksock.call(request('$.Panel.Ask', data)).then((m) => m.text, (e) => e.message);
    await ksock.close();
    return outcome;
  }, [options, text]);
  assert.equal(await ask('yes'), 'yes, says a tab');
  const long = 'x'.repeat(200000);
  assert.equal((await ask(long)).length, long.length + ', says a tab'.length);
  const waits = ask('wait');
  await inTab(replier, async () => {
    while (await globalThis.ksock.numUnreplied() === 0);
  });
  await replier.close();
  assert.equal(await waits, '$.KBUS.Replier.Ignored');
  const refused = await inTab(asker, async ({ open }, given) => {
    const ksock = await open(0, given);
    return ksock.bind('$.*').catch((e) => [e.name, e.condition, e.errno, e.message]);
  }, options);
  assert.deepEqual(refused.slice(0, 3), ['KbusError', 'ErrDenied', 13]);
  assert.match(refused[3], /doors\.toml:1 does not allow to listen to \$\.\*$/);

  const evil = await tab(await panel(t, () => ''));
  const outcome = await inTab(evil, ({ open }, given) => open(0, given).then(() => 'open', (e) => e.condition), options);
  assert.equal(outcome, 'ErrNoSuchBus');
});
