"""The analysts' questions about many days of history in Redis, idle and while views arrive."""

import json

import context as contexts
import load
import machine
import processes
import redis
import report
import servers

FLUSH_INTERVAL = "10s"
VIEWS_PER_SECOND = 1_000_000
BATCH_VIEWS = 1_000
# The p99 of a list that must be read, and of the same list again. A restricted list may take twice as long.
MILLISECONDS = {"popular, all time": 5, "popular, a day": 5, "popular, 1 hour": 5, "popular, 24 hours": 20,
                "popular, 30 days": 50, "popular, up to": 300, "1,000 counts": 5, "an article": 5}
MILLISECONDS_AGAIN = 1
PROVEN_SHARE = 0.999
SECONDS_MAX = 1_800


def run(context):
    articles, days, calls = (20_000, 30, 20) if context.quick else (100_000, 60, 200)
    with context.empty_folder("history") as folder, \
            redis.Redis(folder / "redis", machine.LOAD_CORE, persistent=False) as store:
        written = processes.run([context.programs / "history_load", "--redis", store.url, "--site", servers.SITE,
                                 "--articles", articles, "--days", days], seconds_max=SECONDS_MAX)
        context.progress(written.strip())
        used = int(dict(line.split(":", 1) for line in store.ask("INFO", "memory").split("\r\n") if ":" in line)
                   ["used_memory"])
        flags = ("--redis-waive", "persistence")
        with servers.Viewcountd(context.programs, folder / "data", store, FLUSH_INTERVAL, *flags) as service:
            # The command fails if anything does not add up.
            processes.run([context.programs / "viewcount", "--server", service.address("grpc"), "--timeout",
                           SECONDS_MAX, "audit"], seconds_max=SECONDS_MAX)
            size = f"{articles:,} articles, {days} days"
            rows = _rows(context, service, _ask(context, service, articles, days, calls), size)
            rows += _rows_while_views_arrive(context, service, articles, days, calls, size)
            rows.append(report.Row(f"Redis memory of a history, {size}", used / (articles * days),
                                   "bytes/article and day", contexts.terms(service),
                                   notes=["all keys of people's and bots' views; no visits or viewers"]))
            return rows


def _ask(context, service, articles, days, calls):
    """Returns the results of history_queries by question."""
    output = processes.run([context.programs / "history_queries", "--target", service.address("grpc"), "--json",
                            "--site", servers.SITE, "--articles", articles, "--days", days, "--calls", calls,
                            "--proofs", 5 * calls], machine.pinned_ahead(machine.LOAD_CORE), SECONDS_MAX)
    return [json.loads(line) for line in output.splitlines()]


def _rows_while_views_arrive(context, service, articles, days, calls, size):
    # The load is stopped when all questions have been answered.
    views = load.start_viewcount_load(context, "batches", service.address("grpc"), articles=articles,
                                      rate=VIEWS_PER_SECOND / BATCH_VIEWS, batch_views=BATCH_VIEWS, in_flight=64,
                                      warmup=0, seconds=SECONDS_MAX)
    counted = "viewcount_views_counted_total"
    try:
        before, begun = service.metrics()[counted], context.seconds_since_start()
        asked = _ask(context, service, articles, days, calls)
        rate = (service.metrics()[counted] - before) / (context.seconds_since_start() - begun)
    finally:
        views.terminate()
        views.communicate()
    return _rows(context, service, asked, size, f"while {rate:,.0f} views/s arrived")


def _target(name):
    again = name.endswith(", again")
    first = name.removesuffix(", again")
    limit = next((limit for prefix, limit in MILLISECONDS.items() if first.startswith(prefix)), None)
    if limit is None:
        return None
    if again:
        limit = MILLISECONDS_AGAIN
    return report.at_most(2 * limit if first.endswith("a section") else limit)


def _rows(context, service, asked, size, note="idle"):
    rows = []
    for told in asked:
        name, calls = told["name"], told["calls"]
        context.progress(f"{name}, {note}: p50 {told['p50_ms']:.1f} ms, p99 {told['p99_ms']:.1f} ms, "
                         f"{told['exact']} of {calls} exact")
        notes = [note, f"{calls} calls, p50 {told['p50_ms']:.2f} ms", f"{told['exact']} of {calls} exact"]
        rows.append(report.Row(f"{name}, p99 ({size}; {note})", told["p99_ms"], "ms", contexts.terms(service),
                               target=_target(name), notes=notes[1:]))
        if name == "popular, random windows":
            rows.append(report.Row(f"lists of random windows that are exact without a scan ({size}; {note})",
                                   100 * told["exact"] / calls, "%", contexts.terms(service),
                                   target=report.at_least(100 * PROVEN_SHARE), notes=[f"{calls} lists"]))
    return rows
