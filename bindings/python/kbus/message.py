"""Messages. A Message is a value: nothing else refers to it, and sending it changes nothing in it."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence, Tuple, Type, TypeVar, Union

from . import layout, show
from .ids import MessageId, OrigFrom
from .layout import Parts
from .trace import Trace, from_bytes, to_bytes

Data = Union[None, str, bytes, bytearray, memoryview]
M = TypeVar("M", bound="Message")

_parts = Parts._make
_FLAGS, _WANT_A_REPLY = layout.FLAGS, layout.WANT_A_REPLY

_NONE = (0, 0)
_ORDER = ("id", "in_reply_to", "to", "from_", "orig_from", "final_to", "flags", "name", "data")


class _Debug:
    """The bare fields of a message, which only know how to print."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def __repr__(self) -> str:
        return show.show_parts(self._parts)


class Message:
    """A message of any kind; what it is follows from its content.

    name     `$.` and words with dots between them
    data     bytes, a str (which is encoded), or None; empty data is None
    to       Ksock id: the addressee of a Reply, or the Replier that a stateful Request means. Else 0
    from_    Ksock id of the sender; the bus sets it
    orig_from, final_to   OrigFrom; for Limpets
    in_reply_to           MessageId of the Request, in a Reply or Status
    flags    the constants below, or'ed together; bits 16 to 31 are the sender's own
    id       MessageId; the bus sets it if its network is 0
    missed   of a message that a modern Ksock has received: how many it missed just before it because its queue was full.
             No part of the message
    trace    the trace context that travels with the message, a Trace, or None; to be set before the message is sent. It is no
             part of the data, and only modern Ksocks send and receive it. ValueError if it is too long to be carried

    ValueError if the name is shorter than 3 bytes or does not begin with `$.`, or if a number does not fit 32 bits.
    Everything else about a name is for the bus to judge.
    """

    START_GUARD = layout.START_GUARD
    END_GUARD = layout.END_GUARD
    WANT_A_REPLY = layout.WANT_A_REPLY
    WANT_YOU_TO_REPLY = layout.WANT_YOU_TO_REPLY
    SYNTHETIC = layout.SYNTHETIC
    URGENT = layout.URGENT
    ALL_OR_WAIT = layout.ALL_OR_WAIT
    ALL_OR_FAIL = layout.ALL_OR_FAIL

    __slots__ = ("_numbers", "_name", "_data", "missed", "_trace")

    _kinds: "Dict[str, Type[Message]]" = {}  # the classes of the kinds, which module kinds has
    _args: Tuple[str, ...] = ("data", "to", "from_", "orig_from", "final_to", "in_reply_to", "flags", "id", "encoding",
                              "errors")  # of the constructor behind the name, in order
    _takes: Tuple[str, ...] = _ORDER  # what from_sequence keeps
    _shows: Tuple[str, ...] = ("data", "to", "from_", "orig_from", "final_to", "in_reply_to", "flags", "id")

    def __init__(self, name: str, data: Data = None, to: Optional[int] = None, from_: Optional[int] = None,
                 orig_from: Optional[OrigFrom] = None, final_to: Optional[OrigFrom] = None,
                 in_reply_to: Optional[MessageId] = None, flags: Optional[int] = None, id: Optional[MessageId] = None,
                 encoding: str = "utf-8", errors: str = "strict") -> None:
        if not isinstance(name, str):
            raise TypeError("the name of a message is a str, not {}".format(type(name).__name__))
        self._name: bytes = name.encode(encoding, errors)
        if not name.startswith("$."):
            raise ValueError('Message name "{}" does not start "$."'.format(name))
        if len(self._name) < 3:
            raise ValueError("Message name is {} long, minimum is 3 (e.g., '$.*')".format(len(self._name)))
        self._data: bytes = as_data(data, encoding, errors)
        self.missed = 0
        self._trace = b""
        self._numbers: layout.Numbers = (
            *(id or _NONE), *(in_reply_to or _NONE), number("to", to) if to else 0, number("from_", from_) if from_ else 0,
            *(orig_from or _NONE), *(final_to or _NONE), 0, number("flags", flags) if flags else 0,
        )

    def __init_subclass__(cls, kind: str = "") -> None:
        """kind: what cast() makes of messages of that kind."""
        super().__init_subclass__()
        if kind:
            cls._kinds[kind] = cls

    @classmethod
    def from_parts(cls, parts: Parts) -> "Message":
        """The message with exactly those parts: how the package itself makes one that was received."""
        made = cls.__new__(cls)
        made._numbers, made._name, made._data, made.missed, made._trace = parts
        return made

    @property
    def parts(self) -> Parts:
        """What the message consists of; the reverse of from_parts."""
        return _parts((self._numbers, self._name, self._data, 0, self._trace))

    @classmethod
    def _fit(cls, parts: Parts) -> Parts:
        """A message of another class as one of this class; ValueError if it is not of that kind."""
        return parts

    @classmethod
    def from_message(cls, msg: "Message", *values: Any, **overrides: Any) -> "Message":
        """A copy, with some fields replaced: by name, or in the order in which the constructor has them behind the name.

        None means "as it was"; the name cannot be replaced.
        """
        made = cls.from_sequence(msg.extract(), *values, **overrides)
        made._trace = msg._trace
        return made

    @classmethod
    def from_sequence(cls, seq: Sequence[Any], *values: Any, **overrides: Any) -> "Message":
        """A message of the nine fields that extract() gives, in its order, with some replaced."""
        if len(seq) != len(_ORDER):
            raise ValueError("a message has {} fields, not {}".format(len(_ORDER), len(seq)))
        fields = {k: v for k, v in zip(_ORDER, seq) if k in cls._takes}
        if "name" in overrides:
            raise TypeError("the name of a message cannot be overridden")
        if len(values) > len(cls._args):
            raise TypeError("{} values for {} fields".format(len(values), len(cls._args)))
        for field, value in zip(cls._args, values):
            if field in overrides:
                raise TypeError("two values for {}".format(field))
            overrides[field] = value
        fields.update((k, v) for k, v in overrides.items() if v is not None)
        return cls(**fields)

    @classmethod
    def from_bytes(cls, b: bytes) -> "Message":
        """Takes the entire form apart. ValueError tells what is wrong with bytes that are no message."""
        return cls.from_parts(cls._fit(layout.from_entire(b)))

    @property
    def msg(self) -> _Debug:
        """For debugging: its repr has every field as it is."""
        return _Debug(self.parts)

    @property
    def id(self) -> Optional[MessageId]:
        """The id; None before the message is sent."""
        return MessageId(*self._numbers[layout.ID:layout.SERIAL + 1]) if any(self._numbers[:2]) else None

    @property
    def in_reply_to(self) -> Optional[MessageId]:
        """Of a Reply or Status, the id of the Request; None else."""
        pair = self._numbers[layout.REPLY_ID:layout.REPLY_SERIAL + 1]
        return MessageId(*pair) if any(pair) else None

    @property
    def orig_from(self) -> Optional[OrigFrom]:
        """Its sender on another bus, if a Limpet brought it."""
        pair = self._numbers[layout.ORIG_ID:layout.ORIG_LOCAL + 1]
        return OrigFrom(*pair) if any(pair) else None

    @property
    def final_to(self) -> Optional[OrigFrom]:
        """The Replier on another bus that a stateful Request means."""
        pair = self._numbers[layout.FINAL_ID:layout.FINAL_LOCAL + 1]
        return OrigFrom(*pair) if any(pair) else None

    @property
    def to(self) -> int:
        """Ksock id, or 0."""
        return self._numbers[layout.TO]

    @property
    def from_(self) -> int:
        """Ksock id of the sender; 0 is the bus, or a message not sent yet."""
        return self._numbers[layout.FROM]

    @property
    def flags(self) -> int:
        """All flags in one number."""
        return self._numbers[layout.FLAGS]

    @property
    def name(self) -> str:
        """The name."""
        return self._name.decode("utf-8", "surrogateescape")

    @property
    def data(self) -> Optional[bytes]:
        """The data, or None."""
        return self._data or None

    @property
    def trace(self) -> Optional[Trace]:
        """The trace context, or None."""
        return from_bytes(self._trace)

    @trace.setter
    def trace(self, value: Optional[Trace]) -> None:
        self._trace = to_bytes(value)

    def extract(self) -> Tuple[Any, ...]:
        """(id, in_reply_to, to, from_, orig_from, final_to, flags, name, data)."""
        return tuple(getattr(self, field) for field in _ORDER)

    def to_bytes(self) -> bytes:
        """The entire form."""
        return layout.to_entire(self.parts)

    def total_length(self) -> int:
        """Bytes of the entire form."""
        return layout.calc_entire_message_len(len(self._name), len(self._data))

    def equivalent(self, other: "Message") -> bool:
        """Whether both say the same to the same: to, name and data, and nothing else, are compared."""
        return (self.to, self._name, self._data) == (other.to, other._name, other._data)

    def _set_flag(self, flag: int, value: bool) -> None:
        flags = self.flags | flag if value else self.flags & ~flag
        self._numbers = self._numbers[:layout.FLAGS] + (flags,)

    def set_want_reply(self, value: bool = True) -> None:
        """Makes the message a Request, or not."""
        self._set_flag(layout.WANT_A_REPLY, value)

    def set_urgent(self, value: bool = True) -> None:
        """Lets the message go to the front of each queue, or not."""
        self._set_flag(layout.URGENT, value)

    def wants_us_to_reply(self) -> bool:
        """Whether the reader of this copy must reply to it."""
        return bool(self.flags & layout.WANT_YOU_TO_REPLY)

    def is_synthetic(self) -> bool:
        """Whether the bus made it."""
        return bool(self.flags & layout.SYNTHETIC)

    def is_urgent(self) -> bool:
        """Whether it goes to the front of each queue."""
        return bool(self.flags & layout.URGENT)

    def is_reply(self) -> bool:
        """Whether it is a Reply or a Status."""
        return self.in_reply_to is not None

    def is_request(self) -> bool:
        """Whether it asks for a Reply."""
        return bool(self._numbers[_FLAGS] & _WANT_A_REPLY)

    def is_stateful_request(self) -> bool:
        """Whether it asks for a Reply from one Ksock only."""
        return self.is_request() and self.to != 0

    def cast(self) -> "Message":
        """The same message in the class of its kind: Status, Reply, Request or Announcement."""
        kind = self._kinds[show.kind(self)]
        made = kind.from_parts(kind._fit(self.parts))
        made.missed = self.missed
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return self.extract() == other.extract()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        words = ["'{}'".format(self.name)]
        for field in self._shows:
            value = getattr(self, field)
            if field == "flags" and value:
                words.append("flags=0x{:08x}".format(value))
            elif value:
                words.append("{}={!r}".format(field, value))
        return "{}({})".format(type(self).__name__, ", ".join(words))

    def __str__(self) -> str:
        return show.show(self)


