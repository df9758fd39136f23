"""evaluate, robustness, ablate, fine_tune, export, card: from a run to numbers."""

from __future__ import annotations

import csv
import re
import shutil

import numpy as np
import pytest
from msgspec import structs

from deepfake.data.index import Row, write_index
from deepfake.errors import BundleError, DatasetError
from deepfake.evaluation.card import BEGIN, END, card_text, write_card
from deepfake.evaluation.evaluate import (
    Sample,
    evaluate_clips,
    evaluate_crops,
    summary,
)
from deepfake.evaluation.robustness import CORRUPTIONS, SHIFTS, measure_robustness
from deepfake.evaluation.show import write_mistake_maps, write_mistakes, write_quality, write_scores
from deepfake.model.bundle import DEFAULT_MODEL, load_bundle, read_manifest
from deepfake.model.measured import Counts, Measured
from deepfake.model.metrics import read_metrics, write_metrics
from deepfake.records import Thresholds
from deepfake.training.ablate import ablate, read_variants
from deepfake.training.fine_tune import FineTuneSettings, fine_tune


def test_a_bundle_is_measured_and_its_card_says_so(drawn, tmp_path):
    assert drawn.report.graphs["model.tflite"].max_difference < 0.001
    assert load_bundle(drawn.bundle).crop.size == 64
    found = evaluate_crops(drawn.bundle, [drawn.index], "test")
    measured = found.measures
    assert measured.all.count == Counts(12, 12)
    assert measured.sources["made"].auc > 0.95
    # The crops are PNG, and were cut by somebody else: of what they are like, blur alone is known.
    assert all(cell.conditions.known.keys() == {"blur"} for cell in measured.cells)
    assert sum(cell.real_called.total for cell in measured.cells) == 12
    fakes_found = sum(cell.fake_called.fake for cell in measured.cells)
    assert fakes_found == pytest.approx(12 * measured.all.fake_called.fake.share)
    assert measured.methods["chequer"] == measured.sources["made"]
    assert set(measured.levels) == {"frame"}
    bundle = shutil.copytree(drawn.bundle, tmp_path / "drawn-1")
    write_metrics(bundle, structs.replace(read_metrics(bundle), test=measured))
    card = write_card(bundle).read_text()
    assert "| made | 24 + 24 | 12 + 12 | 1 | drawn for the test |" in card
    assert f"| made | 12 + 12 | {measured.all.auc:.3f}" in card
    assert f"| test, frame level | {measured.all.auc:.3f} | {measured.all.average_precision:.3f}" in card
    with pytest.raises(DatasetError, match="has no row in the split 'dev'"):
        evaluate_crops(drawn.bundle, [drawn.index], "dev")


def test_scores_plots_and_mistakes_are_written(drawn, tmp_path):
    found = evaluate_crops(drawn.bundle, [drawn.index], "test")
    table = write_scores(found, tmp_path / "report" / "scores.csv")
    figure = write_quality(found, drawn.bundle, tmp_path / "report" / "quality.png")
    with table.open() as file:
        records = list(csv.DictReader(file))
    assert [float(record["p_fake"]) for record in records] == [sample.p_fake for sample in found.samples]
    assert figure.read_bytes()[:4] == b"\x89PNG"
    worst = write_mistakes(found, drawn.bundle, [drawn.index], tmp_path / "report" / "mistakes.png")
    maps = write_mistake_maps(found, drawn.bundle, [drawn.index], tmp_path / "report" / "maps.png")
    assert worst.read_bytes()[:4] == maps.read_bytes()[:4] == b"\x89PNG"


def test_frames_of_a_clip_are_joined_as_in_a_verdict(drawn, made_crops):
    index = made_crops(8)
    index.write_text(index.read_text().replace("real3,", "real7,").replace("fake3,", "fake7,"))
    levels = evaluate_crops(drawn.bundle, [index], "test").measures.levels
    assert levels["frame"].count == Counts(2, 2)
    assert levels["clip"].count == Counts(1, 1)


