from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from deepfake.cli.main import main
from deepfake.evaluation.card import write_card
from deepfake.evaluation.card_sections import presentation_attack_table
from deepfake.evaluation.evaluate import Sample, summary
from deepfake.evaluation.presentation_attack import presentation_attack, with_presentation_attack
from deepfake.model.intervals import share_interval
from deepfake.model.measured import Measured
from deepfake.model.metrics import Metrics, read_metrics
from deepfake.records import Thresholds

THRESHOLDS = Thresholds(real_below=0.3, fake_above=0.7)


def samples(label, method, reals, unsure, fakes, silent=0):
    """So many samples that are called real, inconclusive and fake, and so many that get no number."""
    scores = [0.1] * reals + [0.5] * unsure + [0.9] * fakes + [None] * silent
    return [Sample(label, "x", method, score) for score in scores]


@pytest.fixture
def measured():
    bona_fide = samples("real", "", 17, 2, 1)
    kinds = {"swap": samples("fake", "swap", 1, 2, 5, 2), "gan": samples("fake", "gan", 4, 0, 4)}
    parts = {name: summary([*own, *bona_fide], THRESHOLDS) for name, own in kinds.items()}
    return Measured(all=summary([*bona_fide, *kinds["swap"], *kinds["gan"]], THRESHOLDS), methods=parts)


def test_rates_are_those_of_a_count(measured):
    found = presentation_attack(measured)
    assert (found.count, found.bpcer.share, found.bpnrr.share) == (20, 1 / 20, 2 / 20)
    assert {name: (own.count, own.apcer.share, own.apnrr.share) for name, own in found.species.items()} == {
        "swap": (10, 1 / 10, 4 / 10),  # Without a number there is no response.
        "gan": (8, 4 / 8, 0.0),
    }
    assert found.species["swap"].apcer.interval == share_interval(1, 10)


def test_there_are_none_without_reals_or_without_named_methods(measured):
    assert presentation_attack(replace(measured, methods={})) is None
    fakes = summary(samples("fake", "swap", 1, 1, 1), THRESHOLDS)
    assert presentation_attack(Measured(all=fakes, methods={"swap": fakes})) is None
    assert presentation_attack_table(Metrics(test=measured)) == ""


def test_the_table_begins_with_the_worst_species(measured):
    lines = presentation_attack_table(Metrics(clips=with_presentation_attack(measured))).splitlines()
    table = [line for line in lines if line.startswith("| whole files")]
    assert table[0].startswith("| whole files | gan | 8 | 50.0% (21.5%-78.5%) | 0.0% ")
    assert table[1].startswith("| whole files | swap | 10 | 10.0% ")
    assert all("| 20 | 5.0% " in line for line in table)


def test_evaluate_keeps_them_and_the_card_shows_them(drawn, tmp_path):
    bundle = shutil.copytree(drawn.bundle, tmp_path / "drawn-1")
    call = ["evaluate", "--model", str(bundle), "--index", str(drawn.index)]
    CliRunner().invoke(main, call, catch_exceptions=False)
    kept = read_metrics(bundle).test
    assert kept.presentation_attack == presentation_attack(kept)
    assert kept.presentation_attack.species["chequer"].count == 12
    assert "| faces of the test split | chequer | 12 | " in write_card(bundle).read_text()
