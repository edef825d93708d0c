"""An operation that ends in the middle: by an exception out of a signal handler, by one that uses the same Ksock, by a
finalizer. The next operation is right, nothing corrupt is delivered, and nothing is lost.

The daemon is stopped where something is to be half done for certain.
"""

import errno
import gc
import os
import signal
import subprocess
import sys
import threading
import unittest
import warnings

from daemon import PATIENCE, WithDaemon, WithDevice
from kbus import Announcement, Ksock, KbusError, Request, reply_to
from kbus.wake import Wake


class Interrupted(Exception):
    pass


class WithSignals(WithDaemon):
    def setUp(self):
        super().setUp()
        self.addCleanup(signal.signal, signal.SIGALRM, signal.getsignal(signal.SIGALRM))
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)

    def handle(self, handler, first, interval=0.0):
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, first, interval)

    def stop_handling(self):
        signal.setitimer(signal.ITIMER_REAL, 0)

    def interrupted(self, operation, *args, **kwargs):
        """Runs an operation that cannot end, until a signal handler raises out of it."""
        def handler(*_):
            self.stop_handling()
            raise Interrupted
        self.handle(handler, 0.05, 0.05)  # Python may miss one that comes just before it waits
        with self.assertRaises(Interrupted):
            operation(*args, **kwargs)

    def each_once(self, got, sent):
        """In order and once. Before Python 3.11 the interpreter may lose what a function returns (docs/python.md)."""
        if sys.version_info >= (3, 11):
            self.assertEqual(got, sent)
        else:
            self.assertEqual(got, sorted(set(got) & set(sent)))

    def numbers(self, ksock):
        return [int(m.data) for m in ksock]

    def listened(self, count, name="$.N"):
        """A Ksock with so many messages to read."""
        sender, listener = self.ksock(), self.ksock()
        listener.set_max_messages(count + 1)
        listener.bind(name)
        for i in range(count):
            sender.send_msg(Announcement(name, str(i)))
        return listener


class Exceptions(WithSignals):
    def test_half_a_frame(self):
        """The rest of a frame that was begun is sent before anything else."""
        k, listener = self.ksock(), self.ksock("$.B", "$.S")
        self.daemon.stop()
        self.interrupted(k.send_msg, Announcement("$.B", b"B" * 400000))
        self.daemon.go_on()
        for _ in range(3):
            k.send_msg(Announcement("$.S", b"S" * 300000))
        got = list(listener)
        self.assertEqual([(m.name, set(m.data), len(m.data)) for m in got],
                         [("$.B", {66}, 400000)] + [("$.S", {83}, 300000)] * 3)

    def test_not_begun(self):
        """What had not begun to go does not go: a program that tries again sends it once."""
        k, listener = self.ksock(), self.ksock("$.B", "$.S")
        self.daemon.stop()
        self.interrupted(k.send_msg, Announcement("$.B", b"B" * 400000))  # this one fills the socket
        self.interrupted(k.send_msg, Announcement("$.S", "once"))
        self.daemon.go_on()
        k.send_msg(Announcement("$.S", "once"))
        self.assertEqual([m.name for m in listener], ["$.B", "$.S"])

    def test_reads(self):
        """Exceptions at any moment of many reads: every message, in order, once."""
        listener, armed, got = self.listened(3000), False, []

        def handler(*_):
            nonlocal armed
            if armed:
                armed = False  # before the next signal, which may come before the exception is caught
                raise Interrupted
        self.handle(handler, 0.002, 0.002)
        msg, times = True, 0
        while msg is not None:
            try:
                armed = True
                msg = listener.read_next_msg()
                armed = False
            except Interrupted:
                times += 1
                continue
            got += [int(msg.data)] if msg else []
        self.stop_handling()
        self.each_once(got, list(range(3000)))
        self.assertGreater(times, 3)

    def test_a_wait(self):
        """The message that came too late for who waited is there for the next, and the descriptor says so."""
        import select
        for watched in False, True:
            s, k = self.ksock(), self.ksock("$.A")
            if watched:
                k.fileno()
            self.interrupted(k.wait_for_msg)
            s.send_msg(Announcement("$.A", "x"))
            self.assertTrue(select.select([k], [], [], PATIENCE)[0])
            self.assertEqual(k.num_messages(), 1)
            self.assertEqual(k.wait_for_msg(PATIENCE).data, b"x")
            self.assertFalse(select.select([k], [], [], 0)[0])

    def test_a_call(self):
        """It is given up, and other answers are not swallowed."""
        k, r = self.ksock(), self.ksock()
        r.bind("$.R", True)
        sent = k.send_msg(Request("$.R", "by hand"))
        self.interrupted(k.call, Request("$.R", "call"))
        r.send_msg(reply_to(r.read_next_msg(), "to hand"))
        self.assertEqual(k.wait_for_msg(PATIENCE).in_reply_to, sent)
        self.assertEqual(r.read_next_msg().data, b"call")
        thread = threading.Thread(target=lambda: r.send_msg(reply_to(r.wait_for_msg(), "again")))
        thread.start()
        self.assertEqual(k.call(Request("$.R", "again"), PATIENCE).data, b"again")
        thread.join()

    def test_closing(self):
        k = self.ksock()
        self.daemon.stop()
        self.interrupted(k.close)
        self.daemon.go_on()
        self.fails(errno.EBADF, k.num_messages)


