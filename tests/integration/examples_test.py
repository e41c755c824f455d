"""Runs the examples in client/examples in the way that their README describes, against the real service.

Run by ctest with the program's path: examples_test.py BUILD/bin/viewcountd
"""

import http.client
import os
import pathlib
import re
import socket
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
from lost_answer import LostAnswer  # noqa: E402

PROGRAM = None
EXAMPLES = ROOT / "client" / "examples"
# Further sites that viewcountd creates besides `demo`. Each example has its own site, so that their counts do not mix.
SITES = ("python", "node", "php")
RUN_SECONDS_MAX = 30
# PHP waits for 0.2 s. The rest is the start of PHP itself on a busy machine.
PAGE_SECONDS_MAX = 1
# These options make every warning visible on the page.
PHP = ("php", "-d", "display_errors=1", "-d", "error_reporting=-1")


def run(*words, environment=None, folder=ROOT):
    return subprocess.run(words, cwd=folder, env=os.environ | (environment or {}), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=RUN_SECONDS_MAX, check=False)


def shown(page):
    """Returns the numbers that a page shows: its own, and those of the other news by ID."""
    own = re.search(r"Number of views: ([\d,]+)", page)
    others = re.findall(r'<a href="([^"]+)">[^<]*</a> \(([\d,]+)\)', page)
    return own and int(own[1].replace(",", "")), {article: int(views.replace(",", "")) for article, views in others}


class ServiceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-examples-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        flags = [word for site in SITES for word in ("--site", site)]
        cls.running = service.Service(PROGRAM, cls.folder, *flags)
        cls.enterClassContext(cls.running)


class GrpcTest(ServiceTest):
    def duplicates(self):
        return web.metrics(self.running.address("admin"))["viewcount_batches_duplicate_total"]

    def check(self, site, *words, folder=ROOT):
        """Runs the example through a network that loses the first answer, so that it sends its first batch twice."""
        before = self.duplicates()
        with LostAnswer(self.running.address("grpc")) as network:
            answer = run(*words, network.address, site, folder=folder)
            self.assertTrue(network.lost)
        self.assertEqual((answer.returncode, answer.stderr), (0, ""), answer.stderr)
        self.assertEqual(answer.stdout.splitlines(), [
            "counted before", "1 views counted", "/news/3933: 3", "/news/17: 1", "/news/1: 0", "Most viewed:",
            "1. /news/3933: 3", "2. /news/17: 1"
        ])
        self.assertEqual(self.duplicates() - before, 1)
        views = web.Web(self.running.address("http"), site)
        self.assertEqual(views.counts("/news/3933", "/news/17"), [3, 1])

    def test_python_counts_once_though_an_answer_is_lost(self):
        self.check("python", "/usr/bin/python3", "-B", "client/examples/python/example.py")

    def test_node_counts_once_though_an_answer_is_lost(self):
        self.check("node", "node", "example.js", folder=EXAMPLES / "node")


