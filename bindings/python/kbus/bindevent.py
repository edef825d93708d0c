"""The data of a `$.KBUS.ReplierBindEvent`, which tells that a Ksock has begun or ceased to be the Replier for a name.

Three numbers of 32 bits (1 for a bind and 0 for an unbind, the Ksock id, the length of the name) and the name, with 1
to 4 zero bytes behind it.
"""

from __future__ import annotations

import struct
from typing import Tuple

from .layout import calc_padded_name_len

_HEAD = {"=": struct.Struct("=III"), ">": struct.Struct(">III")}


def split_replier_bind_event_data(data: bytes, order: str = "=") -> Tuple[int, int, str]:
    """Gives (is_bind, binder, name). order is "=" on a bus, and ">" between Limpets.

    ValueError if the data is no bind event's.
    """
    head = _HEAD[order]
    if len(data) < head.size:
        raise ValueError("{} bytes are no replier bind event".format(len(data)))
    is_bind, binder, name_len = head.unpack_from(data)
    name = bytes(data[head.size:head.size + name_len])
    if len(name) < name_len:
        raise ValueError("a replier bind event with a name of {} bytes, but only {} are there".format(
            name_len, len(name)))
    return is_bind, binder, name.decode("utf-8", "surrogateescape")


def join_replier_bind_event_data(is_bind: int, binder: int, name: str, order: str = "=") -> bytes:
    """The reverse of split_replier_bind_event_data."""
    encoded = name.encode("utf-8", "surrogateescape")
    return _HEAD[order].pack(is_bind, binder, len(encoded)) + encoded.ljust(calc_padded_name_len(len(encoded)), b"\0")
