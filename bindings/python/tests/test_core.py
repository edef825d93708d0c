"""The rules without any I/O: frames in any pieces, and an exception at every moment at which a signal handler can raise one."""

import struct
import sys
import unittest

from kbus import layout, wire
from kbus.conditions import KbusError
from kbus.core import Core
from kbus.query import Query
from kbus.frames import Frames


class Interrupted(Exception):
    pass


def interrupt(f, at):
    """Runs f with an exception at its at-th call, as a signal handler's would come. False: it has fewer."""
    left = [at]

    def profile(frame, event, arg):
        if event in ("call", "c_return") and frame.f_code is not interrupt.__code__:
            left[0] -= 1
            if left[0] == 0:
                raise Interrupted
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None  # one in the end of a generator is told there
    sys.setprofile(profile)
    try:
        f()
    except Interrupted:
        return True
    finally:
        sys.setprofile(None)
        sys.unraisablehook = hook
    return left[0] <= 0


def result(op, seq, payload=b"", condition=0, arg=0):
    return struct.pack("<IBBHII", len(payload), op, 0, condition, seq, arg) + payload


def message(data, reply=(0, 0), to=0, flags=0):
    numbers = (0, 7, *reply, to, 2, 0, 0, 0, 0, 0, flags)
    return wire.message(layout.Parts(numbers, b"$.A", data))


def fresh():
    core = Core(3)
    core.ksock_id, core.most = 1, 1000
    return core, Frames(core)


def request():
    numbers = (0,) * 11 + (layout.WANT_A_REPLY,)
    return layout.Parts(numbers, b"$.R", b"")


class Interruptions(unittest.TestCase):
    def everywhere(self, begin, answers, check):
        """Digests answers with an interruption at each call, and what is in the inbox taken at once; then the rest."""
        at = 0
        while True:
            at += 1
            core, frames = fresh()
            queries, taken = begin(core, frames), []
            for query in queries:
                query.tell = lambda: None

            def take():
                while core.inbox:
                    taken.append(core.inbox.pop(0)[1].data)

            def digest():
                while not frames.need():
                    frames.digest()
            interrupted = False
            for raw in answers(queries):
                frames.arrived.append(raw)
                interrupted = interrupt(digest, at) or interrupted
                take()
                digest()
                take()
            self.assertTrue(frames.idle())
            check(core, queries, taken)
            if not interrupted:
                self.assertGreater(at, 5)
                return

    def test_messages(self):
        def begin(core, frames):
            queries = [Query(wire.NEXT), Query(wire.NEXT_WAIT)]
            for query in queries:
                frames.queue(query)
            return queries

        def check(core, queries, taken):
            self.assertEqual(taken, [b"0", b"1"])
            self.assertEqual(core.waiting, {})
            self.assertTrue(all(query.done for query in queries))
        self.everywhere(begin, lambda queries: [result(q.op, q.seq, message(b"%d" % i), 0, 1) for i, q in enumerate(queries)],
                        check)

    def test_a_request_and_its_answer(self):
        """It is in the books once, and out of them once."""
        def begin(core, frames):
            query = core.send_message(request()).send(None)
            second = core.send_message(request()).send(None)
            receive = Query(wire.NEXT)
            for q in query, second, receive:
                frames.queue(q)
            return query, second, receive

        def answers(queries):
            sent = [struct.pack("<4I", 0, serial, 1, 0) for serial in (5, 6)]
            return [result(wire.SEND_MESSAGE, queries[0].seq, sent[0]), result(wire.SEND_MESSAGE, queries[1].seq, sent[1]),
                    result(wire.NEXT, queries[2].seq, message(b"a", (0, 5), 1), 0, 1)]

        def check(core, queries, taken):
            self.assertEqual(taken, [b"a"])
            core.lose()
            self.assertEqual([parts.numbers[2:4] for _, parts in core.inbox], [(0, 6)])
        self.everywhere(begin, answers, check)

    def test_a_call(self):
        def begin(core, frames):
            query = core.call(request(), False).send(None)
            frames.queue(query)
            return [query]

        def answers(queries):
            seq = queries[0].seq
            return [result(wire.CALL, seq, message(b"a", (0, 5), 1), 0, 1)]

        def check(core, queries, taken):
            self.assertEqual((taken, queries[0].parts.data), ([], b"a"))
            core.lose()
            self.assertEqual(core.inbox, [])
        self.everywhere(begin, answers, check)

    def test_a_call_that_keeps(self):
        """An answer that comes after the time, and before the call has returned, is in the queue and nowhere else."""
        for comes_first in False, True:
            core, frames = fresh()
            calling = core.call(request(), True)
            query = calling.send(None)
            frames.queue(query)
            if comes_first:
                frames.feed(result(wire.CALL, query.seq, message(b"a", (0, 5), 1), 0, 1))
            core.give_up(query)
            if not comes_first:
                frames.feed(result(wire.CALL, query.seq, message(b"a", (0, 5), 1), 0, 1))
            with self.assertRaises(StopIteration) as end:
                calling.send(query.answer)
            self.assertIsNone(end.exception.value[0])
            self.assertEqual([parts.data for _, parts in core.inbox], [b"a"])

    def test_the_loss(self):
        """Each last word once."""
        at = 0
        while True:
            at += 1
            core, frames = fresh()
            for serial in 5, 6:
                query = core.send_message(request()).send(None)
                frames.queue(query)
                frames.feed(result(wire.SEND_MESSAGE, query.seq, struct.pack("<4I", 0, serial, 1, 0)))
            interrupted = interrupt(core.lose, at)
            core.lose()
            self.assertEqual([parts.numbers[2:4] for _, parts in core.inbox], [(0, 5), (0, 6)])
            if not interrupted:
                return


