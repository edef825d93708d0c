"""Coming back after the loss of a bus, given up at each step: by a time limit, an exception out of a signal handler, the
cancellation of a task, another thread's close. The Ksock is as before then, and the next reopen() brings everything back."""

import asyncio
import errno
import gc
import os
import shutil
import signal
import socket
import tempfile
import threading
import unittest
import warnings
from unittest import mock

from daemon import PATIENCE, WithDaemon, WithDevice
from kbus import Announcement, KbusError, Ksock, aio
from kbus.frames import Frames
from kbus.ksock import open as open_modern
from relay import Relay
from steps import Interruption
from test_steps import STRIDE

STEPS = 1 + 2 + 4  # Hello, settings, bindings: what reopen() asks
BINDINGS = [("$.A", False), ("$.Q", True), ("$.A", False), ("$.P.*", True)]
SOON = 0.05


def behind(test):
    """A relay before the daemon of a test: its own directory is that of clients."""
    behind = os.path.join(test.daemon.dir, "bus0.sock")
    front = tempfile.mkdtemp(prefix="kbus")
    test.addCleanup(shutil.rmtree, front)
    relay = Relay(os.path.join(front, "bus0.sock"), behind)
    test.addCleanup(relay.close)
    return relay, os.path.join(front, "bus0.sock")


class GaveUp(Exception):
    """What a signal handler raises."""


class Lost(WithDaemon):
    def lost(self):
        """A Ksock whose daemon has been killed, and started anew."""
        self.daemon.go_on()  # what failed before may have left it standing
        k = open_modern(self.bus(0))
        self.addCleanup(lambda: k.mode and k.close())
        for name, replier in BINDINGS[:-1]:
            k.bind(name, replier)
        k.stand_by(BINDINGS[-1][0])
        k.set_max_messages(7)
        k.want_messages_once(False)
        k._memory.only_once = True  # with it set the copies could not be counted
        self.daemon.kill()
        self.daemon.start()
        return k

    def at(self, step, do):
        """Calls do() when a new connection of this program is about to ask for the step of that number."""
        queue, new = Frames.queue, []

        def counted(frames, query):
            if query.what.startswith("open "):
                new[:] = [frames, 0]
            if new and frames is new[0]:
                if new[1] == step:
                    do()
                new[1] += 1
            queue(frames, query)
        patch = mock.patch.object(Frames, "queue", counted)
        patch.start()
        self.addCleanup(patch.stop)
        return patch

    def stays_lost(self, k):
        self.fails(errno.ENOTCONN, k.num_messages)
        self.fails(errno.ENOTCONN, k.bind, "$.B")
        self.fails(errno.ENOTCONN, k.read_next_msg)

    def is_back(self, k, back):
        self.assertEqual((back.bound, back.failed), (BINDINGS, []))
        self.assertEqual(k.ksock_id(), back.id)
        k.want_messages_once(False)
        with Ksock(0) as other:
            self.assertEqual(other.send_msg(Announcement("$.A", "x")).reached, 2)
            self.assertEqual(other.find_replier("$.Q"), back.id)
            self.assertEqual(other.find_replier("$.P.*"), back.id)
        self.assertEqual([m.data for m in k], [b"x", b"x"])
        self.assertEqual(k.max_messages(), 7)


