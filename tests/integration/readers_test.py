"""Reads a service with existing clients: Wikimedia's, and requests as Grafana's data sources send them.

Their numbers must be those of the service's own interface, which other tests compare with what was recorded.
Run by ctest with the programs' paths: readers_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import concurrent.futures
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zoneinfo

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402
import web  # noqa: E402

PROGRAM = None
COMMAND = None
CLIENT = pathlib.Path(__file__).resolve().parent / "wikimedia_client.cjs"
ZONE = zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh")
UTC = datetime.timezone.utc
# Wikimedia's client takes only projects with a dot in their names.
SITE = "news.portal"
ARTICLES = ("/news/1", "/news/2", "Hà_Nội", "/100%/a?b&c", "/" + "x" * 500)
PAGEVIEWS = "/api/rest_v1/metrics/pageviews"


def text(day):
    return day.strftime("%Y%m%d")


class ReadersTest(unittest.TestCase):
    """The tests share one service, with views of the last months that are recorded once. None of them adds any."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-readers-")
        cls.addClassCleanup(folder.cleanup)
        cls.running = service.Service(PROGRAM, folder.name, "--site", "empty")
        cls.enterClassContext(cls.running)
        subprocess.run([COMMAND, "--server", cls.running.address("grpc"), "site", "put", SITE, "--time-zone", ZONE.key],
                       check=True, stdout=subprocess.DEVNULL)
        subprocess.run([COMMAND, "--server", cls.running.address("grpc"), "site", "put", "samoa", "--time-zone",
                        "Pacific/Apia"], check=True, stdout=subprocess.DEVNULL)
        cls.backend = web.Web(cls.running.address("backend"), SITE)
        cls.admin = web.Web(cls.running.address("admin"), SITE)
        cls.now = datetime.datetime.now(ZONE)
        cls.today = cls.now.date()
        cls.views = {}
        entries = []
        for back in (0, 1, 2, 3, 5, 20, 40, 41, 75, 300):
            day = cls.today - datetime.timedelta(back)
            for number, article in enumerate(ARTICLES):
                if (back + number) % 4 == 3:
                    continue
                count = 1 + 7 * number + back
                # The first and the last minute of the site's day. Both lie in the days of UTC around it.
                at = datetime.datetime.combine(day, datetime.time(0, 0, 30) if number % 2 else datetime.time(23, 59),
                                               ZONE)
                at = min(at, cls.now)
                entries.append({"articleId": article, "count": count, "eventTimeUnixMs": int(at.timestamp() * 1000)})
                cls.views[day, article] = count
        answer = cls.backend.post("/views", {"import": True, "views": entries})
        assert answer.status == 200, answer.body
        assert int(answer.json()["acceptedViews"]) == sum(cls.views.values()), answer.body

    def expected(self, article=None):
        """Returns the views by day of an article, or of all."""
        days = {}
        for (day, name), count in self.views.items():
            if article in (None, name):
                days[day] = days.get(day, 0) + count
        return dict(sorted(days.items()))

    def series(self, start, end, article=None, step="day"):
        """Returns the views by the beginnings of days, weeks or months, from the service's own interface."""
        pairs = [("window.start", datetime.datetime.combine(start, datetime.time(), ZONE).isoformat()),
                 ("window.end", datetime.datetime.combine(end, datetime.time(), ZONE).isoformat()), ("step", step)]
        answer = self.backend.get("/series", pairs + ([("article", article)] if article else []))
        self.assertEqual(answer.status, 200, answer.body)
        return {datetime.datetime.fromisoformat(point["start"].replace("Z", "+00:00")): int(point["views"])
                for point in answer.json()["points"]}


