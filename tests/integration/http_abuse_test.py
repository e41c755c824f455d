"""Attacks the HTTP interface.

Invalid requests are never counted, no other client has to wait, and no data leaks.
Run by ctest with the programs' paths: http_abuse_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import contextlib
import json
import pathlib
import re
import resource
import select
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402
import web  # noqa: E402

PROGRAM = None
COMMAND = None
# All addresses of 127.0.0.0/8 belong to this machine, so each client has an address of its own. BACKEND is a backend
# and also a proxy, which may have many connections. BROWSER is a visitor's browser.
BACKEND, BROWSER, CROWD = "127.0.0.1", "127.0.0.9", "127.0.0.10"
BROWSER_BODY_BYTES_MAX = 64 << 10
CONNECTIONS_PER_ADDRESS_MAX = 512
REQUEST_SECONDS_MAX = 10
SCRIPT = "<script>alert(1)</script>"
BREAK = "a\r\nX-Injected: 1\r\n\r\nX-Injected: 2\n\x1b[2J"


class Abused(unittest.TestCase):
    """One service for all tests of a class. After each test its numbers must add up and it must answer."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-abuse-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        (cls.folder / "demo").mkdir()
        (cls.folder / "demo" / "index.html").write_text("demo")
        (cls.folder / "data").mkdir()
        cls.running = service.Service(PROGRAM, cls.folder / "data", "--trusted-backends", BACKEND, "--trusted-proxies",
                                      BACKEND, "--demo-dir", str(cls.folder / "demo"))
        cls.enterClassContext(cls.running)
        cls.browser = web.Web(cls.running.address("http"), source=BROWSER)
        cls.backend = web.Web(cls.running.address("http"), source=BACKEND)

    def tearDown(self):
        self.assertTrue(web.eventually(self.books_are_in_order), self.metrics())
        self.assertEqual(self.browser.get("/stats").status, 200)

    def metrics(self):
        return web.metrics(self.running.address("admin"))

    def rejected(self, reason):
        return self.metrics()[f'viewcount_views_rejected_total{{reason="{reason}"}}']

    def books_are_in_order(self):
        """Returns true if received = counted + duplicate + rejected. Nothing is queued once everything was answered."""
        samples = self.metrics()
        rejected = sum(value for name, value in samples.items() if name.startswith("viewcount_views_rejected_total{"))
        return samples["viewcount_views_received_total"] == (
            samples["viewcount_views_counted_total"] + samples["viewcount_views_duplicate_total"] + rejected)

    def process_bytes(self):
        return self.metrics()["process_resident_memory_bytes"]


def exchange(connection, request, half_close=False):
    """Sends the request and returns all bytes until the other side closes the connection. Fails if it does not
    close."""
    try:
        connection.sendall(request)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
    except OSError:
        # The service refused the request before it was sent completely.
        pass
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while received := connection.recv(65536):
            answer += received
    return answer


def statuses(answer):
    return [int(code) for code in re.findall(rb"^HTTP/1\.[01] (\d{3}) ", answer, re.MULTILINE)]