class GivenUp(Lost):
    def test_time_limit(self):
        for step in range(STEPS):
            with self.subTest(step=step):
                k = self.lost()
                patch = self.at(step, self.daemon.stop)
                self.fails(errno.ETIMEDOUT, k.reopen, SOON)
                patch.stop()
                self.stays_lost(k)
                self.fails(errno.ETIMEDOUT, k.reopen, SOON)
                self.daemon.go_on()
                self.is_back(k, k.reopen())
                k.close()

    def test_not_given_up(self):
        k = self.lost()
        patch = self.at(STEPS, self.daemon.stop)  # so many are enough
        back = k.reopen()
        patch.stop()
        self.is_back(k, back)

    def test_exception(self):
        def give_up(*_):
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise GaveUp
        before = signal.signal(signal.SIGALRM, give_up)
        self.addCleanup(signal.signal, signal.SIGALRM, before)

        def interrupt():
            self.daemon.stop()
            signal.setitimer(signal.ITIMER_REAL, SOON, SOON)  # Python may miss one that comes just before it waits
        for step in range(STEPS):
            with self.subTest(step=step):
                k = self.lost()
                patch = self.at(step, interrupt)
                self.assertRaises(GaveUp, k.reopen)
                patch.stop()
                self.stays_lost(k)
                self.daemon.go_on()
                self.is_back(k, k.reopen())
                k.close()

    def test_every_step(self):
        """An exception before each step of the interpreter."""
        warnings.simplefilter("ignore", ResourceWarning)
        k = open_modern(0)
        self.addCleanup(lambda: k.mode and k.close())
        k.bind("$.A")
        k.bind("$.Q", True)
        done, step = None, 0
        while done is None:
            k._open.socket.shutdown(socket.SHUT_RDWR)
            interruption = Interruption(step)
            done = interruption(k.reopen)
            back = k.reopen()
            self.assertEqual(back.failed, [], interruption.where)
            self.assertIn(len(back.bound), (0, 2))
            self.assertEqual(k.find_replier("$.Q"), k.ksock_id(), interruption.where)
            k.unbind("$.A")
            self.fails(errno.EINVAL, k._open.unbind, b"$.A", 0)  # there was one
            k.bind("$.A")
            step += STRIDE
        self.assertGreater(step, 50)
        gc.collect()

    def test_not_before_the_first_is_gone(self):
        """The names of an attempt that was given up may be taken still: another does not begin before the daemon has noticed."""
        relay, path = behind(self)
        k = open_modern(path)
        self.addCleanup(lambda: k.mode and k.close())
        k.bind("$.Q", True)
        self.daemon.kill()
        self.daemon.start()
        relay.hold_next(1)
        self.fails(errno.ETIMEDOUT, k.reopen, SOON)
        self.fails(errno.ETIMEDOUT, k.reopen, SOON)
        relay.go_on()
        self.assertEqual((k.reopen().bound, k.find_replier("$.Q")), ([("$.Q", True)], k.ksock_id()))

    def test_lost_again(self):
        for step in range(STEPS):
            with self.subTest(step=step):
                k = self.lost()
                patch = self.at(step, self.daemon.kill)
                self.fails(errno.ENOTCONN, k.reopen)
                patch.stop()
                self.daemon.start()
                self.is_back(k, k.reopen())
                k.close()

    def test_signal_handler_that_reopens(self):
        """It is refused, and the one that it has interrupted goes on."""
        k, heard = self.lost(), []

        def handler(*_):
            try:
                k.reopen()
            except KbusError as e:
                heard.append(e.errno)
        before = signal.signal(signal.SIGALRM, handler)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        self.at(3, lambda: os.kill(os.getpid(), signal.SIGALRM))
        self.is_back(k, k.reopen())
        self.assertEqual(heard, [errno.EDEADLK])


class Threads(Lost):
    def run_all(self, *works):
        """Starts a thread for each; gives a function that waits for them and gives what came of them."""
        came = []

        def run(work):
            try:
                came.append(work())
            except KbusError as e:
                came.append(e.errno)
        threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
        for thread in threads:
            thread.start()

        def results():
            for thread in threads:
                thread.join(PATIENCE)
            return came
        return results

    def held(self, step):
        """Has the daemon stand still at a step; gives an event for it."""
        there = threading.Event()

        def hold():
            if not there.is_set():
                self.daemon.stop()
                there.set()
        self.at(step, hold)
        return there

    def test_together(self):
        k = self.lost()
        there = self.held(4)
        results = self.run_all(*[k.reopen] * 4)
        self.assertTrue(there.wait(PATIENCE))
        self.fails(errno.ETIMEDOUT, k.reopen, SOON)
        self.daemon.go_on()
        did = [back for back in results() if back.id != back.old_id or back.bound]
        self.assertEqual(len(did), 1)
        self.is_back(k, did[0])

    def test_closed_meanwhile(self):
        for step in range(1, STEPS):
            with self.subTest(step=step), mock.patch("kbus.socketdoor.PATIENCE", SOON):
                k = self.lost()
                there = self.held(step)
                results = self.run_all(k.reopen)
                self.assertTrue(there.wait(PATIENCE))
                k.close()
                self.daemon.go_on()
                self.assertEqual(results(), [errno.EBADF])
                self.fails(errno.EBADF, k.reopen)
                mock.patch.stopall()


