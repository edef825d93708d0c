"""asyncio: many tasks on one Ksock, each with its own answer, and cancellation that takes nothing away."""

import asyncio
import errno
import functools
import unittest

from daemon import PATIENCE, WithDaemon
from kbus import Announcement, NoReply, Request, aio, reply_to
from kbus.serving import Service


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
    async def test_call_given_up(self, a, b):
        await b.bind("$.R", replier=True)
        with self.assertRaises(TimeoutError):
            await a.call(Request("$.R", "q"), timeout=0.001)
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
