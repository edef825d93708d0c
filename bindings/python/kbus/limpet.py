"""Limpets: two buses joined by a stream, so that they look like one (docs/spec/limpets.md).

Each end runs a Limpet, which is an ordinary Ksock that listens to everything and stands in for the Repliers of the
other side. A message of one bus is sent on the other by the Limpet there, with ids changed so that Replies find their
way back. LimpetKsock makes these changes, and run_a_limpet moves the messages.

Only for links that can be trusted: nothing checks which program is at the other end. The program kbus-limpet does.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
from collections import deque
from typing import Any, Deque, Dict, Optional, Tuple, Union

from . import layout, names
from .bindevent import join_replier_bind_event_data, split_replier_bind_event_data
from .conditions import KbusError
from .ids import Sent
from .ksock import Ksock
from .layout import Id
from .limpetwire import (BadMessage, OtherLimpetGoneAway, convert_ReplierBindEvent_data_from_network,
                         convert_ReplierBindEvent_data_to_network, read_exactly, serialise_message,
                         serialise_message_header, shake_hands, unserialise_message, unserialise_message_header)
from .message import Message
from .socketdoor import SocketDoor

__all__ = [
    "BadMessage", "ErrorMessage", "GiveUp", "LimpetKsock", "NoMessage", "OtherLimpetGoneAway", "connect_as_client",
    "connect_as_server", "convert_ReplierBindEvent_data_from_network", "convert_ReplierBindEvent_data_to_network",
    "parse_address", "remove_socket_file", "run_a_limpet", "serialise_message", "serialise_message_header",
    "unserialise_message", "unserialise_message_header",
]

_log = logging.getLogger("kbus.limpet")

Address = Union[str, Tuple[str, int]]


class GiveUp(Exception):
    """The termination message has come."""


class NoMessage(Exception):
    """There is nothing to be sent to KBUS for this message."""


class ErrorMessage(Exception):
    """Instead of sending a message to KBUS, `error` is to be sent back to the other Limpet."""

    def __init__(self, error: Message) -> None:
        super().__init__(str(error))
        self.error = error


class LimpetKsock(Ksock):
    """A Ksock that reads messages as the other Limpet is to get them, and sends those that came from there.

    Opening it turns replier bind reports on for the whole bus, and nothing turns them off again.
    """

    def __init__(self, which: Union[int, str], our_network_id: int, their_network_id: int, message_name: str = "$.*",
                 verbosity: int = 1, termination_message: Optional[str] = None) -> None:
        if our_network_id < 1 or their_network_id < 1 or our_network_id == their_network_id:
            raise ValueError("network ids {} and {}: they are to be different, and at least 1".format(
                our_network_id, their_network_id))
        super().__init__(which, "rw", modern=True)
        self.our_network_id = our_network_id
        self.their_network_id = their_network_id
        self.verbosity = verbosity
        self.termination_message = termination_message
        self._requests: Dict[Id, int] = {}  # Requests that the other side is to answer, and their senders
        self._replier_for: Dict[str, int] = {}  # names for which we stand in: the Ksock there
        self._announced: Dict[str, int] = {}  # Repliers here that the other side knows of
        self.waiting: Deque[Message] = deque()
        """Messages that read_next_msg gives before it asks the bus, which nothing makes readable."""
        self.want_messages_once(True)
        self.bind(message_name)
        self.bind(names.REPLIER_BIND_EVENT)
        self.report_replier_binds(True)

    # From KBUS.

    def read_next_msg(self) -> Optional[Message]:
        """The next message as the other Limpet is to get it; None if there is none, or if it is not to get it."""
        return self.waiting.popleft() if self.waiting else super().read_next_msg()

    def wait_for_msg(self, timeout: Optional[float] = None) -> Optional[Message]:
        """Likewise, when there is one that the other Limpet is to get."""
        return self.waiting.popleft() if self.waiting else super().wait_for_msg(timeout)

    def _made(self, parts: layout.Parts) -> Optional[Message]:
        return self.amend_from_kbus(Message.from_parts(parts))

    def read_msg(self, length: int) -> Optional[Message]:
        """Likewise, after next_msg."""
        msg = super().read_msg(length)
        return None if msg is None else self.amend_from_kbus(msg)

    def amend_from_kbus(self, msg: Message) -> Optional[Message]:
        """The message as the other Limpet is to get it, with our network in its ids; None if it is not to get it.

        What came from there does not go back, nor do events about names that this Limpet has bound itself. GiveUp if it
        is the termination message.
        """
        if self.termination_message is not None and msg.name == self.termination_message:
            raise GiveUp(msg.name)
        if msg.name == names.UNBIND_EVENTS_LOST and msg.is_synthetic():
            self._announce_again()
            return None
        if msg.name == names.REPLIER_BIND_EVENT and not self._note_binding(msg):
            return None
        n = list(msg.parts.numbers)
        own = n[layout.FROM] == self.ksock_id()
        if msg.wants_us_to_reply() and msg.is_request():
            if not own:
                self._requests[n[layout.ID], n[layout.SERIAL]] = n[layout.FROM]
            # A Reply that is a Request too comes as each (R1.15), and travels as each.
            n[layout.REPLY_ID] = n[layout.REPLY_SERIAL] = 0
        elif msg.is_reply():
            n[layout.FLAGS] &= ~layout.WANT_A_REPLY
        if own or n[layout.ID] == self.their_network_id:
            return None  # it has come from there
        if n[layout.ID] == 0:
            n[layout.ID] = self.our_network_id
        if n[layout.REPLY_ID] == 0 and n[layout.REPLY_SERIAL] != 0:
            n[layout.REPLY_ID] = self.our_network_id  # B23: in reply to one of our bus, not of theirs
        if n[layout.ORIG_ID] == 0:
            n[layout.ORIG_ID], n[layout.ORIG_LOCAL] = self.our_network_id, n[layout.FROM]
        name = msg.parts.name
        if msg.is_reply() and msg.name == names.BUS_GONE_AWAY:
            name = names.REPLIER_GONE_AWAY.encode()  # our bus: theirs is still there, and their Replier is not
        return Message.from_parts(msg.parts._replace(numbers=tuple(n), name=name))

    def _note_binding(self, msg: Message) -> bool:
        """Whether the other side is to hear of a bind event: not of our own standing in."""
        try:
            is_bind, binder, name = split_replier_bind_event_data(msg.data or b"")
        except ValueError:
            return False
        if binder == self.ksock_id():
            return False
        if is_bind:
            self._announced[name] = binder
        else:
            self._announced.pop(name, None)
        return True

    def _announce_again(self) -> None:
        """Unbind events were lost: tells the other side which Repliers are gone, and all that there are."""
        for name, binder in list(self._announced.items()):
            if self.find_replier(name) != binder:
                del self._announced[name]
                numbers = (self.our_network_id, 0, 0, 0, 0, 0, self.our_network_id, 0, 0, 0, 0, layout.SYNTHETIC)
                data = join_replier_bind_event_data(0, binder, name)
                self.waiting.append(Message.from_parts(layout.Parts(numbers, names.REPLIER_BIND_EVENT.encode(), data)))
        self.report_replier_binds(True)

    # To KBUS.

    def send_msg(self, msg: Message) -> Sent:
        """Sends a message that has come from the other Limpet. NoMessage if it is not to be sent, or ErrorMessage.

        A Reply that the bus does not take becomes a Status that says why, for there is no other answer.
        """
        amended = self.amend_to_kbus(msg)
        try:
            return super().send_msg(amended)
        except KbusError as e:
            if not amended.is_reply() or e.condition in ("ErrAddresseeGone", "ErrNotExpected"):
                raise
            _log.warning("%s: %s", msg, e)
            why = e.errno
        return super().send_msg(Message("{}{}".format(names.REMOTE_ERROR_PREFIX, why), to=amended.to,
                                        in_reply_to=amended.in_reply_to))

    def amend_to_kbus(self, msg: Message) -> Message:
        """The message as the bus is to get it, addressed to the Ksock here that asked or is asked.

        NoMessage if the bus is not to get it: a bind event (which binds or unbinds this Ksock instead), or a Reply to
        no Request of this bus. ErrorMessage if a stateful Request has no Replier: its `error` goes back to the other
        Limpet.
        """
        if msg.name == names.REPLIER_BIND_EVENT:
            self._stand_in(msg)
            raise NoMessage(msg.name)
        n = list(msg.parts.numbers)
        n[layout.FLAGS] &= ~(layout.ALL_OR_WAIT | layout.ALL_OR_FAIL)  # B26: those are about queues over there
        if msg.is_reply():
            self._amend_reply(n)
        elif msg.is_request() and not msg.wants_us_to_reply():
            n[layout.FLAGS] &= ~layout.WANT_A_REPLY  # B24: it has its Replier over there
        elif msg.is_stateful_request():
            self._amend_stateful(msg, n)
        return Message.from_parts(msg.parts._replace(numbers=tuple(n)))

    def _amend_reply(self, n: "list[int]") -> None:
        if n[layout.REPLY_ID] == 0:
            raise NoMessage("in reply to nobody's Request")  # B23: of neither bus, as far as it says
        if n[layout.REPLY_ID] == self.our_network_id:
            n[layout.REPLY_ID] = 0
        asker = self._requests.pop((n[layout.REPLY_ID], n[layout.REPLY_SERIAL]), None)
        if asker is None:
            raise NoMessage("in reply to somebody else")
        n[layout.TO] = asker
        n[layout.ID] = n[layout.SERIAL] = 0
        n[layout.FLAGS] &= ~layout.WANT_A_REPLY  # here it is the answer, and nothing else

    def _amend_stateful(self, msg: Message, n: "list[int]") -> None:
        local = n[layout.FINAL_ID] == self.our_network_id
        if local:
            n[layout.FINAL_ID] = 0
        replier = self._who_replies(msg.name)
        if replier == 0:
            raise ErrorMessage(error_reply(msg, names.REPLIER_GONE_AWAY))
        if local and replier != n[layout.FINAL_LOCAL]:
            raise ErrorMessage(error_reply(msg, names.NOT_SAME_KSOCK))
        n[layout.TO] = n[layout.FINAL_LOCAL] if local else replier

    def _who_replies(self, name: str) -> int:
        """The Ksock that a Request of that name would go to. A device knows only the Replier bound to exactly that text."""
        door = self._open
        return door.who(name.encode())[0][0] if isinstance(door, SocketDoor) else door.replier(name.encode())

    def _stand_in(self, msg: Message) -> None:
        try:
            is_bind, binder, name = split_replier_bind_event_data(msg.data or b"")
            if not is_bind:
                if self._replier_for.pop(name, None) is not None:
                    self.unbind(name, True)
            elif name not in self._replier_for:
                self.bind(name, True)
                self._replier_for[name] = binder
        except (KbusError, ValueError) as e:
            _log.warning("%s: %s", msg, e)  # another Replier here, say: the link goes on

    def could_not_send_to_kbus_msg(self, msg: Message, exc: OSError) -> Optional[Message]:
        """What to tell the other Limpet when sending failed: of a Request, that it has no answer."""
        if msg.is_request() and msg.wants_us_to_reply():
            return error_reply(msg, "{}{}".format(names.REMOTE_ERROR_PREFIX, exc.errno))
        _log.warning("%s: %s", msg, exc)
        return None


def error_reply(msg: Message, name: str) -> Message:
    """The Status called name, in reply to a Request of the other Limpet that has no answer here."""
    return Message(name, to=msg.from_, in_reply_to=msg.id)


def parse_address(word: str) -> Tuple[Address, int]:
    """Gives (address, family) of `host:port`, or of the path of a Unix socket."""
    if ":" not in word:
        return word, socket.AF_UNIX
    host, _, port = word.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("{}: a port is a number from 1 to 65535".format(word))
    return (host, int(port)), socket.AF_INET


def connect_as_server(address: Address, family: int) -> socket.socket:
    """Waits for one Limpet at that address; no other can connect afterwards."""
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1)
        return listener.accept()[0]


def connect_as_client(address: Address, family: int) -> socket.socket:
    """Connects to a Limpet that waits at that address."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def remove_socket_file(name: str) -> None:
    """Removes the path of a Unix socket, if it is there."""
    try:
        os.remove(name)
    except FileNotFoundError:
        pass


