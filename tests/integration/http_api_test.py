"""Compares the HTTP interface with its description, service/http/openapi.yaml.

Every operation must behave as described, and its counts must be exact.
Run by ctest with the programs' paths: http_api_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import base64
import contextlib
import csv
import datetime
import hashlib
import gzip
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
from xml.etree import ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import messages  # noqa: E402
import service  # noqa: E402
import web  # noqa: E402

MESSAGES = messages.generate()

from contract import Contract  # noqa: E402

PROGRAM = None
COMMAND = None
CONTRACT = Contract()
# All addresses of 127.0.0.0/8 belong to this machine, so a backend and a visitor's browser have different addresses.
BACKEND, BROWSER = "127.0.0.1", "127.0.0.9"
SITES = ("calls", "moment", "popular", "numbers", "tags", "tables")
ORIGIN = "https://calls.example"
PLAIN = {"Content-Type": "text/plain;charset=UTF-8"}
# One correct call of each operation: its query and its body.
CALLS = {
    "recordViews": ((), {"articleId": "/calls/1"}),
    "announcePage": ((), {"address": "https://calls.example/calls/page", "title": "A page"}),
    "getArticle": ((("article", "/calls/1"),), None),
    "dashboard": ((("lang", "vi"),), None),
    "embedPopular": ((("window.last", "24h"), ("lang", "vi"), ("limit", "3"), ("theme", "dark")), None),
    "oembed": ((("url", "http://localhost/v1/sites/calls/embed/popular?lang=vi"), ("maxwidth", "300")), None),
    "pixel": ((("article", "/calls/1"),), None),
    "getCounts": ((("article", "/calls/1"), ("article", "/calls/none")), None),
    "batchGetCounts": ((), {"articleIds": ["/calls/1", "/calls/none"]}),
    "listPopular": ((("window.allTime", "true"), ("pageSize", "2")), None),
    "popularRss": ((("window.last", "24h"), ("lang", "vi")), None),
    "popularJsonFeed": ((("pageSize", "5"),), None),
    "listTrending": ((("halfLife", "3h"), ("pageSize", "2")), None),
    "listRising": ((("window.last", "6h"), ("pageSize", "2")), None),
    "listNow": ((("last", "5m"), ("pageSize", "2")), None),
    "listArticles": ((("before", "3"), ("after", "3")), None),
    "getSeries": ((("section", "news"), ("compare", "before"), ("window.last", "2d"), ("step", "day")), None),
    "exportCounts": ((("format", "jsonl"),), None),
    "getSiteStats": ((), None),
    "odometer": ((("style", "flat"), ("digits", "10"), ("theme", "dark"), ("title", "Visits"), ("lang", "vi")), None),
    "badge": ((("article", "/calls/1"), ("label", "seen"), ("theme", "light"), ("lang", "fr-CA")), None),
    "countText": ((("article", "/calls/1"), ("lang", "vi")), None),
    "live": ((("article", "/calls/1"),), None),
    "aqsPerArticle": ((), None),
    "aqsAggregate": ((), None),
    "aqsTop": ((), None),
    "grafanaConnection": ((), None),
    "grafanaQuery": ((), {"range": {"from": "2026-11-30T00:00:00.000Z", "to": "2026-11-30T06:00:00.000Z"},
                          "targets": [{"target": "views calls"}, {"target": "top calls"}]}),
    "grafanaSearch": ((), {}),
    "grafanaMetrics": ((), {}),
    "grafanaPayloadOptions": ((), {"name": "site"}),
    "grafanaVariable": ((), {}),
    "grafanaAnnotations": ((), {}),
    "grafanaTagKeys": ((), {}),
    "grafanaTagValues": ((), {}),
    "script": ((), None),
    "scriptByItsSecondName": ((), None),
    "listsScript": ((), None),
    "listsScriptByItsSecondName": ((), None),
    "description": ((), None),
    "index": ((), None),
}
TODAY = datetime.datetime.now(datetime.timezone.utc)
# The parts of the paths of operations, beside those of CALLS.
PARTS = {"site": "calls", "project": "calls", "access": "all-access", "agent": "user", "article": "%2Fcalls%2F1",
         "granularity": "daily", "start": f"{TODAY:%Y%m%d}", "end": f"{TODAY + datetime.timedelta(1):%Y%m%d}",
         "year": f"{TODAY:%Y}", "month": f"{TODAY:%m}", "day": "all-days"}


def read(answer):
    return answer.status, answer.json()["code"], answer.json().get("field"), answer.json().get("reason")


def send_beacon(client, fields, body):
    with contextlib.closing(client.connect()) as connection:
        connection.sendall(f"POST {client.target('/views')} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"
                           f"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
                           f"{body}".encode())
        response = http.client.HTTPResponse(connection, method="POST")
        response.begin()
        return web.Answer(response)


class ApiTest(unittest.TestCase):
    """The tests of a class share one service. Each test uses its own articles."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-http-")
        cls.addClassCleanup(folder.cleanup)
        flags = [word for site in SITES for word in ("--site", site)]
        cls.running = service.Service(PROGRAM, folder.name, "--trusted-backends", BACKEND, *flags)
        cls.enterClassContext(cls.running)

    def client(self, site="demo", source=BROWSER):
        return web.Web(self.running.address("http"), site, source)


