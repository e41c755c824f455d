"""Runs the load generator against the real service.

Every view that it reports as acknowledged must be in Redis. Otherwise the generator must fail.
Run by ctest with the programs' paths:
load_test.py BUILD/bin/viewcountd BUILD/bin/viewcount BUILD/bin/viewcount_load BUILD/bin/limit_server
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402

DAEMON = None
COMMAND = None
LOAD = None
LIMIT = None
SECONDS_MAX = 60


def load(workload, target, *words):
    """Runs the load generator. Returns its exit code, its JSON output (None if there is none), and its error output."""
    if "--seconds" not in words:
        words = ("--seconds", "0.8", *words)
    done = subprocess.run([LOAD, workload, "--target", target, "--warmup", "0.2", "--json", "--articles", "5000", *words],
                          capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


class LoadTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        data_dir = tempfile.TemporaryDirectory(prefix="viewcount-load-")
        cls.addClassCleanup(data_dir.cleanup)
        cls.service = cls.enterClassContext(service.Service(DAEMON, data_dir.name))
        cls.grpc = cls.service.address("grpc")
        socket = next((pathlib.Path(data_dir.name) / "redis").glob("*.sock"))
        cls.store = ("--verify-store", f"redis+unix://{socket}")

    def assert_counted(self, result):
        code, report, complaint = result
        self.assertEqual(code, 0, f"{complaint}{report}")
        self.assertGreater(report["requests"], 0)
        self.assertEqual(report["errors_whole_run"], 0)
        self.assertEqual(report["views_sent"], report["views_acknowledged"])
        self.assertGreater(report["latency_us"]["p50"], 0)
        self.assertEqual(report["store"], {"added": report["store"]["acknowledged"], "doubtful": 0, "ok": True,
                                           "acknowledged": report["store"]["acknowledged"]})
        self.assertGreaterEqual(report["store"]["acknowledged"], report["views_acknowledged"])

    def test_batches_are_all_in_the_store(self):
        self.assert_counted(load("batches", self.grpc, *self.store, "--pool-views", "100000", "--in-flight", "8"))

    def test_streams_are_all_in_the_store(self):
        self.assert_counted(load("streams", self.grpc, *self.store, "--pool-views", "100000", "--in-flight", "8",
                                 "--connections", "2"))

    def test_calls_are_all_in_the_store(self):
        self.assert_counted(load("calls", self.grpc, *self.store, "--pool-views", "100000"))

    def test_calls_of_writers_on_a_schedule_are_all_in_the_store(self):
        result = load("calls", self.grpc, *self.store, "--pool-views", "100000", "--writers", "--rate", "500")
        self.assert_counted(result)
        # On a busy machine the generator may miss a few requests at the very end.
        self.assertAlmostEqual(result[1]["requests"], 400, delta=40)

    def test_beacons_are_all_in_the_store(self):
        self.assert_counted(load("beacons", self.service.address("http"), *self.store, "--flush", self.grpc,
                                 "--pool-views", "10000", "--in-flight", "16"))

    def test_pixels_are_all_in_the_store(self):
        self.assert_counted(load("beacons", self.service.address("http"), *self.store, "--flush", self.grpc,
                                 "--pool-views", "10000", "--in-flight", "4", "--method", "GET", "--path",
                                 "/v1/sites/demo/pixel.gif?article={article}"))

    def test_questions_are_answered(self):
        for words in (["counts", self.grpc], ["popular", self.grpc], ["popular", self.grpc, "--window", "day"]):
            # More lists at the same time would exceed the service's queue to Redis.
            code, report, complaint = load(*words, "--in-flight", "4")
            self.assertEqual((code, report["errors"]), (0, {}), complaint)
            self.assertGreater(report["requests"], 0)
            self.assertEqual(report["views_sent"], 0)

    def test_views_of_somebody_else_are_a_failure(self):
        stopped = threading.Event()

        def record():
            while not stopped.wait(0.05):
                subprocess.run([COMMAND, "--server", self.grpc, "--site", "demo", "record", "stranger"], check=True,
                               capture_output=True)

        stranger = threading.Thread(target=record)
        stranger.start()
        try:
            code, report, complaint = load("calls", self.grpc, *self.store, "--pool-views", "1000", "--in-flight", "2")
        finally:
            stopped.set()
            stranger.join()
        self.assertEqual(code, 1)
        self.assertFalse(report["store"]["ok"])
        self.assertIn("viewcount_load: the store got ", complaint)

    def test_refused_views_are_errors_and_not_in_the_store(self):
        code, report, complaint = load("calls", self.grpc, "--site", "nobody", "--pool-views", "1000", *self.store)
        self.assertEqual(code, 0, complaint)
        self.assertEqual(list(report["errors"]), ["NOT_FOUND"])
        self.assertEqual(report["store"], {"added": 0, "acknowledged": 0, "doubtful": 0, "ok": True})


class NoServerTest(unittest.TestCase):
    def test_a_server_that_is_not_there_is_a_failure(self):
        for workload in ("calls", "beacons"):
            code, report, complaint = load(workload, "127.0.0.1:1", "--pool-views", "10")
            self.assertEqual((code, report), (1, None))
            self.assertRegex(complaint, "^viewcount_load: no (gRPC|HTTP) server answers at 127.0.0.1:1")


class StalledServerTest(unittest.TestCase):
    """Uses the server that does nothing, because a test can stop that server completely."""

    def test_a_stall_is_in_the_latency_of_all_that_was_due(self):
        with subprocess.Popen([LIMIT], stdout=subprocess.PIPE, text=True) as server:
            try:
                address = server.stdout.readline().split()[1]
                command = ["sh", "-c", 'sleep 0.6; kill -STOP "$1"; sleep 0.5; kill -CONT "$1"', "stall", str(server.pid)]
                with subprocess.Popen(command):
                    code, report, complaint = load("calls", address, "--rate", "1000", "--seconds", "1.5",
                                                   "--in-flight", "4", "--pool-views", "1000")
            finally:
                server.terminate()
        self.assertEqual(code, 0, complaint)
        # A third of all requests were due during the stall and waited for 250 ms on average. Only 4 of them were in
        # flight. Measured from the time of sending, 99 % of the requests would look fast.
        self.assertGreater(report["latency_us"]["p90"], 100_000)


if __name__ == "__main__":
    LIMIT = sys.argv.pop()
    LOAD = sys.argv.pop()
    COMMAND = sys.argv.pop()
    DAEMON = sys.argv.pop()
    unittest.main()
