"""Measures everything and reports the results. bench/run.sh builds the required programs and starts it.

    main.py --programs build/release/bin --data build/release/bench-data [--quick] [--only REGEX] [--json FILE]
"""

import argparse
import pathlib
import re
import shutil
import signal
import sys
import time

import context as contexts
import machine
import pictures
import report
import rows

BENCH = pathlib.Path(__file__).resolve().parents[1]


def parse():
    parser = argparse.ArgumentParser(description="Measures the service beside its limits and what people use today.")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help="folder of viewcountd and viewcount_load")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder for data, on a real disk")
    parser.add_argument("--quick", action="store_true", help="shorter turns, fewer rounds; RESULTS.md stays")
    parser.add_argument("--only", metavar="REGEX", default="", help="families: " + ", ".join(rows.FAMILIES))
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all rows there, too")
    return parser.parse_args()


def measure(context, families):
    """Measures all rows. A family that fails is reported, and the other families are still measured."""
    measured, failures = [], []
    for name in families:
        context.progress(f"== {name}")
        try:
            measured += rows.FAMILIES[name](context)
        except Exception as error:  # pylint: disable=broad-except
            failures.append(f"{name}: {error}")
            context.progress(failures[-1])
    return measured, failures


def workload(arguments, context):
    turns = f"{context.rounds} rounds of turns of {context.seconds:g} s"
    return [("date", time.strftime("%Y-%m-%d")), ("turns", turns + (", quick" if arguments.quick else "")),
            ("cores", f"server under test on core {machine.SERVER_CORE}; its load, and the service's Redis, on core "
                      f"{machine.LOAD_CORE}"),
            ("articles", "IDs of 25 bytes, drawn by Zipf's law with exponent 1 where nothing else is said")]


def write_results(measured, description, context):
    for curve in context.curves:
        pictures.draw(curve, BENCH / "results")
    named = [(curve.title, curve.file) for curve in context.curves]
    # The remarks explain what prevents the service from reaching targets. No run can find that out by itself.
    remarks = (BENCH / "REMARKS.md").read_text()
    (BENCH / "RESULTS.md").write_text(report.markdown(measured, description, named, remarks))


def main():
    arguments = parse()
    # The exit on SIGTERM also ends the servers, whatever process sent the signal.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    families = [name for name in rows.FAMILIES if re.search(arguments.only, name)]
    if not families:
        sys.exit(f"main.py: --only {arguments.only} matches none of {', '.join(rows.FAMILIES)}")
    arguments.data.mkdir(parents=True, exist_ok=True)
    seconds, rounds = (1.5, 2) if arguments.quick else (5, 5)
    context = contexts.Context(arguments.programs, arguments.data.resolve(), seconds, rounds, arguments.quick)
    description = machine.describe(BENCH, arguments.data) + workload(arguments, context)
    try:
        measured, failures = measure(context, families)
    finally:
        shutil.rmtree(arguments.data, ignore_errors=True)
    print("\n".join(f"{name}: {text}" for name, text in description) + "\n\n" + report.table(measured))
    if arguments.json:
        arguments.json.write_text(report.as_json(measured))
    # Only a complete run may replace the results.
    if not arguments.quick and len(families) == len(rows.FAMILIES) and not failures:
        write_results(measured, description, context)
    if failures:
        sys.exit("\n".join(["", "Not measured:", *failures]))


if __name__ == "__main__":
    main()
