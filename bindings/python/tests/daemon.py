"""A kbusd of one's own for a test: in a directory of its own, told apart by nothing else, and gone afterwards."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from kbus import Ksock

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
KBUSD = os.environ.get("KBUSD", str(ROOT / "bin" / "kbusd"))
KBUS = str(ROOT / "bin" / "kbus")
PATIENCE = 60  # seconds; only against tests that would wait for ever


class Daemon:
    """Starts kbusd, and waits until it says that it is ready. KBUS_DIR of this process says where it is."""

    def __init__(self, *args):
        self.dir = tempfile.mkdtemp(prefix="kbus")
        self.args = args
        self.start()

    def start(self):
        """Also again, in the same directory, after kill()."""
        notify = os.path.join(self.dir, "notify")
        if os.path.exists(notify):
            os.unlink(notify)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(notify)
            told.settimeout(PATIENCE)
            self.process = subprocess.Popen([KBUSD, "--dir", self.dir, *self.args], stderr=subprocess.DEVNULL,
                                            env={**os.environ, "NOTIFY_SOCKET": notify})
            while b"READY=1" not in told.recv(4096):
                pass
        os.environ["KBUS_DIR"] = self.dir

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """As a debugger would; when this returns it stands still."""
        self.process.send_signal(signal.SIGSTOP)
        while pathlib.Path("/proc/{}/stat".format(self.process.pid)).read_text().rpartition(")")[2].split()[0] != "T":
            os.sched_yield()

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        """As an accident would end it."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def end(self):
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


class WithDaemon(unittest.TestCase):
    """A test with a daemon; the Ksocks that it opens are closed."""

    daemon_args = more_args = ()

    def setUp(self):
        self.daemon = Daemon(*self.daemon_args)
        self.addCleanup(self.daemon.end)

    def ksock(self, *bindings, mode="rw", which=0):
        """A Ksock that listens to all these names."""
        ksock = Ksock(self.bus(which), mode)
        self.addCleanup(lambda: ksock.mode and ksock.close())
        for name in bindings:
            ksock.bind(name)
        return ksock

    def bus(self, number):
        """What a Ksock is opened by."""
        return number

    def fails(self, number, operation, *args, **kwargs):
        """The exception of an operation that must fail with that errno."""
        with self.assertRaises(OSError) as caught:
            operation(*args, **kwargs)
        self.assertEqual(caught.exception.errno, number, caught.exception)
        return caught.exception


class WithDevice(WithDaemon):
    """The same through the device node. It is a FUSE mount in the daemon's own directory."""

    def setUp(self):
        if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
            self.skipTest("devices need root and /dev/fuse")
        self.links = tempfile.mkdtemp(prefix="kbus")
        self.addCleanup(shutil.rmtree, self.links)
        self.daemon_args = ("--device=fuse", "--device-link", os.path.join(self.links, "kbus"), *self.more_args)
        super().setUp()
        self.addCleanup(subprocess.run, ["umount", "-ql", os.path.join(self.daemon.dir, "bus0")],
                        stderr=subprocess.DEVNULL)  # it is gone already if the daemon ended in order

    def bus(self, number):
        return os.path.join(self.links, "kbus{}".format(number))
