"""Runs the load generators on LOAD_CORE."""

import json
import statistics

import machine
import processes

# The time that a run may take in addition to its requested duration: for filling its buffers, and for its last answers.
EXTRA_SECONDS_MAX = 180
# The most requests that an open loop may have in flight. A request that is due and finds no free slot waits, and its
# waiting counts as latency.
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
    # In an open loop, requests that were never sent have a latency too.
    if not told["requests"] and not told["latency_us"]["max"]:
        raise RuntimeError(f"nothing was answered in time: {output}")
    return told


def viewcount_load(context, workload, target, **options):
    """Runs viewcount_load, and returns its results as a dictionary."""
    options = {"seconds": context.seconds} | options
    # A generator that measures latency has priority over Redis and other load on its core. In production these run on
    # other machines.
    prepare = (machine.pinned_ahead if "rate" in options else machine.pinned)(machine.LOAD_CORE)
    return _parse(processes.run(_words(context, workload, target, options), prepare,
                                options["seconds"] + EXTRA_SECONDS_MAX))


def start_viewcount_load(context, workload, target, **options):
    """Starts viewcount_load as a process. Pass the process to finish() for its results."""
    return processes.start(_words(context, workload, target, options))


def finish(process):
    return _parse(processes.finish(process, EXTRA_SECONDS_MAX))


def peer_load(context, protocol, **options):
    """Runs peer_load, and returns its results as a dictionary."""
    told = json.loads(processes.run([context.programs / "peer_load", protocol,
                                     *_flags({"seconds": context.seconds} | options)],
                                    seconds_max=context.seconds + EXTRA_SECONDS_MAX))
    if told["errors"]:
        raise RuntimeError(f"peer_load {protocol}: {told}")
    return told


def turn(amount, **arguments):
    """Returns a contender's load function, which runs viewcount_load.

    The result named `amount` counts. None of the requests may fail.
    """
    def run():
        told = viewcount_load(**arguments)
        if told["errors_whole_run"]:
            raise RuntimeError(f"{arguments['workload']} to {arguments['target']}: {told['errors']}")
        return told[amount], told["seconds"], told
    return run


def rate_of(samples):
    """Returns the median of the answered requests per second. Half of it is half of the load that fits."""
    return statistics.median(sample.details["requests_per_second"] for sample in samples)
