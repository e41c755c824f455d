"""Announces articles from sitemaps and feeds, which a web server on this machine serves, also in hostile ways.

Run by ctest with the programs' paths: announce_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import gzip
import http.server
import json
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402

DAEMON = None
COMMAND = None
SECONDS_MAX = 60
MIB = 1 << 20

FEED = """<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><language>vi</language>
<item><title>Bóng đá &amp;amp; &lt;script&gt;</title><link>{site}/sport/7?utm_source=rss</link>
<guid isPermaLink="false">guid-7</guid><pubDate>Mon, 30 Nov 2026 07:00:00 +0700</pubDate>
<dc:creator>An</dc:creator><dc:creator>Chi</dc:creator><category>Thể thao</category><category>Bóng đá</category>
<enclosure url="{site}/7.jpg" type="image/jpeg" length="1"/></item>
<item><title>{long}</title><link>{site}/sport/8</link></item>
<item><title>No link</title></item>
<item><title>Other link</title><link>javascript:alert(1)</link></item>
</channel></rss>"""


def sitemap(*entries):
    return ('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
            ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">' + "".join(entries) + "</urlset>").encode()


def index(*addresses):
    return ("<sitemapindex>" + "".join(f"<sitemap><loc>{address}</loc></sitemap>" for address in addresses) +
            "</sitemapindex>").encode()


def page(address, title=None):
    news = f"<news:news><news:title>{title}</news:title></news:news>" if title else ""
    return f"<url><loc>{address}</loc><lastmod>2026-11-30T00:00:00Z</lastmod>{news}</url>"


def bomb():
    """Returns a sitemap of 300 MiB in a few hundred kilobytes."""
    packer = zlib.compressobj(1, wbits=31)
    spaces = b" " * MIB
    return b"".join([packer.compress(sitemap(page("/bomb"))[:-len("</urlset>")]),
                     *(packer.compress(spaces) for _ in range(300)), packer.flush()])


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with a document of the server, or behaves badly."""

    def do_GET(self):  # noqa: N802
        self.server.requests.append((self.path, self.headers["User-Agent"]))
        bad = getattr(self, "answer_" + self.path[1:].replace("-", "_"), None)
        if bad:
            bad()
        elif self.path.startswith("/to/"):
            self.redirect(self.server.targets[self.path])
        else:
            body = self.server.documents.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"<html>not found</html>")

    def redirect(self, target):
        self.send_response(302)
        self.send_header("Location", target)
        self.end_headers()

    def answer_loop(self):
        self.redirect("/loop")

    def answer_endless(self):
        self.send_response(200)
        self.end_headers()
        while not self.server.closing:
            self.wfile.write(b"<urlset>" + b" " * MIB)

    def answer_announced_size(self):
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()
        self.wfile.write(b"<urlset>")

    def answer_slow(self):
        self.send_response(200)
        self.end_headers()
        while not self.server.closing:
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def log_message(self, *_):
        pass


class WebServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.documents, self.targets, self.requests, self.closing = {}, {}, [], False
        self.site = f"http://127.0.0.1:{self.server_address[1]}"
        # The site under another host.
        self.other_site = self.site.replace("127.0.0.1", "localhost")
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.site = self.other_site.replace("http:", "https:")

    def handle_error(self, *_):
        """Clients that go away early are what these tests are about."""

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closing = True
        self.shutdown()
        self.server_close()


class AnnounceTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        data_dir = tempfile.TemporaryDirectory(prefix="viewcount-announce-")
        cls.addClassCleanup(data_dir.cleanup)
        cls.data_dir = pathlib.Path(data_dir.name)
        cls.service = service.Service(DAEMON, cls.data_dir, "--lanes", "1")
        cls.enterClassContext(cls.service)

    def setUp(self):
        self.web = self.enterContext(WebServer())
        self.site = self.id().rpartition(".")[2][:60]
        self.command("site", "put", self.site, "--time-zone", "Asia/Ho_Chi_Minh")

    def run_command(self, *words, **options):
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        environment |= options.pop("environment", {})
        return subprocess.run(
            [COMMAND, "--server", self.service.address("grpc"), "--site", self.site, *words], capture_output=True,
            check=False, timeout=SECONDS_MAX, env=environment, **options)

    def command(self, *words, **options):
        done = self.run_command(*words, **options)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def refusal(self, *words, code=1, **options):
        done = self.run_command("announce", *words, **options)
        self.assertEqual(done.returncode, code, done.stdout.decode() + done.stderr.decode())
        return done.stderr.decode()

    def top(self):
        return {article["articleId"]: article for article in json.loads(self.command("top", "--json"))["articles"]}

    def test_an_index_with_a_compressed_sitemap_and_news(self):
        web = self.web
        names = ["/news.xml", "/all.xml.gz", "/all.xml.gz", "/missing.xml", "/index.xml"]
        children = "".join(f"<sitemap><loc>{web.site}{name}</loc></sitemap>" for name in names)
        web.documents["/index.xml"] = (
            '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">' + children +
            "<sitemap><loc>file:///etc/passwd</loc></sitemap></sitemapindex>").encode()
        web.documents["/news.xml"] = sitemap(page(web.site + "/news/1?utm_source=x", "Mưa &lt;b&gt; ngày mai"))
        web.documents["/all.xml.gz"] = gzip.compress(sitemap(*(page(f"{web.site}/news/{i}") for i in range(2_500))))
        web.targets["/to/index"] = web.site + "/to/again"
        web.targets["/to/again"] = "/index.xml"
        self.command("record", "/news/1", "/news/2", "--count", "3")
        done = self.run_command("announce", "--sitemap", web.site + "/to/index", "--json")
        errors = done.stderr.decode()
        report = json.loads(done.stdout)
        # Three children cannot be read, but the others are.
        self.assertEqual(done.returncode, 1, errors)
        self.assertIn("/missing.xml cannot be fetched: the server answers with 404", errors)
        self.assertIn("an index within an index is not read", errors)
        self.assertIn("names the sitemap file:///etc/passwd, which is no address with http or https", errors)
        self.assertEqual((report["entries"], report["announced"], report["knownBetter"], report["documentsFailed"]),
                         (2_501, 2_500, 1, 3))
        self.assertEqual([path for path, _ in web.requests].count("/all.xml.gz"), 1)
        self.assertTrue(all(agent.startswith("viewcount/") for _, agent in web.requests), web.requests)
        listed = self.top()
        self.assertEqual(listed["/news/1"]["title"], "Mưa <b> ngày mai")
        self.assertEqual(listed["/news/1"]["url"], web.site + "/news/1?utm_source=x")
        self.assertEqual(listed["/news/2"]["url"], web.site + "/news/2")
        # The last change is not the time of publication.
        self.assertNotIn("publishTime", {name for name, value in listed["/news/2"].items() if value})

    def test_a_feed(self):
        document = FEED.format(site=self.web.site, long="ổ" * 400).encode()
        self.web.documents["/feed"] = document
        self.command("record", "/sport/7", "/sport/8", "guid-7")
        shown = json.loads(self.command("announce", "--feed", "-", "--dry-run", "--json", input=document))
        self.assertEqual([article["articleId"] for article in shown["articles"]], ["/sport/7", "/sport/8"])
        self.assertEqual(self.top()["/sport/7"]["title"], "")
        done = self.run_command("announce", "--feed", self.web.site + "/feed", "--section", "Tin")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 articles announced, from 1 document; 2 entries left out; 1 title cut", done.stdout.decode())
        self.assertIn('line 7: the entry "No link" has no address; it is left out', done.stderr.decode())
        article = self.top()["/sport/7"]
        self.assertEqual(article["title"], "Bóng đá & <script>")
        self.assertEqual(article["sections"], ["Tin", "Thể thao", "Bóng đá"])
        self.assertEqual(article["authors"], ["An", "Chi"])
        self.assertEqual(article["imageUrl"], self.web.site + "/7.jpg")
        self.assertEqual(article["publishTime"], "2026-11-30T00:00:00Z")
        self.assertEqual(self.top()["/sport/8"]["title"], "ổ" * 333)
        # A second announcement replaces the first one entirely.
        self.command("announce", "--feed", self.web.site + "/feed", "--id", "guid", "--categories", "tags")
        self.assertEqual(self.top()["guid-7"]["sections"], [])
        self.command("announce", "--sitemap", "-", input=sitemap(page("/sport/7")))
        self.assertEqual(self.top()["/sport/7"]["title"], "")

    def test_other_schemes_are_never_read(self):
        web = self.web
        for name in ("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x", "dict://127.0.0.1/x"):
            web.targets["/to/x"] = name
            self.assertIn("cannot be fetched: Protocol", self.refusal("--sitemap", web.site + "/to/x"), name)
        self.assertIn("cannot read file:///etc/passwd: No such file", self.refusal("--sitemap", "file:///etc/passwd"))
        self.assertIn("Maximum (5) redirects followed", self.refusal("--feed", web.site + "/loop"))

    def test_a_redirect_from_https_to_http_is_refused(self):
        web = self.web
        certificate = self.data_dir / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", certificate, "-out", certificate.with_suffix(".crt")],
                       check=True, capture_output=True)
        certificate.write_bytes(certificate.read_bytes() + certificate.with_suffix(".crt").read_bytes())
        trust = {"environment": {"SSL_CERT_FILE": str(certificate)}}
        safe = self.enterContext(WebServer(certificate))
        web.documents["/s.xml"] = safe.documents["/s.xml"] = sitemap(page("/safe", "t"))
        safe.targets["/to/http"] = web.site.replace("//", "//an:secret@") + "/s.xml"
        safe.targets["/to/https"] = "/s.xml"
        web.targets["/to/http"] = safe.site + "/to/http"
        self.assertIn("1 article announced", self.command("announce", "--sitemap", safe.site + "/to/https", **trust))
        self.assertIn("certificate", self.refusal("--sitemap", safe.site + "/s.xml"))
        # A redirect to https before it makes no difference.
        for name in (safe.site, web.site):
            errors = self.refusal("--sitemap", name + "/to/http", **trust)
            self.assertIn(f"{name}/to/http is redirected from https to http, to {web.site}/s.xml, which is refused", errors)
        self.assertNotIn("/s.xml", [path for path, _ in web.requests])

    def test_sitemaps_of_other_hosts_are_skipped(self):
        web = self.web
        web.documents["/index.xml"] = index(*(f"{web.other_site}/{i}.xml" for i in range(20)), web.site + "/own.xml",
                                            web.site + "/to/other")
        web.targets["/to/other"] = web.other_site + "/0.xml"
        web.targets["/to/index"] = web.other_site + "/index.xml"
        web.documents |= {f"/{i}.xml": sitemap(page(f"/{i}")) for i in range(20)}
        web.documents["/own.xml"] = sitemap(page("/own"))
        done = self.run_command("announce", "--sitemap", web.site + "/index.xml")
        errors = done.stderr.decode()
        self.assertEqual(done.returncode, 1, errors)
        self.assertIn(f"{web.site}/index.xml names 20 sitemaps on the host localhost, but it is on 127.0.0.1; skipped, "
                      "because --any-host is not given", errors)
        self.assertIn(f"{web.site}/to/other is redirected to another host, localhost, which is refused", errors)
        self.assertIn("1 article announced, from 2 documents; 21 documents not read", done.stdout.decode())
        self.assertNotIn("/0.xml", [path for path, _ in web.requests])
        self.assertIn("22 articles", self.command("announce", "--sitemap", web.site + "/index.xml", "--any-host"))
        # The host is that which sent the index.
        self.assertIn("names 2 sitemaps on the host 127.0.0.1, but it is on localhost",
                      self.refusal("--sitemap", web.site + "/to/index"))
        # A file has the host of its first sitemap.
        mixed = index(web.site + "/1.xml", web.other_site + "/2.xml", web.site + "/3.xml")
        done = self.run_command("announce", "--sitemap", "-", input=mixed)
        self.assertIn("standard input names 1 sitemap on the host localhost, but its first sitemap is on 127.0.0.1",
                      done.stderr.decode())
        self.assertIn("2 articles announced", done.stdout.decode())
        self.assertIn("3 articles", self.command("announce", "--sitemap", "-", "--any-host", input=mixed))

    def test_passwords_are_never_shown(self):
        web = self.web
        secret = web.site.replace("//", "//an:secret@")
        web.documents["/index.xml"] = index(secret + "/missing.xml", secret + "/bad.xml", secret + "/good.xml",
                                            "ftp://an:secret@127.0.0.1/x", web.other_site.replace("//", "//an:secret@"))
        web.documents["/bad.xml"] = b"<html>"
        web.documents["/good.xml"] = sitemap(page(secret + "/good", "t"), page("mailto:x"))
        web.documents["/feed"] = b"<rss><channel><item>"
        for words in (["--sitemap", secret + "/index.xml"], ["--feed", secret + "/feed"],
                      ["--feed", secret.replace("secret", "sec/secret")], ["--feed", "htp://an:secret@127.0.0.1/"],
                      ["--sitemap", secret.replace("http:", "https:")]):
            done = self.run_command("announce", "--dry-run", *words)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("127.0.0.1", done.stderr.decode())
            self.assertNotIn("secret", done.stdout.decode() + done.stderr.decode(), words)

    def test_endless_answers_end(self):
        site = self.web.site
        self.assertIn("has more than 64 MiB", self.refusal("--sitemap", site + "/endless"))
        self.assertIn("has more than 64 MiB", self.refusal("--sitemap", site + "/announced-size"))
        begun = time.monotonic()
        self.assertIn("timed out", self.refusal("--sitemap", site + "/slow", "--fetch-timeout", "0.5").lower())
        self.assertLess(time.monotonic() - begun, 10)

    def test_hostile_documents_end_with_a_position(self):
        web = self.web
        web.documents["/bomb.gz"] = bomb()
        errors = self.refusal("--sitemap", web.site + "/bomb.gz")
        self.assertIn("/bomb.gz: it has more than 256 MiB", errors)
        entities = b'<!DOCTYPE u [\n<!ENTITY a "aaaaaaaaaa">\n<!ENTITY b "&a;&a;&a;">]>\n<urlset>&b;</urlset>'
        self.assertIn("standard input: line 2, column 12: it declares the entity a",
                      self.refusal("--sitemap", "-", code=5, input=entities))
        self.assertIn("the element html begins no sitemap",
                      self.refusal("--sitemap", "-", code=5, input=b"<html></html>"))
        self.assertIn("this is a sitemap, which --sitemap reads",
                      self.refusal("--feed", "-", code=5, input=sitemap()))
        self.assertIn("has no address", self.refusal("--sitemap", "-", code=5, input=sitemap("<url></url>")))
        self.assertIn("line 1, column", self.refusal("--sitemap", "-", input=sitemap(page("/a"))[:-3]))
        cut_off = gzip.compress(sitemap(*[page("/a")] * 99))[:-9]
        self.assertIn("is cut off", self.refusal("--sitemap", "-", input=cut_off))
        self.command("announce", "--sitemap", "-", input=sitemap())

    def test_the_proxy_of_the_environment_is_used(self):
        self.web.documents["http://news.invalid/s.xml"] = sitemap(page("/proxied", "t"))
        done = self.command("announce", "--sitemap", "http://news.invalid/s.xml",
                            environment={"http_proxy": self.web.site, "no_proxy": "127.0.0.1"})
        self.assertIn("1 article announced", done)


if __name__ == "__main__":
    DAEMON, COMMAND = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1], verbosity=2)