class HalfMade(unittest.TestCase):
    """An exception came before an object had anything: its end says nothing."""

    def test_wake(self):
        Wake.__new__(Wake).__del__()


class Everything(WithSignals):
    """Exceptions at any moment of a program that sends, calls and reads: what was sent is heard once and in order, calls
    get their own answers, and every message is read once."""

    rounds = 400
    late_answers = False  # whether the answer to a call that was interrupted may be read

    def play(self, k):
        armed, sent, surely, read = False, [], [], []
        listener, other, replier = Ksock(0), Ksock(0), Ksock(0)
        for ksock, name, role in (listener, "$.A", False), (k, "$.B", False), (replier, "$.R", True):
            self.addCleanup(ksock.close)
            ksock.set_max_messages(10 * self.rounds)
            ksock.bind(name, role)
        self.addCleanup(other.close)

        def serve():
            while True:
                m = replier.wait_for_msg()
                try:
                    replier.send_msg(reply_to(m, m.data))
                except KbusError:
                    pass  # who asked has given up
                if m.data == b"end":
                    return
        thread = threading.Thread(target=serve)
        thread.start()

        def handler(*_):
            nonlocal armed
            if armed:
                armed = False
                raise Interrupted
        self.handle(handler, 0.0015, 0.0015)
        for i in range(self.rounds):
            try:
                if i % 3 == 0:
                    sent.append(i)
                    msg = Announcement("$.A", "{} {}".format(i, "x" * (1, 1, 1000, 90000)[i % 4]))
                    armed = True
                    k.send_msg(msg)
                    armed = False
                    surely.append(i)
                elif i % 3 == 1:
                    armed = True
                    answer = k.call(Request("$.R", str(i)), PATIENCE)
                    armed = False
                    self.assertEqual(answer.data, str(i).encode())
                else:
                    other.send_msg(Announcement("$.B", str(i)))
                    armed = True
                    msg = k.wait_for_msg(PATIENCE) if i % 2 else k.read_next_msg()
                    armed = False
                    read += [(msg.name, int(msg.data))] if msg else []
            except Interrupted:
                pass
        self.stop_handling()
        k.call(Request("$.R", "end"), PATIENCE)
        thread.join()
        read += [(m.name, int(m.data)) for m in k]
        if self.late_answers:
            read = [(name, i) for name, i in read if name != "$.R"]
        self.each_once(read, [("$.B", i) for i in range(2, self.rounds, 3)])
        heard = [m.data.split() for m in listener]
        self.assertEqual({len(xs) for _, xs in heard} - {1, 1000, 90000}, set())
        numbers = [int(i) for i, _ in heard]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertTrue(set(surely) <= set(numbers) <= set(sent))

    def test(self):
        self.play(Ksock(self.bus(0)))

    def test_watched(self):
        k = Ksock(self.bus(0))
        k.fileno()
        self.play(k)


BUSY = """
import asyncio
from kbus import *
from kbus import aio
async def main():
    async with await aio.open_ksock(0) as k, await aio.open_ksock(0) as other:
        await k.bind('$.Busy', True)
        waiting = asyncio.ensure_future(other.receive())
        print('bound', flush=True)
        while True:
            await k.send(Announcement('$.Busy', 'x' * 100000))
            call = asyncio.ensure_future(other.call(Request('$.Busy')))
            asked = await k.receive()
            while not asked.is_request():
                asked = await k.receive()
            await k.send(reply_to(asked))
            await call
asyncio.run(main())
"""


class Run(WithDaemon):
    @unittest.skipIf(sys.version_info < (3, 11), "asyncio.run before 3.11 may lose a task if Ctrl-C comes in its loop, and then waits for it for ever")
    def test_keyboard_interrupt(self):
        """Ctrl-C under asyncio.run, in the middle of sends, receives and calls: the program ends by it, and its Ksocks are closed."""
        k = self.ksock()
        for _ in range(8):
            program = subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(program.stdout.readline(), b"bound\n")
            while not k.find_replier("$.Busy"):
                pass
            program.send_signal(signal.SIGINT)
            _, said = program.communicate(timeout=PATIENCE)
            self.assertEqual(program.returncode, -signal.SIGINT, said)
            self.assertIn(b"KeyboardInterrupt", said)
            self.assertNotIn(b"unclosed", said)
            self.assertIsNone(k.find_replier("$.Busy"))


