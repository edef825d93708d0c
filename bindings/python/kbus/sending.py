"""The operations that send: a message as a whole, one that is written in pieces, one that waits for room, and a call."""

from __future__ import annotations

import errno
import struct
from typing import List, Optional

from . import layout, wire
from .asked import gone_away
from .books import Books
from .conditions import BUS_GONE, KbusError, error, refusal
from .ids import MessageId
from .layout import Id, Parts
from .names import MAX_NAME_LEN
from .query import Late, Operation, Query, cut, shown

_FLAGS = layout.FLAGS
_FLAGS_END = 52  # bytes of the entire form up to and with the flags


class Sending(Books):
    """What a Ksock does to send."""

    def send_message(self, parts: Parts) -> Operation:
        """Sends a whole message; gives Sent."""
        if self._written:  # it continues what was begun, as it always did
            yield from self.write(layout.to_entire(parts, self.wide))
            return (yield from self.send())
        query = Query(wire.SEND_MESSAGE, 0, wire.message(self._cut(parts), self.features), parts.name, parts)
        if parts.numbers[_FLAGS] & layout.WANT_A_REPLY:
            query.is_request = True
        try:
            return wire.sent((yield query).payload)
        except KbusError as e:
            raise self._uncut(e, parts)

    def lazily(self, parts: Parts) -> Optional[Query]:
        """The query that sends a whole message along with another query; None if that cannot be."""
        if self._written or len(parts.name) > MAX_NAME_LEN or len(parts.data) > self.most:
            return None
        query = Query(wire.SEND_MESSAGE, 0, wire.message(parts, self.features), parts.name, parts)
        query.flags = wire.LAZY
        query.is_request = bool(parts.numbers[_FLAGS] & layout.WANT_A_REPLY)
        return query

    def write(self, data: bytes) -> Operation:
        """Adds bytes to the message being written, in the entire or pointy form; gives their number, which is all of them.

        EALREADY while a message waits to be sent; nothing is lost then. EINVAL, EBADMSG, ENAMETOOLONG and EMSGSIZE say
        what is wrong with the message, and drop all that was written of it.
        """
        most = max(self.most, 1)  # a longer payload would be no frame; what follows is refused all the same
        try:
            for at in range(0, max(len(data), 1), most):
                yield Query(wire.WRITE, 0, bytes(data[at:at + most]), "write")
        except KbusError as e:
            if e.errno != errno.EALREADY:
                self._written = bytearray()
            raise
        self._written += data[:_FLAGS_END - len(self._written)]
        return len(data)

    def send(self) -> Operation:
        """Sends the message that was written, or tries again with the one that waits for room. Gives Sent.

        ENOMSG if there is neither, EINVAL if the message is not complete. EAGAIN: the message waits (ALL_OR_WAIT), and the
        error has its id. Any other error drops the message.
        """
        query = Query(wire.SEND, what="send")
        query.retries = None if self._written else self._pending
        query.is_request = query.retries is None and _is_request(self._written)
        return wire.sent((yield query).payload)

    def discard(self) -> Operation:
        """Drops the message that was being written or waits for room, if there is one. Always succeeds.

        A Request that was dropped while it waited gets no answer.
        """
        waits = self._pending is not None and (yield from self.still_waits())
        yield Query(wire.DISCARD, what="discard")
        self._written = bytearray()
        if waits and self._pending is not None:
            self._asked.remove(self._pending, self._no_answer)
        self._pending = None

    def still_waits(self) -> Operation:
        """Whether a message waits for room. The daemon tries by itself, so asking changes nothing."""
        return not (yield Query(wire.POLL, what="discard")).arg & 2

    def last_sent(self) -> Operation:
        """The id of the last message that the bus gave one, also if its sending failed; MessageId(0, 0) before the first."""
        return MessageId(*wire.sent((yield Query(wire.LAST_SENT, what="last message id")).payload))

    def wait_sent(self) -> Operation:
        """Waits until no message waits for room; False when the time is over first."""
        try:
            yield Query(wire.WAIT_SENT, what="wait until sent")
        except Late:
            return False
        except KbusError as e:
            if e.condition != "ErrCanceled":
                raise
            return False
        return True

    def call(self, parts: Parts, keep: bool, asked: "Optional[List[Query]]" = None) -> Operation:
        """Sends a Request and waits for its answer: gives that, or None when the time is over first, and the id. Adds to asked
        the query that the answer is to."""
        if self._written:
            sent = yield from self.send_message(parts)
            query = Query(wire.NEXT_REPLY, 1, wire.id_bytes(*sent), parts.name)
            query.id = sent.network_id, sent.serial_num
        else:
            query = Query(wire.CALL, 0, wire.message(self._cut(parts), self.features), parts.name, parts)
            query.is_request = True
        if keep:
            query.keep = True
        if asked is not None:
            asked.append(query)
        try:
            yield query
        except Late:
            return None, query.id
        except KbusError as e:
            if e.condition != "ErrCanceled" or not query.given_up:
                query.parts = self._instead(query, self._uncut(e, parts))
        else:
            if query.given_up and query.keep:
                return None, query.id  # it came a moment after the time, and is in the inbox
        return query.parts, query.id

    def _instead(self, query: Query, e: KbusError) -> Parts:
        """What a call gets when its query has failed: the last word of a bus that was lost, or the error."""
        if e.errno != errno.ENOTCONN or not query.orphaned and query.id is None:
            try:
                raise e
            finally:
                del e  # as in Query.result
        self.lose()
        if query.op == wire.CALL and query.id is None:
            return gone_away((0, 0), self.ksock_id)
        return self._word_to(query.id)

    def _word_to(self, request: Optional[Id]) -> Parts:
        for entry in self.inbox:
            if entry[1].numbers[layout.REPLY_ID:layout.REPLY_SERIAL + 1] == request:
                self.inbox.remove(entry)
                return entry[1]
        raise refusal(BUS_GONE, "call")

    def _cut(self, parts: Parts) -> Parts:
        """A message that is too long stays so, but fits a frame: then the bus says what is wrong."""
        if len(parts.name) <= MAX_NAME_LEN and len(parts.data) <= self.most:
            return parts
        return Parts(parts.numbers, cut(parts.name), parts.data[:self.most], trace=parts.trace)

    def _uncut(self, e: KbusError, parts: Parts) -> KbusError:
        """The bus has refused a message of which only a part was sent; the error with the length of all of it."""
        if e.condition != "ErrMessageTooLong" or len(parts.data) <= self.most:
            return e
        return error(e.errno, "send {}: its data has {} bytes, {} are the most for a message in all, settings "
                     "limits.message-bytes and limits.message-bytes-ceiling".format(shown(parts.name), len(parts.data), self.most), e.condition)


def _is_request(head: bytearray) -> bool:
    if len(head) < _FLAGS_END:
        return False
    flags: int = struct.unpack_from("=I", head, _FLAGS_END - 4)[0]
    return bool(flags & layout.WANT_A_REPLY)
