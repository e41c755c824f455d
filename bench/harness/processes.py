"""Programs that are started for a measurement and ended after it."""

import pathlib
import socket
import subprocess
import time

import machine

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60


def free_port():
    """Returns a port of 127.0.0.1 on which no process listens at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Server:
    """A server process that is pinned to a core and runs while its context is entered.

    `is_ready` is called until it returns true.
    """

    def __init__(self, name, folder, core):
        self.name = name
        self.folder = pathlib.Path(folder)
        self.core = core
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def words(self):
        """Returns the command line."""
        raise NotImplementedError

    def is_ready(self):
        raise NotImplementedError

    def prepare(self):
        """Prepares the start of the process."""

    def options(self):
        """Returns further arguments of Popen."""
        return {}

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.words(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=machine.pinned(self.core), **self.options())
        try:
            self._await_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def cpu_seconds(self):
        return machine.cpu_seconds(self.pid)

    def core_seconds(self):
        return machine.core_seconds(self.core)

    def _await_ready(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not become ready:\n{self.log()}")
            time.sleep(0.02)


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def run(words, prepare=machine.pinned(machine.LOAD_CORE), seconds_max=600, **options):
    """Runs a program of the load to its end and returns its output. Raises with the output if it fails."""
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds_max, preexec_fn=prepare, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(str(word) for word in words)}: exit code {done.returncode}\n"
                           f"{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def start(words, core=machine.LOAD_CORE):
    """Starts a program of the load. Pass the process to finish()."""
    return subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, preexec_fn=machine.pinned(core))


def finish(process, seconds_max):
    """Waits until the process ends, and returns its output as run() does."""
    try:
        output, errors = process.communicate(timeout=seconds_max)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    if process.returncode != 0:
        raise RuntimeError(f"{process.args[0]}: exit code {process.returncode}\n{output[-2000:]}{errors[-4000:]}")
    return output
