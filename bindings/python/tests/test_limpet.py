"""Limpets: what they change in messages, and two buses joined by two processes' worth of them (part 9)."""

import errno
import os
import socket
import struct
import threading
import unittest
from unittest import mock

from daemon import PATIENCE, WithDaemon
from kbus import Announcement, KbusError, Message, MessageId, OrigFrom, Request, reply_to, stateful_request
from kbus.limpet import (BadMessage, ErrorMessage, GiveUp, LimpetKsock, NoMessage, OtherLimpetGoneAway, parse_address,
                         run_a_limpet)
from kbus.limpetwire import serialise_message, shake_hands

EVENT = "$.KBUS.ReplierBindEvent"


def event(is_bind, binder, name):
    data = struct.pack("=III", is_bind, binder, len(name)) + name.encode() + b"\0" * (4 - len(name) % 4)
    return Message(EVENT, data, flags=0x204, id=MessageId(2, 1))


class Amending(WithDaemon):
    """One Limpet with network id 1, whose pair has 2 and is this test."""

    def limpet(self):
        limpet = LimpetKsock(0, 1, 2, termination_message="$.Stop")
        self.addCleanup(limpet.close)
        return limpet

    def test_ids(self):
        for ours, theirs in ((0, 1), (1, 0), (1, 1)):
            self.assertRaises(ValueError, LimpetKsock, 0, ours, theirs)

    def test_from_kbus(self):
        limpet, k = self.limpet(), self.ksock()
        k.send_msg(Announcement("$.A", "x"))
        self.assertEqual(limpet.read_next_msg(), Message("$.A", "x", from_=2, orig_from=OrigFrom(1, 2),
                                                         id=MessageId(1, 1)))
        k.send_msg(Announcement("$.A", id=MessageId(2, 9)))
        self.assertIsNone(limpet.read_next_msg())  # it came from there
        k.send_msg(Message("$.A", id=MessageId(7, 9), orig_from=OrigFrom(7, 3)))
        self.assertEqual(limpet.read_next_msg(), Message("$.A", from_=2, orig_from=OrigFrom(7, 3), id=MessageId(7, 9)))
        k.send_msg(Announcement("$.Stop"))
        self.assertRaises(GiveUp, limpet.read_next_msg)

    def test_replies_between_others(self):
        """B23: they leave with the id of the Request made clear, and are nobody's answer over there."""
        limpet, asker, replier = self.limpet(), self.ksock(), self.ksock()
        replier.bind("$.R", True)
        asker.send_msg(Request("$.R"))
        request = replier.read_next_msg()
        replier.send_msg(reply_to(request))
        sent = [m for m in (limpet.read_next_msg() for _ in range(3)) if m is not None]
        self.assertEqual([(str(m.in_reply_to), m.wants_us_to_reply()) for m in sent],
                         [("None", False), ("None", False), ("[1:{}]".format(request.id.serial_num), False)])
        for serial in (0, 1):
            with self.assertRaises(NoMessage):
                limpet.send_msg(Message("$.R", to=1, in_reply_to=MessageId(serial, request.id.serial_num)))

    def test_standing_in(self):
        limpet, k = self.limpet(), self.ksock()
        for _ in range(2):  # told twice is told once
            self.assertRaises(NoMessage, limpet.send_msg, event(1, 9, "$.R"))
        self.assertEqual(k.find_replier("$.R"), 1)
        self.assertIsNone(limpet.read_next_msg())  # its own binding is no news to the other side
        sent = k.send_msg(Request("$.R", "q"))
        request = limpet.read_next_msg()
        self.assertEqual(request, Message("$.R", "q", from_=2, flags=3, orig_from=OrigFrom(1, 2),
                                          id=MessageId(1, sent.serial_num)))
        limpet.send_msg(Message("$.R", "a", to=1, from_=9, in_reply_to=request.id, orig_from=OrigFrom(2, 9),
                                flags=0xF0000, id=MessageId(2, 7)))
        reply = k.wait_for_msg(PATIENCE)
        self.assertEqual((reply.data, reply.in_reply_to, reply.orig_from, reply.flags, reply.id.network_id),
                         (b"a", sent, OrigFrom(2, 9), 0xF0000, 0))
        self.assertRaises(NoMessage, limpet.send_msg, Message("$.R", to=1, in_reply_to=request.id))
        self.assertRaises(NoMessage, limpet.send_msg, event(0, 9, "$.R"))
        self.assertIsNone(k.find_replier("$.R"))
        k.bind("$.R", True)
        with self.assertLogs("kbus.limpet"):
            self.assertRaises(NoMessage, limpet.send_msg, event(1, 9, "$.R"))  # taken here: the link goes on
        self.assertEqual(k.find_replier("$.R"), 2)

    def test_local_requests_leave_nothing_behind(self):
        """B24: a Request that is answered over there is only heard here."""
        limpet, k = self.limpet(), self.ksock("$.R")
        self.assertRaises(NoMessage, limpet.send_msg, event(1, 9, "$.R"))
        for serial in range(200):
            limpet.send_msg(Message("$.R", flags=1, id=MessageId(2, serial + 1), from_=9))
            self.assertEqual(k.read_next_msg().flags, 0)
            while limpet.num_messages():
                self.assertIsNone(limpet.read_next_msg())
        self.assertEqual(limpet.num_unreplied_to(), 0)

    def test_stateful(self):
        limpet, k = self.limpet(), self.ksock()
        asked = Request("$.R", to=1, from_=9, final_to=OrigFrom(1, 2), flags=3, id=MessageId(2, 5))

        def error():
            with self.assertRaises(ErrorMessage) as caught:
                limpet.send_msg(asked)
            self.assertEqual((caught.exception.error.to, caught.exception.error.in_reply_to), (9, asked.id))
            return caught.exception.error.name
        self.assertEqual(error(), "$.KBUS.Replier.GoneAway")
        k.bind("$.*", True)  # B22: bound by a wildcard
        limpet.send_msg(asked)
        self.assertEqual(k.wait_for_msg(PATIENCE).to, 2)
        k.unbind("$.*", True)
        self.ksock().bind("$.R", True)
        self.assertEqual(error(), "$.KBUS.Replier.NotSameKsock")

    def test_errors(self):
        limpet = self.limpet()
        request = Request("$.Nobody", from_=9, flags=3, id=MessageId(2, 5))
        e = self.fails(errno.EADDRNOTAVAIL, limpet.send_msg, request)
        back = limpet.could_not_send_to_kbus_msg(request, e)
        self.assertEqual((back.name, back.to, back.in_reply_to), ("$.KBUS.RemoteError.99", 9, request.id))
        with self.assertLogs("kbus.limpet"):
            self.assertIsNone(limpet.could_not_send_to_kbus_msg(Message("$.A"), e))

    def test_replies_are_answers(self):
        """A Reply answers who asked, also if it is a Request of somebody else too (R1.15), or does not fit."""
        limpet, asker, other = self.limpet(), self.ksock(), self.ksock()
        limpet.bind("$.Far", True)
        other.bind("$.Other", True)
        with self.assertLogs("kbus.limpet"):
            for name, data, came in (("$.Other", b"a", "$.Other"), ("$.Far", b"x" * 1000, "$.KBUS.RemoteError.90")):
                asked = asker.send_msg(Request("$.Far"))
                while getattr(limpet.wait_for_msg(PATIENCE), "name", None) != "$.Far":
                    pass  # bind events
                limpet.set_max_message_size(500)
                limpet.send_msg(Message(name, data, to=1, in_reply_to=MessageId(1, asked.serial_num), flags=1,
                                        id=MessageId(2, 5)))
                answer = asker.wait_for_msg(PATIENCE)
                self.assertEqual((answer.name, answer.in_reply_to), (came, MessageId(0, asked.serial_num)))
        self.assertIsNone(other.read_next_msg())

    def test_both_travel_as_each(self):
        """A Reply that is a Request too (R1.15), and we are both who asked and the Replier."""
        limpet, replier = self.limpet(), self.ksock()
        replier.bind("$.R", True)
        limpet.bind("$.Far", True)
        limpet.send_msg(Request("$.R", from_=9, flags=3, id=MessageId(2, 5)))
        reply = reply_to(replier.wait_for_msg(PATIENCE))
        replier.send_msg(Message("$.Far", to=reply.to, in_reply_to=reply.in_reply_to, flags=1))
        sent = []
        while len(sent) < 2:
            m = limpet.wait_for_msg(PATIENCE)
            if m is not None and m.name == "$.Far":
                sent.append((m.is_reply(), m.is_request()))
        self.assertEqual(sent, [(True, False), (False, True)])

    def test_our_bus_is_gone(self):
        """Over there the Replier is: their own bus is not."""
        limpet, replier = self.limpet(), self.ksock()
        replier.bind("$.R", True)
        limpet.send_msg(Request("$.R", from_=9, flags=3, id=MessageId(2, 5)))
        self.daemon.kill()
        msg = None
        while msg is None or not msg.is_reply():
            msg = limpet.wait_for_msg(PATIENCE)
        self.assertEqual((msg.name, msg.in_reply_to), ("$.KBUS.Replier.GoneAway", MessageId(2, 5)))

    def test_waiting_sends_do_not_wait_here(self):
        """B26."""
        limpet, k = self.limpet(), self.ksock("$.A")
        k.set_max_messages(1)
        for serial in (1, 2):
            limpet.send_msg(Message("$.A", flags=0x100, id=MessageId(2, serial)))
        self.assertEqual(k.read_next_msg().flags, 0)

    def test_events_lost(self):
        """B25: the other side is told what is gone, and all that is there; not that something was lost."""
        replier = self.ksock()
        replier.bind("$.Gone", True)
        replier.bind("$.Still", True)
        limpet = self.limpet()
        told = [str(limpet.read_next_msg()) for _ in range(2)]
        self.assertEqual([t[t.rindex("["):] for t in told], ["[Bind '$.Still' for 1]>", "[Bind '$.Gone' for 1]>"])
        replier.report_replier_binds(False)
        replier.unbind("$.Gone", True)
        lost = Message("$.KBUS.UnbindEventsLost", flags=4)
        self.assertIsNone(limpet.amend_from_kbus(lost))
        told = []
        while limpet.waiting or limpet.num_messages():
            told.append(str(limpet.read_next_msg()))
        self.assertEqual([t[t.rindex("["):] for t in told], ["[Unbind '$.Gone' for 1]>", "[Bind '$.Still' for 1]>"])


