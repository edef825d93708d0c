"""A connection of asyncio: it carries the frames of the core, and each query is a future.

The core notes what an answer means when it comes, whether or not a task still waits for it. So a cancelled task leaves
nothing undone.

The socket is read and written here, when the loop says that it can be, and not by a transport of asyncio: that would lose the
bytes that it has in hand when an exception comes out of a signal handler, such as Ctrl-C up to Python 3.10, and the program
goes on with its loop.
"""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Optional

from .. import forks, wire
from ..conditions import BUS_GONE, CLOSED, error, refusal
from ..core import Core
from ..door import LITTLE
from ..frames import Frames
from ..query import Answer, Late, Query
from .reach import reach

_AHEAD = (1 << 18,)  # bytes that are read at once
_NO_SIGNAL = (socket.MSG_NOSIGNAL,)


class Connection:
    """One connection."""

    def __init__(self, core: Core, s: socket.socket) -> None:
        self.core = core
        self._socket = s
        self.frames = Frames(core)
        self._pid = os.getpid()
        self._loop = asyncio.get_running_loop()
        self._full = False  # the socket takes no more just now
        self._begun = False  # it is connected
        self._parting = False  # nothing more is to be sent
        self.gone: "asyncio.Future[None]" = self._loop.create_future()
        """Done when there is no connection any more."""
        forks.register(self)

    async def begin(self, path: str, deadline: Optional[float], limit: float) -> None:
        """Connects to the daemon there."""
        self.check("open " + path)
        await reach(self._socket, path, deadline, limit)
        self._begun = True
        self._loop.add_reader(self._socket.fileno(), self._readable)

    def check(self, what: str) -> None:
        """EBADF in the child of a fork, and after close. RuntimeError in another loop, which our answers would never reach."""
        if os.getpid() != self._pid:
            raise error(9, "{}: this Ksock is another process's: open one after fork".format(what))
        self._check_loop(what)
        if self.frames.why == CLOSED:
            raise refusal(CLOSED, what)

    def _check_loop(self, what: str) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("{}: this Ksock is another event loop's: open one in each".format(what))

    def _flush(self) -> None:
        frames = self.frames
        while frames.waits():
            try:
                frames.counts.extend(map(self._socket.send, (frames.rest(),), _NO_SIGNAL))
            except (BlockingIOError, InterruptedError):
                if not self._full:
                    self._full = True
                    self._loop.add_writer(self._socket.fileno(), self._flush)
                return
            except OSError:
                frames.take_rest()  # results may still be there to be read, and behind them the end
        if self._full:
            self._loop.remove_writer(self._socket.fileno())
            self._full = False
        if self._parting:
            try:
                self._socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it is gone already

    def _readable(self) -> None:
        try:
            self._read()
        except BaseException:
            self._loop.call_soon(self._readable)  # out of a signal handler: what is here already is looked at all the same
            raise

    def _read(self) -> None:
        frames = self.frames
        if self._socket.fileno() < 0:
            return
        try:
            frames.arrived.extend(map(self._socket.recv, _AHEAD))
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            frames.arrived.append(b"")
        ended = bool(frames.arrived) and not frames.arrived[-1]
        self._finish()
        if ended or frames.why == BUS_GONE:
            self.abort()
        else:
            self._flush()

    def _finish(self) -> None:
        frames = self.frames
        try:
            while not frames.need() and not frames.why:
                frames.digest()
        except wire.Malformed as e:
            frames.end(BUS_GONE, "it does not speak the protocol: {}".format(e))

    async def perform(self, query: Query, deadline: Optional[float]) -> Answer:
        """Sends a query and waits for its answer. Late: none came in time, or the inbox has a message for a query for any.

        deadline is in the loop's time.
        """
        self.check(query.what)
        woken: "asyncio.Future[None]" = self._loop.create_future()

        def wake() -> None:
            if not woken.done() and not self._loop.is_closed():
                woken.set_result(None)
        query.notify = wake
        try:
            self.frames.queue(query)
            self._flush()
            if not query.done:
                await self._until(woken, deadline)
            if not query.done:
                self._give_up(query)
                if not (query.receives and self.core.inbox):
                    woken = self._loop.create_future()
                    await self._until(woken, self._loop.time() + LITTLE)
                if not query.done:
                    raise Late
        except Late:
            raise
        except BaseException:  # the task is cancelled, or this comes out of a signal handler
            self._finish()
            if not self.frames.unsend(query):
                self._give_up(query)
            self.core.left(query)
            raise
        return query.result()

    async def _until(self, woken: "asyncio.Future[None]", deadline: Optional[float]) -> None:
        if deadline is None:
            await woken
            return
        left = deadline - self._loop.time()
        timer = self._loop.call_at(deadline, lambda: woken.done() or woken.set_result(None)) if left > 0 else None
        try:
            if timer is not None:
                await woken
        finally:
            if timer is not None:
                timer.cancel()

    def _give_up(self, query: Query) -> None:
        owed = self.core.give_up(query)
        if owed is not None:
            self.frames.queue(owed)
            self._flush()

    async def close(self, patience: float) -> None:
        """Says that nothing more comes, and waits until the daemon has closed too, or patience seconds."""
        if os.getpid() != self._pid:
            return
        if self._loop.is_closed():
            self.drop()
            return
        self._check_loop("close")
        try:
            self.hang_up()
            if not self.gone.done():
                await asyncio.wait([self.gone], timeout=patience)
        finally:
            self.abort()

    def hang_up(self) -> None:
        """Says that nothing more comes, and waits for nothing; gone is done when the daemon has taken note."""
        if os.getpid() != self._pid:
            return
        self.core.forget()
        self.frames.end(CLOSED)
        self.frames.why = CLOSED  # also if the bus was lost before
        if not self._begun:
            self.abort()
        elif not self.gone.done():
            self._parting = True
            self._flush()

    def abort(self) -> None:
        """Ends it at once."""
        if os.getpid() != self._pid:
            return
        fd = self._socket.fileno()
        if fd >= 0 and not self._loop.is_closed():
            self._loop.remove_reader(fd)
            self._loop.remove_writer(fd)
        self._socket.close()
        self.frames.end(BUS_GONE)
        if not self.gone.done() and not self._loop.is_closed():
            self.gone.set_result(None)

    def drop(self) -> bool:
        """Closes at once, for a finalizer, or when the loop has ended. Tells whether it was open."""
        if os.getpid() != self._pid or self._socket.fileno() < 0:
            return False
        was_open = not self.frames.why
        self.frames.end(CLOSED)
        if self._loop.is_closed():
            self._socket.close()
        else:
            self._loop.call_soon_threadsafe(self.abort)
        return was_open

    def forked(self) -> None:
        """In a child: only a copy of the descriptor goes, and the parent's loop, with which it shares more, is not touched."""
        self.frames.why = CLOSED
        self._socket.close()
