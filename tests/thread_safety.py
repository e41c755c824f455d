#!/usr/bin/env python3
"""Checks with clang that the code of service/ and client/ holds a mutex wherever an annotation requires it.

    tests/thread_safety.py [BUILD]     # BUILD is a built release build, build/release by default

service/base/mutex.h says how mutexes and members are annotated. Exit code 1 if clang's thread safety analysis reports
anything, or if a file has a mutex without annotations.

Nothing is compiled. Clang reads all sources of the folders that have mutexes, with the options of the build's
compile_commands.json. Most of its time would go into headers. So it reads the headers that several folders include
only once, into a precompiled header. The check takes about a minute on two cores.
"""

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
CLANG = "clang++-19"
# Other warnings are left to the build. Templates of the precompiled header are instantiated there, and not once more
# for each source.
OPTIONS = ["-std=c++20", "-pthread", "-Wno-everything", "-Wthread-safety", "-Werror=thread-safety",
           "-fpch-instantiate-templates"]

# The mutexes of the standard library have no annotations, and neither have its locks on them.
UNANNOTATED = re.compile(r"^(?! *//).*\bstd::(?:\w*mutex \w|lock_guard|scoped_lock|shared_lock)", re.MULTILINE)
WRAPPER = "service/base/mutex.h"
INCLUDE = re.compile(r'^#include (<.+>|".+")', re.MULTILINE)
MUTEX = f'"{WRAPPER}"'


def own_files():
    """The files of service/ and client/, and for each of them the headers that it includes, as they are included."""
    files = [path for top in ("service", "client") for path in (ROOT / top).rglob("*.[hc]*")]
    return {path: INCLUDE.findall(path.read_text()) for path in files
            if path.suffix in (".h", ".cc") and "examples" not in path.parts}


def is_checked(source, build, own):
    """True if one of the source's folders has mutexes. CMake joins several sources of a library to one."""
    joined = [source]
    if any(source.is_relative_to(build / top) for top in ("service", "client")):
        joined = [pathlib.Path(name.strip('"')) for name in INCLUDE.findall(source.read_text())]
    folders = {path.parent for path in joined if path in own}
    return any(MUTEX in includes for path, includes in own.items() if path.parent in folders)


def read_commands(build, own):
    """The sources to check, and the definitions and include folders of all of them together."""
    sources, options = {}, {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if not is_checked(pathlib.Path(entry["file"]), build, own):
            continue
        sources[entry["file"]] = None
        words = shlex.split(entry["command"])
        for i, word in enumerate(words):
            if word.startswith(("-D", "-I")):
                options[word] = None
            elif word == "-isystem":
                options[f"-isystem{words[i + 1]}"] = None
    return list(sources), list(options)


def shared_headers(own):
    """The headers that more than one folder includes."""
    folders = {}
    for path, includes in own.items():
        for name in includes:
            folders.setdefault(name, set()).add(path.parent)
    return sorted(name for name, users in folders.items() if len(users) > 1)


def unannotated(own):
    """One line for each place with a mutex or a lock that the analysis does not know."""
    lines = []
    for path in own:
        name = str(path.relative_to(ROOT))
        for found in UNANNOTATED.finditer(path.read_text()) if name != WRAPPER else ():
            number = path.read_text().count("\n", 0, found.start()) + 1
            lines.append(f"{name}:{number}: use Mutex and MutexLock of service/base/mutex.h\n")
    return lines


def run(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def precompile(command, headers, folder):
    """Makes the precompiled header and returns its path."""
    header = folder / "shared.h"
    header.write_text("".join(f"#include {name}\n" for name in headers))
    made = run([*command, "-x", "c++-header", header, "-o", folder / "shared.pch"])
    if made.returncode != 0:
        print(made.stdout, end="")
        sys.exit("thread_safety.py: the headers have errors")
    return folder / "shared.pch"


def check(command, precompiled, source):
    """Returns what clang reports, or nothing if it has no objection."""
    found = run([*command, "-fsyntax-only", "-include-pch", precompiled, source])
    if found.returncode != 0:
        # A name of the source may be ambiguous next to those of the other folders, so its own headers decide.
        found = run([*command, "-fsyntax-only", source])
    return found.stdout if found.returncode != 0 else ""


def main():
    if "--help" in sys.argv or len(sys.argv) > 2:
        print(__doc__)
        return 0 if "--help" in sys.argv else 2
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release").resolve()
    if shutil.which(CLANG) is None:
        sys.exit(f"thread_safety.py: {CLANG} is missing; run: deploy/install_packages.sh tests/packages.txt")
    if not (build / "compile_commands.json").exists():
        sys.exit(f"thread_safety.py: no build in {build}; run: tests/run.sh --quick")
    own = own_files()
    sources, options = read_commands(build, own)
    if not sources:
        sys.exit(f"thread_safety.py: {build} builds nothing of service/ and client/")
    command = [CLANG, *OPTIONS, *options]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        precompiled = precompile(command, shared_headers(own), pathlib.Path(folder))
        found = list(pool.map(lambda source: check(command, precompiled, source), sources))
    errors = unannotated(own) + [output for output in found if output]
    print("".join(errors), end="")
    print(f"thread safety: {len(sources)} sources {'not ' if errors else ''}in order")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
