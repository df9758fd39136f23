from __future__ import annotations

import keras
import msgspec
import numpy as np
import pytest

from deepfake.nn.blocks import BATCH_NORM_MOMENTUM
from deepfake.nn.config import NetworkConfig
from deepfake.nn.network import (
    EvidenceHead,
    ExpertJoin,
    backbones,
    build_network,
    ensemble,
    serving_network,
    training_network,
)
from deepfake.system.settings import read_settings

SIZE = 64


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(1)
    return build_network(NetworkConfig(), SIZE)


@pytest.fixture
def crops(rng):
    return rng.uniform(0, 255, (3, SIZE, SIZE, 3)).astype("float32")


def answers(model, crops):
    return {name: keras.ops.convert_to_numpy(value) for name, value in model(crops).items()}


def test_evidence_map_mean_plus_bias_is_the_logit(network, crops):
    found = answers(network, crops)
    total = (found["visual_evidence"] + found["noise_evidence"]).mean(axis=(1, 2))
    bias = float(keras.ops.convert_to_numpy(network.get_layer("head").bias))
    np.testing.assert_allclose(total + bias, found["logit"], atol=1e-5)
    assert np.ptp(found["logit"]) > 0


def test_heat_map_equals_grad_cam_by_autodiff(network, crops):
    """Grad-CAM of the logit over both last maps, gate held fixed, before its ReLU: the map up to one factor."""
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("takes gradients by TensorFlow")
    head = network.get_layer("head")
    # Keras flattens a dict of inputs by its sorted keys.
    features = keras.Model(network.input, dict(zip(("noise", "visual"), head.input, strict=True)))(crops)
    gate = tf.stop_gradient(head(features)["gate"])
    with tf.GradientTape() as tape:
        tape.watch(features)
        raw = {name: head.evidence[name](features[name])[..., 0] for name in features}
        logit = tf.reduce_mean(gate[:, 0, None, None] * raw["visual"] + gate[:, 1, None, None] * raw["noise"], (1, 2))
    gradients = tape.gradient(logit, features)
    cells = raw["visual"].shape[1] * raw["visual"].shape[2]
    found = head(features)
    for number, name in enumerate(("visual", "noise")):
        weights = tf.reduce_mean(gradients[name], axis=(1, 2), keepdims=True)
        grad_cam = tf.reduce_sum(weights * features[name], axis=-1) * cells
        bias = gate[:, number, None, None] * head.evidence[name].bias
        np.testing.assert_allclose(grad_cam + bias, found[f"{name}_evidence"], atol=1e-4)


def test_an_ensemble_answers_the_mean_of_its_members_and_its_evidence_still_adds_up(network, crops):
    keras.utils.set_random_seed(2)
    other = build_network(NetworkConfig("mobilenet_v2", 0.35), SIZE)
    before = [answers(member, crops) for member in (network, other)]
    both = ensemble([keras.models.clone_model(network), other])
    both.layers[1].set_weights(network.get_weights())
    found = answers(both, crops)
    np.testing.assert_allclose(found.pop("expert_logits"), np.stack([a["logit"] for a in before], axis=1), atol=1e-5)
    assert set(found) == set(before[0])
    for name, values in found.items():
        np.testing.assert_allclose(values, np.mean([answer[name] for answer in before], axis=0), atol=1e-5)
    total = (found["visual_evidence"] + found["noise_evidence"]).mean(axis=(1, 2))
    np.testing.assert_allclose(np.diff(total), np.diff(found["logit"]), atol=1e-5)


def test_experts_are_joined_from_the_mean_to_the_most_suspicious(rng):
    answers = [
        {"logit": rng.normal(size=5), "visual_evidence": rng.normal(size=(5, 7, 7)), "gate": rng.uniform(size=(5, 2))}
        for _ in range(3)
    ]
    logits = np.stack([answer["logit"] for answer in answers], axis=1)
    for sharpness, expected in ((0.0, logits.mean(axis=1)), (1e4, logits.max(axis=1))):
        joined = ExpertJoin(sharpness)(answers)
        np.testing.assert_allclose(joined["logit"], expected, atol=1e-5)
        np.testing.assert_allclose(joined["expert_logits"], logits, atol=1e-6)
    most = logits.argmax(axis=1)
    evidence = np.stack([answers[place]["visual_evidence"][number] for number, place in enumerate(most)])
    np.testing.assert_allclose(contrast(joined["visual_evidence"]), contrast(evidence), atol=1e-4)


def contrast(maps):
    """What maps show apart from their mean."""
    maps = np.asarray(maps)
    return maps - maps.mean(axis=(1, 2), keepdims=True)


