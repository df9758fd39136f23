from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from deepfake.bundle import load_bundle
from deepfake.crops import cut_crop
from deepfake.errors import BundleError
from deepfake.records import CropSpec
from deepfake.scores import Scorer, sigmoid


@pytest.fixture(scope="module")
def bundle():
    return load_bundle()


@pytest.fixture(scope="module")
def scorer(bundle):
    return Scorer(bundle)


@pytest.fixture(scope="module")
def crop(portrait, portrait_face, bundle):
    return cut_crop(portrait.image, portrait_face, bundle.crop)


def test_evidence_adds_up_to_the_logit(scorer, crop, bundle):
    (score,) = scorer.score([crop])
    flipped = dataclasses.replace(crop, image=np.ascontiguousarray(crop.image[:, ::-1]))
    (other,) = scorer.score([flipped])
    for one in (score, other):
        assert one.evidence.mean() == pytest.approx(one.visual_logit + one.noise_logit, abs=1e-4)
    logit = [math.log(one.p_fake / (1 - one.p_fake)) for one in (score, other)]
    # The same constant, the bias, lies between evidence and logit for every crop.
    assert logit[0] - score.evidence.mean() == pytest.approx(logit[1] - other.evidence.mean(), abs=1e-3)


def test_shares_of_the_streams_add_up_to_one(scorer, crop):
    (score,) = scorer.score([crop])
    assert score.visual + score.noise == pytest.approx(1)
    assert 0 <= score.visual <= 1
    assert all(0 <= gate <= 1 for gate in score.gate)


def test_p_fake_is_the_calibrated_logit(scorer, crop, bundle):
    (score,) = scorer.score([crop])
    logit = scorer.logit(crop.image)
    assert score.p_fake == pytest.approx(sigmoid(logit / bundle.temperature + bundle.logit_shift))


def test_scores_do_not_depend_on_their_neighbours(scorer, crop):
    other = dataclasses.replace(crop, image=255 - crop.image)
    first, second = scorer.score([crop, other])
    again, before = (score for score in reversed(scorer.score([other, crop])))
    assert (first.p_fake, second.p_fake) == (again.p_fake, before.p_fake)
    assert first.p_fake != second.p_fake


def test_every_shipped_graph_scores_alike(crop):
    p_fake = [Scorer(load_bundle(graph=name)).score([crop])[0].p_fake
              for name in ("model.tflite", "model_float16.tflite", "model_int8.tflite")]  # fmt: skip
    assert max(p_fake) - min(p_fake) < 0.03


def test_a_graph_that_does_not_fit_is_refused(bundle):
    with pytest.raises(BundleError, match="cannot be loaded"):
        Scorer(dataclasses.replace(bundle, graph=b"not a graph at all"))
    with pytest.raises(BundleError, match="must take \\(96, 96, 3\\) crops"):
        Scorer(dataclasses.replace(bundle, crop=CropSpec(size=96)))


def test_sigmoid_does_not_overflow():
    assert sigmoid(1e4) == 1.0
    assert sigmoid(-1e4) == 0.0
    assert sigmoid(2.0) + sigmoid(-2.0) == pytest.approx(1.0)
