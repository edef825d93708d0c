"""The Requests that the bus still owes an answer to.

The bus promises each accepted Request one Reply or Status. A bus in a kernel could keep that promise always; a daemon
can die. So every Ksock keeps this list, and when its bus is lost it gives itself the answers: a Status
`$.KBUS.Bus.GoneAway` for each Request that is left.
"""

from __future__ import annotations

from typing import Dict, Iterator, Tuple

from . import layout
from .layout import BLANK, Id, Parts
from .names import BUS_GONE_AWAY


class Asked:
    """Ids in the order of sending. The same id may be there twice, if the sender chose it twice.

    Whoever changes something says by which answer of the bus, by its number. An exception out of a signal handler may come
    when it is changed and before that is noted elsewhere, and then it is done again: the same answer changes nothing twice.
    """

    def __init__(self) -> None:
        self._open: Dict[Id, Tuple[int, int]] = {}  # how often each is there, and by which answer that was last changed

    def __len__(self) -> int:
        return sum(count for count, _ in self._open.values())

    def add(self, request: Id, answer: int) -> None:
        """A Request was accepted, or waits for room."""
        count, last = self._open.get(request, (0, -1))
        if last != answer:
            self._open[request] = count + 1, answer

    def remove(self, request: Id, answer: int) -> None:
        """It has its answer, or was never delivered."""
        count, last = self._open.get(request, (0, -1))
        if count > 1 and last != answer:
            self._open[request] = count - 1, answer
        elif count == 1 and last != answer:
            del self._open[request]

    def statuses(self, us: int) -> Iterator[Parts]:
        """A Status from the bus itself to Ksock us for each Request, in the order of sending."""
        for request, (count, _) in self._open.items():
            for _ in range(count):
                yield gone_away(request, us)


def gone_away(request: Id, us: int) -> Parts:
    """The Status from the bus itself to Ksock us; (0, 0) where nobody knows the id of the Request."""
    numbers = list(BLANK)
    numbers[layout.REPLY_ID], numbers[layout.REPLY_SERIAL] = request
    numbers[layout.TO], numbers[layout.FLAGS] = us, layout.SYNTHETIC
    return Parts(tuple(numbers), BUS_GONE_AWAY.encode(), b"")
