"""Beacons of browsers over HTTP, compared with nginx that does nothing and with nginx that counts in Redis."""

import contextlib

import context as contexts
import load
import machine
import measure
import peer_servers
import processes
import redis
import report

ARTICLES = 100_000
IN_FLIGHT = 64
# A portal's articles are known to the service. Here all of them are new at the same time and come from browsers only.
FLAGS = ("--new-articles-per-minute", "1000000000")
WARMUP_SECONDS = 5


def _contender(context, name, server, terms, settle=None, **options):
    options = {"articles": ARTICLES, "in_flight": IN_FLIGHT, "warmup": 0} | options
    run = load.turn("requests", context=context, workload="beacons", target=server.address("http"), **options)
    return measure.Contender(name, server, run, terms, settle)


def _latency_row(context, service, rate):
    told = [load.viewcount_load(context, "beacons", service.address("http"), rate=rate, articles=ARTICLES,
                                in_flight=load.IN_FLIGHT_OPEN, warmup=0.3) for _ in range(context.rounds)]
    spread = measure.Spread.of(one["latency_us"]["p99"] / 1000 for one in told)
    return report.Row("beacons at half that rate, p99", spread.median, "ms", contexts.terms(service), spread=spread,
                      target=report.at_most(5), notes=[f"{rate:,.0f} requests/s, open loop"])


def run(context):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(context.empty_folder("beacons-peers"))
        service = stack.enter_context(context.service("beacons", *FLAGS))
        load.viewcount_load(context, "beacons", service.address("http"), articles=ARTICLES, in_flight=IN_FLIGHT,
                            seconds=WARMUP_SECONDS)
        nothing = stack.enter_context(peer_servers.Nginx(folder / "nothing", "nginx_no_content.conf"))
        store = stack.enter_context(redis.Redis(folder / "redis", machine.LOAD_CORE, persistent=False,
                                                port=processes.free_port()))
        lua = stack.enter_context(peer_servers.Nginx(folder / "lua", "nginx_lua_redis.conf", store))
        ours = _contender(context, "viewcountd", service, contexts.terms(service, True), service.flush)
        no_content = _contender(context, "nginx, return 204", nothing, "no flush, nothing kept")
        counting = _contender(context, "nginx + Lua + Redis INCR", lua, f"no flush, Redis: {store.durability}",
                              method="GET", path="/views/{article}")
        samples = measure.interleave([ours, no_content, counting], context.rounds, context.progress)
        name = f"beacons over {IN_FLIGHT} keep-alive connections"
        return [
            report.compare(name, "requests/CPU s", samples, ours, no_content, target=report.ratio_at_least(0.6)),
            report.compare(name, "requests/CPU s", samples, ours, counting, target=report.ratio_at_least(2.5),
                           notes=["Redis and its CPU are on the load's core"]),
            _latency_row(context, service, load.rate_of(samples[ours.name]) / 2),
        ]
