"""Many calls that are cancelled, time out or are read slowly leave no call and no memory, and a stop remains quick.

Run by ctest: abandoned_test.py BUILD/bin/viewcountd BUILD/bin/abandoned_calls CALLS
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402

DAEMON = None
PROGRAM = None
CALLS = None
RUN_SECONDS_MAX = 100
# Less than the time that calls under way have to end.
STOP_SECONDS_MAX = 1.4
# The memory growth allowed in the second half, in total and per call, because the allocator keeps pieces of freed
# memory. A call that is never freed costs 16 KB.
GROWTH_BYTES_MAX = 100 << 20
GROWTH_BYTES_PER_CALL_MAX = 4 << 10
# With fewer arenas, the allocator keeps fewer pieces.
os.environ["MALLOC_ARENA_MAX"] = "2"
# The address sanitizer's allocator returns freed memory to the system every 5 s by default.
if "ASAN_OPTIONS" in os.environ:
    os.environ["ASAN_OPTIONS"] += ":allocator_release_to_os_interval_ms=100"


class AbandonedTest(unittest.TestCase):
    @staticmethod
    def abandon(running, calls):
        done = subprocess.run([PROGRAM, running.address("grpc"), str(calls)], capture_output=True, text=True,
                              timeout=RUN_SECONDS_MAX, check=False)
        print(done.stdout, done.stderr, flush=True)
        return done.returncode

    @staticmethod
    def watchers(running):
        with urllib.request.urlopen("http://" + running.address("admin") + "/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("viewcount_watchers ")))

    def test_abandoned_calls_leave_nothing(self):
        with tempfile.TemporaryDirectory(prefix="viewcount-abandoned-") as data_dir:
            running = service.Service(DAEMON, data_dir)
            with running:
                began = time.monotonic()
                self.assertEqual(self.abandon(running, CALLS // 2), 0)
                # From here on, caches and pools are filled.
                before = running.resident_bytes()
                self.assertEqual(self.abandon(running, CALLS // 2), 0)
                print(f"{CALLS} calls took {time.monotonic() - began:.1f} s", flush=True)
                deadline = time.monotonic() + 10
                while self.watchers(running) != 0 and time.monotonic() < deadline:
                    time.sleep(0.05)
                self.assertEqual(self.watchers(running), 0)
                growth = running.resident_bytes() - before
                print(f"viewcountd grew from {before >> 20} MiB by {growth >> 20} MiB", flush=True)
                began = time.monotonic()
                self.assertEqual(running.end(STOP_SECONDS_MAX), [], running.log())
                print(f"viewcountd took {time.monotonic() - began:.2f} s to stop", flush=True)
                self.assertLess(growth, GROWTH_BYTES_MAX + CALLS // 2 * GROWTH_BYTES_PER_CALL_MAX)


if __name__ == "__main__":
    CALLS = int(sys.argv.pop())
    PROGRAM = sys.argv.pop()
    DAEMON = sys.argv.pop()
    unittest.main(verbosity=2)
