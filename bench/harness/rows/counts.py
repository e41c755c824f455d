"""Counts of 20 popular articles per call, compared with the empty handler."""

import contextlib

import context as contexts
import load
import measure
import report
import servers

ARTICLES = 100_000
IDS = 20
IN_FLIGHT = 64


def _p99(told):
    return measure.Spread.of(one["latency_us"]["p99"] / 1000 for one in told)


def _latency_row(context, service, limit, rate):
    """Returns the row next to the empty handler at the same rate. The generator's own share is in both."""
    told, empty = [], []
    for _ in range(context.rounds):
        for server, results in ((service, told), (limit, empty)):
            results.append(load.viewcount_load(context, "counts", server.address("grpc"), rate=rate, articles=ARTICLES,
                                               ids=IDS, in_flight=load.IN_FLIGHT_OPEN, warmup=0.3))
    spread = _p99(told)
    return report.Row(f"GetCounts of {IDS} at half that rate, p99", spread.median, "ms", contexts.terms(service),
                      spread=spread, target=report.at_most(1),
                      notes=[f"{rate:,.0f} calls/s, open loop; the empty handler's p99 at that rate: "
                             f"{_p99(empty).median:.2f} ms"])


def run(context):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(context.empty_folder("counts-limit"))
        service = stack.enter_context(context.service("counts"))
        limit = stack.enter_context(servers.LimitServer(context.programs, folder, "empty"))
        # This load creates the counts.
        load.viewcount_load(context, "batches", service.address("grpc"), articles=ARTICLES, seconds=1)
        service.flush()
        options = {"context": context, "workload": "counts", "articles": ARTICLES, "ids": IDS, "in_flight": IN_FLIGHT,
                   "warmup": 0}
        ours = measure.Contender("viewcountd", service,
                                 load.turn("requests", target=service.address("grpc"), **options),
                                 contexts.terms(service))
        empty = measure.Contender("gRPC, empty handler", limit,
                                  load.turn("requests", target=limit.address("grpc"), **options),
                                  "no flush, nothing kept")
        samples = measure.interleave([ours, empty], context.rounds, context.progress)
        row = report.compare(f"GetCounts of {IDS} popular articles, {IN_FLIGHT} in flight", "calls/CPU s", samples,
                             ours, empty, target=report.ratio_at_least(0.6))
        return [row, _latency_row(context, service, limit, load.rate_of(samples[ours.name]) / 2)]
