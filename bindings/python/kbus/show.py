"""How messages print: `str` for people, `repr` as a program would make it, `hexdata` and `hexify` for bytes."""

from __future__ import annotations

import string
from typing import Any, List, Union

from . import layout
from .bindevent import split_replier_bind_event_data
from .names import REPLIER_BIND_EVENT, STATUS_PREFIX

_PLAIN = frozenset((string.ascii_letters + string.digits + string.punctuation).encode())

_WORDS = (
    (layout.WANT_A_REPLY, "REQ"), (layout.WANT_YOU_TO_REPLY, "YOU"), (layout.SYNTHETIC, "SYN"),
    (layout.URGENT, "URG"), (layout.ALL_OR_FAIL, "aFL"), (layout.ALL_OR_WAIT, "aWT"),
)


def _bytes(data: Union[bytes, str]) -> bytes:
    return data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data


def hexdata(data: Union[bytes, str]) -> str:
    r"""Letters, digits and punctuation as they are, every other byte as \xNN."""
    return "".join(chr(b) if b in _PLAIN else "\\x{:02x}".format(b) for b in _bytes(data))


def hexify(data: Union[bytes, str]) -> str:
    """Every byte as two hexadecimal digits, with spaces between."""
    return " ".join("{:02x}".format(b) for b in _bytes(data))


def flag_words(flags: int) -> str:
    """`0x3 (REQ,YOU)`; without the parentheses if no flag in it has a name."""
    words = ",".join(word for flag, word in _WORDS if flags & flag)
    return "0x{:x} ({})".format(flags, words) if words else "0x{:x}".format(flags)


def kind(msg: Any) -> str:
    """Status, Reply, Request or Announcement, by content alone."""
    if msg.is_reply():
        return "Status" if msg.name.startswith(STATUS_PREFIX) else "Reply"
    return "Request" if msg.is_request() else "Announcement"


def show(msg: Any) -> str:
    """`<Request '$.Lamp.Set', id=[0:12], from=4, flags=0x3 (REQ,YOU), data=b'on'>`."""
    words: List[str] = []
    for label, value in (("id", msg.id), ("to", msg.to), ("from", msg.from_), ("orig_from", msg.orig_from),
                         ("final_to", msg.final_to), ("in_reply_to", msg.in_reply_to)):
        if value:
            words.append("{}={}".format(label, value))
    if msg.flags:
        words.append("flags=" + flag_words(msg.flags))
    what = kind(msg)
    event = _bind_event(msg) if what == "Announcement" else ""
    if event:
        return "<ReplierBindEvent {}>".format(", ".join(words + [event]))
    if msg.data is not None:
        words.append("data={!r}".format(msg.data))
    return "<{}>".format(", ".join(["{} '{}'".format(what, msg.name)] + words))


def _bind_event(msg: Any) -> str:
    if msg.name != REPLIER_BIND_EVENT or msg.data is None:
        return ""
    try:
        is_bind, binder, name = split_replier_bind_event_data(msg.data)
    except ValueError:
        return ""  # a program's own message of that name
    return "[{} '{}' for {}]".format("Bind" if is_bind else "Unbind", name, binder)


def show_parts(parts: layout.Parts) -> str:
    """The fields of the header in their order, between the guards, for debugging."""
    n = parts.numbers
    data = "'{}'".format(hexdata(parts.data)) if parts.data else "None"
    return "<{:08x}] {}:{} {}:{} {} {} {},{} {},{} {:08x} {} {} '{}' {} [{:08x}>".format(
        layout.START_GUARD, *n[:layout.EXTRA], n[layout.FLAGS], len(parts.name), len(parts.data), hexdata(parts.name),
        data, layout.END_GUARD)
