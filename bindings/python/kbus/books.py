"""The books of a Ksock: which Requests are unanswered, and which messages have been taken from the queue.

perform() notes what an answer *means*, at once and whether or not a caller still waits for it. A message that was taken
is in the *inbox* until a caller gets it. So an operation may end at any moment, by a time limit, a cancelled task or an
exception out of a signal handler, and nothing is lost. perform() may even be interrupted itself and is then done again:
each of its steps is either harmless twice, or marked as done with no call in between.

When the bus is lost its last word to each unanswered Request, a Status, goes to the inbox.
"""

from __future__ import annotations

import bisect
import struct
from typing import Callable, Dict, List, NamedTuple, Optional, Set, Tuple

from . import layout, wire
from .asked import Asked
from .conditions import CANCELED, PENDING, UNKNOWN_OPERATION
from .layout import Id, Parts
from .query import Answer, Query

_TO, _REPLY = layout.TO, slice(layout.REPLY_ID, layout.REPLY_SERIAL + 1)
_LAST = 1 << 62  # numbers of last words; what was received before has smaller ones
TO_END = 24  # bytes of the entire form up to and with "to"


class Reading(NamedTuple):
    """A message that is read in pieces, after the answer of a certain number."""

    left: int  # bytes of it not read yet
    seen: Optional[bytes]  # its beginning, until it says whom it is for
    number: int


NOTHING_READ = Reading(0, None, -1)


