"""Proves that the files in deploy/ match the program.

Alerts fire when they should, the systemd unit is valid, and RUNBOOK.md explains every message.
Run by ctest with the program's path: deploy_test.py BUILD/bin/viewcountd
"""

import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PROGRAM = None


def run(*words):
    """Runs a command, and returns its exit code and all of its output."""
    answer = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return answer.returncode, answer.stdout


class AlertsTest(unittest.TestCase):
    def test_rules_are_valid(self):
        code, output = run("promtool", "check", "rules", str(DEPLOY / "alerts.yml"))
        self.assertEqual(code, 0, output)

    def test_alerts_fire_when_they_should(self):
        code, output = run("promtool", "test", "rules", str(pathlib.Path(__file__).parent / "alerts_test.yml"))
        self.assertEqual(code, 0, output)


class UnitTest(unittest.TestCase):
    def setUp(self):
        self.unit = (DEPLOY / "viewcountd.service").read_text()

    def value(self, key):
        found = re.findall(f"^{key}=(.*)$", self.unit, re.MULTILINE)
        self.assertEqual(len(found), 1, key)
        return found[0]

    def test_systemd_accepts_it(self):
        # systemd-analyze also checks that the program exists, and it is not installed anywhere yet.
        words = shlex.split(self.value("ExecStart"))
        with tempfile.TemporaryDirectory(prefix="viewcount-unit-") as folder:
            unit = pathlib.Path(folder) / "viewcountd.service"
            unit.write_text(self.unit.replace(words[0], str(pathlib.Path(PROGRAM).resolve())))
            code, output = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit))
            self.assertEqual((code, output), (0, ""))
            # This check finds more than errors: settings that systemd does not understand, and settings that protect
            # too little.
            code, output = run("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=30", str(unit))
            self.assertEqual(code, 0, output)

    def test_systemd_accepts_the_unit_of_imports(self):
        # The test has viewcountd alone. systemd-analyze checks only that there is a program.
        text = (DEPLOY / "viewcount-import.service").read_text()
        with tempfile.TemporaryDirectory(prefix="viewcount-unit-") as folder:
            unit = pathlib.Path(folder) / "viewcount-import.service"
            unit.write_text(text.replace("/usr/local/bin/viewcount", str(pathlib.Path(PROGRAM).resolve())))
            code, output = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit))
            self.assertEqual((code, output), (0, ""))
            code, output = run("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=30", str(unit))
            self.assertEqual(code, 0, output)

    def test_the_program_accepts_its_flags(self):
        flags = shlex.split(self.value("ExecStart"))[1:]
        code, output = run(PROGRAM, *flags, "--check-config")
        self.assertEqual(code, 0, output)
        self.assertIn(f'data-dir = "/var/lib/{self.value("StateDirectory")}"', output)

    def test_it_waits_for_an_orderly_stop(self):
        limits = (ROOT / "service" / "base" / "limits.h").read_text()
        stop_wait_ms = int(re.search(r"kStopWait\{([0-9']+)\}", limits)[1].replace("'", ""))
        delay = re.search(r"--shutdown-delay (\d+)s", self.value("ExecStart"))
        stop_wait_ms += int(delay[1]) * 1000
        self.assertGreater(int(self.value("TimeoutStopSec").removesuffix("s")) * 1000, stop_wait_ms)
        self.assertEqual(self.value("KillMode"), "mixed")

    def test_a_reload_sends_the_signal_that_the_program_takes(self):
        self.assertRegex(self.value("ExecReload"), r"kill -HUP \$MAINPID$")

    def test_it_does_not_start_again_what_cannot_start(self):
        codes = (ROOT / "service" / "server" / "stop_signal.h").read_text()
        final = [re.search(rf"{name} = (\d+)", codes)[1] for name in ("kExitUsage", "kExitFenced")]
        self.assertEqual(self.value("RestartPreventExitStatus").split(), final)


