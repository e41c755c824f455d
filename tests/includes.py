#!/usr/bin/env python3
"""Checks that dependencies between the folders of service/ and client/ point one way.

    tests/includes.py

A folder depends on each folder whose headers it includes. Prints the folders in an order in which each one depends
only on those before it; exit code 1 and the includes of a cycle if there is no such order. Exit code 1, too, if
client/cli depends on service/server: the command line must not contain the service.
"""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
FORBIDDEN = {("client/cli", "service/server"), ("client/cpp", "service/server")}


def folder(path):
    return str(pathlib.PurePath(path).parent)


def read():
    """For each folder, the includes of other folders: {folder: {other folder: [file: header]}}."""
    includes = collections.defaultdict(lambda: collections.defaultdict(list))
    for top in ("service", "client"):
        for file in sorted((ROOT / top).rglob("*.h")) + sorted((ROOT / top).rglob("*.cc")):
            name = str(file.relative_to(ROOT))
            for header in re.findall(r'^#include "((?:service|client)/[^"]+)"', file.read_text(), re.MULTILINE):
                if folder(header) != folder(name):
                    includes[folder(name)][folder(header)].append(f"{name}: {header}")
    return includes


def main():
    includes = read()
    failed = False
    for user, used in FORBIDDEN:
        for line in includes[user].get(used, []):
            print(f"{user} must not depend on {used}: {line}")
            failed = True
    order, left = [], set(includes) | {used for uses in includes.values() for used in uses}
    while left:
        free = sorted(name for name in left if not (set(includes[name]) & left - {name}))
        if not free:
            break
        order += free
        left -= set(free)
    print("order:", " ".join(order))
    # Folders that only use a cycle are no part of it.
    while unused := {name for name in left if not any(name in includes[other] for other in left - {name})}:
        left -= unused
    for name in sorted(left):
        for used in sorted(set(includes[name]) & left):
            for line in includes[name][used]:
                print(f"cycle: {name} -> {used}: {line}")
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