class Inbox(unittest.TestCase):
    def test_put_back(self):
        """What did not get to where it was to go is the first again, and there once."""
        core = Core(3)
        core.inbox = [(2, layout.BLANK), (4, layout.BLANK), (6, layout.BLANK)]
        first = core.inbox.pop(0)
        for _ in range(2):
            core.put_back(first)
            self.assertEqual([number for number, _ in core.inbox], [2, 4, 6])

    def waits(self, count):
        """So many receivers that wait, and whom of them was woken."""
        core, frames = fresh()
        receiving, woken = [core.receive_wait() for _ in range(count)], []
        queries = [operation.send(None) for operation in receiving]
        for i, query in enumerate(queries):
            query.notify = lambda i=i: woken.append(i)
            query.operation = receiving[i]
            frames.queue(query)
        return core, frames, queries, woken

    def takes(self, core, query):
        self.assertRaises(StopIteration, query.operation.send, query.answer)
        del core.inbox[0]
        core.taken()

    def test_each_comes_for_its_own(self):
        """Nobody is woken for a message for which somebody comes."""
        core, frames, queries, woken = self.waits(3)
        frames.feed(b"".join(result(wire.NEXT_WAIT, query.seq, message(b"x")) for query in queries[:2]))
        self.takes(core, queries[0])
        self.takes(core, queries[1])
        self.assertEqual(woken, [0, 1])

    def test_left_behind(self):
        """Somebody is woken for a message for which nobody comes, once."""
        core, frames, queries, woken = self.waits(4)
        core.give_up(queries[0])
        frames.feed(result(wire.NEXT_WAIT, queries[0].seq, message(b"late")))
        self.assertEqual(woken, [1, 0])  # the first need not hear of it, but it does no harm
        frames.feed(result(wire.NEXT_WAIT, queries[1].seq, message(b"own")))
        self.takes(core, queries[1])
        core.taken()
        self.assertEqual(woken, [1, 0, 1, 2])
        core.give_up(queries[2])  # it does not come
        core.left(queries[2])
        self.assertEqual(woken, [1, 0, 1, 2, 3])


class Pieces(unittest.TestCase):
    def test_any(self):
        """Bytes may come in any pieces, and go in any."""
        for size in range(1, 40):
            core, frames = fresh()
            queries = [Query(wire.NEXT) for _ in range(3)]
            for query in queries:
                frames.queue(query)
            gone = b""
            while frames.rest():
                piece = bytes(frames.rest()[:size])
                frames.counts.append(len(piece))
                gone += piece
            self.assertEqual(gone, b"".join(wire.frame(wire.NEXT, q.seq) for q in queries))
            stream = b"".join(result(q.op, q.seq, message(b"%d" % i)) for i, q in enumerate(queries))
            for at in range(0, len(stream), size):
                frames.feed(stream[at:at + size])
            self.assertEqual([parts.data for _, parts in core.inbox], [b"0", b"1", b"2"])

    def test_taking_back(self):
        """Only a query of which no byte has gone, and that is the last."""
        core, frames = fresh()
        first, second = Query(wire.BIND, 0, b"$.A"), core.call(request(), False).send(None)
        frames.queue(first)
        frames.queue(second)
        self.assertFalse(frames.unsend(first))
        frames.counts.append(5)
        self.assertTrue(frames.unsend(second))
        self.assertEqual(bytes(frames.rest()), wire.frame(wire.BIND, first.seq, 0, b"$.A")[5:])
        self.assertEqual(list(core.waiting.values()), [first])
        self.assertFalse(frames.unsend(first))

    def test_nonsense(self):
        core, frames = fresh()
        query = Query(wire.NEXT)
        frames.queue(query)
        frames.feed(struct.pack("<IBBHII", 0xFFFFFFFF, 6, 0, 0, 1, 0))
        self.assertRaises(KbusError, query.result)
        late = Query(wire.NEXT)
        frames.queue(late)
        self.assertRaises(KbusError, late.result)


if __name__ == "__main__":
    unittest.main()
