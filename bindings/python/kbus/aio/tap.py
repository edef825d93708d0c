"""A tap on a bus, for tasks.

    async with await kbus.aio.open_tap(0, '$.Door.*') as tap:
        async for event in tap:
            print(event.by.program, event.message, event.reached)
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import warnings
from collections import deque
from types import TracebackType
from typing import Any, Callable, Deque, Iterable, List, Optional, Tuple, Type, Union

from .. import endpoint, forks, tapevent, wire
from ..conditions import BUS_GONE, CLOSED, error, refusal
from ..socketdoor import PATIENCE, make_socket, no_answer
from ..tapevent import TapEvent
from .reach import deadline_in, reach

_AT_ONCE = 1 << 18  # bytes that are read, if so many have come


async def open_tap(which: Union[int, str] = 0, patterns: Union[str, Iterable[str]] = (), *, kinds: Iterable[str] = (),
                   messages: Iterable[str] = (), ksock: int = 0, only_failures: bool = False, max_data: Optional[int] = None,
                   timeout: Optional[float] = None) -> "Tap":
    """Begins to look at a bus. kbus.Tap says what the arguments mean and what it fails with."""
    asked = tapevent.request(patterns, kinds, messages, ksock, only_failures, max_data)
    where = endpoint.find(which)
    if where.is_device:
        raise ValueError("{}: a tap needs the daemon's socket".format(where.path))
    limit = PATIENCE if timeout is None else timeout
    deadline = deadline_in(limit)
    tap = Tap(where)
    try:
        await asyncio.wait_for(tap._begin(asked, deadline, limit), None if deadline is None else limit)
    except asyncio.TimeoutError:
        tap.close()
        raise no_answer(where.path, limit) from None
    except BaseException:
        tap.close()
        raise
    return tap


class Tap:
    """What open_tap gives: an async iterator of TapEvent. A task that is cancelled takes no event away."""

    def __init__(self, where: endpoint.Endpoint) -> None:
        self._closed = True  # until there is something to close
        self.name = where.name
        self._path = where.path
        self._pid = os.getpid()
        self._loop = asyncio.get_running_loop()
        self._arrived: "Deque[bytes]" = deque()  # what has come and is not looked at
        self._waiting: "List[asyncio.Future[None]]" = []  # of the tasks that wait for the socket
        forks.at_once(self._make)

    def _make(self) -> None:
        self._socket = make_socket(self._path)
        self._closed = False
        forks.register(self)

    async def _begin(self, asked: bytes, deadline: Optional[float], limit: float) -> None:
        await reach(self._socket, self._path, deadline, limit)
        await self._ask(tapevent.opening(asked))
        answered = False
        while not answered:
            head, payload, self._arrived = await self._frame()
            answered = tapevent.accepted(head, payload, what="tap " + self._path)

    async def _ask(self, asked: bytes) -> None:
        while asked:
            try:
                asked = asked[self._socket.send(asked, socket.MSG_NOSIGNAL):]
            except BlockingIOError:
                await self._ready(self._loop.add_writer)
            except ConnectionError:
                return  # it has been refused already

    async def _ready(self, add: Callable[..., Any]) -> None:
        """Until the socket may be ready, or the tap is closed."""
        woken = self._loop.create_future()
        self._waiting.append(woken)
        add(self._socket.fileno(), self._wake)
        try:
            await woken
        except BaseException:
            self._wake()  # whoever else waits asks again
            raise
        self._check()

    def _wake(self) -> None:
        fd = self._socket.fileno()
        if fd < 0 or self._loop.is_closed():
            return
        for woken in self._waiting:
            if not woken.done():
                woken.set_result(None)
        self._loop.remove_reader(fd)  # not before: an exception out of a signal handler may end this anywhere
        self._loop.remove_writer(fd)
        self._waiting.clear()

    async def _frame(self) -> "Tuple[wire.Header, bytes, Deque[bytes]]":
        """The next frame, and what has come behind it. A task that is cancelled leaves what it has read for the next."""
        while True:
            frame, missing = tapevent.first_frame(self._arrived)
            if frame is not None:
                return frame
            await self._ready(self._loop.add_reader)
            try:
                self._arrived.extend(map(self._socket.recv, (max(missing, _AT_ONCE),)))
            except BlockingIOError:
                continue
            except ConnectionError:
                self._arrived.append(b"")
            if not self._arrived[-1]:
                raise refusal(BUS_GONE, "tap")

    def _check(self) -> None:
        if os.getpid() != self._pid:
            raise error(errno.EBADF, "tap: it is another process's: open one after fork")
        if self._closed:
            raise refusal(CLOSED, "tap", "it is closed")

    async def next(self) -> TapEvent:
        """The next event, when there is one. ENOTCONN when the bus is gone."""
        self._check()
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("tap: it is another event loop's: open one in each")
        while True:
            head, payload, rest = await self._frame()
            event = tapevent.shown(head, payload)
            self._arrived = rest
            if event is not None:
                return event

    def __aiter__(self) -> "Tap":
        return self

    async def __anext__(self) -> TapEvent:
        """Ends when the tap is closed. When the bus is gone, ENOTCONN."""
        if self._closed:
            raise StopAsyncIteration
        return await self.next()

    def close(self) -> None:
        """Ends it; nobody on the bus notices. A task that waits in it gets EBADF."""
        if self._closed or os.getpid() != self._pid:
            return
        self._closed = True
        self._wake()
        self._socket.close()

    def forked(self) -> None:
        """In a child: only a copy of the descriptor goes, and the parent's loop is not touched."""
        self._closed = True
        self._socket.close()

    async def __aenter__(self) -> "Tap":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                        where: Optional[TracebackType]) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and os.getpid() == self._pid:
            self._closed = True
            self._socket.close()  # no task waits for it: that would have the tap
            warnings.warn("unclosed {!r}".format(self), ResourceWarning, source=self)

    def __repr__(self) -> str:
        return "<kbus.aio.Tap {}>".format(self.name)
