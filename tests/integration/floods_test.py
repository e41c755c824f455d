"""Proves that floods have no effect on counts beyond the documented limits.

The tests cover one machine, random articles, the portal's own people, and reloads.
Run by ctest with the programs' paths: floods_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import concurrent.futures
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402
import web  # noqa: E402

PROGRAM = None
COMMAND = None
PROXY = "127.0.0.7"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
# The limit on new articles per minute, and the burst that it allows: the new articles of one hour.
NEW_PER_MINUTE, NEW_AT_ONCE = 20, 1_200
PER_SECOND, AT_ONCE = 30, 300


class FloodsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-floods-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.service = service.Service(PROGRAM, self.folder, "--trusted-proxies", PROXY, "--trusted-backends",
                                       "127.0.0.5", "--new-articles-per-minute", str(NEW_PER_MINUTE),
                                       "--address-views-per-second", str(PER_SECOND))
        self.service.start()
        self.addCleanup(lambda: self.service.__exit__())
        self.open()

    def open(self):
        self.proxy = web.Web(self.service.address("http"), source=PROXY)

    def command(self, *words):
        done = subprocess.run([COMMAND, "--server", self.service.address("grpc"), *words], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def redis(self, *words):
        [socket] = (self.folder / "redis").glob("*.sock")
        return subprocess.run(["redis-cli", "-s", str(socket), *words], check=True, capture_output=True,
                              text=True).stdout.strip()

    def redis_bytes(self):
        return int(re.search(r"used_memory_dataset:(\d+)", self.redis("INFO", "memory"))[1])

    def service_bytes(self):
        return web.metrics(self.service.address("admin"))["process_resident_memory_bytes"]

    def rejected(self, reason):
        return web.metrics(self.service.address("admin"))[f'viewcount_views_rejected_total{{reason="{reason}"}}']

    def post(self, articles, visitor):
        """Sends one view of each article from that visitor's address, and returns the answer."""
        body = {"views": [{"articleId": article} for article in articles]}
        return self.proxy.post("/views", body, {"X-Forwarded-For": visitor, "User-Agent": AGENT})

    def views(self, article):
        return int(json.loads(self.command("--json", "count", article))["counts"][0]["views"])

    def restart(self):
        processes = self.service.descendants()
        self.service.kill()
        self.assertTrue(web.eventually(lambda: not any(service.is_alive(pid) for pid in processes)))
        self.service.start()
        self.open()

    def audit(self):
        self.command("flush")
        self.command("audit")


class RandomArticlesTest(FloodsTest):
    def test_random_articles_fill_nothing_and_hurt_no_real_one(self):
        chance = random.Random(4)
        real = [f"news/{i}" for i in range(50)]
        for i, article in enumerate(real):
            self.assertEqual(self.post([article], f"203.0.113.{i}").status, 200)
        self.audit()

        def flood(requests):
            statuses = []
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                for answer in pool.map(lambda _: self.post([f"random/{chance.getrandbits(120):x}" for _ in range(20)],
                                                           f"2001:db8:{chance.getrandbits(16):x}::1"), range(requests)):
                    statuses.append(answer.status)
            return statuses

        self.assertEqual(set(flood(100)), {200, 429})
        self.audit()
        redis_bytes, service_bytes = self.redis_bytes(), self.service_bytes()
        statuses = flood(1_500)
        self.assertGreater(statuses.count(429), 1_490, "some articles a minute may come")
        self.assertLess(self.redis_bytes(), redis_bytes + 200_000)
        self.assertLess(self.service_bytes(), service_bytes + 8_000_000)
        self.assertGreaterEqual(self.rejected("new_articles"), 20 * statuses.count(429))
        for i, article in enumerate(real):
            self.assertEqual(self.post([article], f"203.0.113.{i}").status, 200)
        # The restarted process no longer knows the articles, but Redis and the lane's journal do.
        self.post(["news/0"], "198.51.100.1")
        self.restart()
        self.assertIn(429, flood(100))
        for i, article in enumerate(real):
            self.assertEqual(self.post([article], f"203.0.113.{i}").status, 200)
            self.assertEqual(self.views(article), 4 if i == 0 else 3)
        self.audit()


