"""The original's API over a daemon of one's own (R10.40 to R10.52)."""

import errno
import os
import threading

from daemon import WithDaemon
from kbus import Announcement, Ksock, Message, MessageId, NoReply, Request, read_bindings, reply_to


class Opening(WithDaemon):
    def test_modes_and_names(self):
        k = self.ksock()
        self.assertEqual((str(k), repr(k)), ("Ksock device 0, id 1, mode read/write",
                                             "<Ksock /dev/kbus0 open for read/write>"))
        self.assertEqual((k.which, k.name, k.mode), (0, "/dev/kbus0", "read/write"))
        r = self.ksock(mode="r")
        self.assertEqual(r.mode, "read")
        self.fails(errno.EBADF, r.send_msg, Announcement("$.A"))
        with self.assertRaises(ValueError) as caught:
            Ksock(0, "w")
        self.assertEqual(str(caught.exception), "Ksock mode should be 'r' or 'rw', not 'w'")
        k.close()
        self.assertEqual((str(k), repr(k)), ("Ksock device 0 (closed)", "<Ksock /dev/kbus0 closed>"))
        self.assertEqual((k.fd, k.mode), (None, None))
        with self.assertRaises(AttributeError) as caught:
            k.close()
        self.assertEqual(str(caught.exception), "bus 0 is closed already")
        self.assertIn("bus 0: the Ksock is closed", str(self.fails(errno.EBADF, k.bind, "$.A")))

    def test_what_is_given(self):
        """What is taken for something else is said in the program's words."""
        k = self.ksock()
        for operation, given, text in (
                (k.bind, ("$.A.*", "replier"), "replier is True or False, not 'replier'"),
                (k.unbind, ("$.A", None), "replier is True or False, not None"),
                (k.call, ("$.A.B",), "a message is needed: Request('$.A.B'), not '$.A.B'"),
                (k.call, (b"$.A",), "a message is needed: Request('$.A'), not b'$.A'"),
                (k.send_msg, ("$.A",), "a message is needed: Announcement('$.A'), not '$.A'")):
            with self.assertRaises(TypeError) as caught:
                operation(*given)
            self.assertEqual(str(caught.exception), text)
        k.bind("$.A", 1)
        k.unbind("$.A", True)

    def test_no_such_bus(self):
        for which in (1, -1):
            with self.assertRaises(FileNotFoundError) as caught:
                Ksock(which)
            self.assertIn("there is only bus 0", str(caught.exception))
        self.ksock().new_device()
        with self.assertRaises(FileNotFoundError) as caught:
            Ksock(7)
        self.assertIn("there are only buses 0, 1", str(caught.exception))
        os.environ["KBUS_DIR"] = "/nowhere"
        self.addCleanup(os.environ.__setitem__, "KBUS_DIR", self.daemon.dir)
        with self.assertRaises(FileNotFoundError) as caught:
            Ksock(7)
        self.assertIn("is kbusd running?", str(caught.exception))
        self.fails(errno.ENOENT, Ksock, "/no/such/device")

    def test_by_path(self):
        with Ksock(os.path.join(self.daemon.dir, "bus0.sock")) as k:
            self.assertEqual(k.ksock_id(), 1)

    def test_new_device(self):
        k = self.ksock()
        self.assertEqual(k.new_device(), 1)
        self.assertEqual(str(self.ksock(which=1)), "Ksock device 1, id 1, mode read/write")

    def test_close_has_been_noted(self):
        for _ in range(20):
            with Ksock(0) as k:
                k.bind("$.R", True)

    def test_with_lets_exceptions_through(self):
        with self.assertRaises(KeyError):
            with Ksock(0) as k:
                k.close()
                raise KeyError

    def test_forked(self):
        """A child has the descriptor, but not the connection: it may close its copy, and no more."""
        k = self.ksock("$.A")
        child = os.fork()
        if child == 0:
            try:
                k.num_messages()
            except OSError as e:
                k.close()
                os._exit(e.errno)
            os._exit(0)
        self.assertEqual(os.waitpid(child, 0)[1], errno.EBADF << 8)
        k.send_msg(Announcement("$.A"))
        self.assertEqual(k.num_messages(), 1)


