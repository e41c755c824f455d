"""Tests the frames of a stop: a call that the last GOAWAY excludes was not counted.

A gRPC library automatically repeats such a call on another connection. If its view were counted, it would count twice.

Run by ctest: drain_test.py BUILD/bin/viewcountd
"""

import concurrent.futures
import pathlib
import socket
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import messages  # noqa: E402
import service  # noqa: E402

MESSAGES = messages.generate()

from grpc_stubs import Stubs  # noqa: E402
from viewcount.v1 import ingest_pb2, query_pb2  # noqa: E402

DAEMON = None
SECONDS_MAX = 10
DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
STREAM_IDS_MAX = 2**31 - 1
ARTICLE = "/drain"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def header(name, value):
    """Returns a literal header of HPACK without indexing."""
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


def record_call(stream):
    """Returns the frames of a RecordViews call with one view."""
    headers = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/viewcount.v1.IngestService/RecordViews"),
               (b":authority", b"test"), (b"content-type", b"application/grpc"), (b"te", b"trailers")]
    request = ingest_pb2.RecordViewsRequest(site="demo", views=[ingest_pb2.View(article_id=ARTICLE)])
    message = request.SerializeToString()
    return (frame(HEADERS, END_HEADERS, stream, b"".join(header(*pair) for pair in headers)) +
            frame(DATA, END_STREAM, stream, b"\0" + struct.pack(">I", len(message)) + message))


class Connection:
    """Sends and receives frames over a socket. Use as a context manager."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=SECONDS_MAX)
        self._socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
        self._input = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, frames):
        self._socket.sendall(frames)

    def receive(self):
        """Returns kind, flags, stream and payload of the next frame, or None at the end."""
        while len(self._input) < 9 or len(self._input) < 9 + int.from_bytes(self._input[:3], "big"):
            more = self._socket.recv(65536)
            if not more:
                return None
            self._input += more
        size = int.from_bytes(self._input[:3], "big")
        head, payload = self._input[:9], self._input[9:9 + size]
        self._input = self._input[9 + size:]
        return head[3], head[4], int.from_bytes(head[5:], "big"), payload


class DrainTest(unittest.TestCase):
    def drain(self, connection, at_ping):
        """Reads until the end, and sends `at_ping` after the answer to the PING.

        Returns the stream ID of the last GOAWAY, and the streams that were answered completely."""
        last, ended = None, set()
        while (received := connection.receive()) is not None:
            kind, flags, stream, payload = received
            if kind == SETTINGS and not flags & ACK:
                connection.send(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                connection.send(frame(PING, ACK, 0, payload) + at_ping)
            elif kind == GOAWAY:
                last = int.from_bytes(payload[:4], "big")
            elif kind == HEADERS and flags & END_STREAM:
                ended.add(stream)
        return last, ended

    def test_calls_behind_the_last_goaway_are_not_counted(self):
        with tempfile.TemporaryDirectory(prefix="viewcount-drain-") as data_dir:
            running = service.Service(DAEMON, data_dir)
            with running, concurrent.futures.ThreadPoolExecutor(1) as threads:
                with Connection(running.address("grpc")) as connection:
                    connection.send(record_call(1))
                    while (received := connection.receive()) is not None:
                        if received[0] == HEADERS and received[1] & END_STREAM:
                            break
                    faults = threads.submit(running.end)
                    # These frames are one segment, so the service reads its PING's answer and the calls in one step.
                    last, ended = self.drain(connection, record_call(3) + record_call(5))
                self.assertEqual(faults.result(), [])
            self.assertIsNotNone(last)
            self.assertLess(last, STREAM_IDS_MAX, "a GOAWAY with the last stream comes after the first one")
            taken = {stream for stream in (1, 3, 5) if stream <= last}
            self.assertEqual(ended | {1}, taken, "what GOAWAY names is answered, and nothing else")
            with running, Stubs(running.address("grpc")) as stubs:
                answer = stubs.get_counts(query_pb2.GetCountsRequest(site="demo", article_ids=[ARTICLE]))
                self.assertEqual(answer.counts[0].views, len(taken))


if __name__ == "__main__":
    DAEMON = sys.argv.pop()
    unittest.main(verbosity=2)
