"""The Ksock of asyncio."""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from types import TracebackType
from typing import Deque, Dict, List, Optional, Tuple, Type, Union

from .. import layout, place, wire
from ..asked import Asked, Id
from ..conditions import CANCELED, NO_SUCH_BUS, PENDING, KbusError, NoReply, refusal
from ..ids import MessageId, Sent
from ..layout import Parts
from ..message import Message
from ..names import MAX_NAME_LEN, STATUS_PREFIX
from ..serving import Service, moot
from ..socketdoor import VALUES
from .connection import Connection, Result

_PATIENCE = 5.0  # seconds that a daemon may take to say hello, or to let go

_TOO_LONG = MAX_NAME_LEN + 1  # bytes of a name: then the bus says what is wrong

_Call = Tuple[Id, "asyncio.Future[Parts]"]


async def open_ksock(which: Union[int, str] = 0, mode: str = "rw") -> "Ksock":
    """Opens bus which through its daemon's socket, for reading ('r') or for both ('rw')."""
    bits = {"r": wire.MODE_READ, "rw": wire.MODE_READ | wire.MODE_WRITE}.get(mode)
    if bits is None:
        raise ValueError("Ksock mode should be 'r' or 'rw', not '{}'".format(mode))
    where = place.find(which)
    if where.is_device:
        raise ValueError("{}: asyncio needs the daemon's socket; a Ksock of a device has a fileno()".format(where.path))
    ksock = Ksock(where)
    await ksock._connect(bits)
    return ksock


