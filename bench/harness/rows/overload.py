"""A load far above the limit: the views counted meanwhile, the speed of refusals, and the state afterwards."""

import context as contexts
import load
import machine
import measure
import report

ARTICLES = 100_000
BATCH_VIEWS = 1_000
IN_FLIGHT = 32
# More batches than the queues of all lanes hold.
IN_FLIGHT_BURST = 4_000
# Filling the queue takes longer than a second.
BURST_SECONDS = 4
POOL_VIEWS = 1_000_000


def _load(context, service, **options):
    options = {"articles": ARTICLES, "batch_views": BATCH_VIEWS, "pool_views": POOL_VIEWS} | options
    return load.viewcount_load(context, "batches", service.address("grpc"), **options)


def _half(context, service, fits):
    """Returns the p99 in ms at half of the load that fits.

    The measurement takes one second, which begins about a second after the call.
    """
    told = _load(context, service, rate=fits["requests_per_second"] / 2, in_flight=512, seconds=1, warmup=0.5)
    if told["errors_whole_run"]:
        context.progress(f"overload: half the load that fits was refused in part: {told['errors']}")
        return float("inf")
    return told["latency_us"]["p99"] / 1000


def _round(context, service):
    fits = _load(context, service, in_flight=IN_FLIGHT, warmup=0.5)
    before = _half(context, service, fits)
    burst = _load(context, service, in_flight=IN_FLIGHT_BURST, warmup=2, seconds=BURST_SECONDS, connections=8)
    after = _half(context, service, fits)
    refused = sum(burst["errors"].values())
    offered = (burst["requests_per_second"] + refused / burst["seconds"]) / fits["requests_per_second"]
    context.progress(f"overload: offered {offered:.1f} times what fits: {burst['views_per_second']:,.0f} views/s of "
                     f"{fits['views_per_second']:,.0f}; {refused:,} refusals, p99 "
                     f"{burst['error_latency_us']['p99'] / 1000:.1f} ms; half the load before and afterwards: p99 "
                     f"{before:.1f} and {after:.1f} ms")
    return fits, burst, before, after, offered


def _spread(numbers):
    return measure.Spread.of(list(numbers))


def run(context):
    with context.service("overload") as service:
        rounds = [_round(context, service) for _ in range(context.rounds)]
        peak = machine.resident_bytes_peak(service.pid) / (1 << 20)
        terms = contexts.terms(service)
    offered = _spread(offered for *_, offered in rounds)
    goodput = _spread(burst["views_per_second"] for _, burst, *_ in rounds)
    fits = _spread(fits["views_per_second"] for fits, *_ in rounds)
    ratios = _spread(burst["views_per_second"] / fits["views_per_second"] for fits, burst, *_ in rounds)
    refusals = _spread(burst["error_latency_us"]["p99"] / 1000 for _, burst, *_ in rounds)
    refused = sum(sum(burst["errors"].values()) for _, burst, *_ in rounds)
    before, after = _spread(before for _, _, before, *_ in rounds), _spread(after for _, _, _, after, _ in rounds)
    note = (f"{IN_FLIGHT_BURST:,} batches in flight where {IN_FLIGHT} fill the core; offered were "
            f"{offered.median:.1f} times what fits, as many as the generator's core can send")
    return [
        report.Row("overload: what is counted meanwhile", goodput.median, "views/s", terms, "the load that fits",
                   fits.median, terms, ratios, report.ratio_at_least(0.9), notes=[note]),
        report.Row("overload: refusals, p99", refusals.median, "ms", terms, spread=refusals,
                   notes=[f"{refused:,} refusals"]),
        report.Row("overload: the service's memory", peak, "MiB", terms, target=report.at_most(1024),
                   notes=["the most it ever had"]),
        report.Row("half the load, a second after the burst, p99", after.median, "ms", terms,
                   "half the load before it, p99", before.median, terms,
                   _spread(after / before for _, _, before, after, _ in rounds), report.ratio_at_most(2)),
    ]
