"""adversarial: small changes along the gradient, and what they do to a bundle."""

from __future__ import annotations

import json
import shutil

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from deepfake.cli.main import main
from deepfake.data.index import Row
from deepfake.errors import BundleError, DatasetError, DeepfakeError
from deepfake.evaluation.adversarial import (
    balanced_sample,
    fgsm,
    logit_gradient,
    measure_adversarial,
    pgd,
    uniform_noise,
)
from deepfake.evaluation.card import write_card
from deepfake.evaluation.card_sections import adversarial_sentence
from deepfake.model.bundle import write_manifest
from deepfake.model.measured import Answers, Counts, Proportion, Ranking
from deepfake.model.metrics import read_metrics
from deepfake.model.stress_tests import Adversarial, Attacked
from deepfake.nn.saved import load_network

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="takes gradients by TensorFlow"
)  # fmt: skip
LABELS = np.array([0, 1, 0, 1])


@pytest.fixture
def weights(rng):
    return rng.normal(size=(6, 6, 3)).astype(np.float32)


@pytest.fixture
def linear(weights):
    """A network whose logit is the crop times the weights."""
    crop = keras.Input((6, 6, 3))
    dense = keras.layers.Dense(1, use_bias=False)
    logit = keras.layers.Reshape(())(dense(keras.layers.Flatten()(crop)))
    dense.set_weights([weights.reshape(-1, 1)])
    return keras.Model(crop, {"logit": logit})


def logits_of(network, crops):
    return keras.ops.convert_to_numpy(network(crops)["logit"])


def made(rng, low=20, high=230):
    return rng.uniform(low, high, (4, 6, 6, 3)).astype(np.float32)


def attacked(crops, eps, gradient):
    return {
        "noise": uniform_noise(crops, eps, np.random.default_rng(1)),
        "fgsm": fgsm(crops, LABELS, eps, gradient),
        "pgd": pgd(crops, LABELS, eps, gradient, np.random.default_rng(1)),
    }


@needs_tensorflow
def test_the_gradient_of_a_linear_logit_is_its_weights(linear, weights, rng):
    found = logit_gradient(linear)(made(rng))
    np.testing.assert_allclose(found, np.broadcast_to(weights, found.shape), rtol=1e-6)


@needs_tensorflow
@pytest.mark.parametrize("eps", [0.5, 2.0, 4.0])
def test_fgsm_moves_a_linear_logit_by_eps_times_the_sum_of_its_weights(linear, weights, rng, eps):
    crops = made(rng)
    moved = logits_of(linear, fgsm(crops, LABELS, eps, logit_gradient(linear))) - logits_of(linear, crops)
    reach = eps * np.abs(weights).sum()
    np.testing.assert_allclose(moved, [reach, -reach, reach, -reach], rtol=1e-3)


def test_pgd_on_a_linear_logit_ends_where_fgsm_does(weights, rng):
    crops = made(rng)

    def gradient(at):
        return np.broadcast_to(weights, at.shape)

    found = attacked(crops, 3.0, gradient)
    np.testing.assert_allclose(found["pgd"], found["fgsm"], atol=1e-4)


def test_nothing_moves_further_than_eps_or_out_of_the_range_of_pixels(weights, rng):
    crops = np.round(rng.choice([0, 1, 128, 254, 255], (4, 6, 6, 3))).astype(np.float32)
    for name, changed in attacked(crops, 4.0, lambda at: np.broadcast_to(weights, at.shape)).items():
        assert changed.dtype == np.float32, name
        assert np.abs(changed - crops).max() <= 4.0, name
        assert changed.min() >= 0, name
        assert changed.max() <= 255, name
        assert (changed != crops).any(), name


def test_an_eps_of_zero_changes_nothing(weights, rng):
    crops = made(rng)
    for changed in attacked(crops, 0.0, lambda at: np.broadcast_to(weights, at.shape)).values():
        np.testing.assert_array_equal(changed, crops)


def test_pgd_finds_a_top_that_fgsm_jumps_over(rng):
    """The logit of a real is highest one step away, and lower again at eps."""
    crops = made(rng)
    top = crops + 1

    def logit(at):
        return -((at - top) ** 2).sum(axis=(1, 2, 3))

    def gradient(at):
        return -2 * (at - top)

    reals = np.zeros(4)
    by_pgd = logit(pgd(crops, reals, 4.0, gradient, np.random.default_rng(0), steps=20))
    by_fgsm = logit(fgsm(crops, reals, 4.0, gradient))
    assert (by_pgd > by_fgsm).all()
    assert (by_pgd > logit(crops)).all()


def test_noise_is_as_large_as_it_is_said_to_be_and_points_nowhere():
    crops = np.full((1, 100, 100, 3), 128, np.float32)
    moved = uniform_noise(crops, 4.0, np.random.default_rng(0)) - crops
    assert abs(moved.mean()) < 0.05
    assert np.abs(moved).mean() == pytest.approx(2.0, abs=0.05)


