"""Makes reports in all forms and compares them with numbers that were added up by hand.

Run by ctest with the programs' paths: report_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import csv
import html.parser
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402

DAEMON = None
COMMAND = None
SECONDS_MAX = 60
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
HOSTILE = '=1+1<script>alert("1")</script>'

# Views of each article by day. The site's day begins at 17:00 UTC of the day before.
VIEWS = {
    # January.
    ("01/Jan/2024:10:00:00 +0700", "/a"): 4,
    ("31/Jan/2024:23:59:59 +0700", "/b"): 6,
    # February: 18 + 2 + 10 = 30 views.
    ("31/Jan/2024:17:00:00 +0000", "/a"): 10,
    ("10/Feb/2024:00:00:00 +0700", "/a"): 8,
    ("10/Feb/2024:12:00:00 +0700", "/b"): 2,
    ("29/Feb/2024:23:59:59 +0700", "/c"): 10,
    # March.
    ("29/Feb/2024:17:00:00 +0000", "/a"): 99,
}


class Parser(html.parser.HTMLParser):
    """Collects the elements of a page, its rows and its texts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.rows, self.addresses, self.bars = [], [], [], []
        self.feed(text)
        self.close()
        self.rows = [[cell.strip() for cell in row] for row in self.rows]

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        values = dict(attributes)
        self.addresses += [values[name] for name in ("src", "href", "action", "data") if name in values]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "rect":
            self.bars.append(float(values["height"]))

    def handle_data(self, data):
        if self.rows and self.rows[-1] and self.elements[-1] in ("td", "th", "a"):
            self.rows[-1][-1] += data


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        data_dir = tempfile.TemporaryDirectory(prefix="viewcount-report-")
        cls.addClassCleanup(data_dir.cleanup)
        cls.data_dir = pathlib.Path(data_dir.name)
        cls.service = service.Service(DAEMON, cls.data_dir, "--lanes", "1")
        cls.enterClassContext(cls.service)
        cls.command("site", "put", "portal", "--time-zone", "Asia/Ho_Chi_Minh")
        lines = [f'192.0.2.{i % 200} - - [{time}] "GET {path} HTTP/1.1" 200 1 "-" "{AGENT}"\n'
                 for (time, path), count in VIEWS.items() for i in range(count)]
        cls.command("import", "access-log", "-", input="".join(lines))
        cls.command("announce", "/a", "--title", HOSTILE, "--section", "Thể thao", "--author", "An", "--author", "Chi",
                    "--url", "javascript:alert(1)")
        cls.command("announce", "/b", "--title", "Hai", "--section", "@tin", "--url", "https://news.example.org/b?x=1&y=2")

    @classmethod
    def run_command(cls, *words, **options):
        return subprocess.run([COMMAND, "--server", cls.service.address("grpc"), "--site", "portal", *words],
                              capture_output=True, text=True, check=False, timeout=SECONDS_MAX, **options)

    @classmethod
    def command(cls, *words, **options):
        done = cls.run_command(*words, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, *words):
        return list(csv.DictReader(io.StringIO(self.command("report", "--format", "csv", *words))))

    def test_a_month_in_csv(self):
        rows = self.rows("--month", "2024-02", "--compare")
        kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in {row["kind"] for row in rows}}
        self.assertEqual([row["start"] for row in kinds["period"] + kinds["period_before"]],
                         ["2024-02-01T00:00:00+07:00", "2024-01-01T00:00:00+07:00"])
        self.assertEqual(kinds["period"][0]["end"], "2024-03-01T00:00:00+07:00")
        self.assertEqual([(row["name"], row["views"], row["views_before"]) for row in kinds["total"]],
                         [("views", "30", "10")])
        days = {row["start"]: row["views"] for row in kinds["day"]}
        self.assertEqual(len(days), 29)
        self.assertEqual({day[:10]: views for day, views in days.items() if views != "0"},
                         {"2024-02-01": "10", "2024-02-10": "10", "2024-02-29": "10"})
        self.assertEqual([(row["rank"], row["name"], row["title"], row["views"], row["share"], row["views_before"],
                           row["rank_before"]) for row in kinds["article"]],
                         [("1", "/a", "'" + HOSTILE, "18", "60.0000", "4", "2"),
                          ("2", "/c", "", "10", "33.3333", "", ""),
                          ("3", "/b", "Hai", "2", "6.6667", "6", "1")])
        self.assertEqual([(row["name"], row["views"], row["views_before"]) for row in kinds["section"]],
                         [("Thể thao", "18", "4"), ("", "10", "0"), ("'@tin", "2", "6")])
        self.assertEqual([(row["name"], row["views"]) for row in kinds["author"]],
                         [("An", "18"), ("Chi", "18"), ("", "12")])
        self.assertEqual(kinds["as_of"][0]["name"], "exact")
        notes = "\n".join(row["name"] for row in kinds["note"])
        self.assertIn("sums over the 3 most viewed articles, which have 30 of 30 views", notes)
        # Visits of a past month are not kept.
        self.assertIn("Visits and viewers are kept for today", notes)

    def test_text_has_the_same_numbers(self):
        text = self.command("report", "--month", "2024-02", "--compare", "--top", "2")
        self.assertIn("Period: 2024-02-01 – 2024-02-29\nTime zone: Asia/Ho_Chi_Minh\n", text)
        self.assertRegex(text, r"Views +30 +10 +\+200\.0%\n")
        self.assertRegex(text, r"2024-02-10 +10 +█{40}\n")
        self.assertRegex(text, r"1 +18 +60\.0% +2 +4 +\+350\.0% +Thể thao +=1\+1<script>")
        self.assertNotIn("Hai", text)
        self.assertIn("All numbers of views are exact.", text)

    def test_html_is_one_safe_file(self):
        output = self.data_dir / "report.html"
        self.assertEqual(self.command("report", "--month", "2024-02", "--compare", "--format", "html", "--language",
                                      "vi", "--output", str(output)), "")
        text = output.read_text(encoding="utf-8")
        page = Parser(text)
        self.assertTrue(text.startswith('<!DOCTYPE html>\n<html lang="vi">'))
        self.assertNotIn("script", page.elements)
        for element in ("link", "img", "iframe", "object", "embed"):
            self.assertNotIn(element, page.elements)
        self.assertEqual(page.addresses, ["https://news.example.org/b?x=1&y=2"])
        self.assertNotIn("url(", text)
        self.assertNotIn("@import", text)
        self.assertIn("@page { size: A4;", text)
        self.assertIn(["Lượt xem", "30", "10", "+200,0 %"], page.rows)
        self.assertIn(["1", HOSTILE, "Thể thao", "18", "60,0 %", "2", "4", "+350,0 %"], page.rows)
        self.assertIn(["10/02/2024", "10"], page.rows)
        self.assertEqual(len(page.bars), 29)
        self.assertEqual([bar > 0 for bar in page.bars].count(True), 3)

    def test_other_windows(self):
        rows = self.rows("--day", "2024-02-10")
        self.assertEqual([row["views"] for row in rows if row["kind"] == "total"], ["10"])
        # The hours of that day are not kept any more.
        self.assertEqual([(row["kind"], row["views"]) for row in rows if row["kind"] in ("day", "hour")],
                         [("day", "10")])
        rows = self.rows("--from", "2024-02-10T00:00:00+07:00", "--to", "2024-03-01T00:00:00+07:00", "--compare")
        # 20 days, and the 20 days before from 21 January on.
        self.assertEqual([(row["views"], row["views_before"]) for row in rows if row["kind"] == "total"],
                         [("20", "16")])
        self.assertEqual([row["start"][:10] for row in rows if row["kind"] == "period_before"], ["2024-01-21"])

    def test_today_has_visits_and_viewers(self):
        for viewer in ("1", "2"):
            self.command("record", "/today", "--viewer", viewer)
        # Viewers are counted when they are stored.
        self.command("flush")
        # It may be the first day of a month, so both windows contain these views alone.
        totals = {row["name"]: row["views"] for row in self.rows("--day", "today") if row["kind"] == "total"}
        self.assertEqual(totals, {"views": "2", "visits": "2", "viewers": "2"})
        rows = self.rows("--last", "3h", "--compare")
        self.assertEqual([row["views"] for row in rows if row["kind"] == "total"], ["2"])
        self.assertEqual(sum(row["kind"] == "hour" for row in rows), 3)

    def test_errors_name_the_option(self):
        for words, code, error in [
                (["--month", "2024-13"], 2, "--month: must be a month as YYYY-MM"),
                (["--month", "9999-01"], 1, "--month 9999-01 has not begun"),
                (["--month", "2024-02", "--last", "24h"], 2, "--month excludes --last"),
                (["--month", "2024-02", "--output", "/nonexistent/r"], 1, "--output: cannot write /nonexistent/r"),
                (["--month", "2024-02", "--json"], 2, "--json: a report is text, HTML or CSV"),
                (["--from", "2024-02-10T00:30:00+07:00", "--to", "2024-03-01T00:00:00+07:00"], 1,
                 "window.range.start: 2024-02-10T00:30:00+07:00 must be a midnight")]:
            done = self.run_command("report", *words)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(error, done.stderr)

    def test_lists_and_series_in_csv(self):
        window = ["--from", "2024-02-01T00:00:00+07:00", "--to", "2024-03-01T00:00:00+07:00"]
        rows = list(csv.reader(io.StringIO(self.command("top", "--csv", *window))))
        self.assertEqual(rows[0], ["rank", "previous_rank", "views", "article_id", "title", "section", "url"])
        self.assertEqual(rows[1], ["1", "", "18", "/a", "'" + HOSTILE, "Thể thao", "javascript:alert(1)"])
        series = self.command("series", "--csv", "--step", "month", *window)
        self.assertEqual(series, "start,views\n2024-02-01T00:00:00+07:00,30\n")


if __name__ == "__main__":
    DAEMON, COMMAND = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1], verbosity=2)
