"""A tap on a bus, for tasks.

    async with await kbus.aio.open_tap(0, '$.Door.*') as tap:
        async for event in tap:
            print(event.by.program, event.message, event.reached)
"""

from __future__ import annotations

import asyncio
import errno
import os
import warnings
from types import TracebackType
from typing import Iterable, Optional, Tuple, Type, Union

from .. import endpoint, forks, tapevent, wire
from ..conditions import BUS_GONE, CLOSED, error, refusal
from ..socketdoor import PATIENCE, make_socket, no_answer
from ..tapevent import TapEvent
from .reach import deadline_in, reach


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
        self.name = where.name
        self._path = where.path
        self._pid = os.getpid()
        self._reader: Optional[asyncio.StreamReader] = None
        self._writer: Optional[asyncio.StreamWriter] = None
        self._head: Optional[wire.Header] = None  # of a frame of which the rest has not come
        self._reading = asyncio.Lock()
        self._closed = False
        forks.at_once(self._make)

    def _make(self) -> None:
        self._socket = make_socket(self._path)
        forks.register(self)

    async def _begin(self, asked: bytes, deadline: Optional[float], limit: float) -> None:
        await reach(self._socket, self._path, deadline, limit)
        self._reader, self._writer = await asyncio.open_unix_connection(sock=self._socket)
        self._writer.write(tapevent.opening(asked))
        while not tapevent.accepted(*await self._frame(), what="tap " + self._path):
            pass

    async def _frame(self) -> "Tuple[wire.Header, bytes]":
        """The next frame. A task that is cancelled leaves what it has read for the next."""
        reader = self._reader
        assert reader is not None
        try:
            if self._head is None:
                self._head = wire.header(await reader.readexactly(wire.HEADER_BYTES))
            if self._head.length > wire.LONGEST:
                raise refusal(BUS_GONE, "tap", "it sent a frame of {} bytes".format(self._head.length))
            payload = await reader.readexactly(self._head.length)
        except (ConnectionError, asyncio.IncompleteReadError):
            raise refusal(CLOSED if self._closed else BUS_GONE, "tap") from None
        head, self._head = self._head, None
        return head, payload

    async def next(self) -> TapEvent:
        """The next event, when there is one. ENOTCONN when the bus is gone."""
        if os.getpid() != self._pid:
            raise error(errno.EBADF, "tap: it is another process's: open one after fork")
        async with self._reading:
            while True:
                if self._closed:
                    raise refusal(CLOSED, "tap", "it is closed")
                event = tapevent.shown(*await self._frame())
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
        if self._writer is None:
            self._socket.close()
        elif not asyncio.get_running_loop().is_closed():
            self._writer.transport.abort()

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
            warnings.warn("unclosed {!r}".format(self), ResourceWarning, source=self)
            self._closed = True
            self._socket.close() if self._writer is None else self._writer.transport.abort()

    def __repr__(self) -> str:
        return "<kbus.aio.Tap {}>".format(self.name)
