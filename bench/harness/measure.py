"""Comparisons of servers. The contenders take turns, so that other work of the machine affects all of them equally."""

import dataclasses
import statistics
import time

# Below this busy share of its core a server was sometimes idle. Its row has a remark about that.
BUSY_MIN = 0.95
# Above this share of its core other work may have slowed the server down. Its row has a remark about that.
OTHERS_MAX = 0.05


@dataclasses.dataclass
class Sample:
    """One turn of one contender."""

    # The amount of work done, in the contender's unit.
    amount: float
    # The duration of the load.
    seconds: float
    # The CPU time of the server, including the work after the last answer, such as its flush.
    cpu_seconds: float
    # The shares of the server's core during the load: its own share, and the share of other work.
    busy: float
    others: float
    # Further results of the load.
    details: dict

    @property
    def per_cpu_second(self):
        return self.amount / self.cpu_seconds


class Contender:
    """A server with a load.

    `load()` runs the load once and returns (amount, seconds, details). `settle()` returns when the server has finished
    the work of the load. Both are charged to the server. `clean_up()` runs after the turn and is not charged. `terms`
    describe the meaning of an answer: flush interval and durability.
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
        # The load's program runs longer than its load, so its wall-clock time is used.
        others = max(0, core - (loaded - before)) / (time.monotonic() - begun)
        if self._settle is not None:
            self._settle()
        busy = (loaded - before) / seconds
        sample = Sample(amount, seconds, self._server.cpu_seconds() - before, busy, others, details)
        if self._clean_up is not None:
            self._clean_up()
        return sample


def interleave(contenders, rounds, progress=lambda text: None):
    """Runs all contenders in turns. Returns the samples by the contender's name, one for each round."""
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
    """The median, the lowest and the highest of some numbers."""

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
    """Returns the ratios of each round to the baseline of the same round."""
    return Spread.of(sample.per_cpu_second / baseline.per_cpu_second
                     for sample, baseline in zip(samples, baselines, strict=True))


def latency(samples, quantile):
    """Returns the latency in µs. `quantile` is a name from the load's results, such as p99."""
    return Spread.of(sample.details["latency_us"][quantile] for sample in samples)


def core_remarks(samples, whose):
    """Returns remarks about the core of `whose` samples these are: how busy it was, and with what other work."""
    busy = min(sample.busy for sample in samples)
    others = statistics.median(sample.others for sample in samples)
    if busy >= BUSY_MIN:
        return []
    taken = f", and {others:.0%} of it with other work" if others > OTHERS_MAX else ""
    return [f"the core of {whose} was only {busy:.0%} busy with it{taken}"]
