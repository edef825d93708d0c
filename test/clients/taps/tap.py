"""What a tap in Python is shown, a line for each event, until somebody says $.End. The first argument says which kind of
tap, a thread's or a task's; see taps_test.go for the line and the others."""

import asyncio
import sys

import kbus
from kbus import aio

how, slow, failures, most, ksock, kinds, messages = sys.argv[1:8]
ASKED = {
    "patterns": sys.argv[8:], "only_failures": failures == "1", "max_data": None if most == "all" else int(most),
    "ksock": int(ksock), "kinds": [k for k in kinds.split(",") if k != "-"], "messages": [k for k in messages.split(",") if k != "-"],
}


class Shown:
    """Counts and prints what is shown; done at the last."""

    def __init__(self):
        self.shown = self.lost = 0
        print("ready", flush=True)
        if slow == "1":
            sys.stdin.readline()

    def done(self, event):
        self.shown += event.kind != "lost"
        self.lost += event.lost
        if slow != "1":
            print(line(event))
        return event.name == "$.End" or slow == "1" and self.lost

    def end(self):
        if slow == "1":
            print("lost some of", self.shown + self.lost)


def pair(i):
    return "{}:{}".format(*(i or (0, 0)))


def line(e):
    m = e.message
    data = m.data.hex() if m is not None and m.data else "-"
    numbers = (pair(m.id), pair(m.in_reply_to), m.from_, m.to, m.flags) if m is not None else ("0:0", "0:0", 0, 0, 0)
    return " ".join(map(str, (e.kind, e.error.errno if e.error else 0, e.name or "-", data, *numbers, e.by.ksock_id, e.by.pid,
                              e.by.uid, e.by.program or "-", int(e.as_replier), e.replier, e.reached, e.skipped, e.set_aside,
                              e.data_bytes)))


def blocking():
    with kbus.Tap(0, **ASKED) as tap:
        shown = Shown()
        for event in tap:
            if shown.done(event):
                break
        shown.end()


async def tasks():
    async with await aio.open_tap(0, **ASKED) as tap:
        shown = Shown()
        async for event in tap:
            if shown.done(event):
                break
        shown.end()


try:
    asyncio.run(tasks()) if how == "asyncio" else blocking()
except kbus.KbusError as e:
    print("refused", e.errno)
