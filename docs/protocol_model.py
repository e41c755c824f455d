#!/usr/bin/env python3
"""An executable model of the protocol that counts every acknowledged view exactly once.

    docs/protocol_model.py                        # 2,000 runs from a random seed
    docs/protocol_model.py --seconds 60           # as many runs as fit into a minute
    docs/protocol_model.py --seed 7 --runs 1      # exactly one run, to repeat a failure
    docs/protocol_model.py --without equal-cursor # takes one rule out: must find wrong counts

Each run draws everything from its own seed: three lanes with journals, a store of two nodes, and two writers that
move between the lanes. Lanes crash. Commands and answers get lost or arrive late. Store nodes roll back separately. At
the end everything calms down. Then the store must hold exactly what the writers got acknowledged.

PROTOCOL.md beside this file states the same rules in words. The model is smaller than the service in three ways:

- A position is the number of a record, not a byte offset.
- A store has four shards and eight articles, and a part has one, two or nine articles.
- Takeovers are part of the model. The service does not implement them yet.
"""

import argparse
import dataclasses
import random
import sys
import time
from typing import Callable, NamedTuple, Optional, Union

SHARDS = 4
NODES = 2
LANES = 3
WRITERS = 2
ARTICLES = "abcdefgh"
# Batches that a writer sends before the first of them is acknowledged.
UNACKNOWLEDGED_MAX = 3
# A node loses at most this many of its latest changes at once.
ROLLBACK_CHANGES_MAX = 12
# Steps with faults, and the most steps without faults that a run may need to become quiet.
STEPS_WITH_FAULTS = 260
STEPS_TO_QUIET_MAX = 6000
RUNS_DEFAULT = 2000


def rule(description):
    """A field of Rules that is in force by default."""
    return dataclasses.field(default=True, metadata={"description": description})


@dataclasses.dataclass(frozen=True)
class Rules:
    """The rules of the protocol that can be taken out one by one. Without any of them counts become wrong."""

    equal_cursor: bool = rule("the store compares the cursor for equality, not for at most the expected one")
    begun: bool = rule("an adoption does not limit an epoch below what the shard has begun to apply of it")
    readopt: bool = rule("the store refuses a writer's epoch that it does not know")
    skip: bool = rule("the store refuses a chunk that was folded with another skip than its own")
    limit: bool = rule("the store refuses sequences above the limit of a closed epoch")
    skipped_writers: bool = rule("writers whose batches are all skipped are checked too")
    same_fold: bool = rule("a chunk is resumed by the fold that began it, with the skips and limits known then")
    as_of: bool = rule("the cursor in the middle of a chunk names the fold that began the chunk")
    duplicate_waits: bool = rule("a duplicate is acknowledged after the sync of its original")
    sync_first: bool = rule("a batch is acknowledged after the sync")
    in_sequence: bool = rule("a lane refuses a gap in a writer's sequence")
    first_sequence: bool = rule("an unknown writer starts with the first sequence of its epoch")


def shard_of(article):
    """Returns the shard that holds an article."""
    return ARTICLES.index(article) % SHARDS


class End(NamedTuple):
    """The cursor of a shard that has applied everything up to a position."""

    to: int


class Middle(NamedTuple):
    """The cursor of a shard that has applied a chunk up to and including one article.

    `as_of` is the position up to which the chunk's fold knew skips and limits. It is 0 if that is not recorded.
    """

    begin: int
    to: int
    last_article: str
    as_of: int


Cursor = Union[End, Middle]


class ViewsRecord(NamedTuple):
    """A journaled batch."""

    writer: str
    epoch: int
    sequence: int
    articles: list


class RepeatRecord(NamedTuple):
    """A repeated batch that waits for the sync of its original. It means nothing where a crash leaves it behind."""

    writer: str
    epoch: int
    sequence: int


class SkipRecord(NamedTuple):
    """What an adoption returned: this lane counts no sequence of the epoch up to `sequence` in the shard."""

    writer: str
    epoch: int
    shard: int
    sequence: int


class LimitRecord(NamedTuple):
    """What the store refused: this lane counts no sequence of the epoch above `sequence` in the shard."""

    writer: str
    epoch: int
    shard: int
    sequence: int


class WriterRange(NamedTuple):
    """What a chunk says to one shard about one epoch of a writer."""

    writer: str
    epoch: int
    skip: int
    highest: int


