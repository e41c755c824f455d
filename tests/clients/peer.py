"""peer_server as a service.Service, so that gRPC's own server is controlled in the same way as viewcountd."""

import service


class Peer(service.Service):
    def command(self):
        return [self._program, str(self._data_dir), self.grpc_address]

    def why_not_ready(self):
        """Returns None: the server is ready once it listens, and it has no other address with its state."""
