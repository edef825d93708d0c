// The trace context of a message, as the W3C has it for HTTP. To KBUS it is bytes (docs/traces.md).

/** Bytes that traceparent and tracestate may have. */
export const MAX_PARENT = 128;
export const MAX_STATE = 512;

const LENGTHS = 4;
const NONE = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function bytesOf(field, value, most) {
  if (typeof value !== 'string') throw new TypeError(`trace.${field} is a string, not ${typeof value}`);
  const bytes = encoder.encode(value);
  if (bytes.length > most) throw new RangeError(`trace.${field} has ${bytes.length} bytes: ${most} are the most that a message carries`);
  return bytes;
}

/** What follows the data of a message; nothing for none. */
export function toBytes(trace) {
  if (trace === null || trace === undefined || trace.parent === '') return NONE;
  const parent = bytesOf('parent', trace.parent, MAX_PARENT);
  const state = bytesOf('state', trace.state ?? '', MAX_STATE);
  const bytes = new Uint8Array(LENGTHS + parent.length + state.length);
  const v = new DataView(bytes.buffer);
  v.setUint16(0, parent.length, true);
  v.setUint16(2, state.length, true);
  bytes.set(parent, LENGTHS);
  bytes.set(state, LENGTHS + parent.length);
  return bytes;
}

/** The reverse; null for nothing. */
export function fromBytes(bytes) {
  if (bytes.length < LENGTHS) return null;
  const length = bytes[0] | bytes[1] << 8;
  return { parent: decoder.decode(bytes.subarray(LENGTHS, LENGTHS + length)), state: decoder.decode(bytes.subarray(LENGTHS + length)) };
}

/** Where one ends that begins at a place of bytes; beyond their end if it is cut off. */
export function end(bytes, at) {
  if (bytes.length - at < LENGTHS) return at + LENGTHS;
  return at + LENGTHS + (bytes[at] | bytes[at + 1] << 8) + (bytes[at + 2] | bytes[at + 3] << 8);
}
