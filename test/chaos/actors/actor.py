"""An actor in Python: the blocking client through the socket or a device, or the asyncio client. ../actor.go tells what it does."""
import asyncio
import errno
import os
import random
import select
import sys

from kbus import KbusError, Ksock, Announcement, Request, reply_to, aio

OWN, COUNT = int(sys.argv[2]), int(sys.argv[3])
OPEN_REQUESTS = 8
HELD = 2
chance = random.Random(int(sys.argv[4]))


def say(*words):
    os.write(1, (" ".join(str(w) for w in words) + "\n").encode())


def number(i):
    return "{}:{}".format(i.network_id, i.serial_num)


class Rules:
    """What to send next, and what to make of what comes."""

    def __init__(self):
        self.open = set()
        self.finishing = False
        self._told = False
        self._held = []

    def next(self):
        """A message to be sent, or None."""
        if not self.finishing and select.select([0], [], [], 0)[0]:
            self.finishing = True
            if not os.read(0, 100):
                sys.exit(0)
        if self.finishing or len(self.open) >= OPEN_REQUESTS:
            return None
        if chance.random() < 0.5:
            return Announcement("$.Chaos.News", str(OWN))
        return Request("$.Chaos.R{}".format(chance.randrange(COUNT)), str(OWN))

    def sent(self, msg, sent):
        if msg.is_request():
            self.open.add(number(sent))
            say("ask", number(sent))
        else:
            say("say", number(sent))

    def answers(self):
        """The Replies to be sent now: two Requests are held back, for somebody to die with them."""
        held, self._held = self._held, []
        keep = 0 if self.finishing else HELD
        self._held = held[max(0, len(held) - keep):]
        return [reply_to(m, m.data) for m in held[:max(0, len(held) - keep)]]

    def came(self, msg):
        """Takes note of a message."""
        if getattr(msg, "missed", 0):
            say("missed", "0:0", msg.missed)
        if msg.is_reply():
            say("end", number(msg.in_reply_to), msg.name)
            self.open.discard(number(msg.in_reply_to))
        elif msg.wants_us_to_reply():
            say("took", number(msg.id))
            self._held.append(msg)
        elif msg.is_request():
            pass
        else:
            say("hear", number(msg.id))

    def look(self):
        """Says, once, that it has all the answers."""
        if self.finishing and not self.open and not self._told:
            self._told = True
            say("done")


def refused(e):
    """A send that was refused is nothing. When the bus is gone, the Statuses are still to be read; a device has none."""
    if e.errno == errno.ECONNABORTED or e.errno == errno.ENOTCONN and door not in ("socket", "aio"):
        raise e


def bind(f):
    while True:
        try:
            return f()
        except KbusError as e:
            if e.errno not in (errno.EADDRINUSE, errno.EAGAIN):
                raise


def blocking(where):
    k, rules = Ksock(where, modern=where == 0), Rules()
    bind(lambda: k.bind("$.Chaos.R{}".format(OWN), True))
    k.bind("$.Chaos.News")
    say("open", k.ksock_id())
    try:
        while True:
            msg = rules.next()
            if msg is not None:
                try:
                    rules.sent(msg, k.send_msg(msg))
                except KbusError as e:
                    refused(e)
            waiting = rules.finishing or len(rules.open) >= OPEN_REQUESTS
            rules.look()
            if waiting:
                select.select([k, 0] if not rules.finishing else [k], [], [], 0.2)
            while True:
                got = k.read_next_msg()
                if got is None:
                    break
                if where != 0:  # a device is asked, and when the bus is gone nobody knows
                    got.missed = k._open.missed()[0]
                rules.came(got)
            for answer in rules.answers():
                try:
                    k.send_msg(answer)
                except KbusError as e:
                    refused(e)
    except OSError as e:
        say("gone", e.errno)


async def asynchronous():
    k, rules = await aio.open_ksock(0), Rules()
    while True:
        try:
            await k.bind("$.Chaos.R{}".format(OWN), True)
            break
        except KbusError as e:
            if e.errno not in (errno.EADDRINUSE, errno.EAGAIN):
                raise
    await k.bind("$.Chaos.News")
    say("open", OWN)
    try:
        while True:
            msg = rules.next()
            if msg is not None:
                try:
                    rules.sent(msg, await k.send(msg))
                except KbusError as e:
                    refused(e)
            rules.look()
            try:
                rules.came(await asyncio.wait_for(k.receive(), 0.2 if msg is None else 0.001))
            except asyncio.TimeoutError:
                pass
            for answer in rules.answers():
                try:
                    await k.send(answer)
                except KbusError as e:
                    refused(e)
    except OSError as e:
        say("gone", e.errno)


door = sys.argv[1]
if door == "aio":
    asyncio.run(asynchronous())
else:
    blocking(0 if door == "socket" else door)
