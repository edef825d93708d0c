"""Several threads with one Ksock, processes that fork, and a daemon that stands still."""

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from daemon import PATIENCE, WithDaemon, WithDevice
from kbus import Announcement, Ksock, NoReply, Request, reply_to


class Threads(WithDaemon):
    def begin(self, *operations):
        """Runs each in a thread of its own, and gives what became of it: a list that is filled."""
        ends, threads = [None] * len(operations), []

        def run(i):
            try:
                ends[i] = operations[i]()
            except (OSError, NoReply) as e:
                ends[i] = e
        for i in range(len(operations)):
            threads.append(threading.Thread(target=run, args=(i,)))
            threads[-1].start()

        def join():
            for thread in threads:
                thread.join(PATIENCE)
                self.assertFalse(thread.is_alive())
            return ends
        return join

    def waits(self, k, count):
        """Until so many threads sleep in an operation of it."""
        while len(k._open.core.waiting) < count:
            time.sleep(0)

    def test_nobody_waits_for_another(self):
        """While one calls and two wait for messages, others do what they like."""
        k, r, s = self.ksock("$.A"), self.ksock(), self.ksock()
        r.bind("$.R", True)
        join = self.begin(lambda: k.call(Request("$.R")), lambda: k.wait_for_msg(PATIENCE),
                          lambda: k.wait_for_msg(PATIENCE))
        request = r.wait_for_msg(PATIENCE)
        self.waits(k, 3)
        self.assertEqual(k.num_messages(), 0)
        s.send_msg(Announcement("$.A", "1"))
        r.send_msg(reply_to(request, "a"))
        s.send_msg(Announcement("$.A", "2"))
        ends = join()
        self.assertEqual(ends[0].data, b"a")
        self.assertEqual(sorted(m.data for m in ends[1:]), [b"1", b"2"])

    def test_each_message_once(self):
        k, s, got = self.ksock("$.A"), self.ksock(), [[], [], []]
        k.set_max_messages(2000)

        def read(mine):
            while True:
                m = k.wait_for_msg()
                if m.data == b"end":
                    return
                mine.append(int(m.data))
        join = self.begin(*[lambda mine=mine: read(mine) for mine in got])
        for i in range(600):
            s.send_msg(Announcement("$.A", str(i)))
        for _ in got:
            s.send_msg(Announcement("$.A", "end"))
        join()
        self.assertEqual(sorted(sum(got, [])), list(range(600)))
        for mine in got:
            self.assertEqual(mine, sorted(mine))

    def test_what_is_left(self):
        """Who takes a message and leaves another wakes one that waits, for nothing may come from the bus any more."""
        k = self.ksock()
        join = self.begin(lambda: k.wait_for_msg(PATIENCE))
        self.waits(k, 1)
        k._open.core.inbox += [(number, Announcement("$.A", str(number)).parts) for number in (-4, -2)]
        mine = k.read_next_msg().data
        self.assertEqual({mine, join()[0].data}, {b"-4", b"-2"})

    def test_calls_at_once(self):
        k, r = self.ksock(), self.ksock()
        r.bind("$.R", True)

        def serve():
            for _ in range(90):
                m = r.wait_for_msg()
                r.send_msg(reply_to(m, m.data))
        join = self.begin(serve, *[lambda i=i: [k.call(Request("$.R", str(i * 100 + n))).data for n in range(30)]
                                   for i in range(3)])
        ends = join()[1:]
        self.assertEqual(ends, [[str(i * 100 + n).encode() for n in range(30)] for i in range(3)])

    def test_closed_meanwhile(self):
        for _ in range(30):
            k, r, full = self.ksock(), self.ksock(), self.ksock("$.Full")
            r.bind("$.R", True)
            full.set_max_messages(1)
            k.send_msg(Announcement("$.Full"))
            self.fails(errno.EAGAIN, k.send_msg, Announcement("$.Full", flags=0x100))
            caller = self.ksock()
            join = self.begin(k.wait_for_msg, k.wait_sent, k.wait_for_msg)
            asking = self.begin(lambda: caller.call(Request("$.R")))
            self.waits(k, 3)
            r.wait_for_msg(PATIENCE)
            k.close()
            caller.close()
            self.assertEqual([e.errno for e in join() + asking()], [errno.EBADF] * 4)
            r.close()
            full.close()


class ThreadsDevice(WithDevice, Threads):
    test_nobody_waits_for_another = test_what_is_left = test_calls_at_once = None  # a device has one queue for all

    def waits(self, k, count):
        while len(k._open._sleepers) < count:
            time.sleep(0)


