// The types of the package kbus, and what each thing of it does and fails with.
//
// What is no argument is refused before anything is asked: TypeError for an option or a field that a function does not know, and for
// a value of the wrong kind; RangeError for a number that does not fit 32 bits. An option that is undefined or null is not given.

/** A pair of numbers of 32 bits: the id of a message. Network 0 is the bus itself. */
export interface MessageId {
  readonly network: number;
  readonly serial: number;
}

/** A Ksock on some network. */
export interface Origin {
  readonly network: number;
  readonly local: number;
}

/** What the data of a message is made of: a string is encoded as UTF-8. */
export type Data = string | ArrayBuffer | ArrayBufferView | null;

/** What may be said of a message beside its name and data. */
export interface Fields {
  /** Of a Reply: the Ksock that asked. Of a stateful Request: the Replier wanted. */
  to?: number;
  /** Of a Reply: the id of the Request. */
  inReplyTo?: MessageId;
  /** The constants below, or'ed together; bits 16 to 31 are the sender's own. */
  flags?: number;
  id?: MessageId;
  from?: number;
  origFrom?: Origin;
  finalTo?: Origin;
  /** The trace context that travels with the message; of a Reply, if it is not given, that of the Request. */
  trace?: Trace | null;
}

/** A trace context, as the W3C has it for HTTP: the values of traceparent and tracestate. To KBUS they are bytes. */
export interface Trace {
  /** At most 128 bytes; RangeError if it is longer. */
  parent: string;
  /** At most 512 bytes. */
  state?: string;
}

export const WANT_A_REPLY: number;
export const WANT_YOU_TO_REPLY: number;
export const SYNTHETIC: number;
/** The message goes to the front of every queue. */
export const URGENT: number;
/** Everybody gets it, or it waits until they can. */
export const ALL_OR_WAIT: number;
/** Everybody gets it, or nobody does and the send fails. */
export const ALL_OR_FAIL: number;

/** A message of any kind; what it is follows from its content. A value: sending it changes nothing in it. */
export class Message {
  /** TypeError if the name does not begin with `$.`; the rest is for the bus to judge. */
  constructor(name: string, data?: Data, fields?: Fields);
  readonly name: string;
  readonly data: Uint8Array;
  /** The data as UTF-8. */
  readonly text: string;
  /** null before the message is sent. */
  readonly id: MessageId | null;
  /** Of a Reply or Status, the id of the Request. */
  readonly inReplyTo: MessageId | null;
  readonly to: number;
  /** Ksock id of the sender; 0 is the bus, or a message that was not sent yet. */
  readonly from: number;
  /** Its sender on another bus, if a Limpet brought it. */
  readonly origFrom: Origin | null;
  readonly finalTo: Origin | null;
  readonly flags: number;
  /** How many messages this Ksock missed just before this one, because its queue was full. */
  readonly missed: number;
  /** The trace context that travels with the message, or null. It is no part of the data. */
  readonly trace: Trace | null;
  readonly kind: 'Announcement' | 'Request' | 'Reply' | 'Status';
  readonly isRequest: boolean;
  /** Whether it is a Reply or a Status. */
  readonly isReply: boolean;
  /** Whether the bus made it. */
  readonly isSynthetic: boolean;
  /** Whether the reader of this copy must reply to it. */
  readonly wantsUsToReply: boolean;
  toString(): string;
}

/** A message to all Listeners of its name, which needs no answer. */
export function announcement(name: string, data?: Data, fields?: Fields): Message;
/** A message that its Replier must answer. */
export function request(name: string, data?: Data, fields?: Fields): Message;
/** A Request to the very Ksock that sent an earlier Reply, or that an earlier stateful Request was for. TypeError if it is neither. */
export function statefulRequest(earlier: Message, name: string, data?: Data, fields?: Fields): Message;
/** The Reply to a Request that we were given to answer. TypeError if we were not. */
export function replyTo(request: Message, data?: Data, fields?: Fields): Message;
/** The Status `$.KBUS.Replier.Failed` in place of a Reply, with why as its text, of which 1000 bytes are kept. */
export function failureOf(request: Message, why: string): Message;

/** The form of a message that devices and every original program know, little-endian. */
export function toEntire(message: Message): Uint8Array;
/** The reverse. TypeError tells what is wrong with bytes that are no entire message. */
export function fromEntire(bytes: Uint8Array): Message;

/** An operation of a bus has failed. */
export class KbusError extends Error {
  /** The name of the errno, for instance `EADDRNOTAVAIL`. */
  readonly code: string;
  /** Its number on Linux, on every machine. */
  readonly errno: number;
  /** The name of the condition, for instance `ErrNoReplier`; `''` where only the errno is known. */
  readonly condition: string;
  /** With `ErrPending`: the id of the message, which waits for room and is not lost. */
  readonly messageId: MessageId | null;
}

