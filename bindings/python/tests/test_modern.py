"""What the original had not: calls that leave nothing behind, what was missed, who is at the other end, modern names,
services that are stopped, and coming back after the loss of a bus."""

import asyncio
import contextlib
import errno
import gc
import os
import signal
import subprocess
import sys
import threading
import unittest
import warnings
import weakref

import kbus
from daemon import PATIENCE, WithDaemon, WithDevice
from kbus import Announcement, Ksock, Request, aio, reply_to
from kbus.serving import Service


class Dropped(WithDaemon):
    """A Ksock that nobody has any more is closed there and then, whatever has failed on it before: an error keeps nothing that would
    have to wait for a collection of garbage. Else a Replier that was dropped would keep its Requests."""

    @staticmethod
    def failures():
        def late(k):
            k.bind("$.Self", True)
            k.call(Request("$.Self"), 0)

        return (lambda k: k.wait_for_msg(timeout=0.001), lambda k: k.bind("no name"), lambda k: k.unbind("$.None"),
                lambda k: k.send_msg(Request("$.None")), lambda k: k.call(Request("$.None"), PATIENCE), late, lambda k: k.peer(77))

    def test_after_failures(self):
        looks = self.ksock()
        gc.disable()
        self.addCleanup(gc.enable)
        for n, fails in enumerate(self.failures()):
            with self.subTest(n):
                k = kbus.open(0)
                k.bind("$.Dropped", True)
                with contextlib.suppress(kbus.KbusError, TimeoutError), warnings.catch_warnings():
                    fails(k)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ResourceWarning)
                    del k
                self.assertEqual([looks.find_replier(name) for name in ("$.Dropped", "$.Self")], [None, None])
                gc.collect()

    def test_asyncio(self):
        async def keeps():
            async with await aio.open_ksock(0) as k:
                await asyncio.sleep(0)
                gc.collect()
                gc.disable()
                self.addCleanup(gc.enable)
                for fails in (lambda: k.bind("no name"), lambda: k.call(Request("$.None")), lambda: k.send(Request("$.None"))):
                    try:
                        await fails()
                    except kbus.KbusError as e:
                        seen = weakref.ref(e)
                    self.assertIsNone(seen())
        asyncio.run(keeps())


class Calls(WithDaemon):
    def test_late_answers(self):
        """However many: nobody waits for them, and they are not kept."""
        k, r = self.ksock(), self.ksock()
        r.bind("$.R", True)
        r.set_max_messages(1000)
        for _ in range(150):  # more than k's queue can hold
            self.assertRaises(TimeoutError, k.call, Request("$.R"), 0)
        for request in r:
            r.send_msg(reply_to(request, "late"))
        self.assertEqual(k.num_messages(), 0)
        thread = threading.Thread(target=lambda: r.send_msg(reply_to(r.wait_for_msg(), "now")))
        thread.start()
        self.assertEqual(k.call(Request("$.R"), PATIENCE).data, b"now")
        thread.join()

    def test_too_long(self):
        """The refusal tells the size that the program gave, though not all of it was sent, the limit and its setting."""
        k, r = self.ksock(), self.ksock()
        r.bind("$.R", True)
        long = b"x" * 500000
        for send in (lambda: k.send_msg(Announcement("$.A", long)), lambda: k.call(Request("$.R", long), PATIENCE)):
            with self.assertRaises(kbus.KbusError) as refused:
                send()
            self.assertEqual((refused.exception.errno, refused.exception.condition), (errno.EMSGSIZE, "ErrMessageTooLong"))
            for part in ("500000", "409600", "limits.message-bytes"):
                self.assertIn(part, str(refused.exception))

    def test_kept_on_request(self):
        k, r = self.ksock(), self.ksock()
        r.bind("$.R", True)
        self.assertRaises(TimeoutError, k.call, Request("$.R"), 0, keep_late_answer=True)
        r.send_msg(reply_to(r.read_next_msg(), "late"))
        self.assertEqual(k.wait_for_msg(PATIENCE).data, b"late")

    def test_given_up_and_the_bus_lost(self):
        """No Status for what nobody waits for."""
        k, r = self.ksock(), self.ksock()
        r.bind("$.R", True)
        self.assertRaises(TimeoutError, k.call, Request("$.R"), 0)
        sent = k.send_msg(Request("$.R"))
        self.daemon.kill()
        self.assertEqual(k.wait_for_msg(PATIENCE).in_reply_to, sent)
        self.fails(errno.ENOTCONN, k.read_next_msg)


