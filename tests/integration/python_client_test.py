"""Tests the service with a client in another language, which uses only the .proto files and gRPC.

Run by ctest with the program's path: python_client_test.py BUILD/bin/viewcountd
"""

import pathlib
import sys
import tempfile
import time
import unittest
import urllib.request
import uuid

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import messages  # noqa: E402
import service  # noqa: E402

MESSAGES = messages.generate()

from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from grpc_stubs import Stubs  # noqa: E402
from viewcount.v1 import ingest_pb2, query_pb2  # noqa: E402

PROGRAM = None


def request(*article_ids, site="demo", kind=ingest_pb2.RecordViewsRequest, **fields):
    """Returns a batch with one view of each article."""
    views = [ingest_pb2.View(article_id=article_id) for article_id in article_ids]
    return kind(site=site, views=views, **fields)


def details_of(error):
    """Returns the google.rpc details of an error by class name."""
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    assert status.code == error.code().value[0], "the two ways to tell the code must agree"
    found = {}
    for detail in status.details:
        name = detail.TypeName().rpartition(".")[2]
        message = getattr(error_details_pb2, name)()
        assert detail.Unpack(message)
        found[name] = message
    return found


class RunningServiceTest(unittest.TestCase):
    """The tests of this class share one service. Each test uses its own articles."""

    @classmethod
    def setUpClass(cls):
        data_dir = tempfile.TemporaryDirectory(prefix="viewcount-python-")
        cls.addClassCleanup(data_dir.cleanup)
        running = service.Service(PROGRAM, data_dir.name)
        cls.enterClassContext(running)
        cls.stubs = cls.enterClassContext(Stubs(running.address("grpc")))

    def counts(self, *article_ids):
        answer = self.stubs.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=article_ids))
        self.assertTrue(answer.exact)
        self.assertEqual([count.article_id for count in answer.counts], list(article_ids))
        return [count.views for count in answer.counts]

    def refused(self, batch):
        with self.assertRaises(grpc.RpcError) as caught:
            self.stubs.record_views(batch)
        return caught.exception

    def test_recorded_views_are_counted_at_once(self):
        batch = request("/record/a", "/record/b", "/record/c")
        batch.views[0].count = 5
        batch.views[2].bot = True
        answer = self.stubs.record_views(batch)
        self.assertEqual(answer.accepted_views, 7)
        self.assertFalse(answer.duplicate)
        self.assertEqual(answer.durability, ingest_pb2.DURABILITY_JOURNALED)
        self.assertEqual(self.counts("/record/b", "/record/none", "/record/a", "/record/c"), [1, 0, 5, 0])

    def test_the_answer_states_the_durability_reached(self):
        for wished, reached in ((ingest_pb2.DURABILITY_UNSPECIFIED, ingest_pb2.DURABILITY_JOURNALED),
                                (ingest_pb2.DURABILITY_MEMORY, ingest_pb2.DURABILITY_MEMORY),
                                (ingest_pb2.DURABILITY_JOURNALED, ingest_pb2.DURABILITY_JOURNALED),
                                (ingest_pb2.DURABILITY_STORED, ingest_pb2.DURABILITY_STORED)):
            answer = self.stubs.record_views(request("/durability", durability=wished))
            self.assertEqual(answer.durability, reached)
        self.assertEqual(self.counts("/durability"), [4])

    def test_streamed_views_are_answered_in_order(self):
        writer = uuid.uuid4().bytes
        batches = [
            request(*["/stream/a"] * size, kind=ingest_pb2.StreamViewsRequest, writer_id=writer, sequence=sequence)
            for sequence, size in enumerate([1, 2, 3, 4], start=1)
        ]
        answers = list(self.stubs.stream_views(iter(batches)))
        self.assertEqual([answer.accepted_views for answer in answers], [1, 2, 3, 4])
        self.assertEqual([answer.last_sequence for answer in answers], [1, 2, 3, 4])
        self.assertEqual(self.counts("/stream/a"), [10])

    def test_repeated_sequence_is_counted_once(self):
        batch = request("/repeat/a", writer_id=uuid.uuid4().bytes, sequence=1)
        self.assertFalse(self.stubs.record_views(batch).duplicate)
        again = self.stubs.record_views(batch)
        self.assertTrue(again.duplicate)
        self.assertEqual(again.accepted_views, 0)
        self.assertEqual(again.last_sequence, 1)
        self.assertEqual(self.counts("/repeat/a"), [1])

    def test_left_out_sequence_is_told(self):
        writer = uuid.uuid4().bytes
        self.stubs.record_views(request("/gap/a", writer_id=writer, sequence=1))
        error = self.refused(request("/gap/a", writer_id=writer, sequence=3))
        self.assertEqual(error.code(), grpc.StatusCode.FAILED_PRECONDITION)
        info = details_of(error)["ErrorInfo"]
        self.assertEqual(info.reason, "SEQUENCE_GAP")
        self.assertEqual(info.metadata["expected_sequence"], "2")
        self.assertEqual(self.counts("/gap/a"), [1])

    def test_unknown_site_is_not_found(self):
        error = self.refused(request("/site/a", site="nobody-made-this"))
        self.assertEqual(error.code(), grpc.StatusCode.NOT_FOUND)
        self.assertEqual(details_of(error)["ErrorInfo"].reason, "UNKNOWN_SITE")
        self.assertIn("viewcount site put nobody-made-this", error.details())

    def test_invalid_article_is_named_and_nothing_is_counted(self):
        error = self.refused(request("/invalid/a", "/invalid/\n", "/invalid/c"))
        self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        violations = details_of(error)["BadRequest"].field_violations
        self.assertEqual([violation.field for violation in violations], ["views[1].article_id"])
        self.assertEqual(self.counts("/invalid/a", "/invalid/c"), [0, 0])

    def test_popular_articles_are_ranked(self):
        batch = request("/popular/second", "/popular/first", "/popular/third")
        for view, count in zip(batch.views, (2000, 3000, 2000)):
            view.count = count
        self.stubs.record_views(batch)
        answer = self.stubs.list_popular(
            query_pb2.ListPopularRequest(site="demo", window=query_pb2.Window(all_time=True), page_size=3))
        self.assertTrue(answer.exact)
        ranked = [(article.rank, article.views, article.article_id) for article in answer.articles]
        # Among articles with equal views, the one with the lower ID comes first.
        self.assertEqual(ranked, [(1, 3000, "/popular/first"), (2, 2000, "/popular/second"),
                                  (3, 2000, "/popular/third")])

    def test_site_stats_contain_what_was_just_recorded(self):
        def views():
            answer = self.stubs.get_site_stats(query_pb2.GetSiteStatsRequest(site="demo"))
            self.assertTrue(answer.exact)
            self.assertEqual((answer.visits.total, answer.viewers.total), (0, 0), "nobody is known")
            self.assertTrue(answer.viewers.estimated)
            return answer.views
        before = views()
        batch = request("/stats/a", "/stats/b")
        batch.views[0].count = 41
        self.stubs.record_views(batch)
        after = views()
        self.assertEqual(after.total - before.total, 42)
        self.assertGreaterEqual(after.total, after.today)
        # The numbers of today before and after are not compared, because a new day may begin between them.
        self.assertGreaterEqual(after.this_week, after.today)
        self.assertGreaterEqual(after.this_month, after.today)
        with self.assertRaises(grpc.RpcError) as caught:
            self.stubs.get_site_stats(query_pb2.GetSiteStatsRequest(site="nobody-made-this"))
        self.assertEqual(details_of(caught.exception)["ErrorInfo"].reason, "UNKNOWN_SITE")

    def watch(self, *article_ids, site="demo"):
        return self.stubs.watch_counts(query_pb2.WatchCountsRequest(site=site, article_ids=article_ids))

    def test_watched_counts_come_as_they_change(self):
        self.stubs.record_views(request("/watch/a"))
        stream = self.watch("/watch/a", "/watch/b")
        first = next(stream)
        self.assertEqual([(count.article_id, count.views) for count in first.counts], [("/watch/a", 1), ("/watch/b", 0)])
        self.stubs.record_views(request("/watch/b", "/watch/b", "/watch/other"))
        for message in stream:
            # Views of other tests may change the site's total before that.
            if message.counts:
                break
        self.assertEqual([(count.article_id, count.views) for count in message.counts], [("/watch/b", 2)])
        self.assertGreaterEqual(message.site_views, first.site_views + 3)
        stream.cancel()
        self.assertEqual(next(self.watch("/watch/b")).counts[0].views, 2)

    def test_what_cannot_be_watched_is_told(self):
        with self.assertRaises(grpc.RpcError) as caught:
            next(self.watch("/watch/a", "/watch/\n"))
        violations = details_of(caught.exception)["BadRequest"].field_violations
        self.assertEqual([violation.field for violation in violations], ["article_ids[1]"])
        with self.assertRaises(grpc.RpcError) as caught:
            next(self.watch("/watch/a", site="nobody-made-this"))
        self.assertEqual(details_of(caught.exception)["ErrorInfo"].reason, "UNKNOWN_SITE")

    def test_health_is_serving(self):
        self.assertEqual(self.stubs.health(""), "SERVING")

    def test_reflection_lists_the_services(self):
        services = self.stubs.reflected_services()
        for name in ("viewcount.v1.IngestService", "viewcount.v1.QueryService", "viewcount.v1.AdminService",
                     "grpc.health.v1.Health"):
            self.assertIn(name, services)


