"""Imports whole logs, queries the counts, checks Redis, and imports the logs again.

Run by ctest: access_log_test.py viewcountd viewcount FOLDER_OF_THE_MADE_UP_LOG
The real log is used if its folder exists: ../shared/data next to the checkout, or VIEWCOUNT_REAL_LOG_DIR.
"""

import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
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
            counts.update({count["articleId"]: int(count["views"]) + int(count["botViews"])
                           for count in answer["counts"]})
        return counts

    def test_the_report_and_every_count_agree(self):
        self.assertEqual(self.report["views"] + self.report["botViews"], sum(self.views.values()), self.report)
        self.assertGreater(self.report["views"], 0)
        self.assertGreater(self.report["botViews"], 0)
        self.assertEqual(self.report["articles"], len(self.views))
        self.assertEqual(self.report["formats"], ["combined"])
        self.assertEqual(self.counts(), self.views)

    def test_the_top_lists_have_people_only(self):
        # The expectation is the sum of people and bots, so the lists are compared with the counts.
        people = {}
        for first in range(0, len(self.views), 500):
            answer = json.loads(self.command("count", *list(self.views)[first:first + 500]))
            people.update({count["articleId"]: int(count["views"]) for count in answer["counts"]})
        wanted = sorted(((article, views) for article, views in people.items() if views),
                        key=lambda item: (-item[1], item[0].encode()))[:RANKED]
        articles = json.loads(self.command("top", "--limit", str(RANKED)))["articles"]
        self.assertEqual([(article["articleId"], int(article["views"])) for article in articles], wanted)
        self.assertEqual([article["rank"] for article in articles], list(range(1, len(wanted) + 1)))

    def test_redis_holds_totals_and_days(self):
        people, sum_of_people = self.stored("all")
        bots, sum_of_bots = self.stored("bots")
        self.assertEqual(dict(collections.Counter(people) + collections.Counter(bots)), self.views)
        self.assertEqual((sum_of_people, sum_of_bots), (self.report["views"], self.report["botViews"]))
        # Bots are counted for all time only. So a day has the people of the expectation, which has both.
        by_day = collections.Counter()
        for day in {day for day, _ in self.days}:
            counts, sums = self.stored("d:" + day.replace("-", ""))
            for article, views in counts.items():
                self.assertLessEqual(views, self.days[day, article])
            self.assertEqual(sums, sum(counts.values()))
            by_day.update(counts)
            # Hours are kept for eight days, and both logs are older.
            of_hours, sums = self.stored(*(f"h:{day.replace('-', '')}{hour:02}" for hour in range(24)))
            self.assertEqual((of_hours, sums), ({}, 0))
        self.assertEqual(dict(by_day), people)

    def test_importing_again_changes_nothing(self):
        again = json.loads(self.command("import", "access-log", str(self.log)))
        self.assertEqual((again["views"], again["botViews"]), (0, 0), again)
        self.assertEqual(again["importedBeforeLines"], self.report["lines"])
        self.assertEqual(self.counts(), self.views)


class MadeLogTest(WholeLog, unittest.TestCase):
    pass


class RealLogTest(WholeLog, unittest.TestCase):
    def test_the_known_numbers(self):
        self.assertEqual(self.report["views"] + self.report["botViews"], 3781)
        self.assertEqual(len(self.views), 713)


PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"
PHONE = ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile "
         "Safari/537.36")


def line(target, address="192.0.2.1", status=200, agent=PERSON, rest="", second=1):
    """Returns a line of the combined format."""
    minute, second = divmod(second % 3600, 60)
    return (f'{address} - - [20/Nov/2026:10:{minute:02}:{second:02} +0700] "GET {target} HTTP/1.1" {status} '
            f'5120 "-" "{agent}"{rest}\n')


