// What a person sees: programs come, talk, fall behind, go.

import test from 'node:test';
import assert from 'node:assert/strict';
import { fitsAcross, gone, inked, quiet, sees, staged } from './pages.js';

test('two programs talk: fish appear, and a click shows queue, bindings and messages', async (t) => {
  const { stage, open } = await staged(t);
  await stage.daemon();
  const { url } = await stage.web();
  const page = await open(url);
  await sees(page, '.link', 'live');
  stage.replier('clock', '$.Time', '--with', 'noon');
  await sees(page, '.fish', /^clock \d+/);
  const till = stage.sender('till', '$.Time', true);
  await sees(page, '.fish', /^till \d+/);
  till.write('what time is it?');
  await sees(page, '.name.busy', '$.Time');
  assert.equal(await page.locator('.lines .Replier').count(), 1);

  await (await sees(page, '.fish', /^clock/)).click();
  await sees(page, '#details-title', /^clock \d+$/);
  const details = page.locator('#details-body');
  await sees(page, '#details-body', '0 of 100 messages');
  await sees(page, '#details-body li', '$.Time as Replier');
  await sees(page, '#details-body pre', 'what time is it?');
  assert.equal(await page.locator('.fish.chosen').count(), 1);
  await details.getByRole('button', { name: '$.Time' }).first().click();
  await sees(page, '#details-title', '$.Time');
  await sees(page, '#details-body dd', /^1, .*each/);
  await sees(page, '#details-body pre', 'noon');

  await till.kill();
  await gone(page, '.fish', /till \d/);
  quiet(page);
});

test('a program that hangs turns red, with what is wrong, and is well again when it reads', async (t) => {
  const { stage, open } = await staged(t);
  await stage.daemon();
  const { url } = await stage.web();
  const page = await open(url);
  const display = stage.listener('display', '$.Ticker', '--queue', '5');
  await sees(page, '.fish', 'display');
  await sees(page, '.name', '$.Ticker'); // it is bound, too
  display.child.kill('SIGSTOP');
  const sender = stage.sender('feed', '$.Ticker');
  for (let i = 0; i < 9; i++) sender.write(`line ${i}`);
  const fish = await sees(page, '.fish.bad', 'queue full');
  assert.match(await fish.textContent(), /^display \d+ queue 5 of 5 queue full/);
  await fish.click();
  await sees(page, '#details-body .bad', '5 of 5 messages');
  await sees(page, '#details-body', /missed\s*4/);
  await sees(page, '.figures .bad, .figures', '4 missed');
  display.child.kill('SIGCONT');
  await gone(page, '.fish.bad', /display/);
  quiet(page);
});

test('who owes an answer, and why a send was refused', async (t) => {
  const { stage, open } = await staged(t);
  await stage.daemon();
  const { url } = await stage.web();
  const page = await open(url);
  const prices = stage.replier('prices', '$.Price', '--with', '12');
  await sees(page, '.fish', 'prices');
  await sees(page, '.name', '$.Price'); // it is bound, too
  prices.child.kill('SIGSTOP');
  stage.sender('till', '$.Price', true).write('apples');
  await (await sees(page, '.fish.bad', 'owes 1 answer')).click();
  await sees(page, '#details-body li', /\$\.Price 0:\d+ to till \d+, for/);
  stage.spawn('kbus', ['ask', '$.Nobody'], { as: 'shopper' });
  await (await sees(page, '.fish.passing', 'shopper')).click();
  await sees(page, '#details-body .refusal', 'nobody is bound as Replier for that name (ErrNoReplier)');
  await sees(page, '.figures', '1 refused');
  quiet(page);
});

test('what programs say is text, whatever it looks like', async (t) => {
  const { stage, open } = await staged(t);
  await stage.daemon();
  const { url } = await stage.web();
  const page = await open(url);
  const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  const sender = stage.sender('<b>bold', '$.Evil');
  await sees(page, '.fish', '<b>bold');
  sender.write(evil);
  await (await sees(page, '.name', '$.Evil')).click();
  await sees(page, '#details-body pre', evil);
  assert.equal(await page.locator('#details img, #details script, .fish b').count(), 0);
  assert.equal(await page.title(), 'KBUS');
  quiet(page);
});