class PhpTest(ServiceTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        environment = {"VIEWCOUNT_ADDRESS": cls.running.address("backend"), "VIEWCOUNT_SITE": "php"}
        cls.pages = LocalServer(lambda port: [*PHP, "-S", f"127.0.0.1:{port}", EXAMPLES / "php" / "page.php"],
                                cls.folder / "php.log", os.environ | environment)
        cls.enterClassContext(cls.pages)
        cls.views = web.Web(cls.running.address("backend"), "php")

    def page(self, path, method="GET", headers=None):
        client = http.client.HTTPConnection(self.pages.address, timeout=RUN_SECONDS_MAX)
        self.addCleanup(client.close)
        client.request(method, path, headers=headers or {})
        answer = client.getresponse()
        return answer.status, answer.read().decode()

    def shown(self, path):
        status, page = self.page(path)
        self.assertEqual(status, 200)
        self.assertNotRegex(page, "Warning|Notice|Deprecated|Fatal")
        return shown(page)

    def test_a_page_shows_its_own_view_and_the_others(self):
        before = self.views.counts("/news/3933", "/news/3932", "/news/3931")
        others = {"/news/3932": before[1], "/news/3931": before[2]}
        self.assertEqual(self.shown("/news/3933"), (before[0] + 1, others))
        self.assertEqual(self.shown("/news/3933?utm_source=mail"), (before[0] + 2, others))
        self.views.post("/views", {"views": [{"articleId": "/news/3931", "count": 12_345}]})
        others["/news/3931"] += 12_345
        self.assertEqual(self.shown("/news/3933"), (before[0] + 3, others))
        self.assertEqual(self.views.counts("/news/3933", "/news/3932"), [before[0] + 3, before[1]])

    def test_a_crawlers_visit_is_counted_apart(self):
        [before] = self.views.get("/counts", [("article", "/news/3932")]).json()["counts"]
        self.assertEqual(self.page("/news/3932", headers={"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"})[0], 200)
        [after] = self.views.get("/counts", [("article", "/news/3932")]).json()["counts"]
        self.assertEqual((after["views"], int(after["botViews"])), (before["views"], int(before["botViews"]) + 1))

    def test_what_nobody_looks_at_is_no_view(self):
        before = self.views.counts("/news/3932")
        self.assertEqual(self.page("/news/3932", method="HEAD")[0], 200)
        self.assertEqual(self.page("/news/3932", headers={"Sec-Purpose": "prefetch;prerender"})[0], 200)
        self.assertEqual(self.page("/news/<script>")[0], 404)
        self.assertEqual(self.views.counts("/news/3932"), before)


class PhpAloneTest(unittest.TestCase):
    def check_page(self, address, **environment):
        """Checks that the page is delivered in time and is complete except for the numbers."""
        began = time.monotonic()
        answer = run(*PHP, "client/examples/php/page.php", environment={"VIEWCOUNT_ADDRESS": address} | environment)
        self.assertLess(time.monotonic() - began, PAGE_SECONDS_MAX)
        self.assertEqual((answer.returncode, answer.stderr), (0, ""), answer.stderr)
        self.assertTrue(answer.stdout.startswith("<!DOCTYPE html>"), answer.stdout)
        self.assertIn("Library hours change", answer.stdout)
        self.assertTrue(answer.stdout.rstrip().endswith("</html>"))
        self.assertEqual(shown(answer.stdout), (None, {}))

    def test_a_service_that_was_stopped_costs_the_numbers_only(self):
        with tempfile.TemporaryDirectory(prefix="viewcount-examples-") as folder:
            with service.Service(PROGRAM, folder) as running:
                address = running.address("backend")
        self.check_page(address)

    def test_a_service_that_does_not_answer_costs_the_numbers_only(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.check_page("127.0.0.1:%d" % silent.getsockname()[1])

    def test_the_service_is_told_who_looks(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.check_page("127.0.0.1:%d" % listener.getsockname()[1], REMOTE_ADDR="203.0.113.9",
                            HTTP_X_FORWARDED_FOR="198.51.100.7", HTTP_USER_AGENT="Mozilla/5.0\r\nX-Injected: 1")
            listener.settimeout(RUN_SECONDS_MAX)
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as request:
                head, _, body = request.read().decode().partition("\r\n\r\n")
        lines = head.split("\r\n")
        self.assertEqual(lines[0], "POST /v1/sites/demo/views HTTP/1.0")
        self.assertIn("X-Viewcount-Visitor-Address: 198.51.100.7, 203.0.113.9", lines)
        self.assertIn("X-Viewcount-Visitor-Agent: Mozilla/5.0  X-Injected: 1", lines)
        # With one of these headers the service would treat the request as a visitor's.
        self.assertEqual([line for line in lines if line.startswith(("X-Forwarded-For", "User-Agent", "Origin"))], [])
        self.assertEqual(body, '{"articleId":"/news/3933"}')


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)
