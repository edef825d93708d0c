// Frames: what goes to a bus and comes from it, in both directions (docs/protocol.md). Only bytes here, no connection.
//
// A frame is 16 bytes of header and a payload; its numbers are little-endian on every machine.

import { end as endOfTrace } from './trace.js';

/** Numbers of the operations, by name; those that a client of this kind asks for. */
export const OPS = {
  HELLO: 1, RESET: 2, BIND: 3, UNBIND: 4, REPLIER: 5, NEXT: 6, NEXT_WAIT: 7, SEND_MESSAGE: 9, CALL: 10, DISCARD: 12,
  WAIT_SENT: 13, POLL: 14, CANCEL: 15, LAST_SENT: 16, MAX_MESSAGES: 17, NUM_MESSAGES: 18, NUM_UNREPLIED: 19, ONLY_ONCE: 20,
  VERBOSE: 21, REPORT_REPLIER_BINDS: 22, MAX_MESSAGE_SIZE: 23, NEW_BUS: 24, STOPPING: 35, GIVE_UP: 45, MISSED: 46, PEER: 47,
};

export const AS_LISTENER = 0;
export const AS_REPLIER = 1;
export const AS_STANDBY = 2;

/** Arguments of HELLO, which can be added. */
export const MODE_READ = 1;
export const MODE_WRITE = 2;

/** The features by which messages tell what was missed before them and carry a trace context, and the flags of those that do. */
export const MARKED = 1 << 4;
export const TRACED = 1 << 8;
const MISSED_FLAG = 0x0010;
const TRACE_FLAG = 0x0400;

const NOTHING = new Uint8Array(0);

export const VERSION = 1;
export const HEADER_BYTES = 16;
const MESSAGE_BYTES = 56;
const NUMBERS = 12;
const SENT_BYTES = 16;
const WELCOME_BYTES = 16;

/** Bytes of a payload that is believed: far more than any bus allows. */
export const LONGEST = 1 << 30;

/** Bytes that the payload of a success has at least. */
const LEAST = {
  [OPS.SEND_MESSAGE]: SENT_BYTES, [OPS.LAST_SENT]: 8, [OPS.NEXT_WAIT]: MESSAGE_BYTES, [OPS.CALL]: MESSAGE_BYTES,
  [OPS.MISSED]: 8, [OPS.PEER]: 16,
};

/** The other side does not speak the protocol. */
export class Malformed extends Error {}

const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const utf8 = new TextDecoder();

/** The text of a payload. */
export const textOf = (payload) => utf8.decode(payload);

/** A request. */
export function frame(op, seq, arg, payload) {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const v = view(bytes);
  v.setUint32(0, payload.length, true);
  bytes[4] = op;
  v.setUint32(8, seq, true);
  v.setUint32(12, arg, true);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** The header of a result, at a place of bytes. */
export function header(bytes, at = 0) {
  const v = view(bytes);
  return {
    length: v.getUint32(at, true), op: bytes[at + 4], condition: v.getUint16(at + 6, true), seq: v.getUint32(at + 8, true),
    arg: v.getUint32(at + 12, true),
  };
}

/** Malformed if a result has not what it must have. */
export function check(op, condition, payload, pending) {
  const tells = condition === 0 || (condition === pending && op === OPS.SEND_MESSAGE);
  if (tells && payload.length < (LEAST[op] ?? 0)) throw new Malformed(`a result of operation ${op} with ${payload.length} bytes`);
}

/** The payload of HELLO: this version, and the features that are wanted. */
export function hello(features) {
  const bytes = new Uint8Array(12);
  bytes.set([0x4b, 0x42, 0x55, 0x53]);
  view(bytes).setUint16(4, VERSION, true);
  view(bytes).setUint16(6, VERSION, true);
  view(bytes).setUint32(8, features, true);
  return bytes;
}

/** The result of HELLO. */
export function welcome(payload) {
  if (payload.length < WELCOME_BYTES) throw new Malformed(`a welcome of ${payload.length} bytes`);
  const v = view(payload);
  return { version: v.getUint16(0, true), bus: v.getUint32(4, true), features: v.getUint32(8, true), most: v.getUint32(12, true) };
}

/** A message in a payload, with its trace context if the bus has agreed to that. */
export function message({ numbers, name, data, trace }, features) {
  const follows = (features & TRACED) === 0 ? NOTHING : trace;
  const bytes = new Uint8Array(MESSAGE_BYTES + name.length + data.length + follows.length);
  const v = view(bytes);
  numbers.forEach((n, i) => v.setUint32(4 * i, n, true));
  v.setUint32(48, name.length, true);
  v.setUint32(52, data.length, true);
  bytes.set(name, MESSAGE_BYTES);
  bytes.set(data, MESSAGE_BYTES + name.length);
  if ((features & TRACED) !== 0) {
    const own = numbers[NUMBERS - 1] & ~TRACE_FLAG;
    v.setUint32(4 * (NUMBERS - 1), (follows.length > 0 ? own | TRACE_FLAG : own) >>> 0, true);
    bytes.set(follows, MESSAGE_BYTES + name.length + data.length);
  }
  return bytes;
}

/** The one message of a payload, with what the features have follow it. */
export function parts(payload, features) {
  if (payload.length < MESSAGE_BYTES) throw new Malformed(`a message is cut off after ${payload.length} bytes`);
  const v = view(payload);
  const numbers = Array.from({ length: NUMBERS }, (_, i) => v.getUint32(4 * i, true));
  const dataFrom = MESSAGE_BYTES + v.getUint32(48, true);
  const dataTo = dataFrom + v.getUint32(52, true);
  const has = (feature, flag) => (features & feature) !== 0 && (numbers[NUMBERS - 1] & flag) !== 0;
  const tells = has(MARKED, MISSED_FLAG);
  const traced = has(TRACED, TRACE_FLAG);
  const behind = dataTo + (tells ? 4 : 0);
  const end = traced ? endOfTrace(payload, behind) : behind;
  if (end > payload.length) throw new Malformed(`a message of ${end} bytes in a payload of ${payload.length}`);
  if (tells) numbers[NUMBERS - 1] = (numbers[NUMBERS - 1] & ~MISSED_FLAG) >>> 0;
  if (traced) numbers[NUMBERS - 1] = (numbers[NUMBERS - 1] & ~TRACE_FLAG) >>> 0;
  return {
    numbers, name: payload.slice(MESSAGE_BYTES, dataFrom), data: payload.slice(dataFrom, dataTo),
    missed: tells ? v.getUint32(dataTo, true) : 0, trace: traced ? payload.slice(behind, end) : NOTHING,
  };
}

/** An id in a payload. */
export function id(payload) {
  const v = view(payload);
  return { network: v.getUint32(0, true), serial: v.getUint32(4, true) };
}

/** The payload *sent*. */
export function sent(payload) {
  const v = view(payload);
  return { id: id(payload), reached: v.getUint32(8, true), skipped: v.getUint32(12, true) };
}

/** The 64 bits at the beginning of a payload. */
export const long = (payload) => view(payload).getBigUint64(0, true);

/** The result of PEER. */
export function peer(payload) {
  const v = view(payload);
  return {
    uid: v.getUint32(0, true), gid: v.getUint32(4, true), pid: v.getUint32(8, true), connected: (v.getUint32(12, true) & 1) === 1,
    program: textOf(payload.subarray(16)),
  };
}
