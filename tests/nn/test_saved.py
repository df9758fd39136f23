"""What a network's file may hold."""

from __future__ import annotations

import keras
import pytest

from deepfake.errors import BundleError
from deepfake.model.bundle import write_manifest
from deepfake.nn.saved import load_network


@pytest.fixture
def bundle(tmp_path):
    """Writes a network as a bundle whose checksums match."""

    def write(network):
        network.save(tmp_path / "model.keras")
        write_manifest(tmp_path, "detector", {}, ["model.keras"])
        return tmp_path

    return write


def test_the_network_of_a_bundle_is_loaded(bundle):
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    assert load_network(bundle(network)).count_params() == 9


def test_a_network_that_holds_code_is_refused(bundle):
    network = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x * 2)])
    with pytest.raises(BundleError, match=r"model.keras cannot be loaded.*Lambda"):
        load_network(bundle(network))


def test_a_network_that_was_changed_is_refused(bundle):
    folder = bundle(keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]))
    content = bytearray((folder / "model.keras").read_bytes())
    content[-40] ^= 1
    (folder / "model.keras").write_bytes(content)
    with pytest.raises(BundleError, match="does not match its checksum"):
        load_network(folder)


@pytest.mark.parametrize("name", ["model.h5", "model.pkl", "../model.keras"])
def test_files_of_other_kinds_and_places_are_not_loaded(bundle, name):
    from deepfake.model.bundle import load_bundle

    folder = bundle(keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]))
    (folder / name).write_bytes(b"x")
    write_manifest(folder, "detector", {}, ["model.keras", name])
    with pytest.raises(ValueError, match="`graph` must be one of"):
        load_bundle(folder, graph=name)
