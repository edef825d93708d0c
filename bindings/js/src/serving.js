// Answering Requests by functions. Messages are handled one after the other, in the order of the bus. A handler may do anything
// with the Ksock, such as call on it: the Reply to that is picked out of the queue, and all else waits for its turn.

import { Message, failureOf, replyTo } from './message.js';
import { optionsOf } from './options.js';

const OPTIONS = ['signal', 'otherwise', 'onError', 'onBound'];
const LATER = Symbol('later');

/** What a handler gives for a Request to which the program replies itself, later. */
export const REPLY_LATER = LATER;

/** How the sending of a Reply fails when its Request is over, or when it waits for room. */
const MOOT = new Set(['ErrAddresseeGone', 'ErrNotExpected', 'ErrNotYoursToReply', 'ErrPending', 'ErrInterrupted']);

const ENDS = new Set(['ErrBusGone', 'ErrClosed', 'ErrWrongMode']);

/** How well a binding matches a name: the larger the better, as the bus chooses; 0 if it does not. */
function fit(binding, name) {
  const last = binding.at(-1);
  if (last !== '*' && last !== '%') return binding === name ? Infinity : 0;
  const prefix = binding.slice(0, -1);
  const rest = name.slice(prefix.length);
  if (!name.startsWith(prefix) || rest === '' || (last === '%' && rest.includes('.'))) return 0;
  return (last === '%' ? 10000 : 0) + binding.length;
}

/** Binds as Replier, unless isBound(name), and answers; see Ksock.serve in index.d.ts. */
export async function serve(ksock, isBound, repliers, ...rest) {
  const handlers = typeof repliers === 'string' ? { [repliers]: rest.shift() } : repliers;
  const { signal = null, otherwise = null, onError = null, onBound = null } = optionsOf('serve', rest[0] === undefined ? {} : rest[0], OPTIONS);
  const names = Object.keys(handlers);
  if (names.some((name) => typeof handlers[name] !== 'function')) throw new TypeError('serve takes a function for each name');
  const handlerOf = (message) => {
    if (!message.wantsUsToReply) return otherwise;
    const best = [...names].sort((a, b) => fit(b, message.name) - fit(a, message.name))[0];
    return best !== undefined && fit(best, message.name) > 0 ? handlers[best] : otherwise;
  };
  try {
    for (const name of names) {
      if (!isBound(name)) await ksock.bindReplier(name, { signal }); // it may have been served before, or come back by reopen()
    }
    onBound?.();
    for (;;) {
      const message = await ksock.receive({ signal });
      await answer(ksock, message, handlerOf(message), onError);
    }
  } catch (e) {
    if (!signal?.aborted || e !== signal.reason) throw e;
  }
}

/** What to tell who asked of anything that can be thrown. */
function textOf(thrown) {
  try {
    return String(thrown?.message ?? thrown);
  } catch {
    return 'the handler failed';
  }
}

/**
 * Has one message handled. Whatever the handler throws is an answer: an error of another Ksock, or of another system, says nothing
 * of this one. Only how the answer is sent tells whether the Ksock has ended.
 */
async function answer(ksock, message, handler, onError) {
  let reply;
  try {
    const result = handler === null ? undefined : await handler(message);
    if (!message.wantsUsToReply || result === LATER) return;
    if (handler === null) throw new Error('nobody here handles it');
    reply = result instanceof Message ? result : replyTo(message, result);
  } catch (e) {
    onError?.(e, message);
    if (!message.wantsUsToReply) return;
    reply = failureOf(message, textOf(e));
  }
  try {
    await ksock.send(reply);
  } catch (e) {
    if (ENDS.has(e.condition)) throw e;
    if (MOOT.has(e.condition)) return;
    onError?.(e, message);
    await ksock.send(failureOf(message, textOf(e))).catch((late) => {
      if (!MOOT.has(late.condition)) throw late;
    });
  }
}