def run_a_limpet(is_server: bool, address: Address, family: int, kbus_device: Union[int, str], network_id: int,
                 message_name: str = "$.*", termination_message: Optional[str] = None, verbosity: int = 1) -> None:
    """Joins a bus to that of another Limpet, until the termination message is read from the bus.

    OtherLimpetGoneAway, BadMessage and KbusError end it too. The server removes the path of its Unix socket.
    """
    try:
        sock = (connect_as_server if is_server else connect_as_client)(address, family)
        with sock:
            pair = shake_hands(sock, network_id)
            with LimpetKsock(kbus_device, network_id, pair, message_name, verbosity, termination_message) as ksock:
                _carry(ksock, sock)
    except GiveUp:
        pass
    finally:
        if is_server and isinstance(address, str):
            remove_socket_file(address)


class _Outgoing:
    """What goes to the other Limpet, sent by a thread of its own.

    A Limpet that itself waited for the other one to read would wait for ever if that one does likewise. While much
    waits nothing is taken from the bus, so the queue there fills, where senders see it.
    """

    much = 1 << 20
    last_words = 1.0  # seconds for what waits at the end

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._waiting = bytearray()
        self._ended = False
        self._change = threading.Condition()
        self.room, self._sent = socket.socketpair()  # room becomes readable when something has been sent
        self._sent.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="kbus.limpet", daemon=True)
        self._thread.start()

    def put(self, data: bytes) -> None:
        with self._change:
            self._waiting += data
            self._change.notify()

    def is_much(self) -> bool:
        with self._change:
            return len(self._waiting) > self.much

    def close(self) -> None:
        with self._change:
            self._ended = True
            self._change.notify()
        self._thread.join(self.last_words)
        self._hang_up()
        self._thread.join()
        self.room.close()
        self._sent.close()

    def _hang_up(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it has ended already

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._waiting and not self._ended:
                    self._change.wait()
                data, self._waiting = self._waiting, bytearray()
            if not data:
                return
            try:
                self._sock.sendall(data)
            except OSError:
                self._hang_up()  # which whoever reads sees
                return
            try:
                self._sent.send(b".")
            except BlockingIOError:
                pass  # it is readable


def _carry(ksock: LimpetKsock, sock: socket.socket) -> None:
    most = ksock.set_max_message_size(1)
    outgoing = _Outgoing(sock)
    try:
        while True:
            sources: "list[Any]" = [sock, outgoing.room] if outgoing.is_much() else [sock, outgoing.room, ksock]
            ready: "list[Any]" = select.select(sources, [], [])[0]
            if outgoing.room in ready:
                outgoing.room.recv(4096)
            if ksock in ready:
                while True:
                    msg = ksock.read_next_msg()
                    if msg is not None:
                        outgoing.put(serialise_message(msg))
                    if not ksock.waiting:
                        break
            if sock in ready:
                _deliver(ksock, unserialise_message(lambda count: read_exactly(sock, count), most), outgoing)
    finally:
        outgoing.close()


def _deliver(ksock: LimpetKsock, msg: Message, outgoing: _Outgoing) -> None:
    back: Optional[Message] = None
    try:
        ksock.send_msg(msg)
    except NoMessage:
        pass
    except ErrorMessage as e:
        back = e.error
    except KbusError as e:
        back = ksock.could_not_send_to_kbus_msg(msg, e)
    if back is not None:
        outgoing.put(serialise_message(back))