def test_clips_are_measured_at_three_levels(root, tmp_path):
    rows = [Row(str(root / "examples" / name), label, "examples", "", "", method) for name, label, method in (
        ("portrait.jpg", "real", ""), ("half_fake.mp4", "fake", "blend"), ("no_face.jpg", "real", "")
    )]  # fmt: skip
    write_index(tmp_path / "clips.csv", rows)
    found = evaluate_clips(DEFAULT_MODEL, tmp_path / "clips.csv")
    levels = found.measures.levels
    assert levels["clip"].count == Counts(2, 1)
    assert (levels["clip"].without_number, levels["track"].count.fake) == (1, 1)
    assert levels["frame"].count.fake > 10
    assert found.measures.all == levels["clip"]
    (cell,) = found.measures.cells
    assert (cell.real_called.total, cell.fake_called.total) == (0, 1)
    assert cell.conditions.known.keys() == {"face", "blur", "compression"}
    assert list(found.measures.methods) == ["blend"]
    (tmp_path / "clips.csv").write_text("path,label\n")
    with pytest.raises(DatasetError, match="lists no file"):
        evaluate_clips(DEFAULT_MODEL, tmp_path / "clips.csv")


def test_robustness_finds_that_blur_hides_the_pattern_and_good_compression_does_not(drawn):
    found = measure_robustness(drawn.bundle, [drawn.index])
    assert set(found.corruptions) == {*CORRUPTIONS, "shift"}
    assert found.count == Counts(12, 12)
    for name, corruption in found.corruptions.items():
        levels = tuple(entry.level for entry in corruption.levels)
        assert levels == (CORRUPTIONS[name][2] if name in CORRUPTIONS else SHIFTS)
    assert found.clean.auc > 0.95
    strongest = found.corruptions["blur"].levels[-1]
    assert strongest.auc < found.clean.auc
    assert strongest.flip_rate > 0.3
    assert found.corruptions["shift"].levels[0].auc > 0.9
    with pytest.raises(DatasetError, match="needs real and fake crops"):
        measure_robustness(drawn.bundle, [drawn.index], sources=["absent"])


VARIANTS = """
[[variant]]
name = "noise only"
[[variant]]
name = "Visual & noise"
network = { streams = "both", gated = false }
"""


def test_variants_differ_in_what_they_name(write_config):
    variants = read_variants(write_config(tail=VARIANTS))
    assert list(variants) == ["noise only", "Visual & noise"]
    one, two = variants.values()
    assert (one.network.streams, two.network.streams, two.network.gated) == ("noise", "both", False)
    assert one == structs.replace(two, network=one.network)
    for text, message in (("", "needs tables \\[\\[variant\\]\\]"), (VARIANTS * 2, "each with its own name")):
        with pytest.raises(DatasetError, match=message):
            read_variants(write_config(tail=text))


def test_an_ablation_measures_each_variant_once(made_crops, write_config, tmp_path):
    made_crops(24)
    config = write_config(epochs=2, tail='[[variant]]\nname = "Noise only"\n')
    found = ablate(config, tmp_path / "runs")
    assert found.variants["Noise only"].test.sources["made"].count == Counts(6, 6)
    written = (tmp_path / "runs" / "noise-only" / "bundle" / "bundle.json").stat().st_mtime_ns
    assert ablate(config, tmp_path / "runs") == found
    assert (tmp_path / "runs" / "noise-only" / "bundle" / "bundle.json").stat().st_mtime_ns == written


def test_fine_tune_makes_a_bundle_of_a_folder(drawn, tmp_path, portrait, save_png):
    rng = np.random.default_rng(0)
    for number in range(24):
        image = np.roll(portrait.image, int(rng.integers(-20, 20)), axis=1)
        save_png(tmp_path / "mine" / "real" / f"{number}.png", image)
        grained = np.clip(image + rng.normal(0, 25, image.shape), 0, 255)
        save_png(tmp_path / "mine" / "fake" / f"{number}.png", grained.astype(np.uint8))
    said = []
    settings = FineTuneSettings(epochs=4, learning_rate=0.01, val_share=0.25, test_share=0.25)
    out = tmp_path / "models" / "mine-1"
    found = fine_tune(tmp_path / "mine", tmp_path / "work", out, model=drawn.bundle, settings=settings, say=said.append)
    assert load_bundle(out).model.name == "mine-1"
    assert found.after.auc >= found.before.auc
    card = (out / "README.md").read_text()
    assert f"{found.after.auc:.3f}" in card
    assert "goes on from the model drawn-1, which was trained on made (drawn for the test)" in card
    assert any(re.fullmatch(r"train: \d+ real, \d+ fake", line) for line in said)
    assert any(
        re.fullmatch(r"this takes about \d+ minutes on this machine's processor, if all 4 .*", line) for line in said
    )
    with pytest.raises(BundleError, match="No bundle.json"):
        fine_tune(tmp_path / "mine", tmp_path / "work", out, model=tmp_path / "absent", settings=settings)


