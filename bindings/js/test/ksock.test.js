// Ksocks on a real bus, by each way that there is.

import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';

import {
  ALL_OR_WAIT, KbusError, NoReply, REPLY_LATER, announcement, open, replyTo, request, statefulRequest,
} from '../src/node.js';
import { HERE, Program, event, stop, unix, web } from './world.js';

const ways = [unix, web];

const fails = (condition) => (e) => e instanceof KbusError && e.condition === condition;
const status = (name) => (e) => e instanceof NoReply && e.status.name === name;

for (const way of ways) {
  describe(`through ${way.name}`, () => {
    test('a conversation', async (t) => {
      const { open: start } = await way.start(t);
      const [lamp, hand] = [await start(), await start()];
      await hand.bind('$.Lamp.*');
      const sent = await lamp.send(announcement('$.Lamp.Is', 'off'));
      assert.deepEqual([sent.reached, sent.skipped], [1, 0]);
      assert.deepEqual(await lamp.lastSent(), sent.id);
      const heard = await hand.receive();
      assert.deepEqual([heard.name, heard.text, heard.from, heard.id], ['$.Lamp.Is', 'off', lamp.id, sent.id]);
      assert.equal(await hand.next(), null);
      await hand.unbind('$.Lamp.*');

      await lamp.bindReplier('$.Lamp.Set');
      assert.equal(await hand.findReplier('$.Lamp.Set'), lamp.id);
      const answer = hand.call(request('$.Lamp.Set', 'on'), { timeout: 60000 });
      const asked = await lamp.receive();
      assert.equal(await lamp.numUnreplied(), 1);
      await lamp.reply(asked, 'done');
      assert.equal((await answer).text, 'done');
      const again = assert.rejects(hand.call(statefulRequest(await answer, '$.Lamp.Set', 'off')),
        (e) => status('$.KBUS.Replier.Failed')(e) && e.message.includes('it is broken'));
      await lamp.fail(await lamp.receive(), 'it is broken');
      await again;
    });

    test('what is refused has a condition, an errno and a text', async (t) => {
      const { open: start } = await way.start(t);
      const ksock = await start();
      await assert.rejects(ksock.call(request('$.Nobody')), (e) => fails('ErrNoReplier')(e) && e.code === 'EADDRNOTAVAIL' && e.errno === 99);
      await assert.rejects(ksock.bind('$.!'), fails('ErrBadName'));
      await assert.rejects(ksock.bind('$.A', { replier: true }).then(() => ksock.bindReplier('$.A')), fails('ErrReplierBound'));
      await assert.rejects(ksock.unbind('$.B'), fails('ErrNotBound'));
      await assert.rejects(ksock.send(announcement(`$.${'x'.repeat(2000)}`)), fails('ErrNameTooLong'));
      await assert.rejects(ksock.send(announcement('$.A', new Uint8Array(500000))), (e) => fails('ErrMessageTooLong')(e) && e.message.includes('500000'));
      await assert.rejects(ksock.call(announcement('$.A')), TypeError);
      const most = await ksock.maxMessageSize() - 92 - 8;
      await ksock.bind('$.Long');
      await ksock.send(announcement('$.Long', new Uint8Array(most)));
      assert.equal((await ksock.receive()).data.length, most);
    });

    test('a trace context goes with a message, and from a Request to its Reply', async (t) => {
      const { open: start } = await way.start(t);
      const [asks, answers] = [await start(), await start()];
      await answers.bind('$.A');
      const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
      const all = [null, { parent, state: '' }, { parent, state: 'a=b' }, null, { parent: 'p'.repeat(128), state: 's'.repeat(512) }, null];
      for (const trace of all) {
        await asks.send(announcement('$.A', 'data', { trace, flags: 0x400 })); // a flag of the program's
        const heard = await answers.receive();
        assert.deepEqual([heard.trace, heard.text, heard.flags], [trace, 'data', 0]);
      }
      assert.throws(() => announcement('$.A', null, { trace: { parent: 'p'.repeat(129) } }), /129 bytes: 128/);
      assert.throws(() => announcement('$.A', null, { trace: { parent, state: 's'.repeat(513) } }), /513 bytes: 512/);
      await answers.bindReplier('$.R');
      for (const [fields, want] of [[{}, { parent, state: 'a=b' }], [{ trace: { parent: 'own' } }, { parent: 'own', state: '' }]]) {
        const reply = asks.call(request('$.R', null, { trace: { parent, state: 'a=b' } }), { timeout: 60000 });
        await answers.send(replyTo(await answers.receive(), null, fields));
        assert.deepEqual((await reply).trace, want);
      }
    });

    test('serving, and what a handler may give', async (t) => {
      const { open: start } = await way.start(t);
      const [server, client] = [await start(), await start()];
      const stop = new AbortController();
      const errors = [];
      const [bound, other] = [event(), event()];
      const later = event();
      const served = server.serve({
        '$.Say.*': (m) => `other ${m.text}`,
        '$.Say.Nothing': () => undefined,
        '$.Say.Bad': () => { throw new Error('no such word'); },
        '$.Say.Whole': (m) => replyTo(m, 'whole'),
        '$.Say.Later': (m) => {
          later.happened(m);
          return REPLY_LATER;
        },
      }, { signal: stop.signal, onError: (e) => errors.push(e.message), otherwise: other.happened, onBound: bound.happened });
      await bound.promise;
      const ask = async (name) => (await client.call(request(name, 'x'))).text;
      assert.equal(await ask('$.Say.This'), 'other x');
      assert.equal(await ask('$.Say.Nothing'), '');
      assert.equal(await ask('$.Say.Whole'), 'whole');
      await assert.rejects(ask('$.Say.Bad'), (e) => status('$.KBUS.Replier.Failed')(e) && e.status.text === 'no such word');
      assert.deepEqual(errors, ['no such word']);
      const answer = ask('$.Say.Later');
      await server.reply(await later.promise, 'at last');
      assert.equal(await answer, 'at last');
      await server.bind('$.Other');
      await client.send(announcement('$.Other', 'aside'));
      assert.equal((await other.promise).text, 'aside');
      stop.abort();
      await served;
    });

    test('a service is stopped while it is idle, or before it began', async (t) => {
      const { open: start } = await way.start(t);
      const ksock = await start();
      await ksock.serve('$.A', () => {}, { signal: AbortSignal.abort() });
      assert.equal(await ksock.findReplier('$.A'), null);
      const stop = new AbortController();
      await ksock.serve('$.A', () => {}, { signal: stop.signal, onBound: () => setImmediate(() => stop.abort()) });
      assert.equal(await ksock.findReplier('$.A'), ksock.id);
      await ksock.send(announcement('$.A'));
    });

    test('iteration, in order, until the signal', async (t) => {
      const { open: start } = await way.start(t);
      const ksock = await start();
      await ksock.bind('$.N');
      await Promise.all(Array.from({ length: 50 }, (_, i) => ksock.send(announcement('$.N', String(i)))));
      const stop = new AbortController();
      const seen = [];
      await assert.rejects(async () => {
        for await (const message of ksock.messages({ signal: stop.signal })) {
          if (seen.push(Number(message.text)) === 50) stop.abort();
        }
      }, { name: 'AbortError' });
      assert.deepEqual(seen, Array.from({ length: 50 }, (_, i) => i));
    });

    test('who gives up takes nothing away', async (t) => {
      const { open: start } = await way.start(t);
      const [here, there] = [await start(), await start()];
      await here.bind('$.N');
      const stop = new AbortController();
      const waiting = Array.from({ length: 10 }, (_, i) => here.receive(i % 2 ? { signal: stop.signal } : {}));
      const kept = Promise.all(waiting.filter((_, i) => i % 2 === 0));
      for (let i = 0; i < 10; i++) there.send(announcement('$.N', String(i)));
      const given = Promise.all(waiting.filter((_, i) => i % 2).map((w) => assert.rejects(w, { name: 'AbortError' })));
      stop.abort();
      await given;
      const rest = [];
      for (let i = 0; i < 5; i++) rest.push(await here.receive());
      assert.deepEqual([...await kept, ...rest].map((m) => m.text), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(String));
      await assert.rejects(here.receive({ timeout: 1 }), { code: 'ETIMEDOUT' });
    });

    test('a call that is given up is over, and with keepLateAnswer it is not', async (t) => {
      const { open: start } = await way.start(t);
      const [here, there] = [await start(), await start()];
      await there.bindReplier('$.R');
      await assert.rejects(here.call(request('$.R', '1'), { timeout: 1 }), { code: 'ETIMEDOUT' });
      await assert.rejects(here.call(request('$.R', '2'), { timeout: 1, keepLateAnswer: true }), { code: 'ETIMEDOUT' });
      for (const late of ['late 1', 'late 2']) await there.reply(await there.receive(), late);
      assert.equal((await here.receive()).text, 'late 2');
      assert.equal(await here.next(), null);
    });

    test('a full queue: what was missed is told, and who can wait waits', async (t) => {
      const { open: start } = await way.start(t);
      const [slow, fast] = [await start(), await start()];
      await slow.bind('$.N');
      assert.equal(await slow.setMaxMessages(1), 1);
      const counts = [];
      for (let i = 0; i < 3; i++) counts.push((await fast.send(announcement('$.N', String(i)))).skipped);
      assert.deepEqual(counts, [0, 1, 1]);
      await assert.rejects(fast.send(announcement('$.N', 'w', { flags: ALL_OR_WAIT })), (e) => fails('ErrPending')(e) && e.messageId.serial > 0);
      assert.equal((await fast.poll()).writable, false);
      const sent = fast.waitSent();
      assert.equal((await slow.receive()).missed, 0);
      await sent;
      assert.deepEqual([(await slow.receive()).missed, await slow.missed()], [2, 2n]);
      await fast.discard();
    });

    test('everybody who waits is told that the Ksock is closed', async (t) => {
      const { open: start } = await way.start(t);
      const [here, there] = [await start(), await start()];
      await there.bindReplier('$.R');
      const waiting = [here.receive(), here.call(request('$.R')), here.receive()];
      const ended = Promise.all(waiting.map((w) => assert.rejects(w, fails('ErrClosed'))));
      await here.lastSent();
      await here.close();
      await ended;
      await assert.rejects(here.send(announcement('$.A')), (e) => fails('ErrClosed')(e) && e.code === 'EBADF');
      await assert.rejects(here.reopen(), fails('ErrClosed'));
      await here.close();
    });

    test('the daemon is killed: each open Request has its Status, and the Ksock can be opened anew', async (t) => {
      const world = await way.start(t);
      const [here, there] = [await world.open(), await world.open()];
      await there.bindReplier('$.R');
      await here.bind('$.L');
      await here.bindReplier('$.Mine');
      await here.onlyOnce(true);
      const call = assert.rejects(here.call(request('$.R')), status('$.KBUS.Bus.GoneAway'));
      const sent = await here.send(request('$.R'));
      assert.deepEqual(await here.reopen(), { oldId: here.id, id: here.id, bound: [], failed: [] });
      await world.kbusd.kill();
      await call;
      const last = await here.receive();
      assert.deepEqual([last.name, last.inReplyTo, last.isSynthetic], ['$.KBUS.Bus.GoneAway', sent.id, true]);
      await assert.rejects(here.receive(), (e) => fails('ErrBusGone')(e) && e.code === 'ENOTCONN');
      await assert.rejects(here.reopen(), KbusError);
      await world.again();
      const other = await world.open();
      await other.bindReplier('$.Mine');
      const { bound, failed } = await here.reopen();
      assert.deepEqual(bound, [{ name: '$.L', role: 'listener' }]);
      assert.deepEqual([failed.length, failed[0].name, failed[0].error.condition], [1, '$.Mine', 'ErrReplierBound']);
      assert.equal(await here.onlyOnce(), true);
      await other.send(announcement('$.L', 'back'));
      assert.equal((await here.receive()).text, 'back');
    });

    test('a program is killed in the middle of an answer: who asked is told', async (t) => {
      const world = await way.start(t);
      const ksock = await world.open();
      const replier = new Program(t, process.execPath, [path.join(HERE, 'silent.js'), JSON.stringify(world.options)], { env: world.env });
      await replier.line('bound');
      const call = assert.rejects(ksock.call(request('$.Silent')), status('$.KBUS.Replier.Ignored'));
      await replier.line('asked');
      await replier.kill();
      await call;
    });
  });
}

