"""A message as bytes: the form that the device and every original program knows.

Twelve numbers of a message lie side by side in every form that it ever takes: here, in frames over the socket, and
between Limpets. So that is how the package keeps them, `Parts`, and a form is what is put around them.

The *entire* form is a header with two null pointers, the name with 1 to 4 zero bytes behind it, the data with 0 to 3,
and a guard. All numbers are in the byte order of the machine.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import NamedTuple, Optional, Tuple

START_GUARD = 0x7375624B
END_GUARD = 0x4B627573

WANT_A_REPLY = 0x0001
WANT_YOU_TO_REPLY = 0x0002
SYNTHETIC = 0x0004
URGENT = 0x0008
ALL_OR_WAIT = 0x0100
ALL_OR_FAIL = 0x0200

(ID, SERIAL, REPLY_ID, REPLY_SERIAL, TO, FROM, ORIG_ID, ORIG_LOCAL, FINAL_ID, FINAL_LOCAL, EXTRA, FLAGS) = range(12)
"""Places of the numbers in Parts."""

BLANK = (0,) * 12

Numbers = Tuple[int, ...]

Id = Tuple[int, int]
"""Of a message: network and serial number."""


class Parts(NamedTuple):
    """What a message consists of: its numbers, in the order above, its name and its data; and how many the Ksock that
    received it missed just before, and its trace context as it stands in a payload."""

    numbers: Numbers
    name: bytes
    data: bytes
    missed: int = 0
    trace: bytes = b""

    def is_reply_to(self, ksock_id: int) -> bool:
        """Whether this is the Reply or Status that a Ksock has asked for, and not a Listener's copy."""
        n = self.numbers
        return n[TO] == ksock_id and (n[REPLY_ID], n[REPLY_SERIAL]) != (0, 0)


_WIDE = struct.Struct("=I12III4xQQI4x")
_NARROW = struct.Struct("=I12IIIIII")
_NATIVE = _WIDE if ctypes.sizeof(ctypes.c_void_p) == 8 else _NARROW

MSG_HEADER_LEN = _NATIVE.size
"""Bytes of a header on this machine: 88, or 72 where pointers have 4 bytes."""


def calc_padded_name_len(name_len: int) -> int:
    """Bytes that a name of that length takes in the entire form."""
    return 4 * ((name_len + 1 + 3) // 4)


def calc_padded_data_len(data_len: int) -> int:
    """Bytes that data of that length takes in the entire form."""
    return 4 * ((data_len + 3) // 4)


def calc_entire_message_len(name_len: int, data_len: int) -> int:
    """Bytes of an entire message: header, padded name, padded data and last guard. The limits on a message count these."""
    return MSG_HEADER_LEN + calc_padded_name_len(name_len) + calc_padded_data_len(data_len) + 4


def c_data_as_bytes(data: Optional[int], length: int) -> bytes:
    """The length bytes at an address of this process, such as a pointy message has; nothing at a null pointer."""
    return ctypes.string_at(data, length) if data else b""


def to_entire(parts: Parts, wide: bool = MSG_HEADER_LEN == 88) -> bytes:
    """The entire form. wide asks for the 88-byte header, which is what a daemon takes on every machine."""
    name, data = parts.name, parts.data
    form = _WIDE if wide else _NATIVE
    header = form.pack(START_GUARD, *parts.numbers, len(name), len(data), 0, 0, END_GUARD)
    return b"".join((
        header,
        name.ljust(calc_padded_name_len(len(name)), b"\0"),
        data.ljust(calc_padded_data_len(len(data)), b"\0"),
        END_GUARD.to_bytes(4, sys.byteorder),
    ))


def from_entire(raw: bytes, wide: bool = MSG_HEADER_LEN == 88) -> Parts:
    """Takes an entire message apart. ValueError tells what is wrong with one that is none."""
    form = _WIDE if wide else _NATIVE
    if len(raw) < form.size:
        raise ValueError("{} bytes are no message: its header alone has {}".format(len(raw), form.size))
    start, *numbers, name_len, data_len, name_at, data_at, end = form.unpack_from(raw)
    if start != START_GUARD:
        raise ValueError("no message: it starts with 0x{:08x}, not with 0x{:08x}".format(start, START_GUARD))
    if end != END_GUARD:
        raise ValueError("no message: its header ends with 0x{:08x}, not with 0x{:08x}".format(end, END_GUARD))
    if name_at or data_at:
        raise ValueError("not an entire message: its name or data is elsewhere")
    data_from = form.size + calc_padded_name_len(name_len)
    guard_from = data_from + calc_padded_data_len(data_len)
    if guard_from + 4 > len(raw):
        raise ValueError("{} bytes are too few for a name of {} bytes and data of {}: that takes {}".format(
            len(raw), name_len, data_len, guard_from + 4))
    final = int.from_bytes(raw[guard_from:guard_from + 4], sys.byteorder)
    if final != END_GUARD:
        raise ValueError("no message: it ends with 0x{:08x}, not with 0x{:08x}".format(final, END_GUARD))
    return Parts(tuple(numbers), bytes(raw[form.size:form.size + name_len]), bytes(raw[data_from:data_from + data_len]))
