"""Proves that administrators' changes are exact: immediately, after a flush, and after crashes.

The tests use the real service and a real Redis.
Run by ctest with the programs' paths: adjustments_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import messages  # noqa: E402
import service  # noqa: E402

MESSAGES = messages.generate()

from grpc_stubs import Stubs  # noqa: E402
from viewcount.v1 import admin_pb2, ingest_pb2, query_pb2  # noqa: E402

DAEMON = None
COMMAND = None
SECONDS_MAX = 30
WHO = admin_pb2.Provenance(who="a test", why="to see it")


class AdjustmentsTest(unittest.TestCase):
    """Each test has its own service with several lanes, so that an adjustment concerns views of all lanes."""

    def setUp(self):
        data_dir = tempfile.TemporaryDirectory(prefix="viewcount-adjustments-")
        self.addCleanup(data_dir.cleanup)
        self.data_dir = data_dir.name
        self.service = service.Service(DAEMON, self.data_dir, "--lanes", "3", "--flush-interval", "200ms")
        self.enterContext(self.service)
        self.connect()

    def connect(self):
        self.stubs = self.enterContext(Stubs(self.service.address("grpc")))

    def record(self, counts, bot=False):
        # Each count is sent as a separate batch, so that the views are spread over the lanes.
        for article_id, count in counts.items():
            views = [ingest_pb2.View(article_id=article_id, count=count, bot=bot)]
            self.stubs.record_views(ingest_pb2.RecordViewsRequest(site="demo", views=views))

    def counts(self, *article_ids):
        answer = self.stubs.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=article_ids))
        self.assertTrue(answer.exact)
        return [count.views for count in answer.counts]

    def bot_counts(self, *article_ids):
        answer = self.stubs.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=article_ids))
        return [count.bot_views for count in answer.counts]

    def popular(self, **window):
        answer = self.stubs.list_popular(
            query_pb2.ListPopularRequest(site="demo", window=query_pb2.Window(**(window or {"all_time": True}))))
        self.assertTrue(answer.exact)
        return [(article.article_id, article.views) for article in answer.articles]

    def set(self, article_id, views):
        return self.stubs.set_counts(
            admin_pb2.SetCountsRequest(site="demo", article_id=article_id, views=views, provenance=WHO)).adjustment_id

    def delete(self, *article_ids):
        return self.stubs.delete_articles(
            admin_pb2.DeleteArticlesRequest(site="demo", article_ids=article_ids, provenance=WHO)).adjustment_id

    def merge(self, from_id, into_id):
        return self.stubs.merge_articles(
            admin_pb2.MergeArticlesRequest(site="demo", from_article_id=from_id, into_article_id=into_id,
                                           provenance=WHO)).adjustment_id

    def undo(self, adjustment_id):
        return self.stubs.undo_adjustment(
            admin_pb2.UndoAdjustmentRequest(site="demo", adjustment_id=adjustment_id, provenance=WHO)).adjustment_id

    def adjustments(self):
        answer = self.stubs.list_adjustments(admin_pb2.ListAdjustmentsRequest(site="demo"))
        return list(answer.adjustments)

    def stats(self):
        return self.stubs.get_site_stats(query_pb2.GetSiteStatsRequest(site="demo"))

    def flush(self):
        self.stubs.flush(admin_pb2.FlushRequest())

    def refused(self, code, call, *arguments):
        with self.assertRaises(grpc.RpcError) as caught:
            call(*arguments)
        self.assertEqual(caught.exception.code(), code)
        return caught.exception.details()

    def redis(self, *words):
        socket = pathlib.Path(self.data_dir) / "redis"
        found = [path for path in pathlib.Path(self.data_dir).rglob("*.sock")]
        self.assertTrue(found, f"no socket below {socket}")
        return subprocess.run(["redis-cli", "-s", str(found[0]), *words], check=True, capture_output=True,
                              text=True).stdout.strip()

    def stored_total(self):
        """Returns the sum of all shards as stored in Redis."""
        return sum(int(self.redis("HGET", f"vc:{{{shard:02}}}:demo:all", "") or 0) for shard in range(64))

    def eventually(self, condition):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.service.log())
            time.sleep(0.05)

    def restart_after_kill(self):
        self.service.kill()
        self.service.start()
        self.connect()

    def viewcount(self, *arguments):
        return subprocess.run([COMMAND, "--server", self.service.address("grpc"), "--site", "demo", *arguments],
                              capture_output=True, text=True, check=False)

    def test_set_is_exact_at_once_flushed_and_after_crashes(self):
        self.record({"a": 10, "b": 7, "c": 3})
        self.set("a", 5000)
        self.set("b", 1)
        self.assertEqual(self.counts("a", "b", "c"), [5000, 1, 3])
        self.assertEqual(self.popular(), [("a", 5000), ("c", 3), ("b", 1)])
        self.record({"a": 2, "b": 4})
        self.flush()
        self.assertEqual(self.popular(), [("a", 5002), ("b", 5), ("c", 3)])
        self.assertEqual(self.popular(day=""), [("a", 12), ("b", 11), ("c", 3)])
        # The change is not flushed when the process is killed.
        self.redis("CLIENT", "PAUSE", "2000", "WRITE")
        self.set("c", 100)
        self.restart_after_kill()
        self.assertEqual(self.counts("a", "b", "c"), [5002, 5, 100])
        self.flush()
        self.assertEqual(self.counts("a", "b", "c"), [5002, 5, 100])
        # Redis has lost everything. Each lane restores its part from its journal.
        self.redis("FLUSHALL")
        self.restart_after_kill()
        self.flush()
        self.assertEqual(self.counts("a", "b", "c"), [5002, 5, 100])
        self.assertEqual(self.popular(), [("a", 5002), ("c", 100), ("b", 5)])
        self.assertEqual(self.popular(day=""), [("a", 12), ("b", 11), ("c", 3)])
        self.assertEqual(self.stored_total(), 5107)
        self.assertEqual([adjustment.description for adjustment in self.adjustments()],
                         ['set the views of "c" from 3 to 100', 'set the views of "b" from 7 to 1',
                          'set the views of "a" from 10 to 5000'])

    def test_site_total(self):
        self.record({"a": 10, "b": 7})
        adjustment = self.set("", 37456821)
        self.record({"c": 1})
        self.flush()
        self.assertEqual(self.stored_total(), 37456822)
        self.assertEqual(self.popular(), [("a", 10), ("b", 7), ("c", 1)])
        self.set("", 37456800)
        self.set("", 37456900)
        self.flush()
        self.assertEqual(self.stored_total(), 37456900)
        self.assertEqual(self.adjustments()[0].description, "set the views of the site from 37456800 to 37456900")
        self.undo(adjustment)
        self.flush()
        self.assertEqual(self.stored_total(), 37456900 - 37456804)

    def test_site_visits(self):
        self.record({"a": 10})
        self.flush()
        before = self.stored_total()
        request = admin_pb2.SetCountsRequest(site="demo", visits=9_400_000, provenance=WHO)
        adjustment = self.stubs.set_counts(request).adjustment_id
        self.assertEqual(self.adjustments()[0].description, "set the visits of the site from 0 to 9400000")
        self.assertEqual(self.stats().visits.total, 9_400_000)
        self.assertEqual(self.stats().visits.today, 0)
        self.flush()
        self.assertEqual(self.stats().visits.total, 9_400_000)
        self.assertEqual(self.stored_total(), before)
        self.undo(adjustment)
        self.assertEqual(self.stats().visits.total, 0)
        self.refused(grpc.StatusCode.INVALID_ARGUMENT, self.stubs.set_counts,
                     admin_pb2.SetCountsRequest(site="demo", article_id="a", visits=7, provenance=WHO))

    def test_delete_takes_every_window_and_can_be_undone(self):
        self.record({"a": 10, "b": 7})
        self.record({"a": 2}, bot=True)
        self.flush()
        self.record({"a": 5})
        deleted = self.delete("a", "never-seen")
        self.assertEqual(self.counts("a", "b"), [0, 7])
        self.assertEqual(self.popular(), [("b", 7)])
        self.assertEqual(self.popular(day=""), [("b", 7)])
        self.flush()
        self.assertEqual(self.popular(day=""), [("b", 7)])
        self.assertEqual(self.bot_counts("a"), [0])
        for key in self.redis("KEYS", "vc:*:demo:*").splitlines():
            if self.redis("TYPE", key) == "hash" and not key.endswith(":adjustments"):
                self.assertEqual(self.redis("HGET", key, "a"), "", key)
        self.record({"a": 1})
        undo = self.undo(deleted)
        self.assertEqual(self.counts("a"), [16])
        self.assertEqual(self.bot_counts("a"), [2])
        self.assertEqual(self.popular(day=""), [("a", 16), ("b", 7)])
        self.refused(grpc.StatusCode.FAILED_PRECONDITION, self.undo, deleted)
        self.flush()
        self.assertEqual([adjustment.undone for adjustment in self.adjustments()], [False, True])
        self.undo(undo)
        self.assertEqual(self.counts("a"), [1])
        self.assertEqual([adjustment.undone for adjustment in self.adjustments()], [False, True, False])
        self.redis("FLUSHALL")
        self.restart_after_kill()
        self.flush()
        self.assertEqual(self.counts("a", "b"), [1, 7])
        self.assertEqual(self.popular(day=""), [("b", 7), ("a", 1)])

    def test_merge_moves_every_window_and_what_comes_later(self):
        self.record({"old": 10, "new": 7, "other": 3})
        self.record({"old": 2}, bot=True)
        self.flush()
        self.record({"old": 5})
        merged = self.merge("old", "new")
        self.assertEqual(self.counts("old", "new"), [22, 22])
        self.record({"old": 1})
        self.assertEqual(self.counts("old", "new"), [23, 23])
        self.assertEqual(self.bot_counts("old", "new"), [2, 2])
        self.assertEqual(self.popular(), [("new", 23), ("other", 3)])
        self.assertEqual(self.popular(day=""), [("new", 23), ("other", 3)])
        self.restart_after_kill()
        self.assertEqual(self.counts("old", "new"), [23, 23])
        self.flush()
        self.redis("FLUSHALL")
        self.restart_after_kill()
        self.record({"old": 1})
        self.flush()
        self.assertEqual(self.counts("old", "new"), [24, 24])
        self.assertEqual(self.popular(day=""), [("new", 24), ("other", 3)])
        self.assertEqual(self.stored_total(), 27)
        # The merged article is removed from every hash.
        for key in self.redis("KEYS", "vc:*:demo:*").splitlines():
            if self.redis("TYPE", key) == "hash" and not key.endswith(":adjustments"):
                self.assertEqual(self.redis("HGET", key, "old"), "", key)
        undo = self.undo(merged)
        self.assertEqual(self.counts("old", "new"), [15, 9])
        self.assertEqual(self.bot_counts("old", "new"), [2, 0])
        self.record({"old": 1})
        self.assertEqual(self.counts("old", "new"), [16, 9])
        self.undo(undo)
        self.assertEqual(self.counts("old", "new"), [25, 25])
        self.flush()
        self.assertEqual(self.popular(day=""), [("new", 25), ("other", 3)])

    def test_chains_are_followed_and_circles_refused(self):
        self.record({"a": 1, "b": 2, "c": 4})
        first = self.merge("a", "b")
        self.merge("b", "c")
        self.assertEqual(self.counts("a", "b", "c"), [7, 7, 7])
        self.record({"a": 1})
        self.assertEqual(self.popular(), [("c", 8)])
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        self.assertIn("circle", self.refused(invalid, self.merge, "c", "a"))
        self.assertIn("merged into", self.refused(invalid, self.merge, "a", "d"))
        self.assertIn("into_article_id", self.refused(invalid, self.merge, "d", "d"))
        self.refused(grpc.StatusCode.FAILED_PRECONDITION, self.merge, "a", "b")
        self.assertIn('counted for "c"', self.refused(invalid, self.set, "a", 7))
        self.assertIn("article_ids[1]", self.refused(invalid, self.delete, "c", "b"))
        # The undo subtracts the moved counts from the article that has them now.
        self.undo(first)
        self.assertEqual(self.counts("a", "b", "c"), [1, 7, 7])

    def test_views_that_come_during_a_merge_are_all_counted_once(self):
        recorded = {}

        def send(number):
            with Stubs(self.service.address("grpc")) as stubs:
                sent = 0
                while not stop.is_set():
                    views = [ingest_pb2.View(article_id=article_id) for article_id in ("from", "into", "from")]
                    stubs.record_views(ingest_pb2.RecordViewsRequest(site="demo", views=views))
                    sent += 3
                recorded[number] = sent

        stop = threading.Event()
        threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            time.sleep(0.3)
            merged = self.merge("from", "into")
            time.sleep(0.3)
            undone = self.undo(merged)
        time.sleep(0.1)
        self.undo(undone)
        stop.set()
        for thread in threads:
            thread.join()
        total = sum(recorded.values())
        self.assertGreater(total, 300)
        self.assertEqual(self.counts("from", "into"), [total, total])
        self.assertEqual(self.popular(), [("into", total)])
        self.flush()
        self.assertEqual(self.counts("from", "into"), [total, total])
        self.assertEqual(self.popular(day=""), [("into", total)])
        self.redis("FLUSHALL")
        self.restart_after_kill()
        self.flush()
        self.assertEqual(self.popular(), [("into", total)])
        self.assertEqual(self.popular(day=""), [("into", total)])
        self.assertEqual(self.stored_total(), total)

    def test_an_alias_reaches_another_instance_and_outlives_the_store(self):
        self.record({"old": 3})
        self.merge("old", "new")
        field = self.redis("HGETALL", "vc:aliases").splitlines()
        self.assertEqual(field[0], "demo/old")
        self.assertTrue(field[1].endswith(" new"))
        self.redis("DEL", "vc:aliases")
        self.eventually(lambda: self.redis("HLEN", "vc:aliases") == "1")
        # This simulates another instance that merged, or a merge that stopped half way.
        self.record({"else": 5})
        self.redis("HSET", "vc:aliases", "demo/else", f"{int(time.time() * 1000)} new")
        self.eventually(lambda: self.counts("else") == [3])
        self.eventually(lambda: self.record({"else": 1}) or self.counts("new") > [3])
        counted = self.counts("new")[0]
        merged = self.merge("else", "new")
        total = self.counts("new")[0]
        self.assertGreaterEqual(total, counted + 5)
        self.assertEqual(self.popular(), [("new", total)])
        self.refused(grpc.StatusCode.FAILED_PRECONDITION, self.merge, "else", "new")
        self.undo(merged)
        self.assertEqual(sum(self.counts("else", "new")), total)

    def test_undo_that_would_pass_below_zero_is_refused(self):
        self.record({"a": 10})
        first = self.set("a", 100)
        self.set("a", 50)
        self.assertIn("from 50 to -40", self.refused(grpc.StatusCode.FAILED_PRECONDITION, self.undo, first))
        self.refused(grpc.StatusCode.NOT_FOUND, self.undo, "00112233445566778899aabbccddeeff")
        self.assertEqual(self.counts("a"), [50])

    def test_wrong_requests_name_the_field(self):
        def request(**fields):
            return admin_pb2.SetCountsRequest(**{"site": "demo", "article_id": "a", "views": 1, "provenance": WHO,
                                                 **fields})
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        self.assertIn("provenance.who", self.refused(invalid, self.stubs.set_counts, request(provenance=None)))
        self.assertIn("views", self.refused(invalid, self.stubs.set_counts, request(views=None)))
        self.assertIn("views", self.refused(invalid, self.stubs.set_counts, request(views=2**53 + 1)))
        self.assertIn("article_id", self.refused(invalid, self.stubs.set_counts, request(article_id="\n")))
        self.refused(grpc.StatusCode.NOT_FOUND, self.stubs.set_counts, request(site="nobody-made-this"))
        self.assertIn("adjustment_id", self.refused(invalid, self.undo, "x"))
        self.assertEqual(self.adjustments(), [])

    def test_pages_of_adjustments(self):
        ids = [self.set("a", views) for views in range(7)]
        listed, token = [], ""
        while True:
            answer = self.stubs.list_adjustments(
                admin_pb2.ListAdjustmentsRequest(site="demo", page_size=3, page_token=token))
            listed += [adjustment.adjustment_id for adjustment in answer.adjustments]
            token = answer.next_page_token
            if not token:
                break
            self.flush()
        self.assertEqual(listed, ids[::-1])

    def test_command_line(self):
        self.record({"a": 3})
        done = self.viewcount("set", "a", "5000", "--why", "the old counter")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("a has 5,000 views now", done.stdout)
        self.assertEqual(self.counts("a"), [5000])
        self.assertEqual(self.viewcount("set", "--site-total", "9000").returncode, 0)
        self.assertEqual(self.viewcount("merge", "z", "a").returncode, 0)
        self.assertEqual(self.counts("z"), [5000])
        self.assertEqual(self.viewcount("delete", "a").returncode, 0)
        listed = json.loads(self.viewcount("adjustments", "--json").stdout)["adjustments"]
        self.assertEqual([entry["description"] for entry in listed],
                         ['deleted "a"', 'merged "z" into "a"', "set the views of the site from 5000 to 9000",
                          'set the views of "a" from 3 to 5000'])
        self.assertEqual(listed[3]["provenance"]["why"], "the old counter")
        self.assertEqual(self.viewcount("undo", listed[0]["adjustmentId"]).returncode, 0)
        self.assertEqual(self.counts("a"), [5000])
        self.assertIn("(undone)", self.viewcount("adjustments").stdout)
        for wrong in (["set"], ["set", "a"], ["set", "a", "1", "--site-total", "2"], ["delete"], ["undo"]):
            self.assertEqual(self.viewcount(*wrong).returncode, 2, wrong)


if __name__ == "__main__":
    DAEMON, COMMAND = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main(verbosity=2)
