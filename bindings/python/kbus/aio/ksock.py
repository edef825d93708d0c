"""The Ksock of asyncio."""

from __future__ import annotations

import asyncio
import errno
import inspect
import warnings
from types import TracebackType
from typing import Any, Callable, Dict, List, Optional, Type, Union

from .. import endpoint, forks, wire
from ..cards import decoded_card, encoded_card
from ..conditions import CLOSED, KbusError, error, refusal
from ..core import Core
from ..given import as_replier, need_message
from ..ids import MessageId, Sent
from ..ksock import unanswered
from ..message import Message
from ..names import STATUS_PREFIX
from ..peer import Peer
from ..query import Late, Operation, Query
from ..reopen import Memory, Reopened, encoded as _encoded
from ..serving import Service, moot
from ..socketdoor import PATIENCE, make_socket, no_answer, welcomed
from .connection import Connection
from .reach import deadline_in

MODES = {"r": wire.MODE_READ, "rw": wire.MODE_READ | wire.MODE_WRITE}


async def open_ksock(which: Union[int, str] = 0, mode: str = "rw", *, timeout: Optional[float] = None) -> "Ksock":
    """Opens bus which through its daemon's socket, for reading ('r') or for both ('rw'), within timeout seconds (else 5)."""
    bits = MODES.get(mode)
    if bits is None:
        raise ValueError("Ksock mode should be 'r' or 'rw', not '{}'".format(mode))
    where = endpoint.find(which)
    if where.is_device:
        raise ValueError("{}: asyncio needs the daemon's socket; a Ksock of a device has a fileno()".format(where.path))
    ksock = Ksock(where, bits)
    await ksock._begin(timeout)
    return ksock


