"""Proves that nothing of a visitor's address or user agent is stored.

The test searches the journal, Redis, the logs and the metrics.
Run by ctest with the program's path: privacy_test.py BUILD/bin/viewcountd
"""

import base64
import hashlib
import ipaddress
import json
import pathlib
import sys
import tempfile
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import service  # noqa: E402
import web  # noqa: E402

PROGRAM = None
# All addresses of 127.0.0.0/8 belong to this machine. The service trusts the proxy but not the stranger.
PROXY, BACKEND, STRANGER = "127.0.0.1", "127.0.0.5", "127.83.71.59"
VISITORS = ("203.0.113.177", "2001:db8:5a5a:c3c3:1234:9876:fedc:ba98")
AGENT = "Mozilla/5.0 (X11; Marker x86_64; rv:177.77) Gecko/20170717 Markerfox/177.77"
BOT_AGENT = "Markerbot/77.177 (+https://bots.example/marker-77.html)"
TEXTS = (*VISITORS, STRANGER, AGENT, BOT_AGENT)
# Shorter texts are not searched for, because they could appear by chance.
BYTES_MIN = 5


def encodings(text):
    """Yields the forms in which a text might have been written, as pairs of name and bytes."""
    plain = text.encode()
    yield "plain", plain
    yield "UTF-16", text.encode("utf-16-le")
    yield "escaped for addresses", urllib.parse.quote(text, safe="").encode()
    yield "escaped for JSON", json.dumps(text)[1:-1].encode()
    yield "reversed", plain[::-1]
    raw = [("", plain)] + [(f"{name} of it", hashlib.new(name, plain).digest()) for name in ("md5", "sha1", "sha256")]
    try:
        address = ipaddress.ip_address(text)
        packed = [("packed", address.packed), ("packed, reversed", address.packed[::-1])]
        if address.version == 4:
            packed += [("packed as IPv6", bytes(10) + b"\xff\xff" + address.packed)]
            yield "as a number", str(int(address)).encode()
        raw += packed
    except ValueError:
        pass
    for name, digest in raw:
        yield f"{name} raw", digest
        yield f"{name} in hexadecimal digits", digest.hex().encode()
        yield f"{name} in hexadecimal capitals", digest.hex().upper().encode()
        # Base64 encodes groups of three bytes, so the result depends on the number of bytes before the text.
        for skipped in range(3):
            encoded = base64.b64encode(bytes(skipped) + digest)
            yield f"{name} in Base64", encoded[4 if skipped else 0:-4]


def traces(content):
    """Returns descriptions of all traces of visitors in `content`."""
    return [f"{text} ({name})" for text in TEXTS for name, encoded in encodings(text)
            if len(encoded) >= BYTES_MIN and encoded in content]


class PrivacyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-privacy-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.service = service.Service(PROGRAM, self.folder, "--log-level", "debug", "--flush-interval", "100ms",
                                       "--trusted-proxies", f"{PROXY}/32", "--trusted-backends", f"{BACKEND}/32", "--address-views-per-second", "5")
        self.service.start()
        self.addCleanup(lambda: self.service.__exit__())

    def visit(self):
        """Sends every kind of request that a browser may send, from each visitor, with everything that identifies the
        visitor."""
        address = self.service.address("http")
        for source, forwarded in [(PROXY, visitor) for visitor in VISITORS] + [(STRANGER, None), (STRANGER, VISITORS[0])]:
            visitor = web.Web(address, source=source)
            for agent in (AGENT, BOT_AGENT):
                headers = {"User-Agent": agent} | ({"X-Forwarded-For": forwarded} if forwarded else {})
                self.assertEqual(visitor.post("/views", {"articleId": "/a"}, headers).status, 200)
                self.assertEqual(visitor.post("/views", '{"views": [{"articleId": "/b"}, {"articleId": "/c"}]}',
                                              headers).status, 200)
                self.assertEqual(visitor.get("/pixel.gif", [("article", "/d")], headers).status, 200)
                self.assertEqual(visitor.post("/views", {"articleId": "/e"}, headers | {"Sec-Purpose": "prefetch"}).status,
                                 200)
                # Nothing of a refused request is stored either.
                self.assertEqual(visitor.post("/views", "no JSON", headers).status, 400)
                self.assertEqual(visitor.post("/views", {"articleId": "/f", "count": 7}, headers).status, 403)
                self.assertEqual(visitor.get("/nothing", headers=headers).status, 404)
                self.assertEqual(visitor.post("/views", {"articleId": "/f"}, headers | {"User-Agent": agent * 50}).status,
                                 200)
        for _ in range(60):
            web.Web(address, source=STRANGER).post("/views", {"articleId": "/flood"}, {"User-Agent": AGENT})
        backend = web.Web(address, source=BACKEND)
        for visitor in VISITORS:
            for agent in (AGENT, BOT_AGENT):
                named = {"X-Viewcount-Visitor-Address": visitor, "X-Viewcount-Visitor-Agent": agent}
                self.assertEqual(backend.post("/views", {"articleId": "/g"}, named).status, 200)

    def test_nothing_of_a_visitor_is_kept(self):
        self.visit()
        reader = web.Web(self.service.address("http"), source=BACKEND)
        self.assertGreater(web.metrics(self.service.address("admin"))['viewcount_views_rejected_total{reason="flood"}'], 0)
        metrics = web.Web(self.service.address("admin")).send("GET", "/metrics").body
        stats = reader.get("/stats").json()
        self.assertGreater(int(stats["visits"]["total"]), 0, "visitors were distinguished, so there is something to hide")
        self.service.kill()
        self.service.start()
        self.visit()
        self.service.stop()
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        self.assertTrue(any(path.suffix == ".journal" for path in files), files)
        self.assertTrue(any(path.suffix == ".aof" for path in files), files)
        found = {str(path.relative_to(self.folder)): traces(path.read_bytes()) for path in files}
        self.assertEqual({name: what for name, what in found.items() if what}, {})
        self.assertEqual(traces(metrics), [])

    def test_the_search_finds_what_it_is_to_find(self):
        for text in TEXTS:
            for name, encoded in encodings(text):
                if len(encoded) >= BYTES_MIN:
                    self.assertIn(f"{text} ({name})", traces(b"before " + encoded + b" behind"))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
