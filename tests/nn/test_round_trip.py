"""Every registered Keras class survives config, .keras and TFLite; the classes are found, not listed."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest

import deepfake.nn

ARGUMENTS = {
    "ExpertJoin": {"sharpness": 0.5},
    "ResidualBank": {"limit": 2.5},
    "BayarConv2D": {"filters": 3, "limit": 5.0},
    "EvidenceHead": {"gated": True, "dropout": 0.1},
    "WeightedCrossentropy": {"real_weight": 2.0, "fake_weight": 0.5, "label_smoothing": 0.1},
}


def registered():
    found = {}
    for info in pkgutil.iter_modules(deepfake.nn.__path__, "deepfake.nn."):
        for _, item in inspect.getmembers(importlib.import_module(info.name), inspect.isclass):
            if item.__module__ == info.name and keras.saving.get_registered_name(item).startswith("deepfake>"):
                found[item.__name__] = item
    return found


CLASSES = registered()


def test_every_class_has_arguments_to_try():
    assert set(CLASSES) == set(ARGUMENTS)


@pytest.mark.parametrize("name", CLASSES)
def test_config(name):
    item = CLASSES[name](**ARGUMENTS[name])
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(item))
    assert type(again) is type(item)
    config = again.get_config()
    assert {key: config[key] for key in ARGUMENTS[name]} == ARGUMENTS[name]


@pytest.fixture(scope="module")
def network():
    from deepfake.nn.config import NetworkConfig
    from deepfake.nn.network import build_network

    keras.utils.set_random_seed(0)
    return build_network(NetworkConfig(beside=(NetworkConfig(streams="noise"),), sharpness=0.5), 64)


@pytest.fixture(scope="module")
def crops():
    return np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")


def test_the_network_uses_every_layer_class(network):
    used = {type(layer).__name__ for layer in network._flatten_layers()}
    assert {name for name, item in CLASSES.items() if issubclass(item, keras.layers.Layer)} <= used


def test_a_saved_network_answers_the_same(network, crops, tmp_path):
    network.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    for name, value in network(crops).items():
        np.testing.assert_allclose(value, again(crops)[name], atol=1e-5)


def test_a_tflite_network_answers_the_same_and_sees_nothing_in_flat_pictures(network, crops, tmp_path):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("exports by TensorFlow")
    from deepfake.nn.network import serving_network
    from deepfake.training.export import check_operators, run_graph

    serving = serving_network(network)
    serving.export(tmp_path / "network.tflite", format="litert", verbose=False)
    graph = (tmp_path / "network.tflite").read_bytes()
    check_operators("network.tflite", graph)
    found = run_graph(graph, crops)
    for name, value in serving(crops).items():
        np.testing.assert_allclose(value, found[name], atol=1e-4)