class Books:
    """What a Ksock knows."""

    def __init__(self, mode: int, wide: bool) -> None:
        self.ksock_id = 0
        self.most = 0  # bytes that a message may have at all
        self.readable = bool(mode & 1)
        self.wide = wide  # whether entire messages have the header of 88 bytes
        self.lost = False
        self.count = 0  # of the answer that is being noted: each has a greater one
        self.inbox: List[Tuple[int, Parts]] = []  # taken from the queue, in order, by number
        self._newest = -1  # the highest number that was ever put there by an answer
        self.waiting: Dict[int, Query] = {}  # what was asked and not answered, by sequence
        self._coming: Set[Query] = set()  # whose callers were told that there is a message, and come for one
        self.owed: List[Query] = []  # to be asked besides
        self.features = 0  # what was granted: what may follow a message
        self._asked = Asked()
        self._pending: Optional[Id] = None  # a Request that waits, or waited, for room
        self._written = bytearray()  # the beginning of what was written since the last send
        self._reading = NOTHING_READ
        self.untold = 0  # bytes of the message that next() has taken, until its caller is told and takes this away

    def perform(self, query: Query, answer: Answer) -> None:
        """Notes what an answer means. May be interrupted and done again, as long as count stays the same."""
        note = _NOTES.get(query.op)
        query.answer = answer
        query.number = 2 * self.count
        if note is not None:
            note(self, query, answer)
        query.done = True

    def _note_message(self, query: Query, answer: Answer) -> None:
        if not answer.condition:
            self._arrived(query, _only_message(answer.payload, self.features), True)

    def _note_answer(self, query: Query, answer: Answer) -> None:
        if answer.condition == CANCELED and not query.noted:
            if query.op == wire.CALL and len(answer.payload) >= 8:
                sent = wire.sent(answer.payload)
                query.id = sent.network_id, sent.serial_num
                if query.given_up and query.keep:
                    self._asked.add(query.id, query.number)  # its answer comes to the queue
            elif query.id is not None and not query.given_up:
                self._asked.remove(query.id, query.number)  # its message was discarded while it waited for room
            query.noted = True
        if not answer.condition:
            parts = _only_message(answer.payload, self.features)
            self._arrived(query, parts, query.given_up and query.keep)
            query.parts = parts

    def _arrived(self, query: Query, parts: Optional[Parts], for_all: bool) -> None:
        """A message was taken from the queue."""
        if parts is None:
            return
        if not query.noted:
            n = parts.numbers
            if n[_TO] == self.ksock_id:
                self._answered(n[_REPLY], query.number)
            query.noted = True
        if for_all:
            self._into_inbox(query.number, parts)
            if query.given_up:
                self.wake_receiver()
            elif query.receives:
                self._coming.add(query)

    def _into_inbox(self, number: int, parts: Parts) -> None:
        """Once for each number, even if that was taken out of the inbox since."""
        new = [(number, parts)]
        if number > self._newest and not (self.inbox and self.inbox[-1][0] >= number):
            self.inbox += new
            self._newest = number

    def put_back(self, entry: "Tuple[int, Parts]") -> None:
        """It was taken out of the inbox, but did not get to where it was to go."""
        if all(number != entry[0] for number, _ in self.inbox):
            bisect.insort(self.inbox, entry)
        self.wake_receiver()

    def _answered(self, request: Id, answer: int) -> None:
        if request != (0, 0):
            self._asked.remove(request, answer)

    def dropped(self, request: Id) -> None:
        """The answer to a Request that was given up has come, and is not wanted."""
        self._asked.remove(request, self._no_answer)

    @property
    def _no_answer(self) -> int:
        """A number of something that no answer has said: those of answers are even."""
        return 2 * self.count + 1

    def _note_sent(self, query: Query, answer: Answer) -> None:
        if query.op == wire.SEND:
            self._written = bytearray()
        if answer.condition not in (0, PENDING):
            if query.retries is not None and answer.condition != _NOTHING_TO_SEND and not query.noted:
                self._asked.remove(query.retries, query.number)  # dropped, and no Status will come
                self._pending = None
                query.noted = True
            return
        if query.is_request and not query.noted:
            sent = wire.sent(answer.payload)
            key = sent.network_id, sent.serial_num
            if answer.condition:
                self._pending = key
            self._asked.add(key, query.number)
            query.noted = True

    def lose(self) -> None:
        """The bus is lost. From now on only last words are received."""
        if not self.lost and not (self.inbox and self.inbox[-1][0] >= _LAST):
            words = [(_LAST + i, s) for i, s in enumerate(self._asked.statuses(self.ksock_id))]
            self.inbox += words
        self.lost = True

    def inherit(self, old: "Books") -> None:
        """What another Ksock, whose bus is lost, had still to receive is received here."""
        self.inbox = [(n - 2 * _LAST, parts) for n, parts in old.inbox]

    def forget(self) -> None:
        """Nothing is wanted any more: the Ksock is closed."""
        self._asked = Asked()

    def wake_receiver(self) -> None:
        """The inbox has a message that another caller did not take: the next caller that waits for any message gets it."""
        for query in list(self.waiting.values()):
            if query.receives and not query.given_up and not query.done and query.notify is not None \
                    and query not in self._coming:
                self._coming.add(query)
                query.notify()
                return

    def taken(self) -> None:
        """A message has gone out of the inbox. Another is there for whoever waits, unless somebody comes for it: who was woken for a
        message may have had one of his own in the same moment, and has left that."""
        if len(self.inbox) > len(self._coming):
            self.wake_receiver()

    def left(self, query: Query) -> None:
        """An exception has ended the operation of that query: if its caller was to come for a message, another does."""
        self._coming.discard(query)
        self.taken()

    def poke(self) -> None:
        """Lets all that wait for a message ask their until() again. From any thread and signal handler."""
        for query in list(self.waiting.values()):
            if query.until is not None and query.notify is not None:
                query.notify()

    def give_up(self, query: Query) -> Optional[Query]:
        """The caller no longer waits for a query. Gives the query that tells the bus so, if one is needed."""
        query.given_up = True
        if query.done:
            if query.op in (wire.CALL, wire.NEXT_REPLY) and query.keep and query.parts is not None:
                self.put_back((query.number, query.parts))
            if self.inbox:
                self.wake_receiver()
            return None
        if query.op in (wire.CALL, wire.NEXT_REPLY) and not query.keep:
            if query.id is not None and not query.noted:
                self._asked.remove(query.id, self._no_answer)  # no caller will hear of it
                query.noted = True
            return Query(wire.GIVE_UP, query.seq, what="give up", target=query)
        if query.op in (wire.NEXT_WAIT, wire.WAIT_SENT, wire.NEXT_REPLY, wire.CALL, wire.WAIT_READABLE):
            return Query(wire.CANCEL, query.seq, what="cancel", target=query)
        return None

    def _note_given_up(self, query: Query, answer: Answer) -> None:
        """A daemon that does not know GiveUp is asked to Cancel: then the answer comes to the queue."""
        if answer.condition == UNKNOWN_OPERATION and query.target is not None and not query.noted:
            self.owed = [Query(wire.CANCEL, query.target.seq, what="cancel")]
            query.noted = True

    def _note_next(self, query: Query, answer: Answer) -> None:
        if not answer.condition:
            self._reading = Reading(answer.arg, b"" if answer.arg else None, query.number)
            self.untold = answer.arg

    def _note_read(self, query: Query, answer: Answer) -> None:
        left, seen, number = self._reading
        if answer.condition or number == query.number:
            return
        if seen is not None:
            seen += answer.payload[:TO_END - len(seen)]
            if len(seen) == TO_END:
                network_id, serial_num, to = struct.unpack_from("=III", seen, 12)
                self._answered((network_id, serial_num) if to == self.ksock_id else (0, 0), query.number)
                seen = None
        self._reading = Reading(left - len(answer.payload), seen, query.number)


_NOTHING_TO_SEND = 10

_NOTES: "Dict[int, Callable[[Books, Query, Answer], None]]" = {
    wire.NEXT: Books._note_message, wire.NEXT_WAIT: Books._note_message, wire.NEXT_REPLY: Books._note_answer,
    wire.CALL: Books._note_answer, wire.SEND_MESSAGE: Books._note_sent, wire.SEND: Books._note_sent,
    wire.GIVE_UP: Books._note_given_up, wire.NEXT_MSG: Books._note_next, wire.READ: Books._note_read,
}


def _only_message(payload: bytes, features: int) -> Optional[Parts]:
    if not payload:
        return None
    return wire.first_message(payload, 0, len(payload), features)[0]
