// Pages in a real browser, and what tests ask of them. Waiting is for what is to be seen; the browser's own limit ends it.

import assert from 'node:assert/strict';
import { after } from 'node:test';
import { Stage, browser } from './stage.js';

let shared;

/** staged gives a test a stage and a way to open pages, and clears both away. */
export async function staged(t) {
  shared ??= browser();
  const stage = new Stage();
  const contexts = [];
  t.after(async () => {
    await Promise.all(contexts.map((c) => c.close()));
    await stage.end();
  });
  const open = async (url, options = {}) => {
    const context = await (await shared).newContext({ viewport: { width: 1280, height: 800 }, ...options });
    contexts.push(context);
    context.setDefaultTimeout(60_000); // on a machine that does much else
    const page = await context.newPage();
    page.complaints = [];
    page.on('console', (m) => m.type() === 'error' && page.complaints.push(m.text()));
    page.on('pageerror', (e) => page.complaints.push(String(e)));
    await page.goto(url);
    return page;
  };
  return { stage, open };
}

after(async () => (await shared)?.close());

/** sees waits until an element has a text, and gives it. */
export async function sees(page, selector, text) {
  const found = page.locator(selector, text === undefined ? {} : { hasText: text }).first();
  await found.waitFor({ state: 'visible' });
  return found;
}

/** gone waits until no element has it. */
export async function gone(page, selector, text) {
  await page.waitForFunction(([s, source]) => ![...document.querySelectorAll(s)].some((e) => new RegExp(source).test(e.textContent)), [selector, text.source]);
}

/** fitsAcross asserts that nothing has to be scrolled sideways. */
export async function fitsAcross(page) {
  const wide = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide[0] <= wide[1], `the page is ${wide[0]} wide, and there is room for ${wide[1]}`);
}

/** quiet asserts that the browser had nothing to complain of: an error, or something that the policy forbids. */
export function quiet(page) {
  assert.deepEqual(page.complaints, []);
}

/** inked is for the page: whether something swims in the first bowl, or nothing does. */
export function inked(want) {
  const c = document.querySelector('.bowl canvas');
  return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v !== 0) === want;
}
