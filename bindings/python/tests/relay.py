"""A relay between clients and a daemon: it passes so many frames of a client, and keeps what comes then, its end among it, until
it is told to go on. Others pass meanwhile, which a daemon that stands still does not allow."""

import socket
import threading


class Relay:
    """Listens at one path, and passes what comes to the daemon at another."""

    def __init__(self, path, daemon):
        self._daemon, self._holds = daemon, None
        self._go_on = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def hold_next(self, frames):
        """The next client is passed so many frames, and the others all."""
        self._holds = frames
        self._go_on.clear()

    def go_on(self):
        self._go_on.set()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._go_on.set()

    def _accept(self):
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            holds, self._holds = self._holds, None
            daemon = socket.socket(socket.AF_UNIX)
            daemon.connect(self._daemon)
            threading.Thread(target=self._to_daemon, args=(client, daemon, holds), daemon=True).start()
            threading.Thread(target=self._to_client, args=(client, daemon), daemon=True).start()

    def _to_daemon(self, client, daemon, holds):
        with client.makefile("rb") as frames:
            passed = 0
            while True:
                try:
                    head = frames.read(16)
                    frame = head + frames.read(int.from_bytes(head[:4], "little"))
                except OSError:
                    frame = b""
                if passed == holds:
                    self._go_on.wait()
                try:
                    daemon.sendall(frame)
                    if not frame:
                        daemon.shutdown(socket.SHUT_WR)
                        return
                except OSError:
                    return
                passed += 1

    def _to_client(self, client, daemon):
        with client, daemon:
            try:
                for piece in iter(lambda: daemon.recv(4096), b""):
                    client.sendall(piece)
            except OSError:
                pass
            client.shutdown(socket.SHUT_RDWR)
