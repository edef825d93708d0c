"""What every way to a bus has in common: the books that let a Ksock survive the loss of its bus with its word kept.

A door is one Ksock, spoken to in bytes and numbers; the class Ksock makes a pleasant thing of it. SocketDoor and
DeviceDoor do the operations, each in its own way, under names with an underscore; here is what they need around them:
which Requests are unanswered, whichever way they were sent and their answers read, and the Statuses that take the
place of the answers when the bus is lost.
"""

from __future__ import annotations

import errno
import struct
from collections import deque
from typing import Deque, Optional, Tuple

from . import layout
from .asked import Asked, Id
from .conditions import BUS_GONE, KbusError, refusal
from .ids import MessageId, Sent
from .layout import Parts

_FLAGS_END = 52  # bytes of the entire form up to and with the flags
_TO_END = 24  # likewise with "to"


class Door:
    """One Ksock, however it is reached. Names are bytes, valid or not."""

    wide: bool = layout.MSG_HEADER_LEN == 88
    """Whether its entire messages have the header of 88 bytes."""

    def __init__(self, ksock_id: int, mode: int) -> None:
        self.ksock_id = ksock_id
        self.readable = bool(mode & 1)  # whether it was opened for reading
        self._asked = Asked()
        self._pending: Optional[Id] = None  # a Request that waits, or waited, for room
        self._written = bytearray()  # the beginning of what was written since the last send
        self._seen: Optional[bytearray] = None  # the beginning of a message being read, until it says whom it is for
        self._left = 0  # bytes of it not read yet
        self._lost = False
        self._last_words: Deque[Parts] = deque()
        self._word = b""  # what is left of the last word being read

    # What a door does in its own way.

    def fileno(self) -> int:
        """A descriptor that is readable while a message waits."""
        raise NotImplementedError

    def close(self) -> None:
        """Closes the Ksock; when this returns the bus has taken note."""
        raise NotImplementedError

    def bind(self, name: bytes, replier: int) -> None:
        """R3.20."""
        raise NotImplementedError

    def unbind(self, name: bytes, replier: int) -> None:
        """R3.27."""
        raise NotImplementedError

    def replier(self, name: bytes) -> int:
        """The Replier bound to exactly that text, or 0 (R3.31)."""
        raise NotImplementedError

    def value(self, op: str, number: int = 0) -> int:
        """An operation that takes a number, gives one, or both, by its ioctl's name in small letters."""
        raise NotImplementedError

    def reset(self) -> None:
        """Nothing (R3.13)."""
        raise NotImplementedError

    def unknown(self, code: int) -> None:
        """An operation that does not exist; fails with ENOTTY."""
        raise NotImplementedError

    def poll(self) -> Tuple[bool, bool]:
        """(readable, writable), after another try with a message that waits (R3.92)."""
        raise NotImplementedError

    def last_sent(self) -> MessageId:
        """R3.72."""
        raise NotImplementedError

    def wait_readable(self, timeout: Optional[float]) -> bool:
        """Waits until a message can be received, or the bus is lost; False when the seconds are over first."""
        raise NotImplementedError

    def wait_sent(self, timeout: Optional[float]) -> bool:
        """Waits until no message waits for room; False when the seconds are over first."""
        raise NotImplementedError

    def _discard(self, pending: bool) -> bool:
        """R3.71. pending: a Request may wait for room. Tells whether it certainly did, and is dropped."""
        raise NotImplementedError

    def _write(self, data: bytes) -> int:
        raise NotImplementedError

    def _send(self) -> Sent:
        raise NotImplementedError

    def _send_message(self, parts: Parts) -> Sent:
        raise NotImplementedError

    def _next(self) -> int:
        raise NotImplementedError

    def _read(self, count: int) -> bytes:
        raise NotImplementedError

    def _receive(self) -> Optional[Parts]:
        raise NotImplementedError

    def _receive_reply(self, request: Id, timeout: Optional[float]) -> Optional[Parts]:
        raise NotImplementedError

    # Sending.

    def write(self, data: bytes) -> int:
        """R3.55."""
        try:
            count = self._write(data)
        except KbusError as e:
            if e.errno != errno.EALREADY:
                self._written.clear()
            raise
        self._written += data[:_FLAGS_END - len(self._written)]
        return count

    def send(self) -> Sent:
        """R3.65: what was written, or once more what waits for room."""
        retry = None if self._written else self._pending
        request = _is_request(self._written)
        self._written.clear()
        try:
            return self._booked(self._send, request and retry is None)
        except KbusError as e:
            if retry is not None and e.errno not in (errno.EAGAIN, errno.ENOMSG):
                self._asked.remove(retry)  # dropped, and no Status will come
                self._pending = None
            raise

    def send_message(self, parts: Parts) -> Sent:
        """Sends a whole message."""
        if self._written:  # it continues what was begun, as it always did
            self.write(layout.to_entire(parts, self.wide))
            return self.send()
        request = bool(parts.numbers[layout.FLAGS] & layout.WANT_A_REPLY)
        return self._booked(lambda: self._send_message(parts), request)

    def _booked(self, send, request: bool) -> Sent:  # type: ignore[no-untyped-def]
        try:
            sent: Sent = send()
        except KbusError as e:
            if e.message_id is not None and request:
                self._pending = e.message_id.network_id, e.message_id.serial_num
                self._asked.add(self._pending)
            raise
        if request:
            self._asked.add((sent.network_id, sent.serial_num))
        return sent

    def discard(self) -> None:
        """R3.71. A Request that still waited for room will get no answer."""
        dropped = self._discard(self._pending is not None)
        self._written.clear()
        if dropped and self._pending is not None:
            self._asked.remove(self._pending)
        self._pending = None

    # Receiving.

    def next(self) -> int:
        """Takes the next message, to be read in pieces, and gives its length; 0 if there is none (R3.35)."""
        if not self._lost:
            try:
                self._look()
                self._left = self._next()
                self._seen = bytearray() if self._left else None
                return self._left
            except KbusError as e:
                self._lose(e)
        self._word = layout.to_entire(self._last_word(), self.wide)
        return len(self._word)

    def _look(self) -> None:
        """What is left of the message being read is about to be dropped, but it may be an answer."""
        if self._seen is not None and self.readable:
            self.read(_TO_END - len(self._seen))

    def read(self, count: int) -> bytes:
        """The next bytes of the message taken, at most count (R3.40)."""
        if self._lost:
            data, self._word = self._word[:count], self._word[count:]
            return data
        data = self._read(count)
        self._left -= len(data)
        if self._seen is not None:
            self._seen += data[:_TO_END - len(self._seen)]
            if len(self._seen) == _TO_END:
                network_id, serial_num, to = struct.unpack_from("=III", self._seen, 12)
                self._asked.settle((network_id, serial_num), to, self.ksock_id)
                self._seen = None
        return data

    def len_left(self) -> int:
        """Bytes of the message taken that were not read yet (R3.45)."""
        return len(self._word) if self._lost else self.value("lenleft")

    def receive(self) -> Optional[Parts]:
        """The next message, whole, or None. What is left of one being read in pieces is dropped, as it always was."""
        if not self._lost:
            try:
                parts = self._receive_pieces() if self._left else self._receive()
                if parts is not None:
                    self._settle(parts)
                return parts
            except KbusError as e:
                self._lose(e)
        return self._last_word()

    def _receive_pieces(self) -> Optional[Parts]:
        length = self.next()
        raw = b""
        while len(raw) < length:
            raw += self.read(length - len(raw))
        return layout.from_entire(raw, self.wide) if raw else None

    def receive_reply(self, request: Id, timeout: Optional[float]) -> Optional[Parts]:
        """The Reply or Status to a Request, wherever it is in the queue; None when the seconds are over first."""
        if not self._lost:
            try:
                parts = self._receive_reply(request, timeout)
                if parts is not None:
                    self._settle(parts)
                return parts
            except KbusError as e:
                self._lose(e)
        for parts in self._last_words:
            if parts.numbers[layout.REPLY_ID:layout.REPLY_SERIAL + 1] == request:
                self._last_words.remove(parts)
                return parts
        raise refusal(BUS_GONE, "call")

    def _settle(self, parts: Parts) -> None:
        n = parts.numbers
        self._asked.settle((n[layout.REPLY_ID], n[layout.REPLY_SERIAL]), n[layout.TO], self.ksock_id)

    def _lose(self, error: KbusError) -> None:
        """The bus is lost, if that is the error: from now on only last words are received."""
        if error.errno != errno.ENOTCONN:
            raise error
        self._lost = True
        self._last_words.extend(self._asked.statuses(self.ksock_id))

    def _last_word(self) -> Parts:
        if not self._last_words:
            raise refusal(BUS_GONE, "receive")
        return self._last_words.popleft()


def _is_request(head: bytearray) -> bool:
    if len(head) < _FLAGS_END:
        return False
    flags: int = struct.unpack_from("=I", head, _FLAGS_END - 4)[0]
    return bool(flags & layout.WANT_A_REPLY)
