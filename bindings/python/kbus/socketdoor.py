"""The way to a bus through the socket of its daemon (docs/protocol.md).

Each operation sends one frame and reads its result, so nothing is on its way between two operations but this: once
somebody has asked for the descriptor there is always one WaitReadable outstanding, the *bell*. The daemon answers it
when a message waits and takes nothing for it. The answer stays in the socket, and that is what makes the socket
readable. An operation that finds the bell rung takes it out and sends a new one along with its own frame, so
afterwards the socket is readable if and only if there still is a message. That is why results are read to the byte and
never ahead.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
import time
from typing import List, NamedTuple, Optional, Tuple

from . import wire
from .asked import Id
from .conditions import BUS_GONE, CANCELED, CLOSED, NO_SUCH_BUS, PENDING, KbusError, error, refusal
from .door import Door
from .ids import MessageId, Sent
from .layout import Parts
from .names import MAX_NAME_LEN

_PATIENCE = 5.0  # seconds that a daemon may take to say hello, or to let go

VALUES = {
    "lenleft": wire.LEN_LEFT, "nummsgs": wire.NUM_MESSAGES, "unrepliedto": wire.NUM_UNREPLIED,
    "newdevice": wire.NEW_BUS, "maxmsgs": wire.MAX_MESSAGES, "msgonlyonce": wire.ONLY_ONCE, "verbose": wire.VERBOSE,
    "reportreplierbinds": wire.REPORT_REPLIER_BINDS, "maxmsgsize": wire.MAX_MESSAGE_SIZE,
}


class _Late(Exception):
    """A deadline has passed."""


class _Result(NamedTuple):
    head: wire.Header
    payload: bytes


class SocketDoor(Door):
    """A connection to a daemon. Its operations may be called from several threads; they take turns."""

    wide = True

    def __init__(self, path: str, mode: int) -> None:
        self._pid = os.getpid()
        self._turn = threading.RLock()
        self._seq = 0
        self._end = ""  # why nothing more comes
        self._in = bytearray()  # of a frame that has not come completely
        self._watched = False
        self._bell: Optional[int] = None  # sequence of the WaitReadable whose result has not been taken
        self.socket = _connect(path)
        try:
            self.socket.settimeout(_PATIENCE)
            hello = self._ask(wire.HELLO, mode, wire.hello(), "open " + path)
            self.socket.settimeout(None)
            version, self.abs_max_message_size = wire.welcome(hello.payload)
            if version != wire.VERSION:
                raise error(errno.EPROTO, "open {}: it speaks version {}".format(path, version))
        except BaseException:
            self.socket.close()
            raise
        super().__init__(hello.head.arg, mode)

    # Frames.

    def _ask(self, op: int, arg: int = 0, payload: bytes = b"", what: str = "") -> _Result:
        """One request and its result."""
        with self._turn:
            self._check(what)
            if self._watched:
                self._take_bell()
            seq = self._next_seq()
            request = wire.frame(op, seq, arg, payload)
            if self._watched and self._bell is None:
                request += self._new_bell()
            self._put(request)
            result = self._result(seq, what)
            if self._watched and self._bell is None:
                self._ring_again()
        if result.head.condition:
            failed = refusal(result.head.condition, what, result.payload.decode("utf-8", "replace")
                             if result.head.condition != PENDING else "")
            if result.head.condition == PENDING:
                failed.message_id = Sent(*wire.sent(result.payload))
            raise failed
        return result

    def _check(self, what: str) -> None:
        if self.socket.fileno() < 0:
            raise refusal(CLOSED, what)
        if os.getpid() != self._pid:
            raise error(errno.EBADF, "{}: this Ksock is another process's: open one after fork".format(what))

    def _next_seq(self) -> int:
        self._seq = self._seq + 1 & 0xFFFFFFFF or 1  # 0 is for events
        return self._seq

    def _put(self, request: bytes) -> None:
        try:
            self.socket.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # results may still be there to be read, and behind them the end

    def _result(self, seq: int, what: str, deadline: Optional[float] = None) -> _Result:
        """Reads until the result with that sequence. Others are of requests that were interrupted."""
        while True:
            head, payload = self._frame(what, deadline)
            if head.seq == seq and head.op != wire.STOPPING or head.op == wire.HELLO:
                return _Result(head, payload)  # a Hello may be refused before it was heard
            if head.seq == self._bell:
                self._bell = None

    def _frame(self, what: str, deadline: Optional[float]) -> _Result:
        self._fill(wire.HEADER_BYTES, what, deadline)
        head = wire.header(bytes(self._in[:wire.HEADER_BYTES]))
        if head.length > wire.LONGEST:
            self._end = "it sent a frame of {} bytes".format(head.length)
            raise refusal(BUS_GONE, what, self._end)
        size = wire.HEADER_BYTES + head.length
        self._fill(size, what, deadline)
        payload = bytes(self._in[wire.HEADER_BYTES:size])
        self._in.clear()
        return _Result(head, payload)

    def _fill(self, size: int, what: str, deadline: Optional[float]) -> None:
        """Reads until size bytes of the frame are there. A signal or deadline in between loses nothing."""
        while len(self._in) < size:
            if self._end:
                raise refusal(BUS_GONE, what, self._end)
            if deadline is not None and not self._wait(deadline):
                raise _Late
            try:
                got = self.socket.recv(size - len(self._in))
            except ConnectionError:
                got = b""
            except socket.timeout:
                raise error(errno.ETIMEDOUT, "{}: no answer in {:g} s".format(what, _PATIENCE)) from None
            if not got:
                self._end = "the bus is gone"
            self._in += got

    def _wait(self, deadline: Optional[float]) -> bool:
        p = select.poll()
        p.register(self.socket, select.POLLIN)
        left = None if deadline is None else max(0, deadline - time.monotonic()) * 1000
        return bool(p.poll(left))

    # The bell.

    def fileno(self) -> int:
        """The socket: readable exactly while a message waits, or the bus is lost."""
        with self._turn:
            if not self._watched and not self._end:
                self._watched = True
                try:
                    self._ring_again()
                except KbusError:
                    pass  # the bus is lost, and the socket readable
            return self.socket.fileno()

    def _new_bell(self) -> bytes:
        self._bell = self._next_seq()
        return wire.frame(wire.WAIT_READABLE, self._bell)

    def _ring_again(self) -> None:
        """A new bell; when this returns it has rung if it had a reason to."""
        seq = self._next_seq()
        self._put(wire.frame(wire.RESET, seq) + self._new_bell())
        self._result(seq, "wait")

    def _peek(self) -> Optional[wire.Header]:
        """The header of the frame that is there now, if one is. It stays."""
        try:
            raw = self.socket.recv(wire.HEADER_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except (BlockingIOError, ConnectionError):
            return None
        return wire.header(raw) if len(raw) == wire.HEADER_BYTES else None

    def _take_bell(self) -> None:
        """Takes what nobody waits for out of the socket: a bell that has rung, and events."""
        while not self._in:
            head = self._peek()
            if head is None or head.op != wire.STOPPING and head.seq != self._bell:
                return
            self._frame("", None)
            if head.op != wire.STOPPING:
                self._bell = None

    def wait_readable(self, timeout: Optional[float]) -> bool:
        deadline = None if timeout is None else time.monotonic() + timeout
        self._check("wait")
        self.fileno()
        while self._wait(deadline):
            with self._turn:
                head = self._peek()
                if head is None or head.op != wire.STOPPING:
                    return True
                self._take_bell()
                if self._bell is None and not self._end:
                    self._ring_again()
        return False

    # Operations.

    def close(self) -> None:
        if self.socket.fileno() < 0:
            return
        with self._turn:
            if os.getpid() == self._pid:  # in a child it is only a copy of the descriptor that goes
                self._part()
            self.socket.close()

    def _part(self) -> None:
        """Says that nothing more comes, and waits until the daemon has closed too."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
            self.socket.settimeout(_PATIENCE)
            while self.socket.recv(1 << 16):
                pass
        except OSError:
            pass  # it is gone already, or does not answer: it will notice

    def bind(self, name: bytes, replier: int) -> None:
        self._ask(wire.BIND, replier, _cut(name), "bind " + _shown(name))

    def unbind(self, name: bytes, replier: int) -> None:
        self._ask(wire.UNBIND, replier, _cut(name), "unbind " + _shown(name))

    def replier(self, name: bytes) -> int:
        return self._ask(wire.REPLIER, 0, _cut(name), "find the Replier of " + _shown(name)).head.arg

    def value(self, op: str, number: int = 0) -> int:
        return self.ksock_id if op == "ksockid" else self._ask(VALUES[op], number, what=op).head.arg

    def reset(self) -> None:
        self._ask(wire.RESET, what="reset")

    def unknown(self, code: int) -> None:
        self._ask(200, code, what="operation 0x{:x}".format(code))

    def poll(self) -> Tuple[bool, bool]:
        ready = self._ask(wire.POLL, what="poll").head.arg
        return bool(ready & 1), bool(ready & 2)

    def last_sent(self) -> MessageId:
        return MessageId(*wire.sent(self._ask(wire.LAST_SENT, what="last message id").payload))

    def who(self, name: bytes) -> List[Tuple[int, ...]]:
        """(Ksock id, process id, user id) of who would get a message: the Replier, if any (else 0), then Listeners."""
        return [numbers for numbers, _ in wire.entries(self._ask(wire.WHO, 0, _cut(name), "who").payload)]

    def report(self, op: int) -> str:
        """The text of BINDINGS_REPORT or STATS_REPORT."""
        return self._ask(op, what="report").payload.decode("utf-8", "replace")

    def _discard(self, pending: bool) -> bool:
        waits = pending and not self.poll()[1]  # the daemon tries by itself, so asking changes nothing
        self._ask(wire.DISCARD, what="discard")
        return waits

    def _write(self, data: bytes) -> int:
        most = self.abs_max_message_size  # a longer payload would be no frame; what follows is refused all the same
        for at in range(0, max(len(data), 1), most):
            self._ask(wire.WRITE, 0, data[at:at + most], "write")
        return len(data)

    def _send(self) -> Sent:
        return wire.sent(self._ask(wire.SEND, what="send").payload)

    def _send_message(self, parts: Parts) -> Sent:
        cut = Parts(parts.numbers, _cut(parts.name), parts.data[:self.abs_max_message_size])
        return wire.sent(self._ask(wire.SEND_MESSAGE, 0, wire.message(cut), "send " + _shown(parts.name)).payload)

    def _next(self) -> int:
        return self._ask(wire.NEXT_MSG, what="next message").head.arg

    def _read(self, count: int) -> bytes:
        return self._ask(wire.READ, count, what="read").payload

    def _receive(self) -> Optional[Parts]:
        return next(wire.messages(self._ask(wire.NEXT, what="receive").payload), None)

    def _receive_reply(self, request: Id, timeout: Optional[float]) -> Optional[Parts]:
        return self._await(wire.NEXT_REPLY, timeout, 1, wire.id_bytes(*request), "call")

    def wait_sent(self, timeout: Optional[float]) -> bool:
        return self._await(wire.WAIT_SENT, timeout, 0, b"", "wait until sent") is not None

    def _await(self, op: int, timeout: Optional[float], arg: int, payload: bytes, what: str) -> Optional[Parts]:
        """A request that the daemon answers when there is something to say. None: it was given up in time."""
        with self._turn:
            self._check(what)
            seq = self._next_seq()
            self._put(wire.frame(op, seq, arg, payload))
            try:
                result = self._result(seq, what, None if timeout is None else time.monotonic() + timeout)
            except _Late:
                cancel = self._next_seq()
                self._put(wire.frame(wire.CANCEL, cancel, seq))
                result = self._result(seq, what)  # it has come in the meantime, or says that it was canceled
                self._result(cancel, what)
            if self._watched and self._bell is None:
                self._ring_again()
        if result.head.condition == CANCELED:
            return None
        if result.head.condition:
            raise refusal(result.head.condition, what, result.payload.decode("utf-8", "replace"))
        return next(wire.messages(result.payload), _NOTHING)


_NOTHING = Parts((), b"", b"")


def _cut(name: bytes) -> bytes:
    """A name that is too long stays so, but fits a frame: then the bus says what is wrong."""
    return name[:MAX_NAME_LEN + 1]


def _shown(name: bytes) -> str:
    return name[:MAX_NAME_LEN].decode("utf-8", "backslashreplace")


def _connect(path: str) -> socket.socket:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        s.settimeout(_PATIENCE)
        s.connect(path)
    except OSError as e:
        s.close()
        if e.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
            raise refusal(NO_SUCH_BUS, "open " + path, "nobody listens there; is kbusd running?") from None
        raise error(e.errno or errno.EINVAL, "open {}: {}".format(path, e.strerror or e)) from None
    return s
