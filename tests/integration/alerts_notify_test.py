"""Tests alerts and digests with a real viewcountd, a real Redis, and a web server of this test as the webhook.

Each message must come once: also after kill -9, and with two instances on one Redis.
Run by ctest with the programs' paths: alerts_notify_test.py BUILD/bin/viewcountd BUILD/bin/viewcount SLOW_NAMES
SLOW_NAMES is the library that makes names hang.
"""

import collections
import concurrent.futures
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402

DAEMON = None
COMMAND = None
SLOW_NAMES = None
SECONDS_MAX = 30
# A check may come a minute and five seconds after the last one.
CHECK_SECONDS_MAX = 75
# In this time a second message would have come.
QUIET_SECONDS = 2
SECRET = "a secret of this test"
TOKEN = "T0/B0/token-in-the-path"
ALLOWED = ("--alert-private-addresses", "127.0.0.0/8")

Message = collections.namedtuple("Message", "path headers body")


class Webhook:
    """A web server that keeps what is posted to it. The first part of a path says how it answers.

    With `certificate`, a PEM file that also has the key, it serves HTTPS.
    """

    def __init__(self, certificate=None):
        self.messages = []
        self._lock = threading.Lock()
        self._released = threading.Event()
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                try:
                    webhook.answer(self, Message(self.path, self.headers, body))
                except OSError:
                    pass  # The client has gone away.

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, handler, message):
        with self._lock:
            self.messages.append(message)
            number = sum(other.path == message.path for other in self.messages)
        kind = message.path.split("/")[1]
        if kind == "hang":
            self._released.wait(60)
            return
        status = {"redirect": 302, "bad": 400, "flaky": 500 if number <= 2 else 200}.get(kind, 200)
        handler.send_response(status)
        if kind == "redirect":
            handler.send_header("location", f"http://127.0.0.1:{self.port}/target")
        if kind == "partial":
            handler.send_header("content-length", "100")
        handler.end_headers()
        if kind == "partial":
            handler.wfile.write(b"less")
            handler.close_connection = True
        if kind == "endless":
            while True:
                handler.wfile.write(b"x" * 65536)

    def at(self, path):
        with self._lock:
            return [message for message in self.messages if message.path == path]

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def close(self):
        self._released.set()
        self._server.shutdown()
        self._server.server_close()


class AlertsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-alerts-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.webhook = Webhook()
        cls.addClassCleanup(cls.webhook.close)
        (cls.folder / "secret").write_text(SECRET + "\n")

    def start(self, name, *flags, **process):
        data_dir = self.folder / f"{self._testMethodName}-{name}"
        data_dir.mkdir()
        return self.enterContext(service.Service(DAEMON, data_dir, "--flush-interval", "50ms", *flags,
                                                 **process))

    def run_command(self, daemon, *words):
        return subprocess.run([COMMAND, "--server", daemon.address("grpc"), "--site", "demo", *words],
                              capture_output=True, text=True, check=False)

    def command(self, daemon, *words):
        done = self.run_command(daemon, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def put(self, daemon, name, path, *words):
        return self.command(daemon, "alert", "put", name, "--webhook", self.webhook.url(path), "--secret-file",
                            str(self.folder / "secret"), *words)

    def eventually(self, condition, daemon, seconds=SECONDS_MAX):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, daemon.log())
            time.sleep(0.05)

    def await_messages(self, path, count, daemon):
        self.eventually(lambda: len(self.webhook.at(path)) >= count, daemon)
        self.assertEqual(len(self.webhook.at(path)), count)
        return self.webhook.at(path)

    def state(self, daemon, name):
        listed = json.loads(self.command(daemon, "--json", "alert", "list"))["alerts"]
        return next(one["state"] for one in listed if one["alert"]["name"] == name)

    def metric(self, daemon, line):
        with urllib.request.urlopen(f"http://{daemon.address('admin')}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return float(text.split("\n" + line + " ")[1].split("\n")[0])

    def check_signature(self, message):
        parts = dict(part.split("=", 1) for part in message.headers["viewcount-signature"].split(","))
        self.assertLess(abs(time.time() - int(parts["t"])), 60)
        expected = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + message.body, hashlib.sha256).hexdigest()
        self.assertEqual(parts["v1"], expected)

    def test_an_alert_fires_once_and_is_resolved_once(self):
        daemon = self.start("a", *ALLOWED)
        path = "/ok/once?" + TOKEN
        self.command(daemon, "announce", "news/1", "--title", "Rain <tomorrow>")
        self.command(daemon, "record", "news/1", "--count", "7")
        words = ("--article", "news/1", "--above", "5", "--hours", "2")
        answer = self.put(daemon, "once", path, *words)
        self.assertIn("at present 7 views", answer)
        fired = self.await_messages(path, 1, daemon)[0]
        self.check_signature(fired)
        body = json.loads(fired.body)
        self.assertEqual((body["event"], body["site"], body["alert"], body["views"], body["viewsExact"]),
                         ("fired", "demo", "once", 7, True))
        self.assertEqual(body["subject"], {"kind": "article", "articleId": "news/1", "title": "Rain <tomorrow>"})
        self.assertEqual(body["condition"], {"hours": 2, "viewsAbove": 5})
        self.assertEqual(fired.headers["viewcount-delivery"], body["id"])
        self.eventually(lambda: not self.state(daemon, "once")["sending"], daemon)
        self.assertTrue(self.state(daemon, "once")["firing"])
        # Each put has the alert checked again.
        self.put(daemon, "once", path, *words)
        self.command(daemon, "delete", "news/1", "--why", "a test")
        self.put(daemon, "once", path, *words)
        resolved = self.await_messages(path, 2, daemon)[1]
        self.check_signature(resolved)
        self.assertEqual(json.loads(resolved.body)["event"], "resolved")
        self.put(daemon, "once", path, *words)
        time.sleep(QUIET_SECONDS)
        self.await_messages(path, 2, daemon)
        self.assertEqual(self.metric(daemon, 'viewcount_alerts_sent_total{result="delivered"}'), 2)
        self.secrets_are_nowhere(daemon)
        self.command(daemon, "audit")

    def secrets_are_nowhere(self, daemon):
        shown = (self.command(daemon, "--json", "alert", "list") + self.command(daemon, "alert", "list") +
                 daemon.log())
        self.assertIn(f"http://127.0.0.1:{self.webhook.port}", shown)
        for secret in (TOKEN, SECRET):
            self.assertNotIn(secret, shown)

    def test_a_new_secret_is_shown_once(self):
        daemon = self.start("a", *ALLOWED)
        words = ("alert", "put", "fresh", "--below", "1", "--webhook", self.webhook.url("/ok/fresh"))
        answer = json.loads(self.command(daemon, "--json", *words))
        self.assertEqual(len(answer["generatedSecret"]), 64)
        self.assertEqual(json.loads(self.command(daemon, "--json", *words))["generatedSecret"], "")
        self.assertNotIn(answer["generatedSecret"], self.command(daemon, "--json", "alert", "list"))
        # A put without an address keeps it.
        self.command(daemon, "alert", "put", "fresh", "--below", "2")
        self.command(daemon, "alert", "delete", "fresh")
        self.assertIn("no alert", self.command(daemon, "alert", "list"))
        done = self.run_command(daemon, "alert", "delete", "fresh")
        self.assertEqual(done.returncode, 1)
        self.assertIn('has no alert "fresh"', done.stderr)

    def test_no_message_comes_again_after_a_crash(self):
        daemon = self.start("a", *ALLOWED)
        path = "/ok/crash"
        self.command(daemon, "record", "news/1", "--count", "7")
        self.put(daemon, "crash", path, "--above", "5")
        self.await_messages(path, 1, daemon)
        self.eventually(lambda: not self.state(daemon, "crash")["sending"], daemon)
        processes = daemon.descendants()
        daemon.kill()
        self.eventually(lambda: not any(service.is_alive(pid) for pid in processes), daemon)
        daemon.start()
        self.assertTrue(self.state(daemon, "crash")["firing"])
        self.put(daemon, "crash", path, "--above", "5")
        time.sleep(QUIET_SECONDS)
        self.await_messages(path, 1, daemon)

    def test_two_instances_send_one_message(self):
        one = self.start("one", *ALLOWED)
        redis = next((self.folder / f"{self._testMethodName}-one" / "redis").glob("*.sock"))
        two = self.start("two", "--redis", f"redis+unix://{redis}", *ALLOWED)
        self.command(one, "record", "news/1", "--count", "7")
        self.command(one, "flush")
        names = [f"two-{number}" for number in range(8)]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            # Both instances check each alert at the same time.
            for name in names:
                list(pool.map(lambda daemon: self.put(daemon, name, f"/ok/{name}", "--above", "5"), (one, two)))
        for name in names:
            self.await_messages(f"/ok/{name}", 1, one)
        time.sleep(QUIET_SECONDS)
        for name in names:
            self.await_messages(f"/ok/{name}", 1, one)
            self.assertTrue(self.state(two, name)["firing"])
        # If two puts create one alert, one of them makes its secret.
        words = ("--json", "alert", "put", "--above", "5", "--webhook", self.webhook.url("/ok/race"))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for number in range(8):
                answers = pool.map(lambda daemon: json.loads(self.command(daemon, *words, f"race-{number}")), (one, two))
                self.assertEqual(sorted(len(answer["generatedSecret"]) for answer in answers), [0, 64])
        two.stop()

    def test_webhooks_that_fail(self):
        daemon = self.start("a", *ALLOWED)
        self.command(daemon, "record", "news/1", "--count", "7")
        for name in ("hang", "redirect", "bad", "endless", "partial", "flaky"):
            self.put(daemon, name, f"/{name}", "--above", "5")
        # A webhook that hangs delays no other one.
        begun = time.monotonic()
        self.put(daemon, "quick", "/ok/quick", "--above", "5")
        self.await_messages("/ok/quick", 1, daemon)
        self.assertLess(time.monotonic() - begun, 5)
        # A redirect and a refusal are final. Other failures are tried again, as the same message.
        self.eventually(lambda: "redirects are not followed" in self.state(daemon, "redirect")["problem"], daemon)
        self.eventually(lambda: "answered with 400" in self.state(daemon, "bad")["problem"], daemon)
        # An answer of 200 takes the message, even if it does not end or is cut off.
        for name in ("endless", "partial"):
            self.eventually(lambda: not self.state(daemon, name)["sending"], daemon)
            self.assertEqual(self.state(daemon, name)["problem"], "")
            self.await_messages(f"/{name}", 1, daemon)
        flaky = self.await_messages("/flaky", 3, daemon)
        self.assertEqual(len({message.headers["viewcount-delivery"] for message in flaky}), 1)
        for message in flaky:
            self.check_signature(message)
        self.assertEqual([len(self.webhook.at(path)) for path in ("/redirect", "/bad", "/target")], [1, 1, 0])
        self.assertEqual(self.metric(daemon, 'viewcount_alerts_sent_total{result="rejected"}'), 2)
        # A test is answered with what happened.
        self.assertIn("answered with 200", self.command(daemon, "alert", "test", "quick"))
        self.assertEqual(json.loads(self.webhook.at("/ok/quick")[1].body)["event"], "test")
        failed = self.run_command(daemon, "alert", "test", "bad")
        self.assertEqual(failed.returncode, 1)
        self.assertIn("answered with 400", failed.stderr)
        # The stop does not wait for the webhook that hangs.
        begun = time.monotonic()
        daemon.stop()
        self.assertLess(time.monotonic() - begun, 5)

    def test_a_name_server_that_hangs_holds_up_nothing(self):
        daemon = self.start("a", *ALLOWED, env=os.environ | {"LD_PRELOAD": SLOW_NAMES})
        self.command(daemon, "alert", "put", "hangs", "--above", "5", "--webhook", "http://hangs.example/")
        self.put(daemon, "quick", "/ok/slow-names", "--above", "5")
        begun = time.monotonic()
        # The time-out of the connection ends the attempt, and the thread goes on.
        done = self.run_command(daemon, "alert", "test", "hangs")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("answered with 200", self.command(daemon, "alert", "test", "quick"))
        self.assertLess(time.monotonic() - begun, 10)
        self.command(daemon, "record", "news/1", "--count", "7")
        self.command(daemon, "alert", "put", "hangs", "--above", "5")
        begun = time.monotonic()
        daemon.stop()
        self.assertLess(time.monotonic() - begun, 5)

    def test_private_addresses_are_refused(self):
        daemon = self.start("a")
        for address in ("http://127.0.0.1/", "http://localhost/", "http://[::ffff:10.0.0.1]/", "http://169.254.169.254/"):
            done = self.run_command(daemon, "alert", "put", "private", "--above", "5", "--webhook", address)
            self.assertEqual(done.returncode, 1, address)
            self.assertIn("must lead to the public internet", done.stderr)
        # This name is resolved only when the connection is made.
        name = f"http://webhook.localhost:{self.webhook.port}/private/{TOKEN}"
        self.command(daemon, "alert", "put", "private", "--above", "5", "--webhook", name)
        done = self.run_command(daemon, "alert", "test", "private")
        self.assertEqual(done.returncode, 1)
        self.assertIn("an address that is not public", done.stderr)
        self.assertEqual(self.webhook.at(f"/private/{TOKEN}"), [])
        self.assertNotIn(TOKEN, daemon.log())

    def test_one_refused_address_among_several_is_not_the_reason_of_a_failure(self):
        daemon = self.start("a", *ALLOWED)
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        # The name leads to ::1, which is refused, and to 127.0.0.1, where nothing listens.
        self.command(daemon, "alert", "put", "both", "--above", "5", "--webhook", f"http://both.localhost:{port}/")
        done = self.run_command(daemon, "alert", "test", "both")
        self.assertEqual(done.returncode, 1)
        self.assertIn("connect", done.stderr)
        self.assertNotIn("not public", done.stderr)

    def test_no_proxy_is_used(self):
        proxy = Webhook()
        self.addCleanup(proxy.close)
        names = {name: proxy.url("/") for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy")}
        daemon = self.start("a", *ALLOWED, env=os.environ | names | {"no_proxy": "", "NO_PROXY": ""})
        self.put(daemon, "direct", "/ok/direct", "--above", "5")
        self.assertIn("answered with 200", self.command(daemon, "alert", "test", "direct"))
        self.await_messages("/ok/direct", 1, daemon)
        self.assertEqual(proxy.messages, [])

    def test_certificates_are_verified(self):
        webhooks = {}
        for name in ("known", "unknown"):
            file = self.folder / f"{name}.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-keyout", str(file), "-out", str(file) + ".crt", "-days", "2", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
            file.write_text(file.read_text() + pathlib.Path(str(file) + ".crt").read_text())
            webhooks[name] = Webhook(file)
            self.addCleanup(webhooks[name].close)
        daemon = self.start("a", *ALLOWED, "--alert-private-addresses", "::1",
                            env=os.environ | {"SSL_CERT_FILE": str(self.folder / "known.pem.crt")})
        for name, webhook in webhooks.items():
            self.command(daemon, "alert", "put", name, "--above", "5", "--webhook",
                         f"https://localhost:{webhook.port}/ok/{name}")
        self.assertIn("answered with 200", self.command(daemon, "alert", "test", "known"))
        done = self.run_command(daemon, "alert", "test", "unknown")
        self.assertEqual(done.returncode, 1)
        self.assertIn("certificate", done.stderr)
        self.assertEqual(webhooks["unknown"].messages, [])

    def test_checks_are_made_once_a_minute(self):
        daemon = self.start("a", *ALLOWED)
        self.put(daemon, "minute", "/ok/minute", "--above", "5")
        self.put(daemon, "digest", "/ok/digest", "--digest", "daily")
        self.eventually(lambda: not self.state(daemon, "minute")["firing"], daemon)
        self.command(daemon, "record", "news/1", "--count", "7")
        self.eventually(lambda: self.webhook.at("/ok/minute"), daemon, CHECK_SECONDS_MAX)
        self.command(daemon, "alert", "test", "digest")
        digest = json.loads(self.await_messages("/ok/digest", 1, daemon)[0].body)
        self.assertEqual(digest["digest"]["views"], 0)
        self.assertEqual(digest["event"], "test")


if __name__ == "__main__":
    DAEMON, COMMAND, SLOW_NAMES = sys.argv[1:4]
    del sys.argv[1:4]
    unittest.main(verbosity=2)
