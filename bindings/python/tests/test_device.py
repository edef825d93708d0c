"""The same package through the device node: what is told of a Ksock elsewhere holds here too.

The tests of the socket are inherited, but for those of what only a socket has.
"""

import errno
import os
import resource
import select
import signal
import tempfile
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
            k.call(Request("$.R"), timeout=0, keep_late_answer=True)
        with self.assertRaises(TimeoutError):
            k.call(Request("$.R"), timeout=0)
        r.send_msg(Announcement("$.Noise", "2"))
        r.send_msg(reply_to(r.read_next_msg(), "late"))
        r.send_msg(reply_to(r.read_next_msg(), "nobody waits for it any more"))
        r.send_msg(Announcement("$.Noise", "3"))
        self.assertEqual([k.wait_for_msg(PATIENCE).data for _ in range(4)], [b"1", b"2", b"late", b"3"])

    def test_socket_and_device_are_one_bus(self):
        r = self.ksock("$.A")
        with Ksock(0) as s:
            s.send_msg(Announcement("$.A", "x"))
        self.assertEqual(r.wait_for_msg(PATIENCE).data, b"x")

    def test_short_writes(self):
        """A limit of file size cuts each write, and the rest is written too."""
        r = self.ksock("$.A")
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            try:
                k = Ksock(self.bus(0))
                k.send_msg(Announcement("$.A", bytes(range(250)) * 20))
                k.write_data(Announcement("$.A", b"y" * 3000).to_bytes())
                k.send()
            except BaseException as e:
                print(e)
                os._exit(1)
            os._exit(0)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual([m.data for m in r], [bytes(range(250)) * 20, b"y" * 3000])

    def test_missed(self):
        """A device tells it by an ioctl of its own, and messages do not."""
        s, r = self.ksock(), self.ksock("$.A")
        r.set_max_messages(2)
        for i in range(5):
            s.send_msg(Announcement("$.A", str(i)))
        self.assertEqual((r.missed(), s.missed()), (3, 0))
        self.assertEqual([(m.data, m.missed) for m in r], [(b"0", 0), (b"1", 0)])
        s.send_msg(Announcement("$.A", "5"))
        self.assertEqual((r.read_next_msg().data, r.missed(), r._open.missed()), (b"5", 3, (3, 3)))

    def test_no_asyncio(self):
        import asyncio
        with self.assertRaises(ValueError):
            asyncio.run(aio.open_ksock(self.bus(0)))


class LongMessages(WithDevice):
    def setUp(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as settings:
            settings.write("[limits]\nmessage-bytes = 8388608\nmessage-bytes-ceiling = 8388608\n")
            settings.flush()
            self.more_args = ("--config", settings.name)
            super().setUp()

    def test_long_writes(self):
        """More than the kernel takes at once, both ways."""
        s, r = self.ksock(), self.ksock("$.A")
        data = bytes(range(256)) * (20 << 10)
        s.send_msg(Announcement("$.A", data))
        self.assertEqual(r.read_next_msg().data, data)


if __name__ == "__main__":
    unittest.main()