class Part(NamedTuple):
    """One atomic step on one shard: if the lane's entry is (incarnation, expected), add everything and put `next`."""

    shard: int
    lane: str
    incarnation: int
    expected: Cursor
    next: Cursor
    deltas: list
    writers: list


class Answer(NamedTuple):
    """What the store answers to a part. A refusal SKIP or LIMIT carries the right sequence."""

    kind: str
    writer: str = ""
    epoch: int = 0
    sequence: int = 0


APPLIED = Answer("APPLIED")
# The shard's entry of the lane has another incarnation or cursor than the part expects.
MISMATCH = Answer("MISMATCH")
# The command or its answer was lost, so the outcome is unknown.
LOST = Answer("LOST")


class WriterState:
    """What a shard keeps of a writer."""

    def __init__(self):
        self.epoch = 0
        # By epoch: the highest sequence in any chunk whose first part was applied.
        self.begun = {}
        # By closed epoch: the highest sequence that it may count.
        self.limits = {}

    def copy(self):
        """Returns an independent copy."""
        other = WriterState()
        other.epoch, other.begun, other.limits = self.epoch, dict(self.begun), dict(self.limits)
        return other

    def limit_before(self, epoch):
        """Returns the highest sequence that the epochs before this one may count."""
        return self.limits[epoch - 1] if epoch > 0 else 0


class ShardState:
    """What the store holds for one shard: an entry (incarnation, cursor) for each lane, counts, and writers."""

    def __init__(self):
        self.lanes = {}
        self.counts = {}
        self.writers = {}

    def copy(self):
        """Returns an independent copy."""
        other = ShardState()
        other.lanes, other.counts = dict(self.lanes), dict(self.counts)
        other.writers = {name: state.copy() for name, state in self.writers.items()}
        return other


class Store:
    """The store. Shard s lives on node s % NODES, and each node can go back to an earlier state on its own."""

    def __init__(self, rules, chance):
        self.rules = rules
        self.chance = chance
        self.shards = [ShardState() for _ in range(SHARDS)]
        # By node: its state after each change, as a dictionary from shard to ShardState.
        self.history = [[{shard: ShardState() for shard in range(node, SHARDS, NODES)}] for node in range(NODES)]

    def remember(self, shard):
        """Adds the state of a shard that has changed to the history of its node."""
        history = self.history[shard % NODES]
        history.append({**history[-1], shard: self.shards[shard].copy()})

    def roll_back(self, node):
        """Brings a node back to one of its latest states."""
        history = self.history[node]
        kept = self.chance.randrange(max(0, len(history) - ROLLBACK_CHANGES_MAX), len(history))
        del history[kept + 1:]
        for shard, state in history[kept].items():
            self.shards[shard] = state.copy()

    def claim(self, shard, lane, incarnation, known):
        """Enters a lane's incarnation and returns its cursor. An entry that the lane does not know is fatal."""
        found, cursor = self.shards[shard].lanes.get(lane, (None, End(0)))
        if found is not None and found not in known:
            raise AssertionError("FENCED: no other process has the lanes of the model")
        self.shards[shard].lanes[lane] = (incarnation, cursor)
        self.remember(shard)
        return cursor

    def adopt(self, shard, writer, takeovers):
        """Closes the older epochs of a writer and returns the skip of its epoch.

        `takeovers[i]` is the first sequence of epoch i + 1, so that their number is the writer's epoch.
        """
        state = self.shards[shard].writers.setdefault(writer, WriterState())
        epoch = len(takeovers)
        if state.epoch < epoch:
            for older in range(state.epoch, epoch):
                begun = state.begun.get(older, 0) if self.rules.begun else 0
                state.limits[older] = max(state.limit_before(older), takeovers[older] - 1, begun)
            state.epoch = epoch
            self.remember(shard)
        return state.limit_before(epoch)

    def apply(self, part):
        """Applies a part whole or not at all."""
        state = self.shards[part.shard]
        incarnation, cursor = state.lanes.get(part.lane, (None, None))
        if incarnation != part.incarnation or not self.fits(cursor, part.expected):
            return MISMATCH
        for entry in part.writers:
            refusal = self.refusal(state, entry)
            if refusal is not None:
                return refusal
        for entry in part.writers:
            begun = state.writers.setdefault(entry.writer, WriterState()).begun
            begun[entry.epoch] = max(begun.get(entry.epoch, 0), entry.highest)
        for article, views in part.deltas:
            state.counts[article] = state.counts.get(article, 0) + views
        state.lanes[part.lane] = (part.incarnation, part.next)
        self.remember(part.shard)
        return APPLIED

    def fits(self, cursor, expected):
        """Returns whether a part may be applied at this cursor."""
        if self.rules.equal_cursor:
            return cursor == expected
        both_end = isinstance(cursor, End) and isinstance(expected, End)
        return cursor == expected or (both_end and cursor.to <= expected.to)

    def refusal(self, state, entry):
        """Returns why a shard refuses a chunk with this writer, or None."""
        writer, epoch, skip, highest = entry
        known = state.writers.get(writer) or WriterState()
        if epoch > 0 and known.epoch < epoch and self.rules.readopt:
            return Answer("READOPT", writer, epoch)
        if epoch > 0 and known.epoch >= epoch and self.rules.skip and known.limit_before(epoch) != skip:
            return Answer("SKIP", writer, epoch, known.limit_before(epoch))
        if known.epoch > epoch and self.rules.limit and highest > known.limits[epoch]:
            return Answer("LIMIT", writer, epoch, known.limits[epoch])
        return None


