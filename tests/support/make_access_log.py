#!/usr/bin/python3
"""Writes an access log with every oddity of real logs, and the numbers that its import must give.

Usage: make_access_log.py DIRECTORY [LINES [SEED]]

The expected numbers come from the parts that each line was made of, never from reading the log back. All addresses are
in the documentation ranges (RFC 5737, RFC 3849), and all names are from RFC 2606.

access.log           the log
access.log.gz        the same log in several gzip members
cut.log.gz           the same log, cut off in the middle of its compressed bytes
expected.tsv         article_id, views of people and bots together, viewers
expected.days.tsv    day in UTC, article_id, views
expected.lines.tsv   line number, kind: page, other, blank or bad
expected.bots        how many of all views are those of bots
expected.cut.tsv     how many whole lines of cut.log.gz can be read, and how many of them are page views
"""
import collections
import datetime
import gzip
import os
import random
import sys
import zlib

UTC = datetime.timezone.utc
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
ADDRESSES = [f"192.0.2.{i}" for i in range(1, 200)] + [f"2001:db8::{i:x}" for i in range(1, 50)] + ["crawler.example.org"]
# The agent as logged, and the agent that it stands for.
BOT = "curl/7.88.1"
PHONE = ('Mozilla/5.0 (Linux; Android 10; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile '
         'Safari/537.36')
AGENTS = {"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0": None, BOT: None, "-": "", "": "",
          PHONE.format(r'\"K\"'): PHONE.format('"K"'), PHONE.format("Số lượt"): None}
# The path as logged, and its article.
PAGES = {"/": None, "/news/3933": None, "/news/": None, "/index.html": None, "/old.HTM": None, "/a.php": None,
         "/c.aspx": None, "/v1.2/notes": None, "/v1.2": None, "/bai.chn": None, "/a.xhtml": None,
         "/tin-tuc/Số-lượt-người-xem": None, "/tin-tuc/S%E1%BB%91-l%c6%b0%E1%BB%A3t-ng%C6%B0%E1%BB%9Di-xem":
         "/tin-tuc/Số-lượt-người-xem", "/search;jsessionid=1": "/search", "/a b c": "/a%20b%20c",
         r"/say-\"hi\"": "/say-%22hi%22", "/ends-with-dot.": None, "/%D0%BC": "/м", r"/\xd1\x82": "/т",
         "//double//slash": None, "/" + "x" * 511: None}
NO_PAGES = ["/logo.png", "/style.css", "/app.min.js", "/favicon.ico", "/feed.xml", "/robots.txt", "/archive.tar.gz",
            "/healthz", "/wp-login.php"]
SUFFIXES = ["", "?utm_source=x", "?a=/b.png", "#part", "?q=a#b?c", "?"]


