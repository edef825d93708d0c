// What a message consists of, in every form that it takes: twelve numbers of 32 bits, which lie side by side, its name and its
// data. Package kbus keeps them so, as *parts*, and a form is what is put around them.

/** Flags of a message. */
export const WANT_A_REPLY = 0x0001;
export const WANT_YOU_TO_REPLY = 0x0002;
export const SYNTHETIC = 0x0004;
export const URGENT = 0x0008;
export const ALL_OR_WAIT = 0x0100;
export const ALL_OR_FAIL = 0x0200;

/** Places of the numbers. Of pairs, the first. */
export const ID = 0;
export const REPLY = 2;
export const TO = 4;
export const FROM = 5;
export const ORIG_FROM = 6;
export const FINAL_TO = 8;
export const FLAGS = 11;

export const MAX_NAME_BYTES = 1000;
export const STATUS_PREFIX = '$.KBUS.';
export const FAILED = '$.KBUS.Replier.Failed';
const BUS_GONE_AWAY = new TextEncoder().encode('$.KBUS.Bus.GoneAway');

/** The Status from the bus itself to Ksock us; network and serial are 0 where nobody knows the id of the Request. */
export function goneAway(request, us) {
  const numbers = new Array(12).fill(0);
  numbers[REPLY] = request.network;
  numbers[REPLY + 1] = request.serial;
  numbers[TO] = us;
  numbers[FLAGS] = SYNTHETIC;
  return { numbers, name: BUS_GONE_AWAY, data: new Uint8Array(0), missed: 0, trace: new Uint8Array(0) };
}
