"""An exception out of a signal handler at every place where one may come in an operation: afterwards other threads can go
on, and nothing is lost, doubled or half done. Each test says what that means for one operation."""

import ast
import asyncio
import errno
import gc
import os
import queue
import select
import sys
import threading
import time
import unittest
import warnings

from daemon import PATIENCE, WithDaemon, WithDevice
from kbus import Announcement, KbusError, Ksock, Request, Tap, aio, forks, reply_to
from steps import PACKAGE, Interruption


# Before Python 3.11 there are five times as many such places, and every seventh does for a test that is run often.
STRIDE = 1 if sys.version_info >= (3, 11) or os.environ.get("KBUS_STEPS") == "all" else 7


class AnotherThread:
    """Does what it is told, and tells what came of it."""

    def __init__(self):
        self._told, self._came = queue.Queue(), queue.Queue()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            work = self._told.get()
            try:
                self._came.put(work())
            except KbusError as e:
                self._came.put(e)

    def __call__(self, work):
        self._told.put(work)
        return self._came.get(timeout=PATIENCE)


class Steps(WithDaemon):
    watched = False
    anybody = AnotherThread()

    def opened(self, *bindings):
        k = self.ksock(*bindings)
        k.set_max_messages(1000)
        return k

    def tried(self):
        k = self.opened()
        if self.watched:
            k.fileno()
        return k

    def every(self, k, prepare, operation, right):
        """Interrupts operation(n) before each of its steps. After each time another thread can go on with Ksock k, and
        right(n, result) must hold; result is a tuple, or None if there is none."""
        bad, step, result = [], 0, None
        while result is None:
            prepare(step)
            interruption = Interruption(step)
            result = interruption(operation, step)
            try:
                self.anybody(self.others_open)
                if k is not None:
                    self.anybody(k.num_messages)
                right(step, result)
            except (AssertionError, queue.Empty) as e:
                bad.append("interrupted at {}: {!r}".format(interruption.where, e))
                if isinstance(e, queue.Empty):  # a thread waits for ever, and so would the next
                    type(self).anybody = AnotherThread()
                    break
            step += STRIDE
        self.assertEqual(bad, [], "{} of {} steps".format(len(bad), step))
        self.assertGreater(step, 8)

    def others_open(self):
        forks.at_once(lambda: None)

    # What is sent is sent once.

    def test_send(self):
        k, listener = self.tried(), self.opened("$.A")

        def right(step, result):
            k.send_msg(Announcement("$.A", "next"))
            heard = [m.data for m in listener]
            self.assertIn(heard, ([b"%d" % step, b"next"],) if result else ([b"%d" % step, b"next"], [b"next"]))
        self.every(k, lambda step: None, lambda step: k.send_msg(Announcement("$.A", str(step))), right)

    def test_send_request(self):
        k, replier = self.tried(), self.opened()
        replier.bind("$.R", True)

        def right(step, result):
            k.num_messages()
            request = replier.read_next_msg()
            self.assertTrue(request is not None or not result)
            self.assertEqual(len(k._open.core._asked), 0 if request is None else 1)
            if request is not None:
                replier.send_msg(reply_to(request, "reply"))
                self.assertEqual([m.data for m in k], [b"reply"])
            self.assertIsNone(replier.read_next_msg())
            self.assertEqual(len(k._open.core._asked), 0)
        self.every(k, lambda step: None, lambda step: k.send_msg(Request("$.R", str(step))), right)

    def test_send_written(self):
        """send() that had not begun to go can be done again, and is known as a Request all the same."""
        k, replier = self.tried(), self.opened()
        replier.bind("$.R", True)

        def right(step, result):
            if result is None:
                try:
                    k.send()
                except KbusError as e:
                    self.assertEqual(e.errno, errno.ENOMSG)
            request = replier.read_next_msg()
            self.assertEqual(request.data, b"%d" % step)
            self.assertEqual(len(k._open.core._asked), 1)
            replier.send_msg(reply_to(request))
            self.assertEqual(len(list(k)), 1)
        self.every(k, lambda step: k.write_msg(Request("$.R", str(step))), lambda step: k.send(), right)

    # What is received is received once, and in order.

    def received(self, k, receive):
        sender = self.opened()
        k.bind("$.A")

        def prepare(step):
            for which in "first", "second":
                sender.send_msg(Announcement("$.A", which))

        def right(step, result):
            got = [result[0].data] if result else []
            if self.watched:
                self.assertTrue(select.select([k], [], [], PATIENCE)[0])
            left = k.num_messages()
            rest = [m.data for m in k]
            if self.watched:
                self.assertFalse(select.select([k], [], [], 0)[0])
            self.assertEqual(left, len(rest))
            if sys.version_info >= (3, 11) or result or len(rest) == 2:
                self.assertEqual(got + rest, [b"first", b"second"])
            else:
                self.assertEqual(rest, [b"second"])  # the interpreter has lost what was returned (docs/python.md)
        self.every(k, prepare, lambda step: receive(), right)

    def test_read(self):
        k = self.tried()
        self.received(k, k.read_next_msg)

    def test_wait(self):
        k = self.tried()
        self.received(k, lambda: k.wait_for_msg(PATIENCE))

    def test_next_msg(self):
        k = self.tried()
        k.bind("$.A")
        sender = self.opened()

        def right(step, result):
            length = result[0] if result else k.next_msg()
            msg = k.read_msg(length)
            if msg is None and sys.version_info < (3, 11):
                return  # likewise
            self.assertEqual(msg and msg.data, b"%d" % step)
            self.assertEqual(k.next_msg(), 0)
        self.every(k, lambda step: sender.send_msg(Announcement("$.A", str(step))), lambda step: k.next_msg(), right)

    # A call is answered, or given up.

    def called(self, keep):
        k, replier, seen = self.tried(), self.opened(), []
        replier.bind("$.R", True)

        def serve():
            while True:
                m = replier.wait_for_msg()
                if m.data == b"end":
                    return
                seen.append(m.data)
                try:
                    replier.send_msg(reply_to(m, m.data))
                except KbusError:
                    pass  # the call was given up
        thread = threading.Thread(target=serve)
        thread.start()

        def right(step, result):
            if result:
                self.assertEqual(result[0].data, b"%d" % step)
            self.assertEqual(k.call(Request("$.R", "next"), PATIENCE).data, b"next")
            self.assertLessEqual(seen.count(b"%d" % step), 1)
            rest = [m.data for m in k]
            if keep and not result and b"%d" % step in seen:
                if rest or sys.version_info >= (3, 11):
                    self.assertEqual(rest, [b"%d" % step])
            else:
                self.assertEqual(rest, [])
            self.assertEqual(len(k._open.core._asked), 0)
        self.every(k, lambda step: None,
                   lambda step: k.call(Request("$.R", str(step)), PATIENCE, keep_late_answer=keep), right)
        k.send_msg(Request("$.R", "end"))
        thread.join()

    def test_call(self):
        self.called(False)

    def test_call_that_keeps(self):
        self.called(True)

    # What is opened is closed.

    def test_close(self):
        """It is open afterwards, or closed: its names are free, though nobody closes it again."""
        other, closed = self.opened(), []

        def prepare(step):
            closed[:] = [Ksock(self.bus(0))]
            closed[0].bind("$.C", True)

        def right(step, result):
            answer = self.anybody(closed[0].num_messages) if closed[0].mode else None
            if answer == 0:
                self.assertIsNone(result)
                closed[0].close()
            deadline = time.monotonic() + PATIENCE
            while other.find_replier("$.C") is not None and time.monotonic() < deadline:
                pass
            self.assertIsNone(other.find_replier("$.C"))
        self.every(None, prepare, lambda step: closed[0].close(), right)

    def test_open(self):
        """No descriptor stays behind."""
        warnings.simplefilter("ignore", ResourceWarning)
        opened = Ksock(self.bus(0))
        before = len(os.listdir("/proc/self/fd")) 


        def right(step, result):
            if result:
                result[0].close()
            gc.collect()
            self.assertLessEqual(len(os.listdir("/proc/self/fd")), before)
        opened.close()
        self.every(None, lambda step: None, lambda step: Ksock(self.bus(0)), right)


