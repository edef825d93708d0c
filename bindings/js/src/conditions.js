// The conditions that a bus answers with, and the errors that a program gets for them. Numbers of errno are those of Linux on
// every machine, since a browser has none of its own.

/** By number: name, name of the errno, the errno on Linux, text. New ones are added at the end and nothing else ever changes. */
export const CONDITIONS = [
  ['OK', '', 0, 'success'],
  ['ErrPending', 'EAGAIN', 11, 'a queue is full; the message waits until everybody has room'],
  ['ErrReplierFull', 'EBUSY', 16, 'the Replier\'s queue is full'],
  ['ErrListenerFull', 'EBUSY', 16, 'a Listener\'s queue is full, so nobody got the message'],
  ['ErrNoReplier', 'EADDRNOTAVAIL', 99, 'nobody is bound as Replier for that name'],
  ['ErrAddresseeGone', 'EADDRNOTAVAIL', 99, 'the Ksock that the Reply is for is not open'],
  ['ErrNotExpected', 'ECONNREFUSED', 111, 'the addressee does not expect that Reply'],
  ['ErrNotYoursToReply', 'ECONNREFUSED', 111, 'only the Ksock that was asked, and has read the Request, may reply to it'],
  ['ErrOtherReplier', 'EPIPE', 32, 'the Replier with that id is no longer bound to the name'],
  ['ErrNoRoomForReply', 'ENOLCK', 37, 'your own queue has no room for the Reply: read some messages first'],
  ['ErrNothingToSend', 'ENOMSG', 42, 'there is no message to send'],
  ['ErrIncomplete', 'EINVAL', 22, 'the message is not complete'],
  ['ErrStillSending', 'EALREADY', 114, 'the last message still waits to be sent: wait until it is, or discard it'],
  ['ErrMalformed', 'EINVAL', 22, 'the message is malformed'],
  ['ErrWaitAndFail', 'EINVAL', 22, 'ALL_OR_WAIT and ALL_OR_FAIL exclude each other'],
  ['ErrBadName', 'EBADMSG', 74, 'not a valid name here: words of ASCII letters, digits, _ and - after "$.", wildcards only when binding'],
  ['ErrNameTooLong', 'ENAMETOOLONG', 36, 'the name is longer than 1000 bytes, or empty'],
  ['ErrMessageTooLong', 'EMSGSIZE', 90, 'the message is over the bus\'s maximum size'],
  ['ErrAfterEnd', 'EMSGSIZE', 90, 'bytes after the end of the message'],
  ['ErrReplierBound', 'EADDRINUSE', 98, 'the name has a Replier already'],
  ['ErrNotBound', 'EINVAL', 22, 'this Ksock has no such binding'],
  ['ErrEventUndelivered', 'EAGAIN', 11, 'somebody who listens for replier bind events has not caught up: try again'],
  ['ErrReportFull', 'EBUSY', 16, 'your queue has no room for the report of all replier bindings'],
  ['ErrBadSwitch', 'EINVAL', 22, 'a switch takes 0 (off), 1 (on) or 0xFFFFFFFF (just ask)'],
  ['ErrBadSize', 'EINVAL', 22, 'the maximum message size is out of range'],
  ['ErrTooManyBuses', 'EINVAL', 22, 'no more buses: limit buses reached'],
  ['ErrNoSuchBus', 'ENOENT', 2, 'there is no such bus'],
  ['ErrWrongMode', 'EBADF', 9, 'the Ksock was not opened for that direction'],
  ['ErrUnknownOperation', 'ENOTTY', 25, 'there is no such operation'],
  ['ErrBadAddress', 'EFAULT', 14, 'memory of the caller cannot be read or written'],
  ['ErrNoMemory', 'ENOMEM', 12, 'out of memory'],
  ['ErrInterrupted', 'EAGAIN', 11, 'interrupted: try again'],
  ['ErrUserConnections', 'EDQUOT', 122, 'limit user-connections reached'],
  ['ErrBusConnections', 'ENFILE', 23, 'limit connections reached'],
  ['ErrUserBindings', 'EDQUOT', 122, 'limit user-bindings reached'],
  ['ErrBusBindings', 'ENOBUFS', 105, 'limit bindings reached'],
  ['ErrUserQueueBytes', 'EDQUOT', 122, 'limit user-queue-bytes reached'],
  ['ErrBusQueueBytes', 'ENOBUFS', 105, 'limit queue-bytes reached'],
  ['ErrStopping', 'ESHUTDOWN', 108, 'the bus is stopping and takes no new Requests'],
  ['ErrBusGone', 'ENOTCONN', 107, 'the bus is gone'],
  ['ErrClosed', 'EBADF', 9, 'the Ksock is closed'],
  ['ErrCanceled', 'ECANCELED', 125, 'given up'],
  ['ErrNotPermitted', 'EPERM', 1, 'not permitted'],
  ['ErrUndecided', 'EAGAIN', 11, 'the federation has not yet said whether the name is free: try again'],
  ['ErrNoFederation', 'EHOSTUNREACH', 113, 'the federation cannot say now whether the name is free: try again later'],
  ['ErrHeard', 'EEXIST', 17, 'the message has been heard on this bus before'],
  ['ErrStale', 'ESTALE', 116, 'the message is so old that nobody knows whether it has been heard on this bus before'],
  ['ErrOtherNetwork', 'ENOTUNIQ', 76, 'the bus has another network id already: all its Limpets must say the same'],
  ['ErrNotAdministrator', 'EPERM', 1, 'this switch of the whole bus is for its administrators: see the setting administration'],
  ['ErrUserWildcards', 'EDQUOT', 122, 'limit user-wildcards reached'],
  ['ErrSameBinding', 'EDQUOT', 122, 'a Ksock may bind the same name 16 times at most'],
  ['ErrUserBuses', 'EDQUOT', 122, 'limit new-buses-per-user reached'],
  ['ErrUnknownKsock', 'ESRCH', 3, 'the bus does not know that Ksock, or not any more'],
  ['ErrDenied', 'EACCES', 13, 'a rule of the bus denies it'],
];

