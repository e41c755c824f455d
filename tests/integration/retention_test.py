"""Changes how long hours and days are kept: times to live in Redis, which windows are refused, and the audit.

Run by ctest with the programs' paths: retention_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import datetime
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402

DAEMON = None
COMMAND = None
SECONDS_MAX = 60
REMOVAL_SECONDS_MAX = 60
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
DAY_SECONDS = 86_400
# In days. Redis keeps hours for an hour more than the setting.
HOUR = 1 / 24


def days_ago(days):
    return datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)


class RetentionTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-retention-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.logs = 0
        self.socket = self.folder / "redis" / "redis.sock"
        self.service = service.Service(DAEMON, self.folder, "--lanes", "1")
        self.enterContext(self.service)

    def redis(self, *words):
        return subprocess.run(["redis-cli", "-s", str(self.socket), *words], check=True, capture_output=True, text=True,
                              timeout=10).stdout.split()

    def run_command(self, *words, **options):
        return subprocess.run([COMMAND, "--server", self.service.address("grpc"), "--site", "demo", *words], capture_output=True, text=True,
                              check=False, timeout=SECONDS_MAX, **options)

    def command(self, *words, **options):
        done = self.run_command(*words, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refusal(self, *words):
        done = self.run_command(*words)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

    def view(self, article, days=0, count=1):
        """Imports views of an earlier day, as from a log, and flushes them."""
        when = days_ago(days).strftime("%d/%b/%Y:%H:%M:%S +0000")
        # A log that begins like an earlier one would be taken for a copy of it.
        self.logs += 1
        lines = [f'10.0.{self.logs}.{i} - - [{when}] "GET {article} HTTP/1.1" 200 1 "-" "{AGENT}"\n'
                 for i in range(count)]
        path = self.folder / f"log-{self.logs}"
        path.write_text("".join(lines))
        self.command("import", "access-log", str(path))
        self.command("flush")

    def keys(self, kind):
        return sorted(self.redis("KEYS", f"vc:{{*}}:demo:{kind}"))

    def times_to_live(self, kind):
        """Returns the times to live of keys, in days."""
        return [int(self.redis("TTL", key)[0]) / DAY_SECONDS for key in self.keys(kind)]

    def audit(self):
        done = self.run_command("audit")
        self.assertIn("everything agrees", done.stdout)

    def views(self, *words):
        return int(json.loads(self.command("--json", "series", *words))["views"])

    def test_hours_are_kept_for_longer_from_a_change_on(self):
        self.view("/a")
        self.view("/a", days=9)
        # An hour that is older than the kept time is not written.
        self.assertEqual(len(self.keys("h:*")), 1)
        for left in self.times_to_live("h:*") + self.times_to_live("top:h:*"):
            self.assertAlmostEqual(left, 8 + HOUR, delta=0.01)
        self.assertEqual(self.views("--last", "8d", "--step", "hour"), 1)
        self.assertIn("hours are kept for 8 days; ask for days", self.refusal("series", "--last", "9d", "--step", "hour"))
        done = self.run_command("site", "put", "demo", "--hours-kept", "30d")
        self.assertIn("hours kept for 30 days", done.stdout)
        self.assertIn("hours take up to 76 MiB in Redis for each 1,000 articles", done.stderr)
        # Hours before the change go after 8 days.
        self.assertIn("since the setting was changed", self.refusal("series", "--last", "9d", "--step", "hour"))
        self.assertEqual(self.views("--last", "8d", "--step", "hour"), 1)
        self.assertRegex(self.redis("HGET", "vc:sites", "demo")[-1], r"^hours-kept-until=\d+/8$")
        self.view("/a")
        self.assertTrue(any(abs(left - 30 - HOUR) < 0.01 for left in self.times_to_live("h:*")))
        # The settings are those of the journal and of Redis after a crash.
        self.service.kill()
        self.service.start()
        self.assertIn("since the setting was changed", self.refusal("series", "--last", "9d", "--step", "hour"))
        self.view("/b")
        self.assertTrue(all(left > 29.9 for left in self.times_to_live("top:h:*")[-1:]))
        # A smaller value holds at once.
        self.command("site", "put", "demo", "--hours-kept", "8d")
        self.view("/c")
        self.assertTrue(any(abs(left - 8 - HOUR) < 0.01 for left in self.times_to_live("h:*")))
        self.audit()

    def test_old_days_are_removed_and_refused(self):
        self.view("/a", days=100, count=3)
        self.view("/a", days=10, count=2)
        self.view("/b", count=1)
        self.assertEqual(self.views("--last", "101d"), 6)
        self.assertEqual(len({key.split(":d:")[1] for key in self.keys("d:*")}), 3)
        done = self.run_command("site", "put", "demo", "--days-kept", "62d")
        self.assertIn("days kept for 62 days", done.stdout)
        first = days_ago(61).strftime("%Y-%m-%d")
        self.assertIn(f"days are kept since {first} only, which are the last 62 days", self.refusal("series", "--last",
                                                                                              "101d"))
        old = days_ago(100).strftime("%Y%m%d")
        deadline = time.monotonic() + REMOVAL_SECONDS_MAX
        while any(old in key for key in self.redis("KEYS", "vc:*")):
            self.assertLess(time.monotonic(), deadline, self.service.log())
            time.sleep(0.1)
        self.assertIn("removed the counts of 1 days", self.service.log())
        self.audit()
        self.assertEqual(self.views("--last", "62d"), 3)
        self.assertIn(f"days are kept since {first}", self.refusal("top", "--last", "63d"))
        self.assertIn(f"days are kept since {first}", self.refusal("top", "--day", days_ago(100).strftime("%Y-%m-%d")))
        self.assertIn(f"days are kept since {first}", self.refusal("series", "--last", "31d", "--compare", "year"))
        # Views of all time stay, and old views still count there.
        self.view("/a", days=100, count=4)
        self.assertFalse(any(old in key for key in self.redis("KEYS", "vc:*")))
        counts = json.loads(self.command("--json", "count", "/a"))["counts"]
        self.assertEqual(int(counts[0]["views"]), 9)
        self.audit()
        # Removed days stay refused.
        self.command("site", "put", "demo", "--days-kept", "0d")
        self.assertIn(f"days are kept since {days_ago(60).strftime('%Y-%m-%d')}", self.refusal("top", "--last", "63d"))
        self.view("/a", days=100, count=1)
        self.assertIn("days are kept since", self.refusal("top", "--day", days_ago(100).strftime("%Y-%m-%d")))
        self.audit()


if __name__ == "__main__":
    DAEMON, COMMAND = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()
