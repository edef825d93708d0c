"""Repliers as functions.

    service = Service()

    @service.replier('$.Lamp.Set')
    def set_lamp(request):
        return 'the lamp is ' + request.data.decode()

    with Ksock(0) as ksock:
        service.serve(ksock)

A handler gets the Request and gives the data of the Reply: None, str, bytes, or a whole Reply. An exception in it ends
serving; when the Ksock then closes the Request gets the Status `$.KBUS.Replier.Ignored`, so whoever asked is told. With
asyncio, see kbus.aio.serve.
"""

from __future__ import annotations

import errno
from typing import Any, Callable, Dict, Optional, TypeVar

from . import names
from .conditions import KbusError
from .kinds import reply_to
from .ksock import Ksock
from .message import Message

Handler = Callable[[Message], Any]
H = TypeVar("H", bound=Handler)


class Service:
    """Handlers of Requests by name, and perhaps one for all other messages."""

    def __init__(self) -> None:
        self._repliers: Dict[str, Handler] = {}
        self._otherwise: Optional[Handler] = None
        self._stopped = False

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
        """Lets serve return after the message that is being handled."""
        self._stopped = True

    def handler(self, msg: Message) -> Optional[Handler]:
        """Whose message it is: of handlers whose names match a Request, the one that the bus would choose."""
        name = names.best(self._repliers, msg.name) if msg.wants_us_to_reply() else None
        return self._otherwise if name is None else self._repliers[name]

    @staticmethod
    def reply(msg: Message, result: Any) -> Optional[Message]:
        """What a handler's result makes of a message: the Reply to send, or None if nobody waits for one."""
        if not msg.wants_us_to_reply():
            return None
        return result if isinstance(result, Message) else reply_to(msg, result)

    def serve(self, ksock: Ksock) -> None:
        """Binds ksock as Replier to all names, and handles messages until stop() is called or the bus is lost."""
        for name in self._repliers:
            ksock.bind(name, replier=True)
        self._stopped = False
        while not self._stopped:
            msg = ksock.wait_for_msg()
            handler = None if msg is None else self.handler(msg)
            if msg is None or handler is None:
                continue
            reply = self.reply(msg, handler(msg))
            if reply is not None:
                try:
                    ksock.send_msg(reply)
                except KbusError as e:
                    if not moot(e):
                        raise


def moot(e: KbusError) -> bool:
    """Whether a Reply failed because nobody waits for it any more, or waits for room; neither is ours to deal with."""
    return e.errno in (errno.EADDRNOTAVAIL, errno.ECONNREFUSED, errno.EAGAIN)
