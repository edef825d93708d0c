"""An exception may end a turn between any two steps of the interpreter: afterwards every thread gets its turns."""

import errno
import sys
import threading
import unittest

from daemon import PATIENCE
from kbus import KbusError
from kbus.turns import Turns


class Interrupted(Exception):
    pass


class AfterAnException(unittest.TestCase):
    def interrupted(self, turns, step):
        """Takes a turn that ends before that step of the interpreter; False if it has fewer steps."""
        left = [step]

        def trace(frame, event, _):
            if frame.f_code is not Turns.take.__code__:
                return None
            frame.f_trace_opcodes = True
            if event == "opcode":
                left[0] -= 1
                if left[0] < 0:
                    raise Interrupted
            return trace
        before = sys.gettrace()
        sys._getframe().f_trace_opcodes = True  # Python 3.12 looks for that in who switches it on
        sys.settrace(trace)
        try:
            turns.take(int)
            return False
        except Interrupted:
            return True
        finally:
            sys.settrace(before)

    def test_any_step(self):
        step = 0
        while True:
            turns = Turns()
            if not self.interrupted(turns, step):
                break
            other = threading.Thread(target=turns.take, args=(int,), daemon=True)  # first: we may never want another
            other.start()
            other.join(PATIENCE)
            self.assertFalse(other.is_alive(), "after an exception before step {} nobody else gets a turn".format(step))
            self.assertEqual(turns.take(int), 0, "step {}".format(step))
            step += 1
        self.assertGreater(step, 10)

    def test_within_a_turn(self):
        """Whoever is in one gets none, also when a turn of before was left without its lock being released."""
        turns = Turns()
        for left in 0, 1:
            for _ in range(left):
                turns._lock.acquire()
            with self.assertRaises(KbusError) as refused:
                turns.take(turns.take, int)
            self.assertEqual(refused.exception.errno, errno.EDEADLK)


if __name__ == "__main__":
    unittest.main()
