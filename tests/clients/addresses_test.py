"""Every client library reaches viewcountd at every kind of address that it can listen on.

Run by ctest: addresses_test.py BUILD/bin/viewcountd JSON. The JSON contains the command line of each client.
"""

import concurrent.futures
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import service  # noqa: E402

DAEMON = None
CLIENTS = None
SECONDS_MAX = 30
CLIENTS_AT_ONCE = 2
# Netty needs a native library for UNIX sockets, and connect takes only URLs.
WITHOUT_UNIX_SOCKETS = ("java", "connect")
# This case counts nothing, so every client can run it again.
CASES = "reflection"


class AddressesTest(unittest.TestCase):
    def reach(self, name, address):
        """Runs a client's cases at the address. Returns the error, or None."""
        done = subprocess.run([*CLIENTS[name], address], env=os.environ | {"CASES": CASES}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        passed = done.returncode == 0 and done.stdout.count("passed") == 1
        return None if passed else f"{name} at {address}: {done.stdout[:1000]}{done.stderr[:1000]}"

    def check(self, listen, targets, names):
        """Checks that a service listening at `listen` is reached at each target. {port} in a target is its port."""
        with tempfile.TemporaryDirectory(prefix="viewcount-addresses-") as data_dir:
            running = service.Service(DAEMON, data_dir)
            running.grpc_address = listen.format(folder=data_dir)
            with running:
                port = running.address("grpc").rpartition(":")[2]
                runs = [(name, target.format(port=port, folder=data_dir)) for name in names for target in targets]
                with concurrent.futures.ThreadPoolExecutor(CLIENTS_AT_ONCE) as threads:
                    faults = list(threads.map(lambda run: self.reach(*run), runs))
                faults += running.end()
        self.assertEqual([fault for fault in faults if fault], [])

    def test_all_interfaces_of_both_families(self):
        self.check("[::]:0", ["127.0.0.1:{port}"], ["python", "go"])
        self.check("[::]:0", ["[::1]:{port}"], CLIENTS)

    def test_all_interfaces(self):
        self.check("0.0.0.0:0", ["127.0.0.1:{port}"], ["python", "grpc_js"])

    def test_a_host_name_with_all_its_addresses(self):
        # Machines differ in whether the name has an IPv6 address.
        found = {entry[4][0] for entry in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)}
        hosts = [f"[{host}]" if ":" in host else host for host in found]
        self.check("localhost:0", [host + ":{port}" for host in ["localhost", *hosts]], ["python", "go"])

    def test_unix_sockets(self):
        names = [name for name in CLIENTS if name not in WITHOUT_UNIX_SOCKETS]
        self.check("unix:{folder}/grpc.sock", ["unix:{folder}/grpc.sock"], names)


if __name__ == "__main__":
    CLIENTS = json.loads(sys.argv.pop())
    DAEMON = sys.argv.pop()
    unittest.main(verbosity=2)
