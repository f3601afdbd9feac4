"""Vectors and goldens: made again as committed, small, and loud when damaged."""

import json
import shutil

import numpy as np
import pytest

from harm import nudged
from parity import generate, store
from parity.store import StoreError


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(store.FOLDER, tmp_path / "vectors")


def test_the_committed_vectors_are_what_the_generator_makes():
    entries = {entry["id"]: entry for entry in store.read_index()["vectors"]}
    made = [entry["file"] for entry in entries.values()]
    assert set(made) == set(generate.FILES)
    for file, make in generate.FILES.items():
        if file != generate.SEARCHED:
            vectors = list(make())
            assert [vector.id for vector in vectors] == [id for id, entry in entries.items() if entry["file"] == file]
            for vector in vectors:
                assert generate.entry(vector, file) == entries[vector.id], vector.id


def test_a_searched_vector_is_stored_as_made():
    searched = generate.SEARCHED
    entries = [entry for entry in store.read_index()["vectors"] if entry["file"] == searched]
    first = next(generate.FILES[searched]())
    assert entries[0]["id"] == first.id
    assert generate.entry(first, searched).keys() == entries[0].keys()
    assert first.image.shape == (16, 16)


def test_they_load_and_say_what_they_are_for():
    vectors, faults = store.load_vectors()
    assert not faults
    assert {vector.kind for vector in vectors} == set(store.KINDS)
    assert all(vector.exercises and vector.bug for vector in vectors)
    classes = {vector.image.dtype.name for vector in vectors if vector.kind == "piqe"}
    assert classes == {"uint8", "uint16", "int16", "float32", "float64"}


def test_they_are_small():
    assert sum(path.stat().st_size for path in store.FOLDER.iterdir()) <= 2 << 20


def test_every_golden_is_there_for_every_vector():
    index = store.read_index()
    ids = [entry["id"] for entry in index["vectors"]]
    for name, entry in index["goldens"].items():
        assert entry["release"] in name
        assert sorted(entry["results"]) == sorted(ids)


def test_a_damaged_or_deleted_vector_is_named(folder):
    cells = store.read_mat(folder / "colour.mat")["vectors"]
    first, second = cells[0]["id"], cells[1]["id"]
    cells[0]["image"] = cells[0]["image"] ^ np.uint8(1)
    del cells[1]
    store.write_mat(folder / "colour.mat", {"vectors": cells})
    vectors, faults = store.load_vectors(folder)
    assert [id for id, _ in faults] == [first, second]
    assert {first, second}.isdisjoint(vector.id for vector in vectors)


def test_a_vector_that_nobody_knows_is_named(folder):
    cells = store.read_mat(folder / "colour.mat")["vectors"]
    store.write_mat(folder / "colour.mat", {"vectors": [*cells, {"id": "extra", "kind": "bin2x2", "image": np.eye(2)}]})
    assert store.load_vectors(folder)[1] == [("extra", "is not in the index")]


@pytest.mark.parametrize("harm", ["delete", "cut", "text", "no cell"])
def test_a_file_that_cannot_be_read_costs_only_its_own_vectors(folder, harm):
    path = folder / "imresize.mat"
    if harm == "delete":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:-2000])
    elif harm == "text":
        path.write_text("not a MAT-file")
    else:
        store.write_mat(path, {"something": np.eye(2)})
    vectors, faults = store.load_vectors(folder)
    assert {id.split("-")[0].split(".")[0] for id, _ in faults} == {"imresize"}
    assert {vector.kind for vector in vectors} == set(store.KINDS)  # imresize_methods.mat has more of it
    assert {vector.id for vector in vectors}.isdisjoint(id for id, _ in faults)


@pytest.mark.parametrize("content", [None, "{", "[]", json.dumps({"schema": 2}), "no seals", "no sha256"])
def test_an_index_that_cannot_be_used_says_so(folder, content):
    path = folder / "index.json"
    index = json.loads(path.read_text())
    if content == "no seals":
        del index["tolerances"]
        content = json.dumps(index)
    elif content == "no sha256":
        del index["vectors"][3]["sha256"]
        content = json.dumps(index)
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(StoreError, match="restore it from the repository"):
        store.read_index(folder)


def test_every_golden_that_is_damaged_or_deleted_is_named():
    index = store.read_index()
    for name, entry in index["goldens"].items():
        goldens = store.load_goldens(store.FOLDER / name, entry["results"])
        assert not goldens.faults
        for id, stages in entry["results"].items():
            for stage in stages:
                damaged = {id: goldens.results[id] | {stage: nudged(goldens.results[id][stage])}}
                deleted = {id: {k: v for k, v in goldens.results[id].items() if k != stage}}
                for results, word in ((damaged, "damaged"), (deleted, "missing")):
                    (fault,) = store.faults_of(results, {id: entry["results"][id]}, name)
                    assert fault[:2] == (id, stage)
                    assert word in fault[2]


def test_goldens_need_an_oracle_and_a_release(tmp_path):
    store.write_mat(tmp_path / "goldens.mat", {"results": [{"id": "a", "x": np.eye(2)}]})
    with pytest.raises(StoreError, match="names no oracle"):
        store.load_goldens(tmp_path / "goldens.mat")


def test_mat_files_bring_everything_back(tmp_path):
    written = {
        "cells": [
            {"id": "a", "x": np.arange(6.0).reshape(2, 3), "deep": [np.eye(2), "text"], "flag": np.array([[True]])}
        ]
    }
    store.write_mat(tmp_path / "a.mat", written)
    store.write_mat(tmp_path / "b.mat", written)
    assert (tmp_path / "a.mat").read_bytes() == (tmp_path / "b.mat").read_bytes()
    (read,) = store.read_mat(tmp_path / "a.mat")["cells"]
    assert store.digest(read) == store.digest(written["cells"][0])


def test_a_digest_sees_dtype_shape_order_and_names_but_not_trailing_ones():
    a = np.arange(6.0)
    forms = [a, a[::-1], a.reshape(2, 3), a.astype(np.float32), [a, a], {"a": a}, {"b": a}, "a"]
    assert len({store.digest(form) for form in forms}) == len(forms)
    assert store.digest(a.reshape(2, 3, 1, 1)) == store.digest(a.reshape(2, 3))
    assert store.digest(a.reshape(2, 3).T.copy().T) == store.digest(a.reshape(2, 3))
