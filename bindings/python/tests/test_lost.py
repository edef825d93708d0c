"""The loss of a process: of a Replier, and of the bus itself. Real processes, killed as accidents kill."""

import asyncio
import errno
import select
import signal
import subprocess
import sys
import threading
import unittest

from daemon import PATIENCE, Daemon, WithDaemon
from kbus import Announcement, Ksock, NoReply, Request, Status, aio, reply_to

REPLIER = """
import sys
from kbus import *
ksock = Ksock(0)
ksock.bind('$.R', True)
print(flush=True)
for line in sys.stdin:
    request = ksock.wait_for_msg()
    if line == 'reply\\n':
        ksock.send_msg(reply_to(request, b'from ' + request.data))
    print(flush=True)
"""


class Replier:
    """A process that does one step for each line that it is told."""

    def __init__(self, test):
        self.process = subprocess.Popen([sys.executable, "-S", "-c", REPLIER], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        test.addCleanup(self.kill)
        self.process.stdout.readline()

    def do(self, step):
        self.process.stdin.write(step.encode() + b"\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class TwoProcesses(WithDaemon):
    def test_requests_to_another_process(self):
        replier, k = Replier(self), self.ksock()
        k.send_msg(Request("$.R", "here"))
        replier.do("reply")
        self.assertEqual(k.wait_for_msg(PATIENCE).data, b"from here")

    def test_replier_killed(self):
        """What it had read is Ignored, and what it had not, GoneAway (R13.8)."""
        replier, k = Replier(self), self.ksock()
        ids = [k.send_msg(Request("$.R")) for _ in range(3)]
        replier.do("read")
        replier.kill()
        statuses = [k.wait_for_msg(PATIENCE).cast() for _ in ids]
        self.assertEqual([(type(s), s.name, s.in_reply_to) for s in statuses],
                         [(Status, "$.KBUS.Replier.GoneAway", ids[1]), (Status, "$.KBUS.Replier.GoneAway", ids[2]),
                          (Status, "$.KBUS.Replier.Ignored", ids[0])])
        self.fails(errno.EADDRNOTAVAIL, k.send_msg, Request("$.R"))


class BusLost(WithDaemon):
    def outstanding(self):
        """A Ksock with three Requests that nobody answers any more: others were answered, one way or another."""
        k, r = self.ksock(), self.ksock()
        r.bind("$.R", True)
        r.bind("$.R")
        sent = [k.send_msg(Request("$.R", str(i))) for i in range(6)]
        requests = [m for m in r if m.wants_us_to_reply()]
        for i in (1, 3):
            r.send_msg(reply_to(requests[i]))
        self.assertEqual(k.read_next_msg().in_reply_to, sent[1])  # read whole
        k.next_msg()
        k.read_data(3)  # read in part, and dropped
        r.send_msg(reply_to(requests[4]))
        self.assertEqual(k.read_msg(k.next_msg()).in_reply_to, sent[4])  # read in pieces
        return k, [sent[0], sent[2], sent[5]]

    def statuses(self, k, ids):
        for request in ids:
            status = k.wait_for_msg(PATIENCE).cast()
            self.assertEqual((type(status), status.name, status.in_reply_to, status.to, status.from_, status.flags),
                             (Status, "$.KBUS.Bus.GoneAway", request, 1, 0, 4))
        e = self.fails(errno.ENOTCONN, k.wait_for_msg)
        self.assertEqual(e.condition, "ErrBusGone")

    def test_each_request_gets_its_status(self):
        k, ids = self.outstanding()
        self.daemon.kill()
        self.statuses(k, ids)
        for operation in (k.read_next_msg, k.num_messages, k.next_msg, lambda: k.bind("$.A"),
                          lambda: k.send_msg(Announcement("$.A")), lambda: k.call(Request("$.R")), k.discard):
            self.fails(errno.ENOTCONN, operation)
        self.assertTrue(select.select([k], [], [], 0)[0])
        k.close()

    def test_never_back_by_itself(self):
        k, ids = self.outstanding()
        self.daemon.kill()
        second = Daemon()
        self.addCleanup(second.end)
        with Ksock(0) as fresh:
            self.assertEqual(fresh.ksock_id(), 1)
        self.statuses(k, ids)

    def test_while_selecting(self):
        k, ids = self.outstanding()
        self.assertFalse(select.select([k], [], [], 0)[0])
        threading.Thread(target=self.daemon.kill).start()
        self.assertTrue(select.select([k], [], [], PATIENCE)[0])
        self.statuses(k, ids)

    def test_in_pieces(self):
        k, ids = self.outstanding()
        self.daemon.kill()
        for request in ids:
            length = k.next_msg()
            self.assertEqual((k.len_left(), k.read_data(2), k.len_left()), (length, b"Kb", length - 2))
        self.fails(errno.ENOTCONN, k.next_msg)

    def test_pending(self):
        """A Request that waited for room gets one too, but not one that was discarded."""
        k, r = self.ksock(), self.ksock()
        r.bind("$.R", True)
        r.set_max_messages(1)
        k.send_msg(Request("$.R"))
        self.fails(errno.EAGAIN, k.send_msg, Request("$.R", flags=0x100))
        k.discard()
        waits = self.fails(errno.EAGAIN, k.send_msg, Request("$.R", flags=0x100)).message_id
        self.daemon.kill()
        self.assertEqual([k.wait_for_msg().in_reply_to.serial_num for _ in range(2)], [1, waits.serial_num])
        self.fails(errno.ENOTCONN, k.read_next_msg)

    def test_call(self):
        """A call that waits gets its own Status; those of others are left for them."""
        k, ids = self.outstanding()
        r = self.ksock()
        r.bind("$.S", True)
        killer = threading.Thread(target=lambda: (r.wait_for_msg(), self.daemon.kill()))
        killer.start()
        with self.assertRaises(NoReply) as caught:
            k.call(Request("$.S"), PATIENCE)
        killer.join()
        self.assertEqual(caught.exception.status.name, "$.KBUS.Bus.GoneAway")
        self.assertNotIn(caught.exception.status.in_reply_to, ids)
        self.statuses(k, ids)

    def test_stopping_in_order(self):
        """The event that says so is no message, and what was queued can still be read."""
        k = self.ksock("$.A")
        self.assertFalse(select.select([k], [], [], 0)[0])
        k.send_msg(Announcement("$.A", "x"))
        self.daemon.signal(signal.SIGTERM)
        self.assertEqual(k.wait_for_msg(PATIENCE).data, b"x")
        self.fails(errno.ENOTCONN, k.wait_for_msg)

    def test_asyncio(self):
        r = self.ksock()
        r.bind("$.R", True)

        async def main():
            async with await aio.open_ksock(0) as k:
                first = await k.send(Request("$.R", "1"))
                receiver = asyncio.ensure_future(k.receive())
                call = asyncio.ensure_future(k.call(Request("$.R", "2")))
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(None, lambda: [r.wait_for_msg(PATIENCE) for _ in range(2)])
                self.daemon.kill()
                with self.assertRaises(NoReply) as caught:
                    await call
                self.assertEqual(caught.exception.status.name, "$.KBUS.Bus.GoneAway")
                status = await receiver
                self.assertEqual((status.name, status.in_reply_to), ("$.KBUS.Bus.GoneAway", first))
                for lost in (k.receive(), k.send(Announcement("$.A")), k.bind("$.A"), k.call(Request("$.R"))):
                    with self.assertRaises(OSError) as caught:
                        await lost
                    self.assertEqual(caught.exception.errno, errno.ENOTCONN)
        asyncio.run(asyncio.wait_for(main(), PATIENCE))


if __name__ == "__main__":
    unittest.main()
