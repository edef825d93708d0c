"""Conditions: everything that an operation of a bus can answer instead of success.

Each has a number, which frames carry, a name, which is the same in every language, an errno, which is what the original
gave, and a text that says what is wrong and often what to do. Programs test the errno, people read the text.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Dict, List, Optional, Tuple, Type

from .ids import Sent

if TYPE_CHECKING:
    from .message import Message

CONDITIONS: List[Tuple[str, int, str]] = [
    ("OK", 0, "success"),
    ("ErrPending", errno.EAGAIN, "a queue is full; the message waits until everybody has room"),
    ("ErrReplierFull", errno.EBUSY, "the Replier's queue is full"),
    ("ErrListenerFull", errno.EBUSY, "a Listener's queue is full, so nobody got the message"),
    ("ErrNoReplier", errno.EADDRNOTAVAIL, "nobody is bound as Replier for that name"),
    ("ErrAddresseeGone", errno.EADDRNOTAVAIL, "the Ksock that the Reply is for is not open"),
    ("ErrNotExpected", errno.ECONNREFUSED, "the addressee does not expect that Reply"),
    ("ErrNotYoursToReply", errno.ECONNREFUSED,
     "only the Ksock that was asked, and has read the Request, may reply to it"),
    ("ErrOtherReplier", errno.EPIPE, "the Replier with that id is no longer bound to the name"),
    ("ErrNoRoomForReply", errno.ENOLCK, "your own queue has no room for the Reply: read some messages first"),
    ("ErrNothingToSend", errno.ENOMSG, "there is no message to send"),
    ("ErrIncomplete", errno.EINVAL, "the message is not complete"),
    ("ErrStillSending", errno.EALREADY, "the last message still waits to be sent: wait until it is, or discard it"),
    ("ErrMalformed", errno.EINVAL, "the message is malformed"),
    ("ErrWaitAndFail", errno.EINVAL, "ALL_OR_WAIT and ALL_OR_FAIL exclude each other"),
    ("ErrBadName", errno.EBADMSG,
     'not a valid name here: words of ASCII letters, digits, _ and - after "$.", wildcards only when binding'),
    ("ErrNameTooLong", errno.ENAMETOOLONG, "the name is longer than 1000 bytes, or empty"),
    ("ErrMessageTooLong", errno.EMSGSIZE, "the message is over the bus's maximum size"),
    ("ErrAfterEnd", errno.EMSGSIZE, "bytes after the end of the message"),
    ("ErrReplierBound", errno.EADDRINUSE, "the name has a Replier already"),
    ("ErrNotBound", errno.EINVAL, "this Ksock has no such binding"),
    ("ErrEventUndelivered", errno.EAGAIN, "somebody who listens for replier bind events has not caught up: try again"),
    ("ErrReportFull", errno.EBUSY, "your queue has no room for the report of all replier bindings"),
    ("ErrBadSwitch", errno.EINVAL, "a switch takes 0 (off), 1 (on) or 0xFFFFFFFF (just ask)"),
    ("ErrBadSize", errno.EINVAL, "the maximum message size is out of range"),
    ("ErrTooManyBuses", errno.EINVAL, "no more buses: limit buses reached"),
    ("ErrNoSuchBus", errno.ENOENT, "there is no such bus"),
    ("ErrWrongMode", errno.EBADF, "the Ksock was not opened for that direction"),
    ("ErrUnknownOperation", errno.ENOTTY, "there is no such operation"),
    ("ErrBadAddress", errno.EFAULT, "memory of the caller cannot be read or written"),
    ("ErrNoMemory", errno.ENOMEM, "out of memory"),
    ("ErrInterrupted", errno.EAGAIN, "interrupted: try again"),
    ("ErrUserConnections", errno.EDQUOT, "limit user-connections reached"),
    ("ErrBusConnections", errno.ENFILE, "limit connections reached"),
    ("ErrUserBindings", errno.EDQUOT, "limit user-bindings reached"),
    ("ErrBusBindings", errno.ENOBUFS, "limit bindings reached"),
    ("ErrUserQueueBytes", errno.EDQUOT, "limit user-queue-bytes reached"),
    ("ErrBusQueueBytes", errno.ENOBUFS, "limit queue-bytes reached"),
    ("ErrStopping", errno.ESHUTDOWN, "the bus is stopping and takes no new Requests"),
    ("ErrBusGone", errno.ENOTCONN, "the bus is gone"),
    ("ErrClosed", errno.EBADF, "the Ksock is closed"),
    ("ErrCanceled", errno.ECANCELED, "given up"),
    ("ErrNotPermitted", errno.EPERM, "not permitted"),
    ("ErrUndecided", errno.EAGAIN, "the federation has not yet said whether the name is free: try again"),
    ("ErrNoFederation", errno.EHOSTUNREACH, "the federation cannot say now whether the name is free: try again later"),
    ("ErrHeard", errno.EEXIST, "the message has been heard on this bus before"),
    ("ErrStale", errno.ESTALE,
     "the message is so old that nobody knows whether it has been heard on this bus before"),
    ("ErrOtherNetwork", errno.ENOTUNIQ,
     "the bus has another network id already: all its Limpets must say the same"),
    ("ErrNotAdministrator", errno.EPERM,
     "this switch of the whole bus is for its administrators: see the setting administration"),
    ("ErrUserWildcards", errno.EDQUOT, "limit user-wildcards reached"),
    ("ErrSameBinding", errno.EDQUOT, "a Ksock may bind the same name 16 times at most"),
    ("ErrUserBuses", errno.EDQUOT, "limit new-buses-per-user reached"),
    ("ErrUnknownKsock", errno.ESRCH, "the bus does not know that Ksock, or not any more"),
    ("ErrDenied", errno.EACCES, "a rule of the bus denies it"),
]
"""By number. New ones are added at the end and nothing else ever changes."""


class KbusError(OSError):
    """An operation of a bus has failed.

    errno      the original's number, for instance errno.EADDRNOTAVAIL
    strerror   what failed, and why
    condition  the name of the condition, for instance "ErrNoReplier"; "" where only the errno is known
    message_id with EAGAIN from a send: the id of the message, which waits for room and is not lost

    It is also of the class that Python has for that errno, so `except BlockingIOError` gets an EAGAIN.
    """

    condition: str = ""
    message_id: Optional[Sent] = None


_classes: Dict[int, Type[KbusError]] = {}


def error(number: int, what: str, condition: str = "") -> KbusError:
    """The exception for an errno."""
    kind = _classes.get(number)
    if kind is None:
        builtin = type(OSError(number, ""))
        kind = KbusError if builtin is OSError else type(builtin.__name__, (KbusError, builtin), {})
        _classes[number] = kind
    made = kind(number, what)
    made.condition = condition
    return made


def refusal(number: int, what: str, reason: str = "") -> KbusError:
    """The exception for a condition that a bus has answered; reason is the bus's own explanation."""
    if number >= len(CONDITIONS):
        return error(errno.EPROTO, "{}: unknown condition {}".format(what, number))
    name, code, text = CONDITIONS[number]
    return error(code, "{}: {}".format(what, reason or text), name)


def numbered(name: str) -> int:
    """The number of a condition."""
    return next(i for i, row in enumerate(CONDITIONS) if row[0] == name)


BUS_GONE = numbered("ErrBusGone")
CANCELED = numbered("ErrCanceled")
CLOSED = numbered("ErrClosed")
NO_SUCH_BUS = numbered("ErrNoSuchBus")
PENDING = numbered("ErrPending")
UNKNOWN_OPERATION = numbered("ErrUnknownOperation")
STILL_WAITS = errno.EAGAIN
"""What a send fails with when its message waits for room."""


class NoReply(Exception):
    """A call got a Status in place of its Reply: status is the message, and its name says why."""

    def __init__(self, status: "Message") -> None:
        super().__init__(str(status))
        self.status = status
