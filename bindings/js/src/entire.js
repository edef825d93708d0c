// The entire form of a message, which devices and every original program know: a header of 88 bytes with two null pointers, the
// name with 1 to 4 zero bytes behind it, the data with 0 to 3, and a guard. Numbers are little-endian, as on the machines that
// most have.

import { Message } from './message.js';

const START_GUARD = 0x7375624b;
const END_GUARD = 0x4b627573;
const HEADER_BYTES = 88;
const NUMBERS_AT = 4;
const LENGTHS_AT = 52;
const POINTERS_AT = 64;
const END_AT = 80;

const nameBytes = (length) => 4 * Math.floor((length + 4) / 4);
const dataBytes = (length) => 4 * Math.floor((length + 3) / 4);

/** The entire form of a message. */
export function toEntire(message) {
  const { numbers, name, data } = message.parts;
  const dataAt = HEADER_BYTES + nameBytes(name.length);
  const guardAt = dataAt + dataBytes(data.length);
  const bytes = new Uint8Array(guardAt + 4);
  const v = new DataView(bytes.buffer);
  v.setUint32(0, START_GUARD, true);
  numbers.forEach((n, i) => v.setUint32(NUMBERS_AT + 4 * i, n, true));
  v.setUint32(LENGTHS_AT, name.length, true);
  v.setUint32(LENGTHS_AT + 4, data.length, true);
  v.setUint32(END_AT, END_GUARD, true);
  bytes.set(name, HEADER_BYTES);
  bytes.set(data, dataAt);
  v.setUint32(guardAt, END_GUARD, true);
  return bytes;
}

/** Takes an entire message apart. TypeError tells what is wrong with bytes that are none. */
export function fromEntire(bytes) {
  if (bytes.length < HEADER_BYTES) throw new TypeError(`${bytes.length} bytes are no message: its header alone has ${HEADER_BYTES}`);
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (v.getUint32(0, true) !== START_GUARD) throw new TypeError('no message: its first guard is not there');
  if (v.getUint32(END_AT, true) !== END_GUARD) throw new TypeError('no message: the guard behind its header is not there');
  if (v.getBigUint64(POINTERS_AT, true) !== 0n || v.getBigUint64(POINTERS_AT + 8, true) !== 0n) {
    throw new TypeError('not an entire message: its name or data is elsewhere');
  }
  const [nameLength, dataLength] = [v.getUint32(LENGTHS_AT, true), v.getUint32(LENGTHS_AT + 4, true)];
  const dataAt = HEADER_BYTES + nameBytes(nameLength);
  const guardAt = dataAt + dataBytes(dataLength);
  if (guardAt + 4 > bytes.length) throw new TypeError(`${bytes.length} bytes are too few: this message takes ${guardAt + 4}`);
  if (v.getUint32(guardAt, true) !== END_GUARD) throw new TypeError('no message: its last guard is not there');
  const numbers = Array.from({ length: 12 }, (_, i) => v.getUint32(NUMBERS_AT + 4 * i, true));
  return Message.fromParts({
    numbers, name: bytes.slice(HEADER_BYTES, HEADER_BYTES + nameLength), data: bytes.slice(dataAt, dataAt + dataLength), missed: 0, trace: new Uint8Array(0),
  });
}
