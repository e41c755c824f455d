"""Tests viewcountd as a process.

The tests cover signals, reloaded settings, a full journal, a log that is not read, too few descriptors, a stuck thread
and an orderly stop.
Run by ctest: process_test.py BUILD/bin/viewcountd BUILD/bin/viewcount BUILD/…/libbad_sync.so
"""

import contextlib
import ctypes
import fcntl
import http.client
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402
import web  # noqa: E402
from startup_test import Redis, Stubs, ingest_pb2  # noqa: E402

import grpc  # noqa: E402

PROGRAM, COMMAND, BAD_SYNC = None, None, None
WAIT_SECONDS_MAX = 15
# An address of this machine that is neither a trusted proxy nor a trusted backend in these tests.
BROWSER = "127.0.0.9"
LONG_ID = 480


def ask(address, path):
    """Sends a GET request, and returns its status and body."""
    with contextlib.closing(http.client.HTTPConnection(address, timeout=WAIT_SECONDS_MAX)) as client:
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.read().decode()


class ProcessTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="viewcount-process-"))
        self.addCleanup(self.remove_folder)
        self.data_dir = self.folder / "data"
        self.data_dir.mkdir()

    def remove_folder(self):
        # The embedded Redis of a viewcountd that crashed writes files until it ends.
        removed = web.eventually(lambda: shutil.rmtree(self.folder, ignore_errors=True) or not self.folder.exists())
        self.assertTrue(removed, f"{self.folder} cannot be removed")

    def start(self, *flags, **process):
        running = service.Service(PROGRAM, self.data_dir, *flags, **process)
        self.enterContext(running)
        return running

    def ready(self, running):
        return ask(running.address("admin"), "/readyz")

    def until(self, condition, running, seconds=WAIT_SECONDS_MAX):
        self.assertTrue(web.eventually(condition, seconds), running.log())

    def logged(self, running, text):
        self.until(lambda: text in running.log(), running)


class SignalTest(ProcessTest):
    def test_signals_without_a_meaning_are_ignored_with_a_line(self):
        running = self.start()
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGIO,
                       signal.SIGPWR, signal.SIGXFSZ, signal.SIGRTMIN, signal.SIGRTMAX):
            running.signal(number)
        self.logged(running, "ignored SIGUSR1, sent by process")
        self.assertEqual(self.ready(running)[0], 200)
        # The private Redis must not have inherited ignored or blocked signals. It is the first descendant. It may
        # itself have a child that rewrites the append-only file.
        redis = running.descendants()[0]
        status = pathlib.Path(f"/proc/{redis}/status").read_text()
        blocked = int(re.search(r"SigBlk:\s*(\w+)", status)[1], 16)
        self.assertFalse(blocked >> (signal.SIGTERM - 1) & 1)
        self.assertEqual(running.stop(), 0)

    def test_a_fault_of_the_program_is_named(self):
        running = self.start()
        running.signal(signal.SIGSEGV)
        self.assertEqual(running.wait(), -signal.SIGSEGV)
        self.assertIn("ended by signal 11", running.log())

    def test_quit_is_an_orderly_stop(self):
        running = self.start()
        running.signal(signal.SIGQUIT)
        self.assertEqual(running.wait(), 0)
        self.assertIn("stopped", running.log())

    def test_a_terminal_that_is_closed_stops_it(self):
        parent, child = pty.openpty()
        with open(child, "wb", buffering=0) as terminal:
            running = self.start(stderr=terminal)
        # A shell does the same for its jobs when its terminal is closed.
        os.close(parent)
        running.signal(signal.SIGHUP)
        self.assertEqual(running.wait(), 0)


