"""Starts servers that cannot choose a free port themselves."""

import socket
import subprocess
import time

START_SECONDS_MAX = 20
ATTEMPTS_MAX = 5


class LocalServer:
    """A process that listens on 127.0.0.1:PORT. The function `words` returns its command line for a port.

    Use it as a context manager. If another process takes the port first, the next port is tried.
    """

    def __init__(self, words, log, environment=None):
        self._words = words
        self._log = log
        self._environment = environment
        self._process = None
        self.address = None

    def __enter__(self):
        for _ in range(ATTEMPTS_MAX):
            if self._start():
                return self
        raise RuntimeError(f"no port to be had:\n{self._log.read_text(errors='replace')}")

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(START_SECONDS_MAX)
        finally:
            self._process.kill()
            self._process.wait()

    def _start(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(self._words(port), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env=self._environment)
        deadline = time.monotonic() + START_SECONDS_MAX
        while self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return True
            except OSError:
                assert time.monotonic() < deadline, self._log.read_text(errors="replace")
                time.sleep(0.02)
        return False
