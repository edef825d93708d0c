"""The way to a bus through the socket of its daemon (docs/protocol.md).

Each thread sends its frame and sleeps until its answer is there; a thread that wakes reads what has come, for all. Once
the program has asked for the descriptor there is always one WaitReadable outstanding, the *bell*. The daemon answers it
when a message waits and takes nothing for it. The answer stays in the socket, and that is what makes the socket
readable. An operation that finds the bell rung takes it out and sends a new one along with its own frame, so afterwards
the socket is readable if and only if there still is a message. That is why from then on results are read to the byte, never
ahead. For a message that is already here, in the inbox, the bell is a Reset, a *knock*, whose answer comes at once.
"""

from __future__ import annotations

import errno
import os
import re
import select
import socket
import time
from typing import Optional

from . import endpoint, forks, wake, wire
from .conditions import BUS_GONE, CLOSED, NO_SUCH_BUS, KbusError, error, refusal
from .core import Core
from .door import LITTLE, Door, deadline_in, left_until
from .frames import Frames
from .query import Answer, Late, Operation, Query

PATIENCE = 5.0
"""Seconds that a daemon may take to say hello, or to let go."""

_WAITS = (wire.NEXT_WAIT, wire.NEXT_REPLY, wire.CALL, wire.WAIT_SENT)
_IN, _BOTH = select.POLLIN, select.POLLIN | select.POLLOUT
_NO_SIGNAL = (socket.MSG_NOSIGNAL,)
_AHEAD = 1 << 14, 1 << 18  # bytes that are read at once: as many as there are, or of a long message, this many at most
_NOBODY = Query(wire.RESET)  # for which no caller waits