class ReloadTest(ProcessTest):
    def make_certificate(self, name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem"], check=True,
                       capture_output=True)

    def configure(self, **settings):
        lines = [f"{key.replace('_', '-')} = {value}" for key, value in settings.items()]
        (self.folder / "viewcount.toml").write_text("\n".join(lines) + "\n")

    def start(self, *flags, **process):
        return super().start("--config", str(self.folder / "viewcount.toml"), *flags, **process)

    def reload(self, running, text):
        """Sends SIGHUP, waits until `text` is logged, and returns all that was logged since the signal."""
        before = len(running.log())
        running.signal(signal.SIGHUP)
        self.until(lambda: text in running.log()[before:], running)
        return running.log()[before:]

    def common_name(self, running):
        host, port = running.address("http").rsplit(":", 1)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((host, int(port))) as plain, context.wrap_socket(plain) as connection:
            certificate = connection.getpeercert(binary_form=True)
        text = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-subject"], input=certificate,
                              capture_output=True, check=True).stdout.decode()
        return re.search(r"CN\s*=\s*(\w+)", text)[1]

    def test_a_renewed_certificate_is_taken_and_a_broken_one_is_not(self):
        self.make_certificate("first")
        self.configure(tls_cert=f'"{self.folder}/cert.pem"', tls_key=f'"{self.folder}/key.pem"')
        running = self.start()
        self.assertEqual(self.common_name(running), "first")
        self.make_certificate("second")
        self.assertEqual(self.common_name(running), "first")
        self.reload(running, "reloaded the certificate and these settings: none changed")
        self.until(lambda: self.common_name(running) == "second", running)
        (self.folder / "cert.pem").write_text("rubbish")
        self.reload(running, "the certificate stays as it was: cannot use the certificate")
        self.assertEqual(self.common_name(running), "second")

    def test_ranges_limits_and_the_level_of_the_log_are_taken(self):
        self.configure(trusted_backends=f'"{BROWSER}"')
        running = self.start()
        client = web.Web(running.address("http"), source=BROWSER)
        self.assertEqual(client.post("/views", {"articleId": "/a", "count": 5}).status, 200)
        self.configure(trusted_backends='"10.0.0.1"', address_views_per_second=1, log_level='"warn"', lanes=2)
        log = self.reload(running, "changed settings that take effect at the next start: lanes")
        # The new log level already applies to this line.
        self.assertNotIn("reloaded", log)
        self.until(lambda: client.post("/views", {"articleId": "/a", "count": 5}).status == 403, running)
        views = [client.post("/views", {"articleId": "/a"}).status for _ in range(20)]
        self.assertEqual(sorted(set(views)), [200, 429])
        # A proxy that has become trusted may name its client's address.
        self.configure(trusted_backends='"10.0.0.1"', trusted_proxies=f'"{BROWSER}"')
        log = self.reload(running, "reloaded the certificate and these settings: ")
        self.assertIn("trusted-proxies, address-views-per-second, log-level", log)
        self.until(lambda: client.post("/views", {"articleId": "/a", "count": 5},
                                       {"X-Forwarded-For": "10.0.0.1"}).status == 200, running)
        # The proxy may name it in another header. Then X-Forwarded-For means nothing.
        self.configure(trusted_backends='"10.0.0.1"', trusted_proxies=f'"{BROWSER}"', client_address_header='"X-Real-IP"')
        log = self.reload(running, "reloaded the certificate and these settings: ")
        self.assertIn("client-address-header", log)
        self.until(lambda: client.post("/views", {"articleId": "/a", "count": 5},
                                       {"X-Real-IP": "10.0.0.1"}).status == 200, running)
        self.assertEqual(client.post("/views", {"articleId": "/a", "count": 5},
                                     {"X-Forwarded-For": "10.0.0.1"}).status, 403)

    def test_wrong_settings_change_nothing(self):
        self.configure(trusted_backends=f'"{BROWSER}"')
        running = self.start()
        self.configure(trusted_backends='"10.0.0.1"', log_level='"loud"')
        self.reload(running, "the settings stay as they were: log-level in ")
        client = web.Web(running.address("http"), source=BROWSER)
        self.assertEqual(client.post("/views", {"articleId": "/a", "count": 5}).status, 200)

    def test_a_larger_budget_lets_views_in_again(self):
        self.configure(journal_budget='"64MiB"')
        with Redis(self.folder) as redis:
            running = self.start("--redis", redis.url)
            with Stubs(running.address("grpc")) as stubs:
                redis.process.send_signal(signal.SIGSTOP)
                try:
                    fill(stubs)
                    self.until(lambda: self.ready(running)[0] == 503, running)
                    self.configure(journal_budget='"256MiB"')
                    self.reload(running, "reloaded the certificate and these settings: journal-budget")
                    self.until(lambda: self.ready(running)[0] == 200, running)
                    stubs.record_views(batch(0))
                finally:
                    redis.process.send_signal(signal.SIGCONT)