class Plan(NamedTuple):
    """A chunk that a lane is about to flush to a shard: its range, what is applied of it, and its fold."""

    begin: int
    to: int
    last_article: Optional[str]
    as_of: Optional[int]


class Unsynced(NamedTuple):
    """A record that is not durable yet, and how its batch is acknowledged."""

    record: Union[ViewsRecord, RepeatRecord]
    acknowledge: Callable[[], None]


class Lane:
    """A lane: a journal that survives crashes, and what the process knows while it is up."""

    def __init__(self, name, store, rules, chance, takeovers):
        self.name = name
        self.store = store
        self.rules = rules
        self.chance = chance
        # By writer: all its takeovers so far. A service would journal them with the adoption.
        self.takeovers = takeovers
        self.journal = []
        self.incarnations = []
        self.up = False

    def start(self):
        """Starts the process: a new incarnation, and what the journal tells about writers."""
        self.up = True
        self.incarnations.append(self.chance.getrandbits(60))
        self.unsynced = []
        # By writer and epoch: the last sequence that is durable.
        self.last_sequences = {}
        self.adopted = set()
        self.cursors = [None] * SHARDS
        self.claimed = [False] * SHARDS
        # By shard: the chunk that was planned last. Only its begin, end and fold count.
        self.plans = [None] * SHARDS
        for record in self.journal:
            self.learn(record)

    def crash(self):
        """Ends the process. The disk happens to keep some of what was not synced."""
        kept = self.chance.randrange(len(self.unsynced) + 1)
        if not self.rules.sync_first:
            kept = 0
        self.journal += [unsynced.record for unsynced in self.unsynced[:kept]]
        self.up = False

    def learn(self, record):
        """Takes over what a durable record says about writers."""
        if isinstance(record, ViewsRecord):
            self.last_sequences[record.writer, record.epoch] = record.sequence
        elif isinstance(record, SkipRecord):
            self.adopted.add((record.writer, record.epoch))

    def append(self, record):
        """Appends a record durably."""
        self.journal.append(record)
        self.learn(record)

    def take(self, batch, takeovers, acknowledge):
        """Takes a batch into the current group, recognises duplicates, and refuses gaps.

        Returns False if the writer is unknown and must take over again.
        """
        writer, epoch, sequence, _ = batch
        if epoch > 0 and (writer, epoch) not in self.last_sequences and (writer, epoch) not in self.adopted:
            self.adopt(writer, takeovers)
        waiting = [unsynced.record.sequence for unsynced in self.unsynced
                   if unsynced.record[:2] == (writer, epoch)]
        last = max(waiting + [self.last_sequences.get((writer, epoch), 0)])
        if last > 0 and sequence <= last:
            if self.rules.duplicate_waits and sequence in waiting:
                self.unsynced.append(Unsynced(RepeatRecord(writer, epoch, sequence), acknowledge))
            else:
                acknowledge()
            return True
        first = takeovers[-1] if epoch > 0 else 1
        if last == 0 and sequence != first and self.rules.first_sequence:
            return False
        if last > 0 and sequence != last + 1 and self.rules.in_sequence:
            return True
        self.unsynced.append(Unsynced(batch, acknowledge))
        if not self.rules.sync_first:
            acknowledge()
        return True

    def adopt(self, writer, takeovers):
        """Adopts a writer in every shard and journals the skips."""
        skips = [self.store.adopt(shard, writer, takeovers) for shard in range(SHARDS)]
        for shard, sequence in enumerate(skips):
            self.append(SkipRecord(writer, len(takeovers), shard, sequence))

    def sync(self):
        """Makes the group durable, then acknowledges it."""
        for unsynced in self.unsynced:
            if isinstance(unsynced.record, ViewsRecord):
                self.append(unsynced.record)
        for unsynced in self.unsynced:
            unsynced.acknowledge()
        self.unsynced = []

    def skips_and_limits(self, shard, as_of):
        """Returns the skips and limits of a shard that the journal holds up to a position, by writer and epoch."""
        skips, limits = {}, {}
        for record in self.journal[:as_of if self.rules.same_fold else None]:
            if isinstance(record, SkipRecord) and record.shard == shard:
                skips[record.writer, record.epoch] = record.sequence
            elif isinstance(record, LimitRecord) and record.shard == shard:
                limits[record.writer, record.epoch] = record.sequence
        return skips, limits

    def fold(self, shard, plan):
        """Returns a shard's share of a chunk: the sorted counts, and what it says about writers."""
        skips, limits = self.skips_and_limits(shard, plan.as_of)
        counts, highest = {}, {}
        for record in self.journal[plan.begin:plan.to]:
            if not isinstance(record, ViewsRecord):
                continue
            key = (record.writer, record.epoch)
            if self.rules.skipped_writers:
                highest.setdefault(key, 0)
            if record.sequence <= skips.get(key, 0) or record.sequence > limits.get(key, record.sequence):
                continue
            highest[key] = max(highest.get(key, 0), record.sequence)
            for article in record.articles:
                if shard_of(article) == shard:
                    counts[article] = counts.get(article, 0) + 1
        writers = [WriterRange(*key, skips.get(key, 0), sequence) for key, sequence in highest.items()]
        return sorted(counts.items()), writers

    def plan(self, shard):
        """Returns the chunk to flush to a shard next, or None. A chunk that was begun stays as it is."""
        cursor = self.cursors[shard]
        if isinstance(cursor, Middle):
            return Plan(cursor.begin, cursor.to, cursor.last_article, cursor.as_of or None)
        plan = self.plans[shard]
        if plan is None or plan.begin != cursor.to:
            end = len(self.journal)
            plan = Plan(cursor.to, end, None, end) if end != cursor.to else None
        self.plans[shard] = plan
        return plan

    def flush(self, shard, late_parts):
        """Sends a shard its next part. Parts that the network delays go to `late_parts`."""
        if not self.claimed[shard]:
            self.cursors[shard] = self.store.claim(shard, self.name, self.incarnations[-1], set(self.incarnations))
            self.claimed[shard] = True
            self.plans[shard] = None
        plan = self.plan(shard)
        if plan is None:
            return
        part = self.next_part(shard, plan)
        answer = self.send(part, late_parts)
        if answer == APPLIED:
            self.cursors[shard] = part.next
        elif answer in (MISMATCH, LOST):
            # The stored cursor is the truth: the next flush claims the shard again, which reads it.
            self.claimed[shard] = False
        else:
            self.accept_refusal(shard, answer)

    def next_part(self, shard, plan):
        """Cuts the next part out of a chunk. The first part says what the chunk holds of writers."""
        counts, writers = self.fold(shard, plan)
        first = plan.last_article is None
        rest = [count for count in counts if first or count[0] > plan.last_article]
        size = self.chance.choice([1, 2, 9])
        deltas = rest[:size]
        if len(rest) > size:
            after = Middle(plan.begin, plan.to, deltas[-1][0], plan.as_of if self.rules.as_of else 0)
        else:
            after = End(plan.to)
        return Part(shard, self.name, self.incarnations[-1], self.cursors[shard], after, deltas,
                    writers if first else [])

    def send(self, part, late_parts):
        """Sends a part over a network that loses or delays some commands and loses some answers."""
        fate = self.chance.random()
        if fate < .1:
            late_parts.append(part)
        if fate < .15:
            return LOST
        answer = self.store.apply(part)
        return LOST if fate < .25 else answer

    def accept_refusal(self, shard, answer):
        """Journals what the store said about a writer, so that the chunk is folded again with it."""
        kind, writer, epoch, sequence = answer
        if kind == "READOPT":
            sequence = self.store.adopt(shard, writer, self.takeovers[writer][:epoch])
        record = LimitRecord if kind == "LIMIT" else SkipRecord
        self.append(record(writer, epoch, shard, sequence))
        self.plans[shard] = None

    def is_flushed(self):
        """Returns whether the lane believes that every shard has everything."""
        end = End(len(self.journal))
        return not self.unsynced and all(self.claimed) and all(cursor == end for cursor in self.cursors)

    def agrees_with_store(self):
        """Returns whether the store has the cursors that the lane believes it has."""
        return all(self.store.shards[shard].lanes.get(self.name, (None, None))[1] == self.cursors[shard]
                   for shard in range(SHARDS))


