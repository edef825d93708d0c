// What a Ksock remembers of itself, to be as it was when it is opened anew after the loss of its bus: its bindings in their
// order, and its settings. It never finds its way back by itself: only the program knows what the loss means to it.

import { KbusError } from './conditions.js';
import * as layout from './layout.js';
import { shown } from './options.js';
import { Question } from './question.js';
import * as wire from './wire.js';

const { OPS } = wire;
const ROLES = { listener: wire.AS_LISTENER, replier: wire.AS_REPLIER, standby: wire.AS_STANDBY };
const ENDS = new Set(['ErrBusGone', 'ErrClosed', 'ETIMEDOUT']);
const encoder = new TextEncoder();

/** A name as bytes. One that is too long stays so, but fits a frame: then the bus says what is wrong. */
export function cut(name) {
  if (typeof name !== 'string' && !(name instanceof Uint8Array)) throw new TypeError(`a name is a text such as $.Lamp.Set, not ${shown(name)}`);
  return (typeof name === 'string' ? encoder.encode(name) : name).subarray(0, layout.MAX_NAME_BYTES + 1);
}

/** The question that binds. */
export const binding = (name, role) => new Question(OPS.BIND, `bind ${name}`, { arg: ROLES[role], payload: cut(name) });

/** The bindings and settings of a Ksock. */
export class Memory {
  bindings = []; // { name, role }
  maxMessages = 0; // 0 if never set
  onlyOnce = false;

  bound(name, role) {
    this.bindings.push({ name, role });
  }

  /** Whether there is such a binding. A standby is one of a Replier. */
  has(name, replier) {
    return this.#newest(name, replier) >= 0;
  }

  /** The newest such binding is gone. */
  unbound(name, replier) {
    const at = this.#newest(name, replier);
    if (at >= 0) this.bindings.splice(at, 1);
  }

  #newest(name, replier) {
    return this.bindings.findLastIndex((b) => b.name === name && (b.role !== 'listener') === replier);
  }

  /** Makes everything again with ask, on another connection. Gives what was bound, and what could not be; changes nothing here. */
  async restore(ask) {
    if (this.maxMessages > 0) await ask(new Question(OPS.MAX_MESSAGES, 'limit of the queue', { arg: this.maxMessages }));
    if (this.onlyOnce) await ask(new Question(OPS.ONLY_ONCE, 'only once', { arg: 1 }));
    const [bound, failed] = [[], []];
    for (const { name, role } of [...this.bindings]) {
      try {
        await ask(binding(name, role));
        bound.push({ name, role });
      } catch (error) {
        if (!(error instanceof KbusError) || ENDS.has(error.condition || error.code)) throw error; // it was given up, or there is no bus
        failed.push({ name, role, error });
      }
    }
    return { bound, failed };
  }
}
