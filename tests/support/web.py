"""A client of the public HTTP interface, and a reader of the metrics at the admin address."""

import contextlib
import http.client
import json
import re
import socket
import ssl
import time
import urllib.parse

ANSWER_SECONDS_MAX = 10


class Answer:
    """A response: its status, its headers (with names in lower case) and its body."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {}
        for name, value in response.getheaders():
            assert name.lower() not in self.headers or name.lower() == "vary", f"{name} twice"
            self.headers[name.lower()] = value
        self.body = response.read()

    @property
    def type(self):
        return self.headers.get("content-type", "").partition(";")[0]

    def json(self):
        """Returns the parsed body of application/json or application/problem+json."""
        assert self.type in ("application/json", "application/problem+json"), (self.status, self.headers)
        return json.loads(self.body)


class Web:
    """One site of a service at HOST:PORT.

    `source` is the address to connect from, and `tls` is the certificate to expect.
    """

    def __init__(self, address, site="demo", source=None, tls=None):
        self.address = address
        self.site = site
        self._source = source
        self._tls = ssl.create_default_context(cafile=tls) if tls else None

    def connect(self, seconds=ANSWER_SECONDS_MAX):
        """Opens a new connection, with TLS if a certificate was given."""
        host, port = self.address.rsplit(":", 1)
        source = (self._source, 0) if self._source else None
        connection = socket.create_connection((host, int(port)), timeout=seconds, source_address=source)
        if self._tls is None:
            return connection
        return self._tls.wrap_socket(connection, server_hostname="localhost")

    def send(self, method, target, body=None, headers=None):
        """Sends one request on a new connection, and returns the answer."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        client = http.client.HTTPConnection("localhost")
        client.sock = self.connect()
        with contextlib.closing(client):
            client.request(method, target, body, headers or {})
            return Answer(client.getresponse())

    def target(self, path, pairs=()):
        """Returns the target of a path of the site, such as "/counts". `pairs` of name and value become its query."""
        query = urllib.parse.urlencode(list(pairs))
        return f"/v1/sites/{self.site}{path}" + ("?" + query if query else "")

    def get(self, path, pairs=(), headers=None):
        return self.send("GET", self.target(path, pairs), headers=headers)

    def post(self, path, body, headers=None):
        return self.send("POST", self.target(path), body, {"Content-Type": "application/json"} | (headers or {}))

    def counts(self, *articles):
        """Returns the views of the articles in the same order. Fails unless every count is exact."""
        answer = self.get("/counts", [("article", article) for article in articles]).json()
        assert answer["exact"], answer
        assert [count["articleId"] for count in answer["counts"]] == list(articles), answer
        return [int(count["views"]) for count in answer["counts"]]

    def live(self, *articles, headers=None):
        """Opens the stream of live counts."""
        return Live(self.connect(), self.target("/live", [("article", article) for article in articles]), headers)


class Live:
    """A reader of Server-Sent Events. Use it as a context manager."""

    def __init__(self, connection, target, headers=None):
        self._connection = connection
        self._buffer = b""
        self.id = None
        fields = {"Host": "localhost", "Accept": "text/event-stream"} | (headers or {})
        lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        connection.sendall("\r\n".join(lines).encode())
        self.head = self._read_until(b"\r\n\r\n", time.monotonic() + ANSWER_SECONDS_MAX).decode()
        # A proxy may send a stream without a length in chunks.
        self._chunked = re.search(r"^transfer-encoding: chunked\r$", self.head, re.IGNORECASE | re.MULTILINE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def next(self, seconds=ANSWER_SECONDS_MAX):
        """Returns the data of the next event. Raises if there is none in time.

        Comments and fields other than data are skipped.
        """
        deadline = time.monotonic() + seconds
        while True:
            lines = self._event(deadline).split("\n")
            fields = [line.split(": ", 1) for line in lines if line and not line.startswith(":")]
            data = [value for name, value in fields if name == "data"]
            self.id = dict(fields).get("id", self.id)
            if data:
                return json.loads("\n".join(data))

    def until(self, condition, seconds=ANSWER_SECONDS_MAX):
        """Returns the data of the first event for which `condition` returns true."""
        deadline = time.monotonic() + seconds
        while True:
            data = self.next(deadline - time.monotonic())
            if condition(data):
                return data

    def _event(self, deadline):
        if not self._chunked:
            return self._read_until(b"\n\n", deadline).decode()
        event = b""
        while not event.endswith(b"\n\n"):
            size = int(self._read_until(b"\r\n", deadline), 16)
            event += self._read(size + 2, deadline)[:-2]
            assert size > 0, "the stream has ended"
        return event.decode()

    def _read_until(self, end, deadline):
        while end not in self._buffer:
            self._receive(deadline)
        return self._read(self._buffer.index(end) + len(end), deadline)

    def _read(self, size, deadline):
        while len(self._buffer) < size:
            self._receive(deadline)
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def _receive(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no event in time")
        self._connection.settimeout(left)
        received = self._connection.recv(65536)
        if not received:
            raise EOFError(f"the stream has ended: {self._buffer!r}")
        self._buffer += received


def metrics(admin_address):
    """Returns every sample of /metrics: the number by the name with its labels, as written there."""
    with contextlib.closing(http.client.HTTPConnection(admin_address, timeout=ANSWER_SECONDS_MAX)) as client:
        client.request("GET", "/metrics")
        lines = client.getresponse().read().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def eventually(condition, seconds=ANSWER_SECONDS_MAX):
    """Calls `condition()` until its value is true or the time is over.

    Returns the last value, so that a test can show it.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.02)
