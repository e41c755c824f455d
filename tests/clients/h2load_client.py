"""Runs h2load on a method that gRPC's own server answers. h2load is a plain HTTP/2 client, not a gRPC client.

Run by clients_test.py: h2load_client.py ADDRESS
"""

import pathlib
import re
import subprocess
import sys
import tempfile

from cases import Cases

CASES = Cases()
CALLS = 20_000
SECONDS_MAX = 60


def load(address, stream_window_bits):
    """Checks that every call is answered. A stream's window has 2^bits - 1 bytes, the connection's is the default."""
    with tempfile.TemporaryDirectory(prefix="viewcount-h2load-") as folder:
        message = pathlib.Path(folder) / "message"
        # gRPC's framing of an empty message.
        message.write_bytes(bytes(5))
        done = subprocess.run(
            ["h2load", "--requests", str(CALLS), "--clients", "2", "--max-concurrent-streams", "1000",
             "--window-bits", str(stream_window_bits), "--connection-window-bits", "16", "--data", str(message),
             "--header", "content-type: application/grpc", "--header", "te: trailers",
             f"http://{address}/viewcount.v1.AdminService/GetStatus"],
            capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    found = re.search(r"requests: (\d+) total, .* (\d+) succeeded, (\d+) failed, (\d+) errored", said)
    assert found and [int(number) for number in found.groups()] == [CALLS, CALLS, 0, 0], said
    assert f"status codes: {CALLS} 2xx" in said, said


@CASES.add
def first_windows(address):
    load(address, 16)


@CASES.add
def small_windows(address):
    load(address, 10)


@CASES.add
def windows_of_seven_bytes(address):
    load(address, 3)


if __name__ == "__main__":
    sys.exit(CASES.run(sys.argv[1], lambda: None))
