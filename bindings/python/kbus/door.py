"""What every way to a bus has in common: it runs the operations of the core, in whatever thread calls them.

A door is one Ksock, spoken to in bytes and numbers; the class Ksock makes a pleasant thing of it. SocketDoor and
DeviceDoor perform the queries, each in its own way.

Threads may share a door. What they do to the core and the descriptor they do in turns (see there). A signal handler
that comes in the middle of one and uses the same door is refused with EDEADLK; between turns, while its thread waits for
an answer, it may do anything.
"""

from __future__ import annotations

import errno
import math
import os
import time
from typing import Any, Callable, List, Optional, Tuple, TypeVar

from .conditions import CLOSED, KbusError, error, refusal
from .core import Core
from .ids import MessageId, Sent
from .layout import Parts
from .query import Answer, Late, Operation, Query
from .turns import Turns

T = TypeVar("T")

LITTLE = 0.05
"""Seconds that the bus may take to say whether something that was given up had been answered before."""


def deadline_in(timeout: Optional[float]) -> Optional[float]:
    """When a time limit of so many seconds ends. None and infinity are no limit, and what is below 0 is over."""
    if timeout is None or timeout == math.inf:
        return None
    if math.isnan(timeout):
        raise ValueError("a time limit is a number of seconds, or None, and not {}".format(timeout))
    return time.monotonic() + max(0.0, timeout)


def left_until(deadline: Optional[float]) -> Optional[float]:
    """Milliseconds for poll(), at most a day."""
    if deadline is None:
        return None
    return min(max(0.0, deadline - time.monotonic()) * 1000, 86400000.0)


def seconds_until(deadline: Optional[float]) -> Optional[float]:
    """What is left of a time limit."""
    return None if deadline is None else max(0.0, deadline - time.monotonic())


