"""What a message costs in system calls, which depends on nothing but the code: one to send, one to wait, one to read."""

import collections
import select
import threading
import unittest
from unittest import mock

from daemon import WithDaemon
from kbus import Announcement, Request, reply_to
from kbus.serving import Service

COUNT = 50


class Counted:
    """Something whose calls of some methods are counted, if the thread of the test makes them."""

    def __init__(self, inner, calls, *names):
        self._inner = inner
        for name in names:
            setattr(self, name, self._counting(name, calls))

    def _counting(self, name, calls):
        method = getattr(self._inner, name)

        def call(*args):
            calls[name] += threading.current_thread() is threading.main_thread()
            return method(*args)
        return call

    def __getattr__(self, name):
        return getattr(self._inner, name)


class Calls(WithDaemon):
    def setUp(self):
        super().setUp()
        self.calls = collections.Counter()
        poll = select.poll
        patch = mock.patch("kbus.wake.select.poll", lambda: Counted(poll(), self.calls, "poll"))
        patch.start()
        self.addCleanup(patch.stop)

    def counted(self, *bindings):
        ksock = self.ksock(*bindings)
        ksock._open.socket = Counted(ksock._open.socket, self.calls, "send", "recv")
        return ksock

    def each(self, do):
        """How many calls of each kind do() makes, of many."""
        do()
        before = self.calls.copy()
        for _ in range(COUNT):
            do()
        return {name: n / COUNT for name, n in (self.calls - before).items()}

    def test_call(self):
        k, r = self.counted(), self.ksock()
        r.bind("$.R", True)

        def serve():
            for _ in range(COUNT + 1):
                m = r.wait_for_msg()
                r.send_msg(reply_to(m, m.data))
        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)
        request = Request("$.R", b"x" * 2000)
        self.assertEqual(self.each(lambda: k.call(request)), {"send": 1, "poll": 1, "recv": 1})

    def test_send_and_receive(self):
        k, listener = self.counted(), self.ksock("$.A")
        listener.set_max_messages(2 * COUNT)
        self.assertEqual(self.each(lambda: k.send_msg(Announcement("$.A", "x"))), {"send": 1, "poll": 1, "recv": 1})
        listener._open.socket = Counted(listener._open.socket, self.calls, "send", "recv")
        self.assertEqual(self.each(listener.wait_for_msg), {"send": 1, "poll": 1, "recv": 1})

    def test_serving(self):
        """A Reply travels with the question for the next message."""
        k, server, service, served = self.ksock(), self.counted(), Service(), [0]

        @service.replier("$.R")
        def answer(request):
            served[0] += 1
            if served[0] == 1:
                self.calls.clear()
            if served[0] > COUNT:
                service.stop()
            return request.data

        def ask():
            while k.find_replier("$.R") is None:
                pass
            for _ in range(COUNT + 1):
                k.call(Request("$.R", "x"))
        thread = threading.Thread(target=ask)
        thread.start()
        service.serve(server)
        after = self.calls.copy()
        thread.join()
        self.assertEqual({name: n - 1 for name, n in after.items()}, {"send": COUNT, "poll": COUNT, "recv": COUNT})

    def test_large(self):
        """Pieces are as large as the socket gives them, and there is no question in between that finds nothing."""
        k, listener = self.counted(), self.ksock("$.A")
        for size in 20000, 100000:
            k.send_msg(Announcement("$.A", b"x" * size))
        listener._open.socket = Counted(listener._open.socket, self.calls, "send", "recv")
        before = self.calls.copy()
        self.assertEqual([len(listener.wait_for_msg().data) for _ in range(2)], [20000, 100000])
        after = self.calls - before
        self.assertEqual(after["send"], 2)
        self.assertLessEqual(after["recv"], 12)


if __name__ == "__main__":
    unittest.main()
