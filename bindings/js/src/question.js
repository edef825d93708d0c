// A question to the bus, and what became of it. A question is one frame; whoever asked waits until it is done.

import { CANCELED, PENDING, refusal } from './conditions.js';
import { FLAGS, WANT_A_REPLY } from './layout.js';
import * as wire from './wire.js';

const NOTHING = new Uint8Array(0);

/** One question. */
export class Question {
  seq = 0;
  done = false;
  condition = 0; // of its answer, as the next two
  arg = 0;
  payload = NOTHING;
  failure = null; // a KbusError in place of an answer
  parts = null; // the message that it has brought
  givenUp = false; // its caller no longer waits
  keep = false; // an answer that comes too late is wanted all the same
  tell = null; // called when it is done, unless it was given up

  /** what: for errors, what failed. message: the parts that it sends. target: the question that it is about. */
  constructor(op, what, { arg = 0, payload = NOTHING, message = null, target = null } = {}) {
    this.op = op;
    this.what = what;
    this.frameArg = arg;
    this.framePayload = payload;
    this.message = message;
    this.target = target;
  }

  /** Whether what it sends is a Request. */
  get asks() {
    return this.message !== null && (this.message.numbers[FLAGS] & WANT_A_REPLY) !== 0;
  }

  /** What whoever asked waits for. */
  get wants() {
    return this.op === wire.OPS.NEXT_WAIT ? 'message' : 'answer';
  }

  /** Returns when it has succeeded; throws the KbusError that it ended in otherwise. */
  check() {
    if (this.failure !== null) throw this.failure;
    if (this.condition === 0) return;
    const silent = this.condition === PENDING || this.condition === CANCELED;
    const failed = refusal(this.condition, this.what, silent ? '' : wire.textOf(this.payload));
    if (this.condition === PENDING) failed.messageId = wire.id(this.payload);
    throw failed;
  }
}