class GivenUpAsyncio(Lost):
    async def lost_there(self):
        self.daemon.go_on()
        k = await aio.open_ksock(0)
        for name, replier in BINDINGS[:-1]:
            await k.bind(name, replier)
        await k.stand_by(BINDINGS[-1][0])
        await k.value("maxmsgs", 7)
        k._memory.only_once = True
        self.daemon.kill()
        self.daemon.start()
        return k

    async def is_back_there(self, k, back):
        self.assertEqual((back.bound, back.failed, back.id), (BINDINGS, [], k.ksock_id))
        await k.value("msgonlyonce", 0)
        with Ksock(0) as other:
            self.assertEqual(other.send_msg(Announcement("$.A", "x")).reached, 2)
            self.assertEqual(other.find_replier("$.Q"), back.id)
        self.assertEqual([(await k.receive()).data for _ in range(2)], [b"x", b"x"])

    async def is_refused(self, number, what):
        with self.assertRaises(KbusError) as caught:
            await what
        self.assertEqual(caught.exception.errno, number)

    def each_step(self, steps, play):
        async def main():
            for step in steps:
                with self.subTest(step=step):
                    k = await self.lost_there()
                    await play(k, step)
                    await k.close()
        asyncio.run(asyncio.wait_for(main(), PATIENCE))

    def test_cancelled(self):
        async def play(k, step):
            patch = self.at(step, lambda: asyncio.current_task().cancel())
            with self.assertRaises(asyncio.CancelledError):
                await asyncio.ensure_future(k.reopen())
            patch.stop()
            await self.is_refused(errno.ENOTCONN, k.bind("$.B"))
            await self.is_back_there(k, await k.reopen())
        self.each_step(range(STEPS), play)

    def test_time_limit(self):
        async def play(k, step):
            patch = self.at(step, self.daemon.stop)
            await self.is_refused(errno.ETIMEDOUT, k.reopen(SOON))
            patch.stop()
            await self.is_refused(errno.ENOTCONN, k.bind("$.B"))
            await self.is_refused(errno.ETIMEDOUT, k.reopen(SOON))
            self.daemon.go_on()
            await self.is_back_there(k, await k.reopen())
        self.each_step(range(STEPS), play)

    def test_lost_again(self):
        async def play(k, step):
            patch = self.at(step, self.daemon.kill)
            await self.is_refused(errno.ENOTCONN, k.reopen())
            patch.stop()
            self.daemon.start()
            await self.is_back_there(k, await k.reopen())
        self.each_step(range(STEPS), play)

    def test_not_before_the_first_is_gone(self):
        relay, path = behind(self)

        async def main():
            k = await aio.open_ksock(path)
            await k.bind("$.Q", True)
            self.daemon.kill()
            self.daemon.start()
            relay.hold_next(1)
            for _ in range(2):
                await self.is_refused(errno.ETIMEDOUT, k.reopen(SOON))
            relay.go_on()
            self.assertEqual((await k.reopen()).bound, [("$.Q", True)])
            await k.close()
        asyncio.run(asyncio.wait_for(main(), PATIENCE))

    def test_together(self):
        async def play(k, _):
            back = await asyncio.gather(*(k.reopen() for _ in range(4)))
            did = [b for b in back if b.bound]
            self.assertEqual(len(did), 1)
            await self.is_back_there(k, did[0])
        self.each_step([0], play)

    def test_closed_meanwhile(self):
        async def play(k, step):
            there, loop = asyncio.Event(), asyncio.get_running_loop()

            def hold():
                self.daemon.stop()
                loop.call_soon(there.set)
            patch = self.at(step, hold)
            reopening = asyncio.ensure_future(k.reopen())
            await there.wait()
            patch.stop()
            with mock.patch("kbus.aio.ksock.PATIENCE", SOON):
                await k.close()
            self.daemon.go_on()
            await self.is_refused(errno.EBADF, reopening)
            await self.is_refused(errno.EBADF, k.reopen())
        self.each_step(range(1, STEPS), play)


class GivenUpDevice(WithDevice, unittest.TestCase):
    def test_every_step(self):
        k = self.ksock()
        k.bind("$.A")
        k.bind("$.Q", True)
        step, done = 0, None
        while done is None:
            self.daemon.kill()
            os.spawnlp(os.P_WAIT, "umount", "umount", "-ql", os.path.join(self.daemon.dir, "bus0"))
            self.daemon.start()
            done = Interruption(step)(k.reopen)
            back = k.reopen()
            self.assertEqual(back.failed, [])
            self.assertEqual(k.find_replier("$.Q"), k.ksock_id())
            step += 29
        self.assertGreater(step, 50)


if __name__ == "__main__":
    unittest.main()