class Log:
    """The lines of the log with the kind of each line, and the counts that their import must give."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines = []
        self.kinds = []
        self.views = collections.Counter()
        self.viewers = collections.defaultdict(set)
        self.days = collections.Counter()
        self.bots = 0
        self.time = datetime.datetime(2023, 12, 30, 21, 59, 58, tzinfo=UTC)

    def add(self, line, kind):
        self.lines.append(line if isinstance(line, bytes) else line.encode())
        self.kinds.append(kind)

    def stamp(self):
        self.time += datetime.timedelta(seconds=self.random.choice([0, 0, 1, 7, 1800]))
        zone = self.random.choice([0, 0, 7 * 60, -5 * 60, 5 * 60 + 45])
        local = self.time.astimezone(datetime.timezone(datetime.timedelta(minutes=zone)))
        sign = "+" if zone >= 0 else "-"
        return (f"{local.day:02}/{MONTHS[local.month - 1]}/{local.year}:{local:%H:%M:%S} "
                f"{sign}{abs(zone) // 60:02}{abs(zone) % 60:02}")

    def line(self, target, method="GET", status=200, protocol=" HTTP/1.1", time=None, page=None):
        """Adds a well-formed line. If `page` is given, the line is a view of that article."""
        address = self.random.choice(ADDRESSES)
        user = self.random.choice(["-", "-", "alice", "mary ann", "[odd] user"])
        text = f'{address} - {user} [{time or self.stamp()}] "{method} {target}{protocol}" {status} '
        text += self.random.choice(["-", "0", "5120"])
        agent = ""
        if self.random.random() < 0.8:
            agent = self.random.choice(list(AGENTS))
            text += f' "{self.random.choice(["-", "https://example.com/?q=1", ""])}" "{agent}"'
        if page is not None:
            self.views[page] += 1
            agent = agent if AGENTS.get(agent) is None else AGENTS[agent]
            self.viewers[page].add((address, agent))
            self.bots += agent == BOT
            self.days[(self.time.strftime("%Y-%m-%d"), page)] += 1
        self.add(text + self.random.choice(["", "", "\r"]), "other" if page is None else "page")

    def page(self):
        path = self.random.choice(list(PAGES)) if self.random.random() < 0.5 else f"/news/{self.random.randrange(200)}"
        target = path + self.random.choice(SUFFIXES)
        if self.random.random() < 0.05:
            target = self.random.choice(["http://www.example.com", "HTTPS://example.com:8443"]) + target
        protocol = self.random.choice([" HTTP/1.1", " HTTP/1.1", " HTTP/2.0", ""])
        self.line(target, status=self.random.choice([200, 200, 304, 203]), protocol=protocol, page=PAGES.get(path) or path)

    def other(self):
        kind = self.random.randrange(4)
        if kind == 0:
            self.line(self.random.choice(NO_PAGES) + self.random.choice(SUFFIXES))
        elif kind == 1:
            self.line("/news/1", method=self.random.choice(["POST", "HEAD", "OPTIONS", "get", "GETX"]))
        elif kind == 2:
            self.line(self.random.choice(["/news/1", "/" + "y" * 600, "*"]),
                      status=self.random.choice([204, 205, 206, 301, 302, 303, 400, 404, 408, 500, 503, 101]))
        else:
            # Servers log such requests for a connection without a request, or for TLS on a plain port.
            request = self.random.choice(["-", r"\x16\x03\x01", ""])
            self.add(f'192.0.2.1 - - [{self.stamp()}] "{request}" {self.random.choice([400, 408])} 0 "-" "-"', "other")

    def bad(self):
        good = f'192.0.2.77 - - [{self.stamp()}] "GET /bad HTTP/1.1" 200 10 "-" "agent"'
        time = good[good.index("[") + 1:good.index("]")]
        path = lambda text: good.encode().replace(b"/bad", text)
        self.add(self.random.choice([
            b"\0" * 300,
            b"\0\0\0" + good.encode(),
            path(b"/b\0ad"),
            good[:20], good[:50], good[:60], good[:good.index('HTTP')], good[:-3],
            good.replace(time, "30/Feb/2024:10:00:00 +0000"),
            good.replace(time, "31/Apr/2024:10:00:00 +0000"),
            good.replace(time, "01/Foo/2024:10:00:00 +0000"),
            good.replace(time, "01/Jan/2024:24:00:00 +0000"),
            good.replace(time, "01/Jan/2024:10:60:00 +0000"),
            good.replace(time, "31/Dec/1969:23:59:59 +0000"),
            good.replace(time, "01/Jan/1970:00:59:59 +0100"),
            good.replace(time, "00/Jan/2024:10:00:00 +0000"),
            good.replace(time, "01/Jan/2024:10:00:00 +9900"),
            good.replace(" 200 ", " 2x0 "), good.replace(" 200 10", " 200 x"), good.replace(" 200 10", ""),
            path(b"/" + b"x" * 512), path(b"/" + "ố".encode() * 200), path(b"bad"), path(b"*"), path(b""),
            "just words", "{}",
        ]), "bad")

    def huge(self, size):
        good = f'192.0.2.78 - - [{self.stamp()}] "GET /huge HTTP/1.1" 200 10 "-" "'
        self.add(good + "z" * size + '"', "bad")


def write(log, directory):
    path = lambda name: os.path.join(directory, name)
    text = b"".join(line + b"\n" for line in log.lines)
    with open(path("access.log"), "wb") as file:
        file.write(text)
    thirds = [text[:len(text) // 3], text[len(text) // 3:len(text) // 2], b"", text[len(text) // 2:]]
    with open(path("access.log.gz"), "wb") as file:
        file.write(b"".join(gzip.compress(part, mtime=0) for part in thirds))
    whole = gzip.compress(text, mtime=0)
    with open(path("cut.log.gz"), "wb") as file:
        file.write(whole[:len(whole) * 2 // 3])
    readable = zlib.decompressobj(wbits=31).decompress(whole[:len(whole) * 2 // 3]).count(b"\n")
    with open(path("expected.cut.tsv"), "w", encoding="utf-8") as file:
        file.write(f"{readable}\t{log.kinds[:readable].count('page')}\n")
    with open(path("expected.tsv"), "w", encoding="utf-8") as file:
        for article, views in sorted(log.views.items()):
            file.write(f"{article}\t{views}\t{len(log.viewers[article])}\n")
    with open(path("expected.bots"), "w", encoding="utf-8") as file:
        file.write(f"{log.bots}\n")
    with open(path("expected.days.tsv"), "w", encoding="utf-8") as file:
        for (day, article), views in sorted(log.days.items()):
            file.write(f"{day}\t{article}\t{views}\n")
    with open(path("expected.lines.tsv"), "w", encoding="utf-8") as file:
        for number, kind in enumerate(log.kinds, 1):
            file.write(f"{number}\t{kind}\n")


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    directory = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    log = Log(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    os.makedirs(directory, exist_ok=True)
    for number in range(count):
        draw = log.random.random()
        if number in (count // 4, count // 2):
            log.huge(1 << 20)
        elif draw < 0.45:
            log.page()
        elif draw < 0.93:
            log.other()
        elif draw < 0.97:
            log.bad()
        else:
            log.add(log.random.choice(["", " ", "\r", "\t"]), "blank")
    write(log, directory)


if __name__ == "__main__":
    main()
