"""Imports the files of other counters into a real service. Every view must be counted once, on its day.

Run by ctest with the programs' paths: foreign_import_test.py BUILD/bin/viewcountd BUILD/bin/viewcount
"""

import csv
import datetime
import gzip
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zoneinfo

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402
import web  # noqa: E402

DAEMON = None
COMMAND = None
ZONE = zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh")
GOATCOUNTER = ["2Path", "Title", "Event", "UserAgent", "Browser", "System", "Session", "Bot", "Referrer",
               "Referrer scheme", "Screen size", "Location", "FirstVisit", "Date"]
PLAUSIBLE = ["date", "hostname", "page", "visits", "visitors", "pageviews", "total_scroll_depth",
             "total_scroll_depth_visits"]


def table(header, rows, quoting=csv.QUOTE_MINIMAL):
    text = io.StringIO()
    csv.writer(text, quoting=quoting, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def hit(path, at, title="A title", event="false", bot=0):
    return [path, title, event, "", "Firefox 133", "Linux", "0c2f", bot, "", "", "1920,1080,1", "VN-SG", "true", at]


class ForeignImportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="viewcount-foreign-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.running = service.Service(DAEMON, cls.folder)
        cls.enterClassContext(cls.running)

    def setUp(self):
        # Each test has its own site.
        self.site = self.id().rsplit(".", 1)[1].replace("_", "-")
        self.run_command("site", "put", self.site, "--time-zone", ZONE.key)
        self.backend = web.Web(self.running.address("backend"), self.site)

    def run_command(self, *words, code=0, given=None):
        done = subprocess.run([COMMAND, "--server", self.running.address("grpc"), "--site", self.site, *words],
                              capture_output=True, text=True, input=given, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def counts(self, *words, given=None, **more):
        return json.loads(self.run_command("--json", "import", *words, given=given, **more).stdout)

    def file(self, name, text):
        path = self.folder / f"{self.site}-{name}" if not name.startswith("pageviews") else self.folder / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return str(path)

    def days(self, article, last="400d"):
        """Returns the article's views by day, as dates of the site."""
        answer = self.backend.get("/series", [("article", article), ("window.last", last)])
        return {datetime.datetime.fromisoformat(point["start"].replace("Z", "+00:00")).astimezone(ZONE).date():
                int(point["views"]) for point in answer.json()["points"] if point["views"] != "0"}

    def test_goatcounter(self):
        day = datetime.datetime.now(ZONE).date() - datetime.timedelta(30)
        late = datetime.datetime.combine(day, datetime.time(23, 59), ZONE).astimezone(datetime.timezone.utc)
        rows = [hit("/a?utm_source=x", f"{late:%Y-%m-%dT%H:%M:%SZ}", "One, \"two\"\nand a line"),
                hit("/a", f"{late + datetime.timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}"),
                hit("click", f"{late:%Y-%m-%dT%H:%M:%SZ}", event="1"),
                hit("/a", f"{late:%Y-%m-%dT%H:%M:%SZ}", bot=6), hit("/b", "yesterday")]
        report = self.counts("goatcounter", self.file("export.csv.gz", table(GOATCOUNTER, rows)))
        self.assertEqual((report["views"], report["botViews"], report["articles"], report["badLines"]), (2, 1, 1, 1))
        self.assertEqual(report["formats"], ["goatcounter 2"])
        self.assertEqual(self.days("/a"), {day: 1, day + datetime.timedelta(1): 1})
        # Another file has the same rows and later ones.
        rows += [hit("/c", f"{late:%Y-%m-%dT%H:%M:%SZ}")] * 3
        later = self.file("later.csv", table(GOATCOUNTER, rows))
        report = self.counts("goatcounter", later)
        self.assertEqual((report["views"], report["botViews"], report["importedBeforeLines"]), (3, 0, 7))
        for _ in range(2):
            self.assertEqual(self.counts("goatcounter", later)["views"], 0)
        self.assertEqual(self.backend.counts("/a", "/c"), [2, 3])
        # GoatCounter exports the present title of a page for its old rows, too. Only the new row counts.
        for row in rows:
            row[1] = "Another,\ntitle" if "\n" in row[1] else "Another title"
        # The first row keeps its three lines, because the lines of a title have numbers.
        rows[0][1] = "Another\n\"title\""
        rows.append(hit("/c", f"{late:%Y-%m-%dT%H:%M:%SZ}"))
        renamed = self.file("renamed.csv", table(GOATCOUNTER, rows))
        self.assertEqual(self.counts("goatcounter", renamed)["views"], 1)
        # An export with another beginning has the same days.
        cut = self.file("cut.csv", table(GOATCOUNTER, rows[1:]))
        for _ in range(2):
            done = self.run_command("import", "goatcounter", cut, code=1)
            self.assertIn(f"{day + datetime.timedelta(1)} was imported from another export", done.stderr)
        self.assertEqual(self.backend.counts("/a", "/c"), [2, 4])
        self.assertEqual(self.counts("goatcounter", "--overlapping", cut)["views"], 5)

    def test_a_file_that_ends_within_quotes(self):
        stamp = "2026-01-01T00:00:00Z"
        whole = table(GOATCOUNTER, [hit("/a", stamp), hit("/b", stamp, "One\ntwo\nthree"), hit("/c", stamp)])
        path = self.folder / "cut-in-quotes.csv"
        for end, views in (("One", 1), ("One\n", 0), ("One\ntw", 0), ("three", 0)):
            path.write_text(whole[:whole.index(end) + len(end)])
            done = self.run_command("--json", "import", "goatcounter", "--strict", str(path), code=3)
            self.assertIn("line 3: a quote is not closed", done.stderr)
            self.assertEqual(json.loads(done.stdout)["views"], views, end)
        path.write_text(whole)
        self.assertEqual(self.counts("goatcounter", "--strict", str(path))["views"], 2)
        self.assertEqual(self.backend.counts("/a", "/b", "/c"), [1, 1, 1])

    def test_plausible(self):
        day = datetime.datetime.now(ZONE).date() - datetime.timedelta(100)
        # Plausible has one row for each page and day, with any of its hosts.
        rows = [[day + datetime.timedelta(i // 20), "www.example.org" if i % 5 else "other.example.org", f"/p/{i % 20}",
                 1, 1, 1 + i, 10, 1] for i in range(1, 400)]
        rows.append([day, "www.example.org", "/many", 9, 9, 2_345_678, 0, 0])
        whole = table(PLAUSIBLE, rows, csv.QUOTE_NONNUMERIC)
        expected = {}
        for date, _, page, _, _, views, *_ in rows:
            expected.setdefault(page, {})[date] = views
        total = sum(sum(days.values()) for days in expected.values())
        # A dry run counts nothing.
        words = ("plausible", "-")
        refused = self.run_command("import", *words, "--host", "www.example.org", code=2, given=whole)
        self.assertIn("the views of all hosts", refused.stderr)
        dry = self.run_command("--json", "import", *words, "--dry-run", given=whole)
        self.assertIn("dry run", dry.stderr)
        self.assertEqual(json.loads(dry.stdout)["views"], total)
        self.assertEqual(self.backend.counts("/many"), [0])
        report = self.counts(*words, given=whole)
        self.assertEqual((report["views"], report["articles"], report["otherHostLines"]), (total, len(expected), 0))
        self.assertEqual({page: self.days(page) for page in expected}, expected)
        report = self.counts(*words, "--dry-run", given=whole)
        self.assertEqual((report["views"], report["importedBeforeLines"]), (0, 401))
        self.assertEqual(self.counts(*words, given=whole)["views"], 0)
        self.assertEqual(sum(self.backend.counts(*expected)), total)
        # Another export has one of its days, in another order.
        new = [day + datetime.timedelta(90), "www.example.org", "/p/1", 1, 1, 5, 0, 0]
        again = table(PLAUSIBLE, [new, [day + datetime.timedelta(3), "www.example.org", "/p/1", 1, 1, 5, 0, 0]])
        for more in ((), ("--dry-run",)):
            done = self.run_command("import", *words, *more, given=again, code=1)
            self.assertIn(f"{day + datetime.timedelta(3)} was imported from another export", done.stderr)
        self.assertEqual(sum(self.backend.counts(*expected)), total)
        # A refused export claims none of its days. One that overlaps claims those that are free.
        self.assertEqual(self.counts(*words, given=table(PLAUSIBLE, [[*new[:5], 6, 0, 0]]))["views"], 6)
        self.assertEqual(self.counts(*words, "--overlapping", given=again)["views"], 10)
        new[0] += datetime.timedelta(1)
        for more, code in (("--overlapping", 0), ("--dry-run", 1)):
            self.run_command("import", *words, more, given=table(PLAUSIBLE, [[*new[:5], 4 + code, 0, 0]]), code=code)
        # A dry run remembers its own files.
        new[0] += datetime.timedelta(1)
        dry = self.file("dry.csv", table(PLAUSIBLE, [new]))
        copy = self.file("copy.csv", table(PLAUSIBLE, [new]))
        self.assertEqual(self.counts("plausible", "--dry-run", dry, copy)["views"], 5)

    def test_wikimedia(self):
        hour = datetime.datetime.now(datetime.timezone.utc).replace(minute=0) - datetime.timedelta(hours=30)
        lines = "".join(f"{domain} {title} {views} 0\n" for domain, title, views in
                        (("aa", "Main_Page", 3), ("vi", "-", 8), ("vi", "Hà_Nội", 40), ("vi", "C?#", 1),
                         ("vi.m", "Hà_Nội", 1_000_002), ("zh", "Hà_Nội", 5)))
        name = self.file(f"pageviews-{hour:%Y%m%d-%H}0000.gz", lines)
        words = ("--domain", "vi", "--domain", "vi.m", "--prefix", "/wiki/")
        report = self.counts("wikimedia", *words, name)
        self.assertEqual((report["views"], report["otherHostLines"], report["noPageViewLines"]), (1_000_043, 2, 1))
        self.assertEqual(self.backend.counts("/wiki/Hà_Nội", "/wiki/C?#", "/wiki/-"), [1_000_042, 1, 0])
        answer = self.backend.get("/series", [("article", "/wiki/Hà_Nội"), ("window.last", "48h"), ("step", "hour")])
        hours = [point["start"] for point in answer.json()["points"] if point["views"] != "0"]
        self.assertEqual(hours, [f"{hour - datetime.timedelta(hours=1):%Y-%m-%dT%H:00:00Z}"])
        # The next hour has the same numbers, and counts as well. Neither counts again.
        following = self.file(f"pageviews-{hour + datetime.timedelta(hours=1):%Y%m%d-%H}0000", lines)
        self.assertEqual(self.counts("wikimedia", *words, name, following)["views"], 1_000_043)
        self.assertEqual(self.counts("wikimedia", *words, name, following)["views"], 0)
        self.assertEqual(self.backend.counts("/wiki/C?#"), [2])
        # Other lines of an hour that was imported are refused.
        other = pathlib.Path(self.folder, "other")
        other.mkdir()
        other = other / pathlib.Path(following).name
        other.write_text("vi C?# 7 0\n")
        done = self.run_command("import", "wikimedia", *words, str(other), code=1)
        self.assertIn(f"the hour from {hour:%Y-%m-%dT%H:00Z} was imported", done.stderr)
        self.assertEqual(self.counts("wikimedia", *words, "--overlapping", str(other))["views"], 7)

    def test_other_files_are_refused(self):
        for words, text, hint in ((("goatcounter",), "3Path,Title,Mood\n/a,b,c\n", "3Path,Title,Mood"),
                                  (("goatcounter",), "PK\x03\x04", "JSON export is not"),
                                  (("plausible",), "date,name,visitors\n2026-01-01,a,1\n", "date,name,visitors"),
                                  (("wikimedia", "--domain", "vi"), "vi A 1 0\n", "pageviews-YYYYMMDD-HH0000")):
            with self.subTest(words):
                done = self.run_command("import", *words, self.file("strange.csv", text), code=5)
                self.assertIn(hint, done.stderr)
        self.assertIn("--domain", self.run_command("import", "wikimedia", "x", code=2).stderr)
        bad = self.file("bad.csv", table(GOATCOUNTER, [hit("/a", "2026-01-01T00:00:00Z"), ["/b"]]))
        self.run_command("import", "goatcounter", "--strict", bad, code=3)

    def test_a_service_that_is_killed_in_an_import(self):
        day = datetime.datetime.now(ZONE).date() - datetime.timedelta(10)
        rows = [[day, "h", f"/p/{i % 100}", 1, 1, 1 + i % 3 * 1_000_000, 0, 0] for i in range(150_000)]
        path = self.file("pages.csv", table(PLAUSIBLE, rows))
        importing = subprocess.Popen([COMMAND, "--server", self.running.address("grpc"), "--site", self.site, "import",
                                      "plausible", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        web.eventually(lambda: self.backend.counts("/p/1")[0])
        self.running.grpc_address = self.running.address("grpc")
        self.running.kill()
        self.assertIsNone(importing.poll(), "the import ended before the service was killed")
        self.running.start()
        _, errors = importing.communicate(timeout=60)
        self.assertEqual(importing.returncode, 0, errors)
        self.backend = web.Web(self.running.address("backend"), self.site)
        self.assertEqual(self.counts("plausible", path)["views"], 0)
        self.assertEqual(sum(self.backend.counts(*(f"/p/{i}" for i in range(100)))), sum(row[5] for row in rows))


if __name__ == "__main__":
    DAEMON, COMMAND = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()
