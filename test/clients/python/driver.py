"""The driver of the client scripts for Python: one Ksock, each of whose operations has a thread or a task of its own.

    python3 driver.py blocking|asyncio

Lines in: LABEL VERB ARGUMENT FLAGS TO NETWORK:SERIAL DATA TIMEOUT KEEP, where - stands for nothing, data are in
hexadecimal and a timeout is in milliseconds, -1 for none. Lines out: LABEL, and what became of it.
"""

import asyncio
import os
import sys
import threading

import kbus
from kbus import aio
from kbus.conditions import KbusError, NoReply

LOCK = threading.Lock()


class Op:
    """One operation, as its line says."""

    def __init__(self, line):
        self.label, self.verb, self.argument, flags, to, request, data, timeout, keep = line.split()
        self.flags, self.to = int(flags), int(to)
        self.request = kbus.MessageId(*map(int, request.split(":")))
        self.data = b"" if data == "-" else bytes.fromhex(data)
        self.timeout = None if timeout == "-1" else int(timeout) / 1000
        self.keep = keep == "1"

    def message(self):
        """The message that it sends."""
        in_reply_to = self.request if tuple(self.request) != (0, 0) else None
        return kbus.Message(self.argument, self.data, to=self.to, in_reply_to=in_reply_to, flags=self.flags)


def say(op, *words):
    """Writes what became of it."""
    with LOCK:
        print(op.label, *words, flush=True)


def gets(op, msg):
    """A message is what it ends in."""
    n, r = msg.id or (0, 0), msg.in_reply_to or (0, 0)
    say(op, "gets", msg.name.encode().hex(), "{}:{}".format(*n), "{}:{}".format(*r), msg.to, msg.from_, msg.flags, msg.missed,
        (msg.data or b"").hex() or "-")


def tell(op, result):
    """Writes what an operation has given."""
    if isinstance(result, kbus.Message):
        gets(op, result)
    elif isinstance(result, kbus.ids.Sent):
        say(op, "sent", "{}:{}".format(*result), result.reached or 0, result.skipped or 0)
    elif op.verb == "next" and result is None:
        say(op, "nothing")
    elif op.verb == "wait" and result is None or result is False:
        say(op, "late")
    elif op.verb in ("open", "nummsgs", "maxmsgs"):
        say(op, "ends", result)
    elif op.verb == "reopen":
        say(op, "ends", result.id)
    else:
        say(op, "ends")


def tell_failure(op, e):
    """Writes why it has failed."""
    if isinstance(e, NoReply):
        gets(op, e.status)
    elif isinstance(e, KbusError) and e.message_id is not None:
        say(op, "pending", "{}:{}".format(*e.message_id), 0, 0)
    elif isinstance(e, (TimeoutError, asyncio.CancelledError)):
        say(op, "late")
    elif isinstance(e, OSError):
        say(op, "fails", e.errno, str(e).replace("\n", " "))
    else:
        say(op, "fails 22", repr(e))


class Blocking:
    """Threads."""

    def __init__(self):
        self.ksock = None

    def perform(self, op):
        threading.Thread(target=self.run, args=(op,), daemon=True).start()

    def run(self, op):
        try:
            if op.timeout is not None:
                self.ksock.patience = op.timeout  # of operations that take no limit themselves
            tell(op, getattr(self, op.verb)(op))
        except BaseException as e:  # whatever it is, the test is told
            tell_failure(op, e)
        if op.timeout is not None:
            self.ksock.patience = None

    def open(self, op):
        self.ksock = kbus.open(op.argument)
        return self.ksock.ksock_id()

    def find(self, op):
        os.environ["KBUS_DIR"] = op.argument
        self.ksock = kbus.open(0)
        return self.ksock.ksock_id()

    def close(self, op):
        self.ksock.close()

    def giveup(self, op):
        """A thread gives up by itself, when its time is over."""

    def listen(self, op):
        self.ksock.bind(op.argument)

    def bind(self, op):
        self.ksock.bind(op.argument, True)

    def send(self, op):
        return self.ksock.send_msg(op.message())

    def call(self, op):
        return self.ksock.call(op.message(), op.timeout, keep_late_answer=op.keep)

    def next(self, op):
        return self.ksock.read_next_msg()

    def wait(self, op):
        return self.ksock.wait_for_msg(op.timeout)

    def waitsent(self, op):
        return self.ksock.wait_sent(op.timeout)

    def discard(self, op):
        self.ksock.discard()

    def nummsgs(self, op):
        return self.ksock.num_messages()

    def maxmsgs(self, op):
        return self.ksock.set_max_messages(int(op.argument))

    def reopen(self, op):
        return self.ksock.reopen()


class Asyncio:
    """Tasks."""

    def __init__(self):
        self.ksock = None
        self.tasks = {}
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def perform(self, op):
        self.loop.call_soon_threadsafe(self.begin, op)

    def begin(self, op):
        if op.verb == "giveup":
            self.tasks[op.label].cancel()
        else:
            self.tasks[op.label] = self.loop.create_task(self.run(op))

    async def run(self, op):
        try:
            tell(op, await getattr(self, op.verb)(op))
        except BaseException as e:  # whatever it is, the test is told
            tell_failure(op, e)

    async def open(self, op):
        self.ksock = await aio.open_ksock(op.argument)
        return self.ksock.ksock_id

    async def find(self, op):
        os.environ["KBUS_DIR"] = op.argument
        self.ksock = await aio.open_ksock(0)
        return self.ksock.ksock_id

    async def close(self, op):
        await self.ksock.close()

    async def listen(self, op):
        await self.ksock.bind(op.argument)

    async def bind(self, op):
        await self.ksock.bind(op.argument, True)

    async def send(self, op):
        return await self.ksock.send(op.message())

    async def call(self, op):
        return await self.ksock.call(op.message(), keep_late_answer=op.keep)

    async def wait(self, op):
        return await self.ksock.receive()

    async def waitsent(self, op):
        return await self.ksock.wait_sent()

    async def discard(self, op):
        await self.ksock.discard()

    async def nummsgs(self, op):
        return await self.ksock.value("nummsgs")

    async def maxmsgs(self, op):
        return await self.ksock.value("maxmsgs", int(op.argument))

    async def reopen(self, op):
        return await self.ksock.reopen()


def main():
    """Until the end of the input."""
    door = Asyncio() if sys.argv[1] == "asyncio" else Blocking()
    for line in sys.stdin:
        door.perform(Op(line))


if __name__ == "__main__":
    main()
