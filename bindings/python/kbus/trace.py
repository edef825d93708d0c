"""The trace context of a message, as the W3C has it for HTTP. To KBUS it is bytes (docs/traces.md)."""

from __future__ import annotations

import struct
from typing import NamedTuple, Optional

MAX_PARENT, MAX_STATE = 128, 512
"""Bytes that traceparent and tracestate may have."""

_LENGTHS = struct.Struct("<2H")


class Trace(NamedTuple):
    """A trace context: the value of traceparent, and that of tracestate, which may be empty."""

    parent: str
    state: str = ""


def to_bytes(trace: Optional[Trace]) -> bytes:
    """What follows the data of a message; nothing for none. ValueError if it is too long to be carried."""
    if trace is None or not trace[0]:
        return b""
    parent, state = (part.encode("utf-8", "surrogateescape") for part in trace)
    for what, part, most in ("traceparent", parent, MAX_PARENT), ("tracestate", state, MAX_STATE):
        if len(part) > most:
            raise ValueError("a {} of {} bytes: {} are the most that a message carries".format(what, len(part), most))
    return _LENGTHS.pack(len(parent), len(state)) + parent + state


def from_bytes(raw: bytes) -> Optional[Trace]:
    """The reverse."""
    if not raw:
        return None
    length = _LENGTHS.unpack_from(raw)[0]
    parent, state = raw[_LENGTHS.size:_LENGTHS.size + length], raw[_LENGTHS.size + length:]
    return Trace(parent.decode("utf-8", "surrogateescape"), state.decode("utf-8", "surrogateescape"))


def end(payload: bytes, at: int) -> int:
    """Where one ends that begins there; beyond the end of what is cut off."""
    if len(payload) - at < _LENGTHS.size:
        return at + _LENGTHS.size
    return at + _LENGTHS.size + sum(_LENGTHS.unpack_from(payload, at))