class Standby(WithDaemon):
    def test_standby(self):
        s, a, b = self.ksock(), self.ksock(), self.ksock()
        a.stand_by("$.A")
        b.stand_by("$.A")
        self.fails(errno.EADDRINUSE, b.stand_by, "$.A")
        self.fails(errno.EADDRINUSE, s.bind, "$.A", True)
        asked = s.send_msg(Request("$.A"))
        a.close()
        self.assertEqual(s.wait_for_msg(PATIENCE).in_reply_to, asked)  # a Status
        asked = s.send_msg(Request("$.A"))
        self.assertEqual(b.wait_for_msg(PATIENCE).id, asked)
        b.unbind("$.A", True)
        self.assertIsNone(s.find_replier("$.A"))
        a, reopened = self.ksock(), self.ksock()
        reopened.stand_by("$.A")
        self.daemon.kill()
        self.daemon.start()
        s.reopen()
        s.bind("$.A", True)
        self.assertEqual(reopened.reopen().bound, [("$.A", True)])  # it stands by again
        s.close()
        self.assertEqual(a.reopen().bound, [])
        self.assertEqual(a.find_replier("$.A"), reopened.ksock_id())

    def test_asyncio(self):
        async def main():
            async with await aio.open_ksock(0) as a, await aio.open_ksock(0) as b:
                await a.stand_by("$.A")
                await b.stand_by("$.A")
                await a.unbind("$.A", True)
                self.assertEqual(await a.find_replier("$.A"), b.ksock_id)
        asyncio.run(main())


class Cards(WithDaemon):
    def test_card(self):
        a, b = self.ksock(), self.ksock()
        self.fails(errno.EINVAL, a.describe, "$.Door.*", description="nobody's")
        a.bind("$.Door.*", True)
        self.assertIsNone(b.card("$.Door.Lock"))
        a.describe("$.Door.*", description="locks the door", content_type="application/json", schema={"type": "boolean"})
        self.assertEqual(b.card("$.Door.Lock"), {"description": "locks the door", "contentType": "application/json",
                                                 "schema": {"type": "boolean"}})
        self.fails(errno.EMSGSIZE, a.describe, "$.Door.*", schema="x" * 16384)
        self.fails(errno.EINVAL, a.describe, "$.Door.*", content_type="a\nb")
        a.describe("$.Door.*", schema="message Door { }")
        self.assertEqual(b.card("$.Door.*"), {"schema": "message Door { }"})
        a.describe("$.Door.*")
        self.assertIsNone(b.card("$.Door.*"))

    def test_asyncio(self):
        async def main():
            async with await aio.open_ksock(0) as k:
                await k.bind("$.A", True)
                await k.describe("$.A", description="ä")
                self.assertEqual(await k.card("$.A"), {"description": "ä"})
        asyncio.run(main())


class Missed(WithDaemon):
    def test_missed(self):
        s, k, original = self.ksock(), kbus.open(0), self.ksock("$.A")
        self.addCleanup(k.close)
        k.bind("$.A")
        for one in k, original:
            one.set_max_messages(2)
        for i in range(5):
            s.send_msg(Announcement("$.A", str(i)))
        first, second = list(k)
        s.send_msg(Announcement("$.A", "after"))
        after = k.read_next_msg()
        self.assertEqual([(m.data, m.missed, m.flags) for m in (first, second, after)],
                         [(b"0", 0, 0), (b"1", 0, 0), (b"after", 3, 0)])
        self.assertEqual(k.missed(), 3)
        self.assertEqual((original.missed(), [m.missed for m in original]), (4, [0, 0]))  # not said where, as ever
        self.assertEqual(s.missed(), 0)
        self.assertEqual(after, kbus.Message("$.A", "after", from_=after.from_, id=after.id))  # no part of the message
        self.assertEqual(after.cast().missed, 3)