class Addresses(unittest.TestCase):
    def test_parse(self):
        self.assertEqual(parse_address("localhost:99"), (("localhost", 99), socket.AF_INET))
        self.assertEqual(parse_address("/tmp/x"), ("/tmp/x", socket.AF_UNIX))
        for wrong in ("host:0", "host:", "host:http", "host:65536"):
            self.assertRaises(ValueError, parse_address, wrong)

    def test_numbers_in_events(self):
        """They are big-endian on the way, behind the header and the padded name."""
        self.assertEqual(serialise_message(event(1, 5, "$.Fred"))[64 + 24:][:12].hex(), "000000010000000500000006")

    def test_handshake(self):
        for said in (b"HELP\0\0\0\1", b"HELO\0\0\0\1", b"HELO\0\0\0\0", b"HEL"):
            ours, theirs = socket.socketpair()
            with ours, theirs:
                theirs.sendall(said)
                theirs.shutdown(socket.SHUT_WR)
                self.assertRaises((BadMessage, OtherLimpetGoneAway), shake_hands, ours, 1)
                self.assertEqual(theirs.recv(100), b"HELO\0\0\0\1")


class Joined(WithDaemon):
    """Bus 0 and bus 1, joined. The Limpets are threads; everything else is as between machines."""

    daemon_args = ("--buses", "2")

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.daemon.dir, "limpet")
        self.events = self.ksock(EVENT)
        self.ended = []
        self.listening = threading.Event()
        server, client = [threading.Thread(target=self.run_limpet, args=args) for args in ((True, 1), (False, 2))]
        listen = socket.socket.listen

        def listened(*args):
            listen(*args)
            self.listening.set()
        with mock.patch.object(socket.socket, "listen", listened):
            server.start()
            self.assertTrue(self.listening.wait(PATIENCE))
        client.start()
        self.threads = server, client
        self.addCleanup(lambda: [thread.join() for thread in self.threads])
        self.addCleanup(self.daemon.kill)  # which ends what a failed test has left running

    def run_limpet(self, is_server, number):
        try:
            run_a_limpet(is_server, self.path, socket.AF_UNIX, number - 1, number, termination_message="$.Stop")
            self.ended.append("stopped")
        except OtherLimpetGoneAway:
            self.ended.append("gone away")
        except KbusError:
            self.ended.append("lost")

    def test_both_ways(self):
        near, far = self.ksock(which=0), self.ksock(which=1)
        heard = self.ksock("$.Told", which=1)
        far.bind("$.Far", replier=True)
        while near.find_replier("$.Far") is None:  # an event of its binding comes when a Limpet stands in for it
            self.assertIsNotNone(self.events.wait_for_msg(PATIENCE))
        near.send_msg(Announcement("$.Told", "hello"))
        self.assertEqual(heard.wait_for_msg(PATIENCE).data, b"hello")
        near.send_msg(Request("$.Far", "q"))
        request = far.wait_for_msg(PATIENCE)
        far.send_msg(reply_to(request, "a"))
        reply = near.wait_for_msg(PATIENCE)
        self.assertEqual((reply.data, reply.orig_from), (b"a", OrigFrom(2, far.ksock_id())))
        near.send_msg(stateful_request(reply, "$.Far", "again"))
        request = far.wait_for_msg(PATIENCE)
        self.assertEqual((request.data, request.to), (b"again", far.ksock_id()))
        far.close()
        status = near.wait_for_msg(PATIENCE)
        self.assertEqual(status.name, "$.KBUS.Replier.Ignored")
        near.send_msg(Announcement("$.Stop"))
        for thread in self.threads:
            thread.join()
        self.assertEqual(sorted(self.ended), ["gone away", "stopped"])
        self.assertFalse(os.path.exists(self.path))

    def test_much_both_ways(self):
        """Neither waits for the other to read: that one may have as much to say."""
        ends = [self.ksock("$.Much", which=number) for number in (0, 1)]
        senders = [self.ksock(which=number) for number in (0, 1)]
        senders[1].bind("$.Far", replier=True)
        while senders[0].find_replier("$.Far") is None:
            self.assertIsNotNone(self.events.wait_for_msg(PATIENCE))
        for _ in range(20):
            for sender in senders:
                sender.send_msg(Announcement("$.Much", b"x" * 300000))
        for end in ends:
            for _ in range(40):
                self.assertEqual(len(end.wait_for_msg(PATIENCE).data), 300000)
        senders[0].send_msg(Announcement("$.Stop"))


if __name__ == "__main__":
    unittest.main()
