"""The numbers and switches of a Ksock and its bus: read, and set."""

from __future__ import annotations

from typing import Union

from .door import Door
from .message import Message
from .peer import Peer
from .reopen import Memory

_ASK = 0xFFFFFFFF  # a switch that is only asked about


class Settings:
    """What a Ksock has to say of itself and its bus, and what can be set of it."""

    _memory: Memory

    @property
    def _open(self) -> Door:
        raise NotImplementedError

    def ksock_id(self) -> int:
        """Our id on the bus."""
        return self._open.ksock_id

    def num_messages(self) -> int:
        """Messages that wait to be read."""
        return self._open.value("nummsgs")

    def num_unreplied_to(self) -> int:
        """Requests that we have read and not replied to."""
        return self._open.value("unrepliedto")

    def max_messages(self) -> int:
        """The limit of our queue."""
        return self._open.value("maxmsgs")

    def set_max_messages(self, count: int) -> int:
        """Sets the limit of our queue, and gives the one now in force. 0 only asks."""
        limit = self._open.value("maxmsgs", _u32(count))
        self._memory.max_messages = count or self._memory.max_messages
        return limit

    def want_messages_once(self, only_once: bool = False, just_ask: bool = False) -> int:
        """Whether we get one copy of a message, however many of our bindings match. Gives the value before, 0 or 1."""
        before = self._open.value("msgonlyonce", _switch(only_once, just_ask))
        if not just_ask:
            self._memory.only_once = bool(only_once)
        return before

    def missed(self) -> int:
        """How many messages this Ksock did not get because its queue was full, since it was opened.

        To a modern Ksock the message says how many were missed just before it: Message.missed.
        """
        return self._open.missed()[1]

    def peer(self, sender: Union[Message, int]) -> Peer:
        """The process that sent a message, or that has a Ksock id: Peer(ksock_id, uid, gid, pid, program, connected).

        Also of one that has closed since, as long as a message of it is queued or its Request is open. ESRCH: it is not
        known any more. A message that came from another bus was sent by a Limpet.
        """
        number = sender if isinstance(sender, int) else sender.from_
        uid, gid, pid, state, program = self._open.peer(_u32(number))
        return Peer(number, uid, gid, pid, program, bool(state & 1))

    def kernel_module_verbose(self, verbose: bool = True, just_ask: bool = False) -> int:
        """Whether the bus logs what it does, for all its users. Gives the value before."""
        return self._open.value("verbose", _switch(verbose, just_ask))

    def report_replier_binds(self, report_events: bool = True, just_ask: bool = False) -> int:
        """Whether `$.KBUS.ReplierBindEvent` tells of Repliers that come and go, for the whole bus. Gives the
        value before.

        Each time it is turned on our own queue gets an event for each Replier there is. EBUSY: it has no room for them.
        """
        return self._open.value("reportreplierbinds", _switch(report_events, just_ask))

    def max_message_size(self) -> int:
        """Bytes that the entire form of a message may have on this bus."""
        return self._open.value("maxmsgsize")

    def set_max_message_size(self, size: int) -> int:
        """Sets the longest message of the bus, in bytes of the entire form, and gives the value that now holds.

        0 only asks, and 1 asks how large it may be set. EINVAL: below 100, or too large. EPERM: not an administrator.
        """
        return self._open.value("maxmsgsize", _u32(size))

    def new_device(self) -> int:
        """Makes one more bus and gives its number. EINVAL: there are 256 already."""
        return self._open.value("newdevice")


def _switch(on: bool, just_ask: bool) -> int:
    return _ASK if just_ask else int(bool(on))


def _u32(number: int) -> int:
    if not 0 <= number <= 0xFFFFFFFF:
        raise ValueError("{} is no number of 32 bits".format(number))
    return number
