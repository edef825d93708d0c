"""The process behind a Ksock."""

from __future__ import annotations

import os
from typing import NamedTuple, Optional


class Peer(NamedTuple):
    """The process that opened a Ksock, as the kernel knew it at that moment; and whether the Ksock is still open."""

    ksock_id: int
    uid: int
    gid: int
    pid: int
    program: str
    connected: bool
    """Whether the Ksock is still open. If not, the pid may be another process's by now."""

    def pidfd(self) -> Optional[int]:
        """A descriptor of the process, to be closed by the caller; None if the system has none, or no such process.

        It is that of the process that is meant if peer() afterwards still gives an equal Peer, that is connected.
        """
        if not hasattr(os, "pidfd_open"):
            return None
        try:
            return int(os.pidfd_open(self.pid))
        except OSError:
            return None
