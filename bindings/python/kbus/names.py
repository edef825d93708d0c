"""Names: those that KBUS itself uses, and how a binding matches the name of a message.

A name is `$.` and words of ASCII letters and digits with dots between them, 3 to 1000 bytes. A binding may end in a
word that is a wildcard: `%` stands for exactly one word, `*` for one or more.
"""

from __future__ import annotations

from typing import Iterable, Optional, Tuple

REPLIER_GONE_AWAY = "$.KBUS.Replier.GoneAway"
REPLIER_IGNORED = "$.KBUS.Replier.Ignored"
REPLIER_UNBOUND = "$.KBUS.Replier.Unbound"
REPLIER_DISAPPEARED = "$.KBUS.Replier.Disappeared"
REPLIER_NOT_STARTED = "$.KBUS.Replier.NotStarted"
ERROR_SENDING = "$.KBUS.ErrorSending"
BUS_GONE_AWAY = "$.KBUS.Bus.GoneAway"
UNBIND_EVENTS_LOST = "$.KBUS.UnbindEventsLost"
REPLIER_BIND_EVENT = "$.KBUS.ReplierBindEvent"
NOT_SAME_KSOCK = "$.KBUS.Replier.NotSameKsock"
REMOTE_ERROR_PREFIX = "$.KBUS.RemoteError."
STATUS_PREFIX = "$.KBUS."

MAX_NAME_LEN = 1000
"""Longest name, in bytes."""


def matches(binding: str, name: str) -> bool:
    """Whether a message called name reaches a binding."""
    if not binding.endswith((".*", ".%")):
        return binding == name
    prefix, wildcard = binding[:-1], binding[-1]
    rest = name[len(prefix):]
    return name.startswith(prefix) and rest != "" and (wildcard == "*" or "." not in rest)


def _rank(binding: str) -> Tuple[int, int]:
    return {"%": 1, "*": 0}.get(binding[-1], 2), len(binding)


def best(bindings: Iterable[str], name: str) -> Optional[str]:
    """The binding that answers a Request called name: exact before `%` before `*`, then the longest."""
    matching = [b for b in bindings if matches(b, name)]
    return max(matching, key=_rank) if matching else None
