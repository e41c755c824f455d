"""The servers that people use today, each configured for speed."""

import itertools
import os
import pathlib
import random
import shutil
import subprocess
import time

import machine
import processes
from processes import Server

PEERS = pathlib.Path(__file__).resolve().parents[1] / "peers"
POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
NODE = shutil.which("node") or shutil.which("nodejs")
PACKETS_COUNTED_SECONDS_MAX = 30
# pgbench accepts at most 128 scripts.
UPSERT_SCRIPTS = 100


class Nginx(Server):
    """nginx with one worker. `configuration` is a file of bench/peers, whose @NAMES@ are filled in."""

    def __init__(self, folder, configuration, redis=None):
        super().__init__(f"nginx, {configuration}", folder, machine.SERVER_CORE)
        self._configuration = configuration
        self._redis = redis
        self._port = processes.free_port()

    def prepare(self):
        text = (PEERS / self._configuration).read_text()
        for name, value in (("FOLDER", self.folder), ("PORT", self._port),
                            ("REDIS_PORT", self._redis and self._redis.port)):
            text = text.replace(f"@{name}@", str(value))
        (self.folder / "nginx.conf").write_text(text)

    def words(self):
        return ["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf"]

    def is_ready(self):
        return processes.accepts(self._port)

    def address(self, _name):
        return f"127.0.0.1:{self._port}"


class Statsd(Server):
    """statsd, which adds up packets in memory. It reports the number of packets at its flushes."""

    flush_interval = "2s"

    def __init__(self, folder):
        super().__init__("statsd", folder, machine.SERVER_CORE)
        self.port = processes.free_port()
        self._totals = self.folder / "totals"

    def prepare(self):
        self._totals.write_text("")
        (self.folder / "config.js").write_text(
            f"{{port: {self.port}, address: '127.0.0.1', mgmt_address: '127.0.0.1', "
            f"mgmt_port: {processes.free_port()}, flushInterval: 2000, keyNameSanitize: false, "
            f"deleteCounters: true, totalsFile: '{self._totals}', backends: ['{PEERS / 'statsd_totals.js'}']}}")

    def words(self):
        return [NODE, PEERS / "node_modules" / "statsd" / "stats.js", self.folder / "config.js"]

    def is_ready(self):
        return f":{self.port:04X} " in pathlib.Path("/proc/net/udp").read_text()

    def counted(self):
        """Returns the number of packets that statsd has counted since its start, including the latest ones."""
        # Meanwhile statsd takes the packets that are still in its socket.
        time.sleep(0.2)
        flushes = len(self._totals.read_text().split())
        deadline = time.monotonic() + PACKETS_COUNTED_SECONDS_MAX
        while len(self._totals.read_text().split()) == flushes:
            if time.monotonic() > deadline:
                raise RuntimeError("statsd does not flush")
            time.sleep(0.05)
        return int(self._totals.read_text().split()[-1])


class Postgres(Server):
    """A database cluster for the benchmark, on a UNIX socket. Commits are durable (synchronous_commit), as by
    default."""

    def __init__(self, folder, articles):
        super().__init__("PostgreSQL", folder, machine.SERVER_CORE)
        self._articles = articles
        self._data = self.folder / "data"
        # The cluster's owner must be able to reach the socket, whatever folders lead to `folder`. Socket addresses must
        # be short.
        self._sockets = pathlib.Path(f"/tmp/viewcount-bench-postgres-{os.getpid()}")

    def _as_owner(self, *words):
        """Returns the command line that runs as the cluster's owner, because PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return [str(word) for word in words]
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *(str(word) for word in words)]

    def prepare(self):
        shutil.rmtree(self._data, ignore_errors=True)
        self._sockets.mkdir(mode=0o755, exist_ok=True)
        self._data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            for folder in (self._data, self._sockets):
                shutil.chown(folder, "postgres", "postgres")
        subprocess.run(self._as_owner(POSTGRES / "initdb", "--pgdata", self._data, "--encoding=UTF8", "--locale=C",
                                      "--auth=trust"), check=True, capture_output=True, cwd="/")

    def words(self):
        settings = {"listen_addresses": "", "unix_socket_directories": self._sockets, "shared_buffers": "256MB",
                    "max_wal_size": "4GB", "synchronous_commit": "on", "fsync": "on"}
        return self._as_owner(POSTGRES / "postgres", "-D", self._data,
                              *itertools.chain(*(("-c", f"{name}={value}") for name, value in settings.items())))

    def options(self):
        return {"cwd": "/"}

    def _connection(self):
        return ["--host", self._sockets, "--username", "postgres" if os.geteuid() == 0 else os.environ["USER"]]

    def is_ready(self):
        return subprocess.run([POSTGRES / "pg_isready", *self._connection()], capture_output=True).returncode == 0

    def __enter__(self):
        super().__enter__()
        try:
            processes.run([POSTGRES / "psql", *self._connection(), "--dbname=postgres", "--no-psqlrc", "--quiet",
                           "--set=ON_ERROR_STOP=1", f"--set=articles={self._articles}",
                           f"--file={PEERS / 'postgres.sql'}"])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *arguments):
        if self.process is not None:
            # SIGINT ends PostgreSQL immediately and in good order. SIGTERM would wait for clients.
            self.process.send_signal(2)
        super().__exit__(*arguments)
        shutil.rmtree(self._data, ignore_errors=True)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def update_scripts(self):
        return [PEERS / "postgres_update.sql"]

    def upsert_scripts(self, batch_views):
        """Writes scripts with one statement per batch.

        The views follow Zipf's law. They are added up beforehand and sorted, so that there are no deadlocks.
        """
        draw = random.Random(1)
        weights = list(itertools.accumulate(1 / rank for rank in range(1, self._articles + 1)))
        paths = []
        for number in range(UPSERT_SCRIPTS):
            counts = {}
            for article in draw.choices(range(self._articles), cum_weights=weights, k=batch_views):
                counts[article] = counts.get(article, 0) + 1
            articles = sorted(counts)
            names = ",".join(f"/news/2026/story-{10_000_000 + article}" for article in articles)
            numbers = ",".join(str(counts[article]) for article in articles)
            path = self.folder / f"upsert_{number}.sql"
            path.write_text("INSERT INTO views SELECT * FROM unnest("
                            f"'{{{names}}}'::text[], '{{{numbers}}}'::bigint[]) AS batch(article, n) "
                            "ON CONFLICT (article) DO UPDATE SET n = views.n + excluded.n;\n")
            paths.append(path)
        return paths

    def load(self, scripts, clients, seconds):
        """Runs the scripts at random for this time, and returns the number of committed transactions."""
        output = processes.run([POSTGRES / "pgbench", *self._connection(), "--no-vacuum", "--protocol=prepared",
                                f"--client={clients}", "--jobs=1", f"--time={max(1, round(seconds))}",
                                f"--define=articles={self._articles}",
                                *(f"--file={script}" for script in scripts), "postgres"])
        for line in output.splitlines():
            if line.startswith("number of transactions actually processed:"):
                return int(line.partition(":")[2].split("/")[0])
        raise RuntimeError(f"pgbench told no number of transactions:\n{output}")
