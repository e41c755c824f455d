"""Runs viewcountd for one test, with its own data, its own Redis, and ports chosen by the system."""

import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

READY_SECONDS_MAX = 30
STOP_SECONDS_MAX = 10
# ctest sets this variable for programs with the address sanitizer, which searches for leaks at the end.
LEAK_SEARCH_SECONDS = 3 if "ASAN_OPTIONS" in os.environ else 0


class Service:
    """One viewcountd process at a time over one data directory, which the caller creates and removes.

    Always stop it: `with Service(...) as service`, or `start()` and `stop()`.
    """

    def __init__(self, program, data_dir, *flags, **process):
        """`process` is passed to subprocess.Popen: an environment, limits, another standard error."""
        self._process_options = process
        self._program = program
        self._data_dir = pathlib.Path(data_dir)
        self._flags = flags
        self._process = None
        # The address at which the next start listens. Set it to a previous address to reuse that address.
        self.grpc_address = "127.0.0.1:0"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self._process is not None:
            self.stop()

    def start(self, ready=True):
        """Starts the process and waits until it is ready.

        Without `ready` it waits only until its ports are open. Raises an error with the log if that does not happen in
        time.
        """
        addresses = self._data_dir / "addresses"
        addresses.unlink(missing_ok=True)
        log = open(self._data_dir / "log", "ab")
        with log:
            self._process = subprocess.Popen(
                self.command(), **({"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log} | self._process_options))
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not (self._complete(addresses) and (not ready or self.why_not_ready() is None)):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                self._process.wait()
                self._process = None
                raise RuntimeError("viewcountd did not become ready:\n" + self.log())
            time.sleep(0.02)

    @staticmethod
    def _complete(addresses):
        return addresses.exists() and "grpc=" in addresses.read_text() and addresses.read_text().endswith("\n")

    def address(self, name):
        """Returns the address at which the service listens. `name` is grpc, http, backend or admin."""
        lines = (self._data_dir / "addresses").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)[name]

    def why_not_ready(self):
        """Returns the reason that the admin address gives for not being ready, or None if the service is ready."""
        try:
            with urllib.request.urlopen(f"http://{self.address('admin')}/readyz", timeout=STOP_SECONDS_MAX):
                return None
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()

    def signal(self, number):
        self._process.send_signal(number)

    def wait(self, seconds_max=STOP_SECONDS_MAX):
        """Waits until the process ends after a signal or by itself, and returns its exit code."""
        process, self._process = self._process, None
        try:
            return process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise RuntimeError(f"viewcountd did not end within {seconds_max} s:\n{self.log()}") from None

    def log(self):
        return (self._data_dir / "log").read_text(errors="replace")

    def command(self):
        """Returns the command line. A test may replace this method for a program that writes its addresses in the same
        way."""
        return [self._program, "--data-dir", str(self._data_dir), "--redis", "embedded", "--site", "demo",
                "--grpc-address", self.grpc_address, "--http-address", "127.0.0.1:0", "--backend-address",
                "127.0.0.1:0", "--admin-address", "127.0.0.1:0", *self._flags]

    def resident_bytes(self):
        """Returns the process's resident memory in bytes, without that of its children."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def descendants(self):
        """Returns the process IDs of all descendants."""
        found, unseen = [], [self._process.pid]
        while unseen:
            for task in pathlib.Path(f"/proc/{unseen.pop()}/task").glob("*/children"):
                children = [int(pid) for pid in task.read_text().split()]
                found += children
                unseen += children
        return found

    def kill(self):
        """Sends SIGKILL. For the process this is like a power failure, but the data that it wrote stays."""
        process, self._process = self._process, None
        process.kill()
        process.wait()

    def end(self, seconds_max=STOP_SECONDS_MAX):
        """Sends SIGTERM, unless the process was ended or never started.

        Returns the problems of its end as a list of sentences. A sanitizer's report is a problem, whatever the exit
        code.
        """
        process, self._process = self._process, None
        if process is None:
            return []
        faults = []
        if process.poll() is not None:
            faults.append(f"viewcountd had ended by itself with {process.returncode}")
        else:
            process.send_signal(signal.SIGTERM)
            try:
                if process.wait(seconds_max + LEAK_SEARCH_SECONDS) != 0:
                    faults.append(f"viewcountd ended with {process.returncode}")
            except subprocess.TimeoutExpired:
                faults.append(f"viewcountd did not end within {seconds_max} s")
                process.kill()
                process.wait()
        if re.search("Sanitizer|runtime error", self.log()):
            faults.append("a sanitizer reported an error")
        return faults

    def stop(self, seconds_max=STOP_SECONDS_MAX):
        """Sends SIGTERM and returns the exit code. Raises if the process takes longer than `seconds_max`."""
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise RuntimeError(f"viewcountd did not end within {seconds_max} s:\n{self.log()}") from None


def is_alive(pid):
    """Returns true unless the process has ended, or is a zombie that only waits to be reaped."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" and os.path.exists(f"/proc/{pid}")
