// Answering Requests by functions. Messages are handled one after the other, in the order of the bus. A handler may do anything
// with the Ksock, such as call on it: the Reply to that is picked out of the queue, and all else waits for its turn.

import { Message, failureOf, replyTo } from './message.js';

const LATER = Symbol('later');

/** What a handler gives for a Request to which the program replies itself, later. */
export const REPLY_LATER = LATER;

/** Whether a Reply failed because its Request is over, or because it waits for room. */
const moot = (e) => ['EADDRNOTAVAIL', 'ECONNREFUSED', 'EAGAIN'].includes(e.code);

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

/** Binds as Replier and answers; see Ksock.serve in index.d.ts. */
export async function serve(ksock, repliers, ...rest) {
  const handlers = typeof repliers === 'string' ? { [repliers]: rest.shift() } : repliers;
  const { signal = null, otherwise = null, onError = null, onBound = null } = rest[0] ?? {};
  const names = Object.keys(handlers);
  if (names.some((name) => typeof handlers[name] !== 'function')) throw new TypeError('serve takes a function for each name');
  const handlerOf = (message) => {
    if (!message.wantsUsToReply) return otherwise;
    const best = [...names].sort((a, b) => fit(b, message.name) - fit(a, message.name))[0];
    return best !== undefined && fit(best, message.name) > 0 ? handlers[best] : otherwise;
  };
  try {
    for (const name of names) await ksock.bindReplier(name, { signal });
    onBound?.();
    for (;;) {
      const message = await ksock.receive({ signal });
      await answer(ksock, message, handlerOf(message), onError);
    }
  } catch (e) {
    if (!signal?.aborted || e !== signal.reason) throw e;
  }
}

/** Has one message handled. Only what ends the Ksock ends serving. */
async function answer(ksock, message, handler, onError) {
  try {
    const result = handler === null ? undefined : await handler(message);
    if (!message.wantsUsToReply || result === LATER) return;
    if (handler === null) throw new Error('nobody here handles it');
    await ksock.send(result instanceof Message ? result : replyTo(message, result));
  } catch (e) {
    if (ENDS.has(e.condition)) throw e;
    if (moot(e)) return;
    onError?.(e, message);
    if (message.wantsUsToReply) await ksock.send(failureOf(message, e.message ?? String(e))).catch((late) => {
      if (!moot(late)) throw late;
    });
  }
}
