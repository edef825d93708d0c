"""The operations that bind, set and ask: all that neither sends nor receives."""

from __future__ import annotations

import errno
import struct

from . import wire
from .books import Books
from .conditions import error
from .query import Operation, Query, cut, shown


class Asking(Books):
    """What a Ksock does besides."""

    def bind(self, name: bytes, replier: int) -> Operation:
        """Binds this Ksock to a name: as Replier if replier is not 0, else as Listener.

        EBADMSG, ENAMETOOLONG for a name that cannot be; EADDRINUSE if it has a Replier; EAGAIN if the event about that
        finds no room; EDQUOT or ENOBUFS at a limit.
        """
        yield Query(wire.BIND, int(replier != 0), cut(name), "bind " + shown(name))

    def stand_by(self, name: bytes) -> Operation:
        """Binds as Replier, or to be it when the one that there is goes. A device has no such thing: ENOTTY."""
        yield Query(wire.BIND, wire.AS_STANDBY, cut(name), "stand by for " + shown(name))

    def unbind(self, name: bytes, replier: int) -> Operation:
        """Takes back the newest such binding of this Ksock, with what it brought to the queue. EINVAL if there is none."""
        yield Query(wire.UNBIND, int(replier != 0), cut(name), "unbind " + shown(name))

    def describe(self, name: bytes, card: bytes) -> Operation:
        """Attaches a card to a name, or takes it away. A device has no such thing: ENOTTY."""
        yield Query(wire.DESCRIBE, len(cut(name)), cut(name) + card, "describe " + shown(name))

    def card(self, name: bytes) -> Operation:
        """The card of a name, as JSON; empty if there is none."""
        return (yield Query(wire.CARD, 0, cut(name), "find the card of " + shown(name))).payload

    def replier(self, name: bytes) -> Operation:
        """The Ksock id of the Replier bound to exactly that text, wildcards included, or 0."""
        return (yield Query(wire.REPLIER, 0, cut(name), "find the Replier of " + shown(name))).arg

    def value(self, op: str, number: int = 0) -> Operation:
        """An operation that takes a number, gives one, or both, by its ioctl's name in small letters."""
        if op == "ksockid":
            return self.ksock_id
        answer = (yield Query(wire.VALUES[op], number, what=op)).arg
        return answer + len(self.inbox) if op == "nummsgs" else answer

    def reset(self) -> Operation:
        """Does nothing, as in the original."""
        yield Query(wire.RESET, what="reset")

    def unknown(self, code: int) -> Operation:
        """An operation that does not exist; fails with ENOTTY."""
        yield Query(200, code, what="operation 0x{:x}".format(code))

    def poll(self) -> Operation:
        """(readable, writable), after another try with a message that waits for room."""
        ready = (yield Query(wire.POLL, what="poll")).arg
        return bool(ready & 1) or bool(self.inbox), bool(ready & 2)

    def who(self, name: bytes) -> Operation:
        """(Ksock id, process id, user id) of all that would get a message: the Replier, 0 if there is none, then Listeners."""
        return [n for n, _ in wire.entries((yield Query(wire.WHO, 0, cut(name), "who")).payload)]

    def report(self, op: int) -> Operation:
        """The text of BINDINGS_REPORT or STATS_REPORT."""
        return (yield Query(op, what="report")).payload.decode("utf-8", "replace")

    def missed(self) -> Operation:
        """(just before the message taken last, in all): what this Ksock did not get because its queue was full."""
        answer = yield Query(wire.MISSED, what="missed")
        return answer.arg, int.from_bytes(answer.payload[:8], "little")

    def peer(self, ksock_id: int) -> Operation:
        """(uid, gid, pid, state, program) of a Ksock."""
        payload = (yield Query(wire.PEER, ksock_id, what="peer {}".format(ksock_id))).payload
        if len(payload) < 16:
            raise error(errno.EPROTO, "peer: an answer of {} bytes".format(len(payload)))
        return (*struct.unpack_from("<4I", payload), payload[16:].decode("utf-8", "replace"))