def test_the_evidence_of_experts_and_the_mean_of_their_biases_add_up_to_the_logit(network, crops):
    other = build_network(NetworkConfig(streams="noise"), SIZE)
    other.get_layer("head").bias.assign(0.9)
    copy = keras.models.clone_model(network)
    both = ensemble([copy, other], sharpness=2.0)
    copy.set_weights(network.get_weights())
    copy.get_layer("head").bias.assign(-0.5)
    found = answers(both, crops)
    total = (found["visual_evidence"] + found["noise_evidence"]).mean(axis=(1, 2))
    np.testing.assert_allclose(total + (0.9 - 0.5) / 2, found["logit"], atol=1e-5)


def test_an_ensemble_is_described_by_its_configuration(crops, tmp_path):
    config = NetworkConfig("mobilenet_v2", 0.35, beside=(NetworkConfig(streams="noise"),))
    assert read_settings(msgspec.to_builtins(config), NetworkConfig) == config
    network = build_network(config, SIZE)
    assert [backbone.name for backbone in backbones(network)] == ["visual"]
    network.save(tmp_path / "both.keras")
    again = keras.models.load_model(tmp_path / "both.keras", compile=False)
    np.testing.assert_allclose(answers(again, crops)["logit"], answers(network, crops)["logit"], atol=1e-6)
    with pytest.raises(ValueError, match="must hold none itself"):
        NetworkConfig(beside=(config,))


@pytest.mark.parametrize(("streams", "gate"), [("visual", [1, 0]), ("noise", [0, 1])])
def test_a_stream_that_is_off_gives_no_evidence(crops, streams, gate):
    found = answers(build_network(NetworkConfig(streams=streams), SIZE), crops)
    other = "noise" if streams == "visual" else "visual"
    assert (found["gate"] == gate).all()
    assert (found[f"{other}_evidence"] == 0).all()
    assert f"{other}_logit" not in found
    assert np.abs(found[f"{streams}_evidence"]).max() > 0


def test_without_a_gate_both_streams_weigh_one(crops):
    found = answers(build_network(NetworkConfig(gated=False), SIZE), crops)
    assert (found["gate"] == 1).all()
    total = found["visual_logit"] + found["noise_logit"]
    np.testing.assert_allclose(found["logit"], total, atol=1e-5)


@pytest.mark.parametrize("backbone", ["mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"])
def test_every_backbone_has_the_same_outputs_and_light_batch_norms(backbone, crops):
    alpha = 0.35 if backbone == "mobilenet_v2" else 1.0
    network = build_network(NetworkConfig(backbone=backbone, alpha=alpha), SIZE)
    assert answers(serving_network(network), crops)["visual_evidence"].shape == (3, SIZE // 32, SIZE // 32)
    norms = [layer for layer in network._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(norms) > 30
    assert {layer.momentum for layer in norms} == {BATCH_NORM_MOMENTUM}


def test_the_default_is_light():
    assert build_network(NetworkConfig()).count_params() < 1_100_000


def test_training_and_serving_networks_share_their_weights(network, crops):
    trained, served = training_network(network), serving_network(network)
    assert sorted(trained.output) == ["logit", "noise_logit", "visual_logit"]
    assert sorted(served.output) == ["gate", "logit", "noise_evidence", "visual_evidence"]
    before = answers(served, crops)["logit"]
    head = network.get_layer("head")
    head.bias.assign_add(1.0)
    np.testing.assert_allclose(answers(served, crops)["logit"], before + 1, atol=1e-5)
    np.testing.assert_allclose(answers(trained, crops)["logit"], before + 1, atol=1e-5)
    head.bias.assign_add(-1.0)


def test_the_network_takes_crops_of_another_size(rng):
    network = build_network(NetworkConfig(), None)
    found = answers(network, rng.uniform(0, 255, (1, 96, 96, 3)).astype("float32"))
    assert found["visual_evidence"].shape == found["noise_evidence"].shape == (1, 3, 3)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: read_settings({"backbone": "resnet"}, NetworkConfig), "`backbone`: must be one of"),
    (lambda: read_settings({"streams": "all"}, NetworkConfig), "`streams`: must be one of both, noise, visual. Received: 'all'"),
    (lambda: NetworkConfig(dropout=1.0), "`dropout`: expected `float` < 1.0. Received: 1.0"),
    (lambda: build_network(NetworkConfig(), 100), "`input_size` must be a positive multiple of 32. Received: input_size=100"),
    (lambda: EvidenceHead().build({}), "`features` needs 'visual' or 'noise'"),
])  # fmt: skip
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
