"""Measures the cost of `write` + `fdatasync` on this disk, which is the least that an acknowledgement waits for.

    sync_cost.py FOLDER [--seconds 1]

Each size uses a file that was written before, because the journal allocates its segments in advance. Each write follows
the last one, so only data has to reach the disk. Prints JSON: bytes → {count, p50, p99} in µs.
"""

import argparse
import json
import os
import pathlib
import tempfile
import time

SIZES = (4 << 10, 64 << 10, 1 << 20)
FILE_BYTES = 64 << 20


def measure(folder, size, seconds):
    """Returns the sorted durations in µs of as many writes as fit in the time."""
    data = os.urandom(size)
    durations = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        descriptor = file.fileno()
        for _ in range(FILE_BYTES >> 20):
            os.write(descriptor, bytes(1 << 20))
        os.fdatasync(descriptor)
        os.lseek(descriptor, 0, os.SEEK_SET)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if os.lseek(descriptor, 0, os.SEEK_CUR) + size > FILE_BYTES:
                os.lseek(descriptor, 0, os.SEEK_SET)
            begun = time.perf_counter_ns()
            os.write(descriptor, data)
            os.fdatasync(descriptor)
            durations.append((time.perf_counter_ns() - begun) / 1000)
    return sorted(durations)


def main():
    parser = argparse.ArgumentParser(description="What write + fdatasync cost, by size.")
    parser.add_argument("folder", type=pathlib.Path, help="a folder on the disk to measure")
    parser.add_argument("--seconds", type=float, default=1, help="for how long, per size (default: 1)")
    arguments = parser.parse_args()
    result = {}
    for size in SIZES:
        durations = measure(arguments.folder, size, arguments.seconds)
        result[size] = {"count": len(durations), "p50": durations[len(durations) // 2],
                        "p99": durations[len(durations) * 99 // 100]}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
