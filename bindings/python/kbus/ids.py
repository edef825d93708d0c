"""Pairs of 32-bit numbers: the id of a message, and where a message came from before Limpets carried it.

Both compare by their first number, the network, and then by the second. They can be printed as KBUS prints them. They
have no `<=` and no hash, as in the original: a program that puts ids into a set or dictionary uses `tuple(id)`.
"""

from __future__ import annotations

from typing import Iterator, Tuple


class _Pair:
    """Two numbers of 32 bits each, compared in order."""

    __slots__ = ("network_id", "_second")

    def __init__(self, first: int, second: int) -> None:
        if not (0 <= first <= 0xFFFFFFFF and 0 <= second <= 0xFFFFFFFF):
            raise ValueError("{} is no number of 32 bits".format(second if 0 <= first <= 0xFFFFFFFF else first))
        self.network_id = first
        self._second = second

    def __iter__(self) -> Iterator[int]:
        return iter((self.network_id, self._second))

    def _key(self) -> Tuple[int, int]:
        return self.network_id, self._second

    def __repr__(self) -> str:
        return "{}({}, {})".format(self._kind().__name__, *self)

    @classmethod
    def _kind(cls) -> type:
        return cls

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Pair) and other._kind() is self._kind():
            return self._key() == other._key()
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, other: object) -> bool:
        if isinstance(other, _Pair) and other._kind() is self._kind():
            return self._key() < other._key()
        return NotImplemented

    def __gt__(self, other: object) -> bool:
        if isinstance(other, _Pair) and other._kind() is self._kind():
            return self._key() > other._key()
        return NotImplemented


class MessageId(_Pair):
    """The id of a message: `[network:serial]`. Network 0 is the bus itself; 0:0 is no id."""

    __slots__ = ()

    def __init__(self, network_id: int = 0, serial_num: int = 0) -> None:
        super().__init__(network_id, serial_num)

    @classmethod
    def _kind(cls) -> type:
        return MessageId

    @property
    def serial_num(self) -> int:
        """The number that the sender's bus, or the sender itself, has given the message."""
        return self._second

    def __str__(self) -> str:
        return "[{}:{}]".format(*self)

    def __add__(self, count: int) -> "MessageId":
        if isinstance(count, int):
            return MessageId(self.network_id, self.serial_num + count)
        return NotImplemented


class Sent(MessageId):
    """The id of a message that was sent, and how far it got.

    `reached` is how many queues the message is in now, `skipped` how many Listeners missed it because their queue was
    full. Both are None where the bus cannot say so: the device, and a message that waits for room.
    """

    __slots__ = ("reached", "skipped")

    def __init__(self, network_id: int, serial_num: int, reached: "int | None" = None,
                 skipped: "int | None" = None) -> None:
        super().__init__(network_id, serial_num)
        self.reached = reached
        self.skipped = skipped


class OrigFrom(_Pair):
    """A Ksock on some network: `(network,local)`. 0,0 says nothing."""

    __slots__ = ()

    def __init__(self, network_id: int = 0, local_id: int = 0) -> None:
        super().__init__(network_id, local_id)

    @property
    def local_id(self) -> int:
        """The id of the Ksock on its own bus."""
        return self._second

    def __str__(self) -> str:
        return "({},{})".format(*self)
