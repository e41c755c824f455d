"""How a client in Python runs its cases; those in other languages do the same in their own words (README.md)."""

import os
import sys
import time
import traceback

SECONDS_MAX = 30


class Burst:
    """Sizes of the burst: so many calls at once of 20 KB each way, with articles that nobody asked for before."""

    rounds = 20
    calls = 200
    articles_of_a_call = 50
    # One call names each of these again and again, so that all calls together fit into the queue to Redis.
    different_articles = 2
    article_bytes = 400

    def articles(self, name, round_, call):
        """The articles of one call; no other call asks for them."""
        return [f"/{name}/{round_}/{call}/{number % self.different_articles}/".ljust(self.article_bytes, "x")
                for number in range(self.articles_of_a_call)]

    def long_articles(self, name):
        """Articles of which one message is larger than every client's window."""
        return [f"/{name}/{number}/".ljust(self.article_bytes, "x") for number in range(1000)]


BURST = Burst()


class Cases:
    """Functions that take what `run` is given, and raise if something is wrong."""

    def __init__(self):
        self._cases = []

    def add(self, case):
        self._cases.append(case)
        return case

    def run(self, argument, hold):
        """Runs all, or those that the variable CASES names; prints a line for each.

        Then holds what `hold` returns until standard input ends, and returns the exit code.
        """
        failed = False
        only = os.environ.get("CASES", "")
        for case in self._cases:
            if only and case.__name__ not in only.split(","):
                continue
            began = time.monotonic()
            try:
                case(argument)
                print(f"passed {case.__name__} in {time.monotonic() - began:.2f} s", flush=True)
            except Exception:  # Whatever it is, it is reported and the next case runs.
                failed = True
                print(f"FAILED {case.__name__} after {time.monotonic() - began:.2f} s", flush=True)
                traceback.print_exc(file=sys.stdout)
        held = hold()
        print("holding", flush=True)
        sys.stdin.read()
        del held
        return 1 if failed else 0
