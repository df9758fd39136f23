"""fairness: what is measured of a face, and errors in bins of it."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from deepfake.cli.main import main
from deepfake.data.index import Row, read_indexes, write_index
from deepfake.data.loader import read_crop
from deepfake.errors import DatasetError
from deepfake.evaluation.card import write_card
from deepfake.evaluation.evaluate import evaluate_crops
from deepfake.evaluation.face_attributes import NOSE_DEPTH, TRAITS, UNKNOWN, bin_of, cheek_colour, typology_angle, yaw
from deepfake.evaluation.fairness import chance_of_differences, expected_rates, measure_fairness
from deepfake.model.bundle import load_bundle
from deepfake.model.measured import Counts
from deepfake.model.metrics import read_metrics

FACE = np.array([[20, 25], [44, 25], [32, 36], [23, 48], [41, 48]], np.float32)


def slow_lab(rgb):
    """CIE L*a*b* (D65) of one sRGB colour, by the book."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
    matrix = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
    xyz = [sum(m * c for m, c in zip(row, linear, strict=True)) for row in matrix]
    f = [
        t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29
        for t in (v / w for v, w in zip(xyz, (0.95047, 1.0, 1.08883), strict=True))
    ]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


@pytest.mark.parametrize("rgb", [(244, 208, 177), (198, 134, 66), (141, 85, 36), (60, 40, 30), (255, 255, 255)])
def test_the_colour_of_a_cheek_is_that_of_the_book(rgb):
    found = cheek_colour(np.full((64, 64, 3), rgb, np.uint8), FACE)
    np.testing.assert_allclose(found, slow_lab(rgb), atol=0.3)


def test_cheeks_alone_are_looked_at():
    image = np.zeros((64, 64, 3), np.uint8)
    for eye, mouth in ((0, 3), (1, 4)):
        x, y = (FACE[eye] + FACE[mouth]) / 2
        image[int(y) - 5 : int(y) + 6, int(x) - 5 : int(x) + 6] = (198, 134, 66)
    np.testing.assert_allclose(cheek_colour(image, FACE), slow_lab((198, 134, 66)), atol=0.3)
    assert cheek_colour(image, FACE + 500) is None
    assert cheek_colour(image, FACE - 500) is None


@pytest.mark.parametrize(("lightness", "yellowness", "angle", "name"), [
    (80, 15, math.degrees(math.atan(2)), "very light (above 55)"),
    (68, 18, 45, "light (41 to 55)"),
    (60, 15, math.degrees(math.atan(2 / 3)), "intermediate (28 to 41)"),
    (55, 15, math.degrees(math.atan(1 / 3)), "tan (10 to 28)"),
    (50, 15, 0, "brown (-30 to 10)"),
    (30, 10, -math.degrees(math.atan(2)), "dark (up to -30)"),
])  # fmt: skip
def test_known_colours_have_known_angles_and_classes(lightness, yellowness, angle, name):
    assert typology_angle(lightness, yellowness) == pytest.approx(angle)
    assert bin_of(typology_angle(lightness, yellowness), TRAITS["skin"]) == name


def head(degrees):
    """The five points of a head of which each nose has the depth of an average one, turned and seen from afar."""
    x, y, z = np.array([[-1, -1, 0], [1, -1, 0], [0, 0, 2 * NOSE_DEPTH], [-0.8, 1, 0], [0.8, 1, 0]], float).T
    angle = math.radians(degrees)
    return np.stack([x * math.cos(angle) + z * math.sin(angle), y], axis=1)


@pytest.mark.parametrize("degrees", [-60, -25, 0, 10, 45])
def test_the_yaw_of_a_head_that_was_turned_is_found(degrees):
    points = head(degrees) * 30 + 100
    assert yaw(points) == pytest.approx(degrees, abs=1e-6)
    turned = points @ np.array([[math.cos(0.4), math.sin(0.4)], [-math.sin(0.4), math.cos(0.4)]])
    assert yaw(turned) == pytest.approx(degrees, abs=1e-6)
    mirrored = (points * (-1, 1))[[1, 0, 2, 4, 3]]
    assert yaw(mirrored) == pytest.approx(-degrees, abs=1e-6)


def test_points_in_one_place_have_no_yaw():
    assert yaw(np.zeros((5, 2))) is None


@pytest.mark.parametrize("trait", TRAITS.values(), ids=TRAITS)
def test_each_value_has_one_bin_and_bins_rise(trait):
    assert len(trait.bins) == len(trait.edges) + 1
    values = np.linspace(trait.edges[0] - 20, trait.edges[-1] + 20, 400)
    places = [trait.bins.index(bin_of(float(value), trait)) for value in values]
    assert places == sorted(places)
    assert set(places) == set(range(len(trait.bins)))
    for number, edge in enumerate(trait.edges):
        assert bin_of(edge, trait) == trait.bins[number]
    assert bin_of(None, trait) == UNKNOWN


def test_expected_rates_give_each_source_its_hits(rng):
    hits, sources = rng.integers(0, 2, 60), [f"s{n % 3}" for n in range(60)]
    expected = expected_rates(hits, sources)
    assert expected.sum() == pytest.approx(hits.sum())
    for name in set(sources):
        own = np.array(sources) == name
        assert np.ptp(expected[own]) == 0
        assert expected[own].sum() == pytest.approx(hits[own].sum())


