"""The way to a bus through its device node, /dev/kbusN: read, write, ioctl and poll, as the original's programs do it.

The kernel, or whoever plays the device, keeps the queue, so several processes may share a descriptor, and poll tells
exactly what is so.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import struct
import time
from typing import NoReturn, Optional, Tuple

from . import ioctl, layout
from .asked import Id
from .conditions import BUS_GONE, KbusError, error, refusal
from .door import Door
from .ids import MessageId, Sent
from .layout import Parts

_MODES = {1: os.O_RDONLY, 2: os.O_WRONLY, 3: os.O_RDWR}
_LOST = (errno.ENOTCONN, errno.ECONNABORTED, errno.ENODEV)  # whoever played the device is gone


class DeviceDoor(Door):
    """An open device node."""

    def __init__(self, path: str, mode: int) -> None:
        try:
            self._fd = os.open(path, _MODES[mode] | os.O_CLOEXEC)
        except OSError as e:
            raise error(e.errno or errno.EINVAL, "open {}: {}".format(path, e.strerror)) from None
        self._put_aside: "list[Parts]" = []  # received while waiting for something else
        try:
            super().__init__(self.value("ksockid"), mode)
        except BaseException:
            os.close(self._fd)
            raise

    def _fail(self, e: OSError, what: str) -> NoReturn:
        if e.errno in _LOST:
            raise refusal(BUS_GONE, what) from None
        raise error(e.errno or errno.EIO, "{}: {}".format(what, e.strerror)) from None

    def _ioctl(self, code: int, argument: "bytearray | int", what: str) -> int:
        try:
            return fcntl.ioctl(self._fd, code, argument)
        except OSError as e:
            self._fail(e, what)

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:
                os.close(fd)
            except OSError:
                pass  # nobody plays the device any more; the descriptor is closed all the same

    def _named(self, code: int, number: int, name: bytes, what: str) -> bytearray:
        argument, memory = ioctl.named(number, name)
        self._ioctl(code, argument, "{} {}".format(what, name[:1000].decode("utf-8", "backslashreplace")))
        del memory  # it had to live until now
        return argument

    def bind(self, name: bytes, replier: int) -> None:
        self._named(ioctl.BIND, replier, name, "bind")

    def unbind(self, name: bytes, replier: int) -> None:
        self._named(ioctl.UNBIND, replier, name, "unbind")

    def replier(self, name: bytes) -> int:
        return ioctl.return_id(self._named(ioctl.REPLIER, 0, name, "find the Replier of"))

    def value(self, op: str, number: int = 0) -> int:
        argument = bytearray(struct.pack("=I", number))
        self._ioctl(ioctl.VALUES[op], argument, op)
        answer: int = struct.unpack("=I", argument)[0]
        return answer

    def reset(self) -> None:
        self._ioctl(ioctl.RESET, 0, "reset")

    def unknown(self, code: int) -> None:
        self._ioctl(code, bytearray(8), "ioctl 0x{:x}".format(code))

    def poll(self) -> Tuple[bool, bool]:
        ready = self._poll(select.POLLIN | select.POLLOUT, 0)
        return bool(ready & select.POLLIN), bool(ready & select.POLLOUT)

    def _poll(self, events: int, timeout: Optional[float]) -> int:
        p = select.poll()
        p.register(self._fd, events)
        for _, ready in p.poll(None if timeout is None else timeout * 1000):
            return ready
        return 0

    def last_sent(self) -> MessageId:
        argument = bytearray(8)
        self._ioctl(ioctl.LASTSENT, argument, "last message id")
        return MessageId(*struct.unpack("=II", argument))

    def wait_readable(self, timeout: Optional[float]) -> bool:
        return bool(self._put_aside) or bool(self._poll(select.POLLIN, timeout))

    def wait_sent(self, timeout: Optional[float]) -> bool:
        return bool(self._poll(select.POLLOUT, timeout))

    def _discard(self, pending: bool) -> bool:
        waits = False
        if pending:  # to poll would be to try again; but only while a message waits a write does nothing
            try:
                self._write(b"K")
            except KbusError as e:
                waits = e.errno == errno.EALREADY
        self._ioctl(ioctl.DISCARD, 0, "discard")
        return waits

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except OSError as e:
            self._fail(e, "write")

    def _send(self) -> Sent:
        argument = bytearray(8)
        try:
            self._ioctl(ioctl.SEND, argument, "send")
        except KbusError as e:
            if e.errno == errno.EAGAIN:
                e.message_id = Sent(*self.last_sent())
            raise
        return Sent(*struct.unpack("=II", argument))

    def _send_message(self, parts: Parts) -> Sent:
        self._write(layout.to_entire(parts))
        return self._send()

    def _next(self) -> int:
        argument = bytearray(4)
        self._ioctl(ioctl.NEXTMSG, argument, "next message")
        length: int = struct.unpack("=I", argument)[0]
        return length

    def _read(self, count: int) -> bytes:
        try:
            return os.read(self._fd, count)
        except OSError as e:
            self._fail(e, "read")

    def _receive(self) -> Optional[Parts]:
        if self._put_aside:
            return self._put_aside.pop(0)
        length, raw = self._next(), b""
        while len(raw) < length:
            piece = self._read(length - len(raw))
            if not piece:
                raise error(errno.EBADMSG, "receive: the device has {} of {} bytes".format(len(raw), length))
            raw += piece
        return layout.from_entire(raw) if raw else None

    def _receive_reply(self, request: Id, timeout: Optional[float]) -> Optional[Parts]:
        """A device has no way to take one message out of its queue, so what comes before it is put aside."""
        deadline = None if timeout is None else time.monotonic() + timeout
        aside, self._put_aside = self._put_aside, []
        try:
            while True:
                parts = self._receive()
                if parts is None:
                    left = None if deadline is None else max(0.0, deadline - time.monotonic())
                    if not self.wait_readable(left):
                        return None
                elif parts.is_reply_to(self.ksock_id) and \
                        parts.numbers[layout.REPLY_ID:layout.REPLY_SERIAL + 1] == request:
                    return parts
                else:
                    aside.append(parts)
        finally:
            self._put_aside = aside
