"""The operations that receive: whole messages, which come into the inbox, and one message in pieces."""

from __future__ import annotations

import errno
from typing import Callable, Optional, Tuple

from . import layout, wire
from .books import NOTHING_READ, TO_END, Books
from .conditions import BUS_GONE, KbusError, refusal
from .layout import Parts
from .query import Late, Operation, Query

class Receiving(Books):
    """What a Ksock does to receive."""

    def __init__(self, mode: int, wide: bool) -> None:
        super().__init__(mode, wide)
        self._taker: Optional[Query] = None  # takes a message to be read in pieces
        self._word = b""  # what is left of a message of the inbox being read

    def receive(self) -> Operation:
        """Takes the next message into the inbox, if there is one and the inbox is empty. What is left of one being read
        in pieces is dropped, as it always was."""
        if not self.inbox and not self.lost:
            try:
                while self._reading.left and (yield from self.read(self._reading.left)):
                    pass
                self.untold, self._reading = 0, NOTHING_READ
                yield Query(wire.NEXT, what="receive")
            except KbusError as e:
                self._bus_lost(e)

    def receive_wait(self, before: Optional[Query] = None, until: Optional[Callable[[], bool]] = None) -> Operation:
        """Likewise, when there is one, or the time is over. before goes along, if anything goes; see Query for until."""
        if self._reading.left:
            yield from self.receive()
        while not self.inbox and not self.lost:
            query = Query(wire.NEXT_WAIT, what="receive")
            if before is not None and not before.seq:
                query.before = before
            if until is not None:
                query.until = until
            try:
                yield query
            except Late:
                return
            except KbusError as e:
                if e.condition == "ErrCanceled":
                    return
                self._bus_lost(e)
            finally:
                self._coming.discard(query)  # its caller looks into the inbox now

    def first(self) -> "Optional[Tuple[int, Parts]]":
        """What is to be taken out of the inbox first; ENOTCONN after the last words."""
        if self.inbox:
            return self.inbox[0]
        if self.lost:
            raise refusal(BUS_GONE, "receive")
        return None

    def _bus_lost(self, e: KbusError) -> None:
        if e.errno != errno.ENOTCONN:
            raise e
        self.lose()

    # In pieces.

    def next(self) -> Operation:
        """Takes the next message, to be read in pieces: untold is then its length in bytes, 0 if there is none.

        What was left of the message before is dropped, unless an exception came before anybody was told of it.
        """
        before = self._taker
        if before is not None and not before.done and before.seq in self.waiting:
            yield Query(wire.RESET, what="next message")  # behind the answer that nobody waits for any more
        self._taker = None
        if not self.untold:
            yield from self._next()

    def _next(self) -> Operation:
        if not self.inbox and not self.lost:
            try:
                seen = self._reading.seen
                if seen is not None and self.readable:  # what is left is about to be dropped, but may be an answer
                    yield from self.read(TO_END - len(seen))
                self._word = b""
                self._taker = taker = Query(wire.NEXT_MSG, what="next message")
                yield taker
                return
            except KbusError as e:
                self._bus_lost(e)
        entry = self.first()
        assert entry is not None
        self._reading = NOTHING_READ
        word = layout.to_entire(entry[1], self.wide)
        length = len(word)
        self._word = word  # no call from here on
        self.untold = length
        del self.inbox[0]

    def read(self, count: int) -> Operation:
        """The next bytes of the message taken, at most count; none when it is at its end, or when none was taken."""
        if self._word or self.lost:
            data, self._word = self._word[:count], self._word[count:]
            return data
        return (yield Query(wire.READ, count, what="read")).payload

    def len_left(self) -> Operation:
        """How many bytes of the message taken were not read yet; 0 if there is none."""
        if self._word or self.lost:
            return len(self._word)
        return (yield Query(wire.LEN_LEFT, what="lenleft")).arg
