"""Coming back after the loss of a bus.

A Ksock never finds its way back by itself: what was queued is gone, other Ksocks have other ids, and only the program
knows what that means to it. But when it has decided to go on, everything can be made as it was. So a Ksock remembers
its mode, its settings and its bindings.

They are made again on a connection of its own, the *attempt*, which takes the place of the lost one when all is there, and
not before. So there is nothing between a Ksock that is lost and one that is back, wherever an exception or a cancellation
may come. What was given up leaves nothing but its connection, which is hung up; the next attempt waits until the daemon has
closed it, for the names that were bound there must be free again.
"""

from __future__ import annotations

from typing import List, NamedTuple, Set, Tuple, Union

from .asking import Asking
from .conditions import KbusError
from .query import Operation

Name = Union[str, bytes]
Binding = Tuple[Name, bool]
"""A name, and whether as Replier."""


class Reopened(NamedTuple):
    """What reopen() has done."""

    old_id: int
    id: int
    """The Ksock's id before and now; the same if the bus was not lost."""
    bound: List[Binding]
    """Made again, in the order in which they were first made."""
    failed: List[Tuple[Name, bool, KbusError]]
    """Could not be made again, and are forgotten: mostly EADDRINUSE, when another Ksock was quicker."""


class Memory:
    """The mode, settings and bindings of a Ksock."""

    def __init__(self) -> None:
        self.bindings: List[Binding] = []  # in the order of binding
        self.standbys: Set[Name] = set()  # of those, bound as standby and not simply as Replier
        self.max_messages = 0  # 0 if never set
        self.only_once = False

    def bound(self, name: Name, replier: bool) -> None:
        self.bindings.append((name, bool(replier)))
        if replier:
            self.standbys.discard(name)

    def stands_by(self, name: Name) -> None:
        self.bound(name, True)
        self.standbys.add(name)

    def unbound(self, name: Name, replier: bool) -> None:
        """The newest such binding is gone."""
        if replier:
            self.standbys.discard(name)
        for at in range(len(self.bindings) - 1, -1, -1):
            if self.bindings[at] == (name, bool(replier)):
                del self.bindings[at]
                return

    def restore(self, core: Asking) -> Operation:
        """Gives a new Ksock the settings and bindings; gives what was bound, and what could not be. Changes nothing here."""
        bound: List[Binding] = []
        failed: List[Tuple[Name, bool, KbusError]] = []
        if self.max_messages:
            yield from core.value("maxmsgs", self.max_messages)
        if self.only_once:
            yield from core.value("msgonlyonce", 1)
        for name, replier in list(self.bindings):
            text = encoded(name)
            try:
                yield from core.stand_by(text) if replier and name in self.standbys else core.bind(text, int(replier))
                bound.append((name, replier))
            except KbusError as e:
                if e.condition == "ErrBusGone":
                    raise
                failed.append((name, replier, e))
        return bound, failed

    def restored(self, bound: List[Binding]) -> None:
        """That has succeeded: what could not be bound is forgotten."""
        self.bindings = list(bound)
        self.standbys = {name for name, replier in bound if replier and name in self.standbys}


def encoded(name: Name) -> bytes:
    """A name as the bus has it."""
    return name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
