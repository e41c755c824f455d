"""Calls with one view, compared with the empty handler, and the cost of the sync that an acknowledgement waits for."""

import contextlib
import json
import pathlib
import sys

import context as contexts
import load
import machine
import measure
import processes
import report
import servers

ARTICLES = 100_000
IN_FLIGHT = 64
SYNC_COST = pathlib.Path(__file__).resolve().parents[2] / "peers" / "sync_cost.py"
SYNC_SECONDS = 0.5


def sync_cost(folder):
    """Returns p50 and p99 of `write` + `fdatasync` in µs, by size in bytes."""
    told = processes.run([sys.executable, SYNC_COST, folder, "--seconds", SYNC_SECONDS],
                         machine.pinned(machine.SERVER_CORE))
    return {int(size): cost for size, cost in json.loads(told).items()}


def _throughput(context, service, limit):
    options = {"context": context, "workload": "calls", "articles": ARTICLES, "in_flight": IN_FLIGHT, "warmup": 0}
    ours = measure.Contender("viewcountd", service, load.turn("requests", target=service.address("grpc"), **options),
                             contexts.terms(service, flushed_at_end=True), settle=service.flush)
    empty = measure.Contender("gRPC, empty handler", limit,
                              load.turn("requests", target=limit.address("grpc"), **options), "no flush, nothing kept")
    samples = measure.interleave([ours, empty], context.rounds, context.progress)
    row = report.compare(f"one view a call, {IN_FLIGHT} in flight", "calls/CPU s", samples, ours, empty,
                         target=report.ratio_at_least(0.8))
    return row, load.rate_of(samples[ours.name])


def _latencies(context, service, limit, rate):
    """Returns rounds of (the service's latency, the empty call's latency, the sync's cost)."""
    rounds = []
    for number in range(1, context.rounds + 1):
        options = {"rate": rate, "articles": ARTICLES, "in_flight": load.IN_FLIGHT_OPEN, "warmup": 0.3}
        ours = load.viewcount_load(context, "calls", service.address("grpc"), **options)["latency_us"]
        empty = load.viewcount_load(context, "calls", limit.address("grpc"), **options)["latency_us"]
        rounds.append((ours, empty, sync_cost(service.folder)))
        context.progress(f"round {number} of {context.rounds}: calls at {rate:,.0f}/s: p50 {ours['p50']:.0f} µs, "
                         f"p99 {ours['p99']:.0f} µs; empty {empty['p50']:.0f} and {empty['p99']:.0f} µs")
    return rounds


def _latency_row(service, rate, rounds, quantile, limit):
    ours = measure.Spread.of(ours[quantile] for ours, _, _ in rounds)
    least = [empty[quantile] + syncs[4096][quantile] for _, empty, syncs in rounds]
    ratios = measure.Spread.of(mine[quantile] / sum_ for (mine, _, _), sum_ in zip(rounds, least, strict=True))
    return report.Row(f"one view a call at half that rate, {quantile}", ours.median, "µs", contexts.terms(service),
                      f"empty call {quantile} + fdatasync of 4 KiB {quantile}", measure.Spread.of(least).median,
                      "no flush; write + fdatasync", ratios, report.ratio_at_most(limit),
                      notes=[f"{rate:,.0f} calls/s, open loop"])


def _sync_rows(rounds):
    for size, text in ((4 << 10, "4 KiB"), (64 << 10, "64 KiB"), (1 << 20, "1 MiB")):
        for quantile in ("p50", "p99"):
            cost = measure.Spread.of(syncs[size][quantile] for _, _, syncs in rounds)
            yield report.Row(f"write + fdatasync of {text}, {quantile}", cost.median, "µs", "on disk", spread=cost)


def run(context):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(context.empty_folder("calls-limit"))
        service = stack.enter_context(context.service("calls"))
        limit = stack.enter_context(servers.LimitServer(context.programs, folder, "empty"))
        row, most = _throughput(context, service, limit)
        rate = most / 2
        rounds = _latencies(context, service, limit, rate)
    return [row, _latency_row(service, rate, rounds, "p50", 3), _latency_row(service, rate, rounds, "p99", 5),
            *_sync_rows(rounds)]
