"""The metadata of a card, read as the Hugging Face Hub reads it."""

from __future__ import annotations

import pytest
import yaml
from huggingface_hub import ModelCard

from deepfake.evaluation.card_metadata import card_metadata
from deepfake.model.bundle import DEFAULT_MODEL
from deepfake.model.measured import Counts, Measured, Summary
from deepfake.model.metrics import Metrics, read_metrics


@pytest.fixture(scope="module")
def card():
    return ModelCard.load(DEFAULT_MODEL / "README.md")


def test_the_card_of_the_shipped_model_says_what_the_hub_asks_for(card):
    data = card.data
    assert (data.license, data.license_name) == ("other", "terms-of-the-training-data")
    assert (data.library_name, data.pipeline_tag, data.model_name) == ("litert", "image-classification", "light-5")
    assert {"deepfake-detection", "video-classification"} <= set(data.tags)
    assert card.text.lstrip().startswith("# light-5\n")
    # What was read says the same when it is written, so nothing in it was passed over.
    assert yaml.safe_load(data.to_yaml()) == yaml.safe_load(card.content.split("---")[1])


def test_the_results_are_those_of_the_metrics(card):
    metrics = read_metrics(DEFAULT_MODEL)
    found = {(result.task_type, result.dataset_type): result for result in card.data.eval_results}
    expected = {
        ("image-classification", name): own for name, own in (("all", metrics.test.all), *metrics.test.sources.items())
    }
    expected |= {
        ("video-classification", f"ffpp_c40-{name}"): own
        for name, own in (("all", metrics.clips.all), *metrics.clips.methods.items())
    }
    assert {key: result.metric_value for key, result in found.items()} == {
        key: own.auc for key, own in expected.items() if own.auc is not None
    }
    for key, result in found.items():
        assert f"({expected[key].count.real} real + {expected[key].count.fake} fake)" in result.dataset_name
        assert (result.metric_type, result.task_name) == ("roc_auc", "Deepfake detection")
        assert result.dataset_split == ("test" if key[0] == "image-classification" else None)


def test_what_was_not_measured_or_has_one_class_is_no_result():
    one_class = Measured(split="test", all=Summary(count=Counts(3, 0)), sources={"lfw": Summary(count=Counts(3, 0))})
    for metrics in (Metrics(), Metrics(test=one_class)):
        card = ModelCard(card_metadata("mine-1", metrics) + "\n# mine-1\n")
        assert card.data.eval_results is None
        assert card.data.license == "other"
