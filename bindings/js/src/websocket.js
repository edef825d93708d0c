// The way to a bus through kbus-web, for browsers and everybody else who has WebSockets. Its messages are pieces of the same
// stream of frames, whatever their length, and nothing else.

import { onAbort } from './aborting.js';
import { DENIED, KbusError, NO_SUCH_BUS, refusal } from './conditions.js';

const MOST = 1 << 15; // bytes of a WebSocket message
const NORMAL = 1000;
const PROTOCOL = 'kbus';
const TOKEN = 'kbus.token.'; // what stands before a token in the list of protocols

/** What kbus-web says by the code of a close. */
const CLOSES = { 4403: DENIED, 4404: NO_SUCH_BUS };

/** One connection. */
class WebSocketTransport {
  onBytes = () => {};
  onEnd = () => {};
  #socket;

  constructor(socket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.onBytes(new Uint8Array(data));
      else this.abort(); // text is none of the protocol
    };
    socket.onclose = ({ code, reason }) => this.onEnd(reason, CLOSES[code]);
  }

  send(list) {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    for (const bytes of list) {
      for (let at = 0; at < bytes.length; at += MOST) this.#socket.send(bytes.subarray(at, at + MOST));
    }
  }

  /** Says that nothing more comes, by a message without bytes, and waits until the daemon has closed too. */
  end(patience) {
    return new Promise((resolve) => {
      if (this.#socket.readyState === this.#socket.CLOSED) {
        resolve();
        return;
      }
      const timer = patience < 2 ** 31 ? setTimeout(() => { // longer is for ever, for timers
        this.#socket.close(NORMAL);
        resolve();
      }, patience) : undefined;
      this.#socket.addEventListener('close', () => {
        clearTimeout(timer);
        resolve();
      });
      if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(new Uint8Array(0));
    });
  }

  /** The program is told at once: a close that nobody answers takes long. */
  abort() {
    this.#socket.close(NORMAL);
    this.onEnd('');
  }
}

/** The address of a bus there: the number of the bus is in it, and never the token. */
export function addressOf(url, bus) {
  const address = new URL(url);
  address.protocol = address.protocol.replace(/^http/, 'ws');
  address.searchParams.set('bus', bus);
  return address.href;
}

/** Connects to kbus-web within limit milliseconds. */
export function connectWebSocket(where, { token, WebSocket = globalThis.WebSocket } = {}) {
  return (limit, signal) => new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    if (WebSocket === undefined) throw new KbusError('ENOTTY', `open ${where}: there is no WebSocket here: give one as options.WebSocket`);
    const socket = new WebSocket(where, token === undefined ? [PROTOCOL] : [PROTOCOL, TOKEN + token]);
    socket.binaryType = 'arraybuffer';
    const over = (settle, value) => {
      clearTimeout(timer);
      leave();
      socket.onopen = socket.onclose = null;
      socket.onerror = () => {}; // it tells nothing
      if (settle === reject) socket.close();
      settle(value);
    };
    const leave = onAbort(signal, () => over(reject, signal.reason));
    const timer = limit < 2 ** 31
      ? setTimeout(() => over(reject, new KbusError('ETIMEDOUT', `open ${where}: no answer in ${limit} ms`)), limit) : undefined;
    const failed = () => over(reject, refusal(NO_SUCH_BUS, `open ${where}`,
      'no connection: is kbus-web running, and does its --allow file allow this page and token?'));
    socket.onerror = failed; // Node's own tells of no close behind it
    socket.onclose = failed;
    socket.onopen = () => {
      const transport = new WebSocketTransport(socket);
      over(resolve, transport);
      socket.onclose = ({ code, reason }) => transport.onEnd(reason, CLOSES[code]);
    };
  });
}
