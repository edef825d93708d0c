// Cuts a stream of bytes into frames. Bytes come in any pieces, and are copied only when a frame lies in several.

import { HEADER_BYTES, LONGEST, Malformed, header } from './wire.js';

/** One stream's. */
export class Cutter {
  #pieces = [];
  #have = 0; // bytes in the pieces
  #wanted = HEADER_BYTES; // with so many more can be said about the frame that is coming

  /** Takes bytes that have come, and calls f with the header and payload of each frame that is complete, until f says true. */
  feed(bytes, f) {
    this.#pieces.push(bytes);
    this.#have += bytes.length;
    if (this.#have < this.#wanted) return;
    const all = this.#joined();
    let at = 0;
    let wanted = HEADER_BYTES;
    for (let ends = false; !ends && all.length - at >= HEADER_BYTES;) {
      const h = header(all, at);
      if (h.length > LONGEST) throw new Malformed(`a frame of ${h.length} bytes`);
      wanted = HEADER_BYTES + h.length;
      if (all.length - at < wanted) break;
      const payload = all.subarray(at + HEADER_BYTES, at + wanted);
      at += wanted;
      wanted = HEADER_BYTES;
      ends = f(h, payload);
    }
    this.#wanted = wanted;
    this.#have = all.length - at;
    this.#pieces = this.#have > 0 ? [all.subarray(at)] : [];
  }

  #joined() {
    if (this.#pieces.length === 1) return this.#pieces[0];
    const all = new Uint8Array(this.#have);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}