class OneAddressTest(FloodsTest):
    def test_one_machine_counts_no_more_than_its_budget(self):
        statuses = [self.post(["news/1"], "203.0.113.9").status for _ in range(AT_ONCE)]
        self.assertEqual(statuses, [200] * AT_ONCE)
        # On a busy machine a client that waits for each answer may be slower than the budget.
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _: self.post(["news/1"], "203.0.113.9").status, range(AT_ONCE)))
        self.assertIn(429, statuses)
        refused = self.post([f"news/{i}" for i in range(100)], "203.0.113.9")
        self.assertEqual(refused.status, 429)
        self.assertEqual(refused.headers["retry-after"], "1")
        self.assertIn("30 views a second", refused.json()["detail"])
        # A client that is not a trusted proxy cannot avoid the limit by claiming other addresses.
        stranger = web.Web(self.service.address("http"), source="127.0.0.9")
        def post_as_another(_):
            claimed = f"198.51.{random.randrange(256)}.{random.randrange(256)}"
            stranger.post("/views", {"articleId": "news/1"}, {"X-Forwarded-For": claimed})

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(post_as_another, range(2 * AT_ONCE)))
        self.assertGreater(self.rejected("flood"), statuses.count(429) + 100)
        self.assertEqual(self.post(["news/1"], "198.51.100.7").status, 200)
        counted = self.views("news/1")
        received = web.metrics(self.service.address("admin"))["viewcount_views_received_total"]
        self.assertEqual(counted, received - self.rejected("flood"))
        self.audit()


class CoolDownTest(FloodsTest):
    def test_a_reload_counts_once_also_after_a_crash(self):
        self.command("site", "put", "demo", "--cool-down", "30m")
        for _ in range(5):
            self.assertEqual(self.post(["news/1"], "203.0.113.9").status, 200)
        self.assertEqual(self.post(["news/1"], "203.0.113.9").json()["acceptedViews"], "0")
        self.assertEqual(self.post(["news/1", "news/2"], "203.0.113.10").json()["acceptedViews"], "2")
        self.assertEqual((self.views("news/1"), self.views("news/2"), self.rejected("cool_down")), (2, 1, 5))
        self.restart()
        self.assertEqual(self.views("news/1"), 2)
        self.assertEqual(self.post(["news/1", "news/2"], "203.0.113.9").json()["acceptedViews"], "1")
        self.assertEqual((self.views("news/1"), self.views("news/2"), self.rejected("cool_down")), (2, 2, 1))
        self.command("site", "put", "demo", "--cool-down", "0s")
        self.assertEqual(self.post(["news/1"], "203.0.113.9").json()["acceptedViews"], "1")
        self.audit()


class SettingsTest(FloodsTest):
    def test_excluded_addresses_and_unannounced_articles_do_not_count(self):
        self.assertEqual(self.command("site", "put", "demo", "--exclude", "203.0.113.0/24", "--announced-only"),
                         "site demo changed, time zone UTC, any origin is allowed, without 203.0.113.0/24, announced "
                         "articles only\n")
        self.assertRegex(self.command("site", "list"), r"demo +UTC +any +none +203\.0\.113\.0/24 +announced")
        self.command("site", "put", "demo", "--cool-down", "0s")
        self.assertRegex(self.command("site", "list"), r"demo +UTC +any +none +203\.0\.113\.0/24 +announced")
        self.assertEqual(self.command("announce", "news/1", "--title", "Rain", "--section", "weather"),
                         "1 article announced\n")
        self.assertEqual(self.post(["news/1"], "203.0.113.9").json()["acceptedViews"], "0")
        self.assertEqual(self.post(["news/1"], "203.0.114.9").json()["acceptedViews"], "1")
        refused = self.post(["news/2"], "203.0.114.9")
        self.assertEqual(refused.status, 403)
        self.assertIn("viewcount --site demo announce news/2", refused.json()["detail"])
        self.assertEqual(self.views("news/1"), 1)
        # The limits do not apply to gRPC, which is for the portal's own programs.
        self.command("record", "news/2")
        self.assertEqual(self.views("news/2"), 1)
        self.assertEqual((self.rejected("excluded"), self.rejected("not_announced")), (1, 1))
        self.assertEqual(self.command("announce", "news/2", "news/3"), "2 articles announced\n")
        self.assertEqual(self.post(["news/2", "news/3"], "203.0.114.9").json()["acceptedViews"], "2")
        self.restart()
        self.assertEqual(self.post(["news/3"], "203.0.114.9").json()["acceptedViews"], "1")
        self.assertEqual(self.post(["news/4"], "203.0.114.9").status, 403)
        # The article's page has a new address, which was not announced.
        self.command("merge", "news/3", "news/5")
        self.assertEqual(self.post(["news/3"], "203.0.114.9").json()["acceptedViews"], "1")
        self.audit()

    def test_bad_settings_change_nothing(self):
        for flags, named in ((("--cool-down", "8d"), "--cool-down"), (("--cool-down", "5"), "--cool-down"),
                             (("--exclude", "news.example"), "excluded_addresses")):
            done = subprocess.run([COMMAND, "--server", self.service.address("grpc"), "site", "put", "demo", *flags],
                                  capture_output=True, text=True)
            self.assertIn(done.returncode, (1, 2))
            self.assertIn(named, done.stderr)
        self.assertRegex(self.command("site", "list"), r"demo +UTC +any +none +none +any")


if __name__ == "__main__":
    PROGRAM, COMMAND = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main(verbosity=2)
