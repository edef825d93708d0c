"""Ksock: one user of a bus, as the original's Python programs know it, and a little more."""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import Any, Callable, Dict, Optional, Tuple, Type, TypeVar, Union

from . import ioctl, layout, endpoint, wire
from .cards import decoded_card, encoded_card
from .conditions import CLOSED, KbusError, NoReply, refusal
from .devicedoor import DeviceDoor
from .door import Door, deadline_in, seconds_until
from .given import as_replier, need_message
from .ids import MessageId, Sent
from .layout import Parts
from .message import Message
from .names import STATUS_PREFIX
from .reopen import Memory, Name, Reopened, encoded as _encoded
from .report import read_bindings
from .settings import Settings
from .socketdoor import SocketDoor
from .structs import BindStruct, ReplierStruct, SendResultStruct

__all__ = ["BindStruct", "Ksock", "ReplierStruct", "SendResultStruct", "open", "read_bindings"]

K = TypeVar("K", bound="Ksock")

_STATUS = STATUS_PREFIX.encode()
_STATUS_LEN = len(_STATUS)


class Ksock(Settings):
    """Opens bus `which` for reading ('r') or for both ('rw'); it is closed by close(), or at the end of a `with`.

    which is a number or a path. A bus is reached through its daemon's socket, or, with KBUS_PYTHON=device in the
    environment or a path such as '/dev/kbus0', through its device node.

    Whatever the bus refuses is a KbusError, which is an OSError with the original's errno. When the bus is lost each
    Request that it had accepted gets the Status `$.KBUS.Bus.GoneAway`, in the order of sending; once they are read, and
    from everything else at once, there is ENOTCONN. Nothing connects again by itself; see reopen.

    To the bus it is an *original* Ksock: names have letters and digits only, and if its user may administer the bus it
    must hear of each Replier that comes or goes. modern=True makes it a *modern* one, as kbus.open() does. timeout is
    how many seconds opening may take (5 if None, through a socket). A Ksock that is dropped without close() is closed
    by a finalizer, with a ResourceWarning.
    """

    IOC_MAGIC = ioctl.MAGIC
    IOC_RESET = ioctl.RESET
    IOC_BIND = ioctl.BIND
    IOC_UNBIND = ioctl.UNBIND
    IOC_KSOCKID = ioctl.KSOCKID
    IOC_REPLIER = ioctl.REPLIER
    IOC_NEXTMSG = ioctl.NEXTMSG
    IOC_LENLEFT = ioctl.LENLEFT
    IOC_SEND = ioctl.SEND
    IOC_DISCARD = ioctl.DISCARD
    IOC_LASTSENT = ioctl.LASTSENT
    IOC_MAXMSGS = ioctl.MAXMSGS
    IOC_NUMMSGS = ioctl.NUMMSGS
    IOC_UNREPLIEDTO = ioctl.UNREPLIEDTO
    IOC_MSGONLYONCE = ioctl.MSGONLYONCE
    IOC_VERBOSE = ioctl.VERBOSE
    IOC_NEWDEVICE = ioctl.NEWDEVICE
    IOC_REPORTREPLIERBINDS = ioctl.REPORTREPLIERBINDS
    IOC_MAXMSGSIZE = ioctl.MAXMSGSIZE

    _modes = {"r": (1, "read"), "rw": (3, "read/write")}

    def __init__(self, which: Union[int, str] = 0, mode: str = "rw", *, modern: bool = False,
                 timeout: Optional[float] = None) -> None:
        self._door: Optional[Door] = None
        self._attempted: Optional[Door] = None  # of reopen(), that runs or was given up
        self._patience: Optional[float] = None
        self._memory = Memory()
        if mode not in self._modes:
            raise ValueError("Ksock mode should be 'r' or 'rw', not '{}'".format(mode))
        bits, words = self._modes[mode]
        self._endpoint = where = endpoint.find(which)
        self._bits = bits
        self._features = wire.MODERN if modern else wire.ORIGINAL
        self.which = which
        self.name = where.name
        self.mode: Optional[str] = words
        door = self._new_door()
        door.greet(timeout)
        self._door = door

    def _new_door(self) -> Door:
        if self._endpoint.is_device:
            return DeviceDoor(self._endpoint.path, self._bits)
        return SocketDoor(self._endpoint.path, self._bits, self._features)

    @property
    def _open(self) -> Door:
        if self._door is None:
            raise refusal(CLOSED, self._called())
        return self._door

    def _called(self) -> str:
        """What an error calls the bus: a device by its path, and what is none by its number."""
        return self.name if self._endpoint.is_device or self.name == self.which else "bus {}".format(self.which)

    @property
    def patience(self) -> Optional[float]:
        """Seconds that the bus may take for what it answers at once; then there is ETIMEDOUT. None: it may take any time.

        For instance while the daemon is stopped in a debugger. call, wait_for_msg and wait_sent have limits of their own.
        """
        return self._patience

    @patience.setter
    def patience(self, seconds: Optional[float]) -> None:
        deadline_in(seconds)  # it is a number
        self._patience = self._open.patience = seconds

    @property
    def fd(self) -> Optional[int]:
        """The descriptor, as fileno(); None when closed."""
        return None if self._door is None else self._door.fileno()

    def close(self) -> None:
        """Closes the Ksock. When it returns, the bus has taken note. AttributeError if it is closed already.

        Threads that wait for something get EBADF.
        """
        door = self._door
        if door is None:
            raise AttributeError("{} is closed already".format(self._called()))
        while True:
            door.close()
            if self._attempted is not None:
                self._attempted.close()
            if self._door is door:
                break
            door = self._open  # another thread has reopened it just now
        self._door = self.mode = None

    def __del__(self) -> None:
        attempted, door = getattr(self, "_attempted", None), getattr(self, "_door", None)
        if attempted is not None:
            attempted.drop()
        if door is None:
            return
        unclosed = not door._closed and (isinstance(door, DeviceDoor) or door.is_ours())
        door.drop()
        if unclosed:  # last: it may be an exception
            warnings.warn("unclosed {!r}".format(self), ResourceWarning, source=self)

    def reopen(self, timeout: Optional[float] = None) -> Reopened:
        """Opens the Ksock anew after the loss of the bus: same mode and queue limit, bound to the same names.

        It is a new Ksock to the bus, with a new id, an empty queue and no Requests. What it had still to receive, the
        Statuses for its Requests among it, can still be received. Settings of the whole bus are left as they are. If the
        bus is not lost, nothing is done. It fails as opening does, and with ENOTCONN if the bus is lost once more. ETIMEDOUT: not
        within timeout seconds; if none are given connecting may take 5, and then each step our patience.

        Until it has succeeded the Ksock is as before, whatever comes in between: the bus is lost, and nothing is
        forgotten. So it may be tried again, and begins anew then.
        """
        deadline = deadline_in(timeout)
        while True:
            old = self._open
            old._check("reopen")
            back: Optional[Reopened] = old.reopening.take_long(seconds_until(deadline), self._attempt, old, timeout, deadline)
            if back is not None:
                return back

    def _attempt(self, old: Door, timeout: Optional[float], deadline: Optional[float]) -> Optional[Reopened]:
        """Opens it anew, in place of that door; None if another thread has done so."""
        if self._door is not old:
            return None

        def left() -> Optional[float]:
            return timeout if deadline is None else seconds_until(deadline)
        try:
            old.now(old.core.reset(), "reopen", left())
            return Reopened(old.ksock_id, old.ksock_id, [], [])
        except KbusError as e:
            if e.condition != "ErrBusGone":
                raise
        old.core.lose()  # a device does not do so by itself
        if self._attempted is not None and self._attempted is not old:  # else an exception came just when it had succeeded
            self._attempted.part(left())
        self._attempted = door = self._new_door()  # where a thread that closes the Ksock finds it
        try:
            old._check("reopen")
            door.greet(left())
            door.patience = self._patience
            bound, failed = door.now(self._memory.restore(door.core), "reopen", left())
            old._turns.take(self._replace, old, door)
        except BaseException:
            if self._door is not door:
                door.hang_up()
            raise
        self._memory.restored(bound)
        return Reopened(old.ksock_id, door.ksock_id, bound, failed)

    def _replace(self, old: Door, door: Door) -> None:
        if old._closed:
            raise refusal(CLOSED, "reopen")
        door.core.inherit(old.core)
        self._door = door
        self._attempted = None
        old.drop()

    def __enter__(self: K) -> K:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 where: Optional[TracebackType]) -> None:
        if self._door is not None:
            self.close()

    def __str__(self) -> str:
        if self._door is None:
            return "Ksock device {} (closed)".format(self.which)
        return "Ksock device {}, id {}, mode {}".format(self.which, self.ksock_id(), self.mode)

    def __repr__(self) -> str:
        return "<Ksock {} {}>".format(self.name, "closed" if self._door is None else "open for {}".format(self.mode))

    # Binding.

    def bind(self, name: Name, replier: bool = False, *, timeout: Optional[float] = None) -> None:
        """Binds to a name, which may end in a wildcard, as Listener or as Replier.

        EBADMSG: not a valid name. ENAMETOOLONG. EADDRINUSE: the name has a Replier. EAGAIN: a Listener to replier
        bind events has not caught up; try again. ETIMEDOUT: not within timeout seconds; it may happen later.
        """
        self._open.bind(_encoded(name), as_replier(replier), timeout)
        self._memory.bound(name, replier)

    def stand_by(self, name: Name, *, timeout: Optional[float] = None) -> None:
        """Binds as Replier if there is none; else stands by, to become the Replier when that one goes.

        That happens in one step of the bus, so no Request finds the name without a Replier. Nothing tells of it but the
        Requests that come. unbind(name, True) takes it back, whichever it is by then. EADDRINUSE: we are the Replier or
        stand by already, or the Replier is on another bus. ENOTTY on a device; and as bind.
        """
        self._open.stand_by(_encoded(name), timeout)
        self._memory.stands_by(name)

    def unbind(self, name: Name, replier: bool = False, *, timeout: Optional[float] = None) -> None:
        """Takes the newest such binding back, with what is queued through it. EINVAL: there is none; and as bind."""
        self._open.unbind(_encoded(name), as_replier(replier), timeout)
        self._memory.unbound(name, replier)

    def describe(self, name: Name, *, description: str = "", content_type: str = "", schema: Any = None) -> None:
        """Attaches a card to the name that we are the Replier of, or stand by for, in the place of one that is there.

        The schema is anything that json can write; a str is a schema of another kind. Without any argument the card is taken
        away. It goes with the binding, and reopen does not attach it again. EINVAL: there is no such binding, or content_type is no
        line. EMSGSIZE: over 16384 bytes of JSON. EDQUOT or ENOBUFS at a limit. ENOTTY on a device.
        """
        self._open.describe(_encoded(name), encoded_card(description, content_type, schema))

    def card(self, name: Name) -> Optional[Dict[str, Any]]:
        """What the Replier bound to exactly that text, else the one that a Request would go to, says of it: a dict of description,
        contentType and schema, as far as they are there; None if there is no card."""
        return decoded_card(self._open.card(_encoded(name)))

    def find_replier(self, name: Name) -> Optional[int]:
        """The Ksock id of the Replier bound to exactly that text, or None. Wildcards are not resolved."""
        return self._open.replier(_encoded(name)) or None

    # Sending.

    def send_msg(self, msg: Message) -> Sent:
        """Sends a message and gives its id, which also tells how many it reached, and how many Listeners it missed.

        EAGAIN: an ALL_OR_WAIT message waits for room; it is not lost, and the exception has its message_id.
        EBUSY: the Replier's queue, or for ALL_OR_FAIL a Listener's, is full. EADDRNOTAVAIL: there is no Replier,
        or the Ksock that this Reply is for has closed. ECONNREFUSED: the Reply is not expected, or not ours to give.
        EPIPE: the Replier of a stateful Request has changed. ENOLCK: our own queue has no room for the Reply. EALREADY:
        the last message still waits. EBADMSG, ENAMETOOLONG, EMSGSIZE, EINVAL: something is wrong with the message.
        """
        need_message(msg, "Announcement")
        return self._open.send_message(msg.parts)

    def write_msg(self, msg: Message) -> None:
        """Writes a message that send() is to send. Fails with what is wrong with it, its name included."""
        self._open.write(layout.to_entire(msg.parts, self._open.wide))

    def write_data(self, data: bytes) -> int:
        """Writes bytes of a message in its entire form, in as many pieces as you like; gives how many."""
        return self._open.write(bytes(data))

    def send(self) -> Sent:
        """Sends what was written, or tries again what waits for room. ENOMSG: there is nothing. Else as send_msg."""
        return self._open.send()

    def discard(self) -> None:
        """Drops what was written, or waits for room. No Ksock gets it, and no Status comes for it."""
        self._open.discard()

    def last_msg_id(self) -> MessageId:
        """The id of the last message that was given one, also if its sending failed; MessageId(0, 0) before any."""
        return self._open.last_sent()

    def wait_sent(self, timeout: Optional[float] = None) -> bool:
        """Waits until no message of this Ksock waits for room; False when the timeout, in seconds, is over first."""
        return self._open.wait_sent(deadline_in(timeout))

    def call(self, request: Message, timeout: Optional[float] = None, *, keep_late_answer: bool = False) -> Message:
        """Sends a Request, waits for its Reply, and gives that; other messages stay in the queue.

        NoReply if a Status comes instead. TimeoutError after timeout seconds: then the call is given up, and the bus drops
        the answer when it comes, unless keep_late_answer: then it comes to the queue. An exception out of a
        signal handler gives the call up in the same way. Else as send_msg, except that a Request that must wait for
        room waits.
        """
        need_message(request, "Request")
        if not request.is_request():
            raise ValueError("{} is no Request: nobody would answer it".format(request))
        answer, number = self._open.call(request.parts, deadline_in(timeout), keep_late_answer, Message.from_parts)
        if answer is not None and answer._name[:_STATUS_LEN] != _STATUS:  # no call here: what returns a signal could take away
            return answer
        raise unanswered(request, timeout, answer, number)

    # Receiving.

    def fileno(self) -> int:
        """For select, poll, epoll and asyncio: readable exactly while a message waits, or the bus is lost.

        What our own operation has changed is so when it returns; what others have sent, as soon as the daemon has come
        to tell us. Through a socket the descriptor is always writable, whether or not a message waits for room: see
        wait_sent.
        """
        return self._open.fileno()

    def read_next_msg(self) -> Optional[Message]:
        """The next message, or None. From then on it counts as read, and a Request must be replied to."""
        return self._open.receive(self._made)

    def _made(self, parts: Parts) -> Optional[Message]:
        """What a message that was received is for us; None if it is not for us."""
        return Message.from_parts(parts)

    def wait_for_msg(self, timeout: Optional[float] = None) -> Optional[Message]:
        """The next message, when there is one; None when the timeout, in seconds, is over first."""
        return self._open.receive_wait(self._made, deadline_in(timeout))

    def next_msg(self) -> int:
        """Takes the next message, for read_msg or read_data, and gives its length in bytes; 0 if there is none."""
        return self._open.next()

    def read_msg(self, length: int) -> Optional[Message]:
        """Reads the whole message that next_msg has taken, length bytes; None if there is none."""
        raw = b""
        while len(raw) < length:
            piece = self._open.read(length - len(raw))
            if not piece:
                break
            raw += piece
        return Message.from_parts(layout.from_entire(raw, self._open.wide)) if raw else None

    def read_data(self, count: int) -> bytes:
        """The next bytes, at most count, of the message that next_msg has taken; b'' at its end."""
        return self._open.read(count)

    def len_left(self) -> int:
        """How many bytes of that message are left."""
        return self._open.len_left()

    def __iter__(self: K) -> K:
        return self

    def __next__(self) -> Message:
        """Messages as long as there are any; later there may be more."""
        msg = self.read_next_msg()
        if msg is None:
            raise StopIteration
        return msg

    def _next_after(self, reply: Optional[Message], until: Callable[[], bool]) -> Optional[Message]:
        if reply is None:
            return self._open.receive_wait(self._made, None, None, until)
        return self._open.answer(reply.parts, self._made, until)

    def _poke(self) -> None:
        if self._door is not None:
            self._door.core.poke()


def open(which: Union[int, str] = 0, mode: str = "rw", *, timeout: Optional[float] = None) -> Ksock:
    """A modern Ksock: the parts of a name may also hold `_` and `-`, and its full queue never holds up a bind."""
    return Ksock(which, mode, modern=True, timeout=timeout)


def unanswered(request: Message, timeout: Optional[float], status: Optional[Message],
               number: "Optional[Tuple[int, int]]") -> Exception:
    """The end of a call that gives no Reply: the Status instead, None if the time is over; and the id, if that is known."""
    if status is not None:
        return NoReply(status)
    words = request.name if number is None else "{} {}".format(request.name, MessageId(*number))
    return TimeoutError("no answer to {} in {:g} s".format(words, timeout or 0))

