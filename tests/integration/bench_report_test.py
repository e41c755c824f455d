"""Tests the arithmetic of bench/run.sh: turns, medians, ratios, targets, and the formats of its reports.

Run by ctest: bench_report_test.py
"""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "harness"))

import measure  # noqa: E402
import report  # noqa: E402


class Clock:
    """A server whose CPU time the test sets. Nothing else runs on its core."""

    def __init__(self):
        self.seconds = 0

    def cpu_seconds(self):
        return self.seconds

    def core_seconds(self):
        return self.seconds


def contender(name, turns, log, settling=0):
    """Returns a contender. Each turn is (amount, CPU seconds) and lasts a second. Its settling uses CPU as well."""
    clock, rest = Clock(), list(turns)

    def load():
        log.append(name)
        amount, seconds = rest.pop(0)
        clock.seconds += seconds
        return amount, 1, {"latency_us": {"p99": amount}}

    def settle():
        clock.seconds += settling

    def clean_up():
        clock.seconds += 100
    return measure.Contender(name, clock, load, "flush 1s, journaled", settle, clean_up)


class MeasureTest(unittest.TestCase):
    def setUp(self):
        self.log = []
        self.ours = contender("ours", [(900, 0.5), (800, 1), (1000, 1)], self.log, settling=0.5)
        self.theirs = contender("theirs", [(1000, 1), (200, 1), (250, 1)], self.log)
        self.samples = measure.interleave([self.ours, self.theirs], 3)

    def test_contenders_take_turns(self):
        self.assertEqual(self.log, ["ours", "theirs"] * 3)

    def test_settling_is_charged_but_is_not_busy_time_and_cleaning_up_is_neither(self):
        first = self.samples["ours"][0]
        self.assertEqual((first.cpu_seconds, first.busy, first.per_cpu_second), (1.0, 0.5, 900))

    def test_ratio_is_the_median_of_the_rounds_and_not_of_the_medians(self):
        row = report.compare("batches", "views/CPU s", self.samples, self.ours, self.theirs)
        self.assertAlmostEqual(row.value, 1000 / 1.5)
        self.assertEqual(row.baseline_value, 250)
        self.assertAlmostEqual(row.ratio, (800 / 1.5) / 200)
        self.assertAlmostEqual(row.spread.low, 0.9)
        self.assertAlmostEqual(row.spread.high, (800 / 1.5) / 200)

    def test_idle_cores_are_told(self):
        row = report.compare("batches", "views/CPU s", self.samples, self.ours, self.theirs, notes=["a note"])
        idle = "the core of ours was only 50% busy with it"
        self.assertEqual(row.notes, ["a note", idle])
        row = report.compare("batches", "views/CPU s", self.samples, self.theirs, self.ours)
        self.assertEqual(row.notes, [idle])

    def test_other_work_on_an_idle_core_is_told(self):
        for others, text in ((0.01, ""), (0.3, ", and 30% of it with other work")):
            sample = measure.Sample(1, 1, 1, 0.6, others, {})
            self.assertEqual(measure.core_remarks([sample], "x"), [f"the core of x was only 60% busy with it{text}"])
        self.assertEqual(measure.core_remarks([measure.Sample(1, 1, 1, 0.96, 0.3, {})], "x"), [])

    def test_latency_is_told_by_quantile(self):
        self.assertEqual(measure.latency(self.samples["ours"], "p99"), measure.Spread(900, 800, 1000))


class ReportTest(unittest.TestCase):
    def row(self, **fields):
        return report.Row("a|b", 3.0, "ms", "flush 1s, journaled", **fields)

    def test_targets(self):
        compared = {"baseline": "x", "baseline_value": 2.0}
        for target, fields, reached in (
                (report.at_most(3), {}, True), (report.at_most(2.9), {}, False), (report.at_least(3), {}, True),
                (report.at_least(3.1), {}, False), (report.ratio_at_least(1.5), compared, True),
                (report.ratio_at_least(1.6), compared, False), (report.ratio_at_most(1.5), compared, True),
                (report.ratio_at_most(1.4), compared, False), (None, {}, None)):
            with self.subTest(target=target):
                self.assertIs(self.row(target=target, **fields).reached, reached)

    def test_json_has_six_fields(self):
        rows = [self.row(), self.row(baseline="x", baseline_value=2.0)]
        self.assertEqual(json.loads(report.as_json(rows)), [
            {"name": "a|b", "value": 3.0, "unit": "ms", "baseline": None, "baseline_value": None, "ratio": None},
            {"name": "a|b", "value": 3.0, "unit": "ms", "baseline": "x", "baseline_value": 2.0, "ratio": 1.5}])

    def test_tables_hold_every_row_and_its_remarks(self):
        rows = [self.row(target=report.at_most(1), notes=["only once"]), self.row(target=report.at_most(5))]
        text = report.table(rows)
        self.assertEqual(text.count("a|b"), 2)
        self.assertIn("only once", text)
        page = report.markdown(rows, [("machine", "two cores")], [("Cost", "cost.svg")], "## Why not\n")
        self.assertIn("1 of 2 targets were reached.", page)
        self.assertIn("a\\|b", page)
        self.assertIn("| flush 1s, journaled |", page)
        self.assertIn("![Cost](results/cost.svg)", page)
        self.assertIn("| machine | two cores |", page)

    def test_numbers_keep_three_digits(self):
        self.assertEqual([report.number_text(number) for number in (None, 0.01234, 3, 99.96, 100, 8_000_000)],
                         ["", "0.0123", "3", "100", "100", "8,000,000"])


if __name__ == "__main__":
    unittest.main()
