"""Who may touch the books of a Ksock just now: one thread at a time, each for a *turn*, which is short and never waits.

A signal handler may come in the middle of a turn of its own thread and want one too. It is refused with EDEADLK: to let
it go on would spoil what it has interrupted, and to let it wait would be for ever.

An exception out of a signal handler ends a turn like any other. Up to Python 3.10 it may come between the end of a
turn and the release of the lock, which is released then as the exception goes through us: other threads may be waiting,
and the program may never want another turn here. Should a second exception come just there, the thread that has left
the lock finds that at its next turn: the lock is its own, and yet nothing that calls it is a turn.
"""

from __future__ import annotations

import errno
import sys
import threading
from typing import Any, Callable, Optional, TypeVar

from .conditions import error

T = TypeVar("T")


class Turns:
    """The turns of one Ksock."""

    def __init__(self) -> None:
        self._lock: Any = threading.RLock()

    def take(self, do: Callable[..., T], *args: Any) -> T:
        """Runs do(*args) in a turn."""
        lock = self._lock
        if lock._is_owned():
            self._not_nested()
        try:
            with lock:
                return do(*args)
        except BaseException:
            self._release()
            raise

    def take_long(self, seconds: Optional[float], do: Callable[..., T], *args: Any) -> T:
        """Likewise for turns that last, and wait for the bus. ETIMEDOUT if it is not ours after so many seconds; None: no limit."""
        lock = self._lock
        if lock._is_owned():
            self._not_nested()
        try:
            if not lock.acquire(True, -1 if seconds is None else min(max(0.0, seconds), threading.TIMEOUT_MAX)):
                raise error(errno.ETIMEDOUT, "another thread is at it still, after {:g} s".format(seconds or 0))
            try:
                return do(*args)
            finally:
                self._release()
        except BaseException:
            self._release()
            raise

    def _not_nested(self) -> None:
        """The lock is this thread's: somebody who calls us is in a turn, or it was left behind and is released."""
        mine = Turns.take.__code__, Turns.take_long.__code__
        frame = sys._getframe(1).f_back
        while frame is not None:
            if frame.f_code in mine and frame.f_locals["self"] is self:
                raise error(errno.EDEADLK,
                            "a signal handler, or finalizer, in the middle of an operation of the same Ksock")
            frame = frame.f_back
        self._release()

    def _release(self) -> None:
        while self._lock._is_owned():
            self._lock.release()
