"""The descriptor is readable exactly while a message waits.

What a Ksock's own operation has changed is so when the operation returns. That another one has sent something the
daemon may tell a moment later, so that is waited for.
"""

import select
import unittest

from daemon import PATIENCE, WithDaemon
from kbus import Announcement, Message, Request


def readable(ksock):
    """Whether it is, or will be."""
    return bool(select.select([ksock], [], [], PATIENCE)[0])


def idle(ksock):
    """Whether it is not readable now."""
    return not select.select([ksock], [], [], 0)[0]


class Readable(WithDaemon):
    def test_every_operation_leaves_it_right(self):
        s, r = self.ksock(), self.ksock("$.A", "$.*")
        self.assertTrue(idle(r))
        s.send_msg(Announcement("$.A"))
        self.assertEqual(r.num_messages(), 2)
        for left in (2, 1):
            self.assertTrue(readable(r))
            self.assertTrue(readable(r))  # to look is not to take
            self.assertEqual(r.num_messages(), left)
            self.assertTrue(readable(r))
            r.read_next_msg()
        self.assertTrue(idle(r))
        self.assertIsNone(r.read_next_msg())
        self.assertTrue(idle(r))

    def test_first_look(self):
        """A message that was there before anybody looked."""
        s, r = self.ksock(), self.ksock("$.A")
        s.send_msg(Announcement("$.A"))
        self.assertTrue(readable(r))

    def test_unbinding(self):
        s, r = self.ksock(), self.ksock("$.A")
        self.assertTrue(idle(r))
        s.send_msg(Announcement("$.A"))
        r.unbind("$.A")
        self.assertTrue(idle(r))

    def test_in_pieces(self):
        s, r = self.ksock(), self.ksock("$.A")
        self.assertTrue(idle(r))
        s.send_msg(Announcement("$.A", "x"))
        self.assertTrue(readable(r))
        r.next_msg()
        self.assertTrue(idle(r))
        r.read_data(1000)
        self.assertTrue(idle(r))

    def test_own_message(self):
        """It comes while the result of the send is awaited."""
        k = self.ksock("$.A")
        self.assertTrue(idle(k))
        for _ in range(50):
            k.send_msg(Announcement("$.A"))
            self.assertTrue(readable(k))
            k.read_next_msg()
            self.assertTrue(idle(k))

    def test_events_set_aside(self):
        """F5: what is set aside for us can be read, although our queue is empty."""
        event = "$.KBUS.ReplierBindEvent"
        full, r, replier = self.ksock(event), self.ksock(event), self.ksock()
        replier.bind("$.R", True)
        full.report_replier_binds()
        self.assertIn("[Bind '$.R' for 3]", str(full.read_next_msg()))
        full.set_max_messages(1)
        full.send_msg(Announcement(event, "noise"))
        self.assertEqual(r.read_next_msg().data, b"noise")
        self.assertTrue(idle(r))
        replier.close()
        self.assertTrue(readable(r))
        self.assertIn("[Unbind '$.R' for 3]", str(r.read_next_msg()))
        self.assertTrue(idle(r))

    def test_wakes(self):
        """Whoever sleeps in poll, select or epoll is woken."""
        s, r = self.ksock(), self.ksock("$.A")
        poll, epoll = select.poll(), select.epoll()
        self.addCleanup(epoll.close)
        poll.register(r, select.POLLIN)
        epoll.register(r, select.EPOLLIN)
        for wait in (lambda: poll.poll(PATIENCE * 1000), lambda: epoll.poll(PATIENCE),
                     lambda: select.select([r], [], [], PATIENCE)[0]):
            s.send_msg(Announcement("$.A"))
            self.assertTrue(wait())
            self.assertIsNotNone(r.read_next_msg())

    def test_waiting_sends(self):
        """What waited for room comes to those who look, and its sender can look too."""
        s, r = self.ksock("$.Back"), self.ksock("$.A")
        self.assertTrue(idle(s))
        r.set_max_messages(1)
        s.send_msg(Announcement("$.A"))
        with self.assertRaises(BlockingIOError):
            s.send_msg(Announcement("$.A", flags=Message.ALL_OR_WAIT))
        r.read_next_msg()
        self.assertTrue(readable(r))
        self.assertTrue(idle(s))
        r.send_msg(Announcement("$.Back"))
        self.assertTrue(readable(s))

    def test_after_a_call_that_was_given_up(self):
        s, r = self.ksock("$.Noise"), self.ksock()
        r.bind("$.R", True)
        self.assertTrue(idle(s))
        with self.assertRaises(TimeoutError):
            s.call(Request("$.R"), timeout=0.001)
        self.assertTrue(idle(s))
        r.send_msg(Announcement("$.Noise"))
        self.assertTrue(readable(s))

    def test_wait_for_msg(self):
        s, r = self.ksock(), self.ksock("$.A")
        self.assertIsNone(r.wait_for_msg(0))
        s.send_msg(Announcement("$.A", "x"))
        self.assertEqual(r.wait_for_msg(0).data, b"x")
        s.send_msg(Announcement("$.A", "y"))
        self.assertEqual(r.wait_for_msg().data, b"y")


if __name__ == "__main__":
    unittest.main()