class DescriptionTest(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run([COMMAND, "--server", cls.running.address("grpc"), "site", "put", "calls", "--origin", ORIGIN,
                        "--public-reads", "--page-announcements"], check=True, capture_output=True)

    def client_of(self, name):
        """Returns a client of an address that has the operation."""
        if CONTRACT.is_public(name):
            return self.client("calls", BACKEND if name in ("getSeries", "exportCounts") else BROWSER)
        return web.Web(self.running.address("backend"), "calls")

    def call(self, name):
        pairs, body = CALLS[name]
        client = self.client_of(name)
        target = CONTRACT.paths[name].format(**PARTS)
        headers = {"Content-Type": "application/json"} if body else {}
        if name == "announcePage":
            headers["Origin"] = ORIGIN
        return client.send(CONTRACT.methods[name], target + client.target("", pairs).removeprefix("/v1/sites/calls"),
                           body, headers)

    def test_every_operation_answers_as_described(self):
        self.assertEqual(set(CALLS), set(CONTRACT.methods))
        # Answers in the form of AQS need a view.
        self.call("recordViews")
        for name in CALLS.keys() - {"live"}:
            with self.subTest(name):
                self.assertLessEqual({key for key, _ in CALLS[name][0]}, set(CONTRACT.parameters(name)))
                answer = self.call(name)
                self.assertEqual(answer.status, 200, answer.body)
                CONTRACT.check(name, answer)
                self.assertEqual(answer.headers["x-content-type-options"], "nosniff")

    def test_every_operation_takes_the_parameters_that_are_described(self):
        for name, path in CONTRACT.paths.items():
            if "{site}" not in path:
                continue
            pairs, body = CALLS[name]
            answer = self.client("calls").send(CONTRACT.methods[name], path.replace("{site}", "calls") + "?nothing=1&_=2", body)
            CONTRACT.check(name, answer)
            self.assertEqual(read(answer)[:3], (400, "INVALID_ARGUMENT", "nothing"), name)
            known = re.search("Known are (.+)$|none is$", answer.json()["detail"])[1]
            self.assertEqual(set(known.split(", ") if known else ()), set(CONTRACT.parameters(name)), name)
        # The parameter that scripts add against caches.
        self.assertEqual(self.client("calls").send("GET", "/v1/sites/calls/stats?_=1699").status, 200)

    def test_errors_have_the_names_of_http(self):
        client = self.client("calls")
        for answer, field in ((client.get("/popular", [("window.last", "90m")]), "window.last"),
                              (client.get("/counts", [("article", "/a"), ("article", "")]), "article[1]"),
                              (client.get("/badge.svg", ()), "article"),
                              (client.get("/pixel.gif", [("article", "")]), "article[0]"),
                              (client.get("/pixel.gif", [("address", "a")]), "address[0]"),
                              (client.get("/pixel.gif", [("canonical", "a")]), "canonical[0]"),
                              (client.post("/counts:batchGet", {"articleIds": ["/a", ""]}), "articleIds[1]"),
                              (client.post("/counts:batchGet", {"articles": ["/a"]}), "articles"),
                              (client.post("/views", {"views": [{"articleId": ""}]}), "views[0].articleId"),
                              (client.post("/views", {"articelId": "/a"}), "articelId"),
                              (client.post("/views", {"views": [{"articleId": "/a"}, {"id": "/a"}]}), "views[1].id")):
            with self.subTest(field):
                self.assertEqual(read(answer)[:3], (400, "INVALID_ARGUMENT", field), answer.body)

    def test_live_events_are_as_described(self):
        with self.client("calls").live("/calls/1", "/calls/2") as live:
            self.assertRegex(live.head, "^HTTP/1.1 200 ")
            self.assertRegex(live.head, "(?i)\r\nContent-Type: text/event-stream")
            CONTRACT.check_message(CONTRACT.event_schema(), live.next())

    def test_every_operation_on_a_site_tells_that_there_is_none(self):
        nobody = self.client("nobody-made-this")
        for name, path in CONTRACT.paths.items():
            if "{site}" not in path:
                continue
            pairs, body = CALLS[name]
            answer = nobody.send(CONTRACT.methods[name], nobody.target(path.removeprefix("/v1/sites/{site}"), pairs), body)
            self.assertEqual(read(answer), (404, "NOT_FOUND", None, "UNKNOWN_SITE"), name)
            CONTRACT.check(name, answer)

    def test_other_methods_and_paths_are_refused(self):
        for name, path in CONTRACT.paths.items():
            answer = self.client_of(name).send("DELETE", path.format(**PARTS))
            self.assertEqual(answer.status, 405, name)
            self.assertIn(CONTRACT.methods[name], answer.headers["allow"].split(", "))
            CONTRACT.check("getCounts", answer)
        for path in ("/nothing", "/v1", "/v1/sites", "/v1/sites/calls", "/v1/sites/calls/nothing", "/v1/sites//counts"):
            answer = self.client().send("GET", path)
            self.assertEqual(answer.status, 404, path)
            CONTRACT.check("getCounts", answer)

    def test_it_hands_out_its_own_description(self):
        self.assertEqual(self.client().send("GET", "/openapi.yaml").body.decode(), CONTRACT.text)

    def test_head_is_get_without_the_body(self):
        for target in ("/count.js", "/openapi.yaml", "/", "/v1/sites/calls/badge.svg?article=/calls/none"):
            get, head = (self.client().send(method, target) for method in ("GET", "HEAD"))
            self.assertEqual((head.status, head.type, head.body), (200, get.type, b""))
            self.assertEqual(head.headers["content-length"], str(len(get.body)))


class ExactnessTest(ApiTest):
    def check_site(self, client, views, popular):
        """Checks that counts, totals and ranks agree."""
        self.assertEqual(client.counts(*popular), list(popular.values()))
        stats = client.get("/stats").json()
        self.assertTrue(stats["exact"])
        self.assertEqual({key: stats["views"][key] for key in ("total", "today", "yesterday", "thisMonth")},
                         {"total": str(views), "today": str(views), "yesterday": "0", "thisMonth": str(views)})
        for window in ((), (("window.allTime", "true"),), (("window.day", ""),), (("window.last", "1h"),),
                       (("window.last", "24h"),), (("window.last", "30d"),)):
            shown = client.get("/popular", window).json()
            self.assertTrue(shown["exact"])
            self.assertEqual("span" in shown, bool(window) and window[0][0] != "window.allTime")
            self.assertEqual({article["articleId"]: int(article["views"]) for article in shown["articles"]}, popular)

    def test_what_was_acknowledged_is_in_every_answer_at_once_and_after_a_crash(self):
        # Use a zone where the time is about noon, so that no day begins during the test. The number in "Etc/GMT" counts
        # hours to the west.
        zone = f"Etc/GMT{datetime.datetime.now(datetime.timezone.utc).hour - 12:+d}"
        subprocess.run([COMMAND, "--server", self.running.address("grpc"), "site", "put", "moment", "--time-zone", zone],
                       check=True, capture_output=True)
        client, backend = self.client("moment"), self.client("moment", BACKEND)
        steps = [lambda: client.post("/views", {"articleId": "/a"}, PLAIN),
                 lambda: client.post("/views", {"views": [{"articleId": "/a"}, {"articleId": "/b"}]}),
                 lambda: client.get("/pixel.gif", [("article", "/b")]),
                 lambda: backend.post("/views", {"views": [{"articleId": "/c", "count": 1000}, {"articleId": "/a"}]})]
        states = [{"/a": 1}, {"/a": 2, "/b": 1}, {"/a": 2, "/b": 2}, {"/a": 3, "/b": 2, "/c": 1000}]
        for step, state in zip(steps, states):
            answer = step()
            self.assertEqual(answer.status, 200, answer.body)
            self.check_site(client, sum(state.values()), state)
        self.running.kill()
        self.running.start()
        self.check_site(self.client("moment"), sum(states[-1].values()), states[-1])

    def test_a_batch_sent_twice_counts_once(self):
        client = self.client(source=BACKEND)
        batch = {"writerId": base64.b64encode(os.urandom(16)).decode(), "sequence": "1",
                 "views": [{"articleId": "/batch/1", "count": 7}]}
        answers = [client.post("/views", batch).json() for _ in range(3)]
        for answer in answers:
            self.assertEqual(answer["lastSequence"], "1")
        self.assertEqual([(answer["acceptedViews"], answer["duplicate"]) for answer in answers],
                         [("7", False), ("0", True), ("0", True)])
        self.assertEqual(read(client.post("/views", batch | {"sequence": 3})),
                         (400, "FAILED_PRECONDITION", None, "SEQUENCE_GAP"))
        self.assertEqual(client.counts("/batch/1"), [7])

    def test_head_of_the_pixel_counts_nothing(self):
        client = self.client()
        for method in ("HEAD", "OPTIONS"):
            client.send(method, client.target("/pixel.gif", [("article", "/head/1")]))
        self.assertEqual(client.counts("/head/1"), [0])

    def test_bots_are_counted_apart(self):
        client = self.client()
        client.post("/views", {"articleId": "/bot/1", "bot": True})
        [count] = client.get("/counts", [("article", "/bot/1")]).json()["counts"]
        self.assertEqual((count["views"], count["botViews"]), ("0", "1"))

    def test_counts_come_in_the_order_asked(self):
        client = self.client()
        client.post("/views", {"articleId": "/order/b"})
        asked = [f"/order/{i}" for i in range(998)] + ["/order/b", "/order/ü&=+ %"]
        answer = client.post("/counts:batchGet", {"articleIds": asked}).json()
        self.assertEqual([count["articleId"] for count in answer["counts"]], asked)
        self.assertEqual([count["views"] for count in answer["counts"]], ["0"] * 998 + ["1", "0"])
        self.assertEqual(client.counts("/order/ü&=+ %", "/order/b", "/order/b"), [0, 1, 1])

    def test_popular_pages_follow_each_other(self):
        client, backend = self.client("popular"), self.client("popular", BACKEND)
        backend.post("/views", {"views": [{"articleId": f"/{i}", "count": 100 - i} for i in range(5)]})
        token, seen = "", []
        while True:
            page = client.get("/popular", [("pageSize", "2"), ("pageToken", token)]).json()
            seen += [(article["rank"], article["articleId"]) for article in page["articles"]]
            token = page["nextPageToken"]
            if not token:
                break
        self.assertEqual(seen, [(i + 1, f"/{i}") for i in range(5)])


class LiveTest(ApiTest):
    def test_only_what_changed_is_sent(self):
        client = self.client()
        with client.live("/live/1", "/live/2") as live:
            self.assertEqual([count["articleId"] for count in live.next()["counts"]], ["/live/1", "/live/2"])
            client.post("/views", {"articleId": "/live/2"})
            event = live.next()
            self.assertEqual([(count["articleId"], count["views"]) for count in event["counts"]], [("/live/2", "1")])
            total = client.get("/stats").json()["views"]["total"]
            # The site's views may have been read just before the counts. In that case an event with the new number
            # follows.
            if event["siteViews"] != total:
                live.until(lambda data: data["siteViews"] == total)

    def test_a_reader_that_comes_back_gets_what_it_missed(self):
        client = self.client()
        with client.live("/back/1", "/back/2", "/back/3") as live:
            live.next()
            last = live.id
        client.post("/views", {"articleId": "/back/3"})
        with client.live("/back/1", "/back/2", "/back/3", headers={"Last-Event-ID": last}) as live:
            event = live.until(lambda data: data["counts"])
            self.assertEqual({count["articleId"]: count["views"] for count in event["counts"]}.get("/back/3"), "1")
        with client.live("/back/1", "/back/3", headers={"Last-Event-ID": "of-another-process"}) as live:
            self.assertEqual([count["views"] for count in live.next()["counts"]], ["0", "1"])

    def test_too_many_articles_are_refused(self):
        client = self.client()
        answer = client.get("/live", [("article", f"{i:x}") for i in range(1_001)])
        self.assertEqual(answer.status, 400)
        CONTRACT.check("live", answer)


class CorsTest(ApiTest):
    FRIEND, STRANGER = "https://news.example.org", "https://other.example.org"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run([COMMAND, "--server", cls.running.address("grpc"), "site", "put", "closed", "--time-zone", "UTC",
                        "--origin", cls.FRIEND, "--origin", "http://localhost:8000"], check=True, capture_output=True)

    def allowed(self, answer):
        return answer.headers.get("access-control-allow-origin")

    def preflight(self, client, path, origin, method="POST"):
        headers = {"Origin": origin, "Access-Control-Request-Method": method,
                   "Access-Control-Request-Headers": "content-type"}
        return client.send("OPTIONS", client.target(path), headers=headers)

    def test_an_open_site_may_be_read_from_everywhere(self):
        client = self.client()
        for path, pairs in (("/stats", ()), ("/counts", [("article", "/cors/1")]), ("/popular", ())):
            answer = client.get(path, pairs, {"Origin": self.STRANGER})
            self.assertEqual((answer.status, self.allowed(answer)), (200, "*"), path)
        answer = client.post("/views", {"articleId": "/cors/1"}, {"Origin": self.STRANGER} | PLAIN)
        self.assertEqual((answer.status, self.allowed(answer)), (200, "*"))
        self.assertEqual(client.counts("/cors/1"), [1])

    def test_a_closed_site_may_be_read_from_its_origins_only(self):
        client = self.client("closed")
        for origin, allowed in ((self.FRIEND, self.FRIEND), ("http://localhost:8000", "http://localhost:8000"),
                                (self.STRANGER, None), ("null", None)):
            answer = client.get("/stats", headers={"Origin": origin})
            self.assertEqual((answer.status, self.allowed(answer)), (200, allowed))
            self.assertIn("Origin", answer.headers["vary"])

    def test_a_closed_site_takes_views_from_its_origins_only(self):
        client = self.client("closed")
        for method in (lambda headers: client.post("/views", {"articleId": "/closed/1"}, headers | PLAIN),
                       lambda headers: client.get("/pixel.gif", [("article", "/closed/1")], headers)):
            for headers in ({"Origin": self.STRANGER}, {"Referer": self.STRANGER + "/page"}):
                answer = method(headers)
                self.assertEqual(read(answer)[:2], (403, "PERMISSION_DENIED"), headers)
        self.assertEqual(client.counts("/closed/1"), [0])
        # Browsers send the origin "null" for pages whose policy hides it. Their page is unknown, as without a Referer.
        for headers in ({"Origin": self.FRIEND}, {"Referer": self.FRIEND + "/page"}, {}, {"Origin": "null"}):
            self.assertEqual(client.post("/views", {"articleId": "/closed/1"}, headers | PLAIN).status, 200)
        self.assertEqual(client.counts("/closed/1"), [4])

    def test_a_wildcard_allows_the_names_below_a_domain(self):
        words = [COMMAND, "--server", self.running.address("grpc"), "site", "put", "wild", "--time-zone", "UTC", "--origin"]
        for origin in ("*", "https://*", "https://*.org", "https://news.*.org", "https://*news.example.org"):
            refused = subprocess.run([*words, origin], check=False, capture_output=True)
            self.assertNotEqual(refused.returncode, 0, origin)
        subprocess.run([*words, "https://*.example.org"], check=True, capture_output=True)
        client = self.client("wild")
        for origin, allowed in (("https://a.example.org", True), ("https://b.a.example.org", True),
                                ("https://example.org", False), ("https://notexample.org", False),
                                ("https://a.example.org.example.com", False), ("http://a.example.org", False),
                                ("https://a.example.org:8443", False)):
            answer = client.get("/stats", headers={"Origin": origin})
            self.assertEqual((answer.status, self.allowed(answer)), (200, origin if allowed else None))
            for body in ('{"articleId":"/wild/1"}', '{"articleId": "/wild/1"}'):
                self.assertEqual(client.post("/views", body, {"Origin": origin} | PLAIN).status, 200 if allowed else 403)
        self.assertEqual(client.counts("/wild/1"), [4])

    def test_beacons_are_answered_alike_in_both_ways(self):
        """Sends each beacon in two forms and compares the answers.

        The exact form that count.js sends takes the fast path. The form with an added blank takes the general path.
        """
        for site in ("demo", "closed"):
            client = self.client(site)
            taken = 0
            for fields in ("Origin: " + self.FRIEND, "Origin: " + self.STRANGER, "Referer: " + self.FRIEND + "/page",
                           "Referer: " + self.STRANGER + "/page", "Origin: null", "Connection: close", "Accept: */*"):
                answers = [send_beacon(client, fields, body)
                           for body in ('{"articleId":"/cors/both"}', '{"articleId": "/cors/both"}')]
                heads = [answer.headers | {"date": ""} for answer in answers]
                self.assertEqual((answers[0].status, heads[0], answers[0].body),
                                 (answers[1].status, heads[1], answers[1].body), (site, fields))
                taken += sum(answer.status == 200 for answer in answers)
            self.assertEqual(client.counts("/cors/both"), [taken])

    def test_preflights_are_answered(self):
        for site, origin, allowed in (("demo", self.STRANGER, "*"), ("closed", self.FRIEND, self.FRIEND)):
            answer = self.preflight(self.client(site), "/views", origin)
            self.assertEqual((answer.status, answer.body, self.allowed(answer)), (204, b"", allowed))
            self.assertIn("POST", answer.headers["access-control-allow-methods"].split(", "))
            self.assertIn("content-type", answer.headers["access-control-allow-headers"].lower().split(", "))
            self.assertGreater(int(answer.headers["access-control-max-age"]), 0)
        self.assertIsNone(self.allowed(self.preflight(self.client("closed"), "/views", self.STRANGER)))

    def test_errors_may_be_read_too(self):
        answer = self.client().get("/counts", headers={"Origin": self.STRANGER})
        self.assertEqual((answer.status, self.allowed(answer)), (400, "*"))


class CachingTest(ApiTest):
    def check_tag(self, name, target):
        """Checks that a request with the known tag is answered without a body, and returns the tag."""
        first = self.client().send("GET", target)
        tag = first.headers["etag"]
        self.assertRegex(tag, '^(W/)?"[^"]+"$')
        for known in (tag, f'"other", {tag}', "*"):
            again = self.client().send("GET", target, headers={"If-None-Match": known})
            self.assertEqual((again.status, again.headers["etag"]), (304, tag))
            CONTRACT.check(name, again)
        other = self.client().send("GET", target, headers={"If-None-Match": '"other"'})
        self.assertEqual((other.status, other.body), (200, first.body))
        return tag

    def test_the_script_is_sent_once(self):
        self.check_tag("script", "/count.js")
        self.check_tag("scriptByItsSecondName", "/numbers.js")
        self.check_tag("listsScript", "/lists.js")
        self.check_tag("listsScriptByItsSecondName", "/more.js")

    def test_the_index_lists_names_whose_content_never_changes(self):
        index = self.client().send("GET", "/").body.decode()
        for first, second in (("count", "numbers"), ("lists", "more")):
            script = self.client().send("GET", f"/{first}.js").body
            self.assertEqual(self.client().send("GET", f"/{second}.js").body, script)
            names = re.findall(rf"^(/(?:{first}|{second})\.[0-9a-f]{{12}}\.js) ", index, re.MULTILINE)
            self.assertEqual(len(names), 2, index)
            for name in names:
                answer = self.client().send("GET", name)
                self.assertEqual((answer.status, answer.body), (200, script))
                self.assertEqual(answer.headers["cache-control"], "public, max-age=31536000, immutable")
            digest = base64.b64encode(hashlib.sha384(script).digest()).decode()
            self.assertIn(f'integrity="sha384-{digest}"', index)
            self.assertEqual(self.client().send("GET", f"/{first}.000000000000.js").status, 404)

    def test_the_script_has_the_hash_of_the_lists(self):
        digest = base64.b64encode(hashlib.sha256(self.client().send("GET", "/lists.js").body).digest()).decode()
        self.assertIn(f"'sha256-{digest}'".encode(), self.client().send("GET", "/count.js").body)

    def test_pictures_write_numbers_in_a_language(self):
        client = self.client(source=BACKEND)
        client.post("/views", {"views": [{"articleId": "/language", "count": count} for count in (1_000_000, 234_567)]})
        for language, text in (("vi", "1.234.567"), ("en-GB", "1,234,567"), ("fr", "1\u202f234\u202f567")):
            badge = client.send("GET", client.target("/badge.svg", [("article", "/language"), ("lang", language)]))
            self.assertIn(f">{text}</text>", badge.body.decode())
            alone = client.send("GET", client.target("/count.txt", [("article", "/language"), ("lang", language)]))
            self.assertEqual((alone.body.decode(), alone.headers["content-type"]), (text, "text/plain; charset=utf-8"))
        odometer = client.send("GET", client.target("/odometer.svg", [("lang", "vi")])).body.decode()
        self.assertRegex(odometer, r'aria-label="[1-9]\d{0,2}(\.\d{3})+"')
        for route in ("/badge.svg", "/odometer.svg", "/count.txt"):
            pairs = [("article", "/language")] if route == "/badge.svg" else []
            refused = client.send("GET", client.target(route, pairs + [("lang", "xx")]))
            self.assertEqual(read(refused), (400, "INVALID_ARGUMENT", "lang", None))

    def test_exports_are_whole_or_cut_off(self):
        client = self.client("tables", BACKEND)
        articles = {"=1+1": 3, 'a "b", c': 4, "số 1": 5} | {f"/export/{number}": 1 for number in range(3_000)}
        for begin in range(0, len(articles), 1_000):
            some = list(articles.items())[begin:begin + 1_000]
            client.post("/views", {"views": [{"articleId": article, "count": count} for article, count in some]})
        lines = client.get("/export", [("format", "jsonl")])
        self.assertEqual((lines.status, lines.type), (200, "application/jsonl"), lines.body)
        rows = [json.loads(line) for line in lines.body.decode().splitlines()]
        self.assertEqual({row["articleId"]: row["views"] for row in rows if row["articleId"] in articles}, articles)
        table = client.get("/export", [("window.last", "1d")])
        self.assertEqual(table.type, "text/csv")
        rows = list(csv.reader(table.body.decode().splitlines()))
        self.assertEqual(rows[0], ["article_id", "views"])
        self.assertIn(["'=1+1", "3"], rows)
        self.assertIn(['a "b", c', "4"], rows)
        # The last chunk has the number of rows, and then the connection ends.
        with contextlib.closing(client.connect()) as connection:
            connection.sendall(f"GET {client.target('/export')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            whole = b"".join(iter(lambda: connection.recv(1 << 16), b""))
        self.assertIn(b"Transfer-Encoding: chunked\r\n", whole)
        self.assertRegex(whole, rb"\r\n0\r\nViewcount-Rows: \d{4,}\r\n\r\n$")
        for pairs, field in (([("format", "xml")], "format"), ([("window.last", "90m")], "window.last")):
            self.assertEqual(read(client.get("/export", pairs))[:3], (400, "INVALID_ARGUMENT", field), pairs)
        self.assertEqual(read(self.client("tables").get("/export"))[:2], (403, "PERMISSION_DENIED"))

    def test_lists_and_series_are_tables_as_well(self):
        client = self.client("tables", BACKEND)
        client.post("/views", {"views": [{"articleId": "=table", "count": 1_000_000}]})
        popular = client.get("/popular", [("format", "csv"), ("pageSize", "1")])
        self.assertEqual(popular.type, "text/csv")
        self.assertEqual(popular.body.decode(), "rank,previous_rank,views,article_id,title,section,url\n"
                                                "1,,1000000,'=table,,,\n")
        series = client.get("/series", [("format", "csv"), ("article", "=table"), ("window.last", "1d")])
        self.assertEqual(series.type, "text/csv")
        self.assertRegex(series.body.decode(), r"^start,views\n\d{4}-\d\d-\d\dT00:00:00\+00:00,1000000\n$")
        for path in ("/popular", "/series"):
            answer = client.get(path, [("format", "xml"), ("window.last", "1d")])
            self.assertEqual(read(answer)[:3], (400, "INVALID_ARGUMENT", "format"))

    def test_series_are_for_backends_and_add_up(self):
        client = self.client(source=BACKEND)
        client.post("/views", {"views": [{"articleId": "/series", "count": 5}]})
        for step, last in (("hour", "24h"), ("day", "2d"), ("week", "14d"), ("month", "30d")):
            answer = client.get("/series", [("article", "/series"), ("window.last", last), ("step", step)])
            series = answer.json()
            self.assertEqual((series["views"], series["articleId"], series["exact"]), ("5", "/series", True), series)
            self.assertEqual(series["points"][-1]["views"], "5", series)
        compared = client.get("/series", [("article", "/series"), ("window.last", "2d"), ("compare", "before"),
                                          ("compare", "year"), ("numbers", "1")]).json()
        for field in ("before", "yearBefore"):
            self.assertEqual([point["views"] for point in compared[field]], [0, 0])
            self.assertRegex(compared[field][0]["day"], r"^\d{4}-\d\d-\d\d$")
        site = client.get("/series", [("window.last", "1d"), ("numbers", "1")]).json()
        self.assertGreaterEqual(site["views"], 5)
        for pairs, field in ((((("window.last", "24x")),), "window.last"), ((("window.last", "90m"),), "window.last"),
                             ((("window.start", "2026-11-01T01:00:00Z"), ("window.end", "2026-11-02T00:00:00Z")),
                              "window.start"),
                             ((("window.start", "2026-11-01T00:00:00Z"),), "window.end"), ((), "window"),
                             ((("window.last", "1d"), ("window.day", "")), "window"),
                             ((("window.last", "1d"), ("article", "")), "article"),
                             ((("window.last", "1d"), ("article", "/a"), ("article", "/b")), "article"),
                             ((("window.last", "1d"), ("step", "year")), "step"),
                             ((("window.last", "1d"), ("compare", "week")), "compare"),
                             ((("window.last", "1d"), ("tag", "")), "tag"),
                             ((("window.last", "1d"), ("tag", "a"), ("section", "b")), "tag"),
                             ((("window.last", "1d"), ("author", "a"), ("article", "/b")), "author"),
                             ((("window.last", "5d"), ("compare", "before"), ("step", "hour")), "compare"),
                             ((("window.last", "5h"), ("compare", "year"), ("step", "hour")), "compare"),
                             ((("window.last", "1d"), ("article", "/a"), ("address", "/a")), "address"),
                             ((("window.last", "1d"), ("window.allTime", "true")), "window.allTime")):
            self.assertEqual(read(client.get("/series", pairs)), (400, "INVALID_ARGUMENT", field, None), pairs)
        refused = self.client().get("/series", [("window.last", "1d")])
        self.assertEqual(read(refused)[:2], (403, "PERMISSION_DENIED"))
        self.assertIn("--backend-address", refused.json()["detail"])

    def test_a_text_is_of_one_article_or_of_the_site(self):
        client = self.client()
        text = lambda *pairs: client.send("GET", client.target("/count.txt", pairs))  # noqa: E731
        site = int(client.get("/stats").json()["views"]["total"])
        self.assertEqual(int(text().body.decode().replace(",", "")), site)
        self.assertRegex(text(("show", "visits")).body.decode(), r"^[0-9,]+$")
        self.assertEqual(text(("address", "https://news.example/never")).body, b"0")
        for pairs, field in (((("article", "/a"), ("article", "/b")), "article"),
                             ((("article", "/a"), ("show", "visits")), "show"),
                             ((("show", "viewers"),), "show"), ((("address", "b"),), "address"),
                             ((("articles", "/a"),), "articles")):
            self.assertEqual(read(text(*pairs)), (400, "INVALID_ARGUMENT", field, None))

    def test_pictures_are_sent_again_when_counts_change(self):
        client = self.client()
        for name, target in (("badge", client.target("/badge.svg", [("article", "/etag/1")])),
                             ("odometer", client.target("/odometer.svg")),
                             ("countText", client.target("/count.txt", [("article", "/etag/1")])),
                             ("countText", client.target("/count.txt"))):
            before = self.check_tag(name, target)
            client.post("/views", {"articleId": "/etag/1"})
            answer = client.send("GET", target, headers={"If-None-Match": before})
            self.assertEqual(answer.status, 200)
            self.assertNotEqual(answer.headers["etag"], before)

    def test_numbers_are_cached_for_a_second_and_have_a_tag(self):
        client = self.client("tags")
        target = client.target("/counts", [("article", "/etag/2")])
        for name, path, pairs in (("getSiteStats", "/stats", ()), ("getCounts", "/counts", [("article", "/etag/2")]),
                                  ("listPopular", "/popular", ())):
            first = client.get(path, pairs)
            self.assertEqual(first.headers["cache-control"], "public, max-age=1", path)
            # Only the time of the answer differs.
            time.sleep(0.01)
            again = client.get(path, pairs, {"If-None-Match": first.headers["etag"]})
            self.assertEqual((again.status, again.headers["etag"]), (304, first.headers["etag"]))
            CONTRACT.check(name, again)
            client.post("/views", {"articleId": "/etag/2"})
            changed = client.get(path, pairs, {"If-None-Match": first.headers["etag"]})
            self.assertEqual(changed.status, 200)
            self.assertNotEqual(changed.headers["etag"], first.headers["etag"])
        self.assertEqual(client.send("HEAD", target).headers["etag"], client.send("GET", target).headers["etag"])
        self.assertIn("no-store", client.get("/pixel.gif", [("article", "/etag/2")]).headers["cache-control"])
        self.assertIn("no-store", client.post("/views", {"articleId": "/a"}).headers["cache-control"])

    def test_numbers_may_be_numbers(self):
        client = self.client("numbers")
        # An ID that looks like a number stays a text.
        client.post("/views", {"views": [{"articleId": "7"}, {"articleId": "a\\\"views\":\"8"}]})
        pairs = [("article", "7"), ("article", "a\\\"views\":\"8")]
        texts = client.get("/counts", pairs).json()["counts"]
        self.assertEqual([(count["articleId"], count["views"]) for count in texts], [(text, "1") for _, text in pairs])
        for answer in (client.get("/counts", [*pairs, ("numbers", "1")]),
                       client.get("/counts", pairs, {"Accept": "application/json; numbers=1"}),
                       client.send("POST", client.target("/counts:batchGet", [("numbers", "1")]),
                                   {"articleIds": [text for _, text in pairs]})):
            numbers = answer.json()["counts"]
            self.assertEqual(numbers, [text | {key: int(text[key]) for key in ("views", "viewers", "botViews")}
                                       for text in texts])
        stats = client.get("/stats", [("numbers", "1")]).json()
        self.assertEqual((stats["views"]["total"], stats["visits"]["today"]), (2, 1))
        self.assertEqual(client.get("/popular", [("numbers", "1")]).json()["articles"][0]["views"], 1)
        target = client.target("/views", [("numbers", "1"), ("article", "7")])
        shown = client.send("POST", target, {"articleId": "7"}).json()
        self.assertEqual((shown["acceptedViews"], shown["counts"][0]["views"], shown["siteViews"]), (1, 2, 3))
        refused = client.get("/stats", [("numbers", "yes")])
        self.assertEqual((refused.status, refused.json()["field"]), (400, "numbers"))

    def test_long_answers_are_compressed(self):
        client = self.client("numbers")
        pairs = [("article", f"/long/{i}") for i in range(100)]
        plain = client.get("/counts", pairs)
        small = client.get("/counts", pairs, {"Accept-Encoding": "br, gzip"})
        self.assertEqual(small.headers["content-encoding"], "gzip")
        self.assertEqual(json.loads(gzip.decompress(small.body))["counts"], plain.json()["counts"])
        self.assertLess(len(small.body), len(plain.body) / 5)
        self.assertNotIn("content-encoding", client.get("/counts", pairs[:1], {"Accept-Encoding": "gzip"}).headers)


class RefusalTest(ApiTest):
    def check_refused(self, name, answer, status, code, field=None):
        CONTRACT.check(name, answer)
        self.assertEqual(read(answer)[:2], (status, code), answer.body)
        if field:
            self.assertEqual(answer.json()["field"], field)

    def test_what_only_backends_may_send_is_refused_from_browsers(self):
        view = {"articleId": "/refused/1"}
        writer = base64.b64encode(os.urandom(16)).decode()
        bodies = [view | {"count": 5}, view | {"viewer": "1"}, view | {"eventTimeUnixMs": "1600000000000"}]
        bodies += [{"views": [view]} | more for more in (
            {"writerId": writer, "sequence": 1}, {"sequence": 1}, {"sequenceSpan": 2}, {"takeovers": ["1"]},
            {"durability": "DURABILITY_MEMORY"}, {"import": True}, {"views": [view | {"count": 2}]},
            {"views": [view, view]}, {"views": [{"articleId": f"/refused/{i}"} for i in range(101)]})]
        client = self.client()
        for body in bodies:
            for headers in ({}, PLAIN):
                self.check_refused("recordViews", client.post("/views", body, headers), 403, "PERMISSION_DENIED")
            # A page that is served by a backend's machine still runs in a browser.
            page = self.client(source=BACKEND).post("/views", body, {"Origin": "https://news.example.org"})
            self.check_refused("recordViews", page, 403, "PERMISSION_DENIED")
        self.assertEqual(client.counts("/refused/1"), [0])
        many = [{"articleId": f"/refused/{i}"} for i in range(100)]
        self.assertEqual(client.post("/views", {"views": many}).json()["acceptedViews"], "100")

    def test_bodies_that_are_no_views_are_refused(self):
        client = self.client()
        for body in ("", "{", "[]", "1", "null", '"views"', "\xff", '{"articleId":1}', '{"views":{}}', '{"views":[1]}',
                     '{"article_ids":["/a"]}', '{"nothing":1}', {}, {"articleId": ""}, {"articleId": "x" * 513},
                     {"articleId": "a\nb"}, {"articleId": "/a", "site": "moment"}, "[" * 10_000, '{"views":' * 5_000):
            answer = client.post("/views", body.encode("latin-1") if isinstance(body, str) else body)
            self.check_refused("recordViews", answer, 400, "INVALID_ARGUMENT")

    def test_questions_beyond_the_limits_are_refused(self):
        client = self.client()
        for path, pairs, field in (("/counts", (), None), ("/counts", [("article", "")], None),
                                   ("/counts", [("article", "x" * 513)], None),
                                   ("/popular", [("pageSize", "1001")], None), ("/popular", [("pageSize", "-1")], "pageSize"),
                                   ("/popular", [("pageSize", "many")], "pageSize"),
                                   ("/popular", [("pageToken", "rubbish")], None),
                                   ("/popular", [("window.day", "2024-02-30")], None),
                                   ("/popular", [("window.allTime", "perhaps")], "window.allTime"),
                                   ("/popular", [("window.allTime", "true"), ("window.day", "2024-02-01")], None),
                                   ("/popular", [("section", "")], "section"), ("/popular", [("tag", "")], "tag"),
                                   ("/popular", [("withPreviousRank", "1")], "withPreviousRank"),
                                   ("/popular", [("window.day", "9999-12-31")], "window.day"),
                                   ("/odometer.svg", [("style", "loud")], "style"),
                                   ("/odometer.svg", [("digits", "0")], "digits"),
                                   ("/odometer.svg", [("digits", "17")], "digits"),
                                   ("/odometer.svg", [("title", "x" * 101)], "title"),
                                   ("/badge.svg", [("article", "/a"), ("theme", "pink")], "theme"),
                                   ("/badge.svg", [("article", "/a"), ("label", "x" * 101)], "label"),
                                   ("/badge.svg", (), None), ("/pixel.gif", (), None), ("/live", [("article", "")], None)):
            with self.subTest(path=path, pairs=pairs):
                self.check_refused("getCounts", client.get(path, pairs), 400, "INVALID_ARGUMENT", field)
        for articles in ([], ["/a"] * 1_001):
            answer = client.post("/counts:batchGet", {"articleIds": articles})
            self.check_refused("batchGetCounts", answer, 400, "INVALID_ARGUMENT")

    def test_only_backends_ask_for_lists_that_keep_redis_busy(self):
        client, backend = self.client(), self.client(source=BACKEND)
        today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
        days = [("window.start", f"{today - datetime.timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}"),
                ("window.end", f"{today:%Y-%m-%dT%H:%M:%SZ}")]
        for pairs in (days, [("window.last", "5h")], [("exactRequired", "true")]):
            with self.subTest(pairs):
                self.check_refused("listPopular", client.get("/popular", pairs), 403, "PERMISSION_DENIED")
            answer = backend.get("/popular", pairs)
            self.assertEqual(answer.status, 200, answer.body)
            self.assertTrue(answer.json()["exact"])

    def test_lists_have_what_was_announced_and_can_be_restricted(self):
        client, backend = self.client("tags"), self.client("tags", BACKEND)
        for article, section in (("/tags/1", "sport"), ("/tags/2", "news")):
            subprocess.run([COMMAND, "--server", self.running.address("grpc"), "--site", "tags", "announce", article,
                            "--title", "Title of " + article, "--section", section, "--section", "all",
                            "--author", "An", "--tag", "rain", "--language", "vi", "--published", "2026-01-01T00:00:00Z"],
                           check=True, capture_output=True)
        backend.post("/views", {"views": [{"articleId": f"/tags/{i}", "count": 10 * i} for i in (1, 2, 3)]})
        listed = lambda *pairs: [article["articleId"] for article in client.get("/popular", pairs).json()["articles"]
                                 if article["articleId"].startswith("/tags/")]
        self.assertEqual(listed(), ["/tags/3", "/tags/2", "/tags/1"])
        self.assertEqual(listed(("section", "sport"), ("window.last", "1h")), ["/tags/1"])
        self.assertEqual(listed(("section", "all"), ("author", "An"), ("tag", "rain"), ("language", "vi")),
                         ["/tags/2", "/tags/1"])
        self.assertEqual(listed(("publishedWithin", "1d")), [])
        first = client.get("/popular", [("section", "news"), ("withPreviousRank", "true")]).json()["articles"][0]
        self.assertEqual((first["title"], first["sections"], first["rank"]), ("Title of /tags/2", ["news", "all"], 1))

        # Neighbours by publication: the same time, so they are ordered by ID.
        around = client.get("/articles", [("article", "/tags/1"), ("after", "5"), ("before", "5")]).json()
        self.assertEqual([(article["articleId"], article["views"]) for article in around["newer"]], [("/tags/2", "20")])
        self.assertEqual(around["earlier"], [])
        latest = client.get("/articles", [("before", "5"), ("section", "sport")]).json()["earlier"]
        self.assertEqual([article["articleId"] for article in latest], ["/tags/1"])
        # Feeds, read by other programs' parsers.
        channel = ElementTree.fromstring(client.get("/popular.rss", [("tag", "rain"), ("lang", "vi")]).body)[0]
        self.assertEqual([(item.find("title").text, item.find("description").text) for item in channel.findall("item")],
                         [("Title of /tags/2", "20 lượt xem"), ("Title of /tags/1", "10 lượt xem")])
        feed = json.loads(client.get("/popular.json", [("section", "sport")]).body)
        self.assertEqual([(item["id"], item["_viewcount"]["views"]) for item in feed["items"]], [("/tags/1", 10)])
        trending = client.get("/trending", [("section", "all"), ("halfLife", "1h"), ("numbers", "1")]).json()
        self.assertEqual([(article["articleId"], article["views"], article["score"]) for article in trending["articles"]],
                         [("/tags/2", 20, 20), ("/tags/1", 10, 10)])
        self.assertTrue(trending["exact"])
        # There is no time before, so nothing is more than usual.
        self.assertEqual(client.get("/rising").json()["articles"], [])

    def test_trends_of_unusual_lengths_are_for_backends(self):
        client, backend = self.client(), self.client(source=BACKEND)
        for path, pairs in (("/trending", [("halfLife", "90m")]), ("/trending", [("window.last", "5h")]),
                            ("/rising", [("window.last", "5h")])):
            with self.subTest(path=path, pairs=pairs):
                self.check_refused("listTrending", client.get(path, pairs), 403, "PERMISSION_DENIED")
                self.assertEqual(backend.get(path, pairs).status, 200)
        for path, pairs, field in (("/trending", [("halfLife", "30m")], "halfLife"),
                                   ("/trending", [("halfLife", "0s")], "halfLife"),
                                   ("/trending", [("window.last", "90m")], "window.last"),
                                   ("/rising", [("window.last", "25h")], "window.last"),
                                   ("/rising", [("pageSize", "257")], "pageSize"),
                                   ("/articles", [("before", "101")], "before"), ("/articles", [], "before"),
                                   ("/articles", [("before", "1"), ("article", "")], "article"),
                                   ("/articles", [("before", "1"), ("time", "yesterday")], "time"),
                                   ("/popular.rss", [("lang", "xx-unknown")], "lang")):
            with self.subTest(path=path, pairs=pairs):
                self.check_refused("listTrending", backend.get(path, pairs), 400, "INVALID_ARGUMENT", field)
        unknown = client.get("/articles", [("article", "/never"), ("before", "1")])
        self.assertEqual(read(unknown), (404, "NOT_FOUND", None, "NO_PUBLISH_TIME"))

    def test_a_backends_batch_may_be_large_but_not_too_large(self):
        client = self.client(source=BACKEND)
        views = [{"articleId": f"/large/{i}", "count": 2} for i in range(10_000)]
        self.assertEqual(client.post("/views", {"views": views}).json()["acceptedViews"], "20000")
        self.assertEqual(client.counts("/large/0", "/large/9999"), [2, 2])
        answer = client.post("/views", {"views": views + [{"articleId": "/large/0"}]})
        self.check_refused("recordViews", answer, 400, "INVALID_ARGUMENT")
        self.assertEqual(client.counts("/large/0"), [2])


class TlsTest(unittest.TestCase):
    """With a certificate, the interface is served over HTTPS only, and plain HTTP is not answered."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-https-")
        cls.addClassCleanup(folder.cleanup)
        cls.certificate, key = f"{folder.name}/cert.pem", f"{folder.name}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cls.certificate],
                       check=True, capture_output=True)
        cls.running = service.Service(PROGRAM, folder.name, "--site", "demo", "--tls-cert", cls.certificate,
                                      "--tls-key", key)
        cls.enterClassContext(cls.running)

    def test_views_counts_and_events_come_over_it(self):
        client = web.Web(self.running.address("http"), site="demo", tls=self.certificate)
        self.assertEqual(client.post("/views", {"articleId": "/secret"}).status, 200)
        self.assertEqual(send_beacon(client, "Accept: */*", '{"articleId":"/secret"}').status, 200)
        self.assertEqual(client.counts("/secret"), [2])
        with client.live("/secret") as events:
            self.assertIn("/secret", str(events.next()))

    def test_plain_http_is_not_answered(self):
        with self.assertRaises((ConnectionError, http.client.HTTPException)):
            web.Web(self.running.address("http"), site="demo").get("/stats")


if __name__ == "__main__":
    PROGRAM, COMMAND = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main(verbosity=2)
