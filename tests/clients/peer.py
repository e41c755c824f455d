"""peer_server as a service.Service: gRPC's own server behind the same handle as viewcountd."""

import service


class Peer(service.Service):
    def command(self):
        return [self._program, str(self._data_dir), self.grpc_address]

    def why_not_ready(self):
        """It is ready once it listens, and has no other address to ask."""
