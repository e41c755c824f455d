"""Tests a site's settings through the command line, against the real service.

The settings must survive changes, crashes and an emptied Redis.
Run by ctest with the programs' paths: sites_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402

DAEMON = None
COMMAND = None
SECONDS_MAX = 30


class SitesTest(unittest.TestCase):
    """Uses one lane, so that views answered after a change of settings are journaled after that change."""

    def setUp(self):
        data_dir = tempfile.TemporaryDirectory(prefix="viewcount-sites-")
        self.addCleanup(data_dir.cleanup)
        self.data_dir = pathlib.Path(data_dir.name)
        self.service = self.enterContext(service.Service(DAEMON, self.data_dir, "--lanes", "1"))

    def run_command(self, *words):
        return subprocess.run([COMMAND, "--server", self.service.address("grpc"), *words], capture_output=True,
                              text=True, check=False)

    def command(self, *words):
        done = self.run_command(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def redis(self, *words):
        socket = next((self.data_dir / "redis").glob("*.sock"))
        return subprocess.run(["redis-cli", "-s", str(socket), *words], check=True, capture_output=True,
                              text=True).stdout.strip()

    def settings(self, name):
        sites = json.loads(self.command("--json", "site", "list"))["sites"]
        found = next(site for site in sites if site["name"] == name)
        return found["timeZone"], found["allowedOrigins"]

    def restart(self, with_redis=True):
        """Restarts the service after SIGKILL, optionally without anything that Redis held."""
        processes = self.service.descendants()
        self.service.kill()
        self.eventually(lambda: not any(service.is_alive(pid) for pid in processes))
        if not with_redis:
            shutil.rmtree(self.data_dir / "redis")
        self.service.start()

    def eventually(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def test_put_changes_what_it_names(self):
        self.assertEqual(self.command("site", "put", "portal", "--origin", "HTTPS://News.example:443", "--time-zone",
                                      "Asia/Tokyo", "--origin", "http://localhost:8000"),
                         "site portal created, time zone Asia/Tokyo, allowed origins http://localhost:8000, "
                         "https://news.example\n")
        self.assertEqual(self.settings("portal"), ("Asia/Tokyo", ["http://localhost:8000", "https://news.example"]))
        self.assertEqual(self.redis("HGET", "vc:sites", "portal"), "Asia/Tokyo http://localhost:8000 https://news.example")
        self.assertEqual(self.command("site", "put", "portal", "--origin", "https://other.example"),
                         "site portal changed, time zone Asia/Tokyo, allowed origins https://other.example\n")
        self.assertEqual(self.command("site", "put", "portal", "--cool-down", "5m"),
                         "site portal changed, time zone Asia/Tokyo, allowed origins https://other.example, cool-down "
                         "5m\n")
        self.assertEqual(self.command("site", "put", "portal", "--cool-down", "0s", "--time-zone", "UTC"),
                         "site portal changed, time zone UTC, allowed origins https://other.example\n")
        self.assertEqual(self.command("site", "put", "portal", "--hours-kept", "30d", "--days-kept", "800d",
                                      "--page-announcements", "--public-reads"),
                         "site portal changed, time zone UTC, allowed origins https://other.example, hours kept for 30 "
                         "days, days kept for 800 days, public dashboard, pages announce themselves\n")
        self.assertEqual(self.command("site", "put", "portal", "--days-kept", "0d", "--no-public-reads",
                                      "--no-page-announcements"),
                         "site portal changed, time zone UTC, allowed origins https://other.example, hours kept for 30 "
                         "days\n")
        for value in ("7d", "401d", "30h"):
            self.assertNotEqual(self.run_command("site", "put", "portal", "--hours-kept", value).returncode, 0)
        self.assertEqual(self.command("site", "put", "portal", "--reset"),
                         "site portal changed, time zone UTC, any origin is allowed\n")
        self.assertEqual(self.settings("portal"), ("UTC", []))

    def test_a_bad_origin_changes_nothing(self):
        self.command("site", "put", "portal", "--origin", "https://news.example")
        refused = self.run_command("site", "put", "portal", "--origin", "https://a.example", "--origin",
                                   "https://news.example/")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("allowed_origins[1]", refused.stderr)
        self.assertIn("no trailing slash", refused.stderr)
        self.assertEqual(self.settings("portal"), ("UTC", ["https://news.example"]))

    def test_what_another_instance_writes_is_taken_over(self):
        self.redis("HSET", "vc:sites", "portal", "Asia/Tokyo https://news.example")
        self.eventually(lambda: "portal" in self.command("site", "list"))
        self.assertEqual(self.settings("portal"), ("Asia/Tokyo", ["https://news.example"]))
        # This is the format from before sites had origins.
        self.redis("HSET", "vc:sites", "portal", "Asia/Tokyo")
        self.eventually(lambda: self.settings("portal") == ("Asia/Tokyo", []))

    def test_what_nobody_can_use_changes_nothing(self):
        self.command("site", "put", "portal", "--origin", "https://news.example")
        self.redis("HSET", "vc:sites", "portal", "UTC https://news.example/path")
        self.eventually(lambda: '"portal" in Redis cannot be used' in self.service.log())
        self.assertEqual(self.settings("portal"), ("UTC", ["https://news.example"]))

    def test_the_last_settings_survive_an_empty_redis(self):
        for zone, origin in (("Asia/Tokyo", "https://a.example"), ("Asia/Tokyo", "https://b.example"),
                             ("Asia/Kolkata", "https://c.example")):
            self.command("site", "put", "demo", "--time-zone", zone, "--origin", origin)
            self.command("--site", "demo", "record", "news/1")
        self.restart(with_redis=False)
        self.assertEqual(self.settings("demo"), ("Asia/Kolkata", ["https://c.example"]))
        self.assertRegex(self.redis("HGET", "vc:sites", "demo"),
                         r"^Asia/Kolkata https://c\.example until=[0-9]{13}/Asia/Tokyo$")
        counts = json.loads(self.command("--site", "demo", "--json", "count", "news/1"))
        self.assertEqual(counts["counts"][0]["views"], "3")

    def test_days_before_a_change_of_the_zone_stay_as_they_were(self):
        # Two zones in which it is never the same day.
        self.command("site", "put", "demo", "--time-zone", "Pacific/Kiritimati")
        self.command("--site", "demo", "record", "news/1")
        today = lambda: json.loads(self.command("--site", "demo", "--json", "top", "--day", "today"))
        before = today()
        changed = self.run_command("site", "put", "demo", "--time-zone", "Pacific/Pago_Pago")
        self.assertEqual(changed.returncode, 0)
        self.assertRegex(changed.stderr, r"^viewcount: note: views until [-0-9]{10} [0-9]{2}:00:00 UTC are in days of "
                                         r"Pacific/Kiritimati\n$")
        for _ in range(2):
            listed = today()
            self.assertEqual([article["articleId"] for article in listed["articles"]], ["news/1"])
            self.assertEqual(listed["span"]["start"], before["span"]["start"])
            # The day goes on until the next one has begun in the new zone, unless it ends before the change.
            self.assertGreaterEqual(listed["span"]["end"], before["span"]["end"])
            self.restart()
        self.command("audit")
        # A change that has not taken effect can be taken back, and one without any views leaves no trace.
        self.assertEqual(self.run_command("site", "put", "demo", "--time-zone", "Pacific/Kiritimati").stderr, "")
        self.assertEqual(self.redis("HGET", "vc:sites", "demo"), "Pacific/Kiritimati")
        self.assertEqual(self.run_command("site", "put", "portal", "--time-zone", "Asia/Tokyo").stderr, "")
        self.assertEqual(self.run_command("site", "put", "portal", "--time-zone", "UTC").stderr, "")

    def test_a_change_of_origins_lasts_beyond_a_crash(self):
        self.command("site", "put", "demo", "--origin", "https://a.example")
        self.command("--site", "demo", "record", "news/1")
        self.command("site", "put", "demo", "--origin", "https://b.example")
        self.command("--site", "demo", "record", "news/1")
        self.restart()
        self.assertEqual(self.settings("demo"), ("UTC", ["https://b.example"]))
        counts = json.loads(self.command("--site", "demo", "--json", "count", "news/1"))
        self.assertEqual(counts["counts"][0]["views"], "2")
        self.command("audit")

    def test_paths_and_files_of_other_kinds_are_no_time_zones(self):
        zones = self.data_dir / "zones"
        zones.mkdir()
        # Opening a pipe would wait for a writer, and there is none.
        os.mkfifo(zones / "Pipe")
        data_dir = self.data_dir / "of-zones"
        data_dir.mkdir()
        os.environ["TZDIR"] = str(zones)
        self.addCleanup(lambda: os.environ.pop("TZDIR", None))
        other = service.Service(DAEMON, data_dir)
        other.start()
        for zone in ("Pipe", "localtime", "..", "../of-zones", str(zones / "Pipe")):
            done = subprocess.run([COMMAND, "--server", other.address("grpc"), "site", "put", "demo", "--time-zone", zone],
                                  capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
            self.assertNotEqual(done.returncode, 0, zone)
            self.assertIn("time", done.stderr)
        self.assertEqual(other.stop(), 0)


if __name__ == "__main__":
    DAEMON, COMMAND = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main(verbosity=2)
