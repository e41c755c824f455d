"""Starts the service while Redis is away.

Views are accepted, and each is counted exactly once when Redis becomes available.
Run by ctest with the programs' paths: late_start_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import messages  # noqa: E402
import service  # noqa: E402

MESSAGES = messages.generate()

from grpc_stubs import Stubs  # noqa: E402
from viewcount.v1 import ingest_pb2, query_pb2  # noqa: E402
from web import Web  # noqa: E402

DAEMON = None
COMMAND = None
SECONDS_MAX = 30
# The exit codes are defined in service/server/stop_signal.h.
EXIT_UNFLUSHED = 3
EXIT_FENCED = 4


class Redis:
    """A redis-server on a UNIX socket that can be started and stopped. Its data stays."""

    def __init__(self, folder, *options):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"redis+unix://{self.socket}"
        self.options = options
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self.folder),
             "--appendonly", "yes", "--appendfsync", "always", *self.options], stdout=subprocess.DEVNULL)
        until(lambda: self.socket.exists() and "PONG" in self.command("PING"))

    def stop(self):
        if self.process is None:
            return
        process, self.process = self.process, None
        process.terminate()
        process.wait()
        self.socket.unlink(missing_ok=True)

    def command(self, *words):
        return subprocess.run(["redis-cli", "-s", str(self.socket), *words], capture_output=True, text=True, timeout=10,
                              check=False).stdout.strip()


def until(holds):
    """Waits until `holds()` returns true. Raises after SECONDS_MAX."""
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError("it did not come to hold")
        time.sleep(0.02)


class LateStartTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-late-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.redis = Redis(self.folder / "redis")
        self.addCleanup(self.redis.stop)
        self.service = self.make("data")

    def make(self, name, *flags):
        data_dir = self.folder / name
        data_dir.mkdir(exist_ok=True)
        made = service.Service(DAEMON, data_dir, "--redis", self.redis.url, "--flush-interval", "100ms", *flags)
        self.addCleanup(lambda: made._process and made.kill())
        return made

    def record(self, article_id, count=1, writer=None, sequence=0, to=None, site="demo"):
        with Stubs((to or self.service).address("grpc")) as stubs:
            return stubs.record_views(ingest_pb2.RecordViewsRequest(
                site=site, writer_id=writer or b"", sequence=sequence,
                views=[ingest_pb2.View(article_id=article_id, count=count)]))

    def read(self, *article_ids, of=None):
        with Stubs((of or self.service).address("grpc")) as stubs:
            return stubs.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=article_ids))

    def expect(self, **counts):
        """Checks that the counts of the present service are exactly these, and that all numbers add up."""
        ids = ["/" + name for name in counts]
        answer = self.read(*ids)
        self.assertTrue(answer.exact)
        self.assertEqual([count.views for count in answer.counts], list(counts.values()))
        done = subprocess.run([COMMAND, "--server", self.service.address("grpc"), "audit"], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def await_ready(self, of=None):
        until(lambda: (of or self.service).why_not_ready() is None)

    def fails(self, code, call):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        self.assertEqual(raised.exception.code(), code, raised.exception)
        return raised.exception

    def test_a_new_directory_takes_views_and_counts_them_when_redis_comes(self):
        self.service.start(ready=False)
        self.assertIn("Redis", self.service.why_not_ready())
        self.assertEqual(self.record("/a", 3).durability, ingest_pb2.DURABILITY_JOURNALED)
        page = Web(self.service.address("http"))
        body = json.dumps({"views": [{"articleId": "/b"}]})
        self.assertLess(page.post("/views", body, {"Content-Type": "application/json"}).status, 300)
        error = self.fails(grpc.StatusCode.UNAVAILABLE, lambda: self.read("/a"))
        self.assertIn(b"RetryInfo", dict(error.trailing_metadata())["grpc-status-details-bin"])
        self.assertFalse((self.folder / "data" / "DATASET").exists())
        self.redis.start()
        self.await_ready()
        self.expect(a=3, b=1)
        self.assertIn(self.redis.command("HGET", "vc:meta", "data_set"),
                      (self.folder / "data" / "DATASET").read_text())
        self.record("/a")
        self.expect(a=4, b=1)
        self.assertEqual(self.service.stop(), 0)

    def test_what_earlier_starts_had_left_is_counted_once_with_what_is_taken_meanwhile(self):
        writer = bytes(range(16))
        self.redis.start()
        self.service.start()
        self.record("/a", 5, writer, 1)
        self.redis.stop()
        # This batch cannot be in Redis, because Redis is away.
        self.record("/a", 7, writer, 2)
        self.assertEqual(self.service.stop(), EXIT_UNFLUSHED)
        for _ in range(2):
            self.service.start(ready=False)
            # The service recognises a retry from its checkpoint and journal.
            self.assertTrue(self.record("/a", 7, writer, 2).duplicate)
            self.record("/b", 1)
            self.service.kill()
        self.service.start(ready=False)
        self.assertFalse(self.record("/a", 11, writer, 3).duplicate)
        self.assertEqual(self.service.stop(), EXIT_UNFLUSHED)
        self.service.start(ready=False)
        self.record("/c", 1)
        self.redis.start()
        self.await_ready()
        self.expect(a=23, b=2, c=1)
        self.assertTrue(self.record("/a", 11, writer, 3).duplicate)
        self.assertEqual(self.service.stop(), 0)

    def test_it_ends_with_nothing_left_to_do_if_nothing_was_ever_taken(self):
        self.service.start(ready=False)
        self.assertEqual(self.service.stop(), 0)

    def test_settings_of_sites_come_from_the_journal(self):
        self.redis.start()
        self.service.start()
        subprocess.run([COMMAND, "--server", self.service.address("grpc"), "site", "put", "news", "--time-zone",
                        "Asia/Ho_Chi_Minh", "--origin", "https://news.example"], check=True, capture_output=True)
        self.record("/a", site="news")
        self.assertEqual(self.service.stop(), 0)
        self.redis.stop()
        self.service.start(ready=False)
        self.record("/a", site="news")
        done = subprocess.run([COMMAND, "--server", self.service.address("grpc"), "site", "list", "--json"], check=True,
                              capture_output=True, text=True)
        self.assertIn("Asia/Ho_Chi_Minh", done.stdout)
        # While Redis is away, the service cannot know that the site does not exist.
        self.fails(grpc.StatusCode.UNAVAILABLE, lambda: self.record("/a", site="other"))
        self.redis.start()
        self.await_ready()
        self.fails(grpc.StatusCode.NOT_FOUND, lambda: self.record("/a", site="other"))

    def test_another_data_set_is_refused_for_as_long_as_it_is_there(self):
        self.redis.start()
        self.service.start()
        self.record("/a")
        self.assertEqual(self.service.stop(), 0)
        ours = self.redis.command("HGET", "vc:meta", "data_set")
        self.redis.command("HSET", "vc:meta", "data_set", "0123456789abcdef0123456789abcdef")
        self.redis.stop()
        self.service.start(ready=False)
        self.record("/a")
        self.redis.start()
        until(lambda: "belongs to data set" in (self.service.why_not_ready() or ""))
        until(lambda: "put right" in self.service.log() and "belongs to data set" in self.service.log())
        self.record("/a")
        self.redis.command("HSET", "vc:meta", "data_set", ours)
        self.await_ready()
        self.expect(a=3)
        self.assertEqual(self.service.stop(), 0)

    def test_an_evicting_redis_is_refused_until_it_is_put_right(self):
        self.redis.options = ("--maxmemory-policy", "allkeys-lru")
        self.service.start(ready=False)
        self.record("/a")
        self.redis.start()
        until(lambda: "maxmemory-policy" in (self.service.why_not_ready() or ""))
        self.record("/a")
        self.redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.await_ready()
        self.expect(a=2)

    def test_a_copy_that_is_in_use_stops_it_and_its_own_views_are_brought_in_as_new(self):
        self.redis.start()
        self.service.start()
        self.record("/a", 2)
        self.assertEqual(self.service.stop(), 0)
        shutil.copytree(self.folder / "data", self.folder / "copy", ignore=shutil.ignore_patterns("redis.sock"))
        self.redis.stop()
        self.service.start(ready=False)
        self.record("/b", 3)
        self.redis.start()
        self.await_ready()
        copy = self.make("copy")
        self.service.stop()
        # The original has run since the copy was made, under an incarnation that the copy does not know.
        self.redis.stop()
        copy.start(ready=False)
        self.record("/c", 4, to=copy)
        self.redis.start()
        self.assertEqual(copy.wait(), EXIT_FENCED)
        self.drain("copy")
        self.service.start()
        self.expect(a=2, b=3, c=4)

    def test_an_older_copy_of_the_journal_stops_it_and_its_new_views_are_brought_in_as_new(self):
        self.redis.start()
        self.service.start()
        self.record("/a", 2)
        self.assertEqual(self.service.stop(), 0)
        shutil.copytree(self.folder / "data", self.folder / "older")
        self.service.start()
        self.record("/a", 5)
        self.record("/b", 5)
        self.assertEqual(self.service.stop(), 0)
        self.redis.stop()
        # The data directory is restored from an older backup. Redis knows its identity, but the backup lacks the views
        # journaled since.
        identity = (self.folder / "data" / "lanes" / "0" / "IDENTITY").read_text()
        shutil.rmtree(self.folder / "data")
        shutil.copytree(self.folder / "older", self.folder / "data")
        (self.folder / "data" / "lanes" / "0" / "IDENTITY").write_text(identity)
        self.service.start(ready=False)
        # More views are recorded than were lost, so that the journal is longer than Redis' last known position.
        for _ in range(10):
            self.record("/c", 1)
        self.service.kill()
        self.redis.start()
        refused = subprocess.run([DAEMON, "--data-dir", str(self.folder / "data"), "--redis", self.redis.url,
                                  "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0",
                                  "--backend-address", "127.0.0.1:0", "--admin-address", "127.0.0.1:0"], capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        self.assertEqual(refused.returncode, EXIT_FENCED, refused.stderr)
        self.assertIn("--as-new", refused.stderr)
        self.drain("data")
        self.service.start()
        self.expect(a=7, b=5, c=10)

    def test_the_same_older_copy_while_it_runs(self):
        self.redis.start()
        self.service.start()
        self.assertEqual(self.service.stop(), 0)
        shutil.copytree(self.folder / "data", self.folder / "older")
        self.service.start()
        self.record("/a", 5)
        self.assertEqual(self.service.stop(), 0)
        self.redis.stop()
        identity = (self.folder / "data" / "lanes" / "0" / "IDENTITY").read_text()
        shutil.rmtree(self.folder / "data")
        shutil.copytree(self.folder / "older", self.folder / "data")
        (self.folder / "data" / "lanes" / "0" / "IDENTITY").write_text(identity)
        self.service.start(ready=False)
        for _ in range(10):
            self.record("/c", 1)
        self.redis.start()
        self.assertEqual(self.service.wait(), EXIT_FENCED)
        self.drain("data")
        self.service.start()
        self.expect(a=5, c=10)

    def drain(self, name):
        done = subprocess.run([COMMAND, "journal", "drain", str(self.folder / name), "--redis", self.redis.url,
                               "--as-new"], capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    DAEMON, COMMAND = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main(verbosity=2)
