"""A redis-server on a UNIX socket for one measurement, and a client for it."""

import socket

from processes import Server

ANSWER_SECONDS_MAX = 60


class Redis(Server):
    """A redis-server on a UNIX socket, and on a `port` if one is given.

    If `persistent`, it has the settings of viewcountd's embedded one: an append-only file that is synced every second.
    Otherwise it writes nothing, which is Redis at its fastest.
    """

    def __init__(self, folder, core, persistent, port=0):
        super().__init__("redis-server", folder, core)
        self._persistent = persistent
        self.port = port
        self.socket = self.folder / "redis.sock"
        self.url = f"redis+unix://{self.socket}"

    @property
    def durability(self):
        return "file synced every second" if self._persistent else "memory only"

    def prepare(self):
        self.socket.unlink(missing_ok=True)

    def words(self):
        # The socket's name is relative, because the whole path may be too long for a socket address.
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", "redis.sock",
                "--save", "", "--appendonly", "yes" if self._persistent else "no", "--appendfsync", "everysec",
                "--maxmemory-policy", "noeviction"]

    def options(self):
        return {"cwd": self.folder}

    def is_ready(self):
        try:
            return self.ask("PING") == "PONG"
        except OSError:
            return False

    def ask(self, *words):
        """Returns the answer to one command: text, a number, a list or None."""
        return self.ask_many([words])[0]

    def ask_many(self, commands):
        """Sends several commands together, and returns their answers."""
        encoded = b"".join(_encode(words) for words in commands)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS_MAX)
            connection.connect(str(self.socket))
            connection.sendall(encoded)
            with connection.makefile("rb") as stream:
                return [_read(stream) for _ in commands]


def _encode(words):
    encoded = [str(word).encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)


def _read(stream):
    line = stream.readline()
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        raise RuntimeError(f"Redis: {rest.decode()}")
    if kind == b":":
        return int(rest)
    if kind == b"$":
        if rest == b"-1":
            return None
        return stream.read(int(rest) + 2)[:-2].decode(errors="replace")
    if kind == b"*":
        return [_read(stream) for _ in range(int(rest))]
    if kind == b"+":
        return rest.decode()
    raise OSError("Redis closed the connection")