class WikimediaTest(ReadersTest):
    def ask(self, method, **parameters):
        """Calls a method of the npm package pageviews. Returns its items, or the text of its error."""
        done = subprocess.run(["node", str(CLIENT), f"http://{self.running.address('backend')}", method,
                               json.dumps({"project": SITE} | parameters)], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        return answer["items"] if "items" in answer else answer["error"]

    def get(self, path, client=None, headers=None, method="GET"):
        return (client or self.backend).send(method, PAGEVIEWS + path, headers=headers)

    def test_a_client_reads_the_days_of_an_article(self):
        start, end = self.today - datetime.timedelta(45), self.today
        for article in ARTICLES:
            with self.subTest(article):
                items = self.ask("getPerArticlePageviews", article=article, agent="user", start=text(start),
                                 end=text(end))
                days = {datetime.datetime.strptime(item["timestamp"], "%Y%m%d00").date(): item["views"]
                        for item in items}
                self.assertEqual(days, {day: views for day, views in self.expected(article).items() if day >= start})
                self.assertEqual(days, {at.astimezone(ZONE).date(): views for at, views in self.series(
                    start, end + datetime.timedelta(1), article).items() if views})
                self.assertEqual({key: items[0][key] for key in items[0] if key not in ("timestamp", "views")},
                                 {"project": SITE, "article": article, "granularity": "daily", "access": "all-access",
                                  "agent": "user"})

    def test_a_client_reads_whole_months(self):
        start = (self.today - datetime.timedelta(310)).replace(day=2)
        months = {}
        for day, views in self.expected(ARTICLES[0]).items():
            if day.replace(day=1) > start and day < self.today.replace(day=1):
                months[day.strftime("%Y%m0100")] = months.get(day.strftime("%Y%m0100"), 0) + views
        self.assertGreater(len(months), 1)
        items = self.ask("getPerArticlePageviews", article=ARTICLES[0], agent="user", granularity="monthly",
                         start=text(start), end=text(self.today.replace(day=1)))
        self.assertEqual({item["timestamp"]: item["views"] for item in items}, months)

    def test_a_client_reads_a_projects_views(self):
        start = self.today - datetime.timedelta(320)
        items = self.ask("getAggregatedPageviews", agent="user", granularity="daily", start=text(start) + "00",
                         end=text(self.today) + "00")
        self.assertEqual({item["timestamp"]: item["views"] for item in items},
                         {text(day) + "00": views for day, views in self.expected().items()})
        self.assertEqual(set(items[0]), {"project", "access", "agent", "granularity", "timestamp", "views"})
        first = self.now.astimezone(UTC) - datetime.timedelta(days=4)
        items = self.ask("getAggregatedPageviews", agent="user", granularity="hourly",
                         start=first.strftime("%Y%m%d%H"), end=self.now.astimezone(UTC).strftime("%Y%m%d%H"))
        answer = self.backend.get("/series", [("window.last", "97h"), ("step", "hour")]).json()
        self.assertEqual([(item["timestamp"], item["views"]) for item in items],
                         [(point["start"][:13].replace("-", "").replace("T", ""), int(point["views"]))
                          for point in answer["points"] if point["views"] != "0"])
        self.assertGreater(len(items), 3)

    def test_a_client_reads_the_most_viewed_articles(self):
        day = self.today - datetime.timedelta(2)
        item, = self.ask("getTopPageviews", date=text(day))
        self.assertEqual((item["project"], item["access"], item["year"], item["month"], item["day"]),
                         (SITE, "all-access", f"{day:%Y}", f"{day:%m}", f"{day:%d}"))
        own = self.backend.get("/popular", [("window.day", day.isoformat()), ("pageSize", "1000")]).json()["articles"]
        self.assertEqual([(article["article"], article["views"], article["rank"]) for article in item["articles"]],
                         [(article["articleId"], int(article["views"]), article["rank"]) for article in own])
        self.assertEqual(len(own), 4)
        month = self.today - datetime.timedelta(75)
        item, = self.ask("getTopPageviews", year=f"{month:%Y}", month=f"{month:%m}", day="all-days", limit=2)
        totals = {}
        for (at, article), views in self.views.items():
            if (at.year, at.month) == (month.year, month.month):
                totals[article] = totals.get(article, 0) + views
        ranked = sorted(totals.items(), key=lambda pair: (-pair[1], pair[0].encode()))[:2]
        self.assertEqual([(article["article"], article["views"]) for article in item["articles"]], ranked)

    def test_a_client_shows_what_can_be_asked(self):
        days = {"start": text(self.today), "end": text(self.today)}
        self.assertIn("ask for the agent user", self.ask("getPerArticlePageviews", article=ARTICLES[0], **days))
        self.assertIn("ask for all-access",
                      self.ask("getPerArticlePageviews", article=ARTICLES[0], agent="user", access="desktop", **days))
        self.assertIn("top` names the articles", self.ask("getPerArticlePageviews", article="/none", agent="user", **days))
        self.assertIn("no.site", self.ask("getTopPageviews", project="no.site", date=text(self.today)))

    def test_titles_are_decoded_as_wikimedias(self):
        # A proxy may have removed the escapes of slashes, and AQS takes blanks for underscores.
        for written in ("/news/1", "%2Fnews%2F1", "%2fnews/1", "H%C3%A0_N%e1%bb%99i", "H%C3%A0%20N%E1%BB%99i"):
            answer = self.get(f"/per-article/{SITE}/all-access/user/{written}/daily/{text(self.today)}/"
                              f"{text(self.today)}00")
            self.assertEqual(answer.status, 200, (written, answer.body))
        self.assertEqual(answer.json()["items"][0]["article"], "Hà_Nội")
        for project in (SITE.upper(), f"www.{SITE}.org"):
            self.assertEqual(self.get(f"/top/{project}/all-access/{self.today:%Y/%m/%d}").json()["items"][0]["project"],
                             SITE)

    def test_errors_are_problems_that_say_what_to_do(self):
        day, article = text(self.today), f"/per-article/{SITE}/all-access/user/%2Fnews%2F1"
        old = text(self.today - datetime.timedelta(9))
        for path, status, words in (
                (f"{article}/daily/{day}/2026-11-1", 400, "YYYYMMDD"),
                (f"{article}/daily/20260230/{day}", 400, "YYYYMMDD"),
                (f"{article}/daily/99990101/99990102", 400, "YYYYMMDD"),
                (f"{article}/daily/{day}/{old}", 400, "before the start"),
                (f"{article}/hourly/{day}00/{day}01", 400, "daily or monthly"),
                (f"{article}/monthly/20260102/20260130", 400, "whole month"),
                (f"{article}/daily/19700101/{day}", 400, "240 months"),
                (f"{article}/daily/20260101/20260101?x=1", 400, "x"),
                (f"/per-article/{SITE}/all-access/user/%zz/daily/{day}/{day}", 400, "%25"),
                (f"/per-article/{SITE}/all-access/user/%00/daily/{day}/{day}", 400, "control characters"),
                (f"/per-article/{SITE}/all-access/user//daily/{day}/{day}", 400, "1 to 512"),
                (f"/per-article/{SITE}/all-access/humans/a/daily/{day}/{day}", 400, "must be user"),
                (f"/per-article/{SITE}/phone/user/a/daily/{day}/{day}", 400, "must be all-access"),
                (f"/per-article/{SITE}/all-access/spider/a/daily/{day}/{day}", 404, "all time only"),
                (f"/per-article/{SITE}/daily/{day}/{day}", 400, "per-article/PROJECT"),
                (f"/aggregate/{SITE}/all-access/user/daily/{day}", 400, "aggregate/PROJECT"),
                (f"/aggregate/{SITE}/all-access/user/hourly/{day}/{day}", 400, "YYYYMMDDHH"),
                (f"/aggregate/{SITE}/all-access/user/hourly/{old}00/{day}00", 404, "ask for daily"),
                (f"/aggregate/{SITE}/all-access/user/daily/99970101/99980101", 404, "no views"),
                (f"/aggregate/{SITE}/all-access/user/daily/19700101/19700103", 404, "no views"),
                (f"/aggregate/{SITE}/all-access/user/monthly/19700101/19700331", 404, "no views"),
                ("/aggregate/samoa/all-access/user/daily/20111230/20111230", 404, "no views"),
                ("/aggregate/samoa/all-access/user/daily/20111228/20120102", 404, "no views"),
                ("/top/samoa/all-access/2011/12/30", 404, "no article"),
                (f"/top/{SITE}/all-access/1970/01/01", 404, "no article"),
                (f"/top/{SITE}/all-access/1970/01/all-days", 404, "no article"),
                (f"/aggregate/nobody/all-access/user/daily/{day}/{day}", 404, "viewcount site put"),
                (f"/aggregate/empty/all-access/user/daily/{day}/{day}", 404, "no views"),
                (f"/top/{SITE}/all-access/2026/13/01", 400, "all-days"),
                (f"/top/{SITE}/all-access/2026/1/01", 400, "all-days"),
                (f"/top/{SITE}/mobile-app/2026/01/01", 404, "all-access"),
                (f"/top/{SITE}/all-access/9998/12/all-days", 404, "no article"),
                (f"/top/{SITE}/all-access/2026/01", 400, "top/PROJECT")):
            with self.subTest(path):
                answer = self.get(path)
                self.assertEqual((answer.status, answer.type), (status, "application/problem+json"), answer.body)
                problem = answer.json()
                self.assertIn(words, problem["detail"])
                self.assertEqual((problem["type"], problem["method"], problem["uri"]),
                                 ("about:blank", "get", PAGEVIEWS + path))
        self.assertEqual(self.get(f"/top/{SITE}/all-access/2026/01/01", method="POST").status, 405)
        self.assertEqual(self.get("/unique-devices").status, 404)

    def test_only_programs_of_the_portal_may_read(self):
        path = f"/top/{SITE}/all-access/{self.today:%Y/%m/%d}"
        public = web.Web(self.running.address("http"), SITE)
        forwarded = {"X-Forwarded-For": "192.0.2.1"}
        self.assertEqual(self.get(path, public).status, 404)
        for headers in (forwarded, {"Origin": "https://news.example.org"}):
            answer = self.get(path, headers=headers)
            self.assertEqual(answer.status, 403)
            self.assertIn("--admin-address", answer.json()["detail"])
        self.assertEqual(self.get(path, self.admin, forwarded).json(), self.get(path).json())
        for client in (self.admin, self.backend):
            self.assertEqual(self.get(path, client, {"Sec-Fetch-Site": "cross-site"}).status, 403)
            self.assertEqual(self.get(path, client, {"Sec-Fetch-Site": "none"}).status, 200)

    def test_many_questions_at_once_wait(self):
        path = f"/top/{SITE}/all-access/{self.today:%Y/%m}/all-days"
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda _: self.get(path), range(80)))
        self.assertEqual({(answer.status, answer.body) for answer in answers}, {(200, self.get(path).body)})


