// The pictures of the page in docs: real programs talk on a real bus, and Chromium shows the page as it is. `make web-pictures` runs it.

import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Stage, browser } from './stage.js';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const most = 300_000; // bytes of a picture
const talking = 20_000; // milliseconds before the first one, for the time line

/** company starts the programs, and gives what ends their talk. */
function company(stage) {
  stage.replier('clock', '$.Time', '--with', 'noon');
  stage.replier('lamp', '$.Lamp.Set', '--with', 'done');
  stage.replier('door', '$.Door.Open', '--with', 'open');
  const prices = stage.replier('prices', '$.Price', '--with', '12');
  stage.listener('heating', '$.Temperature.*');
  stage.listener('logger', '$.Door.*');
  const display = stage.listener('display', '$.Ticker', '--queue', '20');
  const talk = [
    [stage.sender('till', '$.Time', true), 'what time is it?', 700], [stage.sender('evening', '$.Lamp.Set', true), 'on', 1300],
    [stage.sender('guard', '$.Door.Open', true), 'front', 2100], [stage.sender('thermometer', '$.Temperature.Kitchen'), '21.4', 450],
    [stage.sender('weather', '$.Temperature.Outside'), '-3.5', 900], [stage.sender('news', '$.Ticker'), 'It swims.', 600],
  ];
  const buyer = stage.sender('buyer', '$.Price', true);
  const timers = talk.map(([program, line, every]) => setInterval(() => program.write(line), every));
  return { prices, display, buyer, end: () => timers.forEach(clearInterval) };
}

async function picture(chromium, url, name, options, act = async () => {}) {
  const context = await chromium.newContext(options);
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('.fish.bad', { hasText: 'owes' }).waitFor();
  await page.waitForTimeout(name === 'web-1920' ? talking : 4000);
  await act(page);
  await page.waitForTimeout(1200);
  const path = `${docs}${name}.png`;
  await page.screenshot({ path });
  await context.close();
  execFileSync('pngquant', ['--force', '--strip', '--speed', '1', '--output', path, '256', path]);
  const { size } = statSync(path);
  console.log(`${path}: ${size} bytes`);
  if (size > most) throw new Error(`${path} has ${size} bytes, more than ${most}`);
}

const stage = new Stage();
const chromium = await browser();
try {
  await stage.daemon();
  const { url } = await stage.web();
  const { prices, display, buyer, end } = company(stage);
  const page = await chromium.newPage();
  await page.goto(url);
  for (const name of ['display', 'prices', 'heating', 'logger', 'clock']) await page.locator('.fish', { hasText: name }).waitFor();
  for (const name of ['$.Ticker', '$.Price']) await page.locator('.name', { hasText: name }).waitFor(); // they are bound, too
  await page.close();
  prices.child.kill('SIGSTOP');
  display.child.kill('SIGSTOP');
  buyer.write('apples');
  await picture(chromium, url, 'web-1920', { viewport: { width: 1920, height: 1080 }, colorScheme: 'light' });
  await picture(chromium, url, 'web-dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }, (p) => p.locator('.fish.bad', { hasText: 'prices' }).click());
  await picture(chromium, url, 'web-360', { viewport: { width: 360, height: 780 }, colorScheme: 'light' });
  end();
} finally {
  await chromium.close();
  await stage.end();
}
