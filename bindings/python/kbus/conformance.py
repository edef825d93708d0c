"""The driver of the conformance table: does with a Ksock what each line asks for, and prints the outcome.

    python3 -m kbus.conformance socket|device|asyncio [--device-prefix PATH]

One command per line on standard input, one line of answer on standard output. Words are separated by a space, bytes are
in hexadecimal (`-` for none), an error is an errno number and 0 is success. KBUS_DIR says where the daemon is; device
nodes are the prefix and the number of the bus. Through asyncio each command is a task, run to its end. The Ksocks are
original ones, as those of the recordings.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import mmap
import sys
from typing import Any, Callable, Dict, List, Optional, Union

from . import aio, layout, report, wire
from .conditions import KbusError
from .door import Door
from .ids import MessageId, Sent
from .ksock import Ksock
from .layout import Parts
from .message import Message
from .query import Operation

_SWITCHES = {"msgonlyonce": Ksock.want_messages_once, "verbose": Ksock.kernel_module_verbose,
             "reportreplierbinds": Ksock.report_replier_binds}
_ASKED = {"ksockid": Ksock.ksock_id, "lenleft": Ksock.len_left, "nummsgs": Ksock.num_messages,
          "unrepliedto": Ksock.num_unreplied_to, "newdevice": Ksock.new_device}


class _AnyKsock(Ksock):
    """The original's class cannot open a Ksock for writing only, but a bus can."""

    _modes = {**Ksock._modes, "w": (2, "write")}