class KindsOfLogsTest(unittest.TestCase):
    """Small logs of each kind, each imported into a site of its own, twice."""

    viewcountd = viewcount = None

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="viewcount-logs-")))
        (cls.folder / "data").mkdir()
        cls.service = service.Service(cls.viewcountd, str(cls.folder / "data"), "--site", "portal")
        cls.enterClassContext(cls.service)

    def setUp(self):
        self.site = self.id().rsplit(".", 1)[1]
        self.run_command("site", "put", self.site)

    def words(self, *words):
        return [self.viewcount, "--server", self.service.address("grpc"), "--site", self.site, "--json", *words]

    def run_command(self, *words, code=0):
        answer = subprocess.run(self.words(*words), capture_output=True, timeout=60, check=False)
        self.assertEqual(answer.returncode, code, answer.stderr.decode())
        self.errors = answer.stderr.decode()
        return answer.stdout

    def write(self, text, name="log"):
        path = self.folder / f"{self.site}.{name}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def load(self, *words, code=0):
        return json.loads(self.run_command("import", "access-log", *words, code=code))

    def counts(self, *articles):
        answer = json.loads(self.run_command("count", *articles))
        return [(int(count["views"]), int(count["botViews"])) for count in answer["counts"]]

    def visits(self):
        return int(json.loads(self.run_command("stats"))["visits"]["total"])

    def check(self, logs, wanted, *options, visits=None, **report):
        """Imports the logs, and compares the counts of articles, the visits and the report."""
        paths = [self.write(text, str(i)) for i, text in enumerate([logs] if isinstance(logs, (str, bytes)) else logs)]
        first = self.load(*options, *paths)
        for name, value in report.items():
            self.assertEqual(first[name], value, first)
        self.assertEqual(dict(zip(wanted, self.counts(*wanted))), wanted)
        self.assertEqual(first["articles"], len(wanted))
        if visits is not None:
            self.assertEqual(self.visits(), visits)
        again = self.load(*options, *paths)
        self.assertEqual((again["views"], again["botViews"]), (0, 0))
        self.assertEqual(again["importedBeforeLines"], first["lines"])
        self.assertEqual(dict(zip(wanted, self.counts(*wanted))), wanted)
        return first

    def test_bots(self):
        agents = [PERSON, PHONE, "curl/8.1", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
                  "kube-probe/1.30", "python-requests/2.31"]
        self.check("".join(line("/a", f"192.0.2.{i}", agent=agent) for i, agent in enumerate(agents)),
                   {"/a": (2, 4)}, views=2, botViews=4)

    def test_articles_named_by_the_query(self):
        targets = ["/doc.aspx?id=7", "/doc.aspx?fbclid=x&id=7", "/doc.aspx?id=8", "/read.php?tid=1", "/read.php?tid=2"]
        report = self.check("".join(line(target) for target in targets),
                            {"/doc.aspx?id=7": (2, 0), "/doc.aspx?id=8": (1, 0), "/read.php": (2, 0)})
        self.assertEqual(report["droppedParameters"], [{"path": "/read.php", "parameters": ["tid"]}])
        self.assertIn("--add-article-parameter tid", report["hint"])

    def test_virtual_hosts(self):
        log = "".join(f"{host} " + line("/a", f"192.0.2.{i}") for i, host in
                      enumerate(["www.example.org", "www.example.org:443", "m.example.org"]))
        self.check(log, {"/a": (2, 0)}, "--host", "www.example.org", visits=2, otherHostLines=1, formats=["vhost"])

    def test_a_proxy_before_the_server(self):
        log = "".join(line("/a", "10.1.2.3", rest=f' "203.0.113.{i}, 10.0.0.1"') for i in range(1, 8))
        report = self.check(log, {"/a": (7, 0)}, visits=1)
        self.assertIn("all lines have one address", report["warnings"][0])

    def test_a_proxy_whose_field_is_named(self):
        log = "".join(line("/a", "10.1.2.3", rest=f' "203.0.113.{i}, 10.0.0.1"') for i in range(1, 8))
        self.check(log, {"/a": (7, 0)}, "--client-field", "last", visits=7, warnings=[])

    def test_prefixes(self):
        prefixes = ["web-1  | ", "Nov 20 10:00:01 web1 nginx: ", "<190>1 2026-11-20T10:00:01Z web1 nginx - - - ",
                    "2026-11-20T10:00:01+0700 web1 nginx[7]: "]
        self.check("".join(prefix + line("/a", f"192.0.2.{i}") for i, prefix in enumerate(prefixes)), {"/a": (4, 0)},
                   visits=4)

    def test_spellings_of_an_address_are_one_viewer(self):
        spellings = ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1", "[2001:db8::1]:443", "2001:db8::1"]
        self.check("".join(line("/a", address) for address in spellings), {"/a": (4, 0)}, visits=1)

    def test_pages_with_a_dot(self):
        pages = ["/ban-2.1", "/so/13.2026", "/bai.chn", "/a.do", "/b.xhtml"]
        files = ["/logo.svg", "/app.js", "/feed.xml", "/nghi-dinh.pdf", "/a.woff2?v=3"]
        self.check("".join(line(target) for target in pages + files), {page: (1, 0) for page in pages},
                   noPageViewLines=5)

    def test_iis(self):
        head = "#Software: x\n#Fields: date time cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) sc-status\n"
        agent = PERSON.replace(" ", "+")
        log = head + (f"2026-11-20 03:00:01 GET /Tin/doc.aspx ItemID=5 192.0.2.1 {agent} 200\n"
                      f"2026-11-20 03:00:02 GET /số-1 - 192.0.2.2 {agent} 200\n"
                      "2026-11-20 03:00:03 GET /số-1 - 192.0.2.3 Mozilla/5.0+(compatible;+Googlebot/2.1) 200\n"
                      "#Fields: date time c-ip cs-uri-stem cs-method sc-status\n"
                      "2026-11-20 03:00:04 192.0.2.4 /số-1 GET 304\n"
                      "2026-11-20 03:00:04 192.0.2.4 /logo.png GET 200\n")
        self.check(log, {"/Tin/doc.aspx?ItemID=5": (1, 0), "/số-1": (2, 1)}, formats=["iis"], noPageViewLines=4)

    def test_json_of_caddy_and_nginx(self):
        caddy = json.dumps({"ts": 1795143601.5, "status": 200, "request": {
            "client_ip": "192.0.2.1", "method": "GET", "uri": "/a", "host": "x", "headers": {"User-Agent": [PERSON]}}})
        nginx = json.dumps({"remote_addr": "10.0.0.1", "http_x_forwarded_for": "192.0.2.2", "request": "GET /b HTTP/2.0",
                            "status": "200", "time_iso8601": "2026-11-20T10:00:02+07:00", "http_user_agent": PHONE})
        self.check([caddy + "\n", nginx + "\n"], {"/a": (1, 0), "/b": (1, 0)}, formats=["caddy", "nginx-json"])

    def test_cloudfront_and_alb(self):
        fields = "#Version: 1.0\n#Fields: date time c-ip cs-method cs-uri-stem sc-status cs(User-Agent) cs-uri-query\n"
        agent = PERSON.replace(" ", "%2520")
        cloudfront = fields + "\t".join(["2026-11-20", "03:00:01", "192.0.2.1", "GET", "/a", "200", agent, "-"]) + "\n"
        alb = ("https 2026-11-20T03:00:01.5Z app/p/1 192.0.2.2:4711 10.0.0.1:80 0.0 0.0 0.0 200 200 1 2 "
               f'"GET https://www.example.org:443/b?utm_source=x HTTP/2.0" "{PHONE}" X Y arn "R" "-" "-" 0\n')
        self.check([cloudfront, alb], {"/a": (1, 0), "/b": (1, 0)}, formats=["alb", "cloudfront"])

    def test_a_log_format_of_nginx(self):
        self.check('192.0.2.1|20/Nov/2026:10:00:01 +0700|GET /a HTTP/1.1|200\n', {"/a": (1, 0)},
                   "--format", "$remote_addr|$time_local|$request|$status")

    def test_two_logs_that_begin_with_the_same_lines(self):
        beginning = "".join(line("/healthz", "10.0.0.9", agent="kube-probe/1.29", second=i) for i in range(80))
        logs = [beginning + "".join(line(f"/web{log}/{i}") for i in range(20 + log)) for log in (0, 1)]
        wanted = {f"/web{log}/{i}": (1, 0) for log in (0, 1) for i in range(20 + log)}
        self.check(logs, wanted, lines=201, importedBeforeLines=0, excludedPathLines=160)

    def test_spellings_of_a_path_are_one_article(self):
        targets = ["/s%E1%BB%91/1", "/s%e1%bb%91/1", "/số/1", r"/s\xE1\xBB\x91/1", "/%73%E1%BB%91/1", "/số/1#x",
                   "/số/1;jsessionid=0A1B.node1", "/./số/x/../1"]
        self.check("".join(line(target) for target in targets), {"/số/1": (8, 0)})

    def test_answers_that_nobody_reads(self):
        log = "".join([line("/feed/"), line("/wp-json/wp/v2/posts"), line("/video", status=206), line("/api", status=204),
                       line("/.well-known/security"), line("/a")])
        self.check(log, {"/a": (1, 0)}, excludedPathLines=3, noPageViewLines=2)

    def test_excluded_addresses(self):
        self.run_command("site", "put", self.site, "--exclude", "192.0.2.0/28")
        self.check(line("/a", "192.0.2.3") + line("/a", "192.0.2.99"), {"/a": (1, 0)}, excludedAddressLines=1)

    def test_what_the_cool_down_leaves_out(self):
        self.run_command("site", "put", self.site, "--cool-down", "30m")
        self.check("".join(line("/a", second=i) for i in range(5)), {"/a": (1, 0)}, views=1, coolDownLines=4)

    def test_byte_order_marks(self):
        text = line("/a") + line("/số")
        for name, data in [("8", b"\xef\xbb\xbf" + text.encode()), ("16", text.encode("utf-16"))]:
            report = self.load(self.write(data, name))
            # Both are the same log.
            self.assertEqual(report["views"], 2 if name == "8" else 0, report)
        self.assertEqual(self.counts("/a", "/số"), [(1, 0), (1, 0)])

    def test_compressions(self):
        text = "".join(line(f"/a{i % 7}", second=i) for i in range(3000)).encode()
        for done, program in enumerate(["gzip", "bzip2", "xz", "zstd"]):
            path = self.write(subprocess.run([program, "-c"], input=text, capture_output=True, check=True).stdout, program)
            self.assertEqual(self.load(path)["views"], 0 if done else 3000)

    def test_a_log_that_is_not_understood(self):
        path = self.write("192.0.2.1;20/Nov/2026:10:00:01 +0700;GET /a HTTP/1.1;200\n")
        report = self.load(path, code=5)
        self.assertIn("no line was understood", report["warnings"][0])
        self.assertIn("--format", self.errors)
        self.load("--strict", path, code=5)
        self.assertEqual(self.load("--format", "$remote_addr;$time_local;$request;$status", path)["views"], 1)

    def wait_for(self, article, views, seconds=2.0):
        """Waits until the article has so many views. Returns the time that it took."""
        began = time.monotonic()
        while self.counts(article)[0][0] != views:
            self.assertLess(time.monotonic() - began, seconds, self.counts(article))
            time.sleep(0.05)
        return time.monotonic() - began

    def follow(self, path):
        process = subprocess.Popen(self.words("import", "access-log", "--follow", path), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        return process

    def append(self, path, text):
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)

    def test_follow_through_rotation_and_kill(self):
        path = self.write(line("/a"))
        process = self.follow(path)
        self.wait_for("/a", 1, seconds=10)
        for number in range(2, 5):
            self.append(path, line("/a", second=number))
            self.wait_for("/a", number)
        # Killed, and rotated by rename while it is dead.
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.append(path, line("/a", second=5))
        os.rename(path, path + ".1")
        self.append(path + ".1", line("/a", second=6))
        self.append(path, line("/b"))
        process = self.follow(path)
        self.wait_for("/b", 1, seconds=10)
        self.wait_for("/a", 6)
        # Rotated by rename while it runs. The server still writes to the old file.
        os.rename(path, path + ".1")
        self.append(path + ".1", line("/a", second=7))
        self.append(path, line("/b", second=2))
        self.wait_for("/a", 7)
        self.wait_for("/b", 2)
        # Rotated by copytruncate.
        self.append(path, line("/b", second=3))
        shutil.copy(path, path + ".1")
        os.truncate(path, 0)
        self.append(path, line("/c"))
        self.wait_for("/c", 1)
        self.wait_for("/b", 3)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(json.loads(output)["badLines"], 0)
        self.assertEqual(self.counts("/a", "/b", "/c"), [(7, 0), (3, 0), (1, 0)])

    def test_killed_again_and_again_while_lines_are_written(self):
        path = self.write("")
        written, random_numbers = 0, random.Random(1)
        for _ in range(8):
            process = self.follow(path)
            until = time.monotonic() + random_numbers.uniform(0.1, 0.9)
            while time.monotonic() < until:
                self.append(path, "".join(line("/a", second=written + i) for i in range(200)))
                written += 200
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.load(path)
        self.assertEqual(self.counts("/a"), [(written, 0)])


if __name__ == "__main__":
    WholeLog.viewcountd, WholeLog.viewcount, made = sys.argv[1:4]
    KindsOfLogsTest.viewcountd, KindsOfLogsTest.viewcount = sys.argv[1:3]
    made = pathlib.Path(made)
    MadeLogTest.log = made / "access.log"
    MadeLogTest.totals, MadeLogTest.days = made / "expected.tsv", made / "expected.days.tsv"
    RealLogTest.log = REAL_LOG_DIR / "apache_access.log.gz"
    RealLogTest.totals = REAL_LOG_DIR / "apache_access.pages.tsv"
    RealLogTest.days = REAL_LOG_DIR / "apache_access.pages.days.tsv"
    if not RealLogTest.log.exists():
        # This does not skip anything, because the generated log has every oddity of the real one.
        print(f"no real log in {REAL_LOG_DIR}; the made-up one alone is used", file=sys.stderr)
        del RealLogTest
    unittest.main(argv=sys.argv[:1], verbosity=2)