class RequestTest(Abused):
    VIEW = b'{"articleId":"/abuse/1"}'
    # Sent after the bad request, to prove that the server does not continue to read.
    SECOND = b"POST /v1/sites/demo/views HTTP/1.1\r\nHost: x\r\nContent-Length: 24\r\n\r\n" + VIEW
    POST = b"POST /v1/sites/demo/views HTTP/1.1\r\nHost: x\r\n"

    def check_refused(self, request, allowed, half_close=False):
        """Expects one answer with an allowed status and then the end of the connection. Status 0 allows no answer.

        No view of the request may be counted.
        """
        with self.browser.connect() as connection:
            answer = exchange(connection, request, half_close)
        codes = statuses(answer)
        self.assertLessEqual(len(codes), 1, answer)
        self.assertIn(codes[0] if codes else 0, allowed, answer)
        if codes:
            head, _, body = answer.partition(b"\r\n\r\n")
            self.assertIn(b"connection: close", head.lower())
            self.assertEqual(json.loads(body)["status"], codes[0])
        self.assertEqual(self.browser.counts("/abuse/1"), [0])

    def test_headers_that_are_too_large_are_refused(self):
        padding = b"x" * (20 << 10)
        for request in (b"GET / HTTP/1.1\r\nHost: x\r\nX-Padding: " + padding + b"\r\n\r\n",
                        b"GET /" + padding + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                        self.POST + b"X-A: b\r\n" * 4_000 + b"Content-Length: 24\r\n\r\n" + self.VIEW):
            self.check_refused(request + self.SECOND, {400, 414, 431})

    def test_bodies_that_are_too_large_are_refused(self):
        size = BROWSER_BODY_BYTES_MAX + 1
        body = self.VIEW + b" " * (size - len(self.VIEW))
        chunk = b"%x\r\n" % size + body + b"\r\n0\r\n\r\n"
        for request in (b"Content-Length: %d\r\n\r\n" % size + body, b"Content-Length: 1000000000000\r\n\r\n",
                        b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % size,
                        b"Transfer-Encoding: chunked\r\n\r\n" + chunk):
            self.check_refused(self.POST + request, {413})
        # This length exceeds the range of every integer type.
        self.check_refused(self.POST + b"Content-Length: 99999999999999999999999\r\n\r\n", {400, 413})

    def test_bodies_that_end_early_are_not_counted(self):
        self.check_refused(self.POST + b"Content-Length: 25\r\n\r\n" + self.VIEW, {0, 400}, half_close=True)
        self.check_refused(self.POST + b"Transfer-Encoding: chunked\r\n\r\n18\r\n" + self.VIEW + b"\r\n", {0, 400},
                           half_close=True)

    def test_chunks_that_are_none_are_refused(self):
        for chunks in (b"zz\r\n", b"-18\r\n", b"0x18\r\n", b"18\r\n" + self.VIEW + b"XX0\r\n\r\n", b"18 \n", b"\r\n",
                       b"ffffffffffffffffff\r\n", b"17\r\n" + self.VIEW + b"\r\n0\r\n\r\n"):
            self.check_refused(self.POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + self.SECOND, {400, 413})

    def test_requests_that_two_servers_could_read_differently_are_refused(self):
        length, chunked = b"Content-Length: 24\r\n", b"Transfer-Encoding: chunked\r\n"
        view = b"18\r\n" + self.VIEW + b"\r\n0\r\n\r\n"
        for fields, body in ((length + chunked, view), (chunked + length, view),
                             (length + b"Content-Length: 4\r\n", self.VIEW), (b"Content-Length: +24\r\n", self.VIEW),
                             (b"Content-Length: -24\r\n", self.VIEW), (b"Content-Length: 24, 4\r\n", self.VIEW),
                             (b"Content-Length: 0x18\r\n", self.VIEW), (chunked + chunked, view),
                             (b"Transfer-Encoding: gzip, chunked\r\n", view), (b"Transfer-Encoding: xchunked\r\n", view),
                             (b"Transfer-Encoding: chunked, identity\r\n", view), (b"Host: y\r\n" + length, self.VIEW),
                             (b"Content-Length : 24\r\n", self.VIEW), (b"X: a\0b\r\n" + length, self.VIEW),
                             (b"X: a\rb\r\n" + length, self.VIEW)):
            with self.subTest(fields):
                self.check_refused(self.POST + fields + b"\r\n" + body + self.SECOND, {400})

    def test_what_is_no_request_is_refused(self):
        for request in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64, b"GET\r\n\r\n", b"\0" * 64,
                        b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", b"GET /\r\n\r\n",
                        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\n: x\r\nHost: x\r\n\r\n"):
            with self.subTest(request):
                self.check_refused(request + self.SECOND, {400, 505})

    def test_requests_one_behind_the_other_are_answered_in_order(self):
        one = b"POST /v1/sites/demo/views HTTP/1.1\r\nHost: x\r\nContent-Length: 22\r\n\r\n" + b'{"articleId":"/row/1"}'
        last = b"GET /v1/sites/demo/counts?article=/row/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        with self.browser.connect() as connection:
            answer = exchange(connection, one * 20 + last)
        self.assertEqual(statuses(answer), [200] * 21)
        self.assertEqual(json.loads(answer[answer.rindex(b"\r\n\r\n"):])["counts"][0]["views"], "20")

    def test_a_sender_of_a_byte_now_and_then_is_cut_off(self):
        with self.browser.connect() as connection:
            began = time.monotonic()
            for byte in self.POST + b"X-Padding: " + b"x" * 1_000:
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    break
                if select.select([connection], [], [], 0.2)[0]:
                    break
            seconds = time.monotonic() - began
        self.assertGreater(seconds, REQUEST_SECONDS_MAX - 1)
        self.assertLess(seconds, REQUEST_SECONDS_MAX + 5)


