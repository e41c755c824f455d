"""The cases of README.md with Debian's python3-grpcio.

Run by clients_test.py: python_client.py ADDRESS
"""

import pathlib
import sys
import threading

import grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import messages  # noqa: E402

MESSAGES = messages.generate()

from cases import BURST, SECONDS_MAX, Cases  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from grpc_messages import health_pb2, reflection_pb2  # noqa: E402
from viewcount.v1 import ingest_pb2, query_pb2  # noqa: E402

CASES = Cases()
CODE = grpc.StatusCode


class Channel:
    """One connection with the calls that the cases use. Thread-safe."""

    def __init__(self, address, *options):
        # Without the local pool, two channels would share one connection.
        self._channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1), *options])
        self.record = self._unary("viewcount.v1.IngestService/RecordViews", ingest_pb2.RecordViewsRequest,
                                  ingest_pb2.RecordViewsResponse)
        self.counts = self._unary("viewcount.v1.QueryService/GetCounts", query_pb2.GetCountsRequest,
                                  query_pb2.GetCountsResponse)
        self.health = self._unary("grpc.health.v1.Health/Check", health_pb2.HealthCheckRequest,
                                  health_pb2.HealthCheckResponse)
        self.stream = self._channel.stream_stream("/viewcount.v1.IngestService/StreamViews",
                                                  ingest_pb2.StreamViewsRequest.SerializeToString,
                                                  ingest_pb2.StreamViewsResponse.FromString)
        self.watch = self._channel.unary_stream("/viewcount.v1.QueryService/WatchCounts",
                                                query_pb2.WatchCountsRequest.SerializeToString,
                                                query_pb2.WatchCountsResponse.FromString)
        self.reflect = self._channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString)

    def close(self):
        self._channel.close()

    def _unary(self, method, request, response):
        return self._channel.unary_unary("/" + method, request.SerializeToString, response.FromString)


def batch(*article_ids, kind=ingest_pb2.RecordViewsRequest, **fields):
    """Returns a batch with one view of each article."""
    views = [ingest_pb2.View(article_id=article_id) for article_id in article_ids]
    return kind(site="demo", views=views, **fields)


def question(article_ids):
    return query_pb2.GetCountsRequest(site="demo", article_ids=article_ids)


def watching(article_ids):
    return query_pb2.WatchCountsRequest(site="demo", article_ids=article_ids)


def views(channel, *article_ids, **options):
    answer = channel.counts(question(article_ids), timeout=SECONDS_MAX, **options)
    assert answer.exact and [count.article_id for count in answer.counts] == list(article_ids), answer
    return [count.views for count in answer.counts]


def error_of(call):
    """Returns the error that the call ends with."""
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call was answered")


def details_of(error, kind):
    """Returns the error's detail of the kind."""
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    found = kind()
    assert any(detail.Unpack(found) for detail in status.details), status
    return found


@CASES.add
def unary(channel):
    answer = channel.record(batch("/python/a", "/python/b", "/python/a"), timeout=SECONDS_MAX)
    assert answer.accepted_views == 3 and answer.durability == ingest_pb2.DURABILITY_JOURNALED, answer
    assert views(channel, "/python/a", "/python/none", "/python/b") == [2, 0, 1]


@CASES.add
def stream(channel):
    batches = (batch("/python/stream", kind=ingest_pb2.StreamViewsRequest) for _ in range(100))
    answers = list(channel.stream(batches, timeout=SECONDS_MAX))
    assert [answer.accepted_views for answer in answers] == [1] * 100, answers
    assert views(channel, "/python/stream") == [100]


@CASES.add
def watch(channel):
    call = channel.watch(watching(["/python/watch", "/python/still"]), timeout=SECONDS_MAX)
    assert [count.views for count in next(call).counts] == [0, 0]
    channel.record(batch("/python/watch"), timeout=SECONDS_MAX)
    changed = next(message.counts for message in call if message.counts)
    assert [(count.article_id, count.views) for count in changed] == [("/python/watch", 1)], changed
    call.cancel()


@CASES.add
def deadlines(channel):
    calls = [channel.watch(watching(["/python/watch"]), timeout=0.05) for _ in range(20)]
    for call in calls:
        assert error_of(lambda: list(call)).code() == CODE.DEADLINE_EXCEEDED
    # A stream that the client leaves open.
    open_end = threading.Event()
    error = error_of(lambda: list(channel.stream(iter(open_end.wait, True), timeout=0.05)))
    open_end.set()
    assert error.code() == CODE.DEADLINE_EXCEEDED, error
    futures = [channel.counts.future(question(BURST.articles("python-late", 0, call)), timeout=0.001 + call % 9 / 1000)
               for call in range(300)]
    codes = {future.code() for future in futures}
    assert codes <= {CODE.OK, CODE.DEADLINE_EXCEEDED} and CODE.DEADLINE_EXCEEDED in codes, codes


@CASES.add
def cancellations(channel):
    for round_ in range(5):
        futures = [channel.counts.future(question(BURST.articles("python-gone", round_, call)), timeout=SECONDS_MAX)
                   for call in range(60)]
        streams = [channel.watch(watching(["/python/watch"])) for _ in range(20)]
        if round_ % 2:
            futures[0].result()
            next(streams[0])
        for call in futures + streams:
            call.cancel()
        codes = {call.code() for call in futures + streams}
        assert codes <= {CODE.OK, CODE.CANCELLED} and CODE.CANCELLED in codes, codes
    assert views(channel, "/python/none") == [0]


