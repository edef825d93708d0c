"""Waking a thread that sleeps in poll().

Several threads, or a program and its own signal handler, may wait for answers on one socket; the thread that reads it
may find the answer to another. So a thread sleeps on the socket and on a descriptor of its own, its *wake*, and the
thread that has something for it writes there. A thread needs one wake for each operation that it is in: one,
and one more for a signal handler in the middle of it. They are kept for the next operation, and never used on both
sides of a fork.
"""

from __future__ import annotations

import os
import select
import threading
from typing import Callable, List, NamedTuple, Optional, Tuple

from . import forks


class _Watch(NamedTuple):
    """A poll that is kept, since most operations of a thread wait for the same."""

    poll: Callable[[Optional[float]], List[Tuple[int, int]]]
    other: int
    events: int


class Wake:
    """A descriptor that is readable from set() to clear(), and a poll for it and one more descriptor."""

    __slots__ = ("fd", "_in", "_fds", "_watch", "_generation")

    def __init__(self) -> None:
        self._fds: List[Tuple[int, ...]] = []  # to which the call that makes them adds them: a signal cannot come between
        self._generation = forks.generation
        if hasattr(os, "eventfd"):
            self._fds.extend(zip(map(os.eventfd, (0,), (os.EFD_CLOEXEC | os.EFD_NONBLOCK,))))
        else:
            self._fds.extend(map(os.pipe2, (os.O_CLOEXEC | os.O_NONBLOCK,)))
        self.fd, self._in = self._fds[0][0], self._fds[0][-1]
        self._watch = self._new_watch(-1, 0)

    def sleep(self, other: int, events: int, milliseconds: Optional[float] = None) -> bool:
        """Until set() was called, or another descriptor has one of the events; False when the time is over first.

        By its owner. It is clear then. other is -1 for none.
        """
        watch = self._watch
        if other != watch.other or events != watch.events:
            self._watch = watch = self._new_watch(other, events)
        ready = watch.poll(milliseconds)
        for fd, _ in ready:
            if fd == self.fd:
                self.clear()
        return bool(ready)

    def _new_watch(self, other: int, events: int) -> "_Watch":
        p = select.poll()
        p.register(self.fd, select.POLLIN)
        if other >= 0:
            p.register(other, events)
        return _Watch(p.poll, other, events)

    def set(self) -> None:
        """May be called by any thread and signal handler, any number of times."""
        try:
            os.write(self._in, b"\1\0\0\0\0\0\0\0")
        except OSError:
            pass  # it is readable already

    def clear(self) -> None:
        """By its owner, who has seen it readable, before looking for the reason."""
        try:
            os.read(self.fd, 4096)
        except OSError:
            pass

    def __del__(self) -> None:
        for fds in getattr(self, "_fds", ()):  # an exception may have come before there were any
            for fd in fds:
                os.close(fd)


class _Idle(threading.local):
    def __init__(self) -> None:
        self.wakes: List[Wake] = []


_idle = _Idle()


def borrow() -> Wake:
    """A wake of this thread that no operation uses."""
    wakes = _idle.wakes
    return wakes.pop() if wakes else Wake()


def give_back(wake: Wake) -> None:
    """It is used no more. If it is still set, the next operation looks once for nothing."""
    if wake._generation == forks.generation:
        _idle.wakes.append(wake)


class _AllWakes:
    def forked(self) -> None:
        """The descriptors are shared with the parent: closed, not used."""
        _idle.wakes.clear()


_all = _AllWakes()
forks.register(_all)