class Ksock:
    """One user of a bus; made by open_ksock. What the methods do, and fail with, is told at kbus.Ksock."""

    def __init__(self, where: place.Place) -> None:
        self._where = where
        self._asked = Asked()
        self._pending: Optional[Id] = None
        self._inbox: Deque[Parts] = deque()  # taken from the queue, and nobody waited any more
        self._receivers: "Deque[asyncio.Future[Parts]]" = deque()
        self._nexts: List[int] = []  # sequences of the NextWaits that are to bring something
        self._calls: Dict[int, _Call] = {}
        self._lost = False
        self.ksock_id = 0

    async def _connect(self, mode: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, self._wire = await loop.create_unix_connection(lambda: Connection(self._end), self._where.path)
        except (FileNotFoundError, ConnectionRefusedError):
            raise refusal(NO_SUCH_BUS, "open " + self._where.path,
                          "nobody listens there; is kbusd running?") from None
        try:
            hello = await asyncio.wait_for(self._wire.ask(wire.HELLO, mode, wire.hello(), "open"), _PATIENCE)
        except BaseException:
            await self._wire.close(0)
            raise
        self.ksock_id = hello.head.arg
        self._most = wire.welcome(hello.payload)[1]

    async def __aenter__(self) -> "Ksock":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                        where: Optional[TracebackType]) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the Ksock; whoever waits gets EBADF."""
        self._asked = Asked()
        await self._wire.close(_PATIENCE)

    def __repr__(self) -> str:
        return "<kbus.aio.Ksock {} id {}>".format(self._where.name, self.ksock_id)

    # Operations that are answered at once.

    async def bind(self, name: str, replier: bool = False) -> None:
        await self._wire.ask(wire.BIND, int(replier), _cut(name), "bind " + name)

    async def unbind(self, name: str, replier: bool = False) -> None:
        await self._wire.ask(wire.UNBIND, int(replier), _cut(name), "unbind " + name)

    async def find_replier(self, name: str) -> Optional[int]:
        return (await self._wire.ask(wire.REPLIER, 0, _cut(name), "find the Replier of " + name)).head.arg or None

    async def send(self, msg: Message) -> Sent:
        """Sends a message, as kbus.Ksock.send_msg."""
        parts = msg.parts
        cut = Parts(parts.numbers, parts.name[:_TOO_LONG], parts.data[:self._most])
        after = self._note if msg.is_request() else None
        return wire.sent((await self._wire.ask(wire.SEND_MESSAGE, 0, wire.message(cut), "send " + msg.name,
                                               after)).payload)

    def _note(self, result: Result) -> None:
        sent = wire.sent(result.payload) if result.head.condition in (0, PENDING) else None
        if sent is not None:
            key = sent.network_id, sent.serial_num
            self._asked.add(key)
            self._pending = key if result.head.condition else self._pending

    async def discard(self) -> None:
        """Drops the message that waits for room, if one does."""
        poll = self._wire.ask(wire.POLL, what="discard")
        poll.add_done_callback(_seen)
        await self._wire.ask(wire.DISCARD, what="discard")
        if self._pending is not None and not (await poll).head.arg & 2:
            self._asked.remove(self._pending)
        self._pending = None

    async def wait_sent(self) -> None:
        """Waits until no message of this Ksock waits for room."""
        await self._wire.ask(wire.WAIT_SENT, what="wait until sent")

    async def last_msg_id(self) -> MessageId:
        return MessageId(*wire.sent((await self._wire.ask(wire.LAST_SENT, what="last message id")).payload))

    async def value(self, op: str, number: int = 0) -> int:
        """nummsgs, unrepliedto, maxmsgs, msgonlyonce, verbose, reportreplierbinds, maxmsgsize or newdevice (part 3)."""
        return (await self._wire.ask(VALUES[op], number, what=op)).head.arg

    # Receiving. There are as many NextWaits outstanding as tasks wait, and what one brings goes to the oldest of them.

    async def receive(self) -> Message:
        """The next message, when there is one."""
        self._no_reader_lost()
        future: "asyncio.Future[Parts]" = asyncio.get_running_loop().create_future()
        self._receivers.append(future)
        self._hand_out()
        try:
            return Message.from_parts(await future)
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._inbox.appendleft(future.result())  # it came in the same moment
            self._hand_out()
            raise

    def __aiter__(self) -> "Ksock":
        return self

    async def __anext__(self) -> Message:
        """Messages for ever: the iteration ends by the loss of the bus, as a KbusError, and by nothing else."""
        return await self.receive()

    def _no_reader_lost(self) -> None:
        if self._lost and not self._inbox:
            raise refusal(self._wire.why, "receive")

    def _hand_out(self) -> None:
        """Gives what is there to those who wait, and asks for as many messages as are still waited for."""
        while True:
            while self._receivers and self._receivers[0].done():
                self._receivers.popleft()
            if not self._receivers or not self._inbox:
                break
            self._receivers.popleft().set_result(self._inbox.popleft())
        waiting = sum(not f.done() for f in self._receivers)
        while len(self._nexts) > waiting:
            self._wire.ask(wire.CANCEL, self._nexts.pop(), what="cancel").add_done_callback(_seen)
        while len(self._nexts) < waiting and not self._lost:
            self._ask_next()

    def _ask_next(self) -> None:
        def came(result: Result) -> None:
            if seq in self._nexts:
                self._nexts.remove(seq)
            if not result.head.condition:
                self._take(next(wire.messages(result.payload)))
            elif result.head.condition != CANCELED:
                self._fail(refusal(result.head.condition, "receive"))
        self._wire.ask(wire.NEXT_WAIT, what="receive", after=came).add_done_callback(_seen)
        seq = self._wire.seq
        self._nexts.append(seq)

    def _take(self, parts: Parts) -> None:
        n = parts.numbers
        self._asked.settle((n[layout.REPLY_ID], n[layout.REPLY_SERIAL]), n[layout.TO], self.ksock_id)
        self._inbox.append(parts)
        self._hand_out()

    def _fail(self, error: KbusError) -> None:
        while self._receivers:
            future = self._receivers.popleft()
            if not future.done():
                future.set_exception(error)

    # Calls.

    async def call(self, request: Message, timeout: Optional[float] = None) -> Message:
        """Sends a Request, waits for its Reply and gives that; NoReply if a Status comes instead.

        TimeoutError after timeout seconds: the answer then comes to the queue, as it does when the task is cancelled.
        """
        if not request.is_request():
            raise ValueError("{} is no Request: nobody would answer it".format(request))
        try:
            parts = await asyncio.wait_for(self._call(request), timeout)
        except asyncio.TimeoutError:
            raise TimeoutError("no answer to {} in {} s".format(request.name, timeout)) from None
        reply = Message.from_parts(parts)
        if reply.name.startswith(STATUS_PREFIX):
            raise NoReply(reply)
        return reply

    async def _call(self, request: Message) -> Parts:
        try:
            sent = await self.send(request)
        except KbusError as e:
            if e.message_id is None:
                raise
            sent = e.message_id  # it waits for room, and so do we
        answer: "asyncio.Future[Parts]" = asyncio.get_running_loop().create_future()

        def came(result: Result) -> None:
            self._calls.pop(seq, None)
            if result.head.condition:
                if not answer.done():
                    answer.set_exception(refusal(result.head.condition, "call"))
                return
            parts = next(wire.messages(result.payload))
            if answer.done():
                self._take(parts)  # too late for the call
                return
            n = parts.numbers
            self._asked.settle((n[layout.REPLY_ID], n[layout.REPLY_SERIAL]), n[layout.TO], self.ksock_id)
            answer.set_result(parts)

        key = sent.network_id, sent.serial_num
        asked = self._wire.ask(wire.NEXT_REPLY, 1, wire.id_bytes(*key), "call", came)
        asked.add_done_callback(_seen)
        seq = self._wire.seq
        self._calls[seq] = key, answer
        if asked.done() and not answer.done():  # the bus was lost in between
            self._last_word(seq)
        try:
            return await answer
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled() and answer.exception() is None:
                self._inbox.appendleft(answer.result())
                self._hand_out()
            self._wire.ask(wire.CANCEL, seq, what="cancel").add_done_callback(_seen)
            raise

    # The end.

    def _end(self) -> None:
        """The connection has ended. Requests that the bus had accepted get their Status: first those of calls."""
        self._lost = True
        self._nexts.clear()
        self._inbox.extend(self._asked.statuses(self.ksock_id))
        for seq in list(self._calls):
            self._last_word(seq)
        self._hand_out()
        self._fail(refusal(self._wire.why, "receive"))

    def _last_word(self, seq: int) -> None:
        key, answer = self._calls.pop(seq)
        for parts in self._inbox:
            if parts.numbers[layout.REPLY_ID:layout.REPLY_SERIAL + 1] == key and not answer.done():
                self._inbox.remove(parts)
                answer.set_result(parts)
                return
        if not answer.done():
            answer.set_exception(refusal(self._wire.why, "call"))


async def serve(ksock: Ksock, service: Service) -> None:
    """Serves as service.serve does; handlers may be coroutines. Messages are handled one after the other."""
    for name in service.bindings:
        await ksock.bind(name, replier=True)
    async for msg in ksock:
        handler = service.handler(msg)
        if handler is None:
            continue
        result = handler(msg)
        reply = service.reply(msg, await result if inspect.isawaitable(result) else result)
        if reply is not None:
            try:
                await ksock.send(reply)
            except KbusError as e:
                if not moot(e):
                    raise


def _cut(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")[:_TOO_LONG]


def _seen(future: "asyncio.Future[Result]") -> None:
    """Nobody waits for that future: what its result means is done by its `after`."""
    if not future.cancelled():
        future.exception()
