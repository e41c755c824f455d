"""Proves that a snapshot of one service brings the same counts into another one, and that each row counts once.

The tests use two real services, each with a Redis of its own, and kill the services and the command in the middle.
Run by ctest with the programs' paths: transfer_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import concurrent.futures
import datetime
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import messages  # noqa: E402
import service  # noqa: E402

MESSAGES = messages.generate()

from google.protobuf import timestamp_pb2  # noqa: E402
from grpc_stubs import Stubs  # noqa: E402
from viewcount.v1 import admin_pb2, ingest_pb2, query_pb2, transfer_pb2  # noqa: E402

DAEMON = None
COMMAND = None
SECONDS_MAX = 60
ZONE = "Asia/Ho_Chi_Minh"
ROWS = 100_000


class OtherInstance(service.Service):
    """A second viewcountd of the data set that the Redis of another one holds."""

    def __init__(self, redis, *arguments):
        super().__init__(*arguments)
        self._redis = redis

    def command(self):
        return [f"redis+unix://{self._redis}" if word == "embedded" else word for word in super().command()]


class TransferTest(unittest.TestCase):

    def service(self, *flags, interval="200ms"):
        """Starts a service with stubs, which end with the test."""
        data_dir = tempfile.TemporaryDirectory(prefix="viewcount-transfer-")
        self.addCleanup(data_dir.cleanup)
        started = service.Service(DAEMON, data_dir.name, "--lanes", "3", "--flush-interval", interval, *flags)
        self.enterContext(started)
        return started

    def stubs(self, of):
        return self.enterContext(Stubs(of.address("grpc")))

    def file(self, text, name="file"):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-transfer-")
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def arguments(self, of, *words, site="demo"):
        return [COMMAND, "--server", of.address("grpc"), "--site", site, "--timeout", "60", *words]

    def run_command(self, of, *words, site="demo", code=0, text=None):
        done = subprocess.run(self.arguments(of, *words, site=site), capture_output=True, text=True, input=text,
                              timeout=SECONDS_MAX)
        self.assertEqual(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout if code == 0 else done.stderr

    def snapshot(self, of, site="demo"):
        """Returns the lines of a snapshot, parsed."""
        return [json.loads(line) for line in self.run_command(of, "export", "--full", site=site).splitlines()]

    def counted(self, lines):
        """Returns a snapshot's lines without what differs between equal sites: the site, the time, the order."""
        self.assertIn("viewcountSnapshot", lines[0])
        return sorted(json.dumps(line, sort_keys=True) for line in lines[1:])

    def audit(self, *services):
        for one in services:
            self.assertIn("agree", self.run_command(one, "audit").lower())

    def fill(self, source, stubs):
        """Counts views of several hours and days, of bots, visits, a start value, a merge and announcements."""
        self.run_command(source, "site", "put", "demo", "--time-zone", ZONE)
        now = int(time.time() * 1000)
        for hours in (0, 1, 5, 30, 100):
            views = [
                ingest_pb2.View(article_id=f"news/{number}", count=number + hours + 1, viewer=number % 7 + 1,
                                event_time_unix_ms=now - hours * 3_600_000) for number in range(60)
            ]
            views.append(ingest_pb2.View(article_id="bots only", bot=True, count=3))
            stubs.record_views(ingest_pb2.RecordViewsRequest(site="demo", views=views, **{"import": True}))
        self.run_command(source, "set", "=cmd|' /C calc'!A0", "7")
        self.run_command(source, "set", "không dấu \"x\"; +1", "9007199254740992")
        self.run_command(source, "delete", "không dấu \"x\"; +1")
        self.run_command(source, "set", "news/3", "0")
        self.run_command(source, "merge", "news/1", "news/2")
        self.run_command(source, "set", "--site-total", "5000000", "--site-visits", "12345")
        stubs.put_articles(
            admin_pb2.PutArticlesRequest(site="demo", articles=[
                admin_pb2.Article(article_id="news/4", title="Mưa \"ngày mai\"", sections=["thời tiết"], tags=["a", "b"],
                                  publish_time=timestamp_pb2.Timestamp(seconds=1_700_000_000)),
                admin_pb2.Article(article_id="never viewed", url="https://news.example.org/1", hidden_from_lists=True)
            ]))

    def series(self, stubs, article, step, last):
        window = query_pb2.Window()
        window.last.FromSeconds(last)
        answer = stubs.get_series(query_pb2.GetSeriesRequest(site="demo", article_id=article, step=step, window=window))
        return [(point.start.seconds, point.views) for point in answer.points]

    def everything(self, stubs):
        """Returns what the API answers about the site's counts."""
        ids = [f"news/{number}" for number in range(60)] + ["bots only", "=cmd|' /C calc'!A0"]
        counts = stubs.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=ids))
        stats = stubs.get_site_stats(query_pb2.GetSiteStatsRequest(site="demo"))
        popular = stubs.list_popular(query_pb2.ListPopularRequest(site="demo", page_size=100))
        return {
            "counts": [(count.article_id, count.views, count.bot_views) for count in counts.counts],
            "stats": [(getattr(stats.views, span), getattr(stats.visits, span))
                      for span in ("total", "today", "yesterday", "this_week", "this_month")],
            "popular": [(article.article_id, article.views) for article in popular.articles],
            "hours": {article: self.series(stubs, article, query_pb2.SERIES_STEP_HOUR, 6 * 86_400)
                      for article in ("", "news/2", "news/3", "news/59")},
            "days": {article: self.series(stubs, article, query_pb2.SERIES_STEP_DAY, 60 * 86_400)
                     for article in ("", "news/2", "news/3", "news/59")},
        }

    def test_a_snapshot_brings_the_same_counts(self):
        source, target = self.service(), self.service()
        source_stubs, target_stubs = self.stubs(source), self.stubs(target)
        self.fill(source, source_stubs)
        exported = self.run_command(source, "export", "--full")
        path = self.file(exported, "snapshot.jsonl")

        # Another zone has other days.
        self.assertIn("--any-time-zone", self.run_command(target, "import", "counts", path, code=1))
        self.run_command(target, "site", "put", "demo", "--time-zone", ZONE)

        # A file that is cut off anywhere imports nothing.
        lines = exported.splitlines(keepends=True)
        for cut in ("".join(lines[:-1]), "".join(lines[:5] + lines[6:]), exported[:-20], "".join(lines[:1])):
            problem = self.run_command(target, "import", "counts", self.file(cut), code=1)
            self.assertTrue("not whole" in problem or "nothing is imported" in problem, problem)
        self.assertIn("nothing was changed", self.run_command(target, "import", "counts", path, "--dry-run"))
        self.assertEqual(len(self.snapshot(target)), 2)

        self.run_command(target, "import", "counts", path)
        self.assertEqual(self.everything(target_stubs), self.everything(source_stubs))
        self.assertEqual(self.counted(self.snapshot(target)), self.counted(self.snapshot(source)))
        self.assertIn("nothing was changed", self.run_command(target, "import", "counts", path))
        # Equal rows are one import, however they are read.
        self.assertIn("nothing was changed", self.run_command(target, "import", "counts", "-", text=exported))
        self.assertEqual(self.everything(target_stubs), self.everything(source_stubs))
        self.audit(source, target)

        # A restart takes the rows from the journal, and knows that they are imported.
        target.kill()
        target.start()
        target_stubs = self.stubs(target)
        self.assertIn("nothing was changed", self.run_command(target, "import", "counts", path))
        self.assertEqual(self.everything(target_stubs), self.everything(source_stubs))
        listed = self.run_command(target, "adjustments")
        self.assertEqual(listed.count("imported"), 1, listed)

        # Another instance of the same data set knows the import as well.
        self.assertIn("import counts", self.run_command(target, "undo", self.import_id(target), code=1))
        self.run_command(target, "import", "counts", path, "--undo")
        self.assertIn("nothing was changed", self.run_command(target, "import", "counts", path, "--undo"))
        left = [line for line in self.snapshot(target)[1:] if "articleId" in line or "site" in line]
        self.assertEqual(left, [])
        self.assertIn("taken back", self.run_command(target, "import", "counts", path, code=1))
        self.run_command(target, "import", "counts", path, "--id", "again", "--only-counts")
        self.assertEqual(self.everything(target_stubs), self.everything(source_stubs))
        self.audit(target)

    def import_id(self, of):
        listed = json.loads(self.run_command(of, "--json", "adjustments"))["adjustments"]
        return next(entry["adjustmentId"] for entry in listed if entry["description"].startswith("imported"))

    def rows(self):
        return "article_id,views,bot_views\r\n" + "".join(f"a/{row},{row % 1000 + 1},{row % 3}\r\n"
                                                          for row in range(ROWS))

    def check_rows(self, stubs, factor=1):
        for begin in range(0, ROWS, 1000):
            ids = [f"a/{row}" for row in range(begin, begin + 1000)]
            answer = stubs.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=ids))
            self.assertTrue(answer.exact)
            found = [(count.views, count.bot_views) for count in answer.counts]
            self.assertEqual(found, [(factor * (row % 1000 + 1), factor * (row % 3))
                                     for row in range(begin, begin + 1000)])

    def until_imported(self, row, stubs, process):
        """Waits until a row is counted, and returns whether the last one is not."""
        deadline = time.monotonic() + SECONDS_MAX
        while time.monotonic() < deadline:
            answer = stubs.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=[f"a/{row}", f"a/{ROWS - 1}"]))
            if answer.counts[0].views > 0:
                return answer.counts[1].views == 0
            self.assertIsNone(process.poll(), "the import ended")
        self.fail("nothing was imported")

    def test_kills_in_the_middle_count_each_row_once(self):
        target = self.service()
        target.grpc_address = target.address("grpc")
        stubs = self.stubs(target)
        path = self.file(self.rows())
        command = self.arguments(target, "import", "counts", path, "--all-time")
        middles = 0
        # The command is killed, then the service. The second command goes on by itself.
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        middles += self.until_imported(2_000, stubs, process)
        process.kill()
        process.communicate()
        planned = json.loads(self.run_command(target, "--json", "import", "counts", path, "--all-time", "--dry-run"))
        self.assertGreater(planned["importedRows"], 0)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        middles += self.until_imported(min(planned["importedRows"] + 5_000, ROWS - 1), stubs, process)
        target.kill()
        target.start()
        output, errors = process.communicate(timeout=SECONDS_MAX)
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(middles, 2, "a kill was not in the middle; take more rows")
        stubs = self.stubs(target)
        self.check_rows(stubs)
        self.assertIn("nothing was changed", self.run_command(target, "import", "counts", path, "--all-time"))
        # Another name is another import.
        self.run_command(target, "import", "counts", path, "--all-time", "--id", "twice")
        self.check_rows(stubs, 2)
        self.audit(target)
        total = sum(row % 1000 + 1 for row in range(ROWS))
        stats = stubs.get_site_stats(query_pb2.GetSiteStatsRequest(site="demo"))
        self.assertEqual(stats.views.total, 2 * total)
        self.check_http_export(target, total)

    def check_http_export(self, target, total):
        """Reads a whole export over HTTP with two clients, and one that ends with the service."""
        address = target.address("backend")
        url = f"http://{address}/v1/sites/demo/export?format=csv"
        with urllib.request.urlopen(url, timeout=SECONDS_MAX) as answer:
            rows = answer.read().decode().splitlines()
        self.assertEqual(sum(int(row.split(",")[1]) for row in rows[1:]), 2 * total)
        self.assertEqual(len(rows), ROWS + 1)
        whole = subprocess.run(["curl", "-sS", url], capture_output=True, text=True, timeout=SECONDS_MAX)
        self.assertEqual((whole.returncode, len(whole.stdout.splitlines())), (0, ROWS + 1), whole.stderr)
        # The body of HTTP/1.0 ends with the connection, so a broken one would look whole.
        with socket.create_connection(address.rsplit(":", 1), timeout=SECONDS_MAX) as plain:
            plain.sendall(b"GET /v1/sites/demo/export HTTP/1.0\r\nHost: localhost\r\n\r\n")
            self.assertRegex(plain.makefile("rb").read(), rb"^HTTP/1\.[01] 505 ")
        slow = subprocess.Popen(["curl", "-sS", "--limit-rate", "100k", url], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)
        self.assertEqual(slow.stdout.read(10), b"article_id")
        target.signal(signal.SIGTERM)
        _, errors = slow.communicate(timeout=SECONDS_MAX)
        # The transfer ended with outstanding data.
        self.assertEqual(slow.returncode, 18, errors)
        self.assertEqual(target.wait(), 0)

    def test_counts_of_an_article_are_of_one_moment(self):
        source = self.service()
        stubs = self.stubs(source)
        ended = threading.Event()

        def record():
            number = 0
            while not ended.is_set():
                number += 1
                now = int(time.time() * 1000)
                views = [
                    ingest_pb2.View(article_id=f"live/{article}", count=number % 9 + 1,
                                    event_time_unix_ms=now - number % 5 * 3_600_000) for article in range(50)
                ]
                stubs.record_views(ingest_pb2.RecordViewsRequest(site="demo", views=views))
                ended.wait(0.01)

        recorder = threading.Thread(target=record)
        recorder.start()
        try:
            for _ in range(2):
                rows = [line for line in self.snapshot(source) if "articleId" in line]
                for row in rows:
                    self.assertEqual(row["views"], sum(row["days"].values()), row)
                    self.assertEqual(row["views"], sum(row["hours"].values()), row)
        finally:
            ended.set()
            recorder.join()
        self.assertEqual(len(rows), 50)

    def other_instance(self, of):
        """Starts another instance on the Redis of a service."""
        data_dir = tempfile.TemporaryDirectory(prefix="viewcount-transfer-")
        self.addCleanup(data_dir.cleanup)
        socket = next(path for path in pathlib.Path(of._data_dir).rglob("redis.sock"))
        return self.enterContext(OtherInstance(socket, DAEMON, data_dir.name, "--flush-interval", "200ms"))

    def call(self, to, first_row=1, each=(), counted=None, **changes):
        """Sends rows of the article "a" with these views, or the given rows."""
        fields = {"site": "demo", "import_id": b"i" * 16, "content_id": b"c" * 16, "rows": 3, "who": "a test"}
        header = transfer_pb2.ImportHeader(**(fields | changes))
        rows = counted or [
            transfer_pb2.CountRow(article_id="a", counts=[
                transfer_pb2.CountedViews(kind=transfer_pb2.COUNT_KIND_ALL_TIME, views=count)
            ]) for count in each
        ]
        return to.import_counts(iter([
            transfer_pb2.ImportCountsRequest(header=header),
            transfer_pb2.ImportCountsRequest(first_row=first_row, rows=rows)
        ]))

    def refused(self, *arguments, **changes):
        with self.assertRaises(grpc.RpcError) as caught:
            self.call(*arguments, **changes)
        trailers = dict(caught.exception.trailing_metadata())
        return caught.exception.code(), trailers.get("grpc-status-details-bin", b"")

    def reason(self, *arguments, **changes):
        code, details = self.refused(*arguments, **changes)
        self.assertEqual(code, grpc.StatusCode.FAILED_PRECONDITION, details)
        return details

    def views(self, of, article="a"):
        answer = of.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=[article]))
        return answer.counts[0].views

    def test_other_instances_and_other_rows_are_refused(self):
        first = self.service(interval="60s")
        other = self.other_instance(first)
        stubs, others = self.stubs(first), self.stubs(other)
        call, refused, reason, views = self.call, self.refused, self.reason, self.views

        self.assertEqual(call(stubs, 1, [1]).imported_rows, 1)
        self.assertEqual(call(stubs, 1, [1]).new_rows, 0)
        self.assertIn(b"ROWS_LEFT_OUT", reason(stubs, 3, [100]))
        self.assertIn(b"OTHER_CONTENT", reason(stubs, 2, [10], content_id=b"d" * 16))
        self.assertIn(b"NOT_COMPLETE", reason(stubs, 1, [1], undo=True, import_id=b"n" * 16))
        self.assertIn(b"OTHER_TIME_ZONE", reason(stubs, 2, [10], time_zone="Asia/Ho_Chi_Minh"))
        for changes in ({"rows": 0}, {"who": ""}, {"import_id": b"short"}, {"source": "x" * 1001}):
            self.assertEqual(refused(stubs, 2, [10], **changes)[0], grpc.StatusCode.INVALID_ARGUMENT, changes)
        for arguments in ((0, [1]), (2, [-1]), (2, [2**46 + 1]), (4, [1]), (2, [1] * 3)):
            self.assertEqual(refused(stubs, *arguments)[0], grpc.StatusCode.INVALID_ARGUMENT, arguments)
        # Nothing of the import is in Redis yet except for its claim.
        self.assertIn(b"OTHER_INSTANCE", reason(others, 1, [1, 10, 100]))
        self.assertIn(b"OTHER_CONTENT", reason(others, 1, [1], content_id=b"d" * 16))
        stubs.flush(admin_pb2.FlushRequest())
        self.assertIn(b"OTHER_INSTANCE", reason(others, 2, [10, 100]))
        self.assertIn(b"NOT_COMPLETE", reason(others, 1, [1], undo=True))
        self.assertTrue(call(stubs, 1, [1, 10, 100]).complete)
        stubs.flush(admin_pb2.FlushRequest())
        again = call(others, 1, [1, 10, 100])
        self.assertEqual((again.complete, again.new_rows, views(stubs), views(others)), (True, 0, 111, 111))
        self.audit(first, other)
        self.assertEqual(call(stubs, 1, [1], undo=True).imported_rows, 1)
        self.assertIn(b"OTHER_INSTANCE", reason(others, 1, [1, 10, 100], undo=True))
        self.assertTrue(call(stubs, 2, [10, 100], undo=True).complete)
        stubs.flush(admin_pb2.FlushRequest())
        self.assertTrue(call(others, 1, [1, 10, 100], undo=True).complete)
        self.assertEqual(views(stubs), 0)
        # The other instance remembers counts for a moment.
        deadline = time.monotonic() + SECONDS_MAX
        while views(others) != 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        self.audit(first, other)

    def test_an_older_copy_of_a_lane_does_not_continue_an_import(self):
        first = self.service()
        other = self.other_instance(first)
        stubs = self.stubs(other)
        self.call(stubs, 1, [1])
        stubs.flush(admin_pb2.FlushRequest())
        # The copy is of this run, so that its lane knows the incarnation that Redis holds.
        copy = f"{other._data_dir}-copy"
        self.addCleanup(shutil.rmtree, copy, True)
        shutil.copytree(other._data_dir, copy)
        self.call(stubs, 2, [10])
        stubs.flush(admin_pb2.FlushRequest())
        other.kill()
        shutil.rmtree(other._data_dir)
        shutil.copytree(copy, other._data_dir)
        other.start()
        stubs = self.stubs(other)
        self.assertIn(b"OTHER_INSTANCE", self.reason(stubs, 2, [10, 100]))
        self.assertIn(b"OTHER_INSTANCE", self.reason(stubs, 1, [1, 10, 100], undo=True))
        self.assertEqual(self.views(stubs), 11)

    def test_an_import_moves_with_the_number_of_lanes(self):
        target = self.service()
        for row, lanes in ((1, "1"), (2, "2"), (3, "3")):
            stubs = self.stubs(target)
            for number in range(4):
                self.call(stubs, row, [1], import_id=bytes([number]) * 16)
            target.kill()
            target._flags = ("--lanes", lanes, "--flush-interval", "200ms")
            target.start()
        self.assertEqual(self.views(self.stubs(target)), 12)

    def test_clients_with_one_name_at_the_same_time(self):
        target = self.service(interval="60s")
        stubs = self.stubs(target)
        for attempt in range(10):
            name = bytes([attempt]) * 16

            def send(number):
                try:
                    content = b"cd"[number % 2:number % 2 + 1] * 16
                    return self.call(stubs, 1, [number % 2 + 1], rows=1, import_id=name, content_id=content).complete
                except grpc.RpcError as error:
                    self.assertEqual(error.code(), grpc.StatusCode.FAILED_PRECONDITION, error.details())
                    self.assertIn("other rows", error.details())
                    return False

            before = self.views(stubs)
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                done = list(pool.map(send, range(4)))
            self.assertEqual(done, [done[0], not done[0]] * 2)
            self.assertEqual(self.views(stubs) - before, 1 if done[0] else 2)
        listed = json.loads(self.run_command(target, "--json", "adjustments"))["adjustments"]
        self.assertEqual(len(listed), 10)

    def test_counts_that_do_not_fit_are_refused(self):
        target = self.service()
        stubs = self.stubs(target)
        most = 2**52
        self.run_command(target, "set", "--site-total", str(most - 10))
        self.assertIn(b"TOO_MANY_VIEWS", self.reason(stubs, 1, [1, 10], views=11, rows=2))
        self.assertEqual(json.loads(self.run_command(target, "--json", "adjustments"))["adjustments"][1:], [])
        self.assertIn(b"TOO_MANY_VIEWS", self.reason(stubs, 1, [1, 10], rows=2))
        self.assertEqual(self.call(stubs, 1, [9], rows=2).imported_rows, 1)
        self.assertIn(b"TOO_MANY_VIEWS", self.reason(stubs, 2, [2], rows=2))
        bots = [transfer_pb2.CountRow(article_id="b", counts=[
            transfer_pb2.CountedViews(kind=transfer_pb2.COUNT_KIND_BOTS, views=2**46)])] * 65
        other = {"import_id": b"b" * 16, "rows": 65}
        self.assertIn(b"TOO_MANY_VIEWS", self.reason(stubs, 1, counted=bots, **other))
        self.assertEqual(self.call(stubs, 1, counted=bots[:64], **other).imported_rows, 64)
        self.assertIn(b"TOO_MANY_VIEWS", self.reason(stubs, 65, counted=bots[:1], **other))
        self.audit(target)
        with urllib.request.urlopen(f"http://{target.address('admin')}/metrics", timeout=SECONDS_MAX) as metrics:
            self.assertRegex(metrics.read().decode(), r"(?m)^viewcount_flush_set_aside_views_total 0$")

    def test_an_import_that_cannot_be_finished_is_taken_back(self):
        target = self.service()
        stubs = self.stubs(target)
        future = transfer_pb2.CountRow(article_id="a", counts=[
            transfer_pb2.CountedViews(kind=transfer_pb2.COUNT_KIND_DAY, number=20990101, views=1)])
        whole = self.call(stubs, 1, [5]).imported_rows
        code, _ = self.refused(stubs, 2, counted=[future])
        self.assertEqual((whole, code, self.views(stubs)), (1, grpc.StatusCode.INVALID_ARGUMENT, 5))
        self.assertEqual(self.call(stubs, undo=True, check_only=True).imported_rows, 0)
        self.assertEqual(self.call(stubs, 2, [7]).imported_rows, 2)
        # The undo may be broken off as well.
        self.assertEqual(self.call(stubs, 1, [5], undo=True).imported_rows, 1)
        self.assertIn(b"IMPORT_UNDONE", self.reason(stubs, 3, [9]))
        target.kill()
        target.start()
        stubs = self.stubs(target)
        self.assertIn(b"IMPORT_UNDONE", self.reason(stubs, 3, [9]))
        rows = [transfer_pb2.CountRow(article_id="a", counts=[
            transfer_pb2.CountedViews(kind=transfer_pb2.COUNT_KIND_ALL_TIME, views=7)]), future]
        self.assertTrue(self.call(stubs, 2, counted=rows, undo=True).complete)
        self.assertEqual(self.views(stubs), 0)
        self.audit(target)
        # An article with more rows than one cannot fall below 0 by them together.
        twice = {"import_id": b"t" * 16, "rows": 2}
        self.assertTrue(self.call(stubs, 1, [5, 5], **twice).complete)
        self.run_command(target, "set", "a", "6")
        self.assertIn(b"CHANGED_SINCE", self.reason(stubs, 1, [5, 5], undo=True, **twice))

    def test_start_values_of_many_days(self):
        target = self.service()
        stubs = self.stubs(target)
        begin = datetime.date(1990, 1, 1)
        days = [int((begin + datetime.timedelta(number)).strftime("%Y%m%d")) for number in range(10_000)]
        counts = [transfer_pb2.CountedViews(kind=transfer_pb2.COUNT_KIND_DAY, number=day, views=1) for day in days]
        code, details = self.refused(stubs, counted=[transfer_pb2.CountRow(counts=counts[:2001])], import_id=b"m" * 16)
        self.assertEqual(code, grpc.StatusCode.INVALID_ARGUMENT, details)
        rows = [transfer_pb2.CountRow(counts=counts[at:at + 2000]) for at in range(0, 10_000, 2000)]
        self.assertTrue(self.call(stubs, counted=rows, rows=5).complete)
        stubs.flush(admin_pb2.FlushRequest())
        self.audit(target)
        # Rows of the command line share messages as far as their counts fit.
        lines = [json.dumps({"articleId": name, "days": {f"{day // 10000}-{day // 100 % 100:02}-{day % 100:02}": 1
                                                         for day in days[:600]}}) for name in "abc"]
        lines = [line.replace('"articleId"', '"views":600,"articleId"') for line in lines * 6]
        self.run_command(target, "import", "counts", self.file("\n".join(lines)))
        self.assertEqual(self.views(stubs, "c"), 3600)
        # All windows of an article are read at once, so days of more than ten years ago were left out.
        self.assertLess(len(self.snapshot(target)[-2]["site"]["days"]), 3700)

    def test_a_merge_during_a_snapshot_ends_it(self):
        source = self.service()
        stubs = self.stubs(source)
        for begin in range(0, 20_000, 1000):
            views = [ingest_pb2.View(article_id=f"{number:0500}", count=1) for number in range(begin, begin + 1000)]
            stubs.record_views(ingest_pb2.RecordViewsRequest(site="demo", views=views))
        running = stubs.export_snapshot(transfer_pb2.ExportSnapshotRequest(site="demo"))
        next(running)
        self.run_command(source, "merge", f"{1:0500}", f"{2:0500}")
        with self.assertRaises(grpc.RpcError) as caught:
            for _ in running:
                pass
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)
        self.assertIn("begin again", caught.exception.details())
        self.assertEqual(len(self.snapshot(source)), 20_000 + 2)

    def test_rows_of_other_counters(self):
        target = self.service()
        stubs = self.stubs(target)

        def views():
            answer = stubs.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=["a", "b", "'=x"]))
            return [(count.views, count.bot_views) for count in answer.counts]

        plain = self.file("\ufeffviews;article_id\r\n3;a\r\n\r\n4;\"b\"\r\n")
        self.assertIn("--all-time", self.run_command(target, "import", "counts", plain, code=1))
        self.assertEqual(views(), [(0, 0)] * 3)
        self.run_command(target, "import", "counts", plain, "--day", "2026-11-01")
        self.run_command(target, "import", "counts", self.file('{"articleId":"a","views":1,"day":"2026-11-01"}\n'))
        self.assertEqual(views(), [(4, 0), (4, 0), (0, 0)])
        days = self.snapshot(target)
        self.assertIn({"articleId": "a", "views": 4, "botViews": 0, "days": {"2026-11-01": 4}, "hours": {}}, days)
        # A bad line is named, and the good ones are not imported.
        for text, place in (
            ("article_id,views\na,1\nb,-2\n", "line 3, column 2 (views)"),
            ("article_id,views\na,1\nb,9007199254740993\n", "line 3, column 2 (views): must be at most 2^46"),
            ("article_id,views,day\na,1,2026-11-01\nb,2,2099-01-01\n", "line 3, day: 2099-01-01 is a day of the future"),
            ("article_id,views\n" + "a,70368744177664\n" * 65, "more than 2^52 views together"),
            ("article_id,views\na,1\n\"b,2\n", "line 3, column 1"),
            ("article_id,views\na,1,1\n", "line 2, column 3"),
            ("article_id,hits\na,1\n", "line 1, column 2"),
            ('{"articleId":"a","views":1}\n{"articleId":"b","views":1.5}\n', "line 2, views"),
            ('{"articleId":"a","views":1}\n{"articleId":"b","views":1\n', "line 2, column 27"),
            ('{"articleId":"a","views":1,"vews":1}\n', "line 1, vews: is not known"),
            (b"article_id,views\n\xff\xfe,1\n", "line 2, column 1"),
            (b"\x00\x01\x02", "line 1"),
            ("", "empty"),
        ):
            problem = self.run_command(target, "import", "counts", self.file(text), "--all-time", code=1)
            self.assertIn(place, problem)
        self.assertEqual(views(), [(4, 0), (4, 0), (0, 0)])
        old = self.file('{"articleId":"c","views":5,"days":{"2020-01-01":5},"hours":{"2020-01-01T10":5}}\n')
        self.assertIn("the views of 1 hour and of 0 days", self.run_command(target, "import", "counts", old))
        self.assertIn({"articleId": "c", "views": 5, "botViews": 0, "days": {"2020-01-01": 5}, "hours": {}},
                      self.snapshot(target))
        self.assertIn("future", self.run_command(target, "import", "counts", plain, "--day", "2099-01-01", code=1))
        self.audit(target)


if __name__ == "__main__":
    DAEMON, COMMAND = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
