"""The 100 most viewed of 1,000,000 articles while 1,000,000 views arrive per second."""

import context as contexts
import load
import measure
import report

ARTICLES = 1_000_000
VIEWS_PER_SECOND = 1_000_000
BATCH_VIEWS = 1_000
QUESTIONS_PER_SECOND = 100
# A request that finds no free place waits, and its waiting counts.
QUESTIONS_IN_FLIGHT = 16


def _ask(context, service, window):
    """Returns the results of the queries while views arrive, and the results of the views."""
    views = load.start_viewcount_load(context, "batches", service.address("grpc"), articles=ARTICLES,
                                      rate=VIEWS_PER_SECOND / BATCH_VIEWS, batch_views=BATCH_VIEWS, in_flight=64,
                                      warmup=0, seconds=context.seconds + 2)
    try:
        asked = load.viewcount_load(context, "popular", service.address("grpc"), window=window,
                                    rate=QUESTIONS_PER_SECOND, in_flight=QUESTIONS_IN_FLIGHT, warmup=1)
    finally:
        arrived = load.finish(views)
    return asked, arrived


def rows(context, service):
    told = {"all": [], "day": []}
    for number in range(1, context.rounds + 1):
        for window, results in told.items():
            results.append(_ask(context, service, window))
            context.progress(f"round {number} of {context.rounds}: popular, {window}: p99 "
                             f"{results[-1][0]['latency_us']['p99'] / 1000:.1f} ms")
    measured = []
    for window, results in told.items():
        spread = measure.Spread.of(asked["latency_us"]["p99"] / 1000 for asked, _ in results)
        arrived = measure.Spread.of(views["views_per_second"] for _, views in results)
        unsent = sum(asked["unsent"] for asked, _ in results)
        measured.append(report.Row(
            f"ListPopular, 100 of 1,000,000 articles, {'all time' if window == 'all' else 'one day'}, p99",
            spread.median, "ms", contexts.terms(service), spread=spread, target=report.at_most(5),
            notes=[f"{QUESTIONS_PER_SECOND} questions/s, open loop, while {arrived.median:,.0f} views/s arrived",
                   *([f"{unsent:,} found none of {QUESTIONS_IN_FLIGHT} places free till the end"] if unsent else [])]))
    return measured
