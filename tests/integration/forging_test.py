"""Tries to forge counts, directly and through proxies that have their plainest configuration.

Debian's nginx, HAProxy and Apache forward to the public address of one service, which has the default settings of trust.
No request may change a count by more than one. The address for backends accepts what the public address refuses.
Run by ctest with the programs' paths: forging_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import base64
import contextlib
import datetime
import http.client
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402
import web  # noqa: E402
from local_server import LocalServer  # noqa: E402

PROGRAM = None
COMMAND = None
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PERSON, CRAWLER = {"User-Agent": FIREFOX}, {"User-Agent": GOOGLEBOT}
# The first form takes the fast path, and the second form takes the general path.
BODIES = ('{"articleId":"%s"}', '{"articleId": "%s"}')
# A second before noon of a past day in UTC, in milliseconds since 1970. It is that day in every zone of these tests.
PAST_DAY, PAST_MS = "1999-08-28", 935_841_599_000
HOUR_MS = 3_600_000
BROWSER_BODY_BYTES_MAX = 64 << 10
# Addresses that an attacker claims. The site does not count views from EXCLUDED.
LOCAL, FOREIGN, EXCLUDED = "127.0.0.1", "203.0.113.9", "198.51.100.7"
ADDRESS_FIELDS = ("X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP")
# Every header field with which an attacker tries to be another client.
CLAIMS = (
    {},
    *({name: address} for name in ADDRESS_FIELDS for address in (LOCAL, EXCLUDED)),
    *({"Forwarded": f"for={address}"} for address in (LOCAL, EXCLUDED)),
    *({"X-Viewcount-Visitor-Address": address} for address in (LOCAL, EXCLUDED)),
    {"X-Viewcount-Visitor-Agent": GOOGLEBOT},
    {"X-Forwarded-For": FOREIGN},
    {"X-Forwarded-For": f"{FOREIGN}, {LOCAL}"},
    {name: LOCAL for name in (*ADDRESS_FIELDS, "X-Viewcount-Visitor-Address")} | {"Forwarded": f"for={LOCAL}"},
)

# The plainest configurations that forward everything. Only the paths and the ports are this test's.
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://{address};
        }}
    }}
}}
"""
HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend public
    bind 127.0.0.1:{port}
    default_backend viewcount
backend viewcount
    server viewcountd {address}
