"""Frames: what goes through the socket, in both directions (docs/protocol.md). Only bytes here, no socket.

A frame is 16 bytes of header and a payload; its numbers are little-endian on every machine.
"""

from __future__ import annotations

import struct
from typing import Iterator, NamedTuple, Tuple

from .conditions import PENDING
from .ids import Sent
from . import trace
from .layout import FLAGS, Parts

(HELLO, RESET, BIND, UNBIND, REPLIER, NEXT, NEXT_WAIT, NEXT_REPLY, SEND_MESSAGE, CALL, RESEND, DISCARD, WAIT_SENT, POLL,
 CANCEL, LAST_SENT, MAX_MESSAGES, NUM_MESSAGES, NUM_UNREPLIED, ONLY_ONCE, VERBOSE, REPORT_REPLIER_BINDS,
 MAX_MESSAGE_SIZE, NEW_BUS, WRITE, SEND, NEXT_MSG, READ, LEN_LEFT, BINDINGS_REPORT, STATS_REPORT, LIST, WHO, INFO,
 STOPPING, SEND_TO_LISTENERS, FEDERATE, NEXT_BIND_REQUEST, DECIDE, EVICT, WAIT_READABLE, CARRY, BIND_PROXY,
 VOUCH, GIVE_UP, MISSED, PEER, TAP, TAPPED, SERVICES, DESCRIBE, CARD) = range(1, 53)
"""Numbers of the operations."""

AS_STANDBY = 2
"""Argument of BIND: as Replier, or to be it when the one that there is goes."""

OBSERVE, MODE_READ, MODE_WRITE = 0, 1, 2
"""Arguments of HELLO; the last two can be added."""

ORIGINAL, MARKED, TRACED = 1 << 3, 1 << 4, 1 << 8
"""Features to ask for in HELLO: to be a Ksock as the original's are, messages that say what was missed before, and messages that
carry a trace context."""

MODERN = MARKED | TRACED
"""What a modern Ksock asks for."""

MISSED_FLAG, TRACE_FLAG = 0x0010, 0x0400
"""In the flags of a message in a payload: behind it stands how many were missed, and behind that its trace context."""

_FOLLOWED = MISSED_FLAG | TRACE_FLAG

VALUES = {
    "lenleft": LEN_LEFT, "nummsgs": NUM_MESSAGES, "unrepliedto": NUM_UNREPLIED, "newdevice": NEW_BUS,
    "maxmsgs": MAX_MESSAGES, "msgonlyonce": ONLY_ONCE, "verbose": VERBOSE,
    "reportreplierbinds": REPORT_REPLIER_BINDS, "maxmsgsize": MAX_MESSAGE_SIZE,
}
"""Operations that take or give a number, by the names of their ioctls."""

LAZY = 1
"""A flag of a request: its result may travel with the next thing that comes."""

HEADER = struct.Struct("<IBBHII")
"""What stands before a payload: its length, operation, flags, condition, sequence, argument."""

_MESSAGE = struct.Struct("<14I")
_SENT = struct.Struct("<4I")
_ID = struct.Struct("<2I")
_WELCOME = struct.Struct("<HHIII")

_LEAST = {
    SEND_MESSAGE: _SENT.size, SEND: _SENT.size, LAST_SENT: _ID.size, NEXT_WAIT: _MESSAGE.size, NEXT_REPLY: _MESSAGE.size,
    CALL: _MESSAGE.size,
}
"""Bytes that the payload of a success has at least."""

HEADER_BYTES = HEADER.size
_MESSAGE_BYTES = _MESSAGE.size
_parts = Parts._make
VERSION = 1

LONGEST = 1 << 30
"""Bytes of a payload that is believed: far more than any bus allows."""


class Malformed(Exception):
    """The other side does not speak the protocol."""