REPLIER = """
import os, sys, time
from kbus import *
k = Ksock(0)
k.bind('$.R', replier=True)
if os.fork() == 0:
    os.close(1)
    os.read(0, 1)  # lives until the test closes this
    os._exit(0)
print('bound', flush=True)
k.wait_for_msg()
print('read', flush=True)
time.sleep(1000)
"""


class Forks(WithDaemon):
    def child(self, f):
        """What f says in a forked process: the errno of its exception, or 0."""
        pid = os.fork()
        if pid == 0:
            signal.alarm(PATIENCE)
            try:
                f()
                os._exit(0)
            except OSError as e:
                os._exit(e.errno)
            except BaseException:
                os._exit(255)
        status = os.waitpid(pid, 0)[1]
        self.assertTrue(os.WIFEXITED(status), status)
        return os.WEXITSTATUS(status)

    def test_while_others_use_it(self):
        """Whatever the other threads of the parent were doing: the child is told at once, by every function."""
        k, r = self.ksock("$.A"), self.ksock()
        r.bind("$.R", True)
        thread = threading.Thread(target=lambda: k.call(Request("$.R")))
        thread.start()
        request = r.wait_for_msg(PATIENCE)
        held = threading.Thread(target=lambda: k._open._turns.take(lambda: (inside.set(), go.wait(PATIENCE))))
        inside, go = threading.Event(), threading.Event()
        held.start()
        inside.wait(PATIENCE)
        for f in (k.num_messages, k.read_next_msg, lambda: k.send_msg(Announcement("$.A")), k.wait_for_msg, k.fileno,
                  lambda: k.call(Request("$.R")), k.wait_sent, lambda: k.bind("$.B"), k.discard, k.send,
                  lambda: k.write_data(b"x"), k.next_msg, k.last_msg_id, k.reopen):
            self.assertEqual(self.child(f), errno.EBADF, f)
        self.assertEqual(self.child(k.close), 0)
        go.set()
        held.join()
        r.send_msg(reply_to(request))
        thread.join()
        k.send_msg(Announcement("$.A"))
        self.assertEqual(k.num_messages(), 1)

    def test_exception_in_a_fork(self):
        """It comes out of a signal handler while a fork goes on; other threads can open all the same."""
        program = """
import _thread, os, sys, threading
os.register_at_fork(**{sys.argv[1]: _thread.interrupt_main})
from kbus import Ksock
try:
    if os.fork() == 0: os._exit(0)
except KeyboardInterrupt: pass
thread = threading.Thread(target=lambda: Ksock(0).close(), daemon=True)
thread.start()
thread.join(float(sys.argv[2]))
sys.exit(thread.is_alive())
"""
        for when in "before", "after_in_parent":
            subprocess.run([sys.executable, "-c", program, when, str(PATIENCE)], check=True, stderr=subprocess.DEVNULL)

    def test_forked_by_others(self):
        """A fork of which Python does not know: the child is told all the same."""
        import ctypes
        k = self.ksock("$.A")
        k.fileno()
        pid = ctypes.CDLL(None).fork()
        if pid == 0:
            try:
                k.num_messages()
            except OSError as e:
                os._exit(e.errno)
            os._exit(0)
        self.assertEqual(os.waitpid(pid, 0)[1], errno.EBADF << 8)
        k.send_msg(Announcement("$.A"))
        self.assertEqual(k.num_messages(), 1)

    def test_the_end_of_a_child(self):
        """It says nothing to the daemon, even if it ends with all its finalizers."""
        k = self.ksock("$.A")
        program = "import os, sys; from kbus import *; k = Ksock(0); k.bind('$.B', True); pid = os.fork()\n" \
                  "if pid: os.waitpid(pid, 0); k.num_messages(); k.send_msg(Announcement('$.A', 'still here')); k.close()"
        subprocess.run([sys.executable, "-c", program], check=True)
        self.assertEqual(k.wait_for_msg(PATIENCE).data, b"still here")

    def test_a_dead_replier_with_a_child_that_lives(self):
        replier = subprocess.Popen([sys.executable, "-c", REPLIER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.assertEqual(replier.stdout.readline(), b"bound\n")
        k = self.ksock()
        sent = k.send_msg(Request("$.R"))
        self.assertEqual(replier.stdout.readline(), b"read\n")
        replier.kill()
        replier.wait()
        self.assertEqual(k.wait_for_msg(PATIENCE).in_reply_to, sent)
        k.bind("$.R", True)
        replier.stdin.close()
        replier.stdout.close()


class StandsStill(WithDaemon):
    """Time limits hold while the daemon is stopped. (The test would not end, if they did not.)"""

    def setUp(self):
        super().setUp()
        self.addCleanup(signal.signal, signal.SIGALRM, signal.getsignal(signal.SIGALRM))
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, lambda *_: None)

    def stop(self):
        self.daemon.stop()
        signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)  # a timer does not lengthen them

    def test_all(self):
        k, r = self.ksock("$.A"), self.ksock()
        r.bind("$.R", True)
        watched = self.ksock("$.A")
        watched.fileno()
        self.stop()
        for one in k, watched:
            self.assertIsNone(one.wait_for_msg(0.3))
            self.assertRaises(TimeoutError, one.call, Request("$.R"), 0.3)
            self.assertFalse(one.wait_sent(0.3))
            self.fails(errno.ETIMEDOUT, one.bind, "$.B", timeout=0.3)
            one.patience = 0.3
            self.fails(errno.ETIMEDOUT, one.num_messages)
            self.fails(errno.ETIMEDOUT, one.send_msg, Announcement("$.A", b"x" * 400000))
            self.assertRaises(TimeoutError, one.call, Request("$.R", b"x" * 400000), 0.3)
        self.fails(errno.ETIMEDOUT, Ksock, 0, timeout=0.3)
        self.daemon.go_on()
        signal.setitimer(signal.ITIMER_REAL, 0)
        for one in k, watched:  # what was not answered in time was performed, or not; the order is kept
            one.patience = None
            one.send_msg(Announcement("$.A", "after"))
        for one in k, watched:
            got = list(one)
            for sender in k, watched:
                data = [m.data[:5] for m in got if m.from_ == sender.ksock_id()]
                self.assertEqual((data[-1], set(data[:-1])), (b"after", {b"xxxxx"}))

    def test_what_comes_late_is_not_lost(self):
        k, s = self.ksock("$.A"), self.ksock()
        self.stop()
        self.assertIsNone(k.wait_for_msg(0.1))
        s.patience = 0.1
        self.fails(errno.ETIMEDOUT, s.send_msg, Announcement("$.A", "x"))
        self.daemon.go_on()
        self.assertEqual(k.wait_for_msg(PATIENCE).data, b"x")

    def test_nobody_accepts(self):
        """As many as can wait for a daemon that stands still are waiting: one more is told in time too."""
        self.daemon.stop()
        crowd = []
        self.addCleanup(lambda: [s.close() for s in crowd])
        while True:
            crowd.append(socket.socket(socket.AF_UNIX))
            crowd[-1].setblocking(False)
            try:
                crowd[-1].connect(os.path.join(self.daemon.dir, "bus0.sock"))
            except BlockingIOError:
                break
        self.fails(errno.ETIMEDOUT, Ksock, 0, timeout=0.3)
        self.daemon.go_on()
        with Ksock(0) as k:
            k.num_messages()