def mount_small_disk(folder, size):
    """Mounts a tmpfs in a mount namespace of this process.

    This needs root, and CAP_SYS_ADMIN in a container.
    """
    new_mount_namespace = 0x00020000
    if ctypes.CDLL(None, use_errno=True).unshare(new_mount_namespace) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)


def batch(number):
    """Returns a request of nearly 4 MiB."""
    views = [ingest_pb2.View(article_id=f"/{number}/{view}/".ljust(LONG_ID, "x"), count=3) for view in range(8_000)]
    return ingest_pb2.RecordViewsRequest(site="demo", views=views)


def fill(stubs):
    """Sends requests until there is no room. Returns the error and the number of accepted requests."""
    requests = [batch(number) for number in range(4)]
    for number in range(100):
        try:
            stubs.record_views(requests[number % len(requests)])
        except grpc.RpcError as error:
            return error, number
    raise AssertionError("it never was full")


class FullJournalTest(ProcessTest):
    REFUSED = "views are refused: the journal's budget is full"

    def test_everybody_is_told_and_it_recovers(self):
        with Redis(self.folder) as redis:
            running = self.start("--redis", redis.url, "--journal-budget", "64MiB", "--journal-retention", "0s")
            browser = web.Web(running.address("http"), source=BROWSER)
            # A count that was known before is still answered while Redis is stopped.
            self.assertEqual(browser.post("/views", {"articleId": "/a"}).status, 200)
            with Stubs(running.address("grpc")) as stubs:
                redis.process.send_signal(signal.SIGSTOP)
                try:
                    began = time.monotonic()
                    error, taken = fill(stubs)
                    self.check_refusals(running, browser, error)
                    lines = running.log().count("views are refused")
                    self.assertIn(lines, range(1, 2 + int((time.monotonic() - began) / 10)), running.log())
                finally:
                    redis.process.send_signal(signal.SIGCONT)
                self.logged(running, "views are taken again")
                self.until(lambda: self.ready(running) == (200, "ready\n"), running)
                self.assertEqual(browser.post("/views", {"articleId": "/a"}).status, 200)
                self.assertEqual(browser.counts("/a"), [2])
                self.assertEqual(web.metrics(running.address("admin"))["viewcount_lanes_refusing"], 0)
                stubs.flush(service_flush())
                self.assertNotIn("REFUSED", self.status(running))
                self.assertEqual(browser.counts("/0/0/".ljust(LONG_ID, "x")), [3 * ((taken + 3) // 4)])

    def test_a_full_disk_is_named(self):
        mount_small_disk(self.data_dir, "100m")
        self.addCleanup(subprocess.run, ["umount", "-l", self.data_dir], check=True)
        with Redis(self.folder) as redis:
            running = self.start("--redis", redis.url, "--address-views-per-second", "0")
            browser = web.Web(running.address("http"), source=BROWSER)
            with Stubs(running.address("grpc")) as stubs:
                redis.process.send_signal(signal.SIGSTOP)
                try:
                    fill(stubs)
                    # Where a batch has no room, some views may still have.
                    answers = (browser.post("/views", {"articleId": "/a"}) for _ in range(10_000))
                    answer = next(answer for answer in answers if answer.status != 200)
                    self.assertEqual((answer.status, answer.json()["detail"]),
                                     (503, "the journal has no room: its disk is full"))
                    self.assertIn("the journal's disk is full: cannot", self.ready(running)[1])
                    self.logged(running, "views are refused: the journal's disk is full: cannot")
                finally:
                    redis.process.send_signal(signal.SIGCONT)

    def status(self, running):
        return subprocess.run([COMMAND, "--server", running.address("grpc"), "status"], capture_output=True, text=True,
                              check=True, timeout=WAIT_SECONDS_MAX).stdout

    def check_refusals(self, running, browser, error):
        self.assertEqual(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        details = dict(error.trailing_metadata())["grpc-status-details-bin"]
        self.assertIn(b"google.rpc.RetryInfo", details)
        self.assertIn(b"SERVICE_FULL", details)
        beacon = browser.post("/views", {"articleId": "/a"}, {"Content-Type": "text/plain;charset=UTF-8"})
        for answer in (beacon, browser.get("/pixel.gif", [("article", "/a")]),
                       browser.post("/views", {"views": [{"articleId": "/a"}]})):
            self.assertEqual((answer.status, answer.headers["retry-after"]), (503, "1"))
            problem = answer.json()
            self.assertEqual((problem["code"], problem["reason"]), ("RESOURCE_EXHAUSTED", "SERVICE_FULL"))
            # The answer must not name folders of the service.
            self.assertEqual(problem["detail"], "the journal has no room: its budget is full")
        status, reason = self.ready(running)
        self.assertEqual(status, 503)
        self.assertIn(self.REFUSED, reason)
        self.assertIn("and may hold 67108864", reason)
        self.logged(running, self.REFUSED)
        self.assertIn("REFUSED: the journal's budget is full", self.status(running))
        metrics = web.metrics(running.address("admin"))
        self.assertEqual(metrics["viewcount_lanes_refusing"], 1)
        self.assertGreater(metrics['viewcount_views_rejected_total{reason="journal_full"}'], 0)


def service_flush():
    from viewcount.v1 import admin_pb2  # pylint: disable=import-outside-toplevel

    return admin_pb2.FlushRequest()


class StuckLogTest(ProcessTest):
    def test_a_log_that_nobody_reads_stops_nothing(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        # The pipe is full before the first log line.
        fcntl.fcntl(writing, fcntl.F_SETFL, os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        fcntl.fcntl(writing, fcntl.F_SETFL, 0)
        with open(writing, "wb", buffering=0) as stderr:
            running = self.start("--log-level", "trace", stderr=stderr)
        client = web.Web(running.address("http"), source=BROWSER)
        for _ in range(20):
            self.assertEqual(client.post("/views", {"articleId": "/a"}).status, 200)
        self.assertEqual(client.counts("/a"), [20])
        with Stubs(running.address("grpc")) as stubs:
            stubs.flush(service_flush())
        self.assertGreater(web.metrics(running.address("admin"))["viewcount_log_lines_dropped_total"], 0)
        # The reader continues and is informed of the dropped lines.
        fcntl.fcntl(reading, fcntl.F_SETFL, os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            while os.read(reading, 1 << 20):
                pass
        running.signal(signal.SIGUSR1)
        text = b""

        def comes():
            nonlocal text
            with contextlib.suppress(BlockingIOError):
                text += os.read(reading, 1 << 20)
            return re.search(rb"standard error did not take \d+ log lines", text)

        self.assertTrue(web.eventually(comes), text)
        self.assertEqual(running.stop(), 0)

    def test_a_stop_does_not_wait_for_the_reader(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        with open(writing, "wb", buffering=0) as stderr:
            running = self.start(stderr=stderr)
            os.set_blocking(writing, False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(writing, b"x")
            # The flag is shared with the service.
            os.set_blocking(writing, True)
        self.assertEqual(running.stop(), 0)


class DescriptorsTest(ProcessTest):
    LIMIT = 400

    def test_connections_leave_room_for_files_and_for_the_admin_port(self):
        running = self.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (self.LIMIT, self.LIMIT)))
        taken = re.search(r"only 400 files and connections may be open at once, so (\d+) HTTP", running.log())
        self.assertTrue(taken, running.log())
        address = running.address("http").rsplit(":", 1)
        silent = []
        self.addCleanup(lambda: [connection.close() for connection in silent])
        for _ in range(self.LIMIT):
            silent.append(socket.create_connection((address[0], int(address[1])), timeout=WAIT_SECONDS_MAX))
        metrics = {}

        def refused():
            metrics.update(web.metrics(running.address("admin")))
            return metrics['viewcount_http_connections_refused_total{reason="in_all"}'] == self.LIMIT - int(taken[1])

        self.until(refused, running)
        self.assertEqual(metrics["viewcount_http_connections"], int(taken[1]))
        self.assertEqual(self.ready(running)[0], 200)
        self.assertEqual(running.log().count("refusing HTTP connections: too many connections"), 1)
        with Stubs(running.address("grpc")) as stubs:
            stubs.record_views(ingest_pb2.RecordViewsRequest(site="demo", views=[ingest_pb2.View(article_id="/a")]))
            stubs.flush(service_flush())
        for connection in silent:
            connection.close()
        client = web.Web(running.address("http"), source=BROWSER)
        self.assertTrue(web.eventually(lambda: client.post("/views", {"articleId": "/a"}).status == 200))


class StuckThreadTest(ProcessTest):
    STUCK_SECONDS = 12.5

    def test_a_lane_that_does_not_move_fails_the_health_check(self):
        environment = os.environ | {
            "LD_PRELOAD": BAD_SYNC, "BAD_SYNC_FILES": "*/lanes/*.journal", "BAD_SYNC_SLEEP_AT": "3",
            "BAD_SYNC_SLEEP_COUNT": "1", "BAD_SYNC_SLEEP_MS": str(int(self.STUCK_SECONDS * 1000))}
        running = self.start(env=environment)
        admin = running.address("admin")
        client = web.Web(running.address("http"), source=BROWSER)
        statuses = []

        def send():
            for _ in range(6):
                with contextlib.suppress(OSError):
                    statuses.append(client.post("/views", {"articleId": "/a"}).status)

        sender = threading.Thread(target=send)
        sender.start()
        self.addCleanup(sender.join)
        self.assertEqual(ask(admin, "/healthz"), (200, "ok\n"))
        self.until(lambda: ask(admin, "/healthz")[0] == 503, running, self.STUCK_SECONDS + 2)
        self.assertRegex(ask(admin, "/healthz")[1], "not healthy: lane 0 has not moved for 1[0-9] s")
        self.assertIn("a thread is stuck: lane 0 has not moved for", running.log())
        self.until(lambda: ask(admin, "/healthz") == (200, "ok\n"), running)


class StopTest(ProcessTest):
    def test_everything_is_served_until_the_delay_is_over(self):
        running = self.start("--shutdown-delay", "1500ms", "--address-views-per-second", "0")
        client = web.Web(running.address("http"), source=BROWSER)
        began = time.monotonic()
        running.signal(signal.SIGTERM)
        self.until(lambda: self.ready(running) == (503, "not ready: stopping\n"), running)
        served = 0
        while time.monotonic() - began < 1.2:
            self.assertEqual(client.post("/views", {"articleId": "/a"}).status, 200)
            served += 1
        self.assertEqual(client.counts("/a"), [served])
        with Stubs(running.address("grpc")) as stubs:
            stubs.record_views(ingest_pb2.RecordViewsRequest(site="demo", views=[ingest_pb2.View(article_id="/a")]))
        self.assertEqual(running.wait(), 0)
        self.assertGreaterEqual(time.monotonic() - began, 1.5)
        again = self.start()
        self.assertEqual(web.Web(again.address("http"), source=BROWSER).counts("/a"), [served + 1])

    def test_another_signal_ends_the_delay(self):
        running = self.start("--shutdown-delay", "5m")
        running.signal(signal.SIGTERM)
        self.logged(running, "serving on for 300000 ms before the stop")
        self.assertEqual(running.stop(), 0)


if __name__ == "__main__":
    PROGRAM, COMMAND, BAD_SYNC = sys.argv[1:4]
    del sys.argv[1:4]
    unittest.main(verbosity=2)
