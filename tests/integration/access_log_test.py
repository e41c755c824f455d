"""Imports whole logs, queries the counts, checks Redis, and imports the logs again.

Run by ctest: access_log_test.py viewcountd viewcount FOLDER_OF_THE_MADE_UP_LOG
The real log is used if its folder exists: ../shared/data next to the checkout, or VIEWCOUNT_REAL_LOG_DIR.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402

SHARDS = 64
RANKED = 256
ROOT = pathlib.Path(__file__).resolve().parents[2]
REAL_LOG_DIR = pathlib.Path(os.environ.get("VIEWCOUNT_REAL_LOG_DIR", ROOT.parent / "shared" / "data"))


def table(path):
    """Returns the rows of a file of tab-separated values, without comments."""
    rows = path.read_text(encoding="utf-8").splitlines()
    return [row.split("\t") for row in rows if row and not row.startswith("#")]


class WholeLog:
    """The tests that every log must pass. A subclass sets the log and its expected numbers."""

    viewcountd = viewcount = log = totals = days = None

    @classmethod
    def setUpClass(cls):
        print(f"log: {cls.log}", file=sys.stderr)
        data_dir = tempfile.TemporaryDirectory(prefix="viewcount-log-")
        cls.addClassCleanup(data_dir.cleanup)
        cls.socket = pathlib.Path(data_dir.name) / "redis" / "redis.sock"
        cls.service = service.Service(cls.viewcountd, data_dir.name, "--site", "portal")
        cls.enterClassContext(cls.service)
        cls.views = {row[0]: int(row[1]) for row in table(cls.totals)}
        cls.days = {(row[0], row[1]): int(row[2]) for row in table(cls.days)}
        cls.report = json.loads(cls.command("import", "access-log", str(cls.log)))
        cls.command("flush")

    @classmethod
    def command(cls, *words):
        answer = subprocess.run(
            [cls.viewcount, "--server", cls.service.address("grpc"), "--site", "portal", "--json", *words],
            capture_output=True, text=True, timeout=60, check=False)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def stored(self, *names):
        """Reads the hashes of these names in all shards. Returns the added counts and the sum of the shards' sums."""
        asked = "".join(f"HGETALL vc:{{{shard:02}}}:portal:{name}\n" for name in names for shard in range(SHARDS))
        answer = subprocess.run(["redis-cli", "-s", str(self.socket), "--json"], input=asked, capture_output=True,
                                text=True, timeout=60, check=True)
        replies = answer.stdout.splitlines()
        self.assertEqual(len(replies), SHARDS * len(names))
        counts, sums = collections.Counter(), 0
        for reply in replies:
            for article, views in json.loads(reply).items():
                if article:
                    counts[article] += int(views)
                else:
                    sums += int(views)
        return dict(counts), sums

    def counts(self):
        counts, asked = {}, list(self.views)
        for first in range(0, len(asked), 500):
            answer = json.loads(self.command("count", *asked[first:first + 500]))
            self.assertTrue(answer["exact"])
            counts.update({count["articleId"]: int(count["views"]) for count in answer["counts"]})
        return counts

    def test_the_report_and_every_count_agree(self):
        self.assertEqual(self.report["views"], sum(self.views.values()), self.report)
        self.assertEqual(self.counts(), self.views)

    def test_the_top_list_is_the_sorted_expectation(self):
        answer = json.loads(self.command("top", "--limit", str(RANKED)))
        wanted = sorted(self.views.items(), key=lambda item: (-item[1], item[0].encode()))[:RANKED]
        articles = answer["articles"]
        self.assertEqual([(article["articleId"], int(article["views"])) for article in articles], wanted)
        self.assertEqual([article["rank"] for article in articles], list(range(1, len(wanted) + 1)))

    def test_the_top_list_of_each_day_is_the_sorted_expectation(self):
        for day in {day for day, _ in self.days}:
            wanted = sorted(((article, views) for (of, article), views in self.days.items() if of == day),
                            key=lambda item: (-item[1], item[0].encode()))[:RANKED]
            answer = json.loads(self.command("top", "--limit", str(RANKED), "--day", day))
            self.assertEqual([(article["articleId"], int(article["views"])) for article in answer["articles"]], wanted)

    def test_redis_holds_totals_days_and_hours(self):
        counts, sums = self.stored("all")
        self.assertEqual(counts, self.views)
        self.assertEqual(sums, sum(self.views.values()))
        by_day = collections.defaultdict(dict)
        for (day, article), views in self.days.items():
            by_day[day][article] = views
        hours = collections.Counter()
        for day, wanted in by_day.items():
            counts, sums = self.stored("d:" + day.replace("-", ""))
            self.assertEqual(counts, wanted)
            self.assertEqual(sums, sum(wanted.values()))
            counts, sums = self.stored(*(f"h:{day.replace('-', '')}{hour:02}" for hour in range(24)))
            self.assertEqual(sum(counts.values()), sums)
            hours.update(counts)
        self.assertEqual(dict(hours), self.views)

    def test_importing_again_changes_nothing(self):
        again = json.loads(self.command("import", "access-log", str(self.log)))
        self.assertEqual(again["views"], 0, again)
        self.assertEqual(self.counts(), self.views)


class MadeLogTest(WholeLog, unittest.TestCase):
    pass


class RealLogTest(WholeLog, unittest.TestCase):
    def test_the_known_numbers(self):
        self.assertEqual(self.report["views"], 3617)
        self.assertEqual(len(self.views), 705)


if __name__ == "__main__":
    WholeLog.viewcountd, WholeLog.viewcount, made = sys.argv[1:4]
    made = pathlib.Path(made)
    MadeLogTest.log = made / "access.log"
    MadeLogTest.totals, MadeLogTest.days = made / "expected.tsv", made / "expected.days.tsv"
    RealLogTest.log = REAL_LOG_DIR / "apache_access.log.gz"
    RealLogTest.totals = REAL_LOG_DIR / "apache_access.expected.tsv"
    RealLogTest.days = REAL_LOG_DIR / "apache_access.expected.days.tsv"
    if not RealLogTest.log.exists():
        # This does not skip anything, because the generated log has every oddity of the real one.
        print(f"no real log in {REAL_LOG_DIR}; the made-up one alone is used", file=sys.stderr)
        del RealLogTest
    unittest.main(argv=sys.argv[:1], verbosity=2)
