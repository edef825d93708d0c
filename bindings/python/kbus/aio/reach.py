"""How a task gets to the daemon's socket, and how long it may take: the same for Ksocks and taps."""

from __future__ import annotations

import asyncio
import math
import socket
from typing import Optional

from ..socketdoor import connecting_failed, no_answer


def deadline_in(timeout: Optional[float]) -> Optional[float]:
    """When so many seconds are over, in the loop's time. None and infinity are no limit."""
    if timeout is None or timeout == math.inf:
        return None
    if math.isnan(timeout):
        raise ValueError("a time limit is a number of seconds, or None, and not {}".format(timeout))
    return asyncio.get_running_loop().time() + max(0.0, timeout)


async def reach(s: socket.socket, path: str, deadline: Optional[float], limit: float) -> None:
    """Connects a socket that does not block, if the daemon accepts it until the deadline."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return s.connect(path)
        except BlockingIOError:  # as many as the daemon lets wait are waiting, and nothing tells when there is room
            if deadline is not None and loop.time() >= deadline:
                raise no_answer(path, limit) from None
            await asyncio.sleep(0.01)
        except OSError as e:
            raise connecting_failed(path, e) from None
