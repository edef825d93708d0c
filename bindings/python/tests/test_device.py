"""The same package through the device node: what is told of a Ksock elsewhere holds here too.

The tests of the socket are inherited, but for those of what only a socket has.
"""

import errno
import os
import select
import unittest
from unittest import mock

import test_ksock
import test_lost
import test_select
from daemon import PATIENCE, WithDevice
from kbus import Announcement, Ksock, Request, aio, reply_to


class Operations(WithDevice, test_ksock.Operations):
    tells = False


class Readable(WithDevice, test_select.Readable):
    test_after_a_call_that_was_given_up = None  # its noise is taken, and put aside
    test_waiting_sends = None  # a device tries again when the sender polls, and not by itself: see test_writable

    def test_writable(self):
        """A device says when a message that waited has gone."""
        s, r = self.ksock(), self.ksock("$.A")
        r.set_max_messages(1)
        s.send_msg(Announcement("$.A"))
        self.fails(errno.EAGAIN, s.send_msg, Announcement("$.A", flags=0x100))
        self.assertFalse(select.select([], [s], [], 0)[1])
        r.read_next_msg()
        self.assertTrue(select.select([], [s], [], PATIENCE)[1])
        self.assertTrue(s.wait_sent())


class BusLost(WithDevice, test_lost.BusLost):
    test_asyncio = test_never_back_by_itself = None  # they are about sockets


class Devices(WithDevice):
    def test_names(self):
        k = self.ksock()
        self.assertEqual(repr(k), "<Ksock {} open for read/write>".format(self.bus(0)))
        self.fails(errno.ENOENT, Ksock, self.bus(1))
        with mock.patch.dict(os.environ, KBUS_PYTHON="device"):
            self.fails(errno.ENOENT, Ksock, 250)
        self.fails(errno.EBADF, self.ksock(mode="r").send_msg, Announcement("$.A"))

    def test_forked(self):
        """A descriptor that is shared is one Ksock (R1.6)."""
        k = self.ksock("$.A")
        child = os.fork()
        if child == 0:
            k.send_msg(Announcement("$.A", "child"))
            os._exit(0)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(k.wait_for_msg(PATIENCE).data, b"child")

    def test_put_aside(self):
        """What comes before the answer to a call is read after it."""
        k = self.ksock("$.Noise")
        r = self.ksock()
        r.bind("$.R", True)
        r.send_msg(Announcement("$.Noise", "1"))
        with self.assertRaises(TimeoutError):
            k.call(Request("$.R"), timeout=0)
        r.send_msg(Announcement("$.Noise", "2"))
        r.send_msg(reply_to(r.read_next_msg(), "late"))
        self.assertEqual([k.wait_for_msg(PATIENCE).data for _ in range(3)], [b"1", b"2", b"late"])

    def test_socket_and_device_are_one_bus(self):
        r = self.ksock("$.A")
        with Ksock(0) as s:
            s.send_msg(Announcement("$.A", "x"))
        self.assertEqual(r.wait_for_msg(PATIENCE).data, b"x")

    def test_no_asyncio(self):
        import asyncio
        with self.assertRaises(ValueError):
            asyncio.run(aio.open_ksock(self.bus(0)))


if __name__ == "__main__":
    unittest.main()
