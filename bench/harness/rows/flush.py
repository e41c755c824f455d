"""The speed at which one Redis takes the counts, and for how long each call blocks it."""

import re
import time

import context as contexts
import load
import measure
import report
from rows import fill
from servers import SHARDS

# The number of articles in a chunk when it is sealed because of its size.
ARTICLES = 300_000
FLUSH_INTERVAL = "60s"
BATCH_VIEWS = 1_000
COMMANDS = ("evalsha", "eval", "fcall", "exec")


def hold_milliseconds(statistics):
    """Returns the p99 in ms of the slowest kind of call that changes counts, from INFO latencystats."""
    percentiles = {match[1]: float(match[2])
                   for match in re.finditer(r"latency_percentiles_usec_([^:]+):.*?p99=([0-9.]+)", statistics)}
    return max(percentiles[command] for command in COMMANDS if command in percentiles) / 1000


def _fill_chunk(context, service):
    """Records views of ARTICLES articles, which stay pending in the service."""
    views = ARTICLES * 5
    load.viewcount_load(context, "batches", service.address("grpc"), articles=ARTICLES, distribution="uniform",
                        pool_views=views, batch_views=BATCH_VIEWS, rate=1_500, in_flight=32, warmup=0,
                        seconds=views / BATCH_VIEWS / 1_500)


def _turn(context, service):
    """Returns articles per second, the time for which calls blocked Redis (ms), and the service's CPU per article
    (µs)."""
    _fill_chunk(context, service)
    service.store.ask("CONFIG", "RESETSTAT")
    flushed = service.metrics()["viewcount_flush_articles_total"]
    cpu, begun = service.cpu_seconds(), time.monotonic()
    service.flush()
    seconds, cpu = time.monotonic() - begun, service.cpu_seconds() - cpu
    articles = service.metrics()["viewcount_flush_articles_total"] - flushed
    hold = hold_milliseconds(service.store.ask("INFO", "latencystats"))
    context.progress(f"flush: {articles:,.0f} articles in {seconds:.2f} s, calls hold Redis for {hold:.2f} ms at p99")
    return articles / seconds, hold, cpu / articles * 1e6


def run(context):
    with context.service("flush", flush_interval=FLUSH_INTERVAL) as service:
        # The first flush creates all hashes and rankings. A portal in production already has them.
        _turn(context, service)
        turns = [_turn(context, service) for _ in range(context.rounds)]
        distinct = fill.articles_stored(service, SHARDS)
    rate = measure.Spread.of(turn[0] for turn in turns)
    hold = measure.Spread.of(turn[1] for turn in turns)
    cpu = measure.Spread.of(turn[2] for turn in turns)
    note = f"{distinct:,} articles, each in three windows; asked for by `viewcount flush`, whose start is in the time"
    return [
        report.Row("flush into one Redis", rate.median, "articles/s", contexts.terms(service), spread=rate,
                   target=report.at_least(200_000), notes=[note]),
        report.Row("a call of the flush holds Redis, p99", hold.median, "ms", contexts.terms(service), spread=hold,
                   target=report.at_most(5), notes=["from Redis' INFO latencystats"]),
        report.Row("the service's CPU for the flush", cpu.median, "µs/article", contexts.terms(service), spread=cpu),
    ]
