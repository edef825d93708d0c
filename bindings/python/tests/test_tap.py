"""Taps: time limits, threads and tasks that are cancelled, closing, forks, a daemon that dies, refusals. What is shown is
compared between all languages in test/clients."""

import asyncio
import errno
import gc
import os
import select
import signal
import subprocess
import sys
import threading
import unittest
import warnings

import kbus
from daemon import PATIENCE, WithDaemon
from kbus import Announcement, Request, Tap, aio


class Taps(WithDaemon):
    def setUp(self):
        super().setUp()
        self.k = self.ksock()

    def test_shows(self):
        with Tap(0, "$.Door.*", max_data=2) as tap:
            self.assertIsNone(tap.next(0))
            self.assertIsNone(tap.next(0.01))
            self.k.send_msg(Announcement("$.Window"))
            sent = self.k.send_msg(Announcement("$.Door.Open", "front"))
            self.fails(errno.EADDRNOTAVAIL, self.k.send_msg, Request("$.Door.Who"))
            self.assertTrue(select.select([tap], [], [], PATIENCE)[0])
            event = next(tap)
            self.assertEqual((event.kind, event.name, event.message.id, event.message.data, event.data_bytes, event.error),
                             ("sent", "$.Door.Open", sent, b"fr", 5, None))
            self.assertEqual((event.by.ksock_id, event.by.pid, event.by.uid), (self.k.ksock_id(), os.getpid(), os.getuid()))
            self.assertAlmostEqual(event.time, event.time_ns / 1e9)
            event = tap.next()
            self.assertEqual((event.error.errno, event.error.condition), (errno.EADDRNOTAVAIL, "ErrNoReplier"))
            self.assertIn("refused: ErrNoReplier", repr(event))
            self.k.bind("$.Door.*")
            self.assertEqual(repr(tap.next()), "<TapEvent bound $.Door.* by 1 reached 0 skipped 0>")
        self.assertEqual(list(tap), [])

    def test_words(self):
        for wrong in {"kinds": "spoken"}, {"messages": "status"}, {"ksock": -1}, {"ksock": 1 << 32}, {"max_data": -1}:
            self.assertRaises(ValueError, Tap, 0, **wrong)
        self.assertRaises(ValueError, Tap, "/dev/null")
        self.fails(errno.EBADMSG, Tap, 0, "$..A")
        self.fails(errno.ENAMETOOLONG, Tap, 0, "$." + 2000 * "x")
        self.fails(errno.ENOENT, Tap, 77)
        with Tap(0, kinds=["sent", "opened"], messages="request") as tap:
            self.k.send_msg(Announcement("$.A"))
            self.ksock()
            self.assertEqual(tap.next().kind, "opened")

    @unittest.skipIf(os.getuid(), "only root can be somebody else")
    def test_not_permitted(self):
        os.chmod(self.daemon.dir, 0o755)
        program = "import kbus, os; os.setuid(65534)\ntry: kbus.Tap(0)\nexcept PermissionError as e: print(e.condition)"
        said = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual(said.stdout, b"ErrNotPermitted\n")

    def test_large(self):
        """More than comes at once, and a moment between its parts."""
        with Tap(0) as tap:
            data = os.urandom(300000)
            self.k.send_msg(Announcement("$.Much", data))
            self.k.send_msg(Announcement("$.Little"))
            self.assertEqual(tap.next().message.data, data)
            self.assertEqual(tap.next().name, "$.Little")

    def test_closed_by_another_thread(self):
        tap = Tap(0)
        thread = threading.Thread(target=lambda: failed.append(self.fails(errno.EBADF, tap.next)))
        failed = []
        thread.start()
        tap.close()
        thread.join(PATIENCE)
        self.assertEqual(len(failed), 1)
        self.fails(errno.EBADF, tap.next)
        tap.close()

    def test_exception_out_of_a_handler(self):
        """It ends the waiting, and no event is lost."""
        def handler(*_):
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise KeyError
        before = signal.signal(signal.SIGALRM, handler)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        with Tap(0) as tap:
            signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)  # Python may miss one that comes just before it waits
            self.assertRaises(KeyError, tap.next)
            self.k.send_msg(Announcement("$.A"))
            self.assertEqual(tap.next().name, "$.A")

    def test_fork(self):
        with Tap(0) as tap:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
            if not pid:
                try:
                    tap.next(0)
                except OSError as e:
                    os._exit(e.errno)
                os._exit(0)
            self.assertEqual(os.waitpid(pid, 0)[1] >> 8, errno.EBADF)
            self.k.send_msg(Announcement("$.A"))
            self.assertEqual(tap.next().name, "$.A")

    def test_lost_bus(self):
        with Tap(0) as tap:
            self.k.send_msg(Announcement("$.A"))
            self.assertTrue(select.select([tap], [], [], PATIENCE)[0])
            self.daemon.kill()
            self.assertEqual(tap.next().name, "$.A")
            self.fails(errno.ENOTCONN, tap.next)
            self.fails(errno.ENOTCONN, tap.next)

    def test_unclosed(self):
        with self.assertWarns(ResourceWarning):
            Tap(0)

    def test_asyncio(self):
        async def main():
            async with await aio.open_tap(0, "$.Door.*") as tap:
                waiting = asyncio.ensure_future(tap.next())
                await asyncio.sleep(0)
                waiting.cancel()  # takes nothing away
                self.k.send_msg(Announcement("$.Door.Open"))
                async for event in tap:
                    self.assertEqual((event.name, event.by.pid), ("$.Door.Open", os.getpid()))
                    break
                waiting = asyncio.ensure_future(tap.next())
                await asyncio.sleep(0)
                tap.close()
                with self.assertRaises(OSError) as caught:
                    await waiting
                self.assertEqual(caught.exception.errno, errno.EBADF)
                self.assertEqual([e async for e in tap], [])
            for number, wrong in (errno.EBADMSG, (0, "$..A")), (errno.ENOENT, (77,)):
                with self.assertRaises(OSError) as caught:
                    await aio.open_tap(*wrong)
                self.assertEqual(caught.exception.errno, number)
            async with await aio.open_tap(0) as tap:
                self.daemon.kill()
                with self.assertRaises(OSError) as caught:
                    await tap.next()
                self.assertEqual(caught.exception.errno, errno.ENOTCONN)
        asyncio.run(main())

    def test_after_the_loop(self):
        """A tap that outlives its loop can be closed, and is closed when it is dropped, and nothing else is said; in another loop it says so."""
        watcher = Tap(0, kinds=["opened"])
        self.addCleanup(watcher.close)

        async def opened():
            return await aio.open_tap(0)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            gc.collect()  # what others have left
            said.clear()
            before = len(os.listdir("/proc/self/fd"))
            tap = asyncio.run(opened())
            self.assertRaisesRegex(RuntimeError, "another event loop's", asyncio.run, tap.next())
            tap.close()
            self.fails(errno.EBADF, asyncio.run, tap.next())
            tap = asyncio.run(opened())
            del tap
            gc.collect()
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        self.assertEqual([str(w.message) for w in said], ["unclosed <kbus.aio.Tap /dev/kbus0>"])

    def test_several_tasks(self):
        """Each event to one of them, in order; one that is cancelled keeps nobody waiting."""
        async def main():
            async with await aio.open_tap(0, "$.A", kinds=["sent"]) as tap:
                waiting = [asyncio.ensure_future(tap.next()) for _ in range(4)]
                await asyncio.sleep(0)
                waiting.pop(0).cancel()
                for data in "1", "2", "3":
                    self.k.send_msg(Announcement("$.A", data))
                self.assertEqual([e.message.data for e in await asyncio.gather(*waiting)], [b"1", b"2", b"3"])
        asyncio.run(asyncio.wait_for(main(), PATIENCE))

    def test_stopped_daemon(self):
        """Opening ends in time."""
        self.daemon.stop()
        try:
            self.fails(errno.ETIMEDOUT, Tap, 0, timeout=0.05)

            async def main():
                await aio.open_tap(0, timeout=0.05)
            self.fails(errno.ETIMEDOUT, asyncio.run, main())
        finally:
            self.daemon.go_on()

    def test_exported(self):
        self.assertIs(kbus.Tap, Tap)
        self.assertIn("TapEvent", kbus.__all__)


if __name__ == "__main__":
    unittest.main()
