// A connection carries what a core has to say over a transport, and lets callers wait for their answers.
//
// A transport is an object with send(list of bytes), end(patience), a promise for the end of both directions, and abort(). It
// calls onBytes(bytes) and onEnd(why, condition), which are set here.

import { onAbort } from './aborting.js';
import { BUS_GONE, CLOSED, KbusError } from './conditions.js';

/** Waits for a promise; not after limit milliseconds, nor when the signal is aborted. It is as perform. */
export function within(promise, { signal = null, limit = Infinity } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let timer;
    const over = (settle) => (value) => {
      clearTimeout(timer);
      leave();
      settle(value);
    };
    const leave = onAbort(signal, () => over(reject)(signal.reason));
    if (limit < 2 ** 31) {
      timer = setTimeout(() => over(reject)(new KbusError('ETIMEDOUT', 'reopen: an earlier one is not over yet')), limit);
    }
    promise.then(over(resolve), over(reject));
  });
}

/** One connection. */
export class Connection {
  #core;
  #transport;
  #willFlush = false;

  constructor(core, transport) {
    this.#core = core;
    this.#transport = transport;
    transport.onBytes = (bytes) => {
      core.feed(bytes);
      if (core.lost) transport.abort();
      this.#flush();
    };
    transport.onEnd = (why, condition = BUS_GONE) => core.end(condition, why);
  }

  /**
   * Asks with how (a method of the core) and waits until the question is done. After limit milliseconds, or when the signal is
   * aborted, the question is given up: the promise is rejected with a KbusError ETIMEDOUT, or with the signal's reason.
   */
  perform(question, { how = 'ask', signal = null, limit = Infinity } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      let timer;
      let leave = () => {};
      const over = () => {
        clearTimeout(timer);
        leave();
      };
      const giveUp = (reason) => {
        over();
        this.#core.giveUp(question);
        this.#flush();
        reject(reason);
      };
      question.tell = () => {
        over();
        resolve(question);
      };
      this.#core[how](question);
      if (!question.done) {
        leave = onAbort(signal, () => giveUp(signal.reason));
        if (limit < 2 ** 31) { // longer is for ever, for timers
          timer = setTimeout(() => giveUp(new KbusError('ETIMEDOUT', `${question.what}: no ${question.wants} in ${limit} ms`)), limit);
        }
      }
      this.#flushSoon();
    }).then((asked) => {
      asked.check();
      return asked;
    });
  }

  /** What is asked in one turn of the program's loop travels together. */
  #flushSoon() {
    if (this.#willFlush) return;
    this.#willFlush = true;
    queueMicrotask(() => this.#flush());
  }

  #flush() {
    this.#willFlush = false;
    const out = this.#core.takeOut();
    if (out.length > 0) this.#transport.send(out);
  }

  /** Closes, and waits until the other side has taken note, or patience milliseconds. */
  async close(patience) {
    this.#flush();
    this.#core.forget();
    this.#core.end(CLOSED);
    this.#core.why = CLOSED; // also if the bus was lost before
    this.#core.inbox = [];
    await this.#transport.end(patience);
  }
}
