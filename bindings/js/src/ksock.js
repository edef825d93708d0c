// The Ksock of a program: the operations of a bus as methods, each a promise. What they mean is in core.js; index.d.ts tells
// programs what each does and fails with.

import { onAbort } from './aborting.js';
import { CLOSED, KbusError, NoReply, refusal } from './conditions.js';
import { Connection, within } from './connection.js';
import { Core } from './core.js';
import * as layout from './layout.js';
import { Memory, binding, cut } from './memory.js';
import { Message, failureOf, replyTo } from './message.js';
import { optionsOf, shown, word } from './options.js';
import { Question } from './question.js';
import { serve } from './serving.js';
import * as wire from './wire.js';

const { OPS } = wire;
const PATIENCE = 5000; // milliseconds that a bus may take to say hello, or to let go

/** What can be awaited, and made to happen. */
const event = () => {
  let happened;
  const happens = new Promise((resolve) => { happened = resolve; });
  return { happens, happened };
};

/** The options of what may wait for long. */
const LIMITED = ['timeout', 'signal'];

const ASK_ONLY = 0xffffffff;

/** The value of a switch. Other numbers are for the bus to judge. */
function switched(what, on) {
  if (on === undefined) return ASK_ONLY;
  if (typeof on === 'boolean') return Number(on);
  if (typeof on === 'number') return word(what, on);
  throw new TypeError(`${what}: true, false, or nothing to ask only, not ${shown(on)}`);
}

/** TypeError for what is no message: most likely its name. */
function needMessage(what, message) {
  if (message?.parts !== undefined) return;
  const [name, not] = typeof message === 'string' ? [`'${message}'`, ''] : ['name', `, not ${shown(message)}`];
  const either = what === 'call' ? '' : ` or announcement(${name}, data)`;
  throw new TypeError(`${what}: a message is needed: request(${name}, data)${either}${not}`);
}

/** One user of a bus; made by open(). */
export class Ksock {
  #connect; // makes a transport: (limit in milliseconds, signal) => promise
  #where;
  #mode;
  #core = new Core();
  #connection = null;
  #memory = new Memory();
  #attempt = null; // the connection of a reopen() that runs
  #closing = null; // an AbortController for what reopen() waits for before it has one
  #left = Promise.resolve(); // kept when nothing is left of one that was given up
  #reopening = Promise.resolve(); // kept when no reopen() runs

  constructor(where, mode, connect) {
    this.#where = where;
    this.#mode = mode;
    this.#connect = connect;
  }

  /** Opens it, for open(). */
  async start(options) {
    const { core, connection } = await this.#connected(options);
    this.#core = core;
    this.#connection = connection;
    return this;
  }

  /** A connection that has been welcomed, and its core. */
  async #connected({ timeout = PATIENCE, signal = null } = {}) {
    const core = new Core();
    const began = Date.now();
    const transport = await this.#connect(timeout, signal);
    const connection = new Connection(core, transport);
    const hello = new Question(OPS.HELLO, `open ${this.#where}`, { arg: this.#mode, payload: wire.hello(wire.MARKED | wire.TRACED) });
    try {
      await connection.perform(hello, { signal, limit: Math.max(0, timeout - (Date.now() - began)) });
      const { version, features, most } = wire.welcome(hello.payload);
      if (version !== wire.VERSION) throw new KbusError('EPROTO', `open ${this.#where}: it speaks version ${version}`);
      Object.assign(core, { ksockId: hello.arg, most, features });
    } catch (e) {
      transport.abort();
      if (e instanceof wire.Malformed) throw new KbusError('EPROTO', `open ${this.#where}: ${e.message}`);
      if (e.code === 'ETIMEDOUT') throw new KbusError('ETIMEDOUT', `open ${this.#where}: no answer in ${timeout} ms`);
      throw e;
    }
    return { core, connection };
  }

  get id() {
    return this.#core.ksockId;
  }

  toString() {
    return `<Ksock ${this.#where} id ${this.id}>`;
  }

  async #ask(op, what, frame = {}, options = {}) {
    return this.#connection.perform(new Question(op, what, frame), options);
  }

  // Bindings.

  async bind(name, options = {}) {
    const { replier = false, standby = false, signal } = optionsOf('bind', options, ['replier', 'standby', 'signal']);
    await this.#bind(name, standby ? 'standby' : replier ? 'replier' : 'listener', { signal });
  }

  async bindReplier(name, options = {}) {
    await this.#bind(name, 'replier', optionsOf('bindReplier', options));
  }

  async standBy(name, options = {}) {
    await this.#bind(name, 'standby', optionsOf('standBy', options));
  }

