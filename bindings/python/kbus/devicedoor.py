"""The way to a bus through its device node, /dev/kbusN: read, write, ioctl and poll, as the original's programs do it.

The kernel, or the daemon behind the device, keeps the queue, so several processes may share a descriptor, and poll tells
exactly what is so. The core's queries are performed here by system calls. One that an exception out of a signal handler
interrupts can be gone on with: that a message has been taken, and which of its bytes have been read, stands where the
kernel itself has written it, and a message that was written and not sent is dropped before the next one.
"""

from __future__ import annotations

import errno
import fcntl
import io
import os
import select
import struct
import time
from collections import deque
from typing import Deque, Dict, List, NoReturn, Optional, Set

from . import forks, ioctl, layout, wake, wire
from .conditions import BUS_GONE, CLOSED, PENDING, KbusError, error, refusal
from .core import Core
from .door import Door, left_until
from .layout import Id
from .query import Answer, Late, Operation, Query
from .turns import Turns

_MODES = {1: os.O_RDONLY, 2: os.O_WRONLY, 3: os.O_RDWR}
_LOST = (errno.ENOTCONN, errno.ECONNABORTED, errno.ENODEV)  # the daemon behind the device is gone
_SOME_FAILURE = 0xFFFF  # a condition, of which only the errno is known
_PIECE = 1 << 20  # bytes written at once; the kernel cuts what is longer in any case

_VALUES: Dict[int, str] = {number: op for op, number in wire.VALUES.items()}
_NAMED = {wire.BIND: (ioctl.BIND, "bind"), wire.UNBIND: (ioctl.UNBIND, "unbind"),
          wire.REPLIER: (ioctl.REPLIER, "find the Replier of")}


class _Taking:
    """A message that is being taken from the queue: its length, as the kernel wrote it, and what was read of it."""

    def __init__(self) -> None:
        self.length = bytearray(4)
        self.pieces: Deque[bytes] = deque()
        self.query: Optional[Query] = None  # that it answers, when all of it is here


class _DeviceCore(Core):
    def still_waits(self) -> Operation:
        """To poll would be to try again; but only while a message waits a write does nothing."""
        waits = False
        try:
            yield Query(wire.WRITE, 0, b"K", "discard")
        except KbusError as e:
            waits = e.errno == errno.EALREADY
        return waits

    def pick(self, request: Id, query: Optional[Query] = None) -> bool:
        """Takes the answer to a Request out of the inbox, for a query that waits for it. Tells whether it was there."""
        for at, (number, parts) in enumerate(self.inbox):
            if parts.is_reply_to(self.ksock_id) and parts.numbers[layout.REPLY_ID:layout.REPLY_SERIAL + 1] == request:
                if query is not None:
                    query.number = number  # from here on it may be put back, which does nothing while it is still there
                    query.parts = parts
                del self.inbox[at]
                return True
        return False


