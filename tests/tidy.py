#!/usr/bin/env python3
"""Checks sources of service/ and client/ with clang-tidy; .clang-tidy has the checks.

    tests/tidy.py [--build BUILD]             # the sources that the newest commits changed, in two folders
    tests/tidy.py [--build BUILD] FILE.cc…    # these sources
    tests/tidy.py [--build BUILD] --all       # every source; takes about half an hour on two cores

BUILD is a built release build, build/release by default. Sources with uncommitted changes count as the newest ones.
Exit code 1 if clang-tidy reports anything.

Most of the time goes into headers of libraries. So sources that the unity build joins are read together, in its order.
"""

import argparse
import concurrent.futures
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = "clang-tidy-19"
FOLDERS_MAX = 2
CHECKED = ("service", "client")
SOURCES_MAX = 12
# clang does not know some options of g++.
OPTIONS = ["-std=c++20", "-pthread", "-Wno-everything"]
INCLUDED = re.compile(r'^#include "(.+)"', re.MULTILINE)


def git(*words):
    return subprocess.run(["git", "-c", "safe.directory=*", *words], cwd=ROOT, check=True, stdout=subprocess.PIPE,
                          text=True).stdout.splitlines()


def options_of_sources(build):
    """By its path below ROOT, for each source in the order of its batch: the batch, definitions and include folders."""
    options = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"])
        joined = [source]
        if source.is_relative_to(build) and source.name.startswith("unity_"):
            joined = [pathlib.Path(name) for name in INCLUDED.findall(source.read_text())]
        words = shlex.split(entry["command"])
        kept = [word for word in words if word.startswith(("-D", "-I"))]
        kept += [f"-isystem{words[i + 1]}" for i, word in enumerate(words) if word == "-isystem"]
        for path in joined:
            if any(path.is_relative_to(ROOT / top) for top in CHECKED):
                options[str(path.relative_to(ROOT))] = (str(source), kept)
    return options


def newest_sources(known):
    """The sources that were changed last, in FOLDERS_MAX folders."""
    changed = git("diff", "--name-only", "HEAD") + git("ls-files", "--others", "--exclude-standard")
    changed += git("log", "--max-count=100", "--format=", "--name-only")
    folders = {}
    for name in changed:
        folder = pathlib.Path(name).parent
        if name not in known or not (ROOT / name).exists() or (folder not in folders and len(folders) == FOLDERS_MAX):
            continue
        group = folders.setdefault(folder, [])
        if name not in group and len(group) < SOURCES_MAX:
            group.append(name)
    return [name for group in folders.values() for name in group]


def groups_of(names, known):
    """Lists of sources that are read together: those of one batch, in its order."""
    batches = {}
    for name in (name for name in known if name in names):
        batches.setdefault(known[name][0], []).append(name)
    for members in batches.values():
        yield members, known[members[0]][1]


def check(number, members, options, folder):
    """Returns what clang-tidy reports about a group, or nothing if it has no objection."""
    # The file lies beside no .clang-tidy, so the settings are named.
    joined = folder / f"group_{number}.cc"
    joined.write_text("".join(f'#include "{ROOT / name}"\n' for name in members))
    # The main file consists of includes, so what is reported is in a "header" for clang-tidy.
    command = [PROGRAM, "--quiet", f"--config-file={ROOT / '.clang-tidy'}", str(joined), "--", *OPTIONS, *options]
    found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return found.stdout if found.returncode != 0 else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="a built release build")
    parser.add_argument("--all", action="store_true", help="check every source")
    parser.add_argument("files", nargs="*", metavar="FILE.cc", help="check these sources")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    if shutil.which(PROGRAM) is None:
        sys.exit(f"tidy.py: {PROGRAM} is missing; run: deploy/install_packages.sh tests/packages.txt")
    if not (build / "compile_commands.json").exists():
        sys.exit(f"tidy.py: no build in {build}; run: tests/run.sh --quick")
    known = options_of_sources(build)
    names = [str(pathlib.Path(name).resolve().relative_to(ROOT)) for name in arguments.files]
    for name in names:
        if name not in known:
            sys.exit(f"tidy.py: {name} is not compiled by {build}; a build with -DVIEWCOUNT_TESTS=ON has all sources")
    if not names:
        names = sorted(known) if arguments.all else newest_sources(known)
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = [pool.submit(check, number, members, options, pathlib.Path(folder))
                   for number, (members, options) in enumerate(groups_of(names, known))]
        found = [task.result() for task in running]
    print("".join(found), end="")
    print("\n".join(names))
    print(f"clang-tidy: {len(names)} sources {'not ' if any(found) else ''}in order")
    return 1 if any(found) or not names else 0


if __name__ == "__main__":
    sys.exit(main())
