"""What a tap asks for and what it is shown, as bytes and as objects. Only bytes here, no socket.

A tap is a connection that is shown what a bus does. Both kinds of it, in a thread and in a task, stand on this.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import Deque, Iterable, Optional, Tuple, Union

from . import wire
from .conditions import BUS_GONE, KbusError, refusal
from .message import Message
from .peer import Peer

KINDS = ("lost", "sent", "status", "taken", "opened", "closed", "bound", "unbound")
"""What a bus does, by its number."""

MESSAGES = {"announcement": 1 << 16, "request": 1 << 17, "reply": 1 << 18}
"""Bits of a filter for kinds of messages that are sent."""

_FILTER = struct.Struct("<4I")
_EVENT = struct.Struct("<Qqq11I")
_ALL = 0xFFFFFFFF


class TapEvent:
    """Something that a bus did.

    kind        one word: `sent`, `status` (the bus answered a Request in its Replier's stead), `taken` (a Replier has
                taken a Request), `opened`, `closed`, `bound`, `unbound`, or `lost`: nothing more than that events were lost
    message     of sent, status and taken, a Message; None of others. Of taken it has no data
    name        that of the message or binding, else empty
    error       the KbusError that says why it was refused, or None. A message that waits for room has EAGAIN, and comes
                again when it goes
    lost        events that this tap was too slow for, just before this one
    time_ns, since_boot_ns    when, by the clock of the wall and by the one that never jumps
    by          Peer: whose doing; its ksock_id is 0 for the bus itself
    as_replier  of bindings
    replier     of a Request that was sent, the Ksock that must answer it; else 0
    reached     copies of the message that were queued
    skipped     bindings of Listeners whose queue was full
    set_aside   bindings of Listeners for whom a bind event was set aside
    data_bytes  length of the message's data, of which less may be shown
    """

    __slots__ = ("kind", "message", "name", "error", "lost", "time_ns", "since_boot_ns", "by", "as_replier", "replier", "reached",
                 "skipped", "set_aside", "data_bytes")

    def __init__(self, number: int, condition: int, payload: bytes) -> None:
        if len(payload) < _EVENT.size:
            raise wire.Malformed("an event of {} bytes".format(len(payload)))
        (self.lost, self.since_boot_ns, self.time_ns, ksock_id, uid, gid, pid, self.reached, self.skipped, self.set_aside,
         self.data_bytes, flags, self.replier, length) = _EVENT.unpack_from(payload)
        end = _EVENT.size + length
        found = list(wire.messages(payload[end:], wire.TRACED if wire.is_followed(payload, end) else 0))
        if len(found) != 1:
            raise wire.Malformed("an event with {} messages".format(len(found)))
        self.kind = KINDS[number] if number < len(KINDS) else "unknown"
        self.name = found[0].name.decode("utf-8", "surrogateescape")
        self.message: Optional[Message] = Message.from_parts(found[0]) if self.kind in ("sent", "status", "taken") else None
        self.error: Optional[KbusError] = refusal(condition, self.kind) if condition else None
        self.by = Peer(ksock_id, uid, gid, pid, payload[_EVENT.size:end].decode("utf-8", "replace"), self.kind != "closed")
        self.as_replier = bool(flags & 1)

    @property
    def time(self) -> float:
        """When, in seconds since 1970, as time.time() has them."""
        return self.time_ns / 1e9

    def __repr__(self) -> str:
        about = " {!r}".format(self.message) if self.message is not None else " " + self.name if self.name else ""
        refused = " refused: {}".format(self.error.condition) if self.error is not None else ""
        return "<TapEvent {}{} by {} reached {} skipped {}{}>".format(self.kind, about, self.by.ksock_id, self.reached,
                                                                      self.skipped, refused)


def request(patterns: Union[str, Iterable[str]], kinds: Iterable[str], messages: Iterable[str], ksock: int,
            only_failures: bool, max_data: Optional[int]) -> bytes:
    """The payload that asks for a tap. ValueError for words that are not known and numbers that cannot be."""
    bits, only = 0, 0
    for word in [messages] if isinstance(messages, str) else messages:
        if word not in MESSAGES:
            raise ValueError("{!r} is no kind of message: {}".format(word, ", ".join(MESSAGES)))
        only |= MESSAGES[word]
    for word in [kinds] if isinstance(kinds, str) else kinds:
        if word not in KINDS:
            raise ValueError("{!r} is nothing that a bus does: {}".format(word, ", ".join(KINDS)))
        if word != "sent" or not only:
            bits |= 1 << KINDS.index(word)
    for what, number in ("ksock", ksock), ("max_data", _ALL if max_data is None else max_data):
        if not 0 <= number <= _ALL:
            raise ValueError("{} {}: a number from 0 to {} is needed".format(what, number, _ALL))
    payload = [_FILTER.pack(int(only_failures), bits | only, ksock, _ALL if max_data is None else max_data)]
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        encoded = pattern.encode("utf-8", "surrogateescape")
        if len(encoded) > 0xFFFF:
            raise ValueError("a name of {} bytes".format(len(encoded)))
        payload.append(struct.pack("<H", len(encoded)) + encoded)
    return b"".join(payload)


def opening(asked: bytes) -> bytes:
    """The two frames that begin a tap."""
    return wire.frame(wire.HELLO, 1, wire.OBSERVE, wire.hello(wire.TRACED)) + wire.frame(wire.TAP, 2, 0, asked)


def accepted(head: wire.Header, payload: bytes, what: str) -> bool:
    """Understands an answer to one of them: whether it was the last. Raises the KbusError that it may be."""
    if head.condition:
        raise refusal(head.condition, what, payload.decode("utf-8", "replace"))
    if head.op == wire.HELLO:
        wire.welcome(payload)
    elif head.op != wire.TAP:
        raise wire.Malformed("operation {} as an answer to Tap".format(head.op))
    return head.op == wire.TAP


def first_frame(arrived: "Deque[bytes]") -> "Tuple[Optional[Tuple[wire.Header, bytes, Deque[bytes]]], int]":
    """The first frame of what has come and what came behind it; or None, and how many bytes of it are missing. Changes nothing."""
    there = sum(map(len, arrived))
    if there < wire.HEADER_BYTES:
        return None, wire.HEADER_BYTES - there
    head = wire.header((arrived[0] if len(arrived[0]) >= wire.HEADER_BYTES else b"".join(arrived))[:wire.HEADER_BYTES])
    if head.length > wire.LONGEST:
        raise refusal(BUS_GONE, "tap", "it sent a frame of {} bytes".format(head.length))
    wanted = wire.HEADER_BYTES + head.length
    if there < wanted:
        return None, wanted - there
    first = arrived[0] if len(arrived) == 1 else b"".join(arrived)
    return (head, first[wire.HEADER_BYTES:wanted], deque((first[wanted:],))), 0


def shown(head: wire.Header, payload: bytes) -> Optional[TapEvent]:
    """The event of a frame; None if it has none, because the bus is ending in order."""
    return TapEvent(head.arg, head.condition, payload) if head.op == wire.TAPPED else None
