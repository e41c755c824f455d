"""Tries that every spelling of an address names one article, by each way in: POST, pixel, counts, live, badge, gRPC and
the command line.

Run by ctest with the programs' paths: addresses_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

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
# Spellings of one address by the default rule.
SPELLINGS = ("/tin-tức/bài-1", "/tin-t%E1%BB%A9c/b%C3%A0i-1", "/tin-t%e1%bb%a9c/ba%cc%80i-1?utm_source=zalo",
             "https://news.example.org/./tin%2Dt%E1%BB%A9c/b%C3%A0i-1;jsessionid=0A1B?fbclid=1#cmt")
ARTICLE = "/tin-tức/bài-1"


class AddressesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-addresses-")
        cls.addClassCleanup(folder.cleanup)
        cls.running = service.Service(PROGRAM, folder.name)
        cls.enterClassContext(cls.running)

    def put_site(self, name, *flags):
        self.command("site", "put", name, *flags)
        return web.Web(self.running.address("http"), name)

    def command(self, *words, code=0):
        result = subprocess.run([COMMAND, "--server", self.running.address("grpc"), *words], capture_output=True,
                                text=True, timeout=30, check=False)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result.stdout if code == 0 else result.stderr

    def command_json(self, site, *words):
        return json.loads(self.command("--site", site, "--json", *words))

    def rejected(self, reason):
        return web.metrics(self.running.address("admin"))[f'viewcount_views_rejected_total{{reason="{reason}"}}']

    def test_every_spelling_counts_for_one_article_and_asks_for_it(self):
        client = self.put_site("spelled")
        views = 0
        for spelling in SPELLINGS:
            # The fast path takes the first body if it is ASCII, the general path takes the second one.
            for body in (json.dumps({"address": spelling}, separators=(",", ":")), json.dumps({"address": spelling})):
                self.assertEqual(client.post("/views", body).json()["acceptedViews"], "1")
                views += 1
            self.assertEqual(client.get("/pixel.gif", [("address", spelling)]).status, 200)
            self.command("--site", "spelled", "record", "--address", spelling)
            views += 2
        self.assertEqual(client.counts(ARTICLE), [views])
        for spelling in SPELLINGS:
            for answer in (client.get("/counts", [("address", spelling)]),
                           client.post("/counts:batchGet", {"addresses": [spelling]})):
                [count] = answer.json()["counts"]
                self.assertEqual((count["articleId"], count["address"], count["views"]), (ARTICLE, spelling, str(views)))
            [count] = self.command_json("spelled", "count", "--address", spelling)["counts"]
            self.assertEqual((count["articleId"], count["views"]), (ARTICLE, str(views)))
            self.assertEqual(client.get("/badge.svg", [("address", spelling), ("label", "x")]).body,
                             client.get("/badge.svg", [("article", ARTICLE), ("label", "x")]).body)
        with web.Live(client.connect(), client.target("/live", [("address", text) for text in SPELLINGS])) as live:
            first = live.next()
            self.assertEqual([(count["address"], count["articleId"], count["views"]) for count in first["counts"]],
                             [(text, ARTICLE, str(views)) for text in SPELLINGS])
            client.post("/views", {"articleId": ARTICLE})
            changed = live.next()
            self.assertEqual([(count["address"], count["views"]) for count in changed["counts"]],
                             [(text, str(views + 1)) for text in SPELLINGS])

    def test_a_query_names_an_article_by_the_sites_parameters(self):
        client = self.put_site("queries")
        for address in ("/news.aspx?id=3933", "/news.aspx?ID=3933&page=2", "/news.aspx?id=17"):
            client.post("/views", {"address": address})
        self.assertEqual(client.counts("/news.aspx?id=3933", "/news.aspx?id=17", "/news.aspx"), [2, 1, 0])
        client.post("/views", {"canonicalAddress": "https://a.example/xem.php?v=566565&ss=2"})
        self.assertEqual(client.counts("/xem.php?ss=2&v=566565"), [1])
        [count] = client.get("/counts", [("canonical", "/xem.php?v=566565&ss=2")]).json()["counts"]
        self.assertEqual((count["canonicalAddress"], count["views"]), ("/xem.php?v=566565&ss=2", "1"))

        client = self.put_site("queries", "--article-parameter", "v", "--fold-case", "--strip-slash", "--index-name",
                               "default.aspx")
        for address in ("/Xem.php?v=1&ss=2", "//xem.php/?V=1", "/xem.php/Default.aspx?v=1"):
            client.post("/views", {"address": address})
        self.assertEqual(client.counts("/xem.php?v=1"), [3])
        # An article's ID stays as it is.
        client.post("/views", {"articleId": "/Xem.php?v=1"})
        self.assertEqual(client.counts("/xem.php?v=1", "/Xem.php?v=1"), [3, 1])

    def test_settings_survive_and_are_shown(self):
        self.put_site("settings", "--article-parameter", "a", "--article-parameter", "B", "--exclude-path", "/tìm/*",
                      "--static-extension", "chn", "--page-extension", "pdf", "--count-well-known-paths")
        wanted = {"articleParameters": ["a", "B"], "excludedPaths": ["/tìm/*"], "staticExtensions": ["chn"],
                  "pageExtensions": ["pdf"], "countWellKnownPaths": True}
        self.put_site("settings", "--fold-case")
        sites = json.loads(self.command("--json", "site", "list"))["sites"]
        [site] = [site for site in sites if site["name"] == "settings"]
        self.assertEqual({key: site[key] for key in (*wanted, "foldCase")}, wanted | {"foldCase": True})
        self.assertIn("named by a B, case folded, not counted /tìm/*, well-known paths counted, no pages chn, pages pdf",
                      self.command("site", "list"))
        self.put_site("settings", "--drop-query")
        self.assertIn("query dropped", self.command("site", "list"))
        self.assertIn("utm_source tells where a reader came from",
                      self.command("site", "put", "settings", "--article-parameter", "utm_source", code=1))

    def test_a_dropped_parameter_that_distinguishes_addresses_is_named(self):
        client = self.put_site("hinted")
        body = '{"address": "/xem.php?MaTin=%d&utm_source=x"}'
        self.assertNotIn("hint", client.post("/views", body % 1).json())
        self.assertNotIn("hinted", self.command("status"))
        hint = ("1 address has parameters that the site's rule drops: /xem.php (MaTin); if they name articles: viewcount "
                "site put hinted --add-article-parameter MaTin")
        self.assertEqual(client.post("/views", body % 2).json()["hint"], hint)
        shown = client.send("POST", client.target("/views", [("address", "/a")]), body % 2).json()
        self.assertEqual((shown["hint"], shown["counts"][0]["articleId"]), (hint, "/a"))
        self.assertNotIn("hint", client.post("/views", '{"address": "/a?page=2"}').json())
        self.assertIn(f"hint: site hinted: {hint}\n", self.command("status"))
        self.command("--site", "hinted", "record", "/xem.php?MaTin=7", "/xem.php?MaTin=8")
        refused = self.command("normalize", "hinted", "--apply", code=1)
        self.assertIn(f"nothing was moved, because some of these articles differ in parameters: {hint}", refused)
        self.put_site("hinted", *hint.split("site put hinted ")[1].split())
        for number in (3, 4):
            self.assertNotIn("hint", client.post("/views", body % number).json())
        self.assertNotIn("hinted", self.command("status"))
        # The usual parameters still name articles.
        client.post("/views", '{"address": "/news.aspx?ItemID=1&MaTin=2"}')
        self.assertEqual(client.counts("/news.aspx?ItemID=1&MaTin=2", "/xem.php?MaTin=3"), [1, 1])
        self.assertIn("all ", self.command("normalize", "hinted"))
        self.assertIn("must be one name", self.command("site", "put", "hinted", "--article-parameter", "a,b", code=1))
        self.put_site("hinted", "--article-parameter", "", "--exclude-path", "/x", "--bot-agent", "xx")
        self.put_site("hinted", "--exclude-path", "", "--bot-agent", "")
        [site] = [site for site in json.loads(self.command("--json", "site", "list"))["sites"] if site["name"] == "hinted"]
        self.assertEqual((site["articleParameters"], site["excludedPaths"], site["botAgents"]), ([], [], []))

    def test_counts_move_to_the_articles_of_a_new_rule(self):
        client = self.put_site("moved")
        self.command("--site", "moved", "record", "--count", "5", "/News.aspx?ItemID=1&x=2", "/news.aspx?ItemID=1", "/a/",
                     "own-id", "/app#/tin/1")
        self.command("--site", "moved", "record", "--bot", "--count", "2", "/A/")
        self.put_site("moved", "--article-parameter", "ItemID", "--fold-case", "--strip-slash")
        shown = self.command("normalize", "moved")
        self.assertEqual(shown, "/a takes over 5 views:\n              0  /A/\n              5  /a/\n"
                                "/news.aspx?ItemID=1 takes over 5 views:\n              5  /News.aspx?ItemID=1&x=2\n"
                                "3 of 6 articles would move into 2; move them with: viewcount normalize moved --apply\n")
        listed = json.loads(self.command("--json", "normalize", "moved", "--canonical"))["articles"]
        self.assertEqual([(one["articleId"], one["into"]) for one in listed],
                         [("/A/", "/a"), ("/a/", "/a"), ("/News.aspx?ItemID=1&x=2", "/news.aspx?ItemID=1&x=2")])
        ids = ("/a", "/a/", "/news.aspx?ItemID=1", "/News.aspx?ItemID=1&x=2", "own-id", "/app#/tin/1")
        self.assertEqual(client.counts(*ids), [0, 5, 5, 5, 5, 5])
        done = self.command("normalize", "moved", "--apply", "--why", "ItemID names the articles")
        self.assertIn("the counts of 3 articles moved; take it back with: viewcount --site moved undo ", done)
        self.assertEqual(client.counts(*ids), [5, 0, 10, 0, 5, 5])
        rows = self.command("--site", "moved", "export").splitlines()
        self.assertEqual(rows[0], "article_id,views,bot_views,viewers")
        self.assertEqual(sorted(rows[1:]), ["/a,5,2,0", "/app#/tin/1,5,0,0", "/news.aspx?ItemID=1,10,0,0", "own-id,5,0,0"])
        self.assertIn("all 4 articles have the IDs", self.command("normalize", "moved"))
        lines = self.command("--site", "moved", "export", "--format", "jsonl", "--day", "today").splitlines()
        self.assertEqual(sorted((one["articleId"], one["views"]) for one in map(json.loads, lines)),
                         [("/a", 5), ("/app#/tin/1", 5), ("/news.aspx?ItemID=1", 10), ("own-id", 5)])
        series = json.loads(self.command("--json", "--site", "moved", "series", "--address", "/A/?x=1", "--last", "2d"))
        self.assertEqual((series["articleId"], series["views"], len(series["points"])), ("/a", "5", 2))
        shown = self.command("--site", "moved", "series", "--last", "3h", "--step", "hour")
        self.assertIn("25 views in all", shown)
        self.assertRegex(shown, r"\n\d{4}-\d\d-\d\d \d\d:00 \+00:00 +25  █+\n")
        self.assertIn("--address needs", self.command("--site", "moved", "series", "--address", code=1))
        self.command("--site", "moved", "series", "--last", "90m", "--step", "hour", code=1)
        self.assertIn("taken back", self.command("--site", "moved", *done.split("--site moved ")[1].split()))
        self.assertEqual(client.counts(*ids), [0, 5, 5, 5, 5, 5])
        self.assertIn("there is no site nowhere", self.command("normalize", "nowhere", code=1))
        self.command("audit")

    def test_views_of_excluded_paths_do_not_count(self):
        client = self.put_site("excluded", "--exclude-path", "/tim-kiem*")
        before = self.rejected("excluded_path")
        for body in ('{"address":"/wp-login.php"}', '{"address": "/tim-kiem?id=3"}',
                     {"views": [{"address": "/feed/"}, {"address": "/a"}]}):
            answer = client.post("/views", body)
            self.assertEqual((answer.status, answer.json()["acceptedViews"]), (200, "1" if "views" in body else "0"))
        self.assertEqual(client.get("/pixel.gif", [("address", "/healthz")]).status, 200)
        self.command("--site", "excluded", "record", "--address", "--count", "5", "/xmlrpc.php", "/a")
        self.assertEqual(client.counts("/wp-login.php", "/tim-kiem?id=3", "/a"), [0, 0, 6])
        self.assertEqual(self.rejected("excluded_path") - before, 9)
        self.command("audit")

    def test_what_names_no_article_is_left_out_alone(self):
        client = self.put_site("wrong")
        client.post("/views", {"address": "/a"})
        long = "/" + "x" * 600
        counts = client.get("/counts", [("address", long), ("address", "/a"), ("address", "b")]).json()["counts"]
        self.assertEqual([count.get("error") for count in counts],
                         ["its article ID would be longer than 512 bytes", None, "must begin with /, http:// or https://"])
        self.assertEqual(counts[1]["views"], "1")
        with web.Live(client.connect(), client.target("/live", [("address", long), ("address", "/a")])) as live:
            self.assertEqual([count.get("error", count["views"]) for count in live.next()["counts"]],
                             ["1", "its article ID would be longer than 512 bytes"])
        answer = client.post("/views", {"address": "b"})
        self.assertEqual((answer.status, answer.json()["field"]), (400, "views[0].address"))
        answer = client.post("/views", {"articleId": "a", "address": "/a"})
        self.assertEqual((answer.status, answer.json()["field"]), (400, "views[0].address"))
        self.assertEqual(client.get("/pixel.gif", [("article", "a"), ("address", "/a")]).status, 400)
        self.assertEqual(client.get("/badge.svg", [("address", "b")]).status, 400)
        self.assertIn("b: must begin with /", self.command("--site", "wrong", "delete", "--address", "b", code=1))

    def test_one_view_of_an_article_whatever_its_spelling(self):
        client = self.put_site("once")
        answer = client.post("/views", {"views": [{"address": "/a?utm_source=x"}, {"address": "/%61"}]})
        self.assertEqual((answer.status, client.counts("/a")), (403, [0]))

    def test_a_post_counts_and_shows(self):
        client = self.put_site("shown")
        target = client.target("/views", [("address", "/a?x=1"), ("article", "other"), ("site", "1")])
        for views in (1, 2):
            shown = client.send("POST", target, '{"address":"/a"}').json()
            self.assertEqual((shown["acceptedViews"], shown["siteViews"]), ("1", str(views)))
            self.assertEqual([(count["articleId"], count["views"]) for count in shown["counts"]],
                             [("other", "0"), ("/a", str(views))])
        self.assertNotIn("counts", client.post("/views", {"address": "/a"}).json())
        # A question that cannot be answered is refused, and nothing is counted.
        for pairs in ([("article", "x" * 513)], [("article", "b"), ("article", "")], [("address", "/b")] * 1001):
            refused = client.send("POST", client.target("/views", pairs), {"address": "/a"})
            self.assertEqual(refused.status, 400, refused.body)
        self.assertEqual(client.post("/numbers", {"address": "/a"}).json()["acceptedViews"], "1")
        self.assertEqual(client.get("/dot.gif", [("address", "/a")]).status, 200)
        self.assertEqual(client.counts("/a"), [5])

    def test_adjustments_take_addresses(self):
        client = self.put_site("adjusted")
        self.command("--site", "adjusted", "set", "--address", "/a?utm_source=x", "40")
        self.command("--site", "adjusted", "merge", "--address", "https://a.example/a", "/b#c")
        self.assertEqual(client.counts("/b"), [40])
        self.command("--site", "adjusted", "delete", "--address", "/%62")
        self.assertEqual(client.counts("/b"), [0])


if __name__ == "__main__":
    PROGRAM, COMMAND = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
