// The package as npm makes it: what is in it, that it needs nothing, and that its types say what it has.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import * as browser from '../src/browser.js';
import * as node from '../src/node.js';
import { ROOT, directory } from './world.js';

const SOURCE = path.join(ROOT, 'bindings/js');

/** A directory in which the package is installed as npm has packed it. */
function installed(t) {
  const dir = directory(t);
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', dir], { cwd: SOURCE }));
  fs.writeFileSync(path.join(dir, 'package.json'), '{ "type": "module" }');
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', path.join(dir, packed.filename)], { cwd: dir, stdio: 'pipe' });
  return { dir, files: packed.files.map((f) => f.path) };
}

test('npm packs it, and it is installed without a network', (t) => {
  const { dir, files } = installed(t);
  const sources = fs.readdirSync(path.join(SOURCE, 'src')).map((f) => `src/${f}`);
  assert.deepEqual(files.sort(), ['index.d.ts', 'package.json', ...sources].sort());
  const made = JSON.parse(fs.readFileSync(path.join(dir, 'node_modules/kbus/package.json')));
  assert.equal(made.dependencies, undefined);
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', 'import { version } from "kbus"; console.log(version)'], { cwd: dir });
  assert.equal(said.toString().trim(), node.version);
});

test('no file that a browser loads imports anything of Node', () => {
  const seen = new Set();
  const visit = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, from] of fs.readFileSync(path.join(SOURCE, 'src', file), 'utf8').matchAll(/from '([^']+)'/g)) {
      assert.match(from, /^\.\//, `${file} imports ${from}`);
      visit(from.slice(2));
    }
  };
  visit('browser.js');
  assert.ok(seen.size > 10);
});

test('the types name what there is, in Node as in a browser', () => {
  const names = Object.keys(node).sort();
  assert.deepEqual(Object.keys(browser).sort(), names);
  const types = fs.readFileSync(path.join(SOURCE, 'index.d.ts'), 'utf8');
  const declared = [...types.matchAll(/^export (?:const|class|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(declared.sort(), names);
  const methods = [...types.slice(types.indexOf('class Ksock')).matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(([, name]) => name);
  const ours = Object.getOwnPropertyNames(node.Ksock.prototype).filter((name) => !['constructor', 'start'].includes(name));
  assert.deepEqual([...new Set(methods)].sort(), [...ours].sort());
});

test('programs in TypeScript are checked', (t) => {
  const { dir } = installed(t);
  const check = (program) => {
    fs.writeFileSync(path.join(dir, 'program.ts'), program);
    const tsc = path.join(ROOT, 'bin/js/node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom',
      'program.ts'], { cwd: dir, stdio: 'pipe' });
  };
  check(`import { KbusError, NoReply, REPLY_LATER, announcement, open, request, type Ksock, type Sent } from 'kbus';
    const ksock: Ksock = await open(0, { url: 'https://panel.example/socket', token: 'secret', signal: AbortSignal.timeout(5) });
    const sent: Sent = await ksock.send(announcement('$.A', new Uint8Array(3)));
    const missed: bigint = await ksock.missed();
    for await (const message of ksock) if (message.isRequest) await ksock.reply(message, message.text);
    void ksock.serve('$.B', async (m) => (m.text === '' ? REPLY_LATER : m.data));
    try { await ksock.call(request('$.C'), { timeout: 5 }); } catch (e) {
      if (e instanceof NoReply) e.status.name; else if (e instanceof KbusError) e.condition;
    }`);
  assert.throws(() => check('import { open } from "kbus"; (await open(0)).send("no message");'), /Command failed/);
});