class Edges(WithDaemon):
    def test_limits_that_are_none(self):
        k = self.ksock("$.A")
        self.assertIsNone(k.wait_for_msg(-1))
        for limit in (float("inf"), 1e300, 2 ** 40):
            k.send_msg(Announcement("$.A"))
            self.assertIsNotNone(k.wait_for_msg(limit))
        for operation in (k.wait_for_msg, k.wait_sent, lambda t: k.call(Request("$.A"), t)):
            self.assertRaises(ValueError, operation, float("nan"))

    def test_paths(self):
        os.environ["KBUS_DIR"] = "/" + "x" * 107
        self.assertIn("kernel takes 107", str(self.fails(errno.ENAMETOOLONG, Ksock, 0)))
        os.environ["KBUS_DIR"] = "@x"
        self.assertIn("abstract", str(self.fails(errno.EINVAL, Ksock, 0)))
        self.assertIn("zero byte", str(self.fails(errno.EINVAL, Ksock, "a/\0b")))
        self.assertRaises(ValueError, Ksock, "zero")


class EdgesDevice(WithDevice, Edges):
    def test_paths(self):
        self.fails(errno.ENAMETOOLONG, Ksock, "/dev/" + "x" * 4096)
        self.fails(errno.ENOENT, Ksock, self.links + "/kbus7")


if __name__ == "__main__":
    unittest.main()