class DeviceDoor(Door):
    """An open device node."""

    core: _DeviceCore

    def __init__(self, path: str, mode: int) -> None:
        super().__init__(_DeviceCore(mode, layout.MSG_HEADER_LEN == 88))
        self._taking = _Taking()
        self._begun = False  # a message of ours may have been written and not sent
        self._unwanted: Set[Id] = set()  # Requests of calls that were given up
        self._sent = bytearray(8)  # the id of what was sent last, where the kernel itself writes it
        self._sending: Optional[Query] = None  # that sends it, until what that means is noted
        self._sleepers: List[wake.Wake] = []
        self._files: List[io.FileIO] = []  # the one, in a list to which the call that opens it adds it: no signal comes between
        try:
            self._files.extend(map(io.FileIO, map(os.open, (path,), (_MODES[mode] | os.O_CLOEXEC,))))
            self._fd = self._files[0].fileno()
        except OSError as e:
            self._closed = True
            raise error(e.errno or errno.EINVAL, "open {}: {}".format(path, e.strerror)) from None
        forks.register(self)
        try:
            self.core.most = 1 << 30
            number = bytearray(4)
            self._ioctl(ioctl.KSOCKID, number, "ksockid")
            self.core.ksock_id = struct.unpack("=I", number)[0]
        except BaseException:
            self.drop()
            raise

    def _check(self, what: str) -> None:
        """A device may be shared with a child."""
        if self._closed:
            raise refusal(CLOSED, what)

    def forked(self) -> None:
        """In a child of a fork: the thread that had the lock is not here."""
        self._turns, self.reopening = Turns(), Turns()

    # System calls.

    def _fail(self, e: OSError, what: str) -> NoReturn:
        if e.errno in _LOST:
            raise refusal(BUS_GONE, what) from None
        raise error(e.errno or errno.EIO, "{}: {}".format(what, e.strerror)) from None

    def _ioctl(self, code: int, argument: "bytearray | int", what: str) -> int:
        try:
            return fcntl.ioctl(self._fd, code, argument)
        except OSError as e:
            self._fail(e, what)

    def _poll(self, wanted: int, deadline: Optional[float]) -> int:
        awake = wake.borrow()
        self._sleepers.append(awake)
        try:
            self._check("wait")
            p = select.poll()
            p.register(self._fd, wanted)
            p.register(awake.fd, select.POLLIN)
            while True:
                ready = dict(p.poll(left_until(deadline)))
                if awake.fd in ready:
                    awake.clear()
                    self._check("wait")
                    del ready[awake.fd]
                for events in ready.values():
                    return events
                if deadline is not None and time.monotonic() >= deadline:
                    return 0
        finally:
            self._sleepers.remove(awake)
            wake.give_back(awake)

    # Queries.

    def _perform(self, query: Query, deadline: Optional[float]) -> Answer:
        self._check(query.what)
        if query.op == wire.NEXT_WAIT:
            while not self.core.inbox:
                self._now(Query(wire.NEXT, what=query.what))
                if not self.core.inbox and not self._poll(select.POLLIN, deadline):
                    raise Late
        elif query.op in (wire.CALL, wire.NEXT_REPLY):
            self._call(query, deadline)
        elif query.op == wire.WAIT_SENT:
            if not self._poll(select.POLLOUT, deadline):
                raise Late
        else:
            return self._now(query)
        return Answer(0, 0, b"")

    def _now(self, query: Query) -> Answer:
        self._check(query.what)
        self._turns.take(self._act, query)
        return query.result()

    def _act(self, query: Query) -> None:
        self._check(query.what)
        before = len(self.core.inbox)
        self._finish()
        if query.op == wire.NEXT and len(self.core.inbox) > before:
            self.core.perform(query, Answer(0, 0, b""))  # that is the next message
            return
        try:
            if self._begun and query.op != wire.SEND:
                self._ioctl(ioctl.DISCARD, 0, query.what)
                self._begun = False
            if query.op == wire.NEXT:
                self._taken(query)
                self._arrive()
                return
            if query.op in (wire.SEND, wire.SEND_MESSAGE):
                self._sent = bytearray(8)
                self._sending = query
            answer = self._answer(query)
        except KbusError as e:
            query.failure = e
            number = PENDING if e.message_id is not None else 10 if e.errno == errno.ENOMSG else _SOME_FAILURE
            answer = Answer(number, 0, wire.id_bytes(*e.message_id) if e.message_id is not None else b"")
        self.core.perform(query, answer)
        self.core.count += 1
        self._sending = None

    def _finish(self) -> None:
        """What an exception has interrupted is done: a message that has gone counts as sent, one of which the kernel has
        given us something is read and goes to the inbox."""
        query = self._sending
        if query is not None and any(self._sent):
            if not query.done:
                self.core.perform(query, Answer(0, 0, bytes(self._sent)))
            self.core.count += 1
        self._sending = None
        if self._taking.query is None and any(self._taking.length):
            try:
                self._taken(Query(wire.NEXT))
            except KbusError:
                pass  # the device is gone, or has not the rest: it will tell the next who asks
        self._arrive()

    def _taken(self, query: Query) -> None:
        query.answer = Answer(0, 0, self._take_wanted())
        self._taking.query = query

    def _arrive(self) -> None:
        """The message that is here goes to the inbox, and room is made for the next."""
        query, fresh = self._taking.query, _Taking()
        if query is not None and query.answer is not None:
            if not query.done:
                self.core.perform(query, query.answer)
            self.core.count += 1  # at least, before the next
            self._taking = fresh
        for request in list(self._unwanted):  # it may be the answer to a call that was given up meanwhile
            if self.core.pick(request):
                self._unwanted.discard(request)

    def receive(self, make):  # type: ignore[no-untyped-def]
        self._check("receive")
        self._turns.take(self._finish)
        return super().receive(make)

    def _answer(self, query: Query) -> Answer:
        op, what = query.op, query.what
        argument = bytearray(8)
        if op == wire.BIND and query.arg == wire.AS_STANDBY:
            raise error(errno.ENOTTY, what + ": a device has no standbys; the daemon's socket has")
        if op in _NAMED:
            code, words = _NAMED[op]
            named, memory = ioctl.named(query.arg, query.payload)
            self._ioctl(code, named, "{} {}".format(words, query.payload[:1000].decode("utf-8", "backslashreplace")))
            del memory  # it had to live until now
            return Answer(0, ioctl.return_id(named), b"")
        if op in _VALUES:
            struct.pack_into("=I", argument, 0, query.arg)
            self._ioctl(ioctl.VALUES[_VALUES[op]], argument, what)
            return Answer(0, struct.unpack_from("=I", argument)[0], b"")
        if op == wire.RESET:
            self._ioctl(ioctl.RESET, 0, what)
        elif op == wire.DISCARD:
            self._ioctl(ioctl.DISCARD, 0, what)
        elif op == wire.WRITE:
            self._write(query.payload)
        elif op == wire.SEND:
            return self._send(what)
        elif op == wire.SEND_MESSAGE and query.message is not None:
            self._begun = True
            try:
                self._write(layout.to_entire(query.message))
            except KbusError as e:
                self._begun = e.errno != errno.EALREADY and self._begun
                raise
            answer = self._send(what)
            self._begun = False
            return answer
        elif op == wire.LAST_SENT:
            self._ioctl(ioctl.LASTSENT, argument, what)
            return Answer(0, 0, wire.id_bytes(*struct.unpack("=II", argument)))
        elif op == wire.MISSED:
            words = bytearray(12)
            self._ioctl(ioctl.MISSED, words, what)
            before, low, high = struct.unpack("=III", words)
            return Answer(0, before, struct.pack("<II", low, high))
        elif op == wire.NEXT_MSG:
            self._ioctl(ioctl.NEXTMSG, argument, what)
            return Answer(0, struct.unpack_from("=I", argument)[0], b"")
        elif op == wire.READ:
            return Answer(0, 0, self._read(query.arg))
        elif op == wire.POLL:
            ready = self._poll(select.POLLIN | select.POLLOUT, time.monotonic())
            return Answer(0, (1 if ready & select.POLLIN else 0) | (2 if ready & select.POLLOUT else 0), b"")
        elif op == 200:
            self._ioctl(query.arg, argument, "ioctl 0x{:x}".format(query.arg))
        else:
            raise error(errno.ENOTTY, what + ": a device has no such operation; the daemon's socket has")
        return Answer(0, 0, b"")

    def _write(self, data: bytes) -> None:
        """All of it: the kernel may take less at a time, for instance because of a limit of file size."""
        rest = memoryview(data)
        while True:
            try:
                rest = rest[os.write(self._fd, rest[:_PIECE]):]
            except OSError as e:
                self._fail(e, "write")
            if not rest:
                return

    def _send(self, what: str) -> Answer:
        argument = self._sent
        try:
            self._ioctl(ioctl.SEND, argument, what)
        except KbusError as e:
            self._begun = False
            if e.errno == errno.EAGAIN:
                argument = bytearray(8)
                self._ioctl(ioctl.LASTSENT, argument, what)
                e.message_id = wire.sent(wire.id_bytes(*struct.unpack("=II", argument)))
            raise
        return Answer(0, 0, wire.id_bytes(*struct.unpack("=II", argument)))

    def _read(self, count: int) -> bytes:
        try:
            return os.read(self._fd, count)
        except OSError as e:
            self._fail(e, "read")

    def _take(self) -> bytes:
        """The next message, as in a frame; nothing if there is none."""
        taking = self._taking
        if not any(taking.length):
            self._ioctl(ioctl.NEXTMSG, taking.length, "next message")
        length = struct.unpack("=I", taking.length)[0]
        missing = length - sum(map(len, taking.pieces))
        while missing:
            try:
                taking.pieces.extend(map(os.read, (self._fd,), (missing,)))
            except OSError as e:
                self._taking = _Taking()
                self._fail(e, "read")
            if not taking.pieces[-1]:
                self._taking = _Taking()
                raise error(errno.EBADMSG, "receive: the device has {} of {} bytes".format(length - missing, length))
            missing = length - sum(map(len, taking.pieces))
        return wire.message(layout.from_entire(b"".join(taking.pieces))) if length else b""

    def _take_wanted(self) -> bytes:
        """Likewise, but the answer to a call that was given up is dropped here: a device knows no giving up."""
        while True:
            payload = self._take()
            parts = next(wire.messages(payload), None) if self._unwanted else None
            if parts is None or not parts.is_reply_to(self.ksock_id):
                return payload
            request = (parts.numbers[layout.REPLY_ID], parts.numbers[layout.REPLY_SERIAL])
            if request not in self._unwanted:
                return payload
            self.core.dropped(request)
            self._taking = _Taking()
            self._unwanted.discard(request)

    def _call(self, query: Query, deadline: Optional[float]) -> None:
        """A device has no way to take one message out of its queue, so what comes before the answer is put aside."""
        self._sent = bytearray(8)
        try:  # one, and not one for each half: an exception may come between any two steps
            if query.op == wire.CALL:
                sending = Query(wire.SEND_MESSAGE, what=query.what, message=query.message)
                sending.is_request = True
                try:
                    sent = wire.sent(self._now(sending).payload)
                except KbusError as e:
                    if e.message_id is None:
                        raise
                    sent = e.message_id  # it waits for room, and so do we
                query.id = sent.network_id, sent.serial_num
            assert query.id is not None
            while not query.done:
                before = len(self.core.inbox)
                self._now(Query(wire.NEXT, what=query.what))
                query.done = self.core.pick(query.id, query)
                if not query.done and len(self.core.inbox) == before and not self._poll(select.POLLIN, deadline):
                    raise Late
        except KbusError:
            raise
        except BaseException:
            self._turns.take(self._finish)
            request = query.id or (struct.unpack("=II", self._sent) if any(self._sent) else None)
            if request is not None and not query.keep:
                self.core.dropped(request)
            if query.keep and query.parts is not None:
                query.done = True
                self.core.give_up(query)
            elif request is not None and not query.keep and not self.core.pick(request) and query.parts is None:
                self._unwanted.add(request)
            raise

    # The descriptor.

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        try:
            self._turns.take(self.drop)
        except BaseException:
            if self._closed:  # out of a signal handler: nobody would close it later
                self.drop()
            raise

    def drop(self) -> None:
        self._closed = True
        self._fd = -1
        for awake in list(self._sleepers):
            awake.set()
        try:
            list(map(io.FileIO.close, self._files))
        except OSError:
            pass  # the daemon is gone; the descriptor is closed all the same

    def hang_up(self) -> None:
        self.drop()

    def part(self, seconds: Optional[float]) -> None:
        self.drop()