class Writer:
    """A client's writer: what it sends, to which lane, and what is acknowledged."""

    def __init__(self, name, lane):
        self.name = name
        self.lane = lane
        self.next_sequence = 1
        # Batches in order, as pairs of a sequence and articles.
        self.unacknowledged = []
        self.acknowledged = {}
        # For each epoch after the first: the lowest sequence that was unacknowledged when it began.
        self.takeovers = []

    def take_over(self):
        """Begins a new epoch."""
        self.takeovers.append(self.unacknowledged[0][0])

    def acknowledge(self, sequence, articles):
        """Notes that a batch was acknowledged, if it is the oldest one that was not."""
        if self.unacknowledged and self.unacknowledged[0][0] == sequence:
            self.unacknowledged.pop(0)
            self.acknowledged[sequence] = articles


class WrongRun(Exception):
    """Raised where a run ends with wrong counts, or does not end."""


class Simulation:
    """One run: everything that happens follows from the seed."""

    def __init__(self, seed, rules):
        self.chance = random.Random(seed)
        self.store = Store(rules, self.chance)
        takeovers = {}
        self.lanes = [Lane(f"L{index}", self.store, rules, self.chance, takeovers) for index in range(LANES)]
        for lane in self.lanes:
            lane.start()
        self.writers = [Writer(f"W{index}", self.chance.randrange(LANES)) for index in range(WRITERS)]
        takeovers.update((writer.name, writer.takeovers) for writer in self.writers)
        # Parts that reach the store late.
        self.late_parts = []
        # Batches that reach a lane once more, late.
        self.late_batches = []

    def run(self):
        """Runs with faults, then without until all is quiet, and compares the counts."""
        for _ in range(STEPS_WITH_FAULTS):
            self.step_with_faults()
        for lane in self.lanes:
            if not lane.up:
                lane.start()
        self.become_quiet()
        while self.late_parts:
            self.store.apply(self.late_parts.pop())
        self.compare()

    def become_quiet(self):
        """Steps without faults until everything is acknowledged and flushed."""
        for _ in range(STEPS_TO_QUIET_MAX):
            self.step_without_faults(self.chance.random())
            if any(writer.unacknowledged for writer in self.writers):
                continue
            if not all(lane.is_flushed() for lane in self.lanes):
                continue
            if all(lane.agrees_with_store() for lane in self.lanes):
                return
            # Idle lanes read their cursors again from time to time, and so notice a store that went back.
            for lane in self.lanes:
                lane.claimed = [False] * SHARDS
        raise WrongRun(f"not quiet after {STEPS_TO_QUIET_MAX} steps without faults")

    def compare(self):
        """Compares the store's counts with those of the acknowledged batches."""
        expected = dict.fromkeys(ARTICLES, 0)
        for writer in self.writers:
            for articles in writer.acknowledged.values():
                for article in articles:
                    expected[article] += 1
        stored = {article: self.store.shards[shard_of(article)].counts.get(article, 0) for article in ARTICLES}
        wrong = [f"{article}: {stored[article]} instead of {expected[article]}" for article in ARTICLES
                 if stored[article] != expected[article]]
        if wrong:
            raise WrongRun("wrong counts: " + ", ".join(wrong))

    def step_with_faults(self):
        """Does one thing: writes, sends, syncs, flushes, or a fault."""
        choice = self.chance.random()
        if choice < .30:
            self.write()
        elif choice < .90:
            self.step_without_faults(choice)
        elif choice < .92:
            lane = self.chance.choice(self.lanes)
            if lane.up:
                lane.crash()
            else:
                lane.start()
        elif choice < .94:
            self.store.roll_back(self.chance.randrange(NODES))
        elif choice < .96 and self.late_parts:
            self.store.apply(self.late_parts.pop(self.chance.randrange(len(self.late_parts))))
        elif choice < .98:
            self.move_writer()
        elif self.late_batches:
            lane, batch, takeovers = self.late_batches.pop(self.chance.randrange(len(self.late_batches)))
            if lane.up:
                lane.take(batch, takeovers, lambda: None)

    def step_without_faults(self, choice):
        """Sends, syncs or flushes."""
        if choice < .50:
            self.send()
        elif choice < .62:
            lane = self.chance.choice(self.lanes)
            if lane.up:
                lane.sync()
        else:
            lane = self.chance.choice(self.lanes)
            if lane.up:
                lane.flush(self.chance.randrange(SHARDS), self.late_parts)

    def write(self):
        """Adds a batch to a writer."""
        writer = self.chance.choice(self.writers)
        if len(writer.unacknowledged) < UNACKNOWLEDGED_MAX:
            views = self.chance.choice([1, 2, 5])
            articles = [self.chance.choice(ARTICLES) for _ in range(views)]
            writer.unacknowledged.append((writer.next_sequence, articles))
            writer.next_sequence += 1

    def send(self):
        """Sends some of a writer's batches in order. A writer that its lane does not know takes over there."""
        writer = self.chance.choice(self.writers)
        lane = self.lanes[writer.lane]
        if not writer.unacknowledged or not lane.up:
            return
        for sequence, articles in writer.unacknowledged[:self.chance.choice([1, 2, 3])]:
            batch = ViewsRecord(writer.name, len(writer.takeovers), sequence, articles)
            known = lane.take(batch, list(writer.takeovers), self.acknowledgement(writer, batch))
            if not known and sequence == writer.unacknowledged[0][0]:
                writer.take_over()
                return
            if self.chance.random() < .1:
                self.late_batches.append((lane, batch, list(writer.takeovers)))

    def acknowledgement(self, writer, batch):
        """Returns a function that answers a batch. A quarter of the answers is lost."""

        def acknowledge():
            lost = self.chance.random() < .25
            # A client ignores answers from before its takeover.
            if not lost and len(writer.takeovers) == batch.epoch:
                writer.acknowledge(batch.sequence, batch.articles)

        return acknowledge

    def move_writer(self):
        """Has a writer give up on its lane and take over at another one."""
        writer = self.chance.choice(self.writers)
        if writer.unacknowledged:
            writer.lane = (writer.lane + self.chance.choice([1, 2])) % LANES
            writer.take_over()


