"""Batches of 1,000 views, compared with one hash map and with other systems on the same articles."""

import contextlib

import context as contexts
import load
import machine
import measure
import peer_servers
import processes
import redis
import report
import servers

ARTICLES = 100_000
ARTICLES_MANY = 10_000_000
BATCH_VIEWS = 1_000
IN_FLIGHT = 32
CLIENTS = 16
CONNECTIONS = 50
# The rate is higher than statsd can take, so that its core is busy. A much higher rate would only be dropped.
STATSD_PACKETS_PER_SECOND = 300_000
UNIT = "views/CPU s"


def service_contender(context, name, service, charge_flush=True, **options):
    """Returns the service as a contender under batches.

    Each turn ends with a flush. It is charged to the service unless `charge_flush` is false.
    """
    options = {"articles": ARTICLES, "batch_views": BATCH_VIEWS, "in_flight": IN_FLIGHT, "warmup": 0} | options
    run = load.turn("views_acknowledged", context=context, workload="batches", target=service.address("grpc"),
                    **options)
    return measure.Contender(name, service, run, contexts.terms(service, charge_flush),
                             **{"settle" if charge_flush else "clean_up": service.flush})


def limit_contender(context, limit, **options):
    options = {"articles": ARTICLES, "batch_views": BATCH_VIEWS, "in_flight": IN_FLIGHT, "warmup": 0} | options
    run = load.turn("views_acknowledged", context=context, workload="batches", target=limit.address("grpc"), **options)
    return measure.Contender("gRPC, decoded by hand into one hash map", limit, run, "no flush, memory only")


def redis_contender(context, server, command, pipeline):
    def run():
        told = load.peer_load(context, "redis", port=server.port, command=command, connections=CONNECTIONS,
                              pipeline=pipeline, articles=ARTICLES)
        return told["views"], told["seconds"], told
    name = f"Redis {command.upper()}, " + (f"pipelined by {pipeline}" if pipeline > 1 else "one at a time")
    return measure.Contender(f"{name}, {CONNECTIONS} connections", server, run, f"no flush, {server.durability}")


def postgres_contender(context, server, name, scripts, views):
    def run():
        # pgbench accepts whole seconds only.
        seconds = max(2, round(context.seconds))
        return server.load(scripts, CLIENTS, seconds) * views, seconds, {}
    return measure.Contender(f"PostgreSQL {name}, {CLIENTS} clients", server, run, "no flush, durable commits")


def statsd_contender(context, server):
    state = {"counted": 0, "received": 0}

    def run():
        told = load.peer_load(context, "udp", port=server.port, rate=STATSD_PACKETS_PER_SECOND, articles=ARTICLES)
        counted = server.counted()
        received, state["counted"] = counted - state["counted"], counted
        return received, told["seconds"], {"lost": 1 - received / told["sent"]}
    return measure.Contender("statsd, UDP, one view a packet", server, run,
                             f"flush {server.flush_interval}, memory only")


@contextlib.contextmanager
def contenders(context):
    """Starts all contenders: the service, the service with many articles, the limit, and the peers."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(context.empty_folder("batches-peers"))
        few = stack.enter_context(context.service("batches"))
        many = stack.enter_context(context.service("batches-many"))
        limit = stack.enter_context(servers.LimitServer(context.programs, folder / "limit", "decode"))
        counter = stack.enter_context(redis.Redis(folder / "redis", machine.SERVER_CORE, persistent=False,
                                                  port=processes.free_port()))
        database = stack.enter_context(peer_servers.Postgres(folder / "postgres", ARTICLES))
        statsd = stack.enter_context(peer_servers.Statsd(folder / "statsd"))
        context.progress("batches: all servers are up")
        yield {
            "ours": service_contender(context, "viewcountd", few),
            "many": service_contender(context, "viewcountd, 10,000,000 articles", many, articles=ARTICLES_MANY,
                                      pool_views=4_000_000 if context.quick else 20_000_000,
                                      seconds=context.seconds if context.quick else 2 * context.seconds),
            "limit": limit_contender(context, limit),
            "incr": redis_contender(context, counter, "incr", 1),
            "incr pipelined": redis_contender(context, counter, "incr", 100),
            "zincrby": redis_contender(context, counter, "zincrby", 1),
            "zincrby pipelined": redis_contender(context, counter, "zincrby", 100),
            "update": postgres_contender(context, database, "UPDATE", database.update_scripts(), 1),
            "upsert": postgres_contender(context, database, f"upsert of {BATCH_VIEWS:,} views at once",
                                         database.upsert_scripts(BATCH_VIEWS), BATCH_VIEWS),
            "statsd": statsd_contender(context, statsd),
        }


def run(context):
    with contenders(context) as by_key:
        samples = measure.interleave(by_key.values(), context.rounds, context.progress)
    ours = by_key["ours"]
    name = "batches of 1,000 views, Zipf over 100,000 articles"

    def compare(baseline, **fields):
        return report.compare(name, UNIT, samples, ours, by_key[baseline], **fields)

    lost = measure.Spread.of(sample.details["lost"] for sample in samples[by_key["statsd"].name])
    many_note = "the store also takes each of so many articles at the end of each turn, which is charged"
    return [
        compare("limit", target=report.ratio_at_least(0.7)),
        report.alone(name + ", absolute", UNIT, samples, ours, target=report.at_least(8_000_000),
                     notes=["the aim is 10,000,000"]),
        compare("incr pipelined", target=report.ratio_at_least(15)),
        compare("update", target=report.ratio_at_least(1_000), notes=["pgbench takes no exponent below 1.001"]),
        report.compare("batches of 1,000 views, Zipf over 10,000,000 articles", UNIT, samples, by_key["many"], ours,
                       target=report.ratio_at_least(0.5), notes=[many_note]),
        *(compare(key) for key in ("incr", "zincrby", "zincrby pipelined", "upsert")),
        compare("statsd", notes=[f"statsd lost {lost.median:.0%} of the packets sent"]),
    ]
