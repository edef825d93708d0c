"""Ksock: one user of a bus, as the original's Python programs know it (R10.40 to R10.44), and a little more."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Callable, Optional, Type, TypeVar, Union

from . import ioctl, layout, place
from .conditions import CLOSED, KbusError, NoReply, refusal
from .devicedoor import DeviceDoor
from .door import Door
from .ids import MessageId, Sent
from .message import Message
from .names import STATUS_PREFIX
from .socketdoor import SocketDoor

Name = Union[str, bytes]
K = TypeVar("K", bound="Ksock")

_ASK = 0xFFFFFFFF  # a switch that is only asked about


class Ksock:
    """Opens bus `which` for reading ('r') or for both ('rw'); it is closed by close(), or at the end of a `with`.

    which is a number or a path. A bus is reached through its daemon's socket, or, with KBUS_PYTHON=device in the
    environment or a path such as '/dev/kbus0', through its device node.

    Whatever the bus refuses is a KbusError, which is an OSError with the original's errno. When the bus is lost each
    Request that it had accepted gets the Status `$.KBUS.Bus.GoneAway`, in the order of sending; once they are read, and
    from everything else at once, there is ENOTCONN. Nothing connects again by itself.
    """

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

    def __init__(self, which: Union[int, str] = 0, mode: str = "rw") -> None:
        self._door: Optional[Door] = None
        if mode not in self._modes:
            raise ValueError("Ksock mode should be 'r' or 'rw', not '{}'".format(mode))
        bits, words = self._modes[mode]
        where = place.find(which)
        self.which = which
        self.name = where.name
        self.mode: Optional[str] = words
        self._door = (DeviceDoor if where.is_device else SocketDoor)(where.path, bits)

    @property
    def _open(self) -> Door:
        if self._door is None:
            raise refusal(CLOSED, self.name)
        return self._door

    @property
    def fd(self) -> Optional[int]:
        """The descriptor, as fileno(); None when closed."""
        return None if self._door is None else self._door.fileno()

    def close(self) -> None:
        """Closes the Ksock. When it returns, the bus has taken note (R6.7). AttributeError if it is closed already."""
        if self._door is None:
            raise AttributeError("{} is closed already".format(self.name))
        self._door.close()
        self._door = self.mode = None

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

    def bind(self, name: Name, replier: bool = False) -> None:
        """Binds to a name, which may end in a wildcard, as Listener or as Replier.

        EBADMSG: not a valid name. ENAMETOOLONG. EADDRINUSE: the name has a Replier. EAGAIN: somebody who listens for
        replier bind events has not caught up; try again.
        """
        self._open.bind(_encoded(name), int(replier))

    def unbind(self, name: Name, replier: bool = False) -> None:
        """Takes the newest such binding back, with what is queued through it. EINVAL: there is none; and as bind."""
        self._open.unbind(_encoded(name), int(replier))

    def find_replier(self, name: Name) -> Optional[int]:
        """The Ksock id of the Replier bound to exactly that text, or None. Wildcards are not resolved."""
        return self._open.replier(_encoded(name)) or None

    # Sending.

    def send_msg(self, msg: Message) -> Sent:
        """Sends a message and gives its id, which also tells how many it reached, and how many Listeners it missed.

        EAGAIN: an ALL_OR_WAIT message waits for room; it is not lost, and the exception has its message_id.
        EBUSY: the Replier's queue, or for ALL_OR_FAIL a Listener's, is full. EADDRNOTAVAIL: nobody is there to reply,
        or to get this Reply. ECONNREFUSED: the Reply is not expected, or not ours to give. EPIPE: the Replier of a
        stateful Request has changed. ENOLCK: our own queue has no room for the Reply. EALREADY: the last message still
        waits. EBADMSG, ENAMETOOLONG, EMSGSIZE, EINVAL: something is wrong with the message.
        """
        return self._open.send_message(msg.parts)

    def write_msg(self, msg: Message) -> None:
        """Writes a message that send() is to send. What is wrong with it, its name included, is told here."""
        self._open.write(layout.to_entire(msg.parts, self._open.wide))

    def write_data(self, data: bytes) -> int:
        """Writes bytes of a message in its entire form, in as many pieces as you like; gives how many."""
        return self._open.write(bytes(data))

    def send(self) -> Sent:
        """Sends what was written, or tries again what waits for room. ENOMSG: there is nothing. Else as send_msg."""
        return self._open.send()

    def discard(self) -> None:
        """Drops what was written, or waits for room. Nobody gets it, and no Status comes for it."""
        self._open.discard()

    def last_msg_id(self) -> MessageId:
        """The id of the last message that was given one, also if its sending failed; MessageId(0, 0) before any."""
        return self._open.last_sent()

    def wait_sent(self, timeout: Optional[float] = None) -> bool:
        """Waits until no message of this Ksock waits for room; False when the timeout, in seconds, is over first."""
        return self._open.wait_sent(timeout)

    def call(self, request: Message, timeout: Optional[float] = None) -> Message:
        """Sends a Request, waits for its Reply, and gives that; other messages stay in the queue.

        NoReply if a Status comes instead. TimeoutError after timeout seconds: the answer will come to the queue.
        Else as send_msg, except that a Request that must wait for room waits.
        """
        if not request.is_request():
            raise ValueError("{} is no Request: nobody would answer it".format(request))
        try:
            sent = self.send_msg(request)
        except KbusError as e:
            if e.message_id is None:
                raise
            sent = e.message_id  # it waits for room, and so do we
        parts = self._open.receive_reply((sent.network_id, sent.serial_num), timeout)
        if parts is None:
            raise TimeoutError("no answer to {} {} in {} s".format(request.name, sent, timeout))
        reply = Message.from_parts(parts)
        if reply.name.startswith(STATUS_PREFIX):
            raise NoReply(reply)
        return reply

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
        parts = self._open.receive()
        return None if parts is None else Message.from_parts(parts)

    def wait_for_msg(self, timeout: Optional[float] = None) -> Optional[Message]:
        """The next message, when there is one; None when the timeout, in seconds, is over first."""
        return waited(self._open.wait_readable, self.read_next_msg, timeout)

    def next_msg(self) -> int:
        """Takes the next message, for read_msg or read_data, and gives its length in bytes; 0 if there is none."""
        return self._open.next()

    def read_msg(self, length: int) -> Optional[Message]:
        """Reads the whole message of which next_msg has told the length; None if there is none."""
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

    # Numbers and switches.

    def ksock_id(self) -> int:
        """Our id on the bus."""
        return self._open.ksock_id

    def num_messages(self) -> int:
        """Messages that wait to be read."""
        return self._open.value("nummsgs")

    def num_unreplied_to(self) -> int:
        """Requests that we have read and not replied to."""
        return self._open.value("unrepliedto")

    def max_messages(self) -> int:
        """The limit of our queue."""
        return self._open.value("maxmsgs")

    def set_max_messages(self, count: int) -> int:
        """Sets the limit of our queue, and gives the one now in force. 0 only asks."""
        return self._open.value("maxmsgs", _u32(count))

    def want_messages_once(self, only_once: bool = False, just_ask: bool = False) -> int:
        """Whether we get one copy of a message, however many of our bindings match. Gives the value before, 0 or 1."""
        return self._open.value("msgonlyonce", _switch(only_once, just_ask))

    def kernel_module_verbose(self, verbose: bool = True, just_ask: bool = False) -> int:
        """Whether the bus logs what it does. For everybody on it. Gives the value before."""
        return self._open.value("verbose", _switch(verbose, just_ask))

    def report_replier_binds(self, report_events: bool = True, just_ask: bool = False) -> int:
        """Whether `$.KBUS.ReplierBindEvent` tells of Repliers that come and go. For everybody. Gives the value before.

        Each time it is turned on our own queue gets an event for each Replier there is. EBUSY: it has no room for them.
        """
        return self._open.value("reportreplierbinds", _switch(report_events, just_ask))

    def max_message_size(self) -> int:
        """Bytes that the entire form of a message may have on this bus."""
        return self._open.value("maxmsgsize")

    def set_max_message_size(self, size: int) -> int:
        """Sets that for everybody. 0 asks, and 1 asks how large it may be set. EINVAL: below 100, or too large."""
        return self._open.value("maxmsgsize", _u32(size))

    def new_device(self) -> int:
        """Makes one more bus and gives its number. EINVAL: there are 256 already."""
        return self._open.value("newdevice")


def waited(wait: Callable[[Optional[float]], bool], take: Callable[[], Optional[Message]],
           timeout: Optional[float]) -> Optional[Message]:
    """What take gives, when it gives something: it is tried whenever wait says so, and once more in the end, because to
    ask is more exact than to look."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while wait(None if deadline is None else max(0.0, deadline - time.monotonic())):
        msg = take()
        if msg is not None:
            return msg
    return take()


def _encoded(name: Name) -> bytes:
    return name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name


def _switch(on: bool, just_ask: bool) -> int:
    return _ASK if just_ask else int(bool(on))


def _u32(number: int) -> int:
    if not 0 <= number <= 0xFFFFFFFF:
        raise ValueError("{} is no number of 32 bits".format(number))
    return number