class _Tasks(Door):
    """A Ksock of asyncio, each of whose operations is a task."""

    def __init__(self, where: Any, bits: int, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ksock = aio.Ksock(where, bits, wire.ORIGINAL)
        self._do(self._ksock._begin(None))
        super().__init__(self._ksock._core)

    def _do(self, task: Any) -> Any:
        return self._loop.run_until_complete(task)

    def run(self, operation: Operation, deadline: Optional[float] = None) -> Any:
        return self._do(self._ksock._run(operation, deadline))

    def bind(self, name: bytes, replier: int, timeout: Optional[float] = None) -> None:
        self._do(self._ksock.bind(name, bool(replier)))

    def unbind(self, name: bytes, replier: int, timeout: Optional[float] = None) -> None:
        self._do(self._ksock.unbind(name, bool(replier)))

    def replier(self, name: bytes) -> int:
        return self._do(self._ksock.find_replier(name)) or 0

    def value(self, op: str, number: int = 0) -> int:
        return int(self._do(self._ksock.value(op, number)))

    def last_sent(self) -> MessageId:
        last: MessageId = self._do(self._ksock.last_msg_id())
        return last

    def send_message(self, parts: Parts) -> Sent:
        sent: Sent = self._do(self._ksock.send(Message.from_parts(parts)))
        return sent

    def discard(self) -> None:
        self._do(self._ksock.discard())

    def close(self) -> None:
        self._do(self._ksock.close())

    drop = close


class _TaskKsock(_AnyKsock):
    loop: asyncio.AbstractEventLoop

    def _new_door(self) -> Door:
        return _Tasks(self._endpoint, self._bits, self.loop)


class Driver:
    """The Ksocks that are open, by handle, and a method for each command."""

    def __init__(self, is_device: bool, prefix: str, kind: "type[Ksock]") -> None:
        self._kind = kind
        self._prefix = prefix
        self._is_device = is_device
        self._ksocks: Dict[str, Ksock] = {}
        self._memory: List[object] = []

    def perform(self, line: str) -> str:
        """The answer to one command."""
        words = line.split(" ")
        command = getattr(self, "do_" + words[0], None)
        if command is None:
            return "22 " + (words[0] or "empty")
        try:
            return " ".join(str(w) for w in command(*words[1:]))
        except OSError as e:
            refused = "{}{}".format(e.errno, _ZEROS.get(words[0], ""))
        except (KeyError, TypeError, ValueError, IndexError) as e:
            refused = "22 {}".format(type(e).__name__)
        return refused

    def do_caps(self) -> List[object]:
        return ["bytes", "whole", "reports", "unknown", "original", "pointers" if self._is_device else "results"]

    def _bus(self, device: str) -> Union[int, str]:
        return self._prefix + device if self._is_device else int(device)

    def do_open(self, k: str, device: str, mode: str) -> List[object]:
        self._ksocks[k] = ksock = self._kind(self._bus(device), mode)
        return [0, ksock.ksock_id()]

    def do_close(self, k: str) -> List[object]:
        self._ksocks.pop(k).close()
        return [0]

    def do_bind(self, k: str, name: str, replier: str) -> List[object]:
        self._ksocks[k]._open.bind(_bytes(name), int(replier))
        return [0]

    def do_unbind(self, k: str, name: str, replier: str) -> List[object]:
        self._ksocks[k]._open.unbind(_bytes(name), int(replier))
        return [0]

    def do_replier(self, k: str, name: str) -> List[object]:
        found = self._ksocks[k].find_replier(_bytes(name))
        return [0, int(found is not None), found or 0]

    def do_write(self, k: str, data: str) -> List[object]:
        return [0, self._ksocks[k].write_data(_bytes(data))]

    def do_send(self, k: str) -> List[object]:
        return self._sent(self._ksocks[k].send)

    def do_next(self, k: str) -> List[object]:
        length = self._ksocks[k].next_msg()
        return [0, int(length > 0), length]

    def do_read(self, k: str, count: str) -> List[object]:
        data = self._ksocks[k].read_data(int(count))
        return [0, len(data), _hex(data)]

    def do_lastsent(self, k: str) -> List[object]:
        return [0, *self._ksocks[k].last_msg_id()]

    def do_poll(self, k: str) -> List[object]:
        readable, writable = self._ksocks[k]._open.poll()
        return [0, int(readable), int(writable)]

    def do_value(self, k: str, what: str, number: str) -> List[object]:
        ksock, n = self._ksocks[k], int(number)
        if what in _ASKED:
            return [0, _ASKED[what](ksock)]
        if what == "missed":
            return [0, ksock.missed()]
        if what in _SWITCHES and n in (0, 1, 0xFFFFFFFF):
            return [0, _SWITCHES[what](ksock, bool(n), n == 0xFFFFFFFF)]
        if what == "maxmsgs":
            return [0, ksock.set_max_messages(n) if n else ksock.max_messages()]
        if what == "maxmsgsize":
            return [0, ksock.set_max_message_size(n) if n else ksock.max_message_size()]
        return [0, ksock._open.value(what, n)]

    def do_plain(self, k: str, what: str) -> List[object]:
        {"discard": self._ksocks[k].discard, "reset": self._ksocks[k]._open.reset}[what]()
        return [0]

    def do_unknown(self, k: str, code: str) -> List[object]:
        self._ksocks[k]._open.unknown(int(code))
        return [0]

    def do_put(self, k: str, data: str) -> List[object]:
        memory = ctypes.create_string_buffer(_bytes(data))
        self._memory.append(memory)  # kept where it is: a message that points at it may be sent at any time
        return [0, ctypes.addressof(memory)]

    def do_putlast(self, k: str, data: str) -> List[object]:
        return [0, _last(_bytes(data))]

    def do_sendmessage(self, k: str, entire: str) -> List[object]:
        msg = Message.from_parts(layout.from_entire(_bytes(entire), True))
        return self._sent(lambda: self._ksocks[k].send_msg(msg))

    def _sent(self, send: Callable[[], Sent]) -> List[object]:
        try:
            number, sent = 0, send()
        except KbusError as e:
            if e.message_id is None:
                raise
            number, sent = e.errno or 0, e.message_id  # it waits for room
        return [number, *sent] if self._is_device else [number, *sent, sent.reached or 0, sent.skipped or 0]

    def do_receive(self, k: str) -> List[object]:
        msg = self._ksocks[k].read_next_msg()
        return [0, 0, "-"] if msg is None else [0, 1, _hex(layout.to_entire(msg.parts, True))]

    def do_encode(self, entire: str) -> List[object]:
        return [0, _hex(layout.to_entire(layout.from_entire(_bytes(entire), True), True))]

    def do_bindings(self) -> List[object]:
        return [0, _hex(self._reports(False))]

    def do_stats(self) -> List[object]:
        return [0, _hex(self._reports(True))]

    def _reports(self, stats: bool) -> bytes:
        text, number = "", 0
        while True:
            try:
                text += report.bus_report(self._bus(str(number)), stats)
            except FileNotFoundError:
                return text.encode()
            number += 1

    def do_end(self) -> List[object]:
        for ksock in self._ksocks.values():
            ksock.close()
        self._ksocks.clear()
        return [0]


_ZEROS = {"open": " 0", "replier": " 0 0", "write": " 0", "send": " 0 0", "next": " 0 0", "read": " 0 -",
          "lastsent": " 0 0", "poll": " 0 0", "value": " 0", "sendmessage": " 0 0", "receive": " 0 -", "encode": " -",
          "bindings": " -", "stats": " -"}
"""What stands behind an error, where a success has more to say."""


def _last(data: bytes) -> int:
    """Puts data before a page that cannot be read, and leaves them there."""
    libc, page = ctypes.CDLL(None, use_errno=True), mmap.PAGESIZE
    readable = -(-len(data) // page) * page
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    at = libc.mmap(None, readable + page, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if at in (None, ctypes.c_void_p(-1).value) or libc.mprotect(at + readable, page, 0):
        raise OSError(ctypes.get_errno(), "mmap")
    ctypes.memmove(at + readable - len(data), data, len(data))
    return int(at) + readable - len(data)


def _bytes(word: str) -> bytes:
    return b"" if word == "-" else bytes.fromhex(word)


def _hex(data: bytes) -> str:
    return data.hex() or "-"


def main() -> None:
    """Answers until `end`, or the end of the input."""
    parser = argparse.ArgumentParser(prog="python3 -m kbus.conformance", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("door", choices=["socket", "device", "asyncio"])
    parser.add_argument("--device-prefix", default="/dev/kbus", metavar="PATH")
    args = parser.parse_args()
    _TaskKsock.loop = asyncio.new_event_loop()
    driver = Driver(args.door == "device", args.device_prefix, _TaskKsock if args.door == "asyncio" else _AnyKsock)
    for line in sys.stdin:
        print(driver.perform(line.rstrip("\n")), flush=True)
        if line.strip() == "end":
            return


if __name__ == "__main__":
    main()
