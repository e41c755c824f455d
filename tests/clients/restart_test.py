"""Restarts servers that clients use. If gRPC's own server fails no call, viewcountd must not fail one either.

Both servers run in turn, with the same load from the same programs.

Run by ctest: restart_test.py BUILD/bin/viewcountd BUILD/bin/peer_server BUILD/bin/idle_client BUILD/bin/rolling_load
"""

import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import messages  # noqa: E402
import service  # noqa: E402

MESSAGES = messages.generate()

from grpc_stubs import Stubs  # noqa: E402
from peer import Peer  # noqa: E402
from viewcount.v1 import query_pb2  # noqa: E402

DAEMON = None
PEER = None
IDLE = None
LOAD = None
SECONDS_MAX = 30
STOP_SECONDS_MAX = 3
IDLE_CLIENTS = 5
IDLE_ROUNDS = 2
ROLLING_ROUNDS = 2
# The time for which a server carries load before it stops.
ROLLING_SECONDS = 0.5
# The number of connections that rolling_load makes to each server.
LOAD_CONNECTIONS = 4


def connections_to(port):
    """Returns how many TCP connections a server on the port has now."""
    # gRPC's server listens with an IPv6 socket for IPv4 addresses, too.
    lines = [line.split() for name in ("tcp", "tcp6")
             for line in pathlib.Path("/proc/net", name).read_text().splitlines()[1:]]
    established = "01"
    return sum(1 for line in lines if int(line[1].rpartition(":")[2], 16) == port and line[3] == established)


class RestartTest(unittest.TestCase):
    def start(self, kind, program):
        """Starts a server of the kind. Later starts use the same address as the first one."""
        data_dir = tempfile.TemporaryDirectory(prefix="viewcount-restart-")
        self.addCleanup(data_dir.cleanup)
        server = kind(program, data_dir.name)
        self.enterContext(server)
        server.grpc_address = server.address("grpc")
        return server

    def restart(self, server):
        self.assertEqual(server.end(STOP_SECONDS_MAX), [], server.log())
        server.start()

    def run_program(self, *words):
        """Starts the program with pipes. It ends when its input ends."""
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, SECONDS_MAX)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdin.close)
        return process

    @staticmethod
    def say(process, word):
        process.stdin.write(word + "\n")
        process.stdin.flush()

    def idle_answers(self, server, clients):
        """Returns the results of idle clients' first calls after a restart."""
        for client in clients:
            self.say(client, "ask")
        # gRPC's library writes a ping 0.1 s after large answers, and reads nothing until the next call. So the server
        # is stopped immediately.
        for client in clients:
            self.assertEqual(client.stdout.readline(), "idle\n")
        self.restart(server)
        for client in clients:
            self.say(client, "ask again")
        return [client.stdout.readline() for client in clients]

    def test_idle_clients_lose_no_call(self):
        servers = {"viewcountd": self.start(service.Service, DAEMON), "peer": self.start(Peer, PEER)}
        clients = {name: [self.run_program(IDLE, server.grpc_address) for _ in range(IDLE_CLIENTS)]
                   for name, server in servers.items()}
        answers = {name: [] for name in servers}
        for _ in range(IDLE_ROUNDS):
            for name, server in servers.items():
                answers[name] += self.idle_answers(server, clients[name])
        self.assertEqual(answers["peer"], ["ok\n"] * (IDLE_CLIENTS * IDLE_ROUNDS), "the test itself is wrong")
        self.assertEqual(answers["viewcountd"], answers["peer"])

    def wait_for_load(self, server):
        port = int(server.grpc_address.rpartition(":")[2])
        deadline = time.monotonic() + SECONDS_MAX
        while connections_to(port) < LOAD_CONNECTIONS:
            self.assertLess(time.monotonic(), deadline, "the load does not come back")
            time.sleep(0.02)

    def rolling_report(self, servers):
        """Returns the results of the calls that run while each of two servers is restarted."""
        load = self.run_program(LOAD, ",".join(server.grpc_address for server in servers))
        for server in (*servers, None):
            # A server that was started again must be in use before the other one stops.
            for used in servers:
                self.wait_for_load(used)
            with self.assertRaises(subprocess.TimeoutExpired):
                load.wait(ROLLING_SECONDS)
            if server is not None:
                self.restart(server)
        return load.communicate(timeout=SECONDS_MAX)[0].splitlines()

    def test_rolling_restart_under_load_fails_no_call(self):
        ours = [self.start(service.Service, DAEMON) for _ in range(2)]
        theirs = [self.start(Peer, PEER) for _ in range(2)]
        failures = {"viewcountd": [], "peer": []}
        acknowledged = 0
        for _ in range(ROLLING_ROUNDS):
            for name, servers in (("viewcountd", ours), ("peer", theirs)):
                report = self.rolling_report(servers)
                print(name, report[:10], flush=True)
                failures[name] += [line for line in report if line.startswith("failed")]
                self.assertGreater(int(report[1].split()[1]), 100, "there was load")
                if name == "viewcountd":
                    acknowledged += int(report[0].split()[1])
        # gRPC's own server cancels calls that it has read but not yet given to a thread, so it fails some calls.
        self.assertEqual(failures["viewcountd"], [], f"the peer failed: {failures['peer']}")
        counted = 0
        for server in ours:
            with Stubs(server.grpc_address) as stubs:
                answer = stubs.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=["/rolling/0/"]))
                counted += answer.counts[0].views
        self.assertEqual(counted, acknowledged, "no call failed, so every view was acknowledged, once")


if __name__ == "__main__":
    LOAD = sys.argv.pop()
    IDLE = sys.argv.pop()
    PEER = sys.argv.pop()
    DAEMON = sys.argv.pop()
    unittest.main(verbosity=2)