@CASES.add
def compression(channel):
    articles = [f"/python/compressed/{number}" for number in range(1000)]
    for algorithm in (grpc.Compression.Gzip, grpc.Compression.Deflate):
        channel.record(batch(*articles), timeout=SECONDS_MAX, compression=algorithm)
    assert views(channel, *articles, compression=grpc.Compression.Gzip) == [2] * 1000


@CASES.add
def metadata(channel):
    views(channel, "/python/none", metadata=[(f"x-large-{number}", "v" * 1000) for number in range(6)])
    views(channel, "/python/none", metadata=[("x-bytes-bin", bytes(range(256)))])
    # A stream on the same connection must not be affected by the refused call.
    call = channel.watch(watching(["/python/metadata"]), timeout=SECONDS_MAX)
    next(call)
    for size in (70 << 10, 200 << 10):
        error = error_of(lambda: views(channel, "/python/none", metadata=[("x-huge", "v" * size)]))
        assert error.code() in (CODE.RESOURCE_EXHAUSTED, CODE.INTERNAL, CODE.UNKNOWN), error
        channel.record(batch("/python/metadata"), timeout=SECONDS_MAX)
        next(message for message in call if message.counts)
    call.cancel()


@CASES.add
def blanks(channel):
    views(channel, "/python/none", metadata=[("x-blanks", " both "), ("x-blank", " ")])


@CASES.add
def errors(channel):
    error = error_of(lambda: channel.record(batch("/python/a", "/python/\n"), timeout=SECONDS_MAX))
    assert error.code() == CODE.INVALID_ARGUMENT, error
    violations = details_of(error, error_details_pb2.BadRequest).field_violations
    assert [violation.field for violation in violations] == ["views[1].article_id"], violations
    strange = query_pb2.GetCountsRequest(site="nobody", article_ids=["/python/a"])
    error = error_of(lambda: channel.counts(strange, timeout=SECONDS_MAX))
    assert error.code() == CODE.NOT_FOUND, error
    assert details_of(error, error_details_pb2.ErrorInfo).reason == "UNKNOWN_SITE"
    error = error_of(lambda: channel.counts(question(["/python/a"] * 1001), timeout=SECONDS_MAX))
    assert error.code() == CODE.INVALID_ARGUMENT, error


@CASES.add
def reflection(channel):
    ask = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    answer = next(channel.reflect(ask, timeout=SECONDS_MAX))
    names = [service.name for service in answer.list_services_response.service]
    assert "viewcount.v1.QueryService" in names and "grpc.health.v1.Health" in names, names


@CASES.add
def health(channel):
    answer = channel.health(health_pb2.HealthCheckRequest(), timeout=SECONDS_MAX)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING, answer
    # Sequential and concurrent calls. gRPC's own server answers this method.
    futures = [channel.health.future(health_pb2.HealthCheckRequest(), timeout=SECONDS_MAX) for _ in range(500)]
    assert all(future.result().status == answer.status for future in futures)


@CASES.add
def burst(channel):
    for round_ in range(BURST.rounds):
        asked = [BURST.articles("python", round_, call) for call in range(BURST.calls)]
        futures = [channel.counts.future(question(articles), timeout=SECONDS_MAX) for articles in asked]
        for articles, future in zip(asked, futures):
            assert [count.article_id for count in future.result().counts] == articles


def hold(address):
    """Opens streams that are never read. The caller must keep the result."""
    channel = Channel(address, ("grpc.http2.bdp_probe", 0))
    articles = BURST.long_articles("python-held")
    calls = [channel.watch(watching(articles)) for _ in range(20)]
    for call in calls:
        call.initial_metadata()
    return channel, calls


@CASES.add
def slow_readers(channel):
    kept, calls = hold(ADDRESS)
    for _ in range(3):
        channel.record(batch(*BURST.long_articles("python-held")), timeout=SECONDS_MAX)
        assert views(channel, "/python/none") == [0]
    assert [count.views for count in next(calls[0]).counts] != []
    for call in calls[1:]:
        call.cancel()
    kept.close()


@CASES.add
def retry_info(channel):
    # These are more different articles than all streams together may watch. Some other calls may find the queue to
    # Redis full.
    calls = [channel.watch(watching([f"/python/{call}/{number}" for number in range(1000)]), timeout=SECONDS_MAX)
             for call in range(60)]
    refused = None
    for call in calls:
        try:
            next(call)
        except grpc.RpcError as error:
            assert error.code() in (CODE.RESOURCE_EXHAUSTED, CODE.UNAVAILABLE), error
            refused = error if error.code() == CODE.RESOURCE_EXHAUSTED else refused
        call.cancel()
    assert refused is not None
    delay = details_of(refused, error_details_pb2.RetryInfo).retry_delay
    assert delay.seconds > 0 or delay.nanos > 0, delay


if __name__ == "__main__":
    ADDRESS = sys.argv[1]
    sys.exit(CASES.run(Channel(ADDRESS), lambda: hold(ADDRESS)))
