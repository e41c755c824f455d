#!/usr/bin/env python3
"""Measures an export and an import of 10,000,000 counts, and proves that nothing is lost or counted twice.

It makes a snapshot of ARTICLES articles with 25 counts each: of all time, of 16 days and of 8 hours. It imports the
snapshot into a service, exports that service, imports the export into a second one, and exports that one. The sorted
exports must be equal, and audits must agree. It prints the time and the peak memory of each step.

    bench/history/transfer.py build/release/bin [ARTICLES]

400,000 articles need some 4 GB of memory for both Redis, and 1 GB in TMPDIR.
"""

import datetime
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "support"))

import service  # noqa: E402

DAYS, HOURS = 16, 8
COUNTS = 1 + DAYS + HOURS


def make_snapshot(path, articles):
    """Writes a snapshot whose counts are all different from 0."""
    now = datetime.datetime.now(datetime.timezone.utc)
    days = [(now - datetime.timedelta(days=day)).strftime("%Y-%m-%d") for day in reversed(range(DAYS))]
    hours = [(now - datetime.timedelta(hours=hour)).strftime("%Y-%m-%dT%H") for hour in reversed(range(HOURS))]
    views = 0
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"viewcountSnapshot":1,"site":"demo","timeZone":"UTC","earlierTimeZones":{},'
                   f'"time":"{now.strftime("%Y-%m-%dT%H:%M:%SZ")}"}}\n')
        for article in range(articles):
            each = article % 997 + 1
            of_days = ",".join(f'"{day}":{each + number}' for number, day in enumerate(days))
            of_hours = ",".join(f'"{hour}":{each % 7 + number + 1}' for number, hour in enumerate(hours))
            total = DAYS * each + DAYS * (DAYS - 1) // 2
            views += total
            file.write(f'{{"articleId":"/news/2026/article-{article}","views":{total},"botViews":0,'
                       f'"days":{{{of_days}}},"hours":{{{of_hours}}}}}\n')
        file.write(f'{{"end":{{"rows":{articles},"views":{views},"aliases":0,"announced":0}}}}\n')


def megabytes(text, name):
    return int(re.search(rf"{name}:\s+(\d+) kB", text)[1]) / 1024


def peaks(running):
    """Returns the peak memory of a service and of its Redis in MB."""
    pids = [running._process.pid] + running.descendants()
    values = {}
    for pid in pids:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        name = re.search(r"Name:\s+(\S+)", status)[1]
        values[name] = max(values.get(name, 0), megabytes(status, "VmHWM"))
    return ", ".join(f"{name} {value:,.0f} MB" for name, value in values.items())


def step(title, counts, arguments, output=subprocess.DEVNULL):
    """Runs the command, and prints its time and its peak memory."""
    begun = time.monotonic()
    process = subprocess.Popen(arguments, stdout=output)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begun
    if process.returncode != 0:
        raise RuntimeError(f"{title}: exit code {process.returncode}")
    print(f"{title}: {seconds:.1f} s, {counts / seconds:,.0f} counts/s, command {usage.ru_maxrss / 1024:,.0f} MB",
          flush=True)


def sorted_lines(path, folder):
    """Returns the hash of the lines of an export after the first, in order."""
    command = f"tail -n +2 '{path}' | LC_ALL=C sort -S 512M -T '{folder}' | sha256sum"
    return subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout


def main():
    binaries = pathlib.Path(sys.argv[1])
    articles = int(sys.argv[2]) if len(sys.argv) > 2 else 400_000
    counts = articles * COUNTS
    print(f"{articles:,} articles with {COUNTS} counts each: {counts:,} counts", flush=True)
    with tempfile.TemporaryDirectory(prefix="viewcount-transfer-") as folder:
        made = os.path.join(folder, "made.jsonl")
        make_snapshot(made, articles)
        print(f"snapshot: {os.path.getsize(made) / 1e6:,.0f} MB", flush=True)
        exports = []
        source = made
        for number in (1, 2):
            data = os.path.join(folder, f"data{number}")
            os.mkdir(data)
            with service.Service(str(binaries / "viewcountd"), data) as running:
                command = [str(binaries / "viewcount"), "--server", running.address("grpc"), "--timeout", "600"]
                print(f"service {number}, empty: {peaks(running)}")
                step(f"import into service {number}", counts, command + ["import", "counts", source])
                step(f"flush of service {number}", counts, command + ["flush"])
                print(f"service {number}, after the import: {peaks(running)}")
                step(f"repeated import into service {number}", counts, command + ["import", "counts", source])
                export = os.path.join(folder, f"export{number}.jsonl")
                with open(export, "w", encoding="utf-8") as output:
                    step(f"export of service {number}", counts, command + ["export", "--full"], output)
                print(f"service {number}, after the export: {peaks(running)}")
                step(f"audit of service {number}", counts, command + ["audit"])
                exports.append(export)
                source = export
        hashes = [sorted_lines(path, folder) for path in exports]
        same = sorted_lines(made, folder)
        print("the exports are equal" if hashes[0] == hashes[1] else "THE EXPORTS DIFFER")
        print("the first export has the rows that were made" if hashes[0].split()[0] == same.split()[0]
              else "the first export is not written as the made snapshot is")
        return 0 if hashes[0] == hashes[1] else 1


if __name__ == "__main__":
    sys.exit(main())
