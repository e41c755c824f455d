"""Comparisons: who is compared takes turns, so that whatever else the machine does meets all alike."""

import dataclasses
import statistics
import time

# Below this share of its core a server had nothing to do now and then; its row says so.
BUSY_MIN = 0.95
# Above this share of its core other work may have slowed it down; its row says so.
OTHERS_MAX = 0.05


@dataclasses.dataclass
class Sample:
    """One turn of one contender."""

    # What was done, in the contender's unit.
    amount: float
    # How long it was asked to.
    seconds: float
    # Of the server; what it did behind the last answer (its flush) included.
    cpu_seconds: float
    # Shares of its core while it was asked: what it took, and what others took.
    busy: float
    others: float
    # What the load told beyond that.
    details: dict

    @property
    def per_cpu_second(self):
        return self.amount / self.cpu_seconds


class Contender:
    """A server with a load.

    `load()` runs the load once and returns (amount, seconds, details). `settle()` returns when the server has finished
    with it; both are charged. `clean_up()` comes after the turn and is not. `terms` say what an answer means: flush
    interval and durability.
    """

    def __init__(self, name, server, load, terms, settle=None, clean_up=None):
        self.name = name
        self.terms = terms
        self._server = server
        self._load = load
        self._settle = settle
        self._clean_up = clean_up

    def take_turn(self):
        before, core_before, begun = self._server.cpu_seconds(), self._server.core_seconds(), time.monotonic()
        amount, seconds, details = self._load()
        loaded, core = self._server.cpu_seconds(), self._server.core_seconds() - core_before
        # The load's program takes longer than its load.
        others = max(0, core - (loaded - before)) / (time.monotonic() - begun)
        if self._settle is not None:
            self._settle()
        busy = (loaded - before) / seconds
        sample = Sample(amount, seconds, self._server.cpu_seconds() - before, busy, others, details)
        if self._clean_up is not None:
            self._clean_up()
        return sample


def interleave(contenders, rounds, progress=lambda text: None):
    """Samples by the contender's name, one a round."""
    samples = {contender.name: [] for contender in contenders}
    for number in range(1, rounds + 1):
        for contender in contenders:
            sample = contender.take_turn()
            samples[contender.name].append(sample)
            progress(f"round {number} of {rounds}: {contender.name}: {sample.per_cpu_second:,.0f} per CPU second, "
                     f"core {sample.busy:.0%} busy")
    return samples


@dataclasses.dataclass
class Spread:
    """The median of some numbers, and the lowest and highest of them."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(numbers):
        numbers = list(numbers)
        return Spread(statistics.median(numbers), min(numbers), max(numbers))


def throughput(samples):
    return Spread.of(sample.per_cpu_second for sample in samples)


def ratios(samples, baselines):
    """Of each round to the baseline in the same round."""
    return Spread.of(sample.per_cpu_second / baseline.per_cpu_second
                     for sample, baseline in zip(samples, baselines, strict=True))


def latency(samples, quantile):
    """`quantile` is a name of the load's, such as p99; µs."""
    return Spread.of(sample.details["latency_us"][quantile] for sample in samples)


def core_remarks(samples, whose):
    """What is to be known of the core of `whose` samples these are: how busy, and with what else."""
    busy = min(sample.busy for sample in samples)
    others = statistics.median(sample.others for sample in samples)
    if busy >= BUSY_MIN:
        return []
    taken = f", and {others:.0%} of it with other work" if others > OTHERS_MAX else ""
    return [f"the core of {whose} was only {busy:.0%} busy with it{taken}"]