def test_a_sample_is_balanced_seeded_and_source_by_source():
    rows = [Row(f"{s}{n}{label}", label, s, "test") for s in "ab" for n in range(9) for label in ("real", "fake")]
    alone = [Row(f"c{n}", "real", "c", "test") for n in range(9)]
    found = balanced_sample(rows + alone, 8, seed=0)
    assert [(s, label, sum(r.source == s and r.label == label for r in found)) for s in "abc" for label in ("real", "fake")] == [
        ("a", "real", 4), ("a", "fake", 4), ("b", "real", 4), ("b", "fake", 4), ("c", "real", 0), ("c", "fake", 0),
    ]  # fmt: skip
    assert found == sorted(found, key=rows.index)
    assert found == balanced_sample(rows, 8, seed=0)
    assert found != balanced_sample(rows, 8, seed=1)
    assert [row for row in found if row.source == "b"] == balanced_sample(rows[18:], 8, seed=0)
    assert len(balanced_sample(rows, 100, seed=0)) == len(rows)


@needs_tensorflow
def test_a_gradient_in_inference_is_that_of_each_crop_alone(drawn, rng):
    gradient = logit_gradient(load_network(drawn.bundle))
    crops = rng.uniform(0, 255, (3, 64, 64, 3)).astype(np.float32)
    together = gradient(crops)
    assert np.abs(together).max() > 0
    np.testing.assert_allclose(together[1:2], gradient(crops[1:2]), rtol=1e-3, atol=1e-7)


@needs_tensorflow
def test_a_bundle_is_attacked_and_its_card_says_so(drawn, tmp_path):
    bundle = shutil.copytree(drawn.bundle, tmp_path / "drawn-1")
    assert "Nobody has tested it against people who try to deceive it" in write_card(bundle).read_text()
    call = ["adversarial", "--model", bundle, "--index", drawn.index, "--crops", 16, "--eps", 24, "--steps", 4]
    done = CliRunner().invoke(main, [str(word) for word in call])
    assert done.exit_code == 0, done.output
    metrics = read_metrics(bundle)
    found = metrics.adversarial
    assert (found.count, found.steps, found.left_out) == (Counts(8, 8), 4, ())
    assert {name: [entry.eps for entry in own] for name, own in found.attacks.items()} == {
        "noise": [24], "fgsm": [24], "pgd": [24],
    }  # fmt: skip
    (noise,), (fast,), (descent,) = found.attacks.values()
    assert found.clean.auc > 0.95
    assert descent.auc < fast.auc <= noise.auc
    assert descent.auc <= descent.fakes_alone.auc <= found.clean.auc
    for called in (descent.real_called, descent.fake_called):
        assert called.real.share + called.fake.share + called.inconclusive.share == pytest.approx(1, abs=0.001)
    card = write_card(bundle).read_text()
    assert done.stdout.strip() in card
    assert f"| PGD, 4 steps | 24/255 | {descent.auc:.3f} (" in card
    assert f"- {adversarial_sentence(found)}" in card
    assert "Nobody has tested it" not in card
    assert metrics.export == read_metrics(drawn.bundle).export


def test_words_follow_the_figures():
    def attacked(auc, low):
        fakes_alone = Ranking(auc=auc, auc_interval=(low, 1))
        called = Answers(**{answer: Proportion(0.25, (0, 1)) for answer in ("real", "fake", "inconclusive")})
        return Attacked(
            auc=auc, auc_interval=(low, 1), real_called=called, fake_called=called, fakes_alone=fakes_alone, sources={}
        )

    def sentence(**strongest):
        found = Adversarial(
            split="test",
            seed=0,
            steps=1,
            count=Counts(1, 1),
            sources={},
            left_out=(),
            clean=attacked(0.9, 0.8),
            attacks={"noise": (attacked(0.0, 0.0),), "pgd": (attacked(**strongest),)},
        )
        return adversarial_sentence(found)

    lost = sentence(auc=0.1, low=0.0)
    assert "it does not hold" in lost
    assert "from 0.900 to 0.100, and 25% of the fakes" in lost
    assert "it loses ground" in sentence(auc=0.8, low=0.7)


def test_only_tensorflow_is_asked_for_gradients(linear, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(DeepfakeError, match="Received: the backend 'torch'. Set KERAS_BACKEND=tensorflow"):
        logit_gradient(linear)


@needs_tensorflow
def test_what_cannot_be_attacked_is_refused(drawn, tmp_path):
    for wrong in ({"crops": 1}, {"steps": 0}, {"sizes": ()}, {"sizes": (2.0, 0.0)}):
        with pytest.raises(ValueError, match="`crops` must be at least 2, `steps` at least 1, and `sizes` positive"):
            measure_adversarial(drawn.bundle, [drawn.index], **wrong)
    with pytest.raises(DatasetError, match="needs a source with real and fake crops in the split 'test'. Found 0 rows"):
        measure_adversarial(drawn.bundle, [drawn.index], sources=["absent"])
    bundle = shutil.copytree(drawn.bundle, tmp_path / "drawn-1")
    settings = json.loads((bundle / "bundle.json").read_text())
    for key in ("format", "kind", "name", "files"):
        del settings[key]
    write_manifest(bundle, "detector", settings, ["model.tflite"])
    with pytest.raises(BundleError, match="must list the checksum of model.keras"):
        measure_adversarial(bundle, [drawn.index])