def as_data(data: Data, encoding: str, errors: str) -> bytes:
    """What a message carries."""
    if type(data) is bytes:
        return data
    if data is None:
        return b""
    if isinstance(data, str):
        return data.encode(encoding, errors)
    try:
        return bytes(memoryview(data))
    except TypeError:
        raise TypeError("the data of a message is bytes, a str or None, not {}".format(type(data).__name__)) from None


def blanked(parts: Parts, *indexes: int) -> Parts:
    """Parts without some of their numbers."""
    return parts._replace(numbers=tuple(0 if i in indexes else n for i, n in enumerate(parts.numbers)))


def number(field: str, value: Optional[int]) -> int:
    """The value of a field, which has 32 bits."""
    if value is None:
        return 0
    if not 0 <= value <= 0xFFFFFFFF:
        raise ValueError("{}={} is no number of 32 bits".format(field, value))
    return value


def message_from_parts(id: Optional[MessageId], in_reply_to: Optional[MessageId], to: int, from_: int,
                       orig_from: Optional[OrigFrom], final_to: Optional[OrigFrom], flags: int, name: str,
                       data: Data) -> Message:
    """The message with those fields, in the order of Message.extract()."""
    return Message.from_sequence((id, in_reply_to, to, from_, orig_from, final_to, flags, name, data))
