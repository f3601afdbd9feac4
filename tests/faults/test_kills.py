"""A few random kills of each command; `python tests/faults/kills.py` does many."""

import argparse
import random

import pytest
from kills import COMMANDS, READERS, SERVERS, TESTS, attack

from fsrcnn_np.cli import command_parser

LONG = ("compare", "demo", "measure", "study run", "study demo", "study table1", "study table3", "study report")


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in LONG])
def test_killed_and_run_again(command, tmp_path):
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # shown where it fails
    print(*attack(command, tmp_path, side=120, kills=2, rng=random.Random(seed)), sep="\n")


def test_no_command_is_forgotten():
    def names(parser, name):
        deeper = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        if not deeper:
            yield name
        for word, one in (pair for action in deeper for pair in action.choices.items()):
            yield from names(one, f"{name} {word}".strip())

    assert {*names(command_parser(), ""), "piqe-np"} == {*COMMANDS, *SERVERS, *READERS}
    assert all((TESTS.parent / script).is_file() for script in SERVERS.values())
