"""The kinds of message as classes, for programs that like to say what they mean, and how one follows from another."""

from __future__ import annotations

from typing import Any, Optional, Sequence

from . import layout
from .ids import MessageId, OrigFrom
from .layout import Parts
from .message import Data, Message, as_data, blanked, number


_ASKED = layout.WANT_A_REPLY | layout.WANT_YOU_TO_REPLY
_UNANSWERED = "A Reply must specify in_reply_to"


class Announcement(Message, kind="Announcement"):
    """A message to all Listeners to its name, which needs no answer."""

    __slots__ = ()
    _takes = ("id", "to", "from_", "flags", "name", "data")
    _args = ("data", "to", "from_", "flags", "id", "encoding", "errors")
    _shows = ("data", "to", "from_", "flags", "id")

    def __init__(self, name: str, data: Data = None, to: Optional[int] = None, from_: Optional[int] = None,
                 flags: Optional[int] = None, id: Optional[MessageId] = None, encoding: str = "utf-8",
                 errors: str = "strict") -> None:
        super().__init__(name, data, to, from_, flags=flags, id=id, encoding=encoding, errors=errors)

    @classmethod
    def _fit(cls, parts: Parts) -> Parts:
        return blanked(parts, layout.REPLY_ID, layout.REPLY_SERIAL, layout.ORIG_ID, layout.ORIG_LOCAL, layout.FINAL_ID,
                       layout.FINAL_LOCAL)

    def set_want_reply(self, value: bool = True) -> None:
        """An Announcement cannot want a Reply: TypeError."""
        raise TypeError("an Announcement does not want a Reply: make a Request")


class Request(Message, kind="Request"):
    """A message that its Replier must answer. With `to` it is stateful: only that Ksock may be the Replier."""

    __slots__ = ()
    _takes = ("id", "to", "from_", "orig_from", "final_to", "flags", "name", "data")
    _args = ("data", "to", "from_", "final_to", "flags", "id", "encoding", "errors")
    _shows = ("data", "to", "from_", "orig_from", "final_to", "flags", "id")

    def __init__(self, name: str, data: Data = None, to: Optional[int] = None, from_: Optional[int] = None,
                 final_to: Optional[OrigFrom] = None, flags: Optional[int] = None, id: Optional[MessageId] = None,
                 encoding: str = "utf-8", errors: str = "strict", *, orig_from: Optional[OrigFrom] = None) -> None:
        super().__init__(name, data, to, from_, orig_from, final_to, None, (flags or 0) | layout.WANT_A_REPLY, id,
                         encoding, errors)

    @classmethod
    def _fit(cls, parts: Parts) -> Parts:
        parts = blanked(parts, layout.REPLY_ID, layout.REPLY_SERIAL)
        flags = parts.numbers[layout.FLAGS] | layout.WANT_A_REPLY
        return parts._replace(numbers=parts.numbers[:layout.FLAGS] + (flags,))

    def set_want_reply(self) -> None:  # type: ignore[override]
        """A Request always wants a Reply: TypeError."""
        raise TypeError("a Request always wants a Reply")


class Reply(Message, kind="Reply"):
    """The answer to a Request. ValueError without in_reply_to."""

    __slots__ = ()
    _takes = ("id", "in_reply_to", "to", "from_", "orig_from", "flags", "name", "data")
    _args = ("data", "to", "from_", "orig_from", "in_reply_to", "flags", "id", "encoding", "errors")
    _shows = ("data", "to", "from_", "orig_from", "in_reply_to", "flags", "id")

    def __init__(self, name: str, data: Data = None, to: Optional[int] = None, from_: Optional[int] = None,
                 orig_from: Optional[OrigFrom] = None, in_reply_to: Optional[MessageId] = None,
                 flags: Optional[int] = None, id: Optional[MessageId] = None, encoding: str = "utf-8",
                 errors: str = "strict") -> None:
        if in_reply_to is None or not any(in_reply_to):
            raise ValueError(_UNANSWERED)
        super().__init__(name, data, to, from_, orig_from, None, in_reply_to, flags, id, encoding, errors)

    @classmethod
    def _fit(cls, parts: Parts) -> Parts:
        if not any(parts.numbers[layout.REPLY_ID:layout.REPLY_SERIAL + 1]):
            raise ValueError(_UNANSWERED)
        return blanked(parts, layout.FINAL_ID, layout.FINAL_LOCAL)


class Status(Message, kind="Status"):
    """What the bus answers in place of a Replier that is gone. Only received, never made: Status.from_bytes()."""

    __slots__ = ()
    _shows = ("data", "to", "from_", "in_reply_to", "flags", "id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("only the bus makes a Status; see Status.from_bytes")

    @classmethod
    def from_message(cls, msg: Message, *values: Any, **overrides: Any) -> Message:
        """NotImplementedError."""
        raise NotImplementedError("only the bus makes a Status; see Status.from_bytes")

    @classmethod
    def from_sequence(cls, seq: Sequence[Any], *values: Any, **overrides: Any) -> Message:
        """NotImplementedError."""
        raise NotImplementedError("only the bus makes a Status; see Status.from_bytes")


def reply_to(original: Message, data: Data = None, flags: Optional[int] = 0, encoding: str = "utf-8",
             errors: str = "strict") -> Reply:
    """The Reply to a Request that we have been given to answer, with its trace context; ValueError if we have not."""
    asked = original._numbers
    if asked[layout.FLAGS] & _ASKED != _ASKED:
        raise ValueError("{} does not want us to reply".format(original))
    request = asked[:2]
    if request == (0, 0):
        raise ValueError(_UNANSWERED)
    reply = Reply.__new__(Reply)  # its fields are those of a message that was received, and need not be looked at
    reply._name = original._name
    reply._data = as_data(data, encoding, errors)
    reply._numbers = (0, 0, *request, asked[layout.FROM], 0, 0, 0, 0, 0, 0, number("flags", flags))
    reply.missed = 0
    reply._trace = original._trace
    return reply


def stateful_request(earlier_msg: Message, name: str, data: Data = None, from_: Optional[int] = None,
                     flags: Optional[int] = None, id: Optional[MessageId] = None, encoding: str = "utf-8",
                     errors: str = "strict") -> Request:
    """A Request to the very Ksock that sent an earlier Reply, or that an earlier stateful Request was for.

    ValueError if the earlier message is neither.
    """
    if earlier_msg.is_reply():
        to, final_to = earlier_msg.from_, earlier_msg.orig_from
    elif earlier_msg.is_stateful_request():
        to, final_to = earlier_msg.to, earlier_msg.final_to
    else:
        raise ValueError("{} is neither a Reply nor a stateful Request".format(earlier_msg))
    return Request(name, data, to, from_, final_to, flags, id, encoding, errors)