def test_chance_explains_what_comes_of_sources_and_not_what_comes_of_bins(rng):
    sources = ["easy"] * 100 + ["hard"] * 100
    # The hard source lies mostly in one bin: the rates of the bins differ, and only because of that.
    bins = ["a"] * 80 + ["b"] * 20 + ["a"] * 20 + ["b"] * 80
    by_source = np.r_[np.zeros(100), np.tile([0, 1], 50)]
    by_bin = np.array([place == "b" for place in bins], float)
    assert by_source[by_bin == 1].mean() > 2 * by_source[by_bin == 0].mean()
    assert chance_of_differences(by_source, bins, sources, rounds=300) > 0.5
    assert chance_of_differences(by_bin, bins, sources, rounds=300) == pytest.approx(1 / 301)
    assert chance_of_differences(np.zeros(200), bins, sources, rounds=20) == 1
    assert chance_of_differences(by_source, ["a"] * 200, sources, rounds=20) == 1


def test_bins_hold_every_crop_once_and_their_rates_are_those_of_a_slow_count(drawn):
    found = measure_fairness(drawn.bundle, [drawn.index])
    assert found.count == Counts(12, 12)
    for trait in found.traits.values():
        for counts in ([own.count for own in trait.bins], [own.sources["made"] for own in trait.bins]):
            assert (sum(count.real for count in counts), sum(count.fake for count in counts)) == (12, 12)
        assert set(trait.chance) <= {"reals_called_fake", "reals_inconclusive", "fakes_called_real"}
    assert [own.bin for own in found.traits["face_px"].bins] == [UNKNOWN]
    assert found.traits["face_px"].chance == {}

    bundle = load_bundle(drawn.bundle)
    samples = evaluate_crops(drawn.bundle, [drawn.index], "test").samples
    rows = [row for row in read_indexes([drawn.index]) if row.split == "test"]
    edges = (-1, *TRAITS["brightness"].edges, 101)
    for own in found.traits["brightness"].bins:
        place = TRAITS["brightness"].bins.index(own.bin)
        for label, count, answers in (
            ("real", own.count.real, own.real_called),
            ("fake", own.count.fake, own.fake_called),
        ):
            inside = []
            for row, sample in zip(rows, samples, strict=True):
                grey = read_crop(row, bundle.crop).image.astype(float).mean(axis=(0, 1))
                lightness = slow_lab(grey)[0]
                if row.label == label and edges[place] < lightness <= edges[place + 1]:
                    inside.append(sample.p_fake)
            assert len(inside) == count
            if inside:
                called = sum(p >= bundle.calibration.face.thresholds.fake_above for p in inside) / len(inside)
                assert answers.fake.share == pytest.approx(called)


def test_a_face_without_landmarks_is_searched_for_and_none_is_made_up(
    drawn, tmp_path, portrait, portrait_face, save_png
):
    box = " ".join(f"{edge:.1f}" for edge in portrait_face.box_xyxy)
    save_png(tmp_path / "portrait.png", portrait.image)
    save_png(tmp_path / "flat.png", np.full((64, 64, 3), 128, np.uint8))
    rows = [Row("portrait.png", "real", "photo", "test", box=""), Row("flat.png", "real", "flat", "test")]
    write_index(tmp_path / "index.csv", rows)
    traits = measure_fairness(drawn.bundle, [tmp_path / "index.csv"]).traits
    for name in ("skin", "yaw"):
        assert {tuple(own.sources): own.bin == UNKNOWN for own in traits[name].bins} == {
            ("photo",): False, ("flat",): True,
        }  # fmt: skip
    assert traits["yaw"].bins[0].fake_called is None
    points = " ".join(f"{value:.1f}" for value in portrait_face.landmarks.ravel())
    write_index(tmp_path / "index.csv", [Row("portrait.png", "real", "photo", "test", box=box, landmarks=points)])
    given = measure_fairness(drawn.bundle, [tmp_path / "index.csv"]).traits
    assert given["face_px"].bins[0].bin == bin_of(portrait_face.size, TRAITS["face_px"])
    assert given["yaw"].bins[0].bin == traits["yaw"].bins[0].bin


def test_a_grey_face_has_no_skin_tone(drawn, made_crops):
    traits = measure_fairness(drawn.bundle, [made_crops(8)]).traits
    assert {own.bin for own in traits["skin"].bins} == {UNKNOWN}


def test_fairness_is_kept_and_the_card_shows_it(drawn, tmp_path):
    bundle = shutil.copytree(drawn.bundle, tmp_path / "drawn-1")
    done = CliRunner().invoke(main, ["fairness", "--model", str(bundle), "--index", str(drawn.index)])
    assert done.exit_code == 0, done.output
    metrics = read_metrics(bundle)
    assert metrics.export == read_metrics(drawn.bundle).export
    card = write_card(bundle).read_text()
    assert done.stdout.strip() in card
    own = metrics.fairness.traits["brightness"].bins[-1]
    assert f"| {own.bin} | made {own.count.real} | {own.real_called.fake.share:.1%} (" in card
    assert "- Of 12 reals, " in card


def test_fairness_needs_reals(drawn, tmp_path):
    write_index(tmp_path / "index.csv", [Row("a.png", "fake", "made", "test")])
    with pytest.raises(DatasetError, match="needs real crops in the split 'test'. Found 1 rows, none of them real"):
        measure_fairness(drawn.bundle, [tmp_path / "index.csv"])
