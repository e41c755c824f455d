"""Tests what prevents viewcountd from starting.

Each cause must give one clear line that says what to do and an exit code other than 0, and leave nothing behind.
Run by ctest with the program's path: startup_test.py BUILD/bin/viewcountd
"""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import messages  # noqa: E402
import service  # noqa: E402
from web import eventually  # noqa: E402

MESSAGES = messages.generate()

from grpc_stubs import Stubs  # noqa: E402
from viewcount.v1 import ingest_pb2, query_pb2  # noqa: E402

PROGRAM = None
# The exit codes are defined in service/server/stop_signal.h.
EXIT_UNFLUSHED = 3
PORTS = ("--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--backend-address", "127.0.0.1:0",
         "--admin-address", "127.0.0.1:0")
END_SECONDS_MAX = 20


class Redis:
    """A redis-server on a UNIX socket for one test."""

    def __init__(self, folder, *options):
        self.socket = folder / "redis.sock"
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(folder),
             *options], stdout=subprocess.DEVNULL)
        self.url = f"redis+unix://{self.socket}"
        deadline = time.monotonic() + END_SECONDS_MAX
        while not self.socket.exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    def command(self, *words):
        return subprocess.run(["redis-cli", "-s", str(self.socket), *words], capture_output=True, text=True, timeout=10,
                              check=True).stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class RefusalTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-startup-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.data_dir = self.folder / "data"

    def refused(self, *flags, environment=None, data_dir=None):
        """Starts the service, checks that it refuses to start, and returns the one line that it prints."""
        answer = subprocess.run([PROGRAM, "--data-dir", str(data_dir or self.data_dir), *PORTS, *flags], env=environment,
                                capture_output=True, text=True, timeout=END_SECONDS_MAX, check=False)
        self.assertNotEqual(answer.returncode, 0, answer.stderr)
        self.assertGreater(answer.returncode, 0, "ended by a signal")
        self.assertEqual(answer.stdout, "")
        lines = [line for line in answer.stderr.splitlines() if "cannot start" in line or line.startswith("viewcountd:")]
        self.assertEqual(len(lines), 1, answer.stderr)
        return lines[0]

    def test_redis_server_is_not_installed(self):
        line = self.refused(environment={"PATH": "/nowhere"})
        self.assertIn("apt-get install redis-server", line)
        self.assertIn("--redis redis://", line)

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "%s:%d" % taken.getsockname()
            for flag in ("--grpc-address", "--http-address", "--backend-address", "--admin-address"):
                self.assertIn(flag, self.refused(flag, address))

    def test_the_port_of_another_viewcountd(self):
        other = self.folder / "other"
        other.mkdir()
        with service.Service(PROGRAM, other) as running:
            line = self.refused("--grpc-address", running.address("grpc"))
        self.assertIn("in use", line)

    def test_a_data_directory_in_use(self):
        self.data_dir.mkdir()
        with service.Service(PROGRAM, self.data_dir):
            line = self.refused()
        self.assertIn(str(self.data_dir), line)
        self.assertIn("--data-dir", line)

    def test_a_data_directory_that_cannot_be_written(self):
        blocked = self.folder / "file"
        blocked.write_text("")
        self.assertIn("--data-dir", self.refused(data_dir=blocked / "data"))

    def test_an_evicting_redis(self):
        with Redis(self.folder, "--maxmemory-policy", "allkeys-lru") as redis:
            self.assertIn("maxmemory-policy noeviction", self.refused("--redis", redis.url))

    def test_a_wrong_password(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with Redis(self.folder, "--requirepass", "right", "--port", str(port), "--bind", "127.0.0.1"):
            self.assertIn("password", self.refused("--redis", f"redis://:wrong@127.0.0.1:{port}/0"))
            self.assertIn("password", self.refused("--redis", f"redis://127.0.0.1:{port}/0"))

    def test_another_data_set(self):
        with Redis(self.folder) as redis:
            self.data_dir.mkdir()
            with service.Service(PROGRAM, self.data_dir, "--redis", redis.url):
                pass
            redis.command("HSET", "vc:meta", "data_set", "0123456789abcdef0123456789abcdef")
            self.assertIn("belongs to data set", self.refused("--redis", redis.url))

    def test_a_newer_format(self):
        with Redis(self.folder) as redis:
            redis.command("HSET", "vc:meta", "data_set", "0123456789abcdef0123456789abcdef", "format", "2", "shards", "64")
            self.assertIn("newer viewcountd", self.refused("--redis", redis.url))

    def test_unknown_settings(self):
        self.assertIn("--no-such-flag", self.refused("--no-such-flag", "1"))
        self.assertIn("flush-interval", self.refused("--flush-interval", "soon"))


class LifeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-life-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_a_redis_that_is_away_is_waited_for(self):
        address = self.folder / "redis.sock"
        waiting = subprocess.Popen(
            [PROGRAM, "--data-dir", str(self.folder / "data"), *PORTS, "--redis", f"redis+unix://{address}"],
            stderr=subprocess.PIPE, text=True)
        line = waiting.stderr.readline()
        self.assertIn("trying again", line)
        self.assertIsNone(waiting.poll())
        waiting.send_signal(signal.SIGTERM)
        self.assertEqual(waiting.wait(service.STOP_SECONDS_MAX), 0)
        waiting.stderr.close()

    def test_killed_it_leaves_no_redis_behind_and_starts_again(self):
        running = service.Service(PROGRAM, self.folder)
        running.start()
        children = running.descendants()
        self.assertTrue(children)
        process = running._process
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + service.STOP_SECONDS_MAX
        while any(service.is_alive(pid) for pid in children):
            self.assertLess(time.monotonic(), deadline, "redis-server outlives viewcountd")
            time.sleep(0.02)
        running.start()
        self.assertEqual(running.stop(), 0)

    def test_a_lane_keeps_its_identity_over_starts(self):
        with Redis(self.folder) as redis:
            data_dir = self.folder / "data"
            data_dir.mkdir()
            identity = data_dir / "lanes" / "0" / "IDENTITY"
            for start in range(1, 4):
                with service.Service(PROGRAM, data_dir, "--redis", redis.url):
                    pass
                words = [line.split() for line in identity.read_text().splitlines()]
                lane = [value for word, value in words if word == "lane"]
                incarnations = [value for word, value in words if word == "incarnation"]
                self.assertEqual(len(incarnations), start)
                for shard in range(64):
                    self.assertEqual(redis.command("HKEYS", f"vc:{{{shard:02}}}:lanes").split(), lane)
                    self.assertTrue(redis.command("HGET", f"vc:{{{shard:02}}}:lanes", lane[0]).startswith(incarnations[-1]))

    def test_lanes_beyond_the_number_are_retired(self):
        with Redis(self.folder) as redis:
            data_dir = self.folder / "data"
            data_dir.mkdir()
            folders = data_dir / "lanes"
            options = ("--redis", redis.url, "--journal-retention", "1s", "--lanes")
            with service.Service(PROGRAM, data_dir, *options, "3"):
                pass
            with service.Service(PROGRAM, data_dir, *options, "1"):
                self.assertTrue(eventually(lambda: len(list(folders.glob("*/RETIRED"))) == 2))
                self.assertFalse((folders / "0" / "RETIRED").exists())
            with service.Service(PROGRAM, data_dir, *options, "1"):
                pass
            self.assertEqual([path.name for path in folders.iterdir()], ["0"])
            self.assertEqual({redis.command("HLEN", f"vc:{{{shard:02}}}:lanes") for shard in range(64)}, {"1"})

    def test_views_that_are_not_in_redis_are_told_by_the_exit_code_and_come_with_the_next_start(self):
        data_dir = self.folder / "data"
        data_dir.mkdir()
        options = ("--appendonly", "yes", "--appendfsync", "always")
        with Redis(self.folder, *options) as redis:
            running = service.Service(PROGRAM, data_dir, "--redis", redis.url, "--flush-interval", "60s")
            running.start()
            with Stubs(running.address("grpc")) as stubs:
                views = [ingest_pb2.View(article_id="/a", count=3), ingest_pb2.View(article_id="/b")]
                answer = stubs.record_views(ingest_pb2.RecordViewsRequest(site="demo", views=views))
                self.assertEqual(answer.durability, ingest_pb2.DURABILITY_JOURNALED)
        self.assertEqual(running.stop(), EXIT_UNFLUSHED)
        with Redis(self.folder, *options) as redis:
            with service.Service(PROGRAM, data_dir, "--redis", redis.url) as again:
                with Stubs(again.address("grpc")) as stubs:
                    answer = stubs.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=["/a", "/b"]))
                    self.assertEqual([count.views for count in answer.counts], [3, 1])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
