"""Every vector catches what it says; every mistake is caught; and the same code without a mistake is not."""

import pytest

from parity.mistakes.network import MISTAKES, RIGHT, caught


@pytest.mark.parametrize("kind", MISTAKES)
def test_every_vector_catches_what_it_says(vectors, goldens, known, kind):
    noticed = set()
    for vector in vectors:
        if vector.kind == kind:
            golden = goldens.results[vector.id]
            assert not caught(vector, RIGHT[kind], golden, known), vector.id
            for name in vector.bug.split("; "):
                assert caught(vector, MISTAKES[kind][name], golden, known), f"{vector.id} does not catch: {name}"
                noticed.add(name)
    assert noticed == set(MISTAKES[kind])


def test_piqe_vectors_name_mistakes_of_the_mutation_harness(vectors):
    from parity.mistakes.piqe import MISTAKES as OF_PIQE

    named = {name for vector in vectors if vector.kind == "piqe" for name in vector.bug.split("; ")}
    assert named == set(OF_PIQE)
