"""The cost of a view by the number of articles, compared with one hash map of the same size."""

import contextlib

import measure
import pictures
import report
import servers
from rows import batches

# The cost of a flush depends on articles, not on views, and has a row of its own. Chunks that become large are flushed
# all the same.
FLUSH_INTERVAL = "60s"


def _sizes(context):
    return (1_000, 100_000, 10_000_000) if context.quick else (1_000, 10_000, 100_000, 1_000_000, 10_000_000)


def _nanoseconds(samples):
    return measure.Spread.of(1e9 / sample.per_cpu_second for sample in samples)


def _measure(context, size):
    """Returns the ns per view of the service and of the hash map, and the terms of the service's answers."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(context.empty_folder("curve-limit"))
        service = stack.enter_context(context.service("curve", flush_interval=FLUSH_INTERVAL))
        limit = stack.enter_context(servers.LimitServer(context.programs, folder, "decode"))
        options = {"articles": size, "pool_views": 2_000_000 if context.quick else 8_000_000}
        ours = batches.service_contender(context, f"viewcountd, {size:,} articles", service, charge_flush=False,
                                         **options)
        map_ = batches.limit_contender(context, limit, **options)
        # In the first round every article is new, so it is not measured.
        measure.interleave([ours, map_], 1)
        samples = measure.interleave([ours, map_], 1 if context.quick else 3, context.progress)
        return _nanoseconds(samples[ours.name]), _nanoseconds(samples[map_.name]), ours.terms


def run(context):
    measured = {size: _measure(context, size) for size in _sizes(context)}
    context.curves.append(pictures.Curve(
        "cost_by_articles.svg", "CPU per view, batches of 1,000, Zipf", "articles", "ns per view",
        {"viewcountd, journaled": [(size, ours.median) for size, (ours, _, _) in measured.items()],
         "gRPC, decoded by hand into one hash map": [(size, map_.median) for size, (_, map_, _) in measured.items()]}))
    rows = [report.Row(f"cost per view, {size:,} articles", ours.median, "ns CPU", terms,
                       "gRPC, decoded by hand into one hash map", map_.median, "no flush, memory only")
            for size, (ours, map_, terms) in measured.items()]
    (first_ours, first_map, terms), (last_ours, last_map, _) = measured[min(measured)], measured[max(measured)]
    rows.append(report.Row(
        "growth of the cost per view from 1,000 to 10,000,000 articles", last_ours.median - first_ours.median, "ns CPU",
        terms, "growth of one hash map's", last_map.median - first_map.median, "no flush, memory only",
        target=report.ratio_at_most(1)))
    return rows