const byName = (name) => CONDITIONS.findIndex((row) => row[0] === name);

export const PENDING = byName('ErrPending');
export const UNKNOWN_OPERATION = byName('ErrUnknownOperation');
export const NO_SUCH_BUS = byName('ErrNoSuchBus');
export const BUS_GONE = byName('ErrBusGone');
export const CLOSED = byName('ErrClosed');
export const CANCELED = byName('ErrCanceled');
export const DENIED = byName('ErrDenied');

/** Numbers of errno that no condition has. */
const OTHERS = { EPROTO: 71, ETIMEDOUT: 110 };

/** The number of an errno by its name; 0 for one that is not known here. */
const numberOf = (code) => OTHERS[code] ?? CONDITIONS.find((row) => row[1] === code)?.[2] ?? 0;

/** An operation of a bus has failed. index.d.ts tells what its fields mean. */
export class KbusError extends Error {
  constructor(code, message, condition = '', errno = numberOf(code)) {
    super(message);
    this.name = 'KbusError';
    this.code = code;
    this.errno = errno;
    this.condition = condition;
    this.messageId = null;
  }
}

/** The error for a condition: what failed, and the bus's own explanation, if there is one. */
export function refusal(number, what, reason = '') {
  const row = CONDITIONS[number];
  if (row === undefined) return new KbusError('EPROTO', `${what}: unknown condition ${number}`);
  const [name, code, errno, text] = row;
  return new KbusError(code, `${what}: ${reason || text}`, name, errno);
}

/** A Call got a Status in place of its Reply; its name says why. */
export class NoReply extends Error {
  constructor(status) {
    const said = status.text;
    super(said === '' ? status.name : `${status.name}: ${said}`);
    this.name = 'NoReply';
    this.status = status;
  }
}