def frame(op: int, seq: int, arg: int = 0, payload: bytes = b"", flags: int = 0) -> bytes:
    """A request."""
    return HEADER.pack(len(payload), op, flags, 0, seq, arg) + payload


class Header(NamedTuple):
    """What stands before a payload of a result, for those who are in no hurry."""

    length: int
    op: int
    flags: int
    condition: int
    seq: int
    arg: int


def header(raw: bytes) -> Header:
    """Takes HEADER_BYTES of a result apart."""
    return Header(*HEADER.unpack(raw))


def check(op: int, condition: int, payload: bytes) -> None:
    """Malformed if a result has not what it must have."""
    if len(payload) < _LEAST.get(op, 0) and (condition == 0 or condition == PENDING and op in (SEND_MESSAGE, SEND)):
        raise Malformed("a result of operation {} with {} bytes".format(op, len(payload)))


def hello(features: int = 0) -> bytes:
    """The payload of HELLO: this version, and the features that are wanted."""
    return struct.pack("<4sHHI", b"KBUS", VERSION, VERSION, features)


def welcome(payload: bytes) -> Tuple[int, int, int]:
    """Gives (version, features, absolute maximum message size) of the result of HELLO."""
    if len(payload) < _WELCOME.size:
        raise Malformed("a welcome of {} bytes".format(len(payload)))
    version, _, _, features, most = _WELCOME.unpack_from(payload)
    return version, features, most


def message(parts: Parts, features: int = 0) -> bytes:
    """A message in a payload, with its trace context if the bus has agreed to that."""
    numbers, name, data, _, context = parts
    if features & TRACED and (context or numbers[FLAGS] & TRACE_FLAG):
        flags = numbers[FLAGS] | TRACE_FLAG if context else numbers[FLAGS] & ~TRACE_FLAG
        return _MESSAGE.pack(*numbers[:FLAGS], flags, len(name), len(data)) + name + data + context
    return _MESSAGE.pack(*numbers, len(name), len(data)) + name + data


def messages(payload: bytes, features: int = 0) -> Iterator[Parts]:
    """The messages of a payload, with what the features have follow them."""
    at, end = 0, len(payload)
    while at < end:
        parts, at = first_message(payload, at, end, features)
        yield parts


def is_followed(payload: bytes, at: int) -> bool:
    """Whether there is something behind the message that begins at a place of bytes: so a tap knows, which need not remember
    what was agreed."""
    if len(payload) - at < _MESSAGE_BYTES:
        return False
    name_len, data_len = _MESSAGE.unpack_from(payload, at)[12:]
    return at + _MESSAGE_BYTES + int(name_len) + int(data_len) < len(payload)


def first_message(payload: bytes, at: int, end: int, features: int = 0) -> Tuple[Parts, int]:
    """The message that begins at a place of bytes that hold messages up to end, and where it ends."""
    if end - at < _MESSAGE_BYTES:
        raise Malformed("a message is cut off after {} bytes".format(end - at))
    numbers = _MESSAGE.unpack_from(payload, at)
    data_from = at + _MESSAGE_BYTES + numbers[12]
    data_to = data_from + numbers[13]
    after, missed, twelve, context = data_to, 0, numbers[:12], b""
    if features and numbers[FLAGS] & _FOLLOWED:
        flags = numbers[FLAGS]
        if features & MARKED and flags & MISSED_FLAG:
            after += 4
            missed = int.from_bytes(payload[data_to:after], "little")
            flags &= ~MISSED_FLAG
        if features & TRACED and flags & TRACE_FLAG:
            begin, after = after, trace.end(payload, after)
            context = payload[begin:after]
            flags &= ~TRACE_FLAG
        twelve = (*numbers[:FLAGS], flags)
    if after > end:
        raise Malformed("a message of {} bytes in a payload of {}".format(after - at, end - at))
    return _parts((twelve, payload[at + _MESSAGE_BYTES:data_from], payload[data_from:data_to], missed, context)), after


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
