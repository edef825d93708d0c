"""A tap on a bus, for a thread: everything that happens there, while nobody there notices.

    with kbus.Tap(0, '$.Door.*') as tap:
        for event in tap:
            print(event.by.program, event.message, event.reached)
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
import warnings
from collections import deque
from types import TracebackType
from typing import Deque, Iterable, Optional, Tuple, Type, Union

from . import endpoint, forks, tapevent, wire
from .conditions import BUS_GONE, CLOSED, error, refusal
from .door import deadline_in, left_until
from .socketdoor import PATIENCE, connect, make_socket, no_answer
from .tapevent import TapEvent

_AT_ONCE = 1 << 14  # bytes that are read, if so many have come


class Tap:
    """Begins to look at bus which (a number, or the path of a socket); it is closed by close(), or at the end of a `with`.

    patterns       names and wildcards, as for bind: only what has such a name; none: all
    kinds          what a bus does, as TapEvent.kind has it; none: all
    messages       of what is sent only these: 'announcement', 'request', 'reply'; none: all. With no kinds, nothing else
    ksock          only what the Ksock of that id does, sends or is sent, Requests that it must answer among that; 0: all
    only_failures  only what was refused, what somebody missed, and Statuses
    max_data       bytes of each message's data that are shown; None: all
    timeout        seconds that opening may take; None: 5

    Everything that happens from now on is shown, in the order of the bus. The tap has no Ksock and no queue. When it is too
    slow it misses events, and the next one says in `lost` how many. EPERM where the daemon's setting `taps` does not let
    the user look; EBADMSG or ENAMETOOLONG for a pattern.

    It belongs to the process that opened it, and is for one thread at a time; any thread may close it.
    """

    def __init__(self, which: Union[int, str] = 0, patterns: Union[str, Iterable[str]] = (), *, kinds: Iterable[str] = (),
                 messages: Iterable[str] = (), ksock: int = 0, only_failures: bool = False, max_data: Optional[int] = None,
                 timeout: Optional[float] = None) -> None:
        self._closed = True  # until there is something to close
        self._pid = os.getpid()
        self._arrived: "Deque[bytes]" = deque()  # what has come and is not looked at; an exception loses nothing of it
        asked = tapevent.request(patterns, kinds, messages, ksock, only_failures, max_data)
        where = endpoint.find(which)
        self.name = where.name
        if where.is_device:
            raise ValueError("{}: a tap needs the daemon's socket".format(where.path))
        limit = PATIENCE if timeout is None else timeout
        deadline = deadline_in(limit)
        forks.at_once(self._make, where.path)
        try:
            self._check_process()  # a signal handler may have forked before the socket was registered
            connect(self._socket, where.path, deadline, limit)
            self._ask(tapevent.opening(asked), deadline)
            answered = False
            while not answered:
                frame = self._frame(deadline)
                if frame is None:
                    raise no_answer(where.path, limit)
                head, payload, self._arrived = frame
                answered = tapevent.accepted(head, payload, what="tap " + where.path)
        except BaseException:
            self._socket.close()
            raise
        self._closed = False

    def _make(self, path: str) -> None:
        self._socket = make_socket(path)
        forks.register(self)

    def _ask(self, asked: bytes, deadline: Optional[float]) -> None:
        self._socket.settimeout(None if deadline is None else max(0.001, deadline - time.monotonic()))
        try:
            self._socket.sendall(asked)
        except (ConnectionError, socket.timeout):
            pass  # it has been refused already, or the answer will not come in time either
        self._socket.setblocking(False)

    def next(self, timeout: Optional[float] = None) -> Optional[TapEvent]:
        """The next event; None if none has come in timeout seconds. ENOTCONN when the bus is gone."""
        self._check()
        deadline = deadline_in(timeout)
        while True:
            frame = self._frame(deadline)
            if frame is None:
                return None
            head, payload, rest = frame
            event = tapevent.shown(head, payload)
            self._arrived = rest  # no call from here on: an exception out of a signal handler takes no event away
            if event is not None:
                return event

    def __iter__(self) -> "Tap":
        return self

    def __next__(self) -> TapEvent:
        """Ends when the tap is closed. When the bus is gone, ENOTCONN."""
        if self._closed:
            raise StopIteration
        event = self.next()
        assert event is not None
        return event

    def fileno(self) -> int:
        """A descriptor that is readable when something has come. Then call next(0) until it gives None."""
        self._check()
        return self._socket.fileno()

    def _check_process(self) -> None:
        if os.getpid() != self._pid:
            raise error(errno.EBADF, "tap: it is another process's: open one after fork")

    def _check(self) -> None:
        self._check_process()
        if self._closed:
            raise refusal(CLOSED, "tap", "it is closed")

    def _frame(self, deadline: Optional[float]) -> "Optional[Tuple[wire.Header, bytes, Deque[bytes]]]":
        """The next frame, and what has arrived behind it; None at the deadline."""
        while True:
            frame, missing = tapevent.first_frame(self._arrived)
            if frame is not None or not self._more(missing, deadline):
                return frame

    def _more(self, missing: int, deadline: Optional[float]) -> bool:
        """Waits for more bytes; False at the deadline."""
        try:
            self._arrived.extend(map(self._socket.recv, (max(missing, _AT_ONCE),)))
        except (BlockingIOError, InterruptedError):
            return self._wait(deadline)
        except ConnectionError:
            self._arrived.append(b"")
        except OSError:
            if self._closed:
                raise refusal(CLOSED, "tap") from None
            raise
        if not self._arrived[-1]:
            raise refusal(CLOSED if self._closed else BUS_GONE, "tap")
        return True

    def _wait(self, deadline: Optional[float]) -> bool:
        fd = self._socket.fileno()
        if fd < 0:
            return True  # it was closed meanwhile
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return bool(poll.poll(left_until(deadline))) or deadline is None or time.monotonic() < deadline

    def close(self) -> None:
        """Ends it; nobody on the bus notices. A thread that waits in it gets EBADF."""
        if self._closed or os.getpid() != self._pid:
            return
        try:
            self._closed = True
            try:
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes it
            except OSError:
                pass  # the bus is gone
            self._socket.close()
        except BaseException:  # out of a signal handler: nobody would close it later
            self._socket.close()
            raise

    def forked(self) -> None:
        """In a child: only a copy of the descriptor goes."""
        self._closed = True
        self._socket.close()

    def __enter__(self) -> "Tap":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                 where: Optional[TracebackType]) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._closed and os.getpid() == self._pid:
            self.close()
            warnings.warn("unclosed {!r}".format(self), ResourceWarning, source=self)

    def __repr__(self) -> str:
        return "<kbus.Tap {}>".format(self.name)