class Operations(WithDaemon):
    tells = True  # the bus tells with a send whom it reached, and names its conditions

    def reached(self, sent, reached, skipped):
        self.assertEqual((sent.reached, sent.skipped), (reached, skipped) if self.tells else (None, None))

    def test_bindings(self):
        k, other = self.ksock(), self.ksock()
        k.bind("$.A", replier=True)
        k.bind("$.A.*")
        self.assertEqual((k.find_replier("$.A"), k.find_replier("$.A.*"), k.find_replier("no name")), (1, None, None))
        self.fails(errno.EADDRINUSE, other.bind, "$.A", True)
        self.fails(errno.EINVAL, other.unbind, "$.A")
        for name, number in (("", errno.EBADMSG), ("$.A!", errno.EBADMSG), ("$.ä", errno.EBADMSG),
                             ("$." + "A" * 999, errno.ENAMETOOLONG), ("$." + "A" * 1000000, errno.ENAMETOOLONG)):
            self.fails(number, k.bind, name)
            self.fails(number, k.unbind, name)
        self.fails(errno.ENAMETOOLONG, k.find_replier, "")
        self.assertEqual(read_bindings({1: "me"}), [("me", False, "$.A.*"), ("me", True, "$.A")])
        k.unbind("$.A", True)
        self.assertEqual(read_bindings({}), [(1, False, "$.A.*")])

    def test_numbers(self):
        k = self.ksock()
        self.assertEqual((k.max_messages(), k.set_max_messages(5), k.max_messages()), (100, 5, 5))
        self.assertEqual((k.max_message_size(), k.set_max_message_size(1000), k.max_message_size()),
                         (409600, 1000, 1000))
        self.assertEqual(k.set_max_message_size(1), 409600)
        self.fails(errno.EINVAL, k.set_max_message_size, 99)
        self.assertRaises(ValueError, k.set_max_messages, -1)
        for switch in (k.want_messages_once, k.kernel_module_verbose, k.report_replier_binds):
            self.assertEqual([switch(True), switch(True), switch(just_ask=True), switch(False), switch(False)],
                             [0, 1, 1, 1, 0])

    def test_sending(self):
        s, r = self.ksock(), self.ksock("$.A", "$.A")
        self.assertEqual(s.last_msg_id(), MessageId(0, 0))
        sent = s.send_msg(Announcement("$.A", "x"))
        self.assertEqual(sent, MessageId(0, 1))
        self.reached(sent, 2, 0)
        self.assertEqual(s.last_msg_id(), sent)
        self.assertEqual([str(m) for m in r], ["<Announcement '$.A', id=[0:1], from=1, data=b'x'>"] * 2)
        self.assertEqual(list(r), [])
        r.set_max_messages(1)
        self.reached(s.send_msg(Announcement("$.A")), 2, 0)
        self.reached(s.send_msg(Announcement("$.A")), 0, 2)
        for msg, number in ((Message("$.*"), errno.EBADMSG), (Message("$.ä"), errno.EBADMSG),
                            (Message("$." + "A" * 2000000), errno.ENAMETOOLONG), (Request("$.B"), errno.EADDRNOTAVAIL),
                            (Message("$.A", b"x" * 409505), errno.EMSGSIZE), (Message("$.A", b"x" * 9999999), errno.EMSGSIZE),
                            (Message("$.A", flags=0x300), errno.EINVAL)):
            e = self.fails(number, s.send_msg, msg)
            self.assertEqual(e.condition.startswith("Err"), self.tells, e)
        self.assertEqual(s.send_msg(Message("$.B", b"x" * 409504)), MessageId(0, 5))  # the largest there is

    def test_waiting_for_room(self):
        s, r = self.ksock(), self.ksock("$.A")
        r.set_max_messages(1)
        s.send_msg(Announcement("$.A", "1"))
        self.fails(errno.EBUSY, s.send_msg, Announcement("$.A", flags=Message.ALL_OR_FAIL))
        wait = Announcement("$.A", "2", flags=Message.ALL_OR_WAIT)
        with self.assertRaises(BlockingIOError) as caught:
            s.send_msg(wait)
        self.assertEqual(caught.exception.message_id, s.last_msg_id())
        self.fails(errno.EALREADY, s.send_msg, wait)
        self.fails(errno.EAGAIN, s.send)
        self.assertFalse(s.wait_sent(0.001))
        self.assertEqual(r.read_next_msg().data, b"1")
        self.assertTrue(s.wait_sent())
        self.fails(errno.ENOMSG, s.send)
        self.fails(errno.EAGAIN, s.send_msg, wait)
        s.discard()
        self.assertEqual(r.read_next_msg().data, b"2")
        self.assertIsNone(r.read_next_msg())

    def test_in_pieces(self):
        s, r = self.ksock(), self.ksock("$.A")
        msg = Message("$.A", b"hello")
        for b in msg.to_bytes():
            self.assertEqual(s.write_data(bytes([b])), 1)
        s.send()
        length = r.next_msg()
        self.assertEqual((length, r.len_left()), (msg.total_length(), msg.total_length()))
        raw = r.read_data(10)
        self.assertEqual(r.len_left(), length - 10)
        raw += r.read_data(1000)
        self.assertEqual((r.read_data(1), Message.from_bytes(raw).data), (b"", b"hello"))
        self.assertEqual((r.next_msg(), r.read_msg(100)), (0, None))
        s.write_msg(msg)
        self.reached(s.send(), 1, 0)
        self.assertEqual(r.read_msg(r.next_msg()), Message("$.A", b"hello", from_=1, id=MessageId(0, 2)))
        self.fails(errno.EBADMSG, s.write_msg, Message("$.%"))
        s.write_data(msg.to_bytes()[:20])
        self.fails(errno.EINVAL, s.send)
        s.write_data(msg.to_bytes()[:20])
        self.fails(errno.EINVAL, s.send_msg, msg)  # it continues what was begun
        s.write_data(b"")
        s.discard()
        self.fails(errno.ENOMSG, s.send)

    def test_rest_is_dropped(self):
        """What is not read of a message when the next is taken is dropped, whichever way that is taken."""
        s, r = self.ksock(), self.ksock("$.A")
        for data in "123":
            s.send_msg(Announcement("$.A", data))
        r.next_msg()
        r.read_data(5)
        self.assertEqual(r.read_next_msg().data, b"2")
        self.assertEqual((r.read_next_msg().data, r.read_data(5)), (b"3", b""))

    def test_requests(self):
        s, r = self.ksock(), self.ksock()
        r.bind("$.R", replier=True)
        s.send_msg(Request("$.R", "q"))
        request = r.wait_for_msg()
        self.assertTrue(request.wants_us_to_reply())
        self.assertEqual(r.num_unreplied_to(), 1)
        r.send_msg(reply_to(request, "a"))
        self.fails(errno.ECONNREFUSED, r.send_msg, reply_to(request, "again"))
        self.assertEqual(s.read_next_msg().data, b"a")
        self.assertEqual(r.num_unreplied_to(), 0)

    def test_calls(self):
        s, r = self.ksock("$.Noise"), self.ksock()
        r.bind("$.R", replier=True)

        def answer():
            request = r.wait_for_msg()
            s2.send_msg(Announcement("$.Noise"))
            r.send_msg(reply_to(request, b"a" + request.data))
        s2 = self.ksock()
        thread = threading.Thread(target=answer)
        thread.start()
        self.assertEqual(s.call(Request("$.R", "q")).data, b"aq")
        thread.join()
        self.assertEqual(s.read_next_msg().name, "$.Noise")
        self.assertRaises(ValueError, s.call, Message("$.R"))
        with self.assertRaises(TimeoutError):
            s.call(Request("$.R", "slow"), timeout=0.001, keep_late_answer=True)
        r.send_msg(reply_to(r.wait_for_msg(), "late"))
        self.assertEqual(s.wait_for_msg().data, b"late")
        with self.assertRaises(NoReply) as caught:
            thread = threading.Thread(target=lambda: (r.wait_for_msg(), r.close()))
            thread.start()
            s.call(Request("$.R"))
        thread.join()
        self.assertEqual(caught.exception.status.name, "$.KBUS.Replier.Ignored")
        self.assertIsNone(s.wait_for_msg(0.001))


if __name__ == "__main__":
    import unittest
    unittest.main()
