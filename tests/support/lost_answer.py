"""A network between a gRPC client and a server that loses the first answer.

The server has carried out the request, and the client does not know that.
"""

import socket
import threading

FRAME_HEADER_BYTES = 9
HEADERS = 1


class LostAnswer:
    """Passes all bytes on, but breaks the connection when the first answer arrives (RFC 9113: its HEADERS frame).

    Use it as a context manager. `lost` is true once an answer was lost.
    """

    def __init__(self, server_address):
        host, port = server_address.rsplit(":", 1)
        self._server = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = []
        self._threads = []
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self.lost = False

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *_):
        # Closing the listener alone would not wake the thread that waits for the next connection.
        for each in (self._listener, *self._sockets):
            self._shut(each)
        for thread in self._threads:
            thread.join()
        for each in (self._listener, *self._sockets):
            each.close()

    def _start(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            self._sockets += [client, server]
            self._start(self._pass_requests, client, server)
            self._start(self._pass_answers, server, client)

    def _pass_requests(self, client, server):
        with self._both_shut(client, server):
            while data := client.recv(65536):
                server.sendall(data)

    def _pass_answers(self, server, client):
        with self._both_shut(client, server), server.makefile("rb") as frames:
            while len(header := frames.read(FRAME_HEADER_BYTES)) == FRAME_HEADER_BYTES:
                if header[3] == HEADERS and not self.lost:
                    self.lost = True
                    return
                client.sendall(header + frames.read(int.from_bytes(header[:3], "big")))

    def _both_shut(self, *sockets):
        return _Shut(sockets)

    @staticmethod
    def _shut(each):
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class _Shut:
    """Shuts the sockets down when it ends, and suppresses the errors of sockets that broke."""

    def __init__(self, sockets):
        self._sockets = sockets

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for each in self._sockets:
            LostAnswer._shut(each)
        return kind is not None and issubclass(kind, OSError)
