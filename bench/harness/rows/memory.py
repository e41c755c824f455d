"""The memory of 1,000,000 articles in Redis, and the service's memory while very many views arrive."""

import context as contexts
import load
import machine
import report
from rows import fill
from servers import SHARDS

ARTICLES = 1_000_000
VIEWS_PER_SECOND = 8_000_000
BATCH_VIEWS = 1_000


def _bytes_per_article(service):
    keys = fill.keys(SHARDS)
    used = service.store.ask_many([("MEMORY", "USAGE", key, "SAMPLES", 0) for key in keys])
    return sum(used) / fill.articles_stored(service, SHARDS)


def rows(context, service):
    service.flush()
    stored, known = _bytes_per_article(service), fill.articles_stored(service, SHARDS)
    # Unless the run is quick, the load lasts longer than a flush interval. The service then both gathers and flushes
    # views.
    told = load.viewcount_load(context, "batches", service.address("grpc"), articles=ARTICLES,
                               rate=VIEWS_PER_SECOND / BATCH_VIEWS, batch_views=BATCH_VIEWS, in_flight=64,
                               seconds=6 if context.quick else 15, warmup=0)
    peak = machine.resident_bytes_peak(service.pid) / (1 << 20)
    context.progress(f"memory: {stored:.1f} bytes an article, at most {peak:,.0f} MiB of the service")
    reached = f"{told['views_per_second']:,.0f} views/s arrived"
    if told["views_per_second"] < 0.95 * VIEWS_PER_SECOND:
        reached += f", not the {VIEWS_PER_SECOND:,} that were offered"
    return [
        report.Row("Redis memory of the all-time window", stored, "bytes/article", contexts.terms(service),
                   target=report.at_most(80), notes=[f"MEMORY USAGE of its hashes, {known:,} articles"]),
        report.Row("the service's memory, offered 8,000,000 views/s over 1,000,000 articles", peak, "MiB",
                   contexts.terms(service), target=report.at_most(1024), notes=[reached + "; the most it ever had"]),
    ]
