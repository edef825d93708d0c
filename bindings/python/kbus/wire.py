"""Frames: what goes through the socket, in both directions (docs/protocol.md). Only bytes here, no socket.

A frame is 16 bytes of header and a payload; its numbers are little-endian on every machine.
"""

from __future__ import annotations

import struct
from typing import Iterator, NamedTuple, Tuple

from .ids import Sent
from .layout import Parts

(HELLO, RESET, BIND, UNBIND, REPLIER, NEXT, NEXT_WAIT, NEXT_REPLY, SEND_MESSAGE, CALL, RESEND, DISCARD, WAIT_SENT, POLL,
 CANCEL, LAST_SENT, MAX_MESSAGES, NUM_MESSAGES, NUM_UNREPLIED, ONLY_ONCE, VERBOSE, REPORT_REPLIER_BINDS,
 MAX_MESSAGE_SIZE, NEW_BUS, WRITE, SEND, NEXT_MSG, READ, LEN_LEFT, BINDINGS_REPORT, STATS_REPORT, LIST, WHO, INFO,
 STOPPING, SEND_TO_LISTENERS, FEDERATE, NEXT_CLAIM, DECIDE, EVICT, WAIT_READABLE, CARRY, BIND_PROXY,
 VOUCH) = range(1, 45)
"""Numbers of the operations."""

OBSERVE, MODE_READ, MODE_WRITE = 0, 1, 2
"""Arguments of HELLO; the last two can be added."""

_HEADER = struct.Struct("<IBBHII")
_MESSAGE = struct.Struct("<14I")
_SENT = struct.Struct("<4I")
_ID = struct.Struct("<2I")
_WELCOME = struct.Struct("<HHIII")

HEADER_BYTES = _HEADER.size
VERSION = 1

LONGEST = 1 << 30
"""Bytes of a payload that is believed: far more than any bus allows."""


class Header(NamedTuple):
    """What stands before a payload of a result."""

    length: int
    op: int
    flags: int
    condition: int
    seq: int
    arg: int


class Malformed(Exception):
    """The other side does not speak the protocol."""


def frame(op: int, seq: int, arg: int = 0, payload: bytes = b"") -> bytes:
    """A request."""
    return _HEADER.pack(len(payload), op, 0, 0, seq, arg) + payload


def header(raw: bytes) -> Header:
    """Takes HEADER_BYTES of a result apart."""
    return Header(*_HEADER.unpack(raw))


def hello() -> bytes:
    """The payload of HELLO: this version, no features."""
    return struct.pack("<4sHHI", b"KBUS", VERSION, VERSION, 0)


def welcome(payload: bytes) -> Tuple[int, int]:
    """Gives (version, absolute maximum message size) of the result of HELLO."""
    if len(payload) < _WELCOME.size:
        raise Malformed("a welcome of {} bytes".format(len(payload)))
    version, _, _, _, most = _WELCOME.unpack_from(payload)
    return version, most


def message(parts: Parts) -> bytes:
    """A message in a payload."""
    return _MESSAGE.pack(*parts.numbers, len(parts.name), len(parts.data)) + parts.name + parts.data


def messages(payload: bytes) -> Iterator[Parts]:
    """The messages of a payload."""
    at = 0
    while at < len(payload):
        if len(payload) - at < _MESSAGE.size:
            raise Malformed("a message is cut off after {} bytes".format(len(payload) - at))
        *numbers, name_len, data_len = _MESSAGE.unpack_from(payload, at)
        name_from = at + _MESSAGE.size
        data_from, at = name_from + name_len, name_from + name_len + data_len
        if at > len(payload):
            raise Malformed("a message of {} bytes in a payload of {}".format(at, len(payload)))
        yield Parts(tuple(numbers), payload[name_from:data_from], payload[data_from:at])


def sent(payload: bytes) -> Sent:
    """The payload *sent* of the operations that send, or the bare id of others; nothing is 0:0."""
    if len(payload) >= _SENT.size:
        return Sent(*_SENT.unpack_from(payload))
    return Sent(*_ID.unpack_from(payload)) if len(payload) >= _ID.size else Sent(0, 0)


def id_bytes(network_id: int, serial_num: int) -> bytes:
    """An id in a payload."""
    return _ID.pack(network_id, serial_num)


def entries(payload: bytes) -> Iterator[Tuple[Tuple[int, ...], str]]:
    """The entries of WHO and LIST: each its numbers and the name of a program."""
    at = 0
    while at < len(payload):
        if len(payload) - at < 4:
            raise Malformed("an entry is cut off")
        length, name_len = struct.unpack_from("<HH", payload, at)
        if length < 4 + name_len or at + length > len(payload):
            raise Malformed("an entry of {} bytes with a name of {}".format(length, name_len))
        numbers_end = at + length - name_len
        numbers = struct.unpack_from("<{}I".format((numbers_end - at - 4) // 4), payload, at + 4)
        yield numbers, payload[numbers_end:at + length].decode("utf-8", "replace")
        at += length
