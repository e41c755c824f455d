"""Tests a Redis that refuses writes, from the operators' point of view.

`viewcount status`, the metrics and the log must name the reason, while everything else continues.
Run by ctest with the programs' paths: redis_states_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402

DAEMON = None
COMMAND = None
SECONDS_MAX = 30


class RedisStatesTest(unittest.TestCase):
    def setUp(self):
        data_dir = tempfile.TemporaryDirectory(prefix="viewcount-redis-")
        self.addCleanup(data_dir.cleanup)
        self.data_dir = pathlib.Path(data_dir.name)
        self.service = self.enterContext(service.Service(DAEMON, self.data_dir, "--flush-interval", "50ms"))

    def command(self, *words):
        done = subprocess.run([COMMAND, "--server", self.service.address("grpc"), "--site", "demo", *words],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def redis(self, *words):
        socket = next((self.data_dir / "redis").glob("*.sock"))
        return subprocess.run(["redis-cli", "-s", str(socket), *words], check=True, capture_output=True,
                              text=True).stdout.strip()

    def get(self, name, path):
        with urllib.request.urlopen(f"http://{self.service.address(name)}{path}", timeout=10) as answer:
            return answer.read().decode()

    def eventually(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.service.log())
            time.sleep(0.05)

    def flush_errors(self, kind):
        line = f'viewcount_flush_errors_total{{kind="{kind}"}} '
        return float(self.get("admin", "/metrics").split(line)[1].split("\n")[0])

    def refused_with(self, word, kind):
        """Records a view that Redis refuses, and checks that all queries are still answered."""
        self.command("record", "news/1")
        self.eventually(lambda: f"refuses writes with {word}: " in self.command("status"))
        self.eventually(lambda: self.flush_errors(kind) > 0)
        self.assertEqual(self.get("admin", "/readyz"), "ready\n")
        self.assertIn("news/1", self.command("top"))
        self.assertIn("news/never-read", self.command("count", f"news/never-read-{word}"))
        self.assertIn("asOf", json.loads(self.get("http", "/v1/sites/demo/stats")))

    def test_what_it_refuses_with_is_named(self):
        self.command("record", "news/1")
        self.command("flush")
        self.assertRegex(self.command("status"), r"store +ready\n")
        self.redis("CONFIG", "SET", "maxmemory", "1")
        self.refused_with("OOM", "out_of_memory")
        self.redis("CONFIG", "SET", "maxmemory", "0")
        self.redis("CONFIG", "SET", "min-replicas-to-write", "1")
        self.refused_with("NOREPLICAS", "no_replicas")
        self.redis("CONFIG", "SET", "min-replicas-to-write", "0")
        self.redis("ACL", "SETUSER", "default", "-hset")
        self.refused_with("NOPERM", "no_permission")
        self.redis("ACL", "SETUSER", "default", "+hset")
        self.eventually(lambda: re.search(r"store +ready\n", self.command("status")))
        self.command("flush")
        self.assertIn('"views":"4"', self.command("--json", "count", "news/1").replace(" ", ""))

    def test_an_evicting_policy_is_named_and_flushing_resumes(self):
        self.redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        self.eventually(lambda: "this Redis evicts keys (maxmemory-policy allkeys-lru)" in self.command("status"))
        self.command("record", "news/1")
        self.eventually(lambda: self.flush_errors("evicting") > 0)
        self.assertIn("viewcount_redis_up 0\n", self.get("admin", "/metrics"))
        self.assertIn("nothing is flushed until that is right", self.service.log())
        self.redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.eventually(lambda: "viewcount_redis_up 1\n" in self.get("admin", "/metrics"))
        self.command("flush")
        self.assertIn('"views":"1"', self.command("--json", "count", "news/1").replace(" ", ""))


class WaiverTest(unittest.TestCase):
    def test_a_forbidden_rewrite_ends_the_start_unless_it_is_waived(self):
        with tempfile.TemporaryDirectory(prefix="viewcount-waive-") as folder:
            socket = pathlib.Path(folder) / "redis.sock"
            redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", str(socket), "--dir", folder,
                                      "--appendonly", "yes", "--rename-command", "BGREWRITEAOF", ""],
                                     stdout=subprocess.DEVNULL)
            self.addCleanup(redis.wait)
            self.addCleanup(redis.kill)
            deadline = time.monotonic() + SECONDS_MAX
            while not socket.exists():
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
            data_dir = pathlib.Path(folder) / "data"
            data_dir.mkdir()
            flags = ("--redis", f"redis+unix://{socket}")
            with self.assertRaisesRegex(RuntimeError, "does not have the command BGREWRITEAOF.*--redis-waive aof-rewrite"):
                service.Service(DAEMON, data_dir, *flags).start()
            with service.Service(DAEMON, data_dir, *flags, "--redis-waive", "aof-rewrite") as running:
                self.assertEqual(running.stop(), 0)
                running.start()


if __name__ == "__main__":
    COMMAND = sys.argv.pop()
    DAEMON = sys.argv.pop()
    unittest.main(verbosity=2)
