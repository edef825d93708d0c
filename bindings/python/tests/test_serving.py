"""Repliers as functions."""

import asyncio
import errno
import signal
import threading
import unittest

from daemon import PATIENCE, WithDaemon
from kbus import Announcement, KbusError, NoReply, Request, aio, reply_to
from kbus.serving import Service


class Serving(WithDaemon):
    def serve(self, service):
        """Serves in a thread, and gives the Ksock that it closes at the end."""
        ksock, failed = self.ksock("$.Stop"), []

        def run():
            try:
                service.serve(ksock)
            except (KeyError, KbusError) as e:
                failed.append(e)
            ksock.close()
        self.thread = thread = threading.Thread(target=run)
        watcher = self.ksock("$.KBUS.ReplierBindEvent")
        watcher.report_replier_binds()
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.daemon.kill)  # which ends what a failed test has left running
        for _ in service.bindings:
            self.assertIsNotNone(watcher.wait_for_msg(PATIENCE))
        watcher.report_replier_binds(False)
        return failed

    def test_best_handler(self):
        service, k, others = Service(), self.ksock(), []

        @service.replier("$.A.*")
        def star(request):
            return "star"

        @service.replier("$.A.B")
        def exact(request):
            return reply_to(request, b"exact " + request.data)

        @service.replier("$.None")
        def none(request):
            pass

        @service.otherwise
        def other(msg):
            others.append(msg)
            service.stop()
        self.assertRaises(ValueError, service.replier, "$.A.B")
        self.serve(service)
        self.assertEqual(k.call(Request("$.A.C"), PATIENCE).data, b"star")
        self.assertEqual(k.call(Request("$.A.B", "x"), PATIENCE).data, b"exact x")
        self.assertIsNone(k.call(Request("$.None"), PATIENCE).data)
        k.send_msg(Announcement("$.Stop"))
        self.thread.join(PATIENCE)
        self.assertEqual([m.name for m in others], ["$.Stop"])

    def test_a_handler_that_fails(self):
        """It ends serving; who asked is told."""
        service, k = Service(), self.ksock()

        @service.replier("$.R")
        def broken(request):
            raise KeyError("broken")
        failed = self.serve(service)
        with self.assertRaises(NoReply) as caught:
            k.call(Request("$.R"), PATIENCE)
        self.assertEqual(caught.exception.status.name, "$.KBUS.Replier.Ignored")
        self.assertEqual(len(failed), 1)

    def test_who_asked_has_gone(self):
        service, k, asked, sent = Service(), self.ksock(), threading.Event(), threading.Event()

        @service.replier("$.R")
        def slow(request):
            if request.data == b"first":
                sent.wait(PATIENCE)
                first.close()
                asked.set()
            return "a"

        @service.otherwise
        def other(msg):
            service.stop()
        first = self.ksock()
        self.serve(service)
        first.send_msg(Request("$.R", "first"))
        sent.set()
        self.assertTrue(asked.wait(PATIENCE))
        self.assertEqual(k.call(Request("$.R"), PATIENCE).data, b"a")
        k.send_msg(Announcement("$.Stop"))

    def test_a_reply_that_is_refused(self):
        """It ends serving. The message that was taken along with it is there for the next who receives."""
        service, k, server = Service(), self.ksock(), self.ksock()
        size = k.max_message_size()

        @service.replier("$.R")
        def long(request):
            k.send_msg(Request("$.R", "second"))
            return b"x" * size
        asker = threading.Thread(target=self.ask, args=(k, "$.R"))
        asker.start()
        with self.assertRaises(KbusError) as caught:
            service.serve(server)
        asker.join()
        self.assertEqual(caught.exception.errno, errno.EMSGSIZE)
        self.assertEqual(server.wait_for_msg(PATIENCE).data, b"second")

    def ask(self, k, name):
        while k.find_replier(name) is None:
            pass
        k.send_msg(Request(name, "first"))

    def test_stopped_while_it_waits(self):
        """By another thread, and by a signal handler: nothing that comes later is taken."""
        service, k, server = Service(), self.ksock(), self.ksock("$.A")
        for how in "thread", "handler":
            def stop():
                while server._open.core.waiting.get(server._open._frames._seq) is None:
                    pass
                if how == "thread":
                    service.stop()
                while how == "handler" and not over.is_set():  # Python may miss one that comes just before it waits
                    signal.pthread_kill(threading.main_thread().ident, signal.SIGALRM)
            self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, lambda *_: service.stop()))
            over, thread = threading.Event(), threading.Thread(target=stop)
            thread.start()
            service.serve(server)
            over.set()
            thread.join()
        k.send_msg(Announcement("$.A", "later"))
        self.assertEqual(server.num_messages(), 1)
        self.assertEqual(server.read_next_msg().data, b"later")

    def test_all_are_stopped(self):
        """In as many threads as serve, and as many tasks."""
        service, servers = Service(), [self.ksock() for _ in range(3)]
        threads = [threading.Thread(target=service.serve, args=(k,), daemon=True) for k in servers]
        for thread in threads:
            thread.start()

        async def serve():
            async with await aio.open_ksock(0) as a, await aio.open_ksock(0) as b:
                tasks = [asyncio.ensure_future(aio.serve(k, service)) for k in (a, b)]
                while not all(k.core.waiting for k in (a._open, b._open, *[k._open for k in servers])):
                    await asyncio.sleep(0)
                service.stop()
                await asyncio.gather(*tasks)
        asyncio.run(asyncio.wait_for(serve(), PATIENCE))
        for thread in threads:
            thread.join(PATIENCE)
            self.assertFalse(thread.is_alive())

    def test_stopped_before(self):
        """Once: what was stopped can be served again."""
        service, k = Service(), self.ksock("$.A")
        service.otherwise(lambda msg: service.stop())
        service.stop()
        service.serve(k)
        self.assertFalse(service.stopped)
        k.send_msg(Announcement("$.A"))
        service.serve(k)
        self.assertEqual(k.num_messages(), 0)

    def test_name_taken(self):
        service, k = Service(), self.ksock()
        service.replier("$.R")(lambda request: None)
        k.bind("$.R", True)
        self.assertRaises(KbusError, service.serve, self.ksock())


if __name__ == "__main__":
    unittest.main()
