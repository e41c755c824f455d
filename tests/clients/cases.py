"""Runs the cases of a client in Python. Clients in other languages implement the same behaviour (README.md)."""

import os
import sys
import time
import traceback

SECONDS_MAX = 30


class Burst:
    """The sizes of the burst: concurrent calls of 20 KB each way, for articles that no call requested before."""

    rounds = int(os.environ.get("BURST_ROUNDS", 20))
    calls = 200
    articles_of_a_call = 50
    # A call repeats these articles, so that all calls together fit into the queue to Redis.
    different_articles = 2
    article_bytes = 400

    def articles(self, name, round_, call):
        """Returns the articles of one call. No other call requests them."""
        return [f"/{name}/{round_}/{call}/{number % self.different_articles}/".ljust(self.article_bytes, "x")
                for number in range(self.articles_of_a_call)]

    def long_articles(self, name):
        """Returns articles whose message is larger than every client's window."""
        return [f"/{name}/{number}/".ljust(self.article_bytes, "x") for number in range(1000)]


BURST = Burst()


class Cases:
    """A list of functions that take the argument of `run`, and raise an exception on failure."""

    def __init__(self):
        self._cases = []

    def add(self, case):
        self._cases.append(case)
        return case

    def run(self, argument, hold):
        """Runs all cases, or those that the variable CASES names. Prints a line for each.

        Then keeps the result of `hold` until standard input ends, and returns the exit code.
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
            except Exception:  # Any exception is reported, and the next case runs.
                failed = True
                print(f"FAILED {case.__name__} after {time.monotonic() - began:.2f} s", flush=True)
                traceback.print_exc(file=sys.stdout)
        held = hold()
        print("holding", flush=True)
        sys.stdin.read()
        del held
        return 1 if failed else 0
