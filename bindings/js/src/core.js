// The rules of a client: what a Ksock knows, what answers mean, and what is owed to its program. It has no I/O, clock or
// promise: questions and bytes go in, and bytes and questions that are done come out. A connection does the rest.
//
// What an answer means is noted when it comes, whether or not somebody still waits for it: which Requests are unanswered, and
// which messages were taken from the queue. A message that was taken for somebody who gave up is for whoever receives next, and
// waits in the inbox meanwhile. So a question may be given up at any moment, and nothing is lost.
//
// Each receiver has a NextWait of its own. When another's brings it a message first, its own is canceled: else that would take
// one more message from the queue, which would count as read though nobody has it.
//
// When the bus is lost its last word to each unanswered Request, a Status, comes behind what is in the inbox.

import { Asked } from './asked.js';
import { BUS_GONE, CANCELED, PENDING, UNKNOWN_OPERATION, refusal } from './conditions.js';
import { Cutter } from './cutter.js';
import { REPLY, TO, goneAway } from './layout.js';
import { Question } from './question.js';
import * as wire from './wire.js';

const { OPS } = wire;
const BRING_A_MESSAGE = new Set([OPS.NEXT, OPS.NEXT_WAIT, OPS.CALL]);
const CANCELABLE = new Set([OPS.NEXT_WAIT, OPS.WAIT_SENT, OPS.CALL]);

/** The books of one Ksock. */
export class Core {
  ksockId = 0;
  most = 0; // bytes that a message may have at all
  features = 0; // granted: what may follow a message
  why = 0; // the condition of everything from now on
  reason = '';
  pending = null; // the id of a Request that waits, or waited, for room
  inbox = []; // parts of messages that were taken, and that nobody has received
  #receivers = [];
  #waiting = new Map(); // questions without an answer, by sequence
  #asked = new Asked();
  #cutter = new Cutter();
  #out = [];
  #seq = 0;

  /** Whether the bus is lost: then only last words are received. */
  get lost() {
    return this.why === BUS_GONE;
  }

  /** The bytes that are to be sent, which are the caller's from then on. */
  takeOut() {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** Asks. A question to a bus that is gone is done at once. */
  ask(question) {
    do this.#seq = (this.#seq + 1) >>> 0 || 1; // 0 is for events
    while (this.#waiting.has(this.#seq));
    question.seq = this.#seq;
    if (this.why !== 0) {
      this.#fail(question);
      return;
    }
    this.#waiting.set(question.seq, question);
    this.#out.push(wire.frame(question.op, question.seq, question.frameArg, question.framePayload));
  }

  /** Asks for the next message, whichever it is. */
  receive(question) {
    if (this.inbox.length > 0) {
      question.parts = this.inbox.shift();
      this.#finish(question);
      return;
    }
    if (this.why === 0) this.#receivers.push(question);
    this.ask(question);
  }

  /** The caller no longer waits, and hears nothing more of the question. What was asked may happen all the same. */
  giveUp(question) {
    if (question.done || question.givenUp) return;
    question.givenUp = true;
    this.#receivers = this.#receivers.filter((r) => r !== question);
    if (!CANCELABLE.has(question.op)) return;
    const drops = question.op === OPS.CALL && !question.keep;
    this.ask(new Question(drops ? OPS.GIVE_UP : OPS.CANCEL, 'give up', { arg: question.seq, target: question }));
  }

  /** Nothing is wanted any more: the Ksock is closed. */
  forget() {
    this.#asked.takeAll();
  }

  /** The message that waited for room was discarded; waited: it still did. */
  discarded(waited) {
    if (waited && this.pending !== null) this.#asked.remove(this.pending);
    this.pending = null;
  }

  /** Bytes that have come, however many. What is no frame ends the connection. */
  feed(bytes) {
    try {
      this.#cutter.feed(bytes, (h, payload) => {
        this.#answered(h, payload);
        return this.why !== 0;
      });
    } catch (e) {
      if (!(e instanceof wire.Malformed)) throw e;
      this.end(BUS_GONE, `it does not speak the protocol: ${e.message}`);
    }
  }

  /** Nothing more comes: all that waits fails. */
  end(why, reason = '') {
    if (this.why !== 0) return;
    this.why = why;
    this.reason = reason;
    if (this.lost) {
      for (const id of this.#asked.takeAll()) this.#deliver(goneAway(id, this.ksockId), null);
    }
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#receivers = [];
    for (const question of waiting) {
      if (this.lost && question.op === OPS.CALL && !question.givenUp) {
        question.parts = goneAway({ network: 0, serial: 0 }, this.ksockId);
        this.#finish(question);
      } else this.#fail(question);
    }
  }

  // What answers mean.

  #answered({ op, condition, seq, arg }, payload) {
    const found = op === OPS.HELLO && seq === 0 ? 1 : seq; // 0: it was refused before it was read
    const question = op === OPS.STOPPING ? undefined : this.#waiting.get(found);
    if (question === undefined) return;
    wire.check(question.op, condition, payload, PENDING);
    const brings = condition === 0 && payload.length > 0 && BRING_A_MESSAGE.has(question.op);
    const parts = brings ? wire.parts(payload, this.features) : null; // which may throw, before anything has changed
    this.#waiting.delete(found);
    if (!question.done) Object.assign(question, { condition, arg, payload });
    this.#note(question, condition, parts, payload);
    if (parts === null) this.#finish(question);
  }

  #note(question, condition, parts, payload) {
    if (parts !== null) {
      this.#settle(parts);
      this.#brought(question, parts);
    } else if (question.op === OPS.SEND_MESSAGE && question.asks && (condition === 0 || condition === PENDING)) {
      const id = wire.id(payload);
      this.#asked.add(id);
      if (condition === PENDING) this.pending = id;
    } else if (question.op === OPS.CALL && condition === CANCELED && question.givenUp && question.keep && payload.length >= 8) {
      this.#asked.add(wire.id(payload)); // its answer comes to the queue
    } else if (question.op === OPS.GIVE_UP && condition === UNKNOWN_OPERATION) {
      this.ask(new Question(OPS.CANCEL, 'give up', { arg: question.target.seq, target: question.target }));
    } else if (question.op === OPS.NEXT_WAIT) {
      this.#receivers = this.#receivers.filter((r) => r !== question);
    }
  }

  #settle({ numbers }) {
    if (numbers[TO] === this.ksockId) this.#asked.remove({ network: numbers[REPLY], serial: numbers[REPLY + 1] });
  }

  /** A question has brought a message. The answer to a Call is for whoever called, or for nobody. */
  #brought(question, parts) {
    if (question.op === OPS.NEXT_WAIT || (question.givenUp && (question.op === OPS.NEXT || question.keep))) {
      this.#deliver(parts, question);
    } else {
      question.parts = parts;
      this.#finish(question);
    }
  }

  /** A message that was taken from the queue goes to the receiver that asked, to another, or to the inbox. */
  #deliver(parts, question) {
    const at = Math.max(0, this.#receivers.indexOf(question));
    const [receiver] = this.#receivers.splice(at, 1);
    if (receiver === undefined) {
      this.inbox.push(parts);
      return;
    }
    receiver.parts = parts;
    if (receiver !== question && this.why === 0) {
      this.ask(new Question(OPS.CANCEL, 'give up', { arg: receiver.seq, target: receiver }));
    }
    this.#finish(receiver);
  }

  #fail(question) {
    if (question.done) return;
    question.failure = refusal(this.why, question.what, this.reason);
    this.#finish(question);
  }

  #finish(question) {
    if (question.done) return;
    question.done = true;
    if (!question.givenUp) question.tell?.();
  }
}
