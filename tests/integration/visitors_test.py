"""Proves that views are attributed correctly: bots are counted separately, and prefetched pages are not counted.

Run by ctest with the programs' paths: visitors_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import datetime
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402
import web  # noqa: E402

PROGRAM = None
COMMAND = None
# All addresses of 127.0.0.0/8 belong to this machine. A backend, a proxy and a visitor's browser have addresses of
# their own.
BACKEND, PROXY, BROWSER = "127.0.0.5", "127.0.0.7", "127.0.0.9"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
# The first form takes the fast path, and the second form takes the general path.
BODIES = ('{"articleId":"%s"}', '{"articleId": "%s"}')


class VisitorsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-visitors-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.running = service.Service(PROGRAM, cls.folder, "--trusted-backends", BACKEND, "--trusted-proxies", PROXY)
        cls.enterClassContext(cls.running)
        cls.browser, cls.backend, cls.proxy = (web.Web(cls.running.address("http"), source=source)
                                               for source in (BROWSER, BACKEND, PROXY))

    def redis(self, *words):
        [socket] = (self.folder / "redis").glob("*.sock")
        return subprocess.run(["redis-cli", "-s", str(socket), *words], check=True, capture_output=True,
                              text=True).stdout.strip()

    def metrics(self):
        return web.metrics(self.running.address("admin"))

    def counts(self, article):
        """Returns the article's views and its bots' views."""
        [count] = self.browser.get("/counts", [("article", article)]).json()["counts"]
        return int(count["views"]), int(count["botViews"])

    def post(self, article, agent, headers=None, client=None):
        """Sends the view in both forms. Each must be answered with success. Returns the numbers of accepted views."""
        answers = [(client or self.browser).send("POST", self.browser.target("/views"), body % article,
                                                 {"User-Agent": agent} | (headers or {})) for body in BODIES]
        self.assertEqual([answer.status for answer in answers], [200, 200])
        return [answer.json()["acceptedViews"] for answer in answers]


class BotsTest(VisitorsTest):
    def test_a_crawlers_beacons_are_counted_apart(self):
        self.post("/bots/1", GOOGLEBOT)
        self.assertEqual(self.counts("/bots/1"), (0, 2))
        self.post("/bots/1", FIREFOX)
        self.assertEqual(self.counts("/bots/1"), (2, 2))

    def test_a_crawlers_pixel_is_counted_apart(self):
        for agent in (GOOGLEBOT, FIREFOX, "curl/7.88.1"):
            answer = self.browser.get("/pixel.gif", [("article", "/bots/2")], {"User-Agent": agent})
            self.assertEqual(answer.status, 200)
        self.assertEqual(self.counts("/bots/2"), (1, 2))

    def test_a_backend_is_no_bot_but_its_visitor_may_be_one(self):
        self.post("/bots/3", "python-requests/2.31", client=self.backend)
        self.assertEqual(self.counts("/bots/3"), (2, 0))
        self.post("/bots/3", "python-requests/2.31", {"X-Viewcount-Visitor-Agent": GOOGLEBOT}, self.backend)
        self.assertEqual(self.counts("/bots/3"), (2, 2))
        # The field has no effect if the sender is not a trusted backend.
        self.post("/bots/3", FIREFOX, {"X-Viewcount-Visitor-Agent": GOOGLEBOT})
        self.assertEqual(self.counts("/bots/3"), (4, 2))

    def test_a_site_decides_for_itself_which_agents_are_bots(self):
        def put(*options):
            return subprocess.run([COMMAND, "--server", self.running.address("grpc"), "site", "put", "own", *options],
                                  capture_output=True, text=True, timeout=60)

        done = put("--bot-agent", "^House Checker/", "--person-agent", "portal ?app", "--person-agent", "^curl/7")
        self.assertIn('agents: bots "^House Checker/", people "portal ?app", people "^curl/7"', done.stdout)
        agents = ["House Checker/2.0 (Linux; all pages)", "Portal App/1 okhttp/4.9", "curl/7.88.1", "curl/8.0", FIREFOX]
        for agent in agents:
            for body in BODIES:
                answer = self.browser.send("POST", "/v1/sites/own/views", body % "/a", {"User-Agent": agent})
                self.assertEqual(answer.json()["acceptedViews"], "1", agent)
        answer = self.browser.send("GET", "/v1/sites/own/counts?article=/a")
        [count] = answer.json()["counts"]
        self.assertEqual((count["views"], count["botViews"]), ("6", "4"))

        refused = put("--bot-agent", "App(?!le)")
        self.assertEqual(refused.returncode, 1)
        self.assertIn('site.bot_agents: "App(?!le)" is no regular expression of RE2', refused.stderr)
        # The refused change changed nothing, and a change of something else keeps the patterns.
        self.assertIn('people "portal ?app"', put("--cool-down", "0s").stdout)
        self.assertNotIn("agents:", put("--reset").stdout)

    def test_an_agent_of_any_bytes_is_counted(self):
        for agent in ("x" * 15_000, "\xff\xfe\x80", "a" * 1_024, "a" * 1_025, ""):
            self.post("/bots/4", agent)
        # A long agent without a blank is a bot's. Each agent sends two views.
        self.assertEqual(self.counts("/bots/4"), (4, 6))


class AheadTest(VisitorsTest):
    def test_what_is_fetched_ahead_counts_nothing(self):
        before = self.metrics()
        for headers in ({"Sec-Purpose": "prefetch"}, {"sec-purpose": "prefetch;prerender"}, {"Purpose": "prefetch"},
                        {"X-Moz": "prefetch"}):
            self.assertEqual(self.post("/ahead/1", FIREFOX, headers), ["0", "0"])
            picture = self.browser.get("/pixel.gif", [("article", "/ahead/1")], headers)
            self.assertEqual((picture.status, picture.type), (200, "image/gif"))
        self.assertEqual(self.counts("/ahead/1"), (0, 0))
        after = self.metrics()
        grown = {name: after[name] - before[name] for name in after if name.startswith("viewcount_views_")}
        self.assertEqual({name: value for name, value in grown.items() if value},
                         {"viewcount_views_received_total": 12, 'viewcount_views_rejected_total{reason="prefetch"}': 12})
        self.assertEqual(self.post("/ahead/1", FIREFOX, {"Sec-Purpose": "something"}), ["1", "1"])
        self.assertEqual(self.counts("/ahead/1"), (2, 0))


class SaltsTest(VisitorsTest):
    def test_every_site_has_todays_and_a_new_one_within_moments(self):
        days = {self.today(seconds) for seconds in (-60, 0, 60)}
        salts = self.salts()
        self.assertTrue({f"demo/{day}" for day in days} & salts.keys(), salts.keys())
        for salt in salts.values():
            self.assertRegex(salt, "^[0-9a-f]{32}$")
        subprocess.run([COMMAND, "--server", self.running.address("grpc"), "site", "put", "new"], check=True,
                       capture_output=True)
        self.assertTrue(web.eventually(lambda: any(field.startswith("new/") for field in self.salts())))

    def test_a_salt_outlives_the_process_and_an_old_one_does_not(self):
        before = self.salts()
        self.redis("HSET", "vc:salts", "demo/20200101", "0123456789abcdef" * 2)
        self.running.kill()
        self.running.start()
        after = self.salts()
        self.assertNotIn("demo/20200101", after)
        # A salt may be missing if a day has just begun.
        kept = before.keys() & after.keys()
        self.assertTrue(kept)
        self.assertEqual({field: before[field] for field in kept}, {field: after[field] for field in kept})

    def test_what_redis_lost_is_written_again(self):
        before = self.salts()
        self.redis("DEL", "vc:salts")
        self.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        self.assertTrue(web.eventually(lambda: before.items() & self.salts().items()), self.salts())

    def salts(self):
        words = self.redis("--json", "HGETALL", "vc:salts")
        return json.loads(words)

    @staticmethod
    def today(seconds):
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        return moment.strftime("%Y%m%d")


if __name__ == "__main__":
    PROGRAM, COMMAND = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main(verbosity=2)
