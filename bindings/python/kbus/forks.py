"""What a fork leaves in the child is not the child's.

A Ksock belongs to the process that opened it. The child has copies of its descriptors, and as long as a copy is open
the daemon does not see that the process has gone: a Ksock that asked it would wait for ever. So the child closes its
copies, at once; nothing of that reaches the parent. (A device is a descriptor that may be shared, and is left alone.)

A thread may fork at any step of another. So a descriptor is made and registered in one step to it, by at_once, and
closed in one step, too.

Nothing may end that and leave others waiting for ever: not an exception out of a signal handler, wherever it comes. So
what the interpreter calls around a fork is no Python, in which a handler could come between two steps; and at_once
gives back what a handler has kept a `with` from giving back, as it may up to Python 3.10.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from typing import Any, Callable, Dict, TypeVar

T = TypeVar("T")

generation = 0
"""How many forks of Python's lie between this process and its first."""

_still: Any = threading.RLock()
"""While a thread has it, others do not fork by os.fork."""

_there: Dict[int, "weakref.ReferenceType[Any]"] = {}


def register(one: Any) -> None:
    """From now on one.forked() is called in each child, as long as it lives."""
    number = id(one)
    _there[number] = weakref.ref(one, functools.partial(_there.pop, number))  # no step of Python, where a signal might end it


def at_once(do: Callable[..., T], *args: Any) -> T:
    """Runs do(*args), in one step to a thread that forks."""
    inner = _still._is_owned()  # in a signal handler, in the middle of another
    try:
        with _still:
            return do(*args)
    finally:
        while not inner and _still._is_owned():
            _still.release()


def _in_child() -> None:
    global generation
    generation += 1
    if _still._is_owned():
        _still.release()
    elif hasattr(_still, "_at_fork_reinit"):  # an exception ended the wait for a thread that is not here
        _still._at_fork_reinit()
    for reference in list(_there.values()):
        one = reference()
        if one is not None:
            one.forked()


os.register_at_fork(before=_still.acquire, after_in_parent=_still.release, after_in_child=_in_child)
