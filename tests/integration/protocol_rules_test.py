"""Shows that docs/protocol_model.py notices when one of the protocol's rules is taken out.

Run by ctest: protocol_rules_test.py
"""

import contextlib
import dataclasses
import io
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "docs"))

import protocol_model  # noqa: E402

# By rule: a seed whose run ends with wrong counts without the rule. To find another one after a change of the model:
# docs/protocol_model.py --seed 0 --seconds 60 --without RULE
SEEDS = {
    "equal-cursor": 6,
    "begun": 2,
    "readopt": 1,
    "skip": 15,
    "limit": 0,
    "skipped-writers": 115,
    "same-fold": 1080,
    "as-of": 1080,
    "duplicate-waits": 0,
    "sync-first": 0,
    "in-sequence": 3476,
    "first-sequence": 738,
}


def run_model(*arguments):
    """Returns the exit code of the model and what it prints."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = protocol_model.main([str(argument) for argument in arguments])
    return code, output.getvalue()


class ProtocolRulesTest(unittest.TestCase):
    def test_every_rule_has_a_seed(self):
        self.assertEqual(set(SEEDS), set(protocol_model.rule_names()))

    def test_taking_a_rule_out_makes_counts_wrong(self):
        for rule, seed in SEEDS.items():
            with self.subTest(rule=rule):
                code, output = run_model("--seed", seed, "--runs", 1, "--without", rule)
                self.assertEqual(code, 1, output)
                self.assertIn(f"seed {seed}: wrong counts: ", output)
                self.assertIn(f"--seed {seed} --runs 1 --without {rule}", output)

    def test_all_rules_together_keep_counts_right(self):
        for seed in SEEDS.values():
            with self.subTest(seed=seed):
                code, output = run_model("--seed", seed, "--runs", 1)
                self.assertEqual((code, output), (0, f"first seed: {seed}\n1 runs, all counts right\n"))

    def test_a_seed_decides_a_run_to_the_last_draw(self):
        states = set()
        for _ in range(2):
            simulation = protocol_model.Simulation(1, protocol_model.Rules())
            simulation.run()
            states.add(simulation.chance.getstate())
        self.assertEqual(len(states), 1)

    def test_wrong_options_are_refused(self):
        for arguments in (["--without", "no-such-rule"], ["--runs", "0"], ["--seconds", "0"], ["--runs"]):
            with self.subTest(arguments=arguments), contextlib.redirect_stderr(io.StringIO()):
                with self.assertRaises(SystemExit) as refusal:
                    protocol_model.main(arguments)
                self.assertEqual(refusal.exception.code, 2)


if __name__ == "__main__":
    unittest.main()
