"""What a program has given in the place of what is needed, said in the program's words."""

from __future__ import annotations

from typing import Any

from .message import Message


def as_replier(replier: Any) -> int:
    """1 or 0: as Replier, or as Listener."""
    if not isinstance(replier, (str, bytes)):
        try:
            return int(replier)
        except (TypeError, ValueError):
            pass
    raise TypeError("replier is True or False, not {!r}".format(replier))


def need_message(msg: Any, kind: str) -> None:
    """A name alone is no message."""
    if not isinstance(msg, Message):
        name = msg if isinstance(msg, str) and msg.startswith("$.") else "$.A"
        raise TypeError("a message is needed: {}({!r}), not {!r}".format(kind, name, msg))
