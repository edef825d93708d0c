// What docs/javascript.md shows is true: its programs run as they stand and print what they say. Those for pages are performed by
// chromium.test.js.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { Program, ROOT, unix } from './world.js';

const page = fs.readFileSync(`${ROOT}docs/javascript.md`, 'utf8');
const programs = [...page.matchAll(/^```js\n(.*?)^```/gms)].map(([, program]) => program);

test('there are programs', () => assert.ok(programs.length >= 3));

for (const program of programs) {
  test(program.split('\n').slice(2, 4).join(' '), async (t) => {
    const { dir, env } = await unix.start(t);
    fs.mkdirSync(path.join(dir, 'node_modules'));
    fs.symlinkSync(path.join(ROOT, 'bindings/js'), path.join(dir, 'node_modules/kbus'));
    fs.writeFileSync(path.join(dir, 'program.mjs'), program);
    const running = new Program(t, process.execPath, [path.join(dir, 'program.mjs')], { env });
    const expected = [...program.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map(([, text]) => text);
    assert.ok(expected.length > 0);
    for (const text of expected) assert.equal(await running.line(), text);
    assert.deepEqual(await running.gone, [0, null], running.said);
  });
}
