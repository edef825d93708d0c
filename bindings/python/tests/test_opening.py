"""Another thread forks, or closes the Ksock, while a bus is being opened. The test plays the daemon, which holds a client up at two
places: it does not accept it, or does not answer its Hello. Nothing here has a time limit that could end it instead."""

import asyncio
import errno
import math
import os
import signal
import socket
import sys
import threading
import unittest

from daemon import PATIENCE, WithDaemon
from kbus import KbusError, Ksock, Tap, aio
from kbus.ksock import open as open_modern

HELLO_BYTES = 28
ROUNDS = 100


def sockets():
    """The sockets of which this process has a descriptor."""
    there = set()
    for fd in os.listdir("/proc/self/fd"):
        try:
            there.add(os.readlink("/proc/self/fd/" + fd))
        except OSError:
            pass  # that of the list itself
    return {name for name in there if name.startswith("socket:")}


class Place:
    """A daemon that holds its next client up."""

    def __init__(self, path, accepts):
        if os.path.exists(path):
            os.unlink(path)
        self.accepts, self.there = accepts, [socket.socket(socket.AF_UNIX)]
        self.there[0].bind(path)
        self.there[0].listen(0)
        while not accepts:
            self.there.append(socket.socket(socket.AF_UNIX))
            self.there[-1].setblocking(False)
            try:
                self.there[-1].connect(path)
            except BlockingIOError:
                break
        self.known = sockets()

    def hold_up(self):
        """Returns when a client is held up."""
        if not self.accepts:
            while sockets() <= self.known:
                os.sched_yield()
            return
        client = self.there[0].accept()[0]
        self.there.append(client)
        self.known.add("socket:[{}]".format(os.fstat(client.fileno()).st_ino))
        client.recv(HELLO_BYTES, socket.MSG_WAITALL)

    def close(self):
        for s in self.there:
            s.close()


class Opening(WithDaemon):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.daemon.dir, "bus0.sock")

    def lost(self):
        """A Ksock whose daemon has been killed."""
        k = open_modern(0)
        self.addCleanup(lambda: k.mode and k.close())
        self.daemon.kill()
        return k

    def child_has_only(self, known):
        """Forks, and sees that the child has no other sockets."""
        child = os.fork()
        if child == 0:
            signal.alarm(PATIENCE)
            os._exit(len(sockets() - known))
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def begin(self, work):
        """In a thread; gives a function that waits for it and gives what came of it."""
        came = []

        def run():
            try:
                came.append(work())
            except OSError as e:
                came.append(e.errno)
        thread = threading.Thread(target=run)
        thread.start()

        def result():
            thread.join(PATIENCE)
            return came[0]
        return result

    def forked_during(self, *works):
        for accepts in False, True:
            for work in works:
                place = Place(self.path, accepts)
                result = self.begin(work)
                place.hold_up()
                self.child_has_only(place.known)
                place.close()
                self.assertIsInstance(result(), int)  # an errno

    def test_forked(self):
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        self.daemon.kill()
        self.forked_during(lambda: Ksock(0, timeout=math.inf), lambda: Tap(0, timeout=math.inf),
                           lambda: loop.run_until_complete(aio.open_ksock(0, timeout=math.inf)),
                           lambda: loop.run_until_complete(aio.open_tap(0, timeout=math.inf)))

    def test_forked_while_reopened(self):
        k = self.lost()
        self.forked_during(lambda: k.reopen(math.inf))

    def test_forked_by_handler(self):
        """The child goes on where the program was, and is told at once."""
        parent, children, forked = os.getpid(), [], []

        def handler(*_):
            if forked:
                return
            forked.append(True)
            child = os.fork()
            if child:
                children.append(child)
            else:
                signal.alarm(PATIENCE)
        before = signal.signal(signal.SIGUSR1, handler)
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        self.daemon.kill()
        for accepts in False, True:
            place = Place(self.path, accepts)

            def fork_and_let_go():
                place.hold_up()
                while not children:  # one that comes just before the program sleeps is looked at when it wakes
                    os.kill(parent, signal.SIGUSR1)
                    os.sched_yield()
                ended = os.waitpid(children.pop(), 0)[1]
                place.close()
                return ended
            forked.clear()
            result = self.begin(fork_and_let_go)
            said = 0
            try:
                Ksock(0, timeout=math.inf)
            except OSError as e:
                said = e.errno
            finally:
                if os.getpid() != parent:
                    os._exit(said != errno.EBADF)
            self.assertEqual(result(), 0)

    def test_forked_at_any_step(self):
        known, over, began = sockets(), threading.Event(), threading.Event()
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(1e-6)

        def work():
            while not over.is_set():
                with Ksock(0):
                    pass
                with Tap(0):
                    began.set()
        result = self.begin(work)
        self.addCleanup(over.set)
        self.assertTrue(began.wait(PATIENCE))
        for _ in range(ROUNDS):
            self.child_has_only(known)
        over.set()
        self.assertIsNone(result())

    def test_closed(self):
        for accepts in False, True:
            k = self.lost()
            place = Place(self.path, accepts)
            result = self.begin(lambda: k.reopen(math.inf))
            place.hold_up()
            k.close()
            self.assertEqual(result(), errno.EBADF)
            self.assertLessEqual(sockets(), place.known)
            place.close()
            self.daemon.start()

    def test_closed_asyncio(self):
        async def main(accepts):
            k = await aio.open_ksock(0)
            self.daemon.kill()
            place = Place(self.path, accepts)
            reopening = asyncio.ensure_future(k.reopen(math.inf))
            await asyncio.get_running_loop().run_in_executor(None, place.hold_up)
            await k.close()
            with self.assertRaises(KbusError) as caught:
                await reopening
            self.assertEqual(caught.exception.errno, errno.EBADF)
            self.assertLessEqual(sockets(), place.known)
            place.close()
        for accepts in False, True:
            asyncio.run(asyncio.wait_for(main(accepts), PATIENCE))
            self.daemon.start()


if __name__ == "__main__":
    unittest.main()
