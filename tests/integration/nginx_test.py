"""Runs Debian's nginx with deploy/nginx.conf.example in front of the service.

Views must pass, and clients must not be able to claim another address.
Run by ctest with the programs' paths: nginx_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import service  # noqa: E402
import web  # noqa: E402
from local_server import LocalServer  # noqa: E402
from startup_test import Redis  # noqa: E402

PROGRAM = None
PAGE = "<!DOCTYPE html><title>Portal</title>"
DEMO_PAGE = "<!DOCTYPE html><title>Demo</title>"
# All addresses of 127.0.0.0/8 belong to this machine. nginx calls the service from 127.0.0.1. A backend of the portal
# and a visitor's browser have addresses of their own.
PROXY, BACKEND, BROWSER = "127.0.0.1", "127.0.0.5", "127.0.0.9"
LIVE_SECONDS_MAX = 2
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

# The main configuration, as in Debian's /etc/nginx/nginx.conf: everything outside of the example's server.
MAIN = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/portal.conf;
}}
"""


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)


def configure(folder, port, *service_addresses):
    """Writes the example with this test's names, paths and ports. Nothing else is changed."""
    text = (ROOT / "deploy" / "nginx.conf.example").read_text()
    server = "server 127.0.0.1:8080 max_fails=1 fail_timeout=1s;"
    servers = [server.replace("127.0.0.1:8080", address) for address in service_addresses]
    for old, new in ((server, "\n    ".join(servers)),
                     ("listen 443 ", f"listen 127.0.0.1:{port} "),
                     ("server_name portal.example.org;", "server_name localhost;"),
                     ("/etc/ssl/certs/portal.example.org.pem", f"{folder}/cert.pem"),
                     ("/etc/ssl/private/portal.example.org.key", f"{folder}/key.pem"),
                     ("/var/www/portal", f"{folder}/pages")):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "portal.conf").write_text(text)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    return ["nginx", "-p", folder, "-c", folder / "nginx.conf"]


class NginxTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # nginx's workers give up the rights of root and must still be able to read the pages.
        folder = tempfile.TemporaryDirectory(prefix="viewcount-nginx-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        os.chmod(cls.folder, 0o755)
        for name, text in (("pages", PAGE), ("demo", DEMO_PAGE)):
            (cls.folder / name).mkdir()
            (cls.folder / name / "index.html").write_text(text)
        (cls.folder / "data").mkdir()
        make_certificate(cls.folder)
        cls.running = service.Service(PROGRAM, cls.folder / "data", "--trusted-proxies", PROXY, "--trusted-backends",
                                      BACKEND, "--demo-dir", str(cls.folder / "demo"))
        cls.enterClassContext(cls.running)
        cls.nginx = LocalServer(lambda port: configure(cls.folder, port, cls.running.address("http")),
                                cls.folder / "nginx.log")
        cls.enterClassContext(cls.nginx)
        cls.browser = cls.client(BROWSER)
        cls.backend = cls.client(BACKEND)

    @classmethod
    def client(cls, source):
        return web.Web(cls.nginx.address, source=source, tls=cls.folder / "cert.pem")

    def check_refused(self, client, article, headers=None):
        """Checks that `client` is treated as a browser, which may not state the number of views."""
        answer = client.post("/views", {"articleId": article, "count": 5}, headers)
        self.assertEqual((answer.status, answer.json()["code"]), (403, "PERMISSION_DENIED"))
        self.assertEqual(self.browser.counts(article), [0])

    def test_pages_come_from_the_root_and_the_rest_from_the_service(self):
        page = self.browser.send("GET", "/")
        self.assertEqual((page.status, page.type, page.body.decode()), (200, "text/html", PAGE))
        script = self.browser.send("GET", "/count.js")
        self.assertEqual((script.status, script.type), (200, "text/javascript"))
        self.assertEqual(self.browser.send("GET", "/numbers.js").body, script.body)
        lists = self.browser.send("GET", "/lists.js")
        self.assertEqual((lists.status, self.browser.send("GET", "/more.js").body), (200, lists.body))
        demo = self.browser.send("GET", "/demo/")
        self.assertEqual((demo.status, demo.type, demo.body.decode()), (200, "text/html", DEMO_PAGE))

    def test_views_by_beacon_and_pixel_are_counted(self):
        beacon = self.browser.post("/views", {"articleId": "/news/1"}, {"Content-Type": "text/plain;charset=UTF-8"})
        self.assertEqual((beacon.status, beacon.json()["acceptedViews"]), (200, "1"))
        self.assertEqual(self.browser.counts("/news/1"), [1])
        pixel = self.browser.get("/pixel.gif", [("article", "/news/1")])
        self.assertEqual((pixel.status, pixel.type), (200, "image/gif"))
        self.assertEqual(self.browser.counts("/news/1", "/news/2"), [2, 0])

    def test_what_is_too_large_is_refused(self):
        padding = "x" * (64 << 10)
        answer = self.browser.post("/views", {"articleId": "/news/large", "padding": padding})
        self.assertEqual(answer.status, 413)
        self.assertEqual(self.browser.counts("/news/large"), [0])

    def test_live_counts_come_at_once(self):
        with self.browser.live("/live/1", "/live/2") as live:
            first = live.next()
            self.assertEqual([count["views"] for count in first["counts"]], ["0", "0"])
            for views in ("1", "2", "3"):
                self.browser.post("/views", {"articleId": "/live/2"})
                acknowledged = time.monotonic()
                event = live.next()
                self.assertLess(time.monotonic() - acknowledged, LIVE_SECONDS_MAX)
                self.assertEqual([(count["articleId"], count["views"]) for count in event["counts"]],
                                 [("/live/2", views)])

    def test_who_claims_a_backends_address_is_none(self):
        self.check_refused(self.browser, "/claim/1")
        for claim in (BACKEND, f"{BACKEND}, {BACKEND}", f"{BACKEND}, {PROXY}", f"203.0.113.9, {BACKEND}", "rubbish"):
            self.check_refused(self.browser, "/claim/2", {"X-Forwarded-For": claim})

    def test_who_passes_the_proxy_by_is_not_believed(self):
        direct = web.Web(self.running.address("http"), source=BROWSER)
        self.check_refused(direct, "/direct/1", {"X-Forwarded-For": BACKEND})

    def test_a_backend_is_known_by_the_address_that_nginx_saw(self):
        for headers in ({}, {"X-Forwarded-For": "203.0.113.9"}):
            answer = self.backend.post("/views", {"articleId": "/backend/1", "count": 5}, headers)
            self.assertEqual((answer.status, answer.json()["acceptedViews"]), (200, "5"))
        self.assertEqual(self.browser.counts("/backend/1"), [10])

    def test_a_browser_behind_a_backend_is_none(self):
        # nginx reports the backend's address. The Origin header shows that a visitor's browser sent the request.
        headers = {"Origin": "https://localhost"}
        self.check_refused(self.backend, "/backend/2", headers)


class ServiceAwayTest(unittest.TestCase):
    def test_pages_are_served_without_the_service(self):
        with tempfile.TemporaryDirectory(prefix="viewcount-nginx-") as name:
            folder = pathlib.Path(name)
            os.chmod(folder, 0o755)
            (folder / "pages").mkdir()
            (folder / "pages" / "index.html").write_text(PAGE)
            (folder / "data").mkdir()
            make_certificate(folder)
            with service.Service(PROGRAM, folder / "data") as running:
                address = running.address("http")
            with LocalServer(lambda port: configure(folder, port, address), folder / "nginx.log") as nginx:
                browser = web.Web(nginx.address, tls=folder / "cert.pem")
                self.assertEqual(browser.send("GET", "/").body.decode(), PAGE)
                self.assertEqual(browser.get("/stats").status, 502)


class RollingRestartTest(unittest.TestCase):
    BEACONS, CLIENTS, PER_SECOND = 10_000, 16, 2_000
    ARTICLE = "/rolling"

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-nginx-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        os.chmod(self.folder, 0o755)
        (self.folder / "pages").mkdir()
        make_certificate(self.folder)
        self.redis = self.enterContext(Redis(self.folder, "--appendonly", "yes"))

    def start(self, name, *flags):
        (self.folder / name).mkdir()
        # All beacons come from one address, so it needs a large budget.
        flags = ("--address-views-per-second", str(self.BEACONS), *flags)
        running = service.Service(PROGRAM, self.folder / name, "--redis", self.redis.url, *flags)
        self.enterContext(running)
        # The port must stay the same over restarts.
        again = service.Service(PROGRAM, self.folder / name, "--redis", self.redis.url, *flags, "--http-address",
                                running.address("http"))
        running.stop()
        return self.enterContext(again)

    def send(self, address):
        """Sends all beacons and returns h2load's report."""
        (self.folder / "beacon").write_text(json.dumps({"articleId": self.ARTICLE}))
        words = ["h2load", "-n", str(self.BEACONS), "-c", str(self.CLIENTS), "-m", "1",
                 "--rps", str(self.PER_SECOND // self.CLIENTS), "-d", str(self.folder / "beacon"),
                 "-H", "content-type: text/plain;charset=UTF-8", "-H", f"user-agent: {FIREFOX}", f"https://{address}/v1/sites/demo/views"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=100, check=True)
        return done.stdout

    def check(self, *flags):
        restarted, stays = self.start("a", *flags), self.start("b", *flags)
        addresses = (restarted.address("http"), stays.address("http"))
        with LocalServer(lambda port: configure(self.folder, port, *addresses), self.folder / "nginx.log") as nginx:
            with concurrent.futures.ThreadPoolExecutor(1) as executor:
                sending = executor.submit(self.send, nginx.address)
                restarts = 0
                while not sending.done() and restarts < 3:
                    time.sleep(0.5)
                    self.assertEqual(restarted.stop(), 0)
                    restarted.start()
                    restarts += 1
                report = sending.result()
            self.assertGreaterEqual(restarts, 2)
            answers = (self.folder / "nginx.log").read_text()[-2000:]
            self.assertIn(f"status codes: {self.BEACONS} 2xx, 0 3xx, 0 4xx, 0 5xx", report, report + answers)
            browser = web.Web(nginx.address, tls=self.folder / "cert.pem")
            # Each instance includes the views that the other instance has flushed.
            self.assertTrue(web.eventually(lambda: browser.counts(self.ARTICLE) == [self.BEACONS]),
                            browser.counts(self.ARTICLE))
        for running in (restarted, stays):
            self.assertEqual(running.stop(), 0)

    def test_no_beacon_is_lost(self):
        self.check()

    def test_no_beacon_is_lost_with_a_delay(self):
        self.check("--shutdown-delay", "300ms")


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
    del sys.argv[1:3]
    unittest.main(verbosity=2)