class StepsWatched(Steps):
    """The same when the program has asked for the descriptor."""
    watched = True
    test_close = test_open = None  # nothing there is watched

    def told(self, operation, before=0, polled=True):
        """Wherever operation(k) ends: a poll is told of the next message, and of none when there is none."""
        sender, step, result = self.opened(), 0, None
        while result is None:
            with Ksock(self.bus(0)) as k:
                k.bind("$.A")
                ready = select.poll()
                if polled:
                    ready.register(k, select.POLLIN)
                for _ in range(before):
                    sender.send_msg(Announcement("$.A"))
                interruption = Interruption(step)
                result = interruption(operation, k)
                if not polled:
                    ready.register(k, select.POLLIN)
                sender.send_msg(Announcement("$.A"))
                self.assertTrue(ready.poll(PATIENCE * 1000), interruption.where)
                list(k)
                self.assertFalse(ready.poll(0), interruption.where)
            step += STRIDE

    def test_fileno(self):
        self.told(lambda k: k.fileno(), polled=False)

    def test_told_after_a_read(self):
        self.told(lambda k: k.read_next_msg(), before=1)

    def test_told_after_a_wait(self):
        self.told(lambda k: k.wait_for_msg(PATIENCE), before=1)

    def test_told_after_a_send(self):
        self.told(lambda k: k.send_msg(Announcement("$.A")))


class StepsDevice(WithDevice, Steps):
    """The same through a device."""
    test_next_msg = None  # there the kernel has the message, and drops what is left of it


