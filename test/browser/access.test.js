// The page for everybody: a small screen, the dark, the keyboard, a screen reader, less motion.

import test from 'node:test';
import assert from 'node:assert/strict';
import { axe } from './stage.js';
import { fitsAcross, gone, quiet, sees, staged } from './pages.js';

/** busy is a bus with something of everything: a Replier that owes an answer, a full queue, one that sends, one that goes. */
async function busy(t, options) {
  const { stage, open } = await staged(t);
  await stage.daemon();
  const { url } = await stage.web();
  const page = await open(url, options);
  const display = stage.listener('display-with-a-very-long-name', '$.Ticker.With.A.Very.Long.Name.That.Goes.On', '--queue', '1');
  const prices = stage.replier('prices', '$.Price', '--with', '12');
  await sees(page, '.fish', 'display-with');
  await sees(page, '.fish', 'prices');
  await sees(page, '.name', '$.Ticker.With.A.Very.Long.Name.That.Goes.On'); // they are bound, too
  await sees(page, '.name', '$.Price');
  display.child.kill('SIGSTOP');
  prices.child.kill('SIGSTOP');
  stage.sender('till', '$.Price', true).write('apples');
  const sender = stage.sender('feed', '$.Ticker.With.A.Very.Long.Name.That.Goes.On');
  for (let i = 0; i < 4; i++) sender.write('x'.repeat(400));
  await sees(page, '.fish.bad', 'owes');
  await sees(page, '.fish.bad', 'queue full');
  return { stage, page, url };
}

test('at 360 pixels nothing has to be scrolled sideways', async (t) => {
  const { page } = await busy(t, { viewport: { width: 360, height: 740 } });
  await fitsAcross(page);
  await (await sees(page, '.fish.bad', 'display')).click();
  await sees(page, '#details-title');
  await fitsAcross(page);
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByText('Legend').click();
  await fitsAcross(page);
  await page.getByText('Legend').click();
  await page.getByRole('button', { name: 'Pause' }).click();
  await fitsAcross(page);
  await page.getByRole('button', { name: 'Table' }).click();
  await sees(page, 'table');
  await fitsAcross(page);
  quiet(page);
});

test('where there is little room names keep their ends, by which they differ, and fish their numbers', async (t) => {
  const { stage, open } = await staged(t);
  await stage.daemon(2);
  const { url } = await stage.web();
  const page = await open(url);
  const ends = ['$.Temperature.In.The.Large.Kitchen', '$.Temperature.In.The.Large.Garage'];
  for (const name of ends) stage.listener('a-long-long-name', name);
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 800 });
    for (const name of ends) {
      const left = await (await sees(page, '.name', name)).evaluate((e) => {
        const [shown, whole] = ['.text', 'bdi'].map((s) => e.querySelector(s).getBoundingClientRect());
        return [shown.width, shown.right - whole.right];
      });
      assert.ok(left[0] > 80 && Math.abs(left[1]) < 1, `${name} at ${width}: ${left}`);
    }
    await sees(page, '.fish', /a-long-long-nam/);
    const cut = await page.locator('.fish .number').evaluateAll((all) => all.filter((e) => e.getBoundingClientRect().right > e.closest('.fish').getBoundingClientRect().right).length);
    assert.equal(cut, 0, `at ${width}`);
  }
  quiet(page);
});

test('light and dark: as the system has it, or as the switch says, and that is remembered', async (t) => {
  const { stage, open } = await staged(t);
  await stage.daemon();
  const { url } = await stage.web();
  const page = await open(url, { colorScheme: 'light' });
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await back();
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await back();
  assert.notEqual(dark, light);
  const button = page.getByRole('button', { name: 'Dark' });
  await page.getByRole('button', { name: 'Dark', pressed: true }).waitFor(); // the page hears of it a little later than its style
  await button.click();
  assert.equal(await back(), light);
  await page.reload();
  assert.equal(await back(), light);
  await button.click();
  assert.equal(await back(), dark);
  quiet(page);
});

test('the keyboard reaches a fish, opens it, and returns to it', async (t) => {
  const { page } = await busy(t);
  const focus = () => page.evaluate(() => document.activeElement.className);
  for (let i = 0; i < 60 && !/\bfish\b/.test(await focus()); i++) await page.keyboard.press('Tab');
  assert.match(await focus(), /\bfish\b/);
  const label = await page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press('Enter');
  await sees(page, '#details-title');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'details-title');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'close');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#details').isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement.textContent.match(/^\S+ \d+/)[0]), label.match(/^\S+ \d+/)[0]);
  await page.locator('#moment').focus();
  await page.keyboard.press('ArrowLeft');
  await sees(page, '#when', 'ago');
  await page.getByRole('button', { name: 'Now', exact: true }).focus();
  await page.keyboard.press('Space');
  await sees(page, '#when', 'now');
});

test('the table says what the picture shows, and leads to the same details', async (t) => {
  const { page } = await busy(t);
  await page.getByRole('button', { name: 'Table' }).click();
  const row = await sees(page, 'tr.bad', 'prices');
  assert.match((await row.locator('td').allTextContents()).join(' | '), /^\d.* \| [01] of 100 \| 0 \| 0 \| 1 \| /);
  await sees(page, 'tr', '$.Price');
  await sees(page, 'caption', 'Ksocks of bus 0');
  assert.equal(await page.locator('.bowl').isVisible(), false);
  const button = row.getByRole('button');
  await button.focus();
  await page.keyboard.press('Enter');
  await sees(page, '#details-title', 'prices');
  await sees(page, '#details-body', 'Owes');
  quiet(page);
});

test('a screen reader is told how it stands', async (t) => {
  const { page } = await busy(t);
  assert.equal(await page.locator('#summary').getAttribute('aria-live'), 'polite');
  await page.waitForFunction(() => /^Bus 0: \d+ Ksocks?, .* messages a second\. /.test(document.getElementById('summary').textContent));
});

test('who wants less motion has none', async (t) => {
  const { stage, page } = await busy(t, { reducedMotion: 'reduce' });
  await page.evaluate(() => {
    globalThis.drawn = 0;
    const { fill } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fill = function (...args) {
      globalThis.drawn++;
      return fill.apply(this, args);
    };
  });
  const hand = stage.sender('hand', '$.Lamp.On');
  await sees(page, '.fish', 'hand');
  hand.write('1');
  await sees(page, '.name.busy', '$.Lamp.On');
  hand.write('2');
  await (await sees(page, '.name', '$.Lamp.On')).click();
  await sees(page, '#details-body pre', '2');
  assert.equal(await page.evaluate(() => globalThis.drawn), 0);
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
});

for (const [width, colorScheme] of [[1280, 'light'], [1280, 'dark'], [360, 'light'], [360, 'dark']]) {
  test(`axe finds nothing at ${width} pixels, ${colorScheme}`, async (t) => {
    const { page } = await busy(t, { viewport: { width, height: 800 }, colorScheme, reducedMotion: 'reduce' });
    await page.evaluate(axe());
    const check = async (what) => {
      const found = await page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120) + n.failureSummary).join(' ')}`), [], what);
    };
    await check('the picture');
    await (await sees(page, '.fish.bad', 'prices')).click();
    await sees(page, '#details-body', 'Owes');
    await check('the details');
    await page.keyboard.press('Escape');
    await gone(page, '#details:not([hidden]) h2', /./);
    await page.getByRole('button', { name: 'Table' }).click();
    await sees(page, 'table');
    await check('the table');
  });
}
