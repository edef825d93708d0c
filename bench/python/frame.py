"""Round trips of a client in Python, as bench/peers measures those of clients in C: one process asks, another answers with
the same data, one question at a time; one line of JSON. A client has two functions, open_asker and serve."""

import ctypes
import json
import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1


def processor_time(pid):
    """Nanoseconds of a process: the kernel has a clock for each, whose number is made from that of the process."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return 0


def replier(serve):
    """A child that serves, and says when it is ready by closing its end of a pipe. It dies with its parent."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.close(reading)
        try:
            serve(lambda: os.write(writing, b"1"))
        finally:
            os._exit(1)
    os.close(writing)
    if os.read(reading, 1) != b"1":
        sys.exit("the replier has failed")
    os.close(reading)
    return pid


def main(peer, open_asker, serve):
    if len(sys.argv) != 4 or sys.argv[1] != "rtt":
        sys.exit("usage: %s rtt SIZE N" % sys.argv[0])
    size, count = int(sys.argv[2]), int(sys.argv[3])
    pid = replier(serve)
    brokers = [int(p) for p in os.environ.get("BROKER_PID", "").replace(",", " ").split()]
    ask = open_asker()

    def trip(number):
        data = number.to_bytes(8, "little").ljust(size, b".")
        if bytes(ask(data)) != data:
            sys.exit("the answer is wrong")

    def spent():
        bus = sum(map(processor_time, brokers))
        return processor_time(os.getpid()) + processor_time(pid) + bus, bus

    for i in range(min(count, 1000)):
        trip(i)
    times = []
    before, bus_before = spent()
    began = time.monotonic_ns()
    for i in range(count):
        start = time.monotonic_ns()
        trip(i)
        times.append(time.monotonic_ns() - start)
    elapsed = time.monotonic_ns() - began
    after, bus_after = spent()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    times.sort()
    at = lambda part: round(times[min(int(part * count), count - 1)] / 1000, 2)
    print(json.dumps({
        "peer": os.environ.get("PEER", peer), "test": "rtt", "size": size, "n": count, "min_us": at(0), "p50_us": at(0.5),
        "p99_us": at(0.99), "mean_us": round(elapsed / count / 1000, 2), "cpu_us": round((after - before) / count / 1000, 2),
        "broker_cpu_us": round((bus_after - bus_before) / count / 1000, 2),
    }))
