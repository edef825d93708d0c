// Serving: whatever a handler throws is told who asked, and a Ksock serves again what it is bound to.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NoReply, announcement, request } from '../src/node.js';
import { event, unix } from './world.js';

/** Ksocks of a server, of a client, and one that is closed. */
async function three(t) {
  const world = await unix.start(t);
  const [server, client, closed] = [await world.open(), await world.open(), await world.open()];
  await closed.close();
  return { world, server, client, closed };
}

/** Serves on server; stop() stops it, and over is the promise of serve. */
async function serving(server, handlers, options = {}) {
  const [stop, bound] = [new AbortController(), event()];
  const over = server.serve(handlers, { ...options, signal: stop.signal, onBound: bound.happened });
  await Promise.race([bound.promise, over]);
  return { stop: () => stop.abort(), over };
}

/** What becomes of a Request. One that is never answered fails by its limit of time. */
const outcome = (client, name) => client.call(request(name), { timeout: 10000 })
  .then((m) => m.text, (e) => (e instanceof NoReply ? e.message : `not answered: ${e.message}`));

const failed = (text) => `$.KBUS.Replier.Failed: ${text}`;
const systems = (code) => Object.assign(new Error(`connect ${code}`), { code });

test('whatever a handler throws is an answer, and serving goes on', async (t) => {
  const { server, client, closed } = await three(t);
  const unspeakable = { get message() { throw new Error('no text'); } };
  const cases = {
    '$.H.Nobody': [() => server.call(request('$.Nobody')), 'call $.Nobody: nobody is bound as Replier for that name'],
    '$.H.Closed': [() => closed.call(request('$.X')), 'call $.X: the Ksock is closed'],
    '$.H.Refused': [() => { throw systems('ECONNREFUSED'); }, 'connect ECONNREFUSED'],
    '$.H.Again': [() => { throw systems('EAGAIN'); }, 'connect EAGAIN'],
    '$.H.NotAvailable': [() => { throw systems('EADDRNOTAVAIL'); }, 'connect EADDRNOTAVAIL'],
    '$.H.Undefined': [() => Promise.reject(), 'undefined'],
    '$.H.Null': [() => { throw null; }, 'null'],
    '$.H.Text': [() => { throw 'only text'; }, 'only text'],
    '$.H.Symbol': [() => { throw Symbol('s'); }, 'Symbol(s)'],
    '$.H.Number': [() => { throw { message: 7 }; }, '7'],
    '$.H.Bare': [() => { throw Object.create(null); }, 'the handler failed'],
    '$.H.Unspeakable': [() => { throw unspeakable; }, 'the handler failed'],
    '$.H.Data': [() => ({ no: 'data' }), 'the data of a message is a string, bytes or null, not object'],
    '$.H.NoReply': [() => request('$.Nobody'), 'send $.Nobody: nobody is bound as Replier for that name'],
    '$.H.Long': [() => 'x'.repeat(500000), /500000 bytes/],
  };
  const handlers = Object.fromEntries(Object.entries(cases).map(([name, [handler]]) => [name, handler]));
  const told = [];
  const { stop, over } = await serving(server, { ...handlers, '$.H.Fine': () => 'fine' }, { onError: (e, m) => told.push(m.name) });
  for (const [name, [, text]] of Object.entries(cases)) {
    const got = await outcome(client, name);
    if (text instanceof RegExp) assert.match(got, text);
    else assert.equal(got, failed(text), name);
  }
  assert.equal(await outcome(client, '$.H.Fine'), 'fine');
  assert.deepEqual(told, Object.keys(cases));
  assert.equal(await server.numUnreplied(), 0);
  stop();
  await over;
});

test('what is no Request may fail as it likes', async (t) => {
  const { server, client, closed } = await three(t);
  await server.bind('$.News');
  const { stop, over } = await serving(server, { '$.A': () => 'fine' }, { otherwise: () => closed.call(request('$.X')) });
  await client.send(announcement('$.News'));
  assert.equal(await outcome(client, '$.A'), 'fine');
  stop();
  await over;
});

test('an answer that comes too late is no matter', async (t) => {
  const { server, client } = await three(t);
  const errors = [];
  const { stop, over } = await serving(server, {
    '$.Twice': async (m) => {
      await server.reply(m, 'first');
      return 'second';
    },
  }, { onError: (e) => errors.push(e) });
  for (let i = 0; i < 2; i++) assert.equal(await outcome(client, '$.Twice'), 'first');
  assert.deepEqual(errors, []);
  stop();
  await over;
});

test('the loss of its bus ends serving, in a handler too', async (t) => {
  const { world, server, client } = await three(t);
  const { over } = await serving(server, { '$.A': () => server.receive() });
  const ended = assert.rejects(over, { condition: 'ErrBusGone' });
  const asked = outcome(client, '$.A');
  while (await server.numUnreplied() === 0);
  await world.kbusd.kill();
  await ended;
  assert.equal(await asked, '$.KBUS.Bus.GoneAway');
});

test('what was stopped is served again', async (t) => {
  const { server, client } = await three(t);
  for (const answer of ['one', 'two', 'three']) {
    const { stop, over } = await serving(server, { '$.A': () => answer, '$.B.*': () => answer });
    assert.equal(await outcome(client, '$.A'), answer);
    assert.equal(await outcome(client, '$.B.C'), answer);
    stop();
    await over;
  }
});

test('what reopen() has bound again is served again', async (t) => {
  const { world, server } = await three(t);
  const { over } = await serving(server, { '$.A': () => 'one' });
  const ended = assert.rejects(over, { condition: 'ErrBusGone' });
  await world.kbusd.kill();
  await ended;
  await world.again();
  assert.deepEqual((await server.reopen()).bound, [{ name: '$.A', role: 'replier' }]);
  const again = await serving(server, { '$.A': () => 'two' });
  assert.equal(await outcome(await world.open(), '$.A'), 'two');
  again.stop();
  await again.over;
});

test('who is bound as Listener only, or was unbound, is bound; who stands by serves when it is his turn', async (t) => {
  const { world, server, client } = await three(t);
  await server.bind('$.A');
  await server.bindReplier('$.A');
  await server.unbind('$.A', { replier: true });
  const first = await world.open();
  await first.bindReplier('$.B');
  await server.standBy('$.B');
  const { stop, over } = await serving(server, { '$.A': () => 'a', '$.B': () => 'b' });
  assert.equal(await outcome(client, '$.A'), 'a');
  await first.close();
  assert.equal(await outcome(client, '$.B'), 'b');
  stop();
  await over;
});

test('a name that another has is refused', async (t) => {
  const { server, client } = await three(t);
  await client.bindReplier('$.A');
  await assert.rejects(server.serve('$.A', () => {}), { condition: 'ErrReplierBound' });
});
