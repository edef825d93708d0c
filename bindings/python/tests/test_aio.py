"""asyncio: many tasks on one Ksock, each with its own answer, and cancellation that takes nothing away."""

import asyncio
import ctypes
import errno
import functools
import gc
import os
import signal
import subprocess
import sys
import unittest
import warnings

from daemon import PATIENCE, WithDaemon
from kbus import Announcement, NoReply, Request, aio, reply_to
from kbus.serving import Service


REPLIER = """
import asyncio, os
from kbus import aio
async def main():
    k = await aio.open_ksock(0)
    await k.bind('$.R', replier=True)
    if os.fork() == 0:
        os.close(1)
        os.read(0, 1)  # lives until the test closes this
        os._exit(0)
    print('bound', flush=True)
    await k.receive()
    print('read', flush=True)
    await asyncio.sleep(1000)
asyncio.run(main())
"""


def in_loop(test):
    """Runs a coroutine as a test, with two Ksocks."""
    @functools.wraps(test)
    def run(self):
        async def main():
            async with await aio.open_ksock(0) as a, await aio.open_ksock(0) as b:
                await test(self, a, b)
        asyncio.run(asyncio.wait_for(main(), PATIENCE))
    return run


class Aio(WithDaemon):
    @in_loop
    async def test_what_is_given(self, a, b):
        for operation, given, text in ((a.bind, ("$.A.*", "replier"), "replier is True or False, not 'replier'"),
                                       (a.unbind, ("$.A", "yes"), "replier is True or False, not 'yes'"),
                                       (a.call, ("$.A",), "a message is needed: Request('$.A'), not '$.A'"),
                                       (a.send, ("$.A",), "a message is needed: Announcement('$.A'), not '$.A'")):
            with self.assertRaises(TypeError) as caught:
                await operation(*given)
            self.assertEqual(str(caught.exception), text)

    @in_loop
    async def test_messages(self, a, b):
        await b.bind("$.A")
        sent = await a.send(Announcement("$.A", "x"))
        self.assertEqual((sent.serial_num, sent.reached, sent.skipped), (1, 1, 0))
        self.assertEqual(str(await b.receive()), "<Announcement '$.A', id=[0:1], from=1, data=b'x'>")
        self.assertEqual(await a.last_msg_id(), sent)
        waiting = [asyncio.ensure_future(b.receive()) for _ in range(3)]
        await asyncio.gather(*[a.send(Announcement("$.A", str(i))) for i in range(5)])
        self.assertEqual([m.data for m in await asyncio.gather(*waiting)], [b"0", b"1", b"2"])
        got = []
        async for m in b:
            got.append(m.data)
            if m.data == b"4":
                break
        self.assertEqual(got, [b"3", b"4"])
        await b.unbind("$.A")
        self.assertEqual((await a.send(Announcement("$.A"))).reached, 0)

    @in_loop
    async def test_nobody_waits_nothing_is_taken(self, a, b):
        await b.bind("$.A")
        for cancelled in range(1, 4):
            waiting = [asyncio.ensure_future(b.receive()) for _ in range(cancelled)]
            await asyncio.sleep(0)
            for w in waiting:
                w.cancel()
            await asyncio.wait(waiting)
            await a.send(Announcement("$.A", "x"))
            self.assertEqual(await b.value("nummsgs"), 1)
            self.assertEqual((await b.receive()).data, b"x")

    @in_loop
    async def test_cancelled_too_late(self, a, b):
        """A message on its way to a task that is cancelled goes to the next one, in order."""
        await b.bind("$.A")
        for i in range(100):
            waiting = asyncio.ensure_future(b.receive())
            await asyncio.sleep(0)
            sends = [asyncio.ensure_future(a.send(Announcement("$.A", "{}.{}".format(i, n)))) for n in range(2)]
            for _ in range(i % 10):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting] + sends)
            got = [] if waiting.cancelled() else [waiting.result()]
            while len(got) < 2:
                got.append(await b.receive())
            self.assertEqual([m.data.decode() for m in got], ["{}.{}".format(i, n) for n in range(2)])

    @in_loop
    async def test_cancelled_together(self, a, b):
        """Any number of receivers, cancelled in the moment when their messages come: the order is that of the bus."""
        await b.bind("$.A")
        for count in 2, 3, 5:
            for cancelled in range(1, count + 1):
                waiting = [asyncio.ensure_future(b.receive()) for _ in range(count)]
                await b.value("nummsgs")  # so that all wait at the daemon
                sends = [asyncio.ensure_future(a.send(Announcement("$.A", str(n)))) for n in range(count)]
                await asyncio.wait(sends)
                await b.value("nummsgs")  # and all answers are here
                for w in waiting[:cancelled]:
                    w.cancel()
                got = await asyncio.gather(*waiting, return_exceptions=True)
                got = [m.data for m in got if not isinstance(m, BaseException)]
                rest = [(await b.receive()).data for _ in range(count - len(got))]
                self.assertEqual(sorted(got + rest), [str(n).encode() for n in range(count)])
                self.assertEqual((got, rest), (sorted(got), sorted(rest)))

    @in_loop
    async def test_cancelled_for_another(self, a, b):
        """What came for a task that is cancelled goes to one that still waits, though nothing more comes."""
        await b.bind("$.A")
        for steps in range(12):
            first, second = [asyncio.ensure_future(b.receive()) for _ in range(2)]
            await b.value("nummsgs")
            sending = asyncio.ensure_future(a.send(Announcement("$.A", "x")))
            for _ in range(steps):
                await asyncio.sleep(0)
            first.cancel()
            await asyncio.wait([first, sending])
            if first.cancelled():
                self.assertEqual((await second).data, b"x")
            else:
                self.assertEqual((await first).data, b"x")
                second.cancel()
                await asyncio.wait([second])
            self.assertEqual(await b.value("nummsgs"), 0)

    @in_loop
    async def test_what_is_left(self, a, b):
        """Who takes a message and leaves another wakes one that waits, for nothing may come from the bus any more."""
        waiting = asyncio.ensure_future(b.receive())
        await b.value("nummsgs")  # it waits at the daemon
        b._core.inbox += [(number, Announcement("$.A", str(number)).parts) for number in (-4, -2)]
        self.assertEqual((await b.receive()).data, b"-4")
        self.assertEqual((await waiting).data, b"-2")

    @in_loop
    async def test_call_cancelled(self, a, b):
        """Between any two steps: the call is given up, its answer dropped, the next is right."""
        await b.bind("$.R", replier=True)
        await b.value("maxmsgs", 1000)
        for steps in range(12):
            call = asyncio.ensure_future(a.call(Request("$.R", str(steps))))
            for _ in range(steps):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.wait([call])
            await a.value("nummsgs")  # what it had asked has been performed
        while await b.value("nummsgs"):
            await b.send(reply_to(await b.receive(), "late"))
        self.assertEqual(await a.value("nummsgs"), 0)
        call = asyncio.ensure_future(a.call(Request("$.R", "q")))
        await b.send(reply_to(await b.receive(), "a"))
        self.assertEqual((await call).data, b"a")

    @in_loop
    async def test_call_cancelled_that_keeps(self, a, b):
        """Its answer comes as any other message, wherever the cancellation came."""
        await b.bind("$.R", replier=True)
        for steps in range(12):
            call = asyncio.ensure_future(a.call(Request("$.R", str(steps)), keep_late_answer=True))
            for _ in range(steps):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.wait([call])
            await a.value("nummsgs")  # what it had asked has been performed
            if await b.value("nummsgs"):  # the task had begun
                await b.send(reply_to(await b.receive(), "late"))
                self.assertEqual((await a.receive()).data, b"late")

    @in_loop
    async def test_stands_still(self, a, b):
        await b.bind("$.R", replier=True)
        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, lambda *_: None))
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)  # a timer does not lengthen them
        self.daemon.stop()
        with self.assertRaises(TimeoutError):
            await a.call(Request("$.R"), 0.2)
        for operation in (b.receive(), b.bind("$.A"), b.send(Announcement("$.A", b"x" * 400000))):
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(operation, 0.2)
        with self.assertRaises(OSError) as caught:
            await aio.open_ksock(0, timeout=0.2)
        self.assertEqual(caught.exception.errno, errno.ETIMEDOUT)
        self.daemon.go_on()
        await a.send(Request("$.R", "after"))
        while (await b.receive()).data != b"after":
            pass

    @in_loop
    async def test_forked(self, a, b):
        """The child is told at once, and what it does to its copy is nothing to us; also after a fork of which Python does not know."""
        await b.bind("$.A")
        for fork in os.fork, ctypes.CDLL(None).fork:
            child = fork()
            if child == 0:
                signal.alarm(PATIENCE)
                try:
                    try:
                        a.send(Announcement("$.A")).send(None)
                    except OSError as e:
                        for k in a, b:
                            k._wire.hang_up()
                            k._wire.abort()
                        os._exit(e.errno)
                finally:
                    os._exit(255)
            self.assertEqual(os.waitpid(child, 0)[1], errno.EBADF << 8)
            await a.send(Announcement("$.A", "x"))
            self.assertEqual((await b.receive()).data, b"x")

    @in_loop
    async def test_a_dead_replier_with_a_child_that_lives(self, a, b):
        replier = subprocess.Popen([sys.executable, "-c", REPLIER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.assertEqual(replier.stdout.readline(), b"bound\n")
        sent = await a.send(Request("$.R"))
        self.assertEqual(replier.stdout.readline(), b"read\n")
        replier.kill()
        replier.wait()
        self.assertEqual((await a.receive()).in_reply_to, sent)
        await a.bind("$.R", replier=True)
        replier.stdin.close()
        replier.stdout.close()

    @in_loop
    async def test_signal_handler(self, a, b):
        """One that the loop runs comes between two steps, and may do anything; its tasks are like any others."""
        loop, tasks = asyncio.get_running_loop(), []
        await a.bind("$.A")
        loop.add_signal_handler(signal.SIGALRM, lambda: tasks.append(
            asyncio.ensure_future(a.send(Announcement("$.A", str(len(tasks)))))))
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        try:
            got = [(await a.receive()).data for _ in range(100)]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            loop.remove_signal_handler(signal.SIGALRM)
        self.assertEqual(got, [str(i).encode() for i in range(100)])
        await asyncio.gather(*tasks)

    @in_loop
    async def test_limits_and_places_that_are_none(self, a, b):
        await a.bind("$.R", replier=True)
        for limit in (float("inf"), 1e300):
            call = asyncio.ensure_future(b.call(Request("$.R"), limit))
            await a.send(reply_to(await a.receive()))
            await call
        with self.assertRaises(ValueError):
            await b.call(Request("$.R"), float("nan"))
        for where, number, says in ("/" + "x" * 107, errno.ENAMETOOLONG, "kernel takes 107"), ("@x", errno.EINVAL, "abstract"):
            os.environ["KBUS_DIR"] = where
            with self.assertRaises(OSError) as caught:
                await aio.open_ksock(0)
            self.assertEqual(caught.exception.errno, number)
            self.assertIn(says, str(caught.exception))

    @in_loop
    async def test_dropped(self, a, b):
        k = await aio.open_ksock(0)
        await k.bind("$.R", replier=True)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            del k
            gc.collect()
        self.assertEqual([str(w.message) for w in said], ["unclosed <kbus.aio.Ksock /dev/kbus0 id 3>"])
        while await a.find_replier("$.R"):
            await asyncio.sleep(0)

    @in_loop
    async def test_closed_while_others_wait(self, a, b):
        await b.bind("$.R", replier=True)
        waiting = [asyncio.ensure_future(f) for f in (a.receive(), a.call(Request("$.R")), a.receive())]
        await b.receive()
        await a.close()
        for w in waiting:
            with self.assertRaises(OSError) as caught:
                await w
            self.assertEqual(caught.exception.errno, errno.EBADF)

    @in_loop
    async def test_peer_and_missed(self, a, b):
        await b.bind("$.A")
        await b.value("maxmsgs", 1)
        for i in range(3):
            await a.send(Announcement("$.A"))
        await b.receive()
        await a.send(Announcement("$.A"))
        msg = await b.receive()
        self.assertEqual((msg.missed, await b.missed()), (2, 2))
        self.assertEqual((await b.peer(msg)).pid, os.getpid())

    @in_loop
    async def test_calls(self, a, b):
        service = Service()

        @service.replier("$.Add.*")
        async def add(request):
            await asyncio.sleep(0)
            return str(int(request.data) + 1)

        serving = asyncio.ensure_future(aio.serve(b, service))
        await asyncio.sleep(0)  # so that its bind is sent before the next request of the same connection
        self.assertEqual(await b.find_replier("$.Add.*"), b.ksock_id)
        replies = await asyncio.gather(*[a.call(Request("$.Add.One", str(i))) for i in range(90)])
        self.assertEqual([int(r.data) for r in replies], list(range(1, 91)))
        serving.cancel()
        with self.assertRaises(OSError) as caught:
            await a.call(Request("$.Nobody"))
        self.assertEqual(caught.exception.errno, errno.EADDRNOTAVAIL)

    @in_loop
    async def test_serving_cancelled(self, a, b):
        """In the moment when a message comes: it is handled, or there for the next who receives."""
        service, handled = Service(), []
        service.otherwise(lambda msg: handled.append(msg.data))
        await b.bind("$.A")
        for steps in range(24):
            serving = asyncio.ensure_future(aio.serve(b, service))
            await a.value("nummsgs")
            await b.value("nummsgs")  # it waits at the daemon
            sending = asyncio.ensure_future(a.send(Announcement("$.A", str(steps))))
            for _ in range(steps):
                await asyncio.sleep(0)
            serving.cancel()
            await asyncio.wait([serving, sending])
            if not handled:
                handled.append((await b.receive()).data)
            self.assertEqual(handled, [str(steps).encode()])
            handled.clear()

    @in_loop
    async def test_call_given_up(self, a, b):
        await b.bind("$.R", replier=True)
        with self.assertRaises(TimeoutError):
            await a.call(Request("$.R", "q"), timeout=0.001, keep_late_answer=True)
        await b.send(reply_to(await b.receive(), "late"))
        self.assertEqual((await a.receive()).data, b"late")
        call = asyncio.ensure_future(a.call(Request("$.R", "q")))
        await b.receive()
        await b.close()
        with self.assertRaises(NoReply) as caught:
            await call
        self.assertEqual(caught.exception.status.name, "$.KBUS.Replier.Ignored")

    @in_loop
    async def test_waiting_for_room(self, a, b):
        await b.bind("$.A")
        await b.value("maxmsgs", 1)
        await a.send(Announcement("$.A", "1"))
        with self.assertRaises(BlockingIOError):
            await a.send(Announcement("$.A", "2", flags=0x100))
        sent = asyncio.ensure_future(a.wait_sent())
        self.assertEqual([(await b.receive()).data for _ in range(2)], [b"1", b"2"])
        await sent
        await a.discard()

    @in_loop
    async def test_errors(self, a, b):
        for wrong in (a.bind("$.!"), a.send(Announcement("$.!")), a.unbind("$.A"), a.bind("$." + "A" * 2000000)):
            with self.assertRaises(OSError):
                await wrong
        with self.assertRaises(FileNotFoundError):
            await aio.open_ksock(7)
        with self.assertRaises(ValueError):
            await aio.open_ksock(0, "w")
        waiting = asyncio.ensure_future(a.receive())
        await asyncio.sleep(0)
        await a.close()
        for late in (waiting, a.bind("$.A"), a.receive()):
            with self.assertRaises(OSError) as caught:
                await late
            self.assertEqual(caught.exception.errno, errno.EBADF)

    def test_another_loop(self):
        """A Ksock works in its own only: in another it says so, and nothing is sent. When its own has ended it can still be closed."""
        listener = self.ksock("$.A")
        for in_time in True, False:
            loop = asyncio.new_event_loop()
            k = loop.run_until_complete(aio.open_ksock(0))
            loop.run_until_complete(k.bind("$.R", replier=True))
            waiting = loop.create_task(k.receive())
            loop.run_until_complete(asyncio.sleep(0))
            if not in_time:
                loop.close()
            for operation in (lambda: k.send(Announcement("$.A")), k.receive, lambda: k.call(Request("$.R")), k.reopen):
                with self.assertRaisesRegex(RuntimeError, "another event loop's"):
                    asyncio.run(operation())
            if in_time:
                self.assertRaisesRegex(RuntimeError, "close: this Ksock is another", asyncio.run, k.close())
                loop.run_until_complete(k.close())
                self.assertEqual(waiting.exception().errno, errno.EBADF)
                loop.close()
            else:
                asyncio.run(k.close())
                waiting._log_destroy_pending = False
            while listener.find_replier("$.R"):
                pass
        self.assertEqual(list(listener), [])

    def test_add_reader(self):
        """An ordinary Ksock in a loop: its descriptor is all that it takes."""
        async def main(ksock):
            got, loop = asyncio.get_running_loop().create_future(), asyncio.get_running_loop()
            loop.add_reader(ksock, lambda: got.done() or got.set_result(ksock.read_next_msg()))
            self.ksock().send_msg(Announcement("$.A", "x"))
            self.assertEqual((await asyncio.wait_for(got, PATIENCE)).data, b"x")
            loop.remove_reader(ksock)
        asyncio.run(main(self.ksock("$.A")))


if __name__ == "__main__":
    unittest.main()