class Ksock:
    """One user of a bus; made by open_ksock. kbus.Ksock says what the methods do and fail with.

    Each operation that is answered at once may be given a limit by asyncio.wait_for.
    """

    def __init__(self, where: endpoint.Endpoint, bits: int, features: int = wire.MODERN) -> None:
        self._where = where
        self._bits = bits
        self._features = features
        self._core = Core(bits)
        self._wire: Optional[Connection] = None
        self._memory = Memory()
        self._attempted: Optional[Connection] = None  # of reopen(), that runs or was given up
        self._reopening: "Optional[asyncio.Future[None]]" = None  # done when the task that reopens is done

    async def _begin(self, timeout: Optional[float]) -> None:
        """Opens it."""
        connection = self._new_connection()
        await self._greet(connection, timeout)
        self._use(connection)

    def _new_connection(self) -> Connection:
        return forks.at_once(lambda: Connection(Core(self._bits), make_socket(self._where.path)))

    async def _greet(self, connection: Connection, timeout: Optional[float]) -> None:
        """Makes a connection a Ksock of the bus. If that fails, or another task closes it, nothing is left."""
        path, limit = self._where.path, PATIENCE if timeout is None else timeout
        core = connection.core
        try:
            deadline = deadline_in(limit)
            await connection.begin(path, deadline, limit)
            try:
                hello = await connection.perform(Query(wire.HELLO, self._bits, wire.hello(self._features), "open " + path),
                                                 deadline)
            except Late:
                raise no_answer(path, limit) from None
            core.ksock_id = hello.arg
            core.most = welcomed(path, hello.payload, core)
        except BaseException as e:
            closed = connection.frames.why == CLOSED
            connection.abort()
            if closed and isinstance(e, KbusError):
                raise refusal(CLOSED, "open " + path) from None
            raise

    def _use(self, connection: Connection) -> None:
        self._core, self._wire = connection.core, connection

    @property
    def _open(self) -> Connection:
        assert self._wire is not None
        return self._wire

    @property
    def ksock_id(self) -> int:
        """Our id on the bus."""
        return self._core.ksock_id

    async def _run(self, operation: Operation, deadline: Optional[float] = None, connection: Optional[Connection] = None) -> Any:
        """What an operation of the core gives."""
        answer: Any = None
        failed: List[Exception] = []  # as in Door.run
        connection = connection or self._open
        while True:
            try:
                query = operation.throw(failed.pop()) if failed else operation.send(answer)
            except StopIteration as end:
                given = end.value
                break
            answer = None
            try:
                answer = await connection.perform(query, deadline)
            except (KbusError, Late) as e:
                failed.append(e)
        return given

    async def __aenter__(self) -> "Ksock":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException],
                        where: Optional[TracebackType]) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the Ksock; tasks that wait in it get EBADF."""
        attempted = self._attempted
        try:
            await self._open.close(PATIENCE)
        finally:
            if attempted is not None:
                await attempted.close(PATIENCE)

    def __del__(self) -> None:
        attempted, connection = getattr(self, "_attempted", None), getattr(self, "_wire", None)
        if attempted is not None:
            attempted.drop()
        if connection is not None and connection.drop():  # last: it may be an exception
            warnings.warn("unclosed {!r}".format(self), ResourceWarning, source=self)

    async def reopen(self, timeout: Optional[float] = None) -> Reopened:
        """Opens the Ksock anew after the loss of the bus, as kbus.Ksock.reopen.

        Until it has succeeded the Ksock is as before, also when the task is cancelled.
        """
        deadline = deadline_in(timeout)
        self._open.check("reopen")
        while self._reopening is not None:  # another task is at it
            await self._soon(self._reopening, deadline, timeout)
        self._reopening = asyncio.get_running_loop().create_future()
        try:
            return await self._attempt(timeout, deadline)
        except Late:
            raise error(errno.ETIMEDOUT, "reopen: the bus has not answered in {:g} s".format(timeout or 0)) from None
        finally:
            self._reopening.set_result(None)
            self._reopening = None

    async def _attempt(self, timeout: Optional[float], deadline: Optional[float]) -> Reopened:
        old, loop = self._open, asyncio.get_running_loop()
        try:
            await self._run(old.core.reset(), deadline)
            return Reopened(old.core.ksock_id, old.core.ksock_id, [], [])
        except KbusError as e:
            if e.condition != "ErrBusGone":
                raise
        if self._attempted is not None:
            await self._soon(self._attempted.gone, deadline, timeout)
        self._attempted = new = self._new_connection()  # where a task that closes the Ksock finds it
        try:
            old.check("reopen")
            await self._greet(new, timeout if deadline is None else max(0.0, deadline - loop.time()))
            bound, failed = await self._run(self._memory.restore(new.core), deadline, new)
            old.check("reopen")
        except BaseException:
            new.hang_up()
            raise
        new.core.inherit(old.core)
        self._use(new)
        self._attempted = None
        self._memory.restored(bound)
        return Reopened(old.core.ksock_id, new.core.ksock_id, bound, failed)

    async def _soon(self, event: "asyncio.Future[None]", deadline: Optional[float], timeout: Optional[float]) -> None:
        """Waits for what another task, or the daemon, will have done."""
        left = None if deadline is None else max(0.0, deadline - asyncio.get_running_loop().time())
        await asyncio.wait([event], timeout=left)
        if not event.done():
            raise error(errno.ETIMEDOUT, "reopen: an earlier one is not over yet, after {:g} s".format(timeout or 0))

    def __repr__(self) -> str:
        return "<kbus.aio.Ksock {} id {}>".format(self._where.name, self.ksock_id)

    # Operations that are answered at once.

    async def bind(self, name: Union[str, bytes], replier: bool = False) -> None:
        await self._run(self._core.bind(_encoded(name), as_replier(replier)))
        self._memory.bound(name, replier)

    async def stand_by(self, name: Union[str, bytes]) -> None:
        """Binds as Replier if there is none; else stands by, to become the Replier when that one goes."""
        await self._run(self._core.stand_by(_encoded(name)))
        self._memory.stands_by(name)

    async def unbind(self, name: Union[str, bytes], replier: bool = False) -> None:
        await self._run(self._core.unbind(_encoded(name), as_replier(replier)))
        self._memory.unbound(name, replier)

    async def describe(self, name: Union[str, bytes], *, description: str = "", content_type: str = "", schema: Any = None) -> None:
        """Attaches a card to a name, as kbus.Ksock.describe."""
        await self._run(self._core.describe(_encoded(name), encoded_card(description, content_type, schema)))

    async def card(self, name: Union[str, bytes]) -> Optional[Dict[str, Any]]:
        """What the Replier of a name says of it, as kbus.Ksock.card."""
        return decoded_card(await self._run(self._core.card(_encoded(name))))

    async def find_replier(self, name: Union[str, bytes]) -> Optional[int]:
        return (await self._run(self._core.replier(_encoded(name)))) or None

    async def send(self, msg: Message) -> Sent:
        """Sends a message, as kbus.Ksock.send_msg."""
        need_message(msg, "Announcement")
        sent: Sent = await self._run(self._core.send_message(msg.parts))
        return sent

    async def discard(self) -> None:
        """Drops the message that waits for room, if one does."""
        await self._run(self._core.discard())

    async def wait_sent(self) -> None:
        """Waits until no message of this Ksock waits for room."""
        await self._run(self._core.wait_sent())

    async def last_msg_id(self) -> MessageId:
        last: MessageId = await self._run(self._core.last_sent())
        return last

    async def value(self, op: str, number: int = 0) -> int:
        """nummsgs, unrepliedto, maxmsgs, msgonlyonce, verbose, reportreplierbinds, maxmsgsize or newdevice (part 3)."""
        value = int(await self._run(self._core.value(op, number)))
        if op == "maxmsgs" and number:
            self._memory.max_messages = number
        if op == "msgonlyonce" and number in (0, 1):
            self._memory.only_once = bool(number)
        return value

    async def missed(self) -> int:
        """How many messages this Ksock did not get because its queue was full, since it was opened."""
        return int((await self._run(self._core.missed()))[1])

    async def peer(self, sender: Union[Message, int]) -> Peer:
        """The process that sent a message, or that has a Ksock id, as kbus.Ksock.peer."""
        number = sender if isinstance(sender, int) else sender.from_
        uid, gid, pid, state, program = await self._run(self._core.peer(number))
        return Peer(number, uid, gid, pid, program, bool(state & 1))

    # Receiving. There are as many NextWaits outstanding as tasks wait. What they bring goes to the inbox, and tasks take
    # it from there in the order in which they are woken: so it does not matter which of them is cancelled, or when.

    async def receive(self) -> Message:
        """The next message, when there is one."""
        msg = await self._receive()
        assert msg is not None
        return msg

    async def _receive(self, until: Optional[Callable[[], bool]] = None) -> Optional[Message]:
        """Likewise; None if until() says so before there is one. Taken and returned in one step: no task is cancelled between."""
        self._open.check("receive")
        while True:
            core = self._core
            first = core.first()
            if first is not None:
                try:
                    del core.inbox[0]
                    core.taken()
                    return Message.from_parts(first[1])
                except BaseException:  # out of a signal handler
                    core.put_back(first)
                    raise
            if until is not None and until():
                return None
            await self._run(core.receive_wait(None, until))

    def __aiter__(self) -> "Ksock":
        return self

    async def __anext__(self) -> Message:
        """Messages for ever: the iteration ends by the loss of the bus, as a KbusError, and by nothing else."""
        return await self.receive()

    async def call(self, request: Message, timeout: Optional[float] = None, *, keep_late_answer: bool = False) -> Message:
        """Sends a Request, waits for its Reply and gives that; NoReply if a Status comes instead.

        TimeoutError after timeout seconds. Then, and when the task is cancelled, the call is given up, and the bus drops
        the answer when it comes, unless keep_late_answer: then it comes to the queue.
        """
        need_message(request, "Request")
        if not request.is_request():
            raise ValueError("{} is no Request: nobody would answer it".format(request))
        parts, number = await self._run(self._core.call(request.parts, keep_late_answer), deadline_in(timeout))
        answer = None if parts is None else Message.from_parts(parts)
        if answer is None or answer.name.startswith(STATUS_PREFIX):
            raise unanswered(request, timeout, answer, number)
        return answer


async def serve(ksock: Ksock, service: Service) -> None:
    """Serves as service.serve does; handlers may be coroutines. Messages are handled one after the other."""
    loop = asyncio.get_running_loop()
    with service.stops(lambda: loop.call_soon_threadsafe(ksock._core.poke)) as stop:
        for name in service.bindings:
            if not stop.asked and (name, True) not in ksock._memory.bindings:
                await ksock.bind(name, replier=True)
        while not stop.asked:
            msg = await ksock._receive(stop.is_asked)
            if msg is not None:
                await _handle(ksock, service, msg)


async def _handle(ksock: Ksock, service: Service, msg: Message) -> None:
    handler = service.handler(msg)
    if handler is None:
        return
    result = handler(msg)
    reply = service.reply(msg, await result if inspect.isawaitable(result) else result)
    if reply is not None:
        try:
            await ksock.send(reply)
        except KbusError as e:
            if not moot(e):
                raise