"""
APACHE = """
ServerName localhost
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/apache_errors.log
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
Listen 127.0.0.1:{port}
ProxyPass / http://{address}/
"""
PROXIES = {
    "nginx": (NGINX, ("nginx", "-p", "{folder}", "-c", "{file}")),
    "haproxy": (HAPROXY, ("haproxy", "-db", "-f", "{file}")),
    "apache": (APACHE, ("apache2", "-d", "{folder}", "-f", "{file}", "-DFOREGROUND")),
}


def proxy(name, folder, address):
    """Returns a proxy that has not been started yet and forwards to `address`."""
    text, words = PROXIES[name]
    file = folder / f"{name}.conf"

    def configure(port):
        file.write_text(text.format(folder=folder, port=port, address=address))
        return [word.format(folder=folder, file=file) for word in words]

    return LocalServer(configure, folder / f"{name}.log")


def forgeries(article):
    """Returns bodies that only a backend may send. Each would change the article's counts by more than one, or in the
    past, or in the name of another viewer or writer."""
    view = {"articleId": article}
    writer = base64.b64encode(os.urandom(16)).decode()
    recently = int(time.time() * 1000) - HOUR_MS
    views = [view | fields for fields in ({"count": 1_000_000}, {"count": 2}, {"viewer": "7"},
                                          {"eventTimeUnixMs": str(PAST_MS)}, {"eventTimeUnixMs": str(recently)})]
    batches = [{"views": [view]} | fields for fields in (
        {"writerId": writer, "sequence": "1"}, {"sequence": "1"}, {"sequenceSpan": 1_000_000}, {"import": True},
        {"durability": "DURABILITY_MEMORY"}, {"durability": "DURABILITY_STORED"})]
    return views + batches + [{"views": [one]} for one in views] + [
        {"import": True, "views": [view | {"eventTimeUnixMs": str(PAST_MS)}]}, {"views": [view] * 100},
        {"views": [view, {"articleId": article + "/other"}, view]}]


class ServiceTest(unittest.TestCase):
    """The tests of a class share one service. Each test uses its own articles."""

    @classmethod
    def setUpClass(cls):
        # nginx's workers give up the rights of root and must still be able to write in the folder.
        folder = tempfile.TemporaryDirectory(prefix="viewcount-forging-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        os.chmod(cls.folder, 0o755)
        (cls.folder / "data").mkdir()
        # Without a budget nothing but trust protects the counts.
        cls.running = service.Service(PROGRAM, cls.folder / "data", "--address-views-per-second", "0")
        cls.began = time.monotonic()
        cls.enterClassContext(cls.running)
        # Use a zone where the time is about noon, so that no day begins during the test. The number in "Etc/GMT" counts
        # hours to the west.
        zone = f"Etc/GMT{datetime.datetime.now(datetime.timezone.utc).hour - 12:+d}"
        cls.command("site", "put", "demo", "--time-zone", zone, "--exclude", EXCLUDED)
        cls.reader = web.Web(cls.running.address("http"))

    @classmethod
    def command(cls, *words):
        return subprocess.run([COMMAND, "--server", cls.running.address("grpc"), *words], check=True,
                              capture_output=True, text=True).stdout

    def counts(self, article):
        """Returns the article's views and its bots' views."""
        [count] = self.reader.get("/counts", [("article", article)]).json()["counts"]
        return int(count["views"]), int(count["botViews"])

    def views_of_day(self, day):
        """Returns the views by article. An empty day is today."""
        answer = self.reader.get("/popular", [("window.day", day), ("pageSize", "256")])
        self.assertEqual(answer.status, 200, answer.body)
        shown = answer.json()
        return {article["articleId"]: int(article["views"]) for article in shown.get("articles", [])}

    def unnamed(self):
        return web.metrics(self.running.address("admin"))["viewcount_http_unnamed_clients_total"]

    def check_refused(self, answer, *sent):
        self.assertEqual((answer.status, answer.json().get("code")), (403, "PERMISSION_DENIED"), str(sent)[:300])

    def check_counted(self, answer, views, *sent):
        self.assertEqual((answer.status, answer.json()["acceptedViews"]), (200, str(views)), (answer.body, sent))


class ForgingTest(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        address = cls.running.address("http")
        cls.ways = {"directly": web.Web(address)}
        for name in PROXIES:
            running = cls.enterClassContext(proxy(name, cls.folder, address))
            cls.ways[name] = web.Web(running.address)

    def setUp(self):
        self.before = self.totals()
        # The views of this test that should have been counted.
        self.counted = 0

    def tearDown(self):
        after = self.totals()
        self.assertEqual({name: views - self.before[name] for name, views in after.items()},
                         {"total": self.counted, "today": self.counted, "yesterday": 0, "thisMonth": self.counted})
        self.assertEqual(self.views_of_day(PAST_DAY), {})
        self.command("flush")
        [socket] = (self.folder / "data" / "redis").glob("*.sock")
        keys = subprocess.run(["redis-cli", "-s", socket, "KEYS", "vc:*:demo:d:*"], check=True, capture_output=True,
                              text=True).stdout
        self.assertLessEqual(len(set(re.findall(r":demo:d:(\d{8})", keys))), 1, keys)

    def totals(self):
        views = self.reader.get("/stats").json()["views"]
        return {name: int(views[name]) for name in ("total", "today", "yesterday", "thisMonth")}

    def check(self, article, views, bot_views):
        """Checks the counts of an article that no test has used before."""
        self.counted += views
        self.assertEqual(self.counts(article), (views, bot_views), article)

    def test_what_only_backends_may_send_is_refused(self):
        for way, client in self.ways.items():
            article = f"/refused/{way}"
            for claim in CLAIMS:
                for body in forgeries(article):
                    self.check_refused(client.post("/views", body, PERSON | claim), way, claim, body)
            self.check(article, 0, 0)

    def test_a_request_counts_one_view_whatever_address_it_claims(self):
        for way, client in self.ways.items():
            for number, claim in enumerate(CLAIMS):
                article = f"/claims/{way}/{number}"
                # A plain proxy passes on what its client claims. The worst use of it is to be left out.
                views = 0 if claim.get("X-Forwarded-For") == EXCLUDED else 1
                for body in BODIES:
                    self.check_counted(client.post("/views", body % article, PERSON | claim), views, way, claim)
                self.assertEqual(client.get("/pixel.gif", [("article", article)], PERSON | claim).status, 200)
                self.check(article, 3 * views, 0)

    def test_a_crawler_is_no_person_whatever_it_claims(self):
        for way, client in self.ways.items():
            for number, claim in enumerate(claim for claim in CLAIMS if EXCLUDED not in claim.values()):
                article = f"/crawler/{way}/{number}"
                headers = CRAWLER | {"X-Viewcount-Visitor-Agent": FIREFOX} | claim
                self.assertEqual(client.get("/pixel.gif", [("article", article)], headers).status, 200)
                for body in (*(body % article for body in BODIES), {"articleId": article, "bot": False}):
                    self.check_counted(client.post("/views", body, headers), 1, way, claim)
                self.check(article, 0, 4)

    def test_a_pixel_that_names_an_article_often_counts_once(self):
        for way, client in self.ways.items():
            article = f"/pixel/{way}"
            self.assertEqual(client.get("/pixel.gif", [("article", article)] * 100, PERSON).status, 200)
            self.check(article, 1, 0)

    def test_two_names_of_an_article_are_one_article(self):
        for way, client in self.ways.items():
            old, new = f"/old/{way}", f"/new/{way}"
            self.check_counted(client.post("/views", {"articleId": old}, PERSON), 1, way)
            self.command("--site", "demo", "merge", old, new, "--why", "to see it")
            self.check_refused(client.post("/views", {"views": [{"articleId": old}, {"articleId": new}]}, PERSON), way)
            self.check(new, 1, 0)

    def test_proxies_that_name_no_client_are_reported(self):
        for way, client in self.ways.items():
            before = self.unnamed()
            article = f"/unnamed/{way}"
            for body in BODIES:
                self.check_counted(client.post("/views", body % article, PERSON), 1, way)
            self.assertEqual(client.get("/pixel.gif", [("article", article)], PERSON).status, 200)
            # Apache sets X-Forwarded-For by itself.
            self.assertEqual(self.unnamed() - before, 0 if way == "apache" else 3, way)
            self.check(article, 3, 0)
        # nginx passes on what a client wrote, which need not be an address.
        before = self.unnamed()
        for body in BODIES:
            answer = self.ways["nginx"].post("/views", body % "/unnamed", PERSON | {"X-Forwarded-For": "rubbish"})
            self.check_counted(answer, 1, "rubbish")
        self.assertEqual(self.unnamed() - before, 2)
        self.check("/unnamed", 2, 0)
        lines = self.running.log().count(
            f"views from {LOCAL}, one of --trusted-proxies, have no X-Forwarded-For that names an address: their "
            "visitors cannot be distinguished; set the header in the proxy")
        self.assertIn(lines, range(1, 2 + int((time.monotonic() - self.began) / 60)))


class BackendAddressTest(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.backend = web.Web(cls.running.address("backend"))

    def send(self, body, views, headers=None):
        answer = self.backend.post("/views", body, headers)
        self.check_counted(answer, views, headers)
        return answer.json()

    def status_of_large(self, headers):
        """Announces a body that is larger than a browser may send, and returns the status of the answer."""
        client = http.client.HTTPConnection("localhost")
        client.sock = self.backend.connect()
        with contextlib.closing(client):
            client.putrequest("POST", self.backend.target("/views"))
            for name, value in (headers | {"Content-Length": str(BROWSER_BODY_BYTES_MAX + 1)}).items():
                client.putheader(name, value)
            client.endheaders()
            return client.getresponse().status

    def test_backends_may_send_what_browsers_may_not(self):
        before = self.unnamed()
        view = {"articleId": "/backend/1"}
        self.send(view | {"count": 1_000_000, "viewer": "7"}, 1_000_000)
        self.send({"views": [view | {"eventTimeUnixMs": str(int(time.time() * 1000) - HOUR_MS)}]}, 1)
        self.send({"views": [view] * 100}, 100)
        writer = {"writerId": base64.b64encode(os.urandom(16)).decode(), "sequence": "1", "views": [view]}
        self.assertEqual([self.send(writer, views)["duplicate"] for views in (1, 0)], [False, True])
        self.send({"durability": "DURABILITY_STORED", "views": [view]}, 1)
        self.assertEqual(self.counts("/backend/1"), (1_000_103, 0))
        self.send({"import": True, "views": [{"articleId": "/backend/past", "count": 3, "eventTimeUnixMs": str(PAST_MS)}]},
                  3)
        self.assertEqual(self.views_of_day(PAST_DAY), {"/backend/past": 3})
        # The body has more bytes than a browser may send.
        self.send({"views": [{"articleId": f"/backend/many/{i}", "count": 2} for i in range(10_000)]}, 20_000)
        self.assertEqual(self.unnamed(), before)

    def test_a_backend_reports_in_the_name_of_its_visitor(self):
        self.send({"articleId": "/visitor/1"}, 1, CRAWLER)
        self.send({"articleId": "/visitor/1"}, 1, PERSON | {"X-Viewcount-Visitor-Agent": GOOGLEBOT})
        self.send({"articleId": "/visitor/1"}, 1, {"X-Viewcount-Visitor-Address": FOREIGN})
        self.send({"articleId": "/visitor/1"}, 0, {"X-Viewcount-Visitor-Address": EXCLUDED})
        self.assertEqual(self.counts("/visitor/1"), (2, 1))

    def test_a_browsers_request_and_a_forwarded_one_are_visitors(self):
        signs = [{"Origin": "https://news.example.org"}, {"Origin": "null"}, {"Forwarded": f"for={FOREIGN}"},
                 *({name: FOREIGN} for name in ADDRESS_FIELDS), {"X-Forwarded-For": LOCAL}]
        for number, sign in enumerate(signs):
            article = f"/visitors/{number}"
            for body in forgeries(article):
                self.check_refused(self.backend.post("/views", body, PERSON | sign), sign, body)
            self.assertEqual(self.status_of_large(sign), 413, sign)
            self.assertEqual(self.counts(article), (0, 0), sign)
            # The fields that name a visitor are ignored.
            for body in BODIES:
                self.send(body % article, 1, PERSON | sign | {"X-Viewcount-Visitor-Agent": GOOGLEBOT})
                self.send(body % article, 1, CRAWLER | sign | {"X-Viewcount-Visitor-Agent": FIREFOX})
            self.assertEqual(self.counts(article), (2, 2), sign)

    def test_the_public_address_refuses_what_this_one_takes(self):
        for body in forgeries("/public/1"):
            self.check_refused(self.reader.post("/views", body), body)
        self.assertEqual(self.counts("/public/1"), (0, 0))


if __name__ == "__main__":
    PROGRAM, COMMAND = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main(verbosity=2)
