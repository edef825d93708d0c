"""The Requests that the bus still owes an answer to.

The bus promises each accepted Request one Reply or Status. A bus in a kernel could keep that promise always; a daemon
can die. So every Ksock keeps this list, and when its bus is lost it gives itself the answers: a Status
`$.KBUS.Bus.GoneAway` for each Request that is left.
"""

from __future__ import annotations

from collections import Counter
from typing import Iterator, Tuple

from . import layout
from .layout import BLANK, Parts
from .names import BUS_GONE_AWAY

Id = Tuple[int, int]


class Asked:
    """Ids in the order of sending. The same id may be there twice, if the sender chose it twice (R4.40)."""

    def __init__(self) -> None:
        self._open: "Counter[Id]" = Counter()

    def __len__(self) -> int:
        return sum(self._open.values())

    def add(self, request: Id) -> None:
        """A Request was accepted, or waits for room."""
        self._open[request] += 1

    def remove(self, request: Id) -> None:
        """It has its answer, or was never delivered."""
        if self._open[request] > 1:
            self._open[request] -= 1
        else:
            del self._open[request]

    def settle(self, request: Id, to: int, us: int) -> None:
        """Ksock us has read a message to somebody in reply to something: perhaps the answer to one of them."""
        if to == us:
            self.remove(request)

    def statuses(self, us: int) -> Iterator[Parts]:
        """A Status from the bus, that is nobody, to Ksock us for each Request, in the order of sending."""
        for network_id, serial_num in self._open.elements():
            numbers = list(BLANK)
            numbers[layout.REPLY_ID], numbers[layout.REPLY_SERIAL] = network_id, serial_num
            numbers[layout.TO], numbers[layout.FLAGS] = us, layout.SYNTHETIC
            yield Parts(tuple(numbers), BUS_GONE_AWAY.encode(), b"")