def samples():
    rng = np.random.default_rng(0)
    fakes = [Sample("fake", "x", "swap", float(p)) for p in rng.uniform(0.3, 1, 40)]
    reals = [Sample("real", "x", "", float(p)) for p in rng.uniform(0, 0.7, 60)]
    return [*fakes, *reals, Sample("fake", "x", "swap", None)]


def test_a_summary_counts_what_was_not_answered():
    found = summary(samples(), Thresholds(real_below=0.4, fake_above=0.6))
    assert found.count == Counts(60, 41)
    assert found.without_number == 1
    called = found.fake_called
    assert called.real.share + called.fake.share + called.inconclusive.share == pytest.approx(1)
    assert found.auc_interval[0] < found.auc < found.auc_interval[1]


def test_one_class_alone_has_shares_but_no_auc():
    found = summary([s for s in samples() if s.label == "real"], Thresholds(real_below=0.4, fake_above=0.6))
    assert found.auc is None
    assert found.fake_called is None
    assert 0 < found.real_called.fake.share < 0.5


def test_the_shipped_card_and_readme_are_in_step_with_the_metrics(root, tmp_path):
    shutil.copytree(DEFAULT_MODEL, tmp_path / DEFAULT_MODEL.name)
    shutil.copy(root / "README.md", tmp_path / "README.md")
    write_card(tmp_path / DEFAULT_MODEL.name, tmp_path / "README.md")
    assert (tmp_path / DEFAULT_MODEL.name / "README.md").read_text() == (DEFAULT_MODEL / "README.md").read_text()
    assert (tmp_path / "README.md").read_text() == (root / "README.md").read_text()


def test_a_readme_without_markers_is_refused(root, tmp_path):
    (tmp_path / "README.md").write_text("# nothing")
    with pytest.raises(BundleError, match=f"must hold the lines {BEGIN} and {END}"):
        write_card_of_a_copy(root, tmp_path)


def write_card_of_a_copy(root, tmp_path):
    shutil.copytree(DEFAULT_MODEL, tmp_path / DEFAULT_MODEL.name)
    write_card(tmp_path / DEFAULT_MODEL.name, tmp_path / "README.md")


def test_no_bundle_no_card(tmp_path):
    with pytest.raises(BundleError, match="No bundle.json in"):
        write_card(tmp_path)


def test_no_metrics_no_card(tmp_path):
    shutil.copy(DEFAULT_MODEL / "bundle.json", tmp_path)
    with pytest.raises(BundleError, match="needs the sections training, calibration and export of metrics.json"):
        write_card(tmp_path)


def test_a_card_says_of_data_what_the_run_says_and_nothing_more(drawn):
    manifest, metrics = read_manifest(drawn.bundle), read_metrics(drawn.bundle)
    assert "Known flaws" not in card_text(manifest, metrics)
    metrics.training.config["data"]["flaws"] = {"made": "drawn by a program."}
    clips = [Sample("real", "made", "", 0.1), Sample("fake", "film", "swap", 0.9)]
    sources = {name: summary([s for s in clips if s.source == name], Thresholds(0.4, 0.6)) for name in ("made", "film")}
    every = summary(clips, Thresholds(0.4, 0.6))
    measured = Measured(all=every, sources=sources, methods={"swap": every}, levels={"clip": every})
    card = card_text(manifest, structs.replace(metrics, clips=measured))
    assert "- `made`: drawn by a program." in card
    assert "Whole files of made, film, each method against all reals" in card
    assert "nothing was trained on film, and" in card
    assert "FaceForensics" not in card
