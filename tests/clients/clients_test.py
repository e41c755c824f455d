"""Runs one client program against its own viewcountd, and stops viewcountd while the client holds its last streams.

Run by ctest: clients_test.py BUILD/bin/viewcountd PROGRAM [WORD…]. The program gets the service's gRPC address as its
last argument. README.md describes the program's behaviour.
"""

import pathlib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402

CLIENT_SECONDS_MAX = 100
# Includes the flush and the end of the embedded Redis.
STOP_SECONDS_MAX = 3
# The memory that viewcountd may use when a client's calls have ended. 60,000 calls that leave 20 KB each would exceed
# it.
RESIDENT_BYTES_MAX = 1 << 30


def run_client(words, running):
    """Runs the program, and stops the service once the program holds its last streams. Returns the list of faults."""
    faults = []
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as client:
        killer = threading.Timer(CLIENT_SECONDS_MAX, client.kill)
        killer.start()
        try:
            holding = False
            for line in client.stdout:
                print(line, end="", flush=True)
                holding = line == "holding\n"
                if holding:
                    break
            if holding:
                resident = running.resident_bytes()
                print(f"viewcountd has {resident >> 20} MiB", flush=True)
                if resident > RESIDENT_BYTES_MAX:
                    faults.append("viewcountd has too much memory")
                began = time.monotonic()
                faults += running.end(STOP_SECONDS_MAX)
                print(f"viewcountd took {time.monotonic() - began:.2f} s to stop", flush=True)
            client.stdin.close()
            for line in client.stdout:
                print(line, end="", flush=True)
            code = client.wait()
        finally:
            killer.cancel()
            client.kill()
    if not holding:
        faults.append(f"the client ended with {code} before it had run all cases")
    elif code != 0:
        faults.append(f"the client ended with {code}")
    return faults


def main(daemon, *words):
    with tempfile.TemporaryDirectory(prefix="viewcount-clients-") as data_dir:
        running = service.Service(daemon, data_dir)
        with running:
            faults = run_client([*words, running.address("grpc")], running)
            faults += running.end(STOP_SECONDS_MAX)
        if not faults:
            return 0
        print(f"viewcountd's log:\n{running.log()}")
        for fault in faults:
            print(f"FAILED: {fault}", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
