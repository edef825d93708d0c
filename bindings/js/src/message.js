// Messages. A Message is a value: nothing else refers to it, and sending it changes nothing in it.

import * as layout from './layout.js';
import { optionsOf, word } from './options.js';
import * as trace from './trace.js';

const { ID, REPLY, TO, FROM, ORIG_FROM, FINAL_TO, FLAGS } = layout;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NOBODY = { network: 0, local: 0 };
const NO_ID = { network: 0, serial: 0 };
const WORDS = [
  [layout.WANT_A_REPLY, 'REQ'], [layout.WANT_YOU_TO_REPLY, 'YOU'], [layout.SYNTHETIC, 'SYN'], [layout.URGENT, 'URG'],
  [layout.ALL_OR_FAIL, 'aFL'], [layout.ALL_OR_WAIT, 'aWT'],
];

/** What a message carries, as bytes of its own. */
function bytesOf(data) {
  if (data === null || data === undefined) return new Uint8Array(0);
  if (typeof data === 'string') return encoder.encode(data);
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  throw new TypeError(`the data of a message is a string, bytes or null, not ${typeof data}`);
}

const FIELDS = ['flags', 'to', 'inReplyTo', 'trace', 'id', 'from', 'origFrom', 'finalTo'];

/** What is said of a message beside its name and data. */
const fieldsOf = (fields) => optionsOf('message', fields, FIELDS);

/** A message of any kind; what it is follows from its content. index.d.ts tells what its fields mean. */
export class Message {
  #parts;

  constructor(name, data = null, fields = {}) {
    if (typeof name !== 'string' || !name.startsWith('$.') || name.length < 3) {
      throw new TypeError(`the name of a message begins with "$." and a word, as in $.Lamp.Set, and is not ${JSON.stringify(name)}`);
    }
    const { id = NO_ID, inReplyTo = NO_ID, to = 0, from = 0, origFrom = NOBODY, finalTo = NOBODY, flags = 0, trace: context } = fieldsOf(fields);
    const numbers = [
      word('id', id.network), word('id', id.serial), word('inReplyTo', inReplyTo.network), word('inReplyTo', inReplyTo.serial),
      word('to', to), word('from', from), word('origFrom', origFrom.network), word('origFrom', origFrom.local),
      word('finalTo', finalTo.network), word('finalTo', finalTo.local), 0, word('flags', flags),
    ];
    this.#parts = { numbers, name: encoder.encode(name), data: bytesOf(data), missed: 0, trace: trace.toBytes(context) };
  }

  /** The message with exactly those parts. */
  static fromParts(parts) {
    const made = new Message('$.x');
    made.#parts = parts;
    return made;
  }

  /** What the message consists of. */
  get parts() {
    return this.#parts;
  }

  #pair(at, second) {
    const [network, other] = this.#parts.numbers.slice(at, at + 2);
    return network === 0 && other === 0 ? null : { network, [second]: other };
  }

  get name() {
    return decoder.decode(this.#parts.name);
  }

  get data() {
    return this.#parts.data;
  }

  get text() {
    return decoder.decode(this.#parts.data);
  }

  get id() {
    return this.#pair(ID, 'serial');
  }

  get inReplyTo() {
    return this.#pair(REPLY, 'serial');
  }

  get to() {
    return this.#parts.numbers[TO];
  }

  get from() {
    return this.#parts.numbers[FROM];
  }

  get origFrom() {
    return this.#pair(ORIG_FROM, 'local');
  }

  get finalTo() {
    return this.#pair(FINAL_TO, 'local');
  }

  get flags() {
    return this.#parts.numbers[FLAGS];
  }

  get missed() {
    return this.#parts.missed;
  }

  get trace() {
    return trace.fromBytes(this.#parts.trace);
  }

  #has(flag) {
    return (this.flags & flag) !== 0;
  }

  get isRequest() {
    return this.#has(layout.WANT_A_REPLY);
  }

  get isReply() {
    return this.inReplyTo !== null;
  }

  get isSynthetic() {
    return this.#has(layout.SYNTHETIC);
  }

  get wantsUsToReply() {
    return this.#has(layout.WANT_YOU_TO_REPLY);
  }

  get kind() {
    if (this.isReply) return this.name.startsWith(layout.STATUS_PREFIX) ? 'Status' : 'Reply';
    return this.isRequest ? 'Request' : 'Announcement';
  }

  toString() {
    const words = [];
    const add = (label, value) => value && words.push(`${label}=${value}`);
    const pair = (p) => p && `${p.network}:${p.serial ?? p.local}`;
    add('id', pair(this.id));
    add('to', this.to);
    add('from', this.from);
    add('origFrom', pair(this.origFrom));
    add('finalTo', pair(this.finalTo));
    add('inReplyTo', pair(this.inReplyTo));
    add('flags', WORDS.filter(([flag]) => this.#has(flag)).map(([, w]) => w).join(','));
    if (this.data.length > 0) words.push(`data=${JSON.stringify(this.text)}`);
    return `<${[`${this.kind} '${this.name}'`, ...words].join(', ')}>`;
  }
}

/** A message to all Listeners of its name, which needs no answer. */
export function announcement(name, data = null, fields = {}) {
  const { flags = 0 } = fieldsOf(fields);
  if (flags & layout.WANT_A_REPLY) throw new TypeError('an Announcement does not want a Reply: make a request()');
  return new Message(name, data, fields);
}

/** A message that its Replier must answer. */
export function request(name, data = null, fields = {}) {
  const said = fieldsOf(fields);
  return new Message(name, data, { ...said, flags: (word('flags', said.flags ?? 0) | layout.WANT_A_REPLY) >>> 0 });
}

/** A Request to the very Ksock that sent an earlier Reply, or that an earlier stateful Request was for. */
export function statefulRequest(earlier, name, data = null, fields = {}) {
  if (earlier.isReply) return request(name, data, { ...fields, to: earlier.from, finalTo: earlier.origFrom ?? NOBODY });
  if (earlier.isRequest && earlier.to !== 0) return request(name, data, { ...fields, to: earlier.to, finalTo: earlier.finalTo ?? NOBODY });
  throw new TypeError(`${earlier} is neither a Reply nor a stateful Request`);
}

/** The Reply to a Request that we were given to answer. */
export function replyTo(asked, data = null, fields = {}) {
  if (!asked?.wantsUsToReply) throw new TypeError(`${asked} does not want us to reply`);
  return new Message(asked.name, data, { trace: asked.trace, ...fields, inReplyTo: asked.id, to: asked.from });
}

const MOST_FAILURE_BYTES = 1000;

/** The Status that tells who asked that we cannot answer, and why. */
export function failureOf(asked, why) {
  const { inReplyTo, to } = replyTo(asked);
  let text = encoder.encode(why).subarray(0, MOST_FAILURE_BYTES);
  while (text.length > 0 && encoder.encode(decoder.decode(text)).length > text.length) text = text.subarray(0, -1); // a whole character
  return new Message(layout.FAILED, text, { inReplyTo, to, trace: asked.trace });
}
