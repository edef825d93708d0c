"""Reports of what is bound: for people who look, and for the original's read_bindings."""

from __future__ import annotations

import os
from typing import Dict, Iterator, List, Tuple, Union

from . import endpoint, wire
from .socketdoor import SocketDoor

_PROC = "/proc/kbus/bindings"


def read_bindings(names: Dict[int, str]) -> List[Tuple[Union[str, int], bool, str]]:
    """All bindings of all buses, newest first on each: (who, is a Replier, message name).

    who is the name that the dictionary has for the Ksock id, or else the id. Looking changes nothing on a bus.
    """
    found = []
    for line in _lines():
        if not line.startswith("#"):
            _, ksock_id, _, role, name = line.split()
            found.append((names.get(int(ksock_id), int(ksock_id)), role == "R", name))
    return found


def _lines() -> Iterator[str]:
    if os.path.exists(_PROC):
        with open(_PROC) as report:
            yield from report
        return
    number = 0
    while True:
        try:
            yield from bus_report(number).splitlines()
        except FileNotFoundError:
            return
        number += 1


def bus_report(which: Union[int, str], stats: bool = False) -> str:
    """The report of the bindings of one bus, or of its statistics, as text. ENOENT if there is no such bus.

    It needs no Ksock. For a device that is a link both are files beside the node; for anything else the daemon gives
    them.
    """
    where = endpoint.find(which)
    path = where.path
    if os.path.islink(path):
        node = os.path.join(os.path.dirname(path), os.readlink(path))
        with open(os.path.join(os.path.dirname(node), "stats" if stats else "bindings")) as text:
            return text.read()
    if where.is_device:
        digits = path[len(path.rstrip("0123456789")):]
        path = endpoint.socket_path(int(digits or 0))
    observer = SocketDoor(path, wire.OBSERVE)
    observer.greet()
    try:
        return observer.report(wire.STATS_REPORT if stats else wire.BINDINGS_REPORT)
    finally:
        observer.close()
