"""Repliers as functions.

    service = Service()

    @service.replier('$.Lamp.Set')
    def set_lamp(request):
        return 'the lamp is ' + request.data.decode()

    with Ksock(0) as ksock:
        service.serve(ksock)

A handler gets the Request and gives the data of the Reply: None, str, bytes, or a whole Reply. An exception in it ends
serving; when the Ksock then closes the Request gets the Status `$.KBUS.Replier.Ignored`, so its sender knows. With
asyncio, see kbus.aio.serve.
"""

from __future__ import annotations

import contextlib
import errno
import select
from typing import Any, Callable, Dict, Iterator, List, Optional, TypeVar

from . import names, wake
from .conditions import KbusError
from .devicedoor import DeviceDoor
from .kinds import reply_to
from .ksock import Ksock
from .message import Message

Handler = Callable[[Message], Any]
H = TypeVar("H", bound=Handler)


class Stop:
    """Whether one serve() is to return, and what wakes it then."""

    def __init__(self, poke: Callable[[], Any]) -> None:
        self.poke = poke
        self.asked = False

    def is_asked(self) -> bool:
        return self.asked


class Service:
    """Handlers of Requests by name, and perhaps one for all other messages."""

    def __init__(self) -> None:
        self._repliers: Dict[str, Handler] = {}
        self._otherwise: Optional[Handler] = None
        self._stops: List[Stop] = []  # of all that serve
        self.stopped = False
        """Whether stop() was called, and nobody has stopped for it yet."""

    def replier(self, name: str) -> Callable[[H], H]:
        """Decorates the handler of Requests to a name, which may end in a wildcard. ValueError if it has one."""
        if name in self._repliers:
            raise ValueError("{} has a handler already".format(name))

        def register(handler: H) -> H:
            self._repliers[name] = handler
            return handler
        return register

    def otherwise(self, handler: H) -> H:
        """Decorates the handler of all messages that are no Request for one of the repliers."""
        self._otherwise = handler
        return handler

    @property
    def bindings(self) -> "list[str]":
        """The names that have a handler."""
        return list(self._repliers)

    def stop(self) -> None:
        """Lets serve return: at once if it waits, else after the message that is being handled; in all threads and tasks that
        serve. From any thread, task and signal handler. Before serve was called it lets that return."""
        self.stopped = True
        for stop in list(self._stops):
            stop.asked = True
            stop.poke()

    @contextlib.contextmanager
    def stops(self, poke: Callable[[], Any]) -> Iterator[Stop]:
        """For one serve(): stop() asks what this gives, and calls poke. What was stopped can be served again afterwards."""
        stop = Stop(poke)
        self._stops.append(stop)
        if self.stopped:
            stop.asked = True
        try:
            yield stop
        finally:
            self._stops.remove(stop)
            self.stopped = False

    def handler(self, msg: Message) -> Optional[Handler]:
        """Whose message it is: of handlers whose names match a Request, the one that the bus would choose."""
        if not msg.wants_us_to_reply():
            return self._otherwise
        name = msg.name
        exact = self._repliers.get(name)
        if exact is not None:
            return exact
        best = names.best(self._repliers, name)
        return self._otherwise if best is None else self._repliers[best]

    @staticmethod
    def reply(msg: Message, result: Any) -> Optional[Message]:
        """What a handler's result makes of a message: the Reply to send, or None if the message needs none."""
        if not msg.wants_us_to_reply():
            return None
        return result if isinstance(result, Message) else reply_to(msg, result)

    def serve(self, ksock: Ksock) -> None:
        """Binds ksock as Replier to all names that it is not yet bound to, and handles messages until stop() is called or the bus is lost."""
        awake = wake.Wake()
        polled = isinstance(ksock._open, DeviceDoor)
        with self.stops(awake.set if polled else ksock._poke) as stop:
            if stop.asked:
                return
            for name in self._repliers:
                if (name, True) not in ksock._memory.bindings:  # it may have been served before
                    ksock.bind(name, replier=True)
            if polled:
                self._serve_polled(ksock, stop, awake)
            else:
                self._serve(ksock, stop)

    def _serve(self, ksock: Ksock, stop: Stop) -> None:
        reply: Optional[Message] = None  # travels with the question for the next message
        while not stop.asked:
            try:
                msg = ksock._next_after(reply, stop.is_asked)
            except KbusError as e:
                if reply is None or not moot(e):
                    raise
                reply = None
            else:
                reply = None if msg is None else self._answer(msg)
        _send(ksock, reply)

    def _serve_polled(self, ksock: Ksock, stop: Stop, awake: wake.Wake) -> None:
        ready = select.poll()
        ready.register(awake.fd, select.POLLIN)
        ready.register(ksock, select.POLLIN)
        while not stop.asked:
            msg = ksock.read_next_msg()
            if msg is None:
                ready.poll()
            else:
                _send(ksock, self._answer(msg))

    def _answer(self, msg: Message) -> Optional[Message]:
        handler = self.handler(msg)
        return None if handler is None else self.reply(msg, handler(msg))


def _send(ksock: Ksock, reply: Optional[Message]) -> None:
    if reply is not None:
        try:
            ksock.send_msg(reply)
        except KbusError as e:
            if not moot(e):
                raise


def moot(e: KbusError) -> bool:
    """Whether a Reply failed because its Request is over, or because it waits for room; serving goes on after either."""
    return e.errno in (errno.EADDRNOTAVAIL, errno.ECONNREFUSED, errno.EAGAIN)
