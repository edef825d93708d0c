"""Exceptions out of a signal handler, at every place where one may come.

A signal handler runs between two steps of the interpreter, and what it raises comes up there. Which steps have a signal
looked for before them differs: up to Python 3.9 nearly all, in 3.10 those after calls and jumps, from 3.11 on those
after calls of what is not Python, after jumps back, and at the beginning of a function. A tracer could raise before any
step; it does so only before these, for what cannot happen is no reason to write anything.
"""

import dis
import functools
import gc
import os
import sys

import kbus

PACKAGE = os.path.dirname(kbus.__file__)
GENERATOR = 0x20  # a flag of its code

# Up to 3.9: the steps after which the interpreter goes on without looking.
AT_ONCE = {"NOP", "LOAD_FAST", "LOAD_CONST", "LOAD_CLOSURE", "STORE_FAST", "POP_TOP", "ROT_TWO", "ROT_THREE", "ROT_FOUR", "DUP_TOP",
           "DUP_TOP_TWO", "POP_JUMP_IF_FALSE", "POP_JUMP_IF_TRUE", "JUMP_IF_FALSE_OR_POP", "JUMP_IF_TRUE_OR_POP",
           "JUMP_FORWARD", "IS_OP", "CONTAINS_OP", "JUMP_IF_NOT_EXC_MATCH"}
# From 3.11 on.
BEGINNING = {"RESUME", "COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR"}
CALLS = {"CALL", "CALL_KW", "CALL_FUNCTION_EX"}
# Up to 3.10: those before which it never looks.
NEVER = {"SETUP_FINALLY", "SETUP_WITH", "BEFORE_ASYNC_WITH", "YIELD_FROM"}


class Interrupted(Exception):
    """What the handler raises."""


class Frame:
    """What is known of a running function."""

    def __init__(self):
        self.op = None  # the step before
        self.inlined = False  # that was a call of a function of Python
        self.handles = False  # an exception has come since

    def looked(self, op):
        """Whether the interpreter looks for signals before op."""
        before, self.op = self.op, op
        inlined, self.inlined = self.inlined, False
        handles, self.handles = self.handles, False
        if sys.version_info >= (3, 11):
            if before is None:
                return op not in BEGINNING
            return before in BEGINNING or "JUMP_BACKWARD" in before or before in CALLS and not inlined and not handles
        if op in NEVER:
            return False
        if before is None or handles:
            return True
        if sys.version_info >= (3, 10):
            return before.startswith("CALL") or before in ("JUMP_ABSOLUTE", "POP_JUMP_IF_FALSE", "POP_JUMP_IF_TRUE")
        return before not in AT_ONCE


class Interruption:
    """Interrupts the package, in this thread, before the step of that number of those where it can be."""

    def __init__(self, step):
        self.left = step
        self.where = None
        self._frames = {}

    def __call__(self, operation, *args, **kwargs):
        """Tells what the operation gives, in a tuple; None if it was interrupted."""
        before = sys.gettrace()
        sys._getframe().f_trace_opcodes = True  # Python 3.12 looks for that in who switches it on
        gc.disable()  # Python 3.12.1 crashes when another thread collects garbage while a generator is traced
        sys.settrace(self._trace)
        try:
            result = operation(*args, **kwargs)
            sys.settrace(before)
            return (result,)
        except Interrupted:
            return None
        finally:
            sys.settrace(before)
            gc.enable()

    def _trace(self, frame, event, _):
        code = frame.f_code
        if event == "call":
            caller = self._frames.get(id(frame.f_back))
            if caller is not None and not code.co_flags & GENERATOR and code.co_name not in ("__init__", "__new__"):
                caller.inlined = True
        if not code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes = True
        known = self._frames.setdefault(id(frame), Frame())
        if event == "exception":
            known.handles = True
        elif event == "return":
            del self._frames[id(frame)]
        elif event == "opcode" and known.looked(step(code, frame.f_lasti)):
            self.left -= 1
            if self.left < 0:
                self.where = "{}:{} {}".format(os.path.basename(code.co_filename), frame.f_lineno, code.co_name)
                raise Interrupted
        return self._trace


@functools.lru_cache(maxsize=None)
def _bytes(code):
    return code.co_code


def step(code, at):
    return dis.opname[_bytes(code)[at]]