def rule_names():
    """Returns the rules by their names on the command line."""
    return {field.name.replace("_", "-"): field for field in dataclasses.fields(Rules)}


def parse_arguments(arguments):
    """Parses the command line."""
    listed = "\n".join(f"  {name:16} {field.metadata['description']}" for name, field in rule_names().items())
    parser = argparse.ArgumentParser(
        formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__.split("\n", maxsplit=1)[0],
        epilog=f"rules:\n{listed}\n\nexit code: 0 if all counts are right, 1 if not, 2 for a wrong option")
    parser.add_argument("--runs", type=int, metavar="N",
                        help=f"ends after N runs (default: {RUNS_DEFAULT}, or no limit with --seconds)")
    parser.add_argument("--seconds", type=float, metavar="N", help="begins no run after N seconds")
    parser.add_argument("--seed", type=int, metavar="N",
                        help="the first run's seed; each further run adds 1 (default: random)")
    parser.add_argument("--without", choices=rule_names(), metavar="RULE",
                        help="takes one rule out and ends at the first wrong run")
    options = parser.parse_args(arguments)
    if (options.runs is not None and options.runs < 1) or (options.seconds is not None and options.seconds <= 0):
        parser.error("--runs and --seconds must be above 0")
    return options


def main(arguments=None):
    """Runs the simulations and returns the exit code. The first wrong run is reported and ends the program."""
    options = parse_arguments(arguments)
    rules = Rules(**({options.without.replace("-", "_"): False} if options.without else {}))
    first_seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    runs = options.runs or (RUNS_DEFAULT if options.seconds is None else sys.maxsize)
    deadline = time.monotonic() + options.seconds if options.seconds is not None else None
    print(f"first seed: {first_seed}" + (f", without {options.without}" if options.without else ""), flush=True)
    done = 0
    while done < runs and (deadline is None or time.monotonic() < deadline):
        seed = first_seed + done
        done += 1
        try:
            Simulation(seed, rules).run()
        except WrongRun as wrong:
            without = f" --without {options.without}" if options.without else ""
            print(f"seed {seed}: {wrong}")
            print(f"to repeat it: protocol_model.py --seed {seed} --runs 1{without}")
            return 1
    unnoticed = f": too few to notice that {options.without} is missing" if options.without else ""
    print(f"{done} runs, all counts right{unnoticed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
