from __future__ import annotations

import pytest

from deepfake.system.files import replacing, write_json


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = write_json(tmp_path / "new" / "a.json", [1])

    def fail():
        with replacing(path) as scratch:
            scratch.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "[\n  1\n]\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_block_that_ends_well_replaces_the_file(tmp_path):
    with replacing(tmp_path / "best.weights.h5") as scratch:
        assert scratch.name.endswith(".weights.h5")
        scratch.write_text("whole")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("best.weights.h5", "whole")]
