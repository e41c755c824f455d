"""The load generators, on LOAD_CORE."""

import json
import statistics

import machine
import processes

# Beyond what a run is asked to take: filling its buffers, and its last answers.
EXTRA_SECONDS_MAX = 180
# What an open loop may have under way; a request that is due and finds none free waits, which counts as its latency.
IN_FLIGHT_OPEN = 64


def _flags(options):
    words = []
    for name, value in options.items():
        words += ["--" + name.replace("_", "-"), value]
    return words


def _words(context, workload, target, options):
    return [context.programs / "viewcount_load", workload, "--target", target, "--json", *_flags(options)]


def _parse(output):
    told = json.loads(output)
    # In an open loop those that were never sent have a latency, too.
    if not told["requests"] and not told["latency_us"]["max"]:
        raise RuntimeError(f"nothing was answered in time: {output}")
    return told


def viewcount_load(context, workload, target, **options):
    """What viewcount_load tells of one run, as a dictionary."""
    options = {"seconds": context.seconds} | options
    # Whose latency counts does not wait for Redis and other load on its core, which in life are elsewhere.
    prepare = (machine.pinned_ahead if "rate" in options else machine.pinned)(machine.LOAD_CORE)
    return _parse(processes.run(_words(context, workload, target, options), prepare,
                                options["seconds"] + EXTRA_SECONDS_MAX))


def start_viewcount_load(context, workload, target, **options):
    """The same as a process under way; `finish` takes what it tells."""
    return processes.start(_words(context, workload, target, options))


def finish(process):
    return _parse(processes.finish(process, EXTRA_SECONDS_MAX))


def peer_load(context, protocol, **options):
    """What peer_load tells of one run, as a dictionary."""
    told = json.loads(processes.run([context.programs / "peer_load", protocol,
                                     *_flags({"seconds": context.seconds} | options)],
                                    seconds_max=context.seconds + EXTRA_SECONDS_MAX))
    if told["errors"]:
        raise RuntimeError(f"peer_load {protocol}: {told}")
    return told


def turn(amount, **arguments):
    """A contender's load: viewcount_load, of whose results `amount` counts; none of its requests may fail."""
    def run():
        told = viewcount_load(**arguments)
        if told["errors_whole_run"]:
            raise RuntimeError(f"{arguments['workload']} to {arguments['target']}: {told['errors']}")
        return told[amount], told["seconds"], told
    return run


def rate_of(samples):
    """The requests that were answered a second, in the median; half of it is half the load that fits."""
    return statistics.median(sample.details["requests_per_second"] for sample in samples)