test('the picture stands still while paused, goes back step by step, and returns to now', async (t) => {
  const { stage, open } = await staged(t);
  await stage.daemon();
  const { url } = await stage.web();
  const page = await open(url);
  stage.listener('first', '$.A');
  await sees(page, '.fish', 'first');
  await page.getByRole('button', { name: 'Pause' }).click();
  await sees(page, '#when', 'ago');
  const late = stage.listener('second', '$.B');
  const max = () => page.locator('#moment').evaluate((e) => Number(e.max));
  const then = await max();
  await page.waitForFunction((was) => Number(document.getElementById('moment').max) > was + 1500, then); // the stream goes on
  assert.equal(await page.locator('.fish', { hasText: 'second' }).count(), 0);
  await page.getByRole('button', { name: 'One step forward' }).click();
  await page.getByRole('button', { name: 'One step forward' }).click();
  await sees(page, '.fish', 'second');
  await page.getByRole('button', { name: 'Resume' }).click();
  await sees(page, '#when', 'now');
  await late.kill();
  await gone(page, '.fish', /second/);
  const back = page.getByRole('button', { name: 'One step back' });
  for (let i = 0; i < 60 && (await page.locator('.fish', { hasText: 'second' }).count()) === 0; i++) await back.click();
  await sees(page, '.fish', 'second');
  await sees(page, '#when', 'ago');
  await page.getByRole('button', { name: 'Now', exact: true }).click();
  await gone(page, '.fish', /second/);
  quiet(page);
});

test('messages swim, and none while paused', async (t) => {
  const { stage, open } = await staged(t);
  await stage.daemon();
  const { url } = await stage.web();
  const page = await open(url);
  stage.listener('lamp', '$.Lamp.*');
  const hand = stage.sender('hand', '$.Lamp.On');
  await sees(page, '.fish', 'lamp');
  await sees(page, '.fish', 'hand');
  hand.write('1');
  await page.waitForFunction(inked, true);
  await page.waitForFunction(inked, false);
  await page.getByRole('button', { name: 'Pause' }).click();
  hand.write('2');
  const then = await page.locator('#moment').evaluate((e) => Number(e.max));
  await page.waitForFunction((was) => Number(document.getElementById('moment').max) > was, then);
  assert.ok(await page.evaluate(inked, false));
  quiet(page);
});

test('a daemon that is killed and comes back, and a kbus-web that does', async (t) => {
  const { stage, open } = await staged(t);
  const daemon = await stage.daemon();
  const { web, url } = await stage.web();
  const page = await open(url);
  await sees(page, '.bus[data-up="true"]');
  const early = stage.sender('early', '$.A');
  for (const line of ['one', 'two', 'three']) early.write(line);
  await sees(page, '.name.busy', '$.A');
  await daemon.kill();
  await sees(page, '.notice', 'It cannot be seen');
  await sees(page, '.bus[data-up="false"]');
  await stage.daemon();
  await sees(page, '.notice', 'It was gone and is back');
  await web.kill('SIGTERM');
  await sees(page, '.link', /was stopped|does not answer/);
  const again = stage.spawn('kbus-web', ['web', '--listen', new URL(url).host]);
  await again.says(/the page is at/);
  await sees(page, '.link', /^live$/);
  const later = stage.sender('later', '$.A');
  await sees(page, '.fish', 'later');
  later.write('news of the second');
  await (await sees(page, '.name', '$.A')).click();
  await sees(page, '#details-body pre', 'news of the second');
});

test('who is one too many is told so', async (t) => {
  const { stage, open } = await staged(t);
  await stage.daemon();
  const { url } = await stage.web('--viewers', '1');
  const first = await open(url);
  await sees(first, '.link', 'live');
  const second = await open(url);
  await sees(second, '.link', '1 viewer looks already');
  await first.close();
  await sees(second, '.link', /^live$/);
});

test('several buses, each a bowl, side by side or one below the other', async (t) => {
  const { stage, open } = await staged(t);
  await stage.daemon(3);
  const { url } = await stage.web();
  const page = await open(url, { viewport: { width: 1920, height: 1080 } });
  for (const n of [0, 1, 2]) await sees(page, '.bus h2', `Bus ${n}`);
  const tops = () => page.locator('.bowl').evaluateAll((all) => new Set(all.map((e) => Math.round(e.getBoundingClientRect().top))).size);
  assert.equal(await tops(), 1);
  await page.setViewportSize({ width: 400, height: 800 });
  assert.equal(await tops(), 3);
  await fitsAcross(page);
  quiet(page);
});