class SocketDoor(Door):
    """A connection to a daemon, when greet() has returned."""

    def __init__(self, path: str, mode: int, features: int = 0) -> None:
        super().__init__(Core(mode))
        self._path = path
        self._mode = mode
        self._features = features
        self._frames = Frames(self.core)
        self._watched = False
        self._bell: Optional[Query] = None
        self._knock: Optional[Query] = None
        forks.at_once(self._make)

    def _make(self) -> None:
        self.socket = make_socket(self._path)
        forks.register(self)

    def greet(self, timeout: Optional[float] = None) -> None:
        path, limit = self._path, PATIENCE if timeout is None else timeout
        greeting = Query(wire.HELLO, self._mode, wire.hello(self._features), "open " + path)
        try:
            deadline = deadline_in(limit)
            self._check("open " + path)  # a signal handler may have forked before the socket was registered
            connect(self.socket, path, deadline, limit)
            try:
                hello = self._perform(greeting, deadline)
            except Late:
                raise no_answer(path, limit) from None
            self.core.ksock_id = hello.arg
            self.core.most = welcomed(path, hello.payload, self.core)
        except BaseException as e:
            closed, self._closed = self._closed, True
            if os.getpid() == self._pid:
                self.hang_up(socket.SHUT_RDWR)  # a thread that closes it need not wait for the daemon
            self.socket.close()
            if closed and isinstance(e, KbusError):
                raise refusal(CLOSED, "open " + path) from None
            raise

    # Turns.

    def _begin(self, query: Query) -> None:
        if self._watched:
            self._begin_watched(query)
            return
        if query.before is not None:
            self._frames.queue(query.before)
        self._frames.queue(query)
        self._flush()

    def _begin_watched(self, query: Query) -> None:
        self._pump(_NOBODY)
        if query.before is not None:
            self._frames.queue(query.before)
        self._frames.queue(query)
        if query.op not in _WAITS and (self._bell is None or self._bell.done):
            bell = Query(wire.WAIT_READABLE)
            self._frames.queue(bell)
            self._bell = bell
        self._pump(query)

    def _pump(self, query: Query) -> None:
        """Sends and reads as much as can be without waiting, but when the descriptor is watched nothing behind the answer to
        query."""
        frames = self._frames
        if frames.waits():
            self._flush()
        while not frames.why:
            try:
                missing = frames.need()
                if not missing:
                    more = frames.digest(query)
                    if frames.waits():
                        self._flush()
                    if query.done and not more:
                        return
                    continue
                if query.done:
                    return
                most = min(missing, _AHEAD[1]) if self._watched else min(max(missing, _AHEAD[0]), _AHEAD[1])
                frames.arrived.extend(map(self.socket.recv, (most,)))
            except (BlockingIOError, InterruptedError):
                return
            except wire.Malformed as e:
                frames.end(BUS_GONE, "it does not speak the protocol: {}".format(e))
            except ConnectionError:
                frames.end(BUS_GONE)
            if frames.arrived and not frames.arrived[-1]:
                frames.end(BUS_GONE)

    def _flush(self) -> None:
        frames = self._frames
        while frames.waits():
            try:
                frames.counts.extend(map(self.socket.send, (frames.rest(),), _NO_SIGNAL))
            except (BlockingIOError, InterruptedError):
                return
            except (BrokenPipeError, ConnectionError):
                frames.take_rest()  # results may still be there to be read, and behind them the end

    def _give_up(self, query: Query) -> None:
        cancel = self.core.give_up(query)
        if cancel is not None:
            self._frames.queue(cancel)
        self._pump(query)

    def _leave(self, query: Query) -> None:
        """An exception goes through us. A query that has not gone yet does not go; another is given up."""
        self._finish()
        if not self._frames.unsend(query):
            cancel = self.core.give_up(query)
            if cancel is not None:
                self._frames.queue(cancel)
                self._flush()
        self.core.left(query)

    def _finish(self) -> None:
        while not self._frames.need() and not self._frames.why:
            self._frames.digest()

    # Waiting.

    def _perform(self, query: Query, deadline: Optional[float]) -> Answer:
        if os.getpid() != self._pid or self._closed:
            self._check(query.what)
        awake = wake.borrow()
        query.notify = awake.set
        try:
            self._turns.take(self._begin, query)
            if not query.done:
                self._await(query, awake, deadline)
        except Late:
            raise
        except BaseException:
            try:
                self._turns.take(self._leave, query)
            except KbusError:
                pass  # we are in a signal handler in the middle of a turn, and have not begun
            raise
        finally:
            wake.give_back(awake)
        return query.result()

    def _await(self, query: Query, awake: wake.Wake, deadline: Optional[float]) -> None:
        while not query.done:
            if query.receives and self._enough(query) or not self._sleep(awake, deadline):
                break
            self._turns.take(self._pump, query)
        else:
            return
        self._turns.take(self._give_up, query)
        patience = time.monotonic() + (0 if query.receives and self._enough(query) else LITTLE)
        while not query.done and self._sleep(awake, patience):
            self._turns.take(self._pump, query)
        if not query.done:
            raise Late

    def _enough(self, query: Query) -> bool:
        """Whether who waits for a message need not wait any longer."""
        return bool(self.core.inbox) or query.until is not None and query.until()

    def _sleep(self, awake: wake.Wake, deadline: Optional[float]) -> bool:
        """Until there is something to do; False when the time is over first."""
        events = _BOTH if self._frames.waits() else _IN
        while True:
            fd = self.socket.fileno()
            if fd < 0 and os.getpid() != self._pid:
                self._check("wait")  # a signal handler has forked, and the wake is the parent's
            if deadline is None:
                return awake.sleep(fd, events)
            ready = awake.sleep(fd, events, left_until(deadline))
            if ready or time.monotonic() >= deadline:
                return ready

    def _let(self, query: Query) -> None:
        """Waits a little for the answer to a query that has been sent."""
        awake, patience = wake.borrow(), time.monotonic() + LITTLE
        query.notify = awake.set
        try:
            self._turns.take(self._pump, query)
            while not query.done and self._sleep(awake, patience):
                self._turns.take(self._pump, query)
        finally:
            wake.give_back(awake)

    def _answered(self, query: Query) -> None:
        if not query.done:
            self._let(query)
        if query.done:
            query.result()

    def run(self, operation: Operation, deadline: Optional[float] = None) -> object:
        try:
            given = super().run(operation, deadline)
            if self._watched:
                self._right_bell()
            return given
        except BaseException:
            if self._watched:
                self._right_bell()
            raise

    def _handed_out(self) -> None:
        if self._watched:
            self._right_bell()

    # The bell.

    def fileno(self) -> int:
        """The socket: readable exactly while a message waits, or the bus is lost."""
        self._check("fileno")
        if not self._watched:
            self._watched = True
        self._right_bell()  # each time: an exception may have kept the time before from it
        return self.socket.fileno()

    def _right_bell(self) -> None:
        """When this returns, the socket is readable if it is to be."""
        if self._frames.why or self._closed or os.getpid() != self._pid:
            return
        try:
            if self._frames.waits() or not self._frames.idle():
                self._turns.take(self._catch_up)
            for query in list(self.core.waiting.values()):
                if query.op in (wire.CANCEL, wire.GIVE_UP) and not query.given_up:
                    self._let(query)  # no other thread takes its result out of the socket
                    query.given_up = True
            if self.core.inbox:
                if self._knock is None or self._knock.done:
                    self._turns.take(self._new_knock)
                    self._readable(LITTLE)
                return
            if self._knock is not None and not self._knock.done:
                self._let(self._knock)
                self._knock = None
            if self._bell is None or self._bell.done:
                self._let(self._turns.take(self._new_bell))
        except KbusError:
            pass  # the bus is lost, and the socket readable; or a signal handler came in between

    def _catch_up(self) -> None:
        """Sends and notes what an exception has kept us from."""
        self._finish()
        self._flush()

    def _new_knock(self) -> None:
        knock = Query(wire.RESET)
        self._frames.queue(knock)
        self._knock = knock
        self._flush()

    def _new_bell(self) -> Query:
        """When what this gives is answered, the bell has rung if it had a reason to."""
        before, bell = Query(wire.RESET), Query(wire.WAIT_READABLE)
        self._frames.queue(before)
        self._frames.queue(bell)
        self._bell = bell
        self._flush()
        return before

    def _readable(self, seconds: float) -> bool:
        p = select.poll()
        p.register(self.socket, select.POLLIN)
        return bool(p.poll(seconds * 1000))

    # The end.

    def close(self) -> None:
        if os.getpid() != self._pid or self._closed:
            return
        try:
            self._turns.take(self._stop)
            self._part(time.monotonic() + PATIENCE)
            self.socket.close()
        except BaseException:
            if self._closed:  # out of a signal handler: nobody would close it later
                self.socket.close()
            raise

    def _part(self, deadline: Optional[float]) -> bool:
        """Says that nothing more comes, and waits until the daemon has closed too. Tells whether it has."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
            p = select.poll()
            p.register(self.socket, select.POLLIN)
            while p.poll(left_until(deadline)):
                if not self.socket.recv(1 << 16):
                    return True
            return False
        except (OSError, ValueError):
            return True  # it is gone already

    def hang_up(self, how: int = socket.SHUT_WR) -> None:
        try:
            self.socket.shutdown(how)
        except OSError:
            pass  # likewise

    def part(self, seconds: Optional[float]) -> None:
        if self.is_ours() and not self._part(deadline_in(seconds)):
            raise error(errno.ETIMEDOUT, "reopen: the daemon has not noticed in {:g} s that an earlier one was given up".format(
                seconds or 0))
        self.drop()

    def _stop(self) -> None:
        """Wakes all that wait, and lets nothing more begin."""
        self._flush()
        self._closed = True
        self.core.forget()
        self._frames.end(CLOSED)

    def drop(self) -> None:
        if os.getpid() == self._pid and not self._closed:
            self._closed = True
            self.socket.close()

    def forked(self) -> None:
        """In a child: only a copy of the descriptor goes."""
        self._closed = True
        self.socket.close()


def welcomed(path: str, payload: bytes, core: Core) -> int:
    """Understands the result of Hello, and gives the most bytes that a message may have."""
    version, features, most = wire.welcome(payload)
    if version != wire.VERSION:
        raise error(errno.EPROTO, "open {}: it speaks version {}".format(path, version))
    core.features = features
    return most


def no_answer(path: str, limit: float) -> KbusError:
    """The daemon has not answered Hello in time."""
    return error(errno.ETIMEDOUT, "open {}: no answer in {:g} s".format(path, limit))


def no_bus(path: str) -> KbusError:
    """No daemon is there, or one that runs with fewer buses."""
    try:
        names = os.listdir(os.path.dirname(path) or ".")
    except OSError:
        names = []
    found = [re.match(r"bus(\d+)\.sock\Z", name) for name in names if name != os.path.basename(path)]
    there = sorted(int(bus.group(1)) for bus in found if bus)
    if not there or os.path.basename(path) in names:  # a socket that is there was left behind
        why = "nobody listens there; is kbusd running?"
    elif len(there) == 1:
        why = "there is only bus {}".format(there[0])
    else:
        why = "there are only buses " + ", ".join(map(str, there))
    return refusal(NO_SUCH_BUS, "open " + path, why)


class _Socket(socket.socket):
    """One that a fork finds open or closed: Python forgets the descriptor of a socket some steps before the kernel does."""

    def close(self) -> None:
        forks.at_once(super().close)


def make_socket(path: str) -> socket.socket:
    """A socket for a daemon at that path. Within forks.at_once."""
    endpoint.check(path)
    s = _Socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    s.setblocking(False)
    return s


def connect(s: socket.socket, path: str, deadline: Optional[float], limit: float) -> None:
    """Connects such a socket, if the daemon accepts it until the deadline."""
    while True:
        try:
            return s.connect(path)
        except BlockingIOError:  # as many as it lets wait are waiting, and nothing tells when there is room
            if deadline is not None and time.monotonic() >= deadline:
                raise no_answer(path, limit) from None
            time.sleep(0.01)
        except OSError as e:
            raise connecting_failed(path, e) from None


def connecting_failed(path: str, e: OSError) -> KbusError:
    """What that means."""
    if e.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
        return no_bus(path)
    return error(e.errno or errno.EINVAL, "open {}: {}".format(path, e.strerror or e))
