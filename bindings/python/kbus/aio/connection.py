"""Frames for asyncio: every request is a future, found again by the sequence of its result.

What must happen when a result comes, whether or not somebody still waits for it, is done right then: the books of
Requests sent, and the messages that were taken from the queue. So a cancelled task leaves nothing undone.
"""

from __future__ import annotations

import asyncio
from typing import Callable, Dict, NamedTuple, Optional

from .. import wire
from ..conditions import BUS_GONE, CLOSED, PENDING, refusal
from ..ids import Sent


class Result(NamedTuple):
    """What a request was answered with."""

    head: wire.Header
    payload: bytes


class _Request(NamedTuple):
    what: str
    future: "asyncio.Future[Result]"
    after: Optional[Callable[[Result], None]]


class Connection(asyncio.Protocol):
    """One connection. ended is called once, when nothing more will come."""

    def __init__(self, ended: Callable[[], None]) -> None:
        self._transport: Optional[asyncio.Transport] = None
        self._waiting: Dict[int, _Request] = {}
        self._in = bytearray()
        self._seq = 0
        self._ended = ended
        self.why = 0  # the condition of everything after the end
        self.gone: "asyncio.Future[None]" = asyncio.get_running_loop().create_future()

    def ask(self, op: int, arg: int = 0, payload: bytes = b"", what: str = "",
            after: Optional[Callable[[Result], None]] = None) -> "asyncio.Future[Result]":
        """Sends a request. The future is its result, or a KbusError; after is called with every result, even if the
        future was cancelled in the meantime."""
        future: "asyncio.Future[Result]" = asyncio.get_running_loop().create_future()
        if self.why or self._transport is None:
            future.set_exception(refusal(self.why or CLOSED, what))
            return future
        self._seq = self._seq + 1 & 0xFFFFFFFF or 1
        self._waiting[self._seq] = _Request(what, future, after)
        self._transport.write(wire.frame(op, self._seq, arg, payload))
        return future

    @property
    def seq(self) -> int:
        """The sequence of the last request."""
        return self._seq

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._in += data
        at = 0
        while len(self._in) - at >= wire.HEADER_BYTES:
            head = wire.header(bytes(self._in[at:at + wire.HEADER_BYTES]))
            if head.length > wire.LONGEST and self._transport is not None:
                self._transport.abort()  # it does not speak the protocol
                return
            end = at + wire.HEADER_BYTES + head.length
            if len(self._in) < end:
                break
            self._answer(Result(head, bytes(self._in[at + wire.HEADER_BYTES:end])))
            at = end
        del self._in[:at]

    def _answer(self, result: Result) -> None:
        head = result.head
        seq = head.seq
        if head.op == wire.HELLO and seq == 0:
            seq = 1  # refused before it was heard
        request = self._waiting.pop(seq, None)
        if request is None:
            return  # the event that the bus is about to stop
        if request.after is not None:
            request.after(result)
        if request.future.done():
            return
        if not head.condition:
            request.future.set_result(result)
            return
        said = "" if head.condition == PENDING else result.payload.decode("utf-8", "replace")
        failed = refusal(head.condition, request.what, said)
        if head.condition == PENDING:
            failed.message_id = Sent(*wire.sent(result.payload))
        request.future.set_exception(failed)

    def connection_lost(self, exc: Optional[Exception]) -> None:
        self.why = self.why or BUS_GONE
        self._ended()
        for request in self._waiting.values():
            if not request.future.done():
                request.future.set_exception(refusal(self.why, request.what))
                request.future.exception()  # it need not be asked for: perhaps nobody waits
        self._waiting.clear()
        if not self.gone.done():
            self.gone.set_result(None)

    async def close(self, patience: float) -> None:
        """Says that nothing more comes, and waits until the daemon has closed too, or patience seconds."""
        self.why = self.why or CLOSED
        if self._transport is None or self.gone.done():
            return
        self._transport.write_eof()
        await asyncio.wait([self.gone], timeout=patience)
        self._transport.abort()