test('the process behind a Ksock', async (t) => {
  const { open: start } = await unix.start(t);
  const ksock = await start();
  const peer = await ksock.peer(ksock.id);
  assert.deepEqual([peer.ksockId, peer.pid, peer.uid, peer.connected], [ksock.id, process.pid, process.getuid(), true]);
  await assert.rejects(ksock.peer(4000000), fails('ErrUnknownKsock'));
});

test('places that are none', async (t) => {
  const { dir } = await unix.start(t);
  await assert.rejects(open(`${dir}/bus7.sock`), (e) => fails('ErrNoSuchBus')(e) && e.message.includes('is kbusd running?'));
  await assert.rejects(open(`/tmp/${'x'.repeat(120)}/bus0.sock`), { code: 'ENAMETOOLONG' });
  await assert.rejects(open('@there/bus0.sock'), { code: 'EINVAL', message: /abstract/ });
  await assert.rejects(open('\0there/bus0.sock'), { code: 'EINVAL', message: /zero byte/ });
  await assert.rejects(open(-1), TypeError);
  await assert.rejects(open(0, { mode: 'x' }), TypeError);
  await assert.rejects(open(`${dir}/bus0.sock`, { signal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('limits of time that are none', async (t) => {
  const ksock = await (await unix.start(t)).open();
  await ksock.bind('$.A');
  const waits = [Infinity, undefined, 2 ** 40].map((timeout) => ksock.receive({ timeout }));
  await assert.rejects(ksock.receive({ timeout: -1 }), { code: 'ETIMEDOUT' });
  await assert.rejects(ksock.receive({ timeout: 0 }), { code: 'ETIMEDOUT' });
  await assert.rejects(ksock.receive({ timeout: NaN }), TypeError);
  await assert.rejects(ksock.receive({ timeout: 'soon' }), TypeError);
  for (const text of ['a', 'b', 'c']) await ksock.send(announcement('$.A', text));
  assert.deepEqual((await Promise.all(waits)).map((m) => m.text), ['a', 'b', 'c']);
});

test('a program that has a child is killed, and the child lives: who asked is told at once', async (t) => {
  const world = await unix.start(t);
  const ksock = await world.open();
  const replier = new Program(t, process.execPath, [path.join(HERE, 'silent.js'), '{}', 'child'], { env: world.env });
  const child = Number((await replier.line('child ')).slice(6));
  t.after(() => process.kill(child, 'SIGKILL'));
  const call = assert.rejects(ksock.call(request('$.Silent')), status('$.KBUS.Replier.Ignored'));
  await replier.line('asked');
  await replier.kill();
  await call;
  process.kill(child, 0); // it lives
});

test('a daemon that stands still: limits of time hold', async (t) => {
  const world = await unix.start(t);
  const ksock = await world.open();
  stop(world.kbusd);
  await assert.rejects(ksock.receive({ timeout: 1 }), { code: 'ETIMEDOUT' });
  await assert.rejects(ksock.call(request('$.R'), { timeout: 1 }), { code: 'ETIMEDOUT' });
  await assert.rejects(ksock.lastSent({ signal: AbortSignal.timeout(1) }), { name: 'TimeoutError' });
  await assert.rejects(world.open({ timeout: 1 }), { code: 'ETIMEDOUT' });
  world.kbusd.child.kill('SIGCONT');
  assert.equal(await ksock.numMessages(), 0);
});
