"""Reports and shows views over gRPC, with Debian's python3-grpcio, python3-protobuf and protobuf-compiler.

    /usr/bin/python3 client/examples/python/example.py [HOST:PORT [SITE]]

To use it in your program, copy Writer and Reader, and the message classes as `protoc --python_out` generates them.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

import grpc

# A real project generates the message classes once, when it is built. This example generates them at every start.
PROTO = pathlib.Path(__file__).resolve().parents[3] / "proto"
with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["protoc", "-I", PROTO, "--python_out", folder, "viewcount/v1/ingest.proto",
                    "viewcount/v1/query.proto"], check=True)
    sys.path.insert(0, folder)
    from viewcount.v1 import ingest_pb2, query_pb2
    sys.path.pop(0)

# After one of these errors the outcome is unknown, or nothing was counted. The batch is sent again unchanged.
RETRIED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED,
           grpc.StatusCode.ABORTED, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
CALL_SECONDS_MAX = 2


class Writer:
    """Sends batches of views, each of which counts once, however often it has to be sent.

    Not thread-safe. Send one batch after the other: the service identifies a batch by the writer's ID and the batch's
    number. Views that a process had not sent when it ended are lost. A new process is a new writer. The service forgets
    a writer after a day of silence and then refuses it with FAILED_PRECONDITION: continue with a new writer.
    """

    def __init__(self, channel, site):
        # The call takes serialised bytes, so that a repeated batch is identical to the last bit.
        self._call = channel.unary_unary("/viewcount.v1.IngestService/RecordViews",
                                         response_deserializer=ingest_pb2.RecordViewsResponse.FromString)
        self._site = site
        self._writer_id = os.urandom(16)
        self._sequence = 0
        self._unacknowledged = None

    def send(self, counts, patience_seconds=60):
        """Counts views: a dictionary from article ID to number, with at most 10,000 articles.

        After `patience_seconds` it raises the last error and keeps the batch. Call resend() then before you send
        anything else.
        """
        assert self._unacknowledged is None, "resend() first: numbers have no gaps"
        self._sequence += 1
        views = [ingest_pb2.View(article_id=article, count=count) for article, count in counts.items()]
        batch = ingest_pb2.RecordViewsRequest(site=self._site, writer_id=self._writer_id, sequence=self._sequence,
                                              views=views)
        self._unacknowledged = batch.SerializeToString()
        return self.resend(patience_seconds)

    def resend(self, patience_seconds=60):
        """Sends the unacknowledged batch again, and returns the service's answer."""
        deadline = time.monotonic() + patience_seconds
        pause = 0.05
        while True:
            try:
                answer = self._call(self._unacknowledged, timeout=CALL_SECONDS_MAX)
                self._unacknowledged = None
                return answer
            except grpc.RpcError as error:
                if error.code() not in RETRIED or time.monotonic() + pause > deadline:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, 2)


class Reader:
    """Reads counts. Thread-safe."""

    def __init__(self, channel, site):
        self._get_counts = channel.unary_unary("/viewcount.v1.QueryService/GetCounts",
                                               query_pb2.GetCountsRequest.SerializeToString,
                                               query_pb2.GetCountsResponse.FromString)
        self._list_popular = channel.unary_unary("/viewcount.v1.QueryService/ListPopular",
                                                 query_pb2.ListPopularRequest.SerializeToString,
                                                 query_pb2.ListPopularResponse.FromString)
        self._site = site

    def counts(self, articles):
        """Returns the views by article ID. Takes at most 1,000 articles."""
        answer = self._get_counts(query_pb2.GetCountsRequest(site=self._site, article_ids=articles),
                                  timeout=CALL_SECONDS_MAX)
        return {count.article_id: count.views for count in answer.counts}

    def popular(self, size):
        """Returns the `size` most viewed articles of all time as pairs of ID and views."""
        window = query_pb2.Window(all_time=True)
        answer = self._list_popular(query_pb2.ListPopularRequest(site=self._site, window=window, page_size=size),
                                    timeout=CALL_SECONDS_MAX)
        return [(article.article_id, article.views) for article in answer.articles]


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7400"
    site = sys.argv[2] if len(sys.argv) > 2 else "demo"
    # A process needs only one channel, which connects and reconnects by itself.
    with grpc.insecure_channel(address) as channel:
        writer, reader = Writer(channel, site), Reader(channel, site)
        for counts in ({"/news/3933": 2, "/news/17": 1}, {"/news/3933": 1}):
            answer = writer.send(counts)
            print("counted before" if answer.duplicate else f"{answer.accepted_views} views counted")
        for article, views in reader.counts(["/news/3933", "/news/17", "/news/1"]).items():
            print(f"{article}: {views}")
        print("Most viewed:")
        for rank, (article, views) in enumerate(reader.popular(10), start=1):
            print(f"{rank}. {article}: {views}")


if __name__ == "__main__":
    main()