class GrafanaTest(ReadersTest):
    def post(self, path, body, client=None, headers=None):
        return (client or self.admin).send("POST", "/v1/grafana" + path, body,
                                           {"Content-Type": "application/json"} | (headers or {}))

    def simple_json(self, start, end, *targets, points=550):
        """Returns a question as the data source SimpleJson of Grafana 9 sends it."""
        raw = {"from": "now-6h", "to": "now"}
        return {"app": "dashboard", "requestId": "Q100", "timezone": "browser", "panelId": 2, "dashboardId": 1,
                "range": {"from": stamp(start), "to": stamp(end), "raw": raw}, "timeInfo": "", "interval": "30s",
                "intervalMs": 30000, "targets": [{"target": target, "refId": chr(65 + i), "type": "timeserie",
                                                  "datasource": {"type": "grafana-simple-json-datasource", "uid": "P1"},
                                                  "data": None} for i, target in enumerate(targets)],
                "maxDataPoints": points, "scopedVars": {"__interval": {"text": "30s", "value": "30s"},
                                                        "__interval_ms": {"text": "30000", "value": 30000}},
                "startTime": 1669800000000, "rangeRaw": raw, "adhocFilters": []}

    def simpod(self, start, end, target, payload, points=1243):
        """Returns a question as the data source JSON of simPod sends it from its query builder."""
        return {"app": "panel-editor", "requestId": "Q126", "timezone": "utc", "panelId": 1, "dashboardUID": "a1",
                "range": {"from": stamp(start), "to": stamp(end), "raw": {"from": "now-7d", "to": "now"}},
                "interval": "10m", "intervalMs": 600000, "maxDataPoints": points,
                "targets": [{"refId": "A", "datasource": {"type": "simpod-json-datasource", "uid": "b2"},
                             "editorMode": "builder", "target": target, "payload": payload, "hide": False},
                            {"refId": "B", "editorMode": "builder", "payload": {}}],
                "startTime": 1669800000000, "rangeRaw": {"from": "now-7d", "to": "now"}, "scopedVars": {}}

    def query(self, body, client=None):
        answer = self.post("/query", body, client)
        self.assertEqual((answer.status, answer.type), (200, "application/json"), answer.body)
        return answer.json()

    def own(self, pairs):
        answer = self.backend.get("/series", pairs).json()
        return [[int(point["views"]), milliseconds(point["start"])] for point in answer["points"]]

    def test_the_connection_and_the_editor(self):
        for path in ("/v1/grafana", "/v1/grafana/"):
            self.assertEqual(self.admin.send("GET", path).status, 200)
        self.assertIn(f"views {SITE}", self.post("/search", {"target": ""}).json())
        metrics = self.post("/metrics", {}).json()
        self.assertEqual([metric["value"] for metric in metrics], ["views", "top"])
        options = metrics[0]["payloads"][0]["options"]
        self.assertIn({"label": SITE, "value": SITE}, options)
        self.assertEqual(self.post("/metric-payload-options", {"metric": "views", "payload": {}, "name": "site"}).json(),
                         options)
        variable = {"payload": {"target": "sites"}, "range": {"from": stamp(self.now), "to": stamp(self.now)}}
        self.assertIn({"__text": "empty", "__value": "empty"}, self.post("/variable", variable).json())
        for path in ("/annotations", "/tag-keys", "/tag-values"):
            self.assertEqual(self.post(path, {}).json(), [])

    def test_hours_of_a_short_range_and_days_of_a_long_one(self):
        last = lambda **span: self.now - datetime.timedelta(**span)
        hours, = self.query(self.simple_json(last(hours=6), self.now, f"views {SITE}"))
        self.assertEqual(hours, {"target": f"views {SITE}",
                                 "datapoints": self.own([("window.last", "7h"), ("step", "hour")])})
        days, article = self.query(self.simple_json(last(days=50), self.now, f"views {SITE}",
                                                    f"views {SITE} {ARTICLES[3]}"))
        self.assertEqual(days["datapoints"], self.own([("window.last", "51d")]))
        self.assertEqual(article["datapoints"], self.own([("window.last", "51d"), ("article", ARTICLES[3])]))
        self.assertEqual(sum(views for views, _ in article["datapoints"]),
                         sum(views for day, views in self.expected(ARTICLES[3]).items()
                             if day >= self.today - datetime.timedelta(50)))
        # A small panel has no room for the hours.
        small, = self.query(self.simple_json(last(days=3), self.now, f"views {SITE}", points=20))
        self.assertEqual(small["datapoints"], self.own([("window.last", "4d")]))
        weeks, = self.query(self.simple_json(last(days=300), self.now, f"views {SITE}", points=60))
        self.assertEqual(weeks["datapoints"], self.own([("window.last", "301d"), ("step", "week")]))
        months, = self.query(self.simple_json(last(days=300), self.now, f"views {SITE}", points=5))
        self.assertEqual(months["datapoints"], self.own([("window.last", "301d"), ("step", "month")]))

    def test_ranges_are_cut_to_what_is_kept(self):
        begin, end = datetime.datetime(1960, 1, 1, tzinfo=UTC), datetime.datetime(9999, 12, 31, tzinfo=UTC)
        all_days, = self.query(self.simpod(begin, end, "views", {"site": SITE, "step": "day", "article": ""}))
        self.assertEqual(all_days, {"target": SITE, "datapoints": self.own([("window.last", "1000d")])})
        hours, = self.query(self.simpod(begin, end, "views", {"site": SITE, "step": "hour"}))
        self.assertEqual(hours["datapoints"], self.own([("window.last", "192h"), ("step", "hour")]))
        auto, = self.query(self.simpod(begin, end, "views", {"site": SITE, "step": "auto"}))
        self.assertEqual(sum(views for views, _ in auto["datapoints"]), sum(self.views.values()))
        future, = self.query(self.simple_json(end, end, f"views {SITE}"))
        self.assertEqual(future["datapoints"], [])
        table, = self.query(self.simple_json(end, end, f"top {SITE}"))
        self.assertEqual(table["rows"], [])
        table, = self.query(self.simple_json(begin, end, f"top {SITE}"))
        self.assertEqual(sum(row[3] for row in table["rows"]), sum(self.views.values()))

    def test_the_most_viewed_articles_are_a_table(self):
        start = self.now - datetime.timedelta(days=45)
        table, = self.query(self.simpod(start, self.now, "top", {"site": SITE, "limit": "3"}))
        self.assertEqual(table["type"], "table")
        self.assertEqual([column["text"] for column in table["columns"]], ["Rank", "Article", "Title", "Views"])
        own = self.backend.get("/popular", [("window.last", "46d"), ("pageSize", "3")]).json()["articles"]
        self.assertEqual(table["rows"], [[article["rank"], article["articleId"], "", int(article["views"])]
                                         for article in own])
        self.assertEqual(len(own), 3)
        self.assertEqual(self.post("/query", self.simpod(start, self.now, "top", {"site": SITE})).headers["viewcount-exact"],
                         "true")
        # Ranges of 1970 have no day that begins before it.
        early = datetime.datetime(1970, 1, 1, 3, tzinfo=UTC)
        for target in ("top", "views"):
            self.query(self.simpod(early, early + datetime.timedelta(hours=1), target, {"site": SITE}))

    def test_errors_name_the_field(self):
        good = self.simple_json(self.now, self.now, f"views {SITE}")

        def other(**fields):
            return good | fields

        for body, field, words in (
                ("{", None, "JSON object"), ([], None, "JSON object"), ("[" * 5000, None, "JSON object"),
                (other(range=None), "range", "from"), (other(range={"from": "now-6h", "to": "now"}), "range.from", "2026"),
                (other(range={"from": stamp(self.now), "to": "1970-01-01T00:00:00Z"}), "range.to", "before"),
                (other(targets={}), "targets", "list"), (other(targets=[3]), "targets[0]", "object"),
                (other(targets=[{"target": "hits demo"}]), "targets[0].target", "views SITE"),
                (other(targets=[{"target": "views"}]), "targets[0].target", "views SITE"),
                (other(targets=[{"target": f"top {SITE} a"}]), "targets[0].target", "no article"),
                (other(targets=[{"target": f"top {SITE}", "payload": {"limit": 1001}}]), "targets[0].payload.limit", "1000"),
                (other(targets=[{"target": f"top {SITE}", "data": {"limit": "many"}}]), "targets[0].data.limit", "1000"),
                (other(targets=[{"target": f"views {SITE}", "payload": {"step": "year"}}]), "targets[0].payload.step",
                 "month"),
                (other(targets=good["targets"] * 27), "targets", "26"),
                (other(targets=good["targets"] + [{"target": f"views {SITE} " + "x" * 513}]), "targets[1]", "512")):
            with self.subTest(words):
                answer = self.post("/query", body)
                self.assertEqual(answer.status, 400, answer.body)
                self.assertIn(words, answer.json()["detail"])
                if field:
                    self.assertEqual(answer.json()["field"], field)
        answer = self.post("/query", other(targets=[{"target": "views nobody"}]))
        self.assertEqual((answer.status, answer.json()["reason"]), (404, "UNKNOWN_SITE"))
        for strange in (0, -1, 1e300, "many", None, True):
            self.assertEqual(self.post("/query", other(maxDataPoints=strange)).status, 200, strange)

    def test_grafana_asks_at_the_admin_address(self):
        """Grafana's proxy names the viewer's address, so at the address of backends it is not believed."""
        body = self.simple_json(self.now, self.now, f"views {SITE}")
        forwarded = {"X-Forwarded-For": "192.0.2.1", "X-Grafana-Referer": "http://localhost:3000/d/a"}
        self.assertEqual(self.post("/query", body, headers=forwarded).status, 200)
        self.assertEqual(self.query(body, self.backend), self.query(body))
        answer = self.post("/query", body, self.backend, forwarded)
        self.assertEqual(answer.status, 403)
        self.assertIn("--admin-address", answer.json()["detail"])
        public = web.Web(self.running.address("http"), SITE)
        self.assertEqual(self.post("/query", body, public).status, 404)
        self.assertEqual(self.post("/query", body, headers={"Sec-Fetch-Site": "cross-site"}).status, 403)


def stamp(moment):
    """Returns a moment as JavaScript's toISOString does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def milliseconds(moment):
    return int(datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() * 1000)


if __name__ == "__main__":
    PROGRAM, COMMAND = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()
