from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from msgspec import structs

from deepfake.errors import BundleError
from deepfake.faces.crops import cut_crop
from deepfake.model.bundle import load_bundle
from deepfake.model.calibration import sigmoid
from deepfake.model.scorer import Scorer, _joined
from deepfake.records import CropSpec


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
    logit = np.mean([scorer.logit(view.image) for view in (crop, *crop.wider)])
    assert score.p_fake == pytest.approx(bundle.calibration.face.p_fake(logit))


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


@pytest.fixture
def viewed(bundle, portrait, portrait_face):
    """A crop of the portrait with a wider view, and each of the two as a crop of its own."""
    spec = structs.replace(bundle.crop, tta_scales=(1.0, 1.3))
    crop = cut_crop(portrait.image, portrait_face, spec)
    (wide,) = crop.wider
    return crop, dataclasses.replace(crop, wider=()), wide


def test_the_answer_about_several_views_is_their_mean(bundle, viewed):
    both, narrow, wide = Scorer(bundle).score(viewed)
    logits = [math.log(score.p_fake / (1 - score.p_fake)) for score in (both, narrow, wide)]
    assert logits[0] == pytest.approx((logits[1] + logits[2]) / 2, abs=1e-4)
    assert both.visual_logit == pytest.approx((narrow.visual_logit + wide.visual_logit) / 2, abs=1e-4)
    assert both.to_frame is wide.to_frame


def test_the_evidence_of_several_views_still_adds_up_to_the_logit(bundle, viewed):
    both, narrow, _ = Scorer(bundle).score(viewed)
    constant = math.log(narrow.p_fake / (1 - narrow.p_fake)) - narrow.evidence.mean()
    assert both.evidence.mean() + constant == pytest.approx(math.log(both.p_fake / (1 - both.p_fake)), abs=1e-4)


def test_evidence_of_a_narrow_view_lies_where_that_view_lies(viewed):
    crop, narrow, wide = viewed
    left = np.zeros((7, 7), np.float32)
    left[3, 0] = 1.0
    joined = _joined((narrow, wide), [left, np.zeros((7, 7), np.float32)])
    row, column = np.unravel_index(joined.argmax(), joined.shape)
    # A cell's centre, from the widest view's unit square to the frame, and from the narrow one's.
    found = wide.to_frame @ ((column + 0.5) / joined.shape[1], (row + 0.5) / joined.shape[0], 1)
    expected = narrow.to_frame @ (0.5 / 7, 3.5 / 7, 1)
    assert np.hypot(*(found - expected)) < 0.1 * wide.side
    assert crop.side < wide.side