class StepsAsyncio(WithDaemon):
    """The same in the loop of asyncio: in a task, which the exception then ends, and in what the loop calls, which goes on."""

    def setUp(self):
        super().setUp()
        warnings.simplefilter("ignore", RuntimeWarning)  # of coroutines that an exception kept from beginning
        self.loop = asyncio.new_event_loop()
        self.addCleanup(self.loop.close)
        self.loop.set_exception_handler(lambda *_: None)
        self.k = self.run_all(aio.open_ksock(0))
        self.addCleanup(lambda: self.run_all(self.k.close()))

    def run_all(self, work):
        return self.loop.run_until_complete(asyncio.wait_for(work, PATIENCE))

    def every(self, prepare, work, right):
        step = 0
        while True:
            prepare(step)
            interruption = Interruption(step)
            coroutine = work(step)
            result = interruption(self.run_all, coroutine)
            coroutine.close()
            with self.subTest(where=interruption.where):
                right(step, result)
            if interruption.where is None:
                break
            step += STRIDE
        self.assertGreater(step, 8)

    def test_send(self):
        listener = self.ksock("$.A")

        def right(step, result):
            self.run_all(self.k.send(Announcement("$.A", "next")))
            heard = [m.data for m in listener]
            self.assertIn(heard, ([b"%d" % step, b"next"],) if result else ([b"%d" % step, b"next"], [b"next"]))
        self.every(lambda step: None, lambda step: self.k.send(Announcement("$.A", str(step))), right)

    def test_receive(self):
        sender = self.ksock()
        self.run_all(self.k.bind("$.A"))

        def prepare(step):
            for which in "first", "second":
                sender.send_msg(Announcement("$.A", which))

        def right(step, result):
            got = [result[0].data] if result else []
            while got[-1:] != [b"second"]:
                got.append(self.run_all(self.k.receive()).data)
            if sys.version_info >= (3, 11) or result or len(got) == 2:
                self.assertEqual(got, [b"first", b"second"])
            self.assertEqual(self.run_all(self.k.value("nummsgs")), 0)
        self.every(prepare, lambda step: self.k.receive(), right)

    def test_call(self):
        replier = self.ksock()
        replier.bind("$.R", True)

        def serve():
            for m in iter(replier.wait_for_msg, None):
                try:
                    replier.send_msg(reply_to(m, m.data))
                except KbusError:
                    pass  # the call was given up
                if m.data == b"end":
                    return
        thread = threading.Thread(target=serve)
        thread.start()

        def right(step, result):
            if result:
                self.assertEqual(result[0].data, b"%d" % step)
            self.assertEqual(self.run_all(self.k.call(Request("$.R", "next"))).data, b"next")
            self.assertEqual(self.run_all(self.k.value("nummsgs")), 0)
        self.every(lambda step: None, lambda step: self.k.call(Request("$.R", str(step))), right)
        self.run_all(self.k.call(Request("$.R", "end")))
        thread.join()

    def test_tap(self):
        sender, tap = self.ksock(), self.run_all(aio.open_tap(0, "$.A", kinds=["sent"]))
        self.addCleanup(tap.close)

        def prepare(step):
            for which in "first", "second":
                sender.send_msg(Announcement("$.A", which))

        def right(step, result):
            got = [result[0].message.data] if result else []
            while got[-1:] != [b"second"]:
                got.append(self.run_all(tap.next()).message.data)
            if sys.version_info >= (3, 11) or result or len(got) == 2:
                self.assertEqual(got, [b"first", b"second"])
        self.every(prepare, lambda step: tap.next(), right)


class StepsTap(Steps):
    def test_tap(self):
        k, tap = self.opened(), Tap(0, "$.A", kinds=["sent"])
        self.addCleanup(tap.close)

        def prepare(step):
            for which in "first", "second":
                k.send_msg(Announcement("$.A", which))

        def right(step, result):
            got = [result[0].message.data] if result else []
            while got[-1:] != [b"second"]:
                got.append(tap.next(PATIENCE).message.data)
            if sys.version_info >= (3, 11) or result:
                self.assertEqual(got, [b"first", b"second"])
        self.every(k, prepare, lambda step: tap.next(PATIENCE), right)
    for name in dir(Steps):
        if name.startswith("test_"):
            locals()[name] = None


class Returns(unittest.TestCase):
    def test_not_in_named_handlers(self):
        """No value is returned out of a named handler of exceptions: that is a place where Python 3.8 itself can break down."""
        for directory, _, files in os.walk(PACKAGE):
            for file in (f for f in files if f.endswith(".py")):
                with open(os.path.join(directory, file), encoding="utf-8") as source:
                    tree = ast.parse(source.read())
                for handler in (n for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler) and n.name):
                    for inner in ast.walk(handler):
                        value = inner.value if isinstance(inner, ast.Return) else None
                        self.assertTrue(value is None or isinstance(value, ast.Constant),
                                        "{}:{}".format(file, inner.lineno if value else 0))


if __name__ == "__main__":
    unittest.main()
