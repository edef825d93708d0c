"""What a fork leaves in the child is not the child's.

A Ksock belongs to the process that opened it. The child has copies of its descriptors, and as long as a copy is open
the daemon does not see that the process has gone: a Ksock that asked it would wait for ever. So the child closes its
copies, at once; nothing of that reaches the parent. (A device is a descriptor that may be shared, and is left alone.)

A thread may fork at any step of another. So a descriptor is made and registered in one step to it, with `still`:

    with forks.still:
        self.socket = make_socket(path)
        forks.register(self)

and closed in one step, too.
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from typing import Any, Dict

generation = 0
"""How many forks of Python's lie between this process and its first."""

still: Any = threading.RLock()
"""While a thread has it, others do not fork by os.fork."""

_there: Dict[int, "weakref.ReferenceType[Any]"] = {}


def register(one: Any) -> None:
    """From now on one.forked() is called in each child, as long as it lives."""
    number = id(one)
    _there[number] = weakref.ref(one, functools.partial(_there.pop, number))  # no step of Python, where a signal might end it


def _before() -> None:
    still.acquire()


def _in_parent() -> None:
    if still._is_owned():  # else an exception out of a signal handler has ended that
        still.release()


def _in_child() -> None:
    global generation, still
    generation += 1
    still = threading.RLock()
    for reference in list(_there.values()):
        one = reference()
        if one is not None:
            one.forked()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