class StopTest(unittest.TestCase):
    def test_sigterm_drains_and_leaves_nothing_running(self):
        with tempfile.TemporaryDirectory(prefix="viewcount-python-") as data_dir:
            running = service.Service(PROGRAM, data_dir)
            with running:
                with Stubs(running.address("grpc")) as stubs:
                    stubs.record_views(request("/stop/a", "/stop/a", "/stop/b"))
                descendants = running.descendants()
                self.assertTrue(descendants, "the embedded Redis is its child")
                self.assertEqual(running.stop(seconds_max=10), 0)
            self.assertEqual([pid for pid in descendants if service.is_alive(pid)], [])
            with running, Stubs(running.address("grpc")) as stubs:
                answer = stubs.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=["/stop/a", "/stop/b"]))
                self.assertEqual([count.views for count in answer.counts], [2, 1])
                self.assertTrue(answer.exact)


    @staticmethod
    def watchers(running):
        with urllib.request.urlopen("http://" + running.address("admin") + "/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("viewcount_watchers ")))

    def test_open_streams_do_not_hold_up_a_stop(self):
        with tempfile.TemporaryDirectory(prefix="viewcount-python-") as data_dir:
            running = service.Service(PROGRAM, data_dir)
            with running, Stubs(running.address("grpc")) as stubs:
                watch = query_pb2.WatchCountsRequest(site="demo", article_ids=["/stop/a"])
                # Some clients disconnect before they are answered, and some after it.
                for _ in range(50):
                    stubs.watch_counts(watch).cancel()
                gone = [stubs.watch_counts(watch) for _ in range(50)]
                streams = [stubs.watch_counts(watch) for _ in range(50)]
                for stream in gone:
                    self.assertEqual(next(stream).counts[0].views, 0)
                    stream.cancel()
                for stream in streams:
                    self.assertEqual(next(stream).counts[0].views, 0)
                deadline = time.monotonic() + 10
                while self.watchers(running) != 50 and time.monotonic() < deadline:
                    time.sleep(0.05)
                self.assertEqual(self.watchers(running), 50, "who has gone is not watched for")
                stubs.record_views(request("/stop/a"))
                # The limit is shorter than the time that calls are given to end. The service must therefore end them
                # itself.
                began = time.monotonic()
                self.assertEqual(running.stop(seconds_max=10), 0)
                self.assertLess(time.monotonic() - began, 5)
                for stream in streams:
                    with self.assertRaises(grpc.RpcError) as caught:
                        for _ in stream:
                            pass
                    self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)
                    self.assertIn("the service is stopping", caught.exception.details())


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
