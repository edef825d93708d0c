"""The kinds of message as classes, for programs that like to say what they mean, and how one follows from another."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence, Type

from . import layout, show
from .ids import MessageId, OrigFrom
from .message import Data, Message


class Announcement(Message):
    """A message to everybody who listens to its name; nobody is expected to answer."""

    __slots__ = ()
    _takes = ("id", "to", "from_", "flags", "name", "data")
    _shows = ("data", "to", "from_", "flags", "id")

    def __init__(self, name: str, data: Data = None, to: Optional[int] = None, from_: Optional[int] = None,
                 flags: Optional[int] = None, id: Optional[MessageId] = None, encoding: str = "utf-8",
                 errors: str = "strict") -> None:
        super().__init__(name, data, to, from_, flags=flags, id=id, encoding=encoding, errors=errors)

    def set_want_reply(self, value: bool = True) -> None:
        """An Announcement cannot want a Reply: TypeError."""
        raise TypeError("an Announcement does not want a Reply: make a Request")


class Request(Message):
    """A message that its Replier must answer. With `to` it is stateful: only that Ksock may be the Replier."""

    __slots__ = ()
    _takes = ("id", "to", "from_", "orig_from", "final_to", "flags", "name", "data")
    _shows = ("data", "to", "from_", "orig_from", "final_to", "flags", "id")

    def __init__(self, name: str, data: Data = None, to: Optional[int] = None, from_: Optional[int] = None,
                 final_to: Optional[OrigFrom] = None, flags: Optional[int] = None, id: Optional[MessageId] = None,
                 encoding: str = "utf-8", errors: str = "strict", *, orig_from: Optional[OrigFrom] = None) -> None:
        super().__init__(name, data, to, from_, orig_from, final_to, None, (flags or 0) | layout.WANT_A_REPLY, id,
                         encoding, errors)

    def set_want_reply(self) -> None:  # type: ignore[override]
        """A Request always wants a Reply: TypeError."""
        raise TypeError("a Request always wants a Reply")


class Reply(Message):
    """The answer to a Request. ValueError without in_reply_to."""

    __slots__ = ()
    _takes = ("id", "in_reply_to", "to", "from_", "orig_from", "flags", "name", "data")
    _shows = ("data", "to", "from_", "orig_from", "in_reply_to", "flags", "id")

    def __init__(self, name: str, data: Data = None, to: Optional[int] = None, from_: Optional[int] = None,
                 orig_from: Optional[OrigFrom] = None, in_reply_to: Optional[MessageId] = None,
                 flags: Optional[int] = None, id: Optional[MessageId] = None, encoding: str = "utf-8",
                 errors: str = "strict") -> None:
        if in_reply_to is None or not any(in_reply_to):
            raise ValueError("A Reply must specify in_reply_to")
        super().__init__(name, data, to, from_, orig_from, None, in_reply_to, flags, id, encoding, errors)


class Status(Message):
    """What the bus answers in place of a Replier that is gone. Only received, never made: Status.from_bytes()."""

    __slots__ = ()
    _shows = ("data", "to", "from_", "in_reply_to", "flags", "id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("only the bus makes a Status; see Status.from_bytes")

    @classmethod
    def from_message(cls, msg: Message, **overrides: Any) -> Message:
        """NotImplementedError."""
        raise NotImplementedError("only the bus makes a Status; see Status.from_bytes")

    @classmethod
    def from_sequence(cls, seq: Sequence[Any], **overrides: Any) -> Message:
        """NotImplementedError."""
        raise NotImplementedError("only the bus makes a Status; see Status.from_bytes")


_KINDS: Dict[str, Type[Message]] = {kind.__name__: kind for kind in (Announcement, Request, Reply, Status)}


def cast(msg: Message) -> Message:
    """The same message in the class of its kind: Status, Reply, Request or Announcement."""
    kind = _KINDS[show.kind(msg)]
    return Status.from_parts(msg.parts) if kind is Status else kind.from_message(msg)


def reply_to(original: Message, data: Data = None, flags: Optional[int] = 0, encoding: str = "utf-8",
             errors: str = "strict") -> Reply:
    """The Reply to a Request that we have been given to answer; ValueError if we have not."""
    both = layout.WANT_A_REPLY | layout.WANT_YOU_TO_REPLY
    if original.flags & both != both:
        raise ValueError("{} does not want us to reply".format(original))
    return Reply(original.name, data, to=original.from_, in_reply_to=original.id, flags=flags, encoding=encoding,
                 errors=errors)


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