class Door:
    """One Ksock, however it is reached. Names are bytes, valid or not."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.patience: Optional[float] = None
        """Seconds that the bus may take for what it answers at once; None: as many as it likes."""
        self._pid = os.getpid()
        self._turns = Turns()
        self.reopening = Turns()
        self._closed = False

    def _check(self, what: str) -> None:
        """May be done before any lock: in the child of a fork no thread would ever give one back."""
        if os.getpid() != self._pid:
            raise error(errno.EBADF, "{}: this Ksock is another process's: open one after fork".format(what))
        if self._closed:
            raise refusal(CLOSED, what)

    def is_ours(self) -> bool:
        """Whether it is open, and this process's."""
        return not self._closed and os.getpid() == self._pid

    def _perform(self, query: Query, deadline: Optional[float]) -> Answer:
        """Asks, and waits for the answer. Late: there was none in time."""
        raise NotImplementedError

    def run(self, operation: Operation, deadline: Optional[float] = None) -> Any:
        """What the operation gives."""
        answer: Optional[Answer] = None
        failed: List[Exception] = []  # and not here any more when it is raised: a frame in its own traceback would keep all this
        while True:
            try:
                query = operation.throw(failed.pop()) if failed else operation.send(answer)  # type: ignore[arg-type]
            except StopIteration as end:
                given = end.value
                break
            answer = None
            try:
                answer = self._perform(query, deadline)
            except (KbusError, Late) as e:
                failed.append(e)
        return given  # not in the handler: Python 3.8 breaks down when a signal comes there

    def now(self, operation: Operation, what: str, timeout: Optional[float] = None) -> Any:
        """Runs one that is answered at once. ETIMEDOUT if it is not, though it may be performed later."""
        limit = self.patience if timeout is None else timeout
        try:
            return self.run(operation, deadline_in(limit))
        except Late:
            raise error(errno.ETIMEDOUT, "{}: the bus has not answered in {:g} s; it may do so later".format(
                what, limit or 0)) from None

    # Operations. core says what they do.

    def greet(self, timeout: Optional[float] = None) -> None:
        """Makes it a Ksock of the bus, within so many seconds (5 if None). If that fails, or another thread closes it, nothing is left."""

    def fileno(self) -> int:
        """A descriptor that is readable while a message waits."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes the Ksock; when this returns the bus has taken note."""
        raise NotImplementedError

    def drop(self) -> None:
        """Closes the Ksock at once, for a finalizer."""
        raise NotImplementedError

    def hang_up(self) -> None:
        """Says that nothing more comes, and waits for nothing."""
        raise NotImplementedError

    def part(self, seconds: Optional[float]) -> None:
        """Waits until the bus has taken note of that, and closes the Ksock. ETIMEDOUT after so many seconds; None: no limit."""
        raise NotImplementedError

    @property
    def ksock_id(self) -> int:
        """Its id on the bus."""
        return self.core.ksock_id

    @property
    def wide(self) -> bool:
        """Whether its entire messages have the header of 88 bytes."""
        return self.core.wide

    def bind(self, name: bytes, replier: int, timeout: Optional[float] = None) -> None:
        self.now(self.core.bind(name, replier), "bind", timeout)

    def stand_by(self, name: bytes, timeout: Optional[float] = None) -> None:
        self.now(self.core.stand_by(name), "stand by", timeout)

    def unbind(self, name: bytes, replier: int, timeout: Optional[float] = None) -> None:
        self.now(self.core.unbind(name, replier), "unbind", timeout)

    def describe(self, name: bytes, card: bytes) -> None:
        self.now(self.core.describe(name, card), "describe")

    def card(self, name: bytes) -> bytes:
        return bytes(self.now(self.core.card(name), "find the card"))

    def replier(self, name: bytes) -> int:
        return int(self.now(self.core.replier(name), "find the Replier"))

    def value(self, op: str, number: int = 0) -> int:
        return int(self.now(self.core.value(op, number), op))

    def reset(self) -> None:
        self.now(self.core.reset(), "reset")

    def unknown(self, code: int) -> None:
        self.now(self.core.unknown(code), "operation")

    def poll(self) -> Tuple[bool, bool]:
        ready: Tuple[bool, bool] = self.now(self.core.poll(), "poll")
        return ready

    def last_sent(self) -> MessageId:
        last: MessageId = self.now(self.core.last_sent(), "last message id")
        return last

    def who(self, name: bytes) -> List[Tuple[int, ...]]:
        entries: List[Tuple[int, ...]] = self.now(self.core.who(name), "who")
        return entries

    def report(self, op: int) -> str:
        return str(self.now(self.core.report(op), "report"))

    def missed(self) -> Tuple[int, int]:
        counts: Tuple[int, int] = self.now(self.core.missed(), "missed")
        return counts

    def peer(self, ksock_id: int) -> Tuple[Any, ...]:
        numbers: Tuple[Any, ...] = self.now(self.core.peer(ksock_id), "peer")
        return numbers

    def write(self, data: bytes) -> int:
        return int(self.now(self.core.write(data), "write"))

    def send(self) -> Sent:
        sent: Sent = self.now(self.core.send(), "send")
        return sent

    def send_message(self, parts: Parts) -> Sent:
        sent: Sent = self.now(self.core.send_message(parts), "send")
        return sent

    def discard(self) -> None:
        self.now(self.core.discard(), "discard")

    def wait_sent(self, deadline: Optional[float]) -> bool:
        return bool(self.run(self.core.wait_sent(), deadline))

    def call(self, parts: Parts, deadline: Optional[float], keep: bool,
             make: Callable[[Parts], T]) -> "Tuple[Optional[T], Any]":
        """What make makes of the answer, None if the time is over first, and the id of the Request.

        An exception out of a signal handler gives the call up, though the answer be here: one that is to be kept is put back.
        """
        asked: List[Query] = []
        try:
            answer, number = self.run(self.core.call(parts, keep, asked), deadline)
            return None if answer is None else make(answer), number
        except BaseException:
            if keep and asked:
                self._turns.take(self._unheard, asked[0])
            raise

    def _unheard(self, query: Query) -> None:
        if query.done and not query.given_up:
            self.core.give_up(query)

    def next(self) -> int:
        self.now(self.core.next(), "next message")
        length, self.core.untold = self.core.untold, 0
        return length  # no call between: it would be a place for a signal

    def read(self, count: int) -> bytes:
        data: bytes = self.now(self.core.read(count), "read")
        return data

    def len_left(self) -> int:
        return int(self.now(self.core.len_left(), "lenleft"))

    def receive(self, make: Callable[[Parts], T]) -> Optional[T]:
        """What make makes of the next message, or None."""
        self.now(self.core.receive(), "receive")
        return self._hand_out(make)

    def receive_wait(self, make: Callable[[Parts], T], deadline: Optional[float], before: Optional[Query] = None,
                     until: Optional[Callable[[], bool]] = None) -> Optional[T]:
        """Likewise, when there is one; None when the time is over first. before goes along, if anything goes."""
        while True:
            self.run(self.core.receive_wait(before, until), deadline)
            made = self._hand_out(make)
            if made is not None or deadline is not None and time.monotonic() >= deadline or until is not None and until():
                return made

    def answer(self, parts: Parts, make: Callable[[Parts], T], until: Callable[[], bool]) -> Optional[T]:
        """Sends a message and takes the next one, in one go; None if until() says so before there is one.

        If the message is refused, that is the KbusError. A message that was taken all the same waits for the next caller.
        """
        sending = None if self.core.inbox else self.core.lazily(parts)
        if sending is not None:
            self.run(self.core.receive_wait(sending, until))
        if sending is None or not sending.seq:
            self.send_message(parts)
        else:
            self._answered(sending)
            made = self._hand_out(make)
            if made is not None:
                return made
        return self.receive_wait(make, None, None, until)

    def _answered(self, query: Query) -> None:
        """The end of a query that went along with another: its KbusError, if it is one."""
        raise NotImplementedError

    def _hand_out(self, make: Callable[[Parts], T]) -> Optional[T]:
        """The first message of the inbox. Whatever comes in between, it is there or is returned."""
        taken: "List[Tuple[int, Parts]]" = []
        try:
            self._turns.take(self._take_first, taken)
            if not taken:
                return None
            made = make(taken[0][1])
            self._handed_out()
            return made
        except BaseException:
            if taken:
                self._turns.take(self.core.put_back, taken[0])
                self._handed_out()
            raise

    def _take_first(self, taken: "List[Tuple[int, Parts]]") -> None:
        self._finish()
        first = self.core.first()
        if first is not None:
            taken.append(first)  # from here on it may be put back, which does nothing while it is still there
            del self.core.inbox[0]
            self.core.taken()

    def _finish(self) -> None:
        """Notes what an answer means that an exception has interrupted in that. Before the inbox is looked at."""

    def _handed_out(self) -> None:
        """A message has gone out of the inbox."""
