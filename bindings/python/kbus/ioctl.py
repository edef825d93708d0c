"""The ioctls of a KBUS device: their numbers, and the structures that two of them take.

The size in each number is that of a pointer, whatever the argument really is; so the numbers depend on the machine.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Dict, Tuple

MAGIC = "k"

_POINTER = ctypes.sizeof(ctypes.c_void_p)
_NONE, _WRITE, _READ = 0, 1, 2


def _number(direction: int, nr: int) -> int:
    size = _POINTER if direction else 0
    return direction << 30 | size << 16 | ord(MAGIC) << 8 | nr


RESET = _number(_NONE, 1)
BIND = _number(_WRITE, 2)
UNBIND = _number(_WRITE, 3)
KSOCKID = _number(_READ, 4)
REPLIER = _number(_READ | _WRITE, 5)
NEXTMSG = _number(_READ, 6)
LENLEFT = _number(_READ, 7)
SEND = _number(_READ, 8)
DISCARD = _number(_NONE, 9)
LASTSENT = _number(_READ, 10)
MAXMSGS = _number(_READ | _WRITE, 11)
NUMMSGS = _number(_READ, 12)
UNREPLIEDTO = _number(_READ, 13)
MSGONLYONCE = _number(_READ | _WRITE, 14)
VERBOSE = _number(_READ | _WRITE, 15)
NEWDEVICE = _number(_READ, 16)
REPORTREPLIERBINDS = _number(_READ | _WRITE, 17)
MAXMSGSIZE = _number(_READ | _WRITE, 18)
MISSED = _READ << 30 | 12 << 16 | ord(MAGIC) << 8 | 64
"""Ours, not the original's: three words, whose size its number has."""

VALUES: Dict[str, int] = {
    "ksockid": KSOCKID, "lenleft": LENLEFT, "nummsgs": NUMMSGS, "unrepliedto": UNREPLIEDTO, "newdevice": NEWDEVICE,
    "maxmsgs": MAXMSGS, "msgonlyonce": MSGONLYONCE, "verbose": VERBOSE, "reportreplierbinds": REPORTREPLIERBINDS,
    "maxmsgsize": MAXMSGSIZE,
}

_NAMED = struct.Struct("@IIP")


def named(number: int, name: bytes) -> Tuple[bytearray, object]:
    """A bind request or query, and the memory that it points to: keep that as long as the kernel may look."""
    memory = ctypes.create_string_buffer(name)
    return bytearray(_NAMED.pack(number, len(name), ctypes.addressof(memory))), memory


def return_id(query: bytearray) -> int:
    """The id that a bind query was answered with."""
    answer: int = _NAMED.unpack(query)[0]
    return answer