PROGRAM = """
import sys
import kbus
k = kbus.open(0)
k.bind('$.Go')
print(k.ksock_id(), flush=True)
k.wait_for_msg()
k.send_msg(kbus.Announcement('$.A'))
k.close()
print('gone', flush=True)
sys.stdin.read()
"""


class Peers(WithDaemon):
    def test_peer(self):
        k = self.ksock("$.A")
        with subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            number = int(other.stdout.readline())
            there = k.peer(number)
            self.assertEqual((there.ksock_id, there.uid, there.gid, there.pid, there.connected),
                             (number, os.getuid(), os.getgid(), other.pid, True))
            self.assertIn("python", there.program)
            k.send_msg(Announcement("$.Go"))
            self.assertEqual(other.stdout.readline(), b"gone\n")
            self.assertEqual(k.num_messages(), 1)
            self.assertEqual(k.peer(number), there._replace(connected=False))  # its message is still queued
            msg = k.read_next_msg()
            self.assertEqual(msg.from_, number)
            self.assertEqual(k.peer(k.ksock_id()).pid, os.getpid())
        self.assertEqual(self.fails(errno.ESRCH, k.peer, 4711).condition, "ErrUnknownKsock")

    @unittest.skipUnless(hasattr(os, "pidfd_open"), "this Python has no pidfd_open")
    def test_pidfd(self):
        k = self.ksock()
        fd = k.peer(k.ksock_id()).pidfd()
        self.addCleanup(os.close, fd)
        if hasattr(signal, "pidfd_send_signal"):
            signal.pidfd_send_signal(fd, 0)


class Kinds(WithDaemon):
    def test_names(self):
        """Modern names are for modern Ksocks; what is heard is the same."""
        modern, original = kbus.open(0), self.ksock("$.*")
        self.addCleanup(modern.close)
        modern.bind("$.net-work.lo_0")
        modern.send_msg(Announcement("$.net-work.lo_0", "x"))
        self.assertEqual(modern.read_next_msg().data, b"x")
        self.assertEqual(original.read_next_msg().name, "$.net-work.lo_0")
        for operation in (lambda: original.bind("$.net-work"), lambda: original.send_msg(Announcement("$.lo_0"))):
            self.assertIn("name", str(self.fails(errno.EBADMSG, operation)))

    def test_asyncio_is_modern(self):
        async def main():
            async with await aio.open_ksock(0) as k:
                await k.bind("$.lo_0")
        asyncio.run(main())


class Stopping(WithDaemon):
    def test_before_it_began(self):
        service, k = Service(), self.ksock()
        service.replier("$.R")(lambda request: None)
        service.stop()
        service.serve(k)
        self.assertIsNone(k.find_replier("$.R"))

        async def main():
            async with await aio.open_ksock(0) as k:
                service.stop()
                await aio.serve(k, service)
                self.assertIsNone(await k.find_replier("$.R"))
        asyncio.run(asyncio.wait_for(main(), PATIENCE))

    def test_idle(self):
        service, k, watcher = Service(), self.ksock(), self.ksock("$.KBUS.ReplierBindEvent")
        service.replier("$.R")(lambda request: None)
        watcher.report_replier_binds()
        for again in range(2):
            thread = threading.Thread(target=service.serve, args=(k,))
            thread.start()
            watcher.wait_for_msg(PATIENCE)
            service.stop()
            thread.join(PATIENCE)
            self.assertFalse(thread.is_alive())
            k.unbind("$.R", True)
            watcher.wait_for_msg(PATIENCE)

    def test_again(self):
        """What was stopped can be served again with the same Ksock, which is still bound."""
        service, k, other = Service(), self.ksock(), self.ksock()

        @service.replier("$.R")
        def reply(request):
            service.stop()
            return request.data
        k.bind("$.R", True)
        for again in b"1", b"2":
            asked = other.send_msg(Request("$.R", again))
            service.serve(k)
            answer = other.wait_for_msg(PATIENCE)
            self.assertEqual((answer.in_reply_to, answer.data), (asked, again))

        async def main():
            async with await aio.open_ksock(0) as k, await aio.open_ksock(0) as other:
                await k.bind("$.S", replier=True)
                service.replier("$.S")(reply)
                for again in b"1", b"2":
                    calling = asyncio.ensure_future(other.call(Request("$.S", again), PATIENCE))
                    await aio.serve(k, service)
                    self.assertEqual((await calling).data, again)
        k.unbind("$.R", True)
        asyncio.run(asyncio.wait_for(main(), PATIENCE))

    def test_idle_asyncio(self):
        service = Service()
        service.replier("$.R")(lambda request: None)

        async def main():
            async with await aio.open_ksock(0) as k, await aio.open_ksock(0) as other:
                serving = asyncio.ensure_future(aio.serve(k, service))
                while not await other.find_replier("$.R"):
                    pass
                while not any(query.receives for query in k._core.waiting.values()):
                    await asyncio.sleep(0)
                service.stop()  # it waits for a message that does not come
                await serving
                await k.unbind("$.R", True)
                await k.bind("$.A")
                await other.send(Announcement("$.A", "x"))  # nothing was taken by who has stopped
                self.assertEqual((await k.receive()).data, b"x")
        asyncio.run(asyncio.wait_for(main(), PATIENCE))

    def test_in_a_signal_handler(self):
        service, k = Service(), self.ksock()
        service.replier("$.R")(lambda request: None)
        self.addCleanup(signal.signal, signal.SIGALRM, signal.getsignal(signal.SIGALRM))
        signal.signal(signal.SIGALRM, lambda *_: service.stop())
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)  # Python may miss one that comes just before it waits
        service.serve(k)


