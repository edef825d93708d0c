"""What a Ksock knows and does, without doing any of it: the rules, once, for every way to a bus.

An operation is a generator. It yields each *Query* that it has for the bus and is given the answer, or thrown the
KbusError, and returns what the operation gives. The door that runs it decides how a query travels and how one waits:
socketdoor in a thread, aio in a task, devicedoor by ioctl. Nothing here does I/O, looks at a clock or takes a lock.

What is known is in books; the operations are in sending, receiving and asking.

Not safe for concurrent use: the door runs one step at a time.
"""

from __future__ import annotations

from .asking import Asking
from .receiving import Receiving
from .sending import Sending


class Core(Sending, Receiving, Asking):
    """The books of one Ksock, and its operations."""

    def __init__(self, mode: int, wide: bool = True) -> None:
        super().__init__(mode, wide)
