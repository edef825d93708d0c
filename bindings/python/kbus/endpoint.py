"""Where a bus is: the socket of a daemon, or a device node."""

from __future__ import annotations

import errno
import os
import stat
from typing import NamedTuple, Union

from .conditions import CONDITIONS, NO_SUCH_BUS, error

LONGEST_PATH = 107
"""Bytes that the path of a socket may have."""


class Endpoint(NamedTuple):
    """A bus that can be opened."""

    name: str
    """`/dev/kbusN`, as every program knows the bus, or the path that was asked for."""
    path: str
    is_device: bool


SYSTEM_DIR = "/run/kbus"
"""Where the machine's own daemon has its sockets."""


def socket_dir() -> str:
    """The directory with the daemon's sockets: $KBUS_DIR, else /run/kbus for root, else $XDG_RUNTIME_DIR/kbus.

    If a user has no such directory of their own, it is /run/kbus if that is there.
    """
    given = os.environ.get("KBUS_DIR")
    if given:
        return given
    if os.getuid() == 0:
        return SYSTEM_DIR
    runtime = os.environ.get("XDG_RUNTIME_DIR") or "/run/user/{}".format(os.getuid())
    own = os.path.join(runtime, "kbus")
    return own if os.path.isdir(own) or not os.path.isdir(SYSTEM_DIR) else SYSTEM_DIR


def socket_path(number: int) -> str:
    """The daemon's socket for a bus."""
    return os.path.join(socket_dir(), "bus{}.sock".format(number))


def find(which: Union[int, str]) -> Endpoint:
    """The endpoint of bus number which, or of a path.

    A number means the daemon's socket, or /dev/kbusN if the environment has KBUS_PYTHON=device. A path may be either.
    """
    if isinstance(which, str) and "/" in which:
        return Endpoint(which, which, _is_device(which))
    number = int(which)
    name = "/dev/kbus{}".format(number)
    if os.environ.get("KBUS_PYTHON") == "device":
        return Endpoint(name, name, True)
    return Endpoint(name, socket_path(number), False)


def check(path: str) -> None:
    """Refuses what is no path of a socket in a directory, before the kernel does so in fewer words."""
    length = len(os.fsencode(path))
    if path.startswith("@"):
        raise error(errno.EINVAL, "open {}: a socket of the daemon is a file in a directory; names of abstract sockets, which begin "
                    "with @, are not supported".format(path))
    if "\0" in path:
        raise error(errno.EINVAL, "open {!r}: a path cannot hold a zero byte".format(path))
    if length > LONGEST_PATH:
        raise error(errno.ENAMETOOLONG, "open {}: the path of the socket has {} bytes, and the kernel takes {}: use a shorter "
                    "directory".format(path, length, LONGEST_PATH))


def _is_device(path: str) -> bool:
    try:
        return not stat.S_ISSOCK(os.stat(path).st_mode)
    except (OSError, ValueError) as e:
        if not isinstance(e, OSError) or e.errno == errno.ENOENT:
            check(path)
        if not isinstance(e, OSError):
            raise
        raise error(e.errno or errno.ENOENT, "open {}: {}".format(path, e.strerror), CONDITIONS[NO_SUCH_BUS][0]) from e
