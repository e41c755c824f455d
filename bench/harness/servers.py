"""The service, and the gRPC handlers that show its limits."""

import json
import shutil
import urllib.request

import machine
import processes
from processes import Server

SHARDS = 64
SITE = "demo"
SECONDS_MAX = 300


class Viewcountd(Server):
    """The service on SERVER_CORE, with a store on LOAD_CORE that the caller has started."""

    def __init__(self, programs, folder, store, flush_interval, *flags):
        super().__init__("viewcountd", folder, machine.SERVER_CORE)
        self._programs = programs
        self._flags = flags
        self.store = store
        self.flush_interval = flush_interval

    def prepare(self):
        (self.folder / "addresses").unlink(missing_ok=True)

    def words(self):
        return [self._programs / "viewcountd", "--data-dir", self.folder, "--redis", self.store.url, "--site", SITE,
                "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--backend-address", "127.0.0.1:0",
                "--admin-address", "127.0.0.1:0", "--flush-interval", self.flush_interval, *self._flags]

    def is_ready(self):
        addresses = self.folder / "addresses"
        return addresses.exists() and "grpc=" in addresses.read_text() and addresses.read_text().endswith("\n")

    def address(self, name):
        """Returns the address at which the service listens. `name` is grpc, http, backend or admin."""
        lines = (self.folder / "addresses").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)[name]

    def flush(self):
        """Returns when the store has everything that was acknowledged before."""
        processes.run([self._programs / "viewcount", "--server", self.address("grpc"), "--timeout", SECONDS_MAX,
                       "flush"], seconds_max=SECONDS_MAX + 10)

    def stored_views(self):
        """Returns the site's total as stored in the store."""
        sums = self.store.ask_many([("HGET", f"vc:{{{shard:02}}}:{SITE}:all", "") for shard in range(SHARDS)])
        return sum(int(number or 0) for number in sums)

    def metrics(self):
        """Returns the samples by name, labels included."""
        with urllib.request.urlopen(f"http://{self.address('admin')}/metrics", timeout=SECONDS_MAX) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def status(self):
        """Returns the output of `viewcount status`."""
        return json.loads(processes.run([self._programs / "viewcount", "--server", self.address("grpc"), "--json",
                                         "status"]))

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        # The journals may have gigabytes after a few minutes. The log is kept.
        shutil.rmtree(self.folder / "lanes", ignore_errors=True)


class LimitServer(Server):
    """A gRPC handler that does nothing (`empty`), or that only decodes views into one hash map (`decode`)."""

    def __init__(self, programs, folder, mode):
        super().__init__(f"limit_server {mode}", folder, machine.SERVER_CORE)
        self._programs = programs
        self._mode = mode
        self._port = None

    def prepare(self):
        (self.folder / "log").unlink(missing_ok=True)

    def words(self):
        return [self._programs / "limit_server", "--mode", self._mode, "--address", "127.0.0.1:0"]

    def is_ready(self):
        words = self.log().split()
        if len(words) < 2 or words[0] != "ready" or not self.log().endswith("\n"):
            return False
        self._port = int(words[1].rpartition(":")[2])
        return True

    def address(self, _name):
        return f"127.0.0.1:{self._port}"
