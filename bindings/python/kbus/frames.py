"""Queries as frames, and frames as answers: what a connection carries, without the connection.

Frames to be sent wait here as bytes, and how many of them have gone is what the kernel has said, in a list to which it
was added by the very call that sent them. Bytes that have come are a list likewise. So an exception out of a signal
handler cannot come between: there is no moment in which bytes are gone and not counted. A frame is understood when all
of it is there, and is removed only after what it means is noted (core.perform); until then it can be begun again.

Bytes may be asked for one frame at a time and never ahead: need() says how many. A program that looks at the descriptor
wants that, since what is left in the socket is what makes it readable. Others read as much as has come.
"""

from __future__ import annotations

import struct
from typing import List, Optional

from . import wire
from .conditions import BUS_GONE, refusal
from .core import Core
from .query import Answer, Query

_LENGTH = struct.Struct("<I").unpack_from
_HEADER = wire.HEADER.unpack_from
_HEADER_BYTES = wire.HEADER_BYTES


class _Out:
    """Bytes to be sent, from a place in the stream on, and how many were, in each call."""

    __slots__ = ("data", "start", "counts")

    def __init__(self, data: bytes, start: int) -> None:
        self.data = data
        self.start = start
        self.counts: List[int] = []


class _In:
    """Bytes that have come: where they begin in all that ever came, how many of them are digested, and the pieces that
    came after them."""

    __slots__ = ("data", "start", "at", "pieces", "wanted")

    def __init__(self, data: bytes, start: int) -> None:
        self.data = data
        self.start = start
        self.at = 0
        self.pieces: List[bytes] = []
        self.wanted = _HEADER_BYTES  # with so many bytes more can be said about the frame that is coming


class Frames:
    """One connection's."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._in = _In(b"", 0)
        self._out = _Out(b"", 0)
        self._seq = 0
        self.why = 0  # the condition of everything from now on
        self.words = ""

    # Asking.

    def queue(self, query: Query) -> None:
        """Numbers a query and lets its frame wait to be sent."""
        self._seq = seq = self._seq + 1 & 0xFFFFFFFF or 1  # 0 is for events
        query.seq = seq
        if self.why:
            self._fail(query)
            return
        out = self._out
        frame = wire.frame(query.op, seq, query.arg, query.payload, query.flags)
        gone = sum(out.counts)
        query.at = out.start + len(out.data)
        longer = _Out(out.data[gone:] + frame if gone < len(out.data) else frame, out.start + gone)
        self.core.waiting[seq] = query  # no call between these
        self._out = longer

    def rest(self) -> "bytes | memoryview":
        """The bytes that are to be sent now."""
        out = self._out
        return memoryview(out.data)[sum(out.counts):] if out.counts else out.data

    @property
    def counts(self) -> List[int]:
        """A list: each send of a part of the rest appends how many bytes went."""
        return self._out.counts

    def waits(self) -> bool:
        """Whether something is to be sent."""
        out = self._out
        return sum(out.counts) < len(out.data)

    def take_rest(self) -> bytes:
        """All that is to be sent, for a caller that sends all of it."""
        rest = bytes(self.rest())
        self._out = _Out(b"", self._out.start + len(self._out.data))
        return rest

    def unsend(self, query: Query) -> bool:
        """Takes a query back of which no byte has gone, if nothing was asked after it. Tells whether it could."""
        out = self._out
        if query.done or query.seq != self._seq or out.start + sum(out.counts) > query.at:
            return False
        self._out = _Out(out.data[sum(out.counts):query.at - out.start], out.start + sum(out.counts))
        self.core.waiting.pop(query.seq, None)
        return True

    # Being answered.

    @property
    def arrived(self) -> List[bytes]:
        """A list: whoever reads appends to it what has come."""
        return self._in.pieces

    def idle(self) -> bool:
        """Whether nothing of a frame is here."""
        came = self._in
        return not came.pieces and came.at == len(came.data)

    def need(self) -> int:
        """How many bytes are missing of the frame that is coming; 0: digest it."""
        came = self._in
        if came.pieces:
            have = len(came.data) - came.at + sum(map(len, came.pieces))
            if have < came.wanted:
                return came.wanted - have
            came = self._join(came)
        have = len(came.data) - came.at
        if have < _HEADER_BYTES:
            return _HEADER_BYTES - have
        length: int = _LENGTH(came.data, came.at)[0]
        if length > wire.LONGEST:
            self.end(BUS_GONE, "it sent a frame of {} bytes".format(length))
            return _HEADER_BYTES
        came.wanted = _HEADER_BYTES + length
        return max(0, came.wanted - have)

    def _join(self, came: _In) -> _In:
        if came.at == len(came.data):
            data = came.pieces[0] if len(came.pieces) == 1 else b"".join(came.pieces)
        else:
            data = b"".join((came.data[came.at:], *came.pieces))
        self._in = joined = _In(data, came.start + came.at)
        return joined

    def digest(self, mine: Optional[Query] = None) -> bool:
        """Notes what the complete frame means, and wakes the caller that waits for it, unless its query is mine. Gives whether
        there is more."""
        came = self._in
        data, at, core = came.data, came.at, self.core
        length, op, _, condition, seq, arg = _HEADER(data, at)
        begin = at + _HEADER_BYTES
        end = begin + length
        core.count = came.start + at  # the same, if this is done again
        if op == wire.HELLO and seq == 0:
            seq = 1  # refused before it was read
        query = None if op == wire.STOPPING else core.waiting.get(seq)
        if query is not None:
            payload = data[begin:end]
            wire.check(query.op, condition, payload)
            core.perform(query, Answer(condition, arg, payload))
            if query is not mine and query.notify is not None:
                query.notify()
            core.waiting.pop(seq, None)
        if core.owed:
            for owed in core.owed:
                self.queue(owed)
            core.owed = []
        if end == len(data) and not came.pieces:
            self._in = _In(b"", core.count + end - at)
            return False
        came.wanted = _HEADER_BYTES
        came.at = end
        return True

    def feed(self, data: bytes) -> None:
        """Bytes that have come, however many."""
        self.arrived.append(data)
        while not self.need() and not self.why:
            self.digest()

    # The end.

    def end(self, why: int, words: str = "") -> None:
        """Nothing more comes: everything that waits fails."""
        if not self.why:
            self.words = words
            self.why = why
        if self.why == BUS_GONE:
            self.core.lose()
        for query in list(self.core.waiting.values()):
            self._fail(query)
            if query.notify is not None:
                query.notify()
        self.core.waiting.clear()

    def _fail(self, query: Query) -> None:
        if not query.done:
            query.orphaned = self.why == BUS_GONE and query.seq in self.core.waiting
            query.failure = refusal(self.why, query.what, self.words)
            query.done = True