class StoppingDevice(WithDevice, Stopping):
    test_idle_asyncio = test_before_it_began = None  # they are about sockets, too


class Reopening(WithDaemon):
    nobody_there = errno.ENOENT

    def test_not_lost(self):
        k = self.ksock("$.A")
        self.assertEqual(k.reopen(), (1, 1, [], []))
        self.assertEqual(k.num_messages(), 0)

    def test_all_as_it_was(self):
        k, r = self.ksock("$.A", "$.A"), self.ksock()
        path = os.environ["KBUS_DIR"]
        r.bind("$.Q", True)
        k.bind("$.R", True)
        k.bind("$.B")
        k.bind("$.Taken", True)
        k.unbind("$.A")
        k.set_max_messages(7)
        k.want_messages_once(True)
        sent = k.send_msg(Request("$.Q"))
        self.daemon.kill()
        self.fails(self.nobody_there, k.reopen)
        self.daemon.start()
        self.assertEqual(os.environ["KBUS_DIR"], path)
        with Ksock(0) as other:
            other.bind("$.Taken", True)
            back = k.reopen()
        self.assertEqual((back.old_id, back.id), (1, 2))
        self.assertEqual(back.bound, [("$.A", False), ("$.R", True), ("$.B", False)])
        self.assertEqual([(name, replier, e.errno) for name, replier, e in back.failed],
                         [("$.Taken", True, errno.EADDRINUSE)])
        self.assertEqual((k.max_messages(), k.want_messages_once(just_ask=True)), (7, 1))
        k.send_msg(Announcement("$.A", "x"))
        self.assertEqual([m.in_reply_to or m.data for m in k], [sent, b"x"])
        self.assertEqual(k.reopen(), (2, 2, [], []))
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(k.reopen()[2:], (back.bound, []))  # what could not be bound was forgotten
        k.close()
        self.fails(errno.EBADF, k.reopen)

    def test_asyncio(self):
        async def main():
            k = await aio.open_ksock(0)
            await k.bind("$.R", True)
            sent = await k.send(Request("$.R"))
            self.assertEqual(await k.reopen(), (1, 1, [], []))
            self.daemon.kill()
            self.daemon.start()
            back = await k.reopen()
            self.assertEqual((back.old_id, back.id, back.bound, back.failed), (1, 1, [("$.R", True)], []))
            self.assertEqual((await k.receive()).in_reply_to, sent)
            await k.close()
        asyncio.run(asyncio.wait_for(main(), PATIENCE))


class ReopeningDevice(WithDevice, Reopening):
    nobody_there = errno.ENOTCONN
    test_asyncio = None


if __name__ == "__main__":
    unittest.main()