class ContentTest(Abused):
    def log_lines(self):
        return self.running.log().splitlines()

    def raw(self, target, method=b"GET", fields=b""):
        """Returns the answer's bytes. `target` is sent unchanged."""
        request = method + b" " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + fields + b"\r\n"
        with self.browser.connect() as connection:
            return exchange(connection, request)

    def test_escapes_that_are_none_are_refused(self):
        for path in ("pixel.gif", "counts", "badge.svg", "count.txt", "live"):
            for article in ("%", "%2", "%zz", "%+1", "%-1", "%0x", "%ff", "%c0%80", "%ed%a0%80", "%00", "a%0a", "%7f"):
                answer = self.raw(f"/v1/sites/demo/{path}?article={article}".encode())
                self.assertEqual(statuses(answer), [400], (path, article, answer))
                self.assertIn(b"application/problem+json", answer)
        self.assertEqual(self.backend.get("/stats").json()["views"]["total"], "0")

    def test_unknown_sites_are_counted_as_such(self):
        before = self.rejected("unknown_site")
        nobody = web.Web(self.running.address("http"), "nobody-made-this", BROWSER)
        self.assertEqual(nobody.post("/views", {"articleId": "/a"}).status, 404)
        self.assertEqual(nobody.get("/pixel.gif", [("article", "/a")]).status, 404)
        self.assertEqual(self.rejected("unknown_site"), before + 2)

    def test_foreign_pages_are_counted_as_such(self):
        subprocess.run([COMMAND, "--server", self.running.address("grpc"), "site", "put", "closed", "--time-zone", "UTC",
                        "--origin", "https://news.example.org"], check=True, capture_output=True)
        before = self.rejected("foreign_origin")
        closed = web.Web(self.running.address("http"), "closed", BROWSER)
        for origin in ("https://other.example.org", "https://news.example.org.example.com", "http://news.example.org",
                       "https://news.example.org:8443", "https://NEWS.example.org@other.example.org", "rubbish"):
            answer = closed.post("/views", {"articleId": "/a"}, {"Origin": origin, "Content-Type": "text/plain"})
            self.assertEqual((answer.status, answer.json()["code"]), (403, "PERMISSION_DENIED"), origin)
        answer = closed.get("/pixel.gif", [("article", "/a")], {"Referer": "https://other.example.org/page"})
        self.assertEqual(answer.status, 403)
        self.assertEqual(self.rejected("foreign_origin"), before + 7)
        self.assertEqual(closed.counts("/a"), [0])

    def test_no_parameter_becomes_a_header_or_a_line_of_the_log(self):
        text = urllib.parse.quote(BREAK, safe="").encode()
        before = len(self.log_lines())
        targets = [b"/v1/sites/" + text + b"/counts?article=/a", b"/v1/sites/demo/" + text, b"/" + text, b"/demo/" + text]
        for path in (b"pixel.gif", b"counts", b"popular", b"stats", b"live", b"odometer.svg", b"badge.svg"):
            for name in (b"article", b"label", b"title", b"style", b"theme", b"digits", b"pageSize", b"pageToken",
                         b"window.day", b"window.allTime", text):
                target = b"/v1/sites/demo/" + path + b"?article=/a&" + name + b"=" + text
                # A stream that was opened successfully does not end by itself.
                if path != b"live" or name == b"article":
                    targets.append(target)
        for target in targets:
            head = self.raw(target).partition(b"\r\n\r\n")[0]
            self.assertNotRegex(head, rb"(?im)^\s*x-injected", target)
            self.assertEqual(len(statuses(head)), 1, target)
        for fields in (b"Origin: https://a\x1b[2J\r\n", b"Referer: https://a\x1b[2J/x\r\n", b"X-Forwarded-For: \x1b[2J\r\n",
                       b"Last-Event-ID: \x1b[2J\r\n", b"Content-Type: \x1b[2J\r\n"):
            self.raw(b"/v1/sites/demo/counts?article=/a", fields=fields)
        body = json.dumps({BREAK: BREAK, "articleId": BREAK})
        self.assertEqual(self.browser.post("/views", body).status, 400)
        for line in self.log_lines()[before:]:
            self.assertNotRegex(line, r"^\s*X-Injected|[\x00-\x08\x0b-\x1f\x7f]")

    def test_files_outside_of_the_demo_are_not_served(self):
        (self.folder / "secret").write_text("secret")
        for path in (b"../secret", b"%2e%2e/secret", b"..%2fsecret", b"%2e%2e%2fsecret", b"./../secret", b"..\\secret",
                     b"/" + str(self.folder / "secret").encode(), b"../data/addresses", b"index.html/../../secret"):
            answer = self.raw(b"/demo/" + path)
            self.assertEqual(statuses(answer), [404], path)
            self.assertNotIn(b"secret\n", answer)

    def test_markup_stays_text(self):
        self.assertEqual(self.browser.get("/pixel.gif", [("article", SCRIPT)]).status, 200)
        self.assertEqual(self.browser.counts(SCRIPT), [1])
        for path, pairs in (("/counts", [("article", SCRIPT)]), ("/popular", ()), ("/counts", ()),
                            ("/" + SCRIPT, ()), ("/popular", [("window.day", SCRIPT)])):
            answer = self.browser.get(path.replace("<", "%3C"), pairs)
            answer.json()
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
        with self.browser.live(SCRIPT) as live:
            self.assertEqual(live.next()["counts"][0]["articleId"], SCRIPT)

    def test_markup_in_a_picture_stays_text(self):
        for path, pairs, name in (("/badge.svg", [("article", SCRIPT)], "label"), ("/odometer.svg", [], "title")):
            for text in (SCRIPT, '"><script>', "]]><script>", "<!--", "&lt;script&gt;", "' onload='x", "\u202e\ufffe"):
                answer = self.browser.get(path, [*pairs, (name, text)])
                self.assertEqual((answer.status, answer.type), (200, "image/svg+xml"))
                tree = xml.etree.ElementTree.fromstring(answer.body)
                for element in tree.iter():
                    self.assertNotIn("script", element.tag)
                    self.assertFalse([key for key in element.keys() if key.startswith("on") or key.endswith("href")])
                if text.isascii():
                    self.assertTrue(any(text in (found or "") for element in tree.iter()
                                        for found in (element.text, *element.attrib.values())), (path, text))


