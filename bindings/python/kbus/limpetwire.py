"""What two Limpets say to each other over a stream. All numbers are big-endian.

First each says `HELO` and its network id. Then messages: a header of 16 words, which is that of a KBUS message without
its pointers, the name, padded with 1 to 4 zero bytes, the data, padded with 0 to 3, and a guard. The numbers in the
data of a ReplierBindEvent are big-endian on the way too.
"""

from __future__ import annotations

import socket
import struct
from typing import Callable, Tuple

from . import layout
from .bindevent import join_replier_bind_event_data, split_replier_bind_event_data
from .layout import Parts
from .message import Message
from .names import MAX_NAME_LEN, REPLIER_BIND_EVENT

_HEADER = struct.Struct(">16I")
_HELLO = struct.Struct(">4sI")
_GUARD = struct.Struct(">I")

KBUS_SERIALISED_HDR_LEN = 16
"""Words of a header between Limpets."""


class BadMessage(Exception):
    """What has come from the other Limpet is no message. The link is of no use any more."""


class OtherLimpetGoneAway(Exception):
    """The Limpet at the other end of the connection has closed."""


def serialise_message_header(msg: Message) -> bytes:
    """The 64 bytes of a message's header."""
    parts = msg.parts
    return _HEADER.pack(layout.START_GUARD, *parts.numbers, len(parts.name), len(parts.data), layout.END_GUARD)


def unserialise_message_header(raw: bytes) -> Tuple[layout.Numbers, int, int]:
    """Gives (the numbers of the message, length of its name, length of its data). BadMessage if a guard is wrong."""
    start, *numbers, name_len, data_len, end = _HEADER.unpack(raw)
    if (start, end) != (layout.START_GUARD, layout.END_GUARD):
        raise BadMessage("a header between 0x{:08x} and 0x{:08x}".format(start, end))
    return tuple(numbers), name_len, data_len


def serialise_message(msg: Message) -> bytes:
    """A whole message, as the other Limpet reads it."""
    parts = msg.parts
    data = convert_ReplierBindEvent_data_to_network(parts.data) if msg.name == REPLIER_BIND_EVENT else parts.data
    name = parts.name.ljust(layout.calc_padded_name_len(len(parts.name)), b"\0")
    data = data.ljust(layout.calc_padded_data_len(len(data)), b"\0")
    return serialise_message_header(msg) + name + data + _GUARD.pack(layout.END_GUARD)


def unserialise_message(read: Callable[[int], bytes], max_data_len: int) -> Message:
    """Reads a whole message, by read(count). The lengths that it claims are checked before they are believed."""
    numbers, name_len, data_len = unserialise_message_header(read(_HEADER.size))
    if not 0 < name_len <= MAX_NAME_LEN:
        raise BadMessage("a name of {} bytes".format(name_len))
    if data_len > max_data_len:
        raise BadMessage("data of {} bytes, more than {}".format(data_len, max_data_len))
    name_padded, data_padded = layout.calc_padded_name_len(name_len), layout.calc_padded_data_len(data_len)
    body = read(name_padded + data_padded + _GUARD.size)
    if _GUARD.unpack(body[-_GUARD.size:])[0] != layout.END_GUARD:
        raise BadMessage("a message that does not end with its guard")
    name, data = body[:name_len], body[name_padded:name_padded + data_len]
    if name == REPLIER_BIND_EVENT.encode():
        data = convert_ReplierBindEvent_data_from_network(data)
    return Message.from_parts(Parts(numbers, name, data))


def convert_ReplierBindEvent_data_to_network(data: bytes) -> bytes:
    """The data of a ReplierBindEvent, for the other Limpet. What is no such data stays as it is."""
    return _convert(data, "=", ">")


def convert_ReplierBindEvent_data_from_network(data: bytes) -> bytes:
    """The reverse."""
    return _convert(data, ">", "=")


def _convert(data: bytes, order: str, other: str) -> bytes:
    try:
        return join_replier_bind_event_data(*split_replier_bind_event_data(data, order), other)
    except ValueError:
        return data


def read_exactly(sock: socket.socket, count: int) -> bytes:
    """count bytes from the other Limpet; OtherLimpetGoneAway if it has no more."""
    parts = []
    while count:
        try:
            got = sock.recv(min(count, 1 << 16))
        except ConnectionError:
            got = b""
        if not got:
            raise OtherLimpetGoneAway("The Limpet at the other end of the connection has closed")
        parts.append(got)
        count -= len(got)
    return b"".join(parts)


def shake_hands(sock: socket.socket, network_id: int) -> int:
    """Tells the other Limpet our network id, and gives its own. BadMessage if it is no Limpet, or its id cannot be."""
    sock.sendall(_HELLO.pack(b"HELO", network_id))
    word, other = _HELLO.unpack(read_exactly(sock, _HELLO.size))
    if word != b"HELO":
        raise BadMessage("the other side says {!r}, and not HELO".format(word))
    if other in (0, network_id):
        raise BadMessage("the other Limpet has network id {}, and ours is {}".format(other, network_id))
    return int(other)