class RunbookTest(unittest.TestCase):
    def setUp(self):
        self.text = (DEPLOY / "RUNBOOK.md").read_text()
        self.headings = re.findall("^##+ (.*)$", self.text, re.MULTILINE)
        # The anchors are formed as GitHub forms them.
        self.anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in self.headings}

    def labels(self, metric):
        golden = (ROOT / "tests" / "unit" / "metrics" / "golden_metrics.txt").read_text()
        return re.findall(f'^{metric}{{.*="(.*)"}}$', golden, re.MULTILINE)

    def test_links_lead_somewhere(self):
        alerts = re.findall(r"RUNBOOK\.md#([\w-]+)", (DEPLOY / "alerts.yml").read_text())
        self.assertGreaterEqual(len(alerts), 4)
        links = re.findall(r"\]\(#([\w-]+)\)", self.text)
        self.assertEqual([link for link in alerts + links if link not in self.anchors], [])

    def test_every_alert_reason_and_kind_has_an_entry(self):
        alerts = re.findall(r"alert: (\w+)", (DEPLOY / "alerts.yml").read_text())
        self.assertEqual([alert for alert in alerts if alert not in self.headings], [])
        for metric in ("viewcount_views_rejected_total", "viewcount_flush_errors_total"):
            labels = self.labels(metric)
            self.assertGreater(len(labels), 4)
            self.assertEqual([label for label in labels if f"\n| `{label}` |" not in self.text], [])

    def test_every_exit_code_has_an_entry(self):
        codes = re.findall(r"kExit\w+ = (\d+)", (ROOT / "service" / "server" / "stop_signal.h").read_text())
        self.assertGreaterEqual(len(codes), 5)
        self.assertEqual([code for code in codes if f"\n| {code} |" not in self.text], [])

    # Log lines and refusals whose text is built in another file, by file, with the quote that RUNBOOK.md must contain
    # for them.
    PASSED_ON = {
        "main.cc": "ignored the unknown environment variable",
        "server/server.cc": "this data directory was copied and started twice",
        "lane/fenced_cursors.cc": "cannot open",
        "store/redis/redis_store.cc": "this Redis keeps nothing on disk",
        # The text may also be that Redis `refuses writes with` a word.
        "store/redis/redis_store_watch.cc": "this Redis keeps nothing on disk",
        "config/raw_settings.cc": "cannot read",
        "config/settings.cc": 'must be …, not "…"',
    }
    # All messages that can refuse a start are in these files.
    REFUSING = ("base/address_ranges.cc", "base/listen.cc", "base/redis_address.cc", "config", "http/file_routes.cc",
                "http/server.cc", "http/tls.cc", "grpc/http2/grpc_server.cc", "journal/segments.cc", "lane/checkpoint.cc",
                "lane/lane_directory.cc", "lane/refold.cc", "lane/replay.cc", "instance/data_set_file.cc",
                "store/embedded", "store/redis/append_only_seal.cc", "store/redis/preflight.cc")
    LITERALS = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
    # Shorter quotes are ignored, because they could be words of any message.
    LINE_QUOTE_MIN, REFUSAL_QUOTE_MIN = 13, 8
    TEXT_MIN = 8

    def messages(self, paths, call):
        """Returns the constant parts of each message that the files pass to a function that matches `call`."""
        found = []
        for path in paths:
            for match in re.finditer(call + r"\(\s*(?:fmt::format\(\s*)?" + self.LITERALS, path.read_text()):
                text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match[1])).replace('\\"', '"')
                found.append((str(path.relative_to(ROOT / "service")), text))
        return found

    def without_entry(self, messages, quote_min):
        """Returns the messages of which RUNBOOK.md quotes nothing. A quote may replace the varying parts by …."""
        quotes = [quote.strip() for quote in re.findall("`([^`\n]*)`", self.text)]
        patterns = [".*".join(re.escape(part) for part in quote.split("…")) for quote in quotes
                    if len(quote.replace("…", "")) >= quote_min and " " in quote.strip("… ")]
        missing = []
        for path, text in messages:
            constants = re.sub(r"\{[^}]*\}", "\0", text)
            if len(re.sub(r"\W", "", constants)) < self.TEXT_MIN:
                if self.PASSED_ON.get(path) not in quotes:
                    missing.append((path, text))
            elif not any(re.search(pattern, constants) for pattern in patterns):
                missing.append((path, text))
        return missing

    def test_every_line_of_the_log_has_an_entry(self):
        sources = sorted((ROOT / "service").rglob("*.cc"))
        lines = self.messages(sources, r"spdlog::(?:warn|error|critical)")
        calls = sum(len(re.findall(r"spdlog::(?:warn|error|critical)\(", path.read_text())) for path in sources)
        self.assertEqual(len(lines), calls, "a line that begins with something else than its text")
        self.assertGreater(len(lines), 40)
        self.assertEqual(self.without_entry(lines, self.LINE_QUOTE_MIN), [])
        # The check reports a line that has no entry.
        self.assertEqual(len(self.without_entry([("x.cc", "lane {}: nobody knows it, trying again: {}")],
                                                self.LINE_QUOTE_MIN)), 1)

    def test_every_refusal_of_the_start_has_an_entry(self):
        paths = [path for name in self.REFUSING for path in sorted((ROOT / "service" / name).rglob("*.cc"))
                 or [ROOT / "service" / name]]
        refusals = self.messages(paths, r"absl::\w+Error")
        self.assertGreater(len(refusals), 40)
        self.assertEqual(self.without_entry(refusals, self.REFUSAL_QUOTE_MIN), [])

    def test_headings_quote_what_the_program_says(self):
        sources = "".join(path.read_text() for path in sorted((ROOT / "service").rglob("*.cc")))
        # Long literals continue over several lines.
        sources = re.sub(r'"\s*\n\s*"', "", sources)
        quotes = [quote for heading in self.headings for quote in re.findall("`([^`]*)`", heading)]
        self.assertGreater(len(quotes), 20)
        # Redis' own messages follow "Redis: ".
        own = [quote for quote in quotes if not re.fullmatch("Redis: [A-Z]+", quote)]
        self.assertEqual([quote for quote in own if quote not in sources], [])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
