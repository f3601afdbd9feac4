"""A few random kills of each command; `python tests/faults/kills.py` does many."""

import random

import pytest
from kills import COMMANDS, attack, pictures


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "compare"])  # which takes long
def test_killed_and_run_again(command, tmp_path):
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # shown where it fails
    (tmp_path / "in").mkdir()
    source = pictures(tmp_path / "in", 120)
    print(*attack(command, source, tmp_path, kills=2, rng=random.Random(seed)), sep="\n")