/** A Call got a Status in place of its Reply: the name of the Status says why. */
export class NoReply extends Error {
  readonly status: Message;
}

/** Each condition by its number: name, name of the errno, errno on Linux, text. */
export const CONDITIONS: ReadonlyArray<readonly [name: string, code: string, errno: number, text: string]>;

/** The version of the package. */
export const version: string;

export interface OpenOptions {
  /** To read, to write, or both, which is meant if nothing is said. */
  mode?: 'r' | 'w' | 'rw';
  /** Milliseconds that the bus may take; 5000 if nothing is said. From 2147483648 (2 to the power of 31) on there is no limit. */
  timeout?: number;
  signal?: AbortSignal;
  /** Where kbus-web is: ws, wss, http or https. In a browser `/socket` of the page's server, if nothing is said. */
  url?: string | URL;
  /** What the file of the door at kbus-web holds. */
  token?: string;
  /** A class of the standard's kind, where there is no global one. */
  WebSocket?: unknown;
}

/**
 * Opens a Ksock on a bus. In Node the bus is a number, or the path of a daemon's socket; with `url`, and in a browser, a number.
 * `ErrNoSuchBus` (ENOENT) if nobody is there, EINVAL for a path that begins with `@`, ENAMETOOLONG for one over 107 bytes, ETIMEDOUT, or what the bus refuses it with, such as `ErrUserConnections`.
 */
export function open(bus?: number | string, options?: OpenOptions): Promise<Ksock>;

/** For an operation that may be given up: the promise is rejected with the signal's reason. What was asked may happen all the same. */
export interface Given {
  signal?: AbortSignal;
}

/** Likewise, and with a KbusError ETIMEDOUT after so many milliseconds; from 2147483648 (2 to the power of 31) on there is no limit. */
export interface Limited extends Given {
  timeout?: number;
}

/** The id of a message that was sent, and how far it got. */
export interface Sent {
  readonly id: MessageId;
  /** How many queues it is in now. */
  readonly reached: number;
  /** How many Listeners missed it because their queue was full. */
  readonly skipped: number;
}

/** The process behind a Ksock, as the kernel knew it when it connected. Of a Ksock that came through kbus-web, that is kbus-web. */
export interface Peer {
  readonly ksockId: number;
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
  readonly program: string;
  readonly connected: boolean;
}

export type Role = 'listener' | 'replier' | 'standby';

/** What reopen() has done. */
export interface Reopened {
  /** The Ksock's id before and now; the same if the bus was not lost. */
  readonly oldId: number;
  readonly id: number;
  /** Made again, in their order. */
  readonly bound: ReadonlyArray<{ name: string; role: Role }>;
  /** Could not be made again, and are forgotten. */
  readonly failed: ReadonlyArray<{ name: string; role: Role; error: KbusError }>;
}

/** What a handler may give: the data of the Reply, a whole message, or REPLY_LATER. */
export type Answer = Data | undefined | Message | typeof REPLY_LATER;
export type Handler = (message: Message) => Answer | Promise<Answer>;

/** Nothing is sent: the program replies itself, later. */
export const REPLY_LATER: unique symbol;

export interface ServeOptions extends Given {
  /** Called when all names are bound. */
  onBound?: () => void;
  /** For all messages that are no Request for one of the Repliers. */
  otherwise?: (message: Message) => unknown;
  /** Told of what a handler threw, whatever that is, and of a Reply that the bus has refused. */
  onError?: (error: any, message: Message) => void;
}

/**
 * One user of a bus: an id, a queue and bindings; made by open(). Any number of promises may be open at a time. Every operation
 * fails with `ErrBusGone` (ENOTCONN) when the bus is lost and `ErrClosed` (EBADF) after close(). At the loss each open call gets
 * the Status `$.KBUS.Bus.GoneAway`, as a NoReply; for each Request that was sent and not answered such a Status can be received.
 */
export class Ksock implements AsyncIterable<Message> {
  private constructor();
  /** Its id on the bus. */
  readonly id: number;

  /** Binds to a name, or a name with `*` or `%` as its last word: as Listener, or as options say. `ErrReplierBound`, `ErrBadName`, limits. */
  bind(name: string, options?: Given & { replier?: boolean; standby?: boolean }): Promise<void>;
  bindReplier(name: string, options?: Given): Promise<void>;
  /** Binds as Replier, or to be it when the one that there is goes. */
  standBy(name: string, options?: Given): Promise<void>;
  /** Takes the newest such binding back, with what is queued through it. `ErrNotBound`. A standby is unbound as a Replier. */
  unbind(name: string, options?: Given & { replier?: boolean }): Promise<void>;
  /** The Ksock id of the Replier that is bound to exactly that text, or null. */
  findReplier(name: string, options?: Given): Promise<number | null>;

