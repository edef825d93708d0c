"""Trace contexts: a message has the one that its sender gave it, whatever bytes that is, in a thread and in a task."""

import asyncio
import threading
import unittest

import kbus
from daemon import PATIENCE, WithDaemon
from kbus import Announcement, Ksock, Request, Trace, aio, reply_to

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ALL = (None, Trace(PARENT), Trace(PARENT, "a=b"), None, Trace("\x00\udcff", "x"), Trace("p" * 128, "s" * 512), None)
OWN_FLAG = 0x400  # a program's, which nobody is to take for the mark of a trace context


def announcement(trace):
    msg = Announcement("$.A", b"data", flags=OWN_FLAG)
    msg.trace = trace
    return msg


class Traces(WithDaemon):
    def test_carried(self):
        with Ksock(0, modern=True) as k, Ksock(0) as original:
            for each in k, original:
                each.bind("$.A")
            for trace in ALL:
                k.send_msg(announcement(trace))
                got = k.read_next_msg()
                self.assertEqual((got.trace, got.data, got.flags), (trace, b"data", 0))
                self.assertEqual(got.cast().trace, trace)
                got = original.read_next_msg()  # which has not asked for it
                self.assertEqual((got.trace, got.data, got.flags), (None, b"data", 0))
            original.send_msg(announcement(Trace(PARENT)))
            self.assertIsNone(k.read_next_msg().trace)

    def test_replies(self):
        with Ksock(0, modern=True) as k, Ksock(0, modern=True) as r:
            r.bind("$.R", True)

            def answer():
                first, second = r.wait_for_msg(PATIENCE), None
                r.send_msg(reply_to(first, "inherited"))
                second = reply_to(r.wait_for_msg(PATIENCE), "own")
                second.trace = Trace("own")
                r.send_msg(second)

            thread = threading.Thread(target=answer)
            thread.start()
            for want in Trace(PARENT, "a=b"), Trace("own"):
                request = Request("$.R")
                request.trace = Trace(PARENT, "a=b")
                self.assertEqual(k.call(request, PATIENCE).trace, want)
            thread.join()

    def test_limits(self):
        msg = Announcement("$.A")
        for trace, says in ((Trace("p" * 129), "traceparent of 129 bytes: 128"), (Trace("p", "s" * 513), "tracestate of 513 bytes: 512")):
            with self.assertRaisesRegex(ValueError, says):
                msg.trace = trace
        self.assertIsNone(msg.trace)

    def test_copies(self):
        msg = announcement(Trace(PARENT))
        self.assertEqual(Announcement.from_message(msg, data=b"other").trace, Trace(PARENT))
        msg.trace = None
        self.assertIsNone(msg.trace)

    def test_tap(self):
        with kbus.Tap(0, kinds=["sent"]) as tap, Ksock(0, modern=True) as k:
            for trace in ALL:
                k.send_msg(announcement(trace))
                event = tap.next(PATIENCE)
                self.assertEqual((event.message.trace, event.message.data), (trace, b"data"))

    def test_asyncio(self):
        async def main():
            async with await aio.open_ksock(0) as k, await aio.open_ksock(0) as r:
                await k.bind("$.A")
                for trace in ALL:
                    await k.send(announcement(trace))
                    self.assertEqual((await k.receive()).trace, trace)
                await r.bind("$.R", True)
                request = Request("$.R")
                request.trace = Trace(PARENT)
                call = asyncio.ensure_future(k.call(request, PATIENCE))
                await r.send(reply_to(await r.receive()))
                self.assertEqual((await call).trace, Trace(PARENT))

        asyncio.run(main())


if __name__ == "__main__":
    unittest.main()
