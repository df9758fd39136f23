"""The answer about a whole picture, from its patches to what a person reads."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import PIL.Image
import pytest
from click.testing import CliRunner
from pypdf import PdfReader

import deepfake.training.calibrate_pictures as calibrating
from deepfake import Detector
from deepfake.cli.main import main
from deepfake.data.index import Row, write_index
from deepfake.errors import BundleError, DatasetError
from deepfake.media import read_picture
from deepfake.model.bundle import DEFAULT_MODEL, load_bundle
from deepfake.model.calibration import logit_of
from deepfake.model.metrics import read_metrics
from deepfake.model.scorer import Scorer
from deepfake.page.answers import answer
from deepfake.records import PictureLabel, Thresholds, WholePicture
from deepfake.report.brief import brief
from deepfake.report.catalogue import catalogue
from deepfake.report.explanation import explained
from deepfake.report.pdf import write_pdf
from deepfake.report.whole_picture import MAP_SIDE, patch_map, whole_sentences
from deepfake.whole_picture import LEAST_SIDE, PictureScorer, patch, patches_of


@pytest.fixture(scope="module")
def looking():
    return Detector(whole_picture=True)


@pytest.fixture(scope="module")
def verdict(looking, examples):
    return looking.detect(examples / "portrait.jpg")


@pytest.mark.parametrize(
    ("height", "width", "count"), [(224, 224, 1), (384, 512, 12), (4000, 6000, 16), (LEAST_SIDE, 300, 2)]
)
def test_patches_reach_all_edges_of_a_picture_and_are_never_many(rng, height, width, count):
    image = rng.integers(0, 255, (height, width, 3), np.uint8)
    boxes = patches_of(image, 224)
    assert len(boxes) == count
    assert {right - left for left, _, right, _ in boxes} | {low - top for _, top, _, low in boxes} == {224}
    assert all(patch(image, box).shape == (224, 224, 3) for box in boxes)
    assert (min(box[0] for box in boxes), min(box[1] for box in boxes)) == (0, 0)
    assert (max(box[2] for box in boxes), max(box[3] for box in boxes)) == (max(width, 224), max(height, 224))


def test_beyond_its_edge_a_small_picture_is_mirrored(rng):
    image = rng.integers(0, 255, (150, 400, 3), np.uint8)
    assert np.array_equal(patch(image, (0, 0, 224, 224))[150:], image[75:149, :224][::-1])


def test_what_shows_nothing_is_not_looked_at(rng):
    image = np.full((400, 800, 3), 200, np.uint8)
    assert patches_of(image, 224) == []
    assert patches_of(rng.integers(0, 255, (LEAST_SIDE - 1, 900, 3), np.uint8), 224) == []
    image[:, 500:] = rng.integers(0, 255, (400, 300, 3), np.uint8)
    assert min(right for _, _, right, _ in patches_of(image, 224)) > 500


def test_the_answer_is_the_mean_of_the_patches_and_leaves_that_about_faces_alone(looking, verdict, detector, examples):
    whole, plain = verdict.whole_picture, detector.detect(examples / "portrait.jpg")
    assert len(whole.patches) == 16
    assert logit_of(whole.p_generated) == pytest.approx(np.mean([own.logit for own in whole.patches]), abs=1e-6)
    assert whole.label is not PictureLabel.GENERATED
    assert plain.whole_picture is None
    assert plain.as_dict()["whole_picture"] is None
    assert (verdict.label, verdict.p_fake) == (plain.label, plain.p_fake)
    told = verdict.as_dict()["whole_picture"]
    assert told["answer"] == whole.label
    assert told["patches"][0] == {
        "box_xyxy": [0, 0, 224, 224],
        "logit": pytest.approx(whole.patches[0].logit, abs=1e-3),
    }
    # A picture without a face has one, too, and a video none.
    assert looking.detect(examples / "no_face.jpg").whole_picture is not None
    assert looking.detect(examples / "half_fake.mp4").whole_picture is None


def test_thresholds_part_the_three_answers(verdict, monkeypatch):
    scorer = Scorer(load_bundle())
    judge = PictureScorer(scorer)
    low, high = verdict.whole_picture.thresholds.real_below, verdict.whole_picture.thresholds.fake_above
    calibration = scorer.bundle.calibration.picture
    noise = np.random.default_rng(0).integers(0, 255, (224, 224, 3), np.uint8)
    for p_generated, label in (
        (low - 0.01, PictureLabel.NO_TRACES), (low + 0.01, PictureLabel.INCONCLUSIVE), (high + 0.01, PictureLabel.GENERATED),
    ):  # fmt: skip
        monkeypatch.setattr(scorer, "expert_logit", lambda *_, p=p_generated: calibration.raw(p))
        found = judge.judge(noise)
        assert found.label is label
        assert found.p_generated == pytest.approx(p_generated)


def test_of_several_pages_the_most_suspicious_counts(looking, portrait, tmp_path):
    pages = [PIL.Image.new("RGB", (400, 400), "white"), PIL.Image.fromarray(portrait.image)]
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    assert looking.detect(tmp_path / "pages.tif").whole_picture.page == 1


def test_a_bundle_that_was_not_calibrated_for_it_says_so(tmp_path):
    model = shutil.copytree(DEFAULT_MODEL, tmp_path / "plain")
    manifest = json.loads((model / "bundle.json").read_text())
    manifest["calibration"]["picture"] = None
    (model / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match="not calibrated on whole pictures. Ask about faces alone"):
        Detector(model, whole_picture=True)
    found = CliRunner().invoke(
        main, ["detect", "--model", str(model), "--trust", "--whole-picture", "examples/portrait.jpg"]
    )
    assert found.exit_code == 1
    assert "run calibrate-pictures" in found.output


def test_pictures_calibrate_the_answer_and_are_measured_by_what_has_not_seen_them(tmp_path, rng, monkeypatch):
    model = shutil.copytree(DEFAULT_MODEL, tmp_path / "model")
    rows = []
    for number in range(60):
        label = ("real", "fake")[number % 2]
        path = tmp_path / label / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        PIL.Image.new("L", (120, 120), int(rng.integers(60, 140)) + 60 * (number % 2)).save(path)
        rows.append(Row(str(path), label, "made", method="painter" * (number % 2)))
    write_index(tmp_path / "pictures.csv", rows)
    write_index(tmp_path / "few.csv", rows[:8])
    box = (0, 0, 224, 224)
    monkeypatch.setattr(calibrating, "patch_logits", lambda scorer, image: [(box, (image.mean() - 130) / 20)])
    with pytest.raises(DatasetError, match="At least 20 photographs and 20 generated pictures .* Found 4 and 4"):
        calibrating.calibrate_pictures(model, tmp_path / "few.csv")
    found = calibrating.calibrate_pictures(model, tmp_path / "pictures.csv")
    assert load_bundle(model).calibration.picture == found.calibration
    assert load_bundle(model).calibration.face == load_bundle().calibration.face
    metrics = read_metrics(model)
    assert len(metrics.picture_calibration.samples) == metrics.pictures.by_folds == 60
    assert metrics.pictures.methods.keys() == {"painter"}
    assert 0.85 < metrics.pictures.all.auc < 1
    # By folds, the calibrations differ: it is not the ranking of one.
    labels = np.array([sample.label == "fake" for sample in metrics.picture_calibration.samples])
    logits = np.array([sample.logit for sample in metrics.picture_calibration.samples])
    of_one = (
        np.mean(logits[labels][:, None] > logits[~labels]) + np.mean(logits[labels][:, None] == logits[~labels]) / 2
    )
    assert metrics.pictures.all.auc != pytest.approx(of_one, abs=1e-4)


def test_a_person_reads_it_on_the_line_on_the_page_and_in_the_report(verdict, portrait, tmp_path):
    sure = dataclasses.replace(verdict.whole_picture, label=PictureLabel.GENERATED, p_generated=0.934)
    told = dataclasses.replace(verdict, whole_picture=sure)
    assert "whole picture: looks generated, 93%" in brief(told).notes
    sentence = "The picture as a whole looks generated: 93 of 100."
    assert sentence in explained(told, DEFAULT_MODEL)
    page = answer(told, DEFAULT_MODEL, image=portrait.image)
    assert sentence in page
    assert "data:image/jpeg" in page
    elsewhere = dataclasses.replace(told, whole_picture=dataclasses.replace(sure, page=3))
    assert "data:image" not in answer(elsewhere, DEFAULT_MODEL, image=portrait.image)
    assert "picture as a whole" not in answer(dataclasses.replace(told, whole_picture=None), DEFAULT_MODEL)
    pdf = write_pdf(told, tmp_path / "report.pdf")
    text = " ".join(" ".join(sheet.extract_text() for sheet in PdfReader(pdf).pages).split())
    assert sentence in text
    assert "Red looks generated" in text


def test_how_often_it_errs_is_quoted_from_what_was_measured():
    whole = WholePicture(PictureLabel.NO_TRACES, 0.1, Thresholds(real_below=0.2, fake_above=0.8), ())
    measured = read_metrics(DEFAULT_MODEL).pictures.all
    wrong = round(measured.real_called.fake.share * measured.count.real)
    first, second, _ = whole_sentences(whole, DEFAULT_MODEL, catalogue("de"))
    assert first == "Das Bild als Ganzes zeigt keine Spuren eines Generators."
    assert f"Von {measured.count.real} Fotos" in second
    assert f"wurden {wrong} erzeugt genannt" in second


def test_the_map_is_red_where_patches_look_generated_and_blue_where_not(verdict, examples):
    grey = np.full((800, 1600, 3), 128, np.uint8)
    (one, *_), whole = verdict.whole_picture.patches, verdict.whole_picture
    sides = tuple(
        dataclasses.replace(one, box_xyxy=(left, 0, left + 800, 800), logit=logit)
        for left, logit in ((0, 4), (800, -4))
    )
    drawn = patch_map(grey, dataclasses.replace(whole, patches=sides)).astype(int)
    assert drawn.shape == (MAP_SIDE // 2, MAP_SIDE, 3)
    left, right = drawn[160, 100], drawn[160, 540]
    assert left[0] > 150 > left[2]
    assert right[2] > 150 > right[0]
    picture = read_picture(examples / "portrait.jpg").image
    assert np.array_equal(patch_map(picture, dataclasses.replace(whole, patches=())), picture)


def test_the_command_says_it_of_each_picture():
    found = CliRunner().invoke(main, ["detect", "--whole-picture", "--json", "examples/no_face.jpg"])
    values = json.loads(found.output.splitlines()[0])
    assert values["reason"] == "no_face"
    assert values["whole_picture"]["answer"] in set(PictureLabel)