class CrowdTest(Abused):
    IDLE = 5_000
    ANSWER_SECONDS_MAX = 0.1
    READERS = 40
    WATCHED = 1_000
    # For a reader that reads nothing, the service keeps one message, and its kernel buffers keep the rest.
    READER_BYTES_MAX = 1 << 20

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The limit is raised only after the service was started, so that the service must raise its own limit.
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * cls.IDLE), hard))

    def connections(self, stack, client, number):
        found = []
        for _ in range(number):
            found.append(stack.enter_context(client.connect()))
        return found

    def timed_status(self, client):
        began = time.monotonic()
        status = client.get("/stats").status
        return status, time.monotonic() - began

    def test_idle_connections_hold_up_nobody(self):
        with contextlib.ExitStack() as stack:
            idle = self.connections(stack, self.backend, self.IDLE)
            # The test uses the median of several requests, because the machine also runs other programs.
            found = sorted((self.timed_status(self.browser) for _ in range(21)), key=lambda each: each[1])
            self.assertEqual({status for status, _ in found} - {200, 503}, set())
            self.assertLess(found[len(found) // 2][1], self.ANSWER_SECONDS_MAX)
            # Connections that waited are still served.
            idle[-1].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(statuses(idle[-1].recv(65536)), [200])

    def test_one_address_cannot_have_all_connections(self):
        crowd = web.Web(self.running.address("http"), source=CROWD)
        with contextlib.ExitStack() as stack:
            self.connections(stack, crowd, CONNECTIONS_PER_ADDRESS_MAX)
            status, seconds = self.timed_status(crowd)
            self.assertEqual(status, 503)
            self.assertLess(seconds, 1)
            self.assertEqual(self.browser.get("/stats").status, 200)
        self.assertTrue(web.eventually(lambda: crowd.get("/stats").status == 200))

    def test_readers_that_leave_are_forgotten(self):
        with contextlib.ExitStack() as stack:
            for _ in range(self.READERS):
                stack.enter_context(self.backend.live("/leave/1", "/leave/2")).next()

        def forgotten():
            # The service notices that a reader has disconnected only when it sends to the reader.
            self.backend.post("/views", {"articleId": "/leave/1"})
            return self.metrics()["viewcount_watchers"] == 0

        self.assertTrue(web.eventually(forgotten), self.metrics())

    def open_reader(self, stack, articles):
        """Opens a reader that reads nothing, with the smallest possible receive buffer."""
        connection = socket.socket()
        stack.enter_context(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        host, port = self.backend.address.rsplit(":", 1)
        connection.connect((host, int(port)))
        target = self.backend.target("/live", [("article", article) for article in articles])
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def test_a_reader_that_does_not_read_is_dropped(self):
        articles = [str(i) for i in range(self.WATCHED)]
        batch = {"views": [{"articleId": article} for article in articles]}
        self.backend.post("/views", batch)
        with contextlib.ExitStack() as stack:
            before = self.process_bytes()
            for _ in range(self.READERS):
                self.open_reader(stack, articles)
            self.assertTrue(web.eventually(lambda: self.metrics()["viewcount_watchers"] == self.READERS), self.metrics())
            reader = stack.enter_context(self.browser.live(articles[0]))
            peak, sent = before, 1
            deadline = time.monotonic() + 3 * REQUEST_SECONDS_MAX
            # Every count changes all the time. A reader that reads must stay connected.
            while (left := self.metrics()["viewcount_watchers"]) > 1:
                self.assertLess(time.monotonic(), deadline, f"{left} are still there")
                self.backend.post("/views", batch)
                sent += 1
                reader.until(lambda data: data["counts"])
                peak = max(peak, self.process_bytes())
            self.assertLess(peak - before, self.READERS * self.READER_BYTES_MAX)
            self.assertEqual(self.browser.counts(articles[0]), [sent])
            self.backend.post("/views", {"articleId": articles[0]})
            wanted = str(sent + 1)
            reader.until(lambda data: [count["views"] for count in data["counts"]] == [wanted])


if __name__ == "__main__":
    PROGRAM, COMMAND = (str(pathlib.Path(path).resolve()) for path in sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main(verbosity=2)
