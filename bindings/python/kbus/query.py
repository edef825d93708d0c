"""A question to the bus, and its answer: what an operation yields and is given. See core."""

from __future__ import annotations

from typing import Any, Callable, Generator, Optional, Union

from . import wire
from .conditions import CANCELED, PENDING, KbusError, refusal
from .layout import Id, Parts
from .names import MAX_NAME_LEN


class Late(Exception):
    """Thrown into an operation whose time is over before its query was answered, and could not be taken back in time."""


class Answer:
    """What a query was answered with."""

    __slots__ = ("condition", "arg", "payload")

    def __init__(self, condition: int, arg: int, payload: bytes) -> None:
        self.condition = condition
        self.arg = arg
        self.payload = payload


class Query:
    """A question to the bus, and its answer."""

    # What most queries leave as it is belongs to the class: one is made for each message.
    parts: Optional[Parts] = None  # the Reply or Status that answers it
    number = 0  # of its answer
    id: Optional[Id] = None  # of the Request whose answer it waits for
    is_request = False  # what it sends is a Request
    retries: Optional[Id] = None  # a Request that waits for room, which it tries to send again
    keep = False  # an answer that comes too late is wanted all the same
    flags = 0  # of its frame
    seq = 0
    at = 0  # where its frame begins, in all the bytes that were ever to be sent
    answer: Optional[Answer] = None
    failure: Optional[KbusError] = None
    done = False
    given_up = False  # its caller no longer waits
    noted = False  # what its answer means is in the books
    orphaned = False  # the bus was lost while it waited
    notify: Optional[Callable[[], None]] = None  # wakes the caller that waits for it
    before: "Optional[Query]" = None  # that goes along with it, just before it
    until: Optional[Callable[[], bool]] = None  # whether its caller has no more reason to wait

    def __init__(self, op: int, arg: int = 0, payload: bytes = b"", what: "Union[str, bytes]" = "",
                 message: Optional[Parts] = None, target: "Optional[Query]" = None) -> None:
        self.op = op
        self.arg = arg
        self.payload = payload
        self._what = what
        self.message = message  # that it sends
        self.target = target  # the query that it is about

    @property
    def what(self) -> str:
        """What failed, for an error: a verb, or the name of the message."""
        if isinstance(self._what, str):
            return self._what
        return ("call " if self.op in (wire.CALL, wire.NEXT_REPLY) else "send ") + shown(self._what)

    @property
    def receives(self) -> bool:
        """Whether it waits for a message, any one."""
        return self.op == wire.NEXT_WAIT

    def result(self) -> Answer:
        """The answer, or the KbusError that it is."""
        if self.failure is not None:
            raise self.failure
        assert self.answer is not None
        condition, payload = self.answer.condition, self.answer.payload
        if condition == 0:
            return self.answer
        words = "" if condition == PENDING or condition == CANCELED else payload.decode("utf-8", "replace")
        failed = refusal(condition, self.what, words)
        if condition == PENDING:
            failed.message_id = wire.sent(payload)
        try:
            raise failed
        finally:
            del failed  # which would keep this frame, and all below it, as long as nobody collects garbage


Operation = Generator[Query, Answer, Any]


def cut(name: bytes) -> bytes:
    """A name that is too long stays so, but fits a frame: then the bus says what is wrong."""
    return name[:MAX_NAME_LEN + 1]


def shown(name: bytes) -> str:
    """A name in the text of an error."""
    return name[:MAX_NAME_LEN].decode("utf-8", "backslashreplace")
