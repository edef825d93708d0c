// What every program gets, in Node as in a browser.

export { CONDITIONS, KbusError, NoReply } from './conditions.js';
export { fromEntire, toEntire } from './entire.js';
export { Ksock } from './ksock.js';
export { ALL_OR_FAIL, ALL_OR_WAIT, SYNTHETIC, URGENT, WANT_A_REPLY, WANT_YOU_TO_REPLY } from './layout.js';
export { Message, announcement, failureOf, replyTo, request, statefulRequest } from './message.js';
export { REPLY_LATER } from './serving.js';

export const version = '0.2.0';