class EverythingDevice(WithDevice, Everything):
    test_watched = None
    late_answers = True  # a device sends and waits in two steps, and an exception may come just between them


class Nested(WithSignals):
    """A handler that uses the Ksock which it interrupts: it works, or is refused with EDEADLK."""

    def ask(self, k, outcomes):
        busy = []

        def handler(*_):
            if not busy:  # never within itself
                busy.append(1)
                try:
                    k.num_messages()
                    outcomes.add(0)
                except KbusError as e:
                    outcomes.add(e.errno)
                busy.clear()
        self.handle(handler, 0.002, 0.002)

    def test_reads(self):
        listener, outcomes = self.listened(3000), set()
        self.ask(listener, outcomes)
        self.assertEqual(self.numbers(listener), list(range(3000)))
        self.stop_handling()
        self.assertTrue(outcomes <= {0, errno.EDEADLK}, outcomes)
        if not isinstance(self, WithDevice):  # where nothing waits outside of a turn
            self.assertIn(0, outcomes)

    def test_calls(self):
        k, r, outcomes = self.ksock(), self.ksock(), set()
        r.bind("$.R", True)

        def serve():
            for _ in range(300):
                m = r.wait_for_msg()
                r.send_msg(reply_to(m, m.data))
        thread = threading.Thread(target=serve)
        thread.start()
        self.ask(k, outcomes)
        for i in range(300):
            self.assertEqual(k.call(Request("$.R", str(i)), PATIENCE).data, str(i).encode())
        self.stop_handling()
        thread.join()
        self.assertTrue(outcomes <= {0, errno.EDEADLK}, outcomes)

    def test_while_waiting(self):
        """Between turns anything can be done: here the handler sends what the program waits for."""
        k = self.ksock("$.A")
        self.handle(lambda *_: k.send_msg(Announcement("$.A", "x")), 0.05)
        self.assertEqual(k.wait_for_msg(PATIENCE).data, b"x")

    def test_closes(self):
        k = self.ksock()
        self.handle(lambda *_: k.close(), 0.05)
        self.fails(errno.EBADF, k.wait_for_msg, PATIENCE)

    def test_in_the_middle_of_a_turn(self):
        """Whoever is in a turn is not joined by the same thread, and not waited for."""
        k = self.ksock()
        self.fails(errno.EDEADLK, k._open._turns.take, k.num_messages)
        self.assertEqual(k.num_messages(), 0)


class NestedDevice(WithDevice, Nested):
    test_closes = test_while_waiting = None  # a device is polled, which other things end


class ExceptionsDevice(WithDevice, WithSignals):
    test_reads = Exceptions.test_reads


class Dropped(WithDaemon):
    """A Ksock that nobody has any more is closed, and that is said."""

    def test_warns_and_closes(self):
        k = Ksock(self.bus(0))
        k.bind("$.R", True)
        unclosed = "unclosed {!r}".format(k)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            del k
            gc.collect()
        self.assertEqual([(w.category, str(w.message)) for w in said],
                         [(ResourceWarning, unclosed)])
        other = self.ksock()
        while True:  # the daemon takes note when it comes to it
            try:
                other.bind("$.R", True)
                break
            except KbusError as e:
                self.assertEqual(e.errno, errno.EADDRINUSE)

    def test_warning_that_is_an_error(self):
        """It is said, once, and the Ksock is closed all the same."""
        said, before = [], sys.unraisablehook
        self.addCleanup(setattr, sys, "unraisablehook", before)
        sys.unraisablehook = lambda failed: said.append(str(failed.exc_value))
        gc.collect()  # what others have left
        there = len(os.listdir("/proc/self/fd"))
        k = Ksock(self.bus(0))
        unclosed = "unclosed {!r}".format(k)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            del k
            gc.collect()
        self.assertEqual(said, [unclosed])
        self.assertEqual(len(os.listdir("/proc/self/fd")), there)

    def test_closed_says_nothing(self):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            Ksock(0).close()
            with Ksock(0):
                pass
            self.assertRaises(KbusError, Ksock, 9)
            gc.collect()
        self.assertEqual([str(w.message) for w in said], [])

    def test_finalizer_that_sends(self):
        k, listener = self.ksock(), self.ksock("$.A")

        class Last:
            def __del__(self):
                k.send_msg(Announcement("$.A", "last"))
        last = [Last()]
        last.append(last)
        del last
        gc.collect()
        self.assertEqual(listener.wait_for_msg(PATIENCE).data, b"last")


class DroppedDevice(WithDevice, Dropped):
    test_finalizer_that_sends = test_closed_says_nothing = None  # nothing there is the device's


if __name__ == "__main__":
    unittest.main()