  async #bind(name, role, options) {
    await this.#connection.perform(binding(name, role), options);
    this.#memory.bound(name, role);
  }

  async unbind(name, options = {}) {
    const { replier = false, signal } = optionsOf('unbind', options, ['replier', 'signal']);
    await this.#ask(OPS.UNBIND, `unbind ${name}`, { arg: Number(replier), payload: cut(name) }, { signal });
    this.#memory.unbound(name, replier);
  }

  async findReplier(name, options = {}) {
    const said = optionsOf('findReplier', options);
    const { arg } = await this.#ask(OPS.REPLIER, `find the Replier of ${name}`, { payload: cut(name) }, said);
    return arg || null;
  }

  // Sending.

  async send(message, options = {}) {
    return this.#sendMessage(message, optionsOf('send', options));
  }

  async #sendMessage(message, options) {
    return wire.sent((await this.#send(OPS.SEND_MESSAGE, 'send', message, options)).payload);
  }

  async call(request, options = {}) {
    const { timeout = Infinity, signal, keepLateAnswer = false } = optionsOf('call', options, ['timeout', 'signal', 'keepLateAnswer']);
    needMessage('call', request);
    if (!request.isRequest) throw new TypeError(`${request} is no Request: nobody would answer it`);
    const answered = await this.#send(OPS.CALL, 'call', request, { signal, limit: timeout }, keepLateAnswer);
    const reply = Message.fromParts(answered.parts);
    if (reply.name.startsWith(layout.STATUS_PREFIX)) throw new NoReply(reply); // of a lost bus it does not say which Request it was
    return reply;
  }

  async #send(op, verb, message, options, keep = false) {
    needMessage(verb, message);
    const { parts } = message;
    const { most } = this.#core;
    const fits = parts.name.length <= layout.MAX_NAME_BYTES && parts.data.length <= most;
    const sends = fits ? parts : { ...parts, name: cut(parts.name), data: parts.data.subarray(0, most) }; // the bus says what is wrong
    const what = `${verb} ${new TextDecoder().decode(sends.name)}`;
    const question = new Question(op, what, { payload: wire.message(sends, this.#core.features), message: sends });
    question.keep = keep;
    try {
      return await this.#connection.perform(question, options);
    } catch (e) {
      if (e.condition !== 'ErrMessageTooLong' || parts.data.length <= most) throw e;
      throw new KbusError(e.code, `${what}: its data has ${parts.data.length} bytes, ${most} are the most for a message in all`, e.condition);
    }
  }

  async reply(request, data = null, options = {}) {
    return this.#sendMessage(data instanceof Message ? data : replyTo(request, data), optionsOf('reply', options));
  }

  async fail(request, why, options = {}) {
    return this.#sendMessage(failureOf(request, why), optionsOf('fail', options));
  }

  async discard(options = {}) {
    const { signal } = optionsOf('discard', options);
    const core = this.#core;
    const waited = core.pending !== null && ((await this.#ask(OPS.POLL, 'discard', {}, { signal })).arg & 2) === 0;
    await this.#ask(OPS.DISCARD, 'discard', {}, { signal });
    core.discarded(waited);
  }

  async waitSent(options = {}) {
    const { timeout = Infinity, signal } = optionsOf('waitSent', options, LIMITED);
    await this.#ask(OPS.WAIT_SENT, 'wait until sent', {}, { signal, limit: timeout });
  }

  async lastSent(options = {}) {
    return wire.id((await this.#ask(OPS.LAST_SENT, 'last message id', {}, optionsOf('lastSent', options))).payload);
  }

  // Receiving.

  async receive(options = {}) {
    const { timeout = Infinity, signal } = optionsOf('receive', options, LIMITED);
    const question = new Question(OPS.NEXT_WAIT, 'receive');
    await this.#connection.perform(question, { how: 'receive', signal, limit: timeout });
    return Message.fromParts(question.parts);
  }

  async next(options = {}) {
    const { signal } = optionsOf('next', options);
    const question = new Question(OPS.NEXT, 'receive');
    if (this.#core.inbox.length === 0) {
      try {
        await this.#connection.perform(question, { signal });
        return question.parts === null ? null : Message.fromParts(question.parts);
      } catch (e) {
        if (e.condition !== 'ErrBusGone' || this.#core.inbox.length === 0) throw e; // else the lost bus has left something
      }
    }
    return this.receive();
  }

  async *messages(options = {}) {
    const { signal } = optionsOf('messages', options);
    for (;;) yield await this.receive({ signal });
  }

  [Symbol.asyncIterator]() {
    return this.messages();
  }

  serve(repliers, ...rest) {
    return serve(this, (name) => this.#memory.has(name, true), repliers, ...rest);
  }

  // Queue, switches, and who is there.

  async #value(op, what, number, options) {
    return (await this.#ask(op, what, { arg: number }, options)).arg;
  }

  async numMessages(options = {}) {
    return await this.#value(OPS.NUM_MESSAGES, 'number of messages', 0, optionsOf('numMessages', options)) + this.#core.inbox.length;
  }

  async numUnreplied(options = {}) {
    return this.#value(OPS.NUM_UNREPLIED, 'number of unreplied Requests', 0, optionsOf('numUnreplied', options));
  }

  async maxMessages(options = {}) {
    return this.#value(OPS.MAX_MESSAGES, 'limit of the queue', 0, optionsOf('maxMessages', options));
  }

  async setMaxMessages(limit, options = {}) {
    const said = optionsOf('setMaxMessages', options);
    const now = await this.#value(OPS.MAX_MESSAGES, 'limit of the queue', word('setMaxMessages', limit), said);
    if (limit > 0) this.#memory.maxMessages = limit;
    return now;
  }

  async onlyOnce(on, options = {}) {
    const said = optionsOf('onlyOnce', options);
    const value = switched('onlyOnce', on);
    const was = await this.#value(OPS.ONLY_ONCE, 'only once', value, said);
    if (value !== ASK_ONLY) this.#memory.onlyOnce = value === 1;
    return was === 1;
  }

  async reportReplierBinds(on, options = {}) {
    const said = optionsOf('reportReplierBinds', options);
    return await this.#value(OPS.REPORT_REPLIER_BINDS, 'report of replier binds', switched('reportReplierBinds', on), said) === 1;
  }

  async verbose(on, options = {}) {
    const said = optionsOf('verbose', options);
    return await this.#value(OPS.VERBOSE, 'verbose', switched('verbose', on), said) === 1;
  }

  async maxMessageSize(options = {}) {
    return this.#value(OPS.MAX_MESSAGE_SIZE, 'maximum message size', 0, optionsOf('maxMessageSize', options));
  }

  async setMaxMessageSize(size, options = {}) {
    const said = optionsOf('setMaxMessageSize', options);
    return this.#value(OPS.MAX_MESSAGE_SIZE, 'maximum message size', word('setMaxMessageSize', size), said);
  }

  async newBus(options = {}) {
    return this.#value(OPS.NEW_BUS, 'new bus', 0, optionsOf('newBus', options));
  }

  async poll(options = {}) {
    const ready = await this.#value(OPS.POLL, 'poll', 0, optionsOf('poll', options));
    return { readable: (ready & 1) !== 0 || this.#core.inbox.length > 0, writable: (ready & 2) !== 0 };
  }

  async missed(options = {}) {
    return wire.long((await this.#ask(OPS.MISSED, 'missed', {}, optionsOf('missed', options))).payload);
  }

  async peer(sender, options = {}) {
    const said = optionsOf('peer', options);
    const ksockId = typeof sender === 'number' ? word('peer', sender) : sender?.from;
    if (ksockId === undefined) throw new TypeError(`peer: a message or the id of a Ksock is needed, not ${shown(sender)}`);
    return { ksockId, ...wire.peer((await this.#ask(OPS.PEER, `peer ${ksockId}`, { arg: ksockId }, said)).payload) };
  }

  // The end, and a new beginning.

  async close() {
    const attempt = this.#attempt;
    this.#closing?.abort(refusal(CLOSED, 'reopen'));
    await Promise.all([this.#connection.close(PATIENCE), attempt?.close(PATIENCE)]);
  }

  [Symbol.asyncDispose ?? Symbol('asyncDispose')]() {
    return this.close();
  }

  // It is opened anew on a connection of its own, the attempt, which takes the place of the lost one when all has been made again,
  // and not before: there is nothing between a Ksock that is lost and one that is back. What was given up is hung up, and the next
  // attempt waits until the daemon has closed it, for the names that were bound there must be free again.

  async reopen(options = {}) {
    const { timeout = Infinity, signal = null } = optionsOf('reopen', options, LIMITED);
    const deadline = Date.now() + timeout;
    const limits = () => ({ signal, limit: Math.max(0, deadline - Date.now()) });
    const before = this.#reopening;
    const us = event();
    this.#reopening = before.then(() => us.happens); // for who comes next: when we are done, and all before us
    try {
      await within(before, limits());
      return await this.#reopen(limits);
    } finally {
      us.happened();
    }
  }

  #checkOpen() {
    if (this.#core.why === CLOSED) throw refusal(CLOSED, 'reopen');
  }

  /** A new connection. close() ends the waiting for it. */
  async #connectedAnew(limits) {
    const closing = new AbortController();
    const { signal: given } = limits();
    given?.throwIfAborted();
    this.#checkOpen();
    const leave = onAbort(given, () => closing.abort(given.reason));
    this.#closing = closing;
    try {
      await within(this.#left, { ...limits(), signal: closing.signal });
      const { limit } = limits();
      return await this.#connected({ signal: closing.signal, timeout: limit === Infinity ? PATIENCE : limit });
    } finally {
      this.#closing = null;
      leave();
    }
  }

  async #reopen(limits) {
    const oldId = this.id;
    try {
      await this.#connection.perform(new Question(OPS.RESET, 'reopen'), limits());
      return { oldId, id: oldId, bound: [], failed: [] };
    } catch (e) {
      if (e.condition !== 'ErrBusGone') throw e;
    }
    const { core, connection } = await this.#connectedAnew(limits);
    this.#attempt = connection;
    try {
      this.#checkOpen();
      const { bound, failed } = await this.#memory.restore((question) => connection.perform(question, limits()));
      this.#checkOpen();
      core.inbox.unshift(...this.#core.inbox); // what the old bus had still to say
      this.#core = core;
      this.#connection = connection;
      this.#memory.bindings = bound;
      return { oldId, id: this.id, bound: [...bound], failed };
    } catch (e) {
      this.#left = connection.close(Infinity);
      throw e;
    } finally {
      this.#attempt = null;
    }
  }
}