  /** Sends a message. `ErrPending` is no loss: with ALL_OR_WAIT the message waits until everybody has room. */
  send(message: Message, options?: Given): Promise<Sent>;
  /**
   * Sends a Request and waits for its Reply; NoReply if a Status comes instead. A call that is given up is over: the bus drops
   * the answer when it comes, unless keepLateAnswer, which has it come to the queue.
   */
  call(request: Message, options?: Limited & { keepLateAnswer?: boolean }): Promise<Message>;
  /** Replies to a Request with data, or with a whole Reply. */
  reply(request: Message, data?: Data | Message, options?: Given): Promise<Sent>;
  /** Tells who asked that we cannot answer: the Status `$.KBUS.Replier.Failed`. */
  fail(request: Message, why: string, options?: Given): Promise<Sent>;
  /** Drops the message that waits for room, if one does. */
  discard(options?: Given): Promise<void>;
  /** Waits until no message of this Ksock waits for room. */
  waitSent(options?: Limited): Promise<void>;
  /** The id of the last message that was given one; 0:0 before the first. */
  lastSent(options?: Given): Promise<MessageId>;

  /** The next message, when there is one. Those that wait get messages in their order; who gives up takes nothing away. */
  receive(options?: Limited): Promise<Message>;
  /** The next message, or null if there is none now. */
  next(options?: Given): Promise<Message | null>;
  /** Messages for ever: the iteration ends by the loss of the bus, as a KbusError, or by the signal. */
  messages(options?: Given): AsyncGenerator<Message, never, void>;
  [Symbol.asyncIterator](): AsyncGenerator<Message, never, void>;
  /**
   * Binds as Replier, to the names that this Ksock is not bound to as Replier or stands by for, and answers with what the handler
   * gives, one message after the other, until the signal is aborted, when it returns, or the bus is lost. It stays bound, and may
   * serve again. Whatever a handler throws is told who asked, by the Status `$.KBUS.Replier.Failed` with its text.
   */
  serve(name: string, handler: Handler, options?: ServeOptions): Promise<void>;
  serve(repliers: Record<string, Handler>, options?: ServeOptions): Promise<void>;

  /** Messages to be read. */
  numMessages(options?: Given): Promise<number>;
  /** Requests that we were given and owe a Reply. */
  numUnreplied(options?: Given): Promise<number>;
  maxMessages(options?: Given): Promise<number>;
  /** Limits the queue to so many messages, and gives the limit; 0 only asks. */
  setMaxMessages(limit: number, options?: Given): Promise<number>;
  /** One copy of each message, however many bindings match. Gives what it was; nothing given: only asks. */
  onlyOnce(on?: boolean, options?: Given): Promise<boolean>;
  /** Has the bus send `$.KBUS.ReplierBindEvent`s. Gives what it was. Off is for administrators. */
  reportReplierBinds(on?: boolean, options?: Given): Promise<boolean>;
  /** Has the daemon log what happens on the bus. Gives what it was. For administrators. */
  verbose(on?: boolean, options?: Given): Promise<boolean>;
  maxMessageSize(options?: Given): Promise<number>;
  /** Sets the bus's limit of bytes for a message, and gives it; 0 only asks, 1 asks for the most. `ErrBadSize`. For administrators. */
  setMaxMessageSize(size: number, options?: Given): Promise<number>;
  /** Makes one more bus, and gives its number. For administrators. */
  newBus(options?: Given): Promise<number>;
  /** Whether there is a message to be read, and whether no message of ours waits for room, after another try with that one. */
  poll(options?: Given): Promise<{ readable: boolean; writable: boolean }>;
  /** How many messages this Ksock has not got because its queue was full, since it was opened. */
  missed(options?: Given): Promise<bigint>;
  /** The process that sent a message, or that has a Ksock id. `ErrUnknownKsock`. */
  peer(sender: Message | number, options?: Given): Promise<Peer>;

  /** Closes the Ksock; what waits in it ends in `ErrClosed`. The daemon has taken note when the promise is kept. */
  close(): Promise<void>;
  /**
   * Opens it anew after the loss of the bus, with its settings and bindings. It does nothing if the bus is there. Until it has
   * succeeded the Ksock is as before, and it may be tried again; without a timeout connecting may take 5 seconds.
   */
  reopen(options?: Limited): Promise<Reopened>;
  toString(): string;
}
