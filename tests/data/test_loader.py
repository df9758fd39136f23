from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import keras
import numpy as np
import pytest

from deepfake.data.config import AugmentConfig, PairConfig
from deepfake.data.cutter import ExtractSettings
from deepfake.data.extract import extract
from deepfake.data.index import Row, read_indexes
from deepfake.data.loader import CropLoader, prepared, read_crop, read_face
from deepfake.data.rows import with_self_blends
from deepfake.data.sampling import chosen_pairs, chosen_rows, paired
from deepfake.errors import DatasetError
from deepfake.faces.crops import cut_crop
from deepfake.records import CropSpec
from deepfake.system.settings import read_settings

SPEC = CropSpec(size=64)
NOTHING_ALIKE = AugmentConfig(rotation_deg=0, min_zoom=1, move=0, colour=0, clean=1, erase=0, alike=1)
NOTHING = AugmentConfig(rotation_deg=0, min_zoom=1, move=0, colour=0, clean=1, erase=0)


@pytest.fixture
def face_row(tmp_path, examples, finder):
    extract([Row("portrait.jpg", "real", "x", "train")], examples, tmp_path / "faces", finder, ExtractSettings())
    return read_indexes([tmp_path / "faces" / "index.csv"])[0]


def test_eager_and_batched_crops_are_the_same_pixels(made_crops, face_row):
    rows = [*read_indexes([made_crops(8)]), face_row, *with_self_blends([face_row], "self-blend")[1:]]
    loader = CropLoader(rows, SPEC, batch_size=5)
    batches = [loader[number] for number in range(len(loader))]
    crops = np.concatenate([crops for crops, _ in batches])
    np.testing.assert_array_equal(crops, np.stack([read_crop(row, SPEC).image for row in rows]))
    np.testing.assert_array_equal(np.concatenate([y["logit"] for _, y in batches]), [row.target for row in rows])


def test_training_without_degradation_shows_the_served_crop_or_its_mirror_image(face_row):
    image, face = read_face(face_row, SPEC)
    served = cut_crop(image, face, SPEC).image
    seen = set()
    for epoch in range(8):
        crop = CropLoader([face_row], SPEC, augment_config=NOTHING, epoch=epoch)[0][0][0]
        same = np.abs(crop - served).max() <= 1
        assert same or np.abs(crop - served[:, ::-1]).max() <= 1
        seen.add(bool(same))
    assert seen == {True, False}


def test_a_crop_of_the_size_that_is_served_is_not_touched(made_crops, save_png, tmp_path, rng):
    image = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    row = Row(str(save_png(tmp_path / "crop.png", image)), "real")
    np.testing.assert_array_equal(read_crop(row, SPEC).image, image)
    half = read_crop(row, CropSpec(size=32)).image
    assert np.abs(half - image.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))).max() <= 1


def test_an_epoch_shows_every_crop_once_pairs_together_in_a_new_order(made_crops):
    rows = read_indexes([made_crops(12)])
    orders = []
    for epoch in (0, 1):
        units = paired(rows, np.random.default_rng(epoch))
        loader = CropLoader(units, SPEC, batch_size=4, augment_config=AugmentConfig(), epoch=epoch)
        assert sorted(row.path for row in loader.rows) == sorted(row.path for row in rows)
        assert all(len({row.identity for row in unit}) == 1 for batch in loader.batches for unit in batch)
        assert {sum(map(len, batch)) for batch in loader.batches} == {4}
        orders.append([row.path for row in loader.rows])
    assert orders[0] != orders[1]


def test_frames_of_one_clip_do_not_lie_in_a_row(rng):
    rows = [Row(f"{c}/{n}", label, "x", "", str(c)) for c in range(20) for n in range(10) for label in ("real", "fake")]
    units = paired(rows, rng)
    for first, second in units:
        assert first.identity == second.identity
        assert (first.label, second.label) == ("real", "fake")
    assert sum(a[0].identity == b[0].identity for a, b in pairwise(units)) < 30


def test_rows_that_find_no_partner_are_shown_all_the_same(rng):
    rows = [Row(f"r{n}", "real", "x", "", f"r{n}") for n in range(5)] + [Row("f", "fake", "x", "", "r0")]
    units = paired(rows, rng)
    assert sorted(map(len, units)) == [2, 2, 2]
    assert ("r0", "f") in [tuple(row.path for row in unit) for unit in units]


def test_the_real_of_a_blend_is_the_picture_that_it_is_made_from(face_row, rng):
    other = replace(face_row, path="another.png")
    ((real, fake),) = paired([other, with_self_blends([face_row], "self-blend")[1]], rng)
    assert (real.path, real.label, real.made) == (fake.path, "real", "")


def test_a_pair_is_cut_by_one_geometry_and_augmented_alike(face_row, rng):
    twice = (face_row, replace(face_row, label="fake"))
    one, two = prepared(twice, SPEC, AugmentConfig(alike=1.0), rng)
    np.testing.assert_array_equal(one, two)
    geometry = AugmentConfig(colour=0, erase=0, clean=1, min_zoom=0.5)
    for _ in range(5):
        one, two = prepared(twice, SPEC, geometry, rng)
        assert (one == two).all() or (one == two[:, ::-1]).all()
    one, two = prepared((face_row, face_row), SPEC, geometry, rng)
    assert (one != two).any()
    assert (one != two[:, ::-1]).any()


def test_a_real_and_its_blend_differ_on_the_face_alone(face_row, rng):
    real, fake = prepared((face_row, with_self_blends([face_row], "both")[1]), CropSpec(), NOTHING_ALIKE, rng)
    assert (real != fake).any()
    assert (real[:, :4] == fake[:, :4]).all()
    assert (real[:4] == fake[:4]).all()


def test_pairs_are_as_common_as_they_are_told_to_be(rng):
    rows = [Row(f"{s}{n}", "real", s, mesh="m", identity=f"{s}{n}") for s in "abc" for n in range(50)]
    rows += [
        Row(f"f{m}{n}", "fake", "a", method=m, identity=f"a{n}")
        for m, count in (("x", 45), ("y", 5))
        for n in range(count)
    ]
    kinds = [
        PairConfig(kind="blend", share=3, sources={"a": 1, "b": 3}),
        PairConfig(kind="given", share=1, sources={"a": 1}),
        PairConfig(kind="given", share=1, sources={"a": 1}, reals={"c": 1}),
    ]
    found = chosen_pairs(rows, kinds, 2000, rng)
    assert len(found) == 2000
    assert all((real.label, fake.label) == ("real", "fake") for real, fake in found)
    blends = [pair for pair in found if pair[1].made]
    assert len(blends) == pytest.approx(1200, abs=80)
    assert Counter(real.source for real, _ in blends)["b"] == pytest.approx(900, abs=80)
    assert all(real.path == fake.path for real, fake in blends)
    given = [(real, fake) for real, fake in found if not fake.made]
    assert Counter(fake.method for _, fake in given)["y"] == pytest.approx(400, abs=60)
    assert all(real.identity == fake.identity for real, fake in given if real.source == "a")
    assert sum(real.source == "c" for real, _ in given) == pytest.approx(400, abs=60)


def test_the_real_beside_a_given_fake_shows_the_same_moment_if_there_is_one(rng):
    rows = [Row(f"x/{n:02d}.png", "real", "x", clip="033", identity="033") for n in range(8)]
    rows += [Row("x/other_01.png", "real", "x", clip="097", identity="097")]
    rows += [Row(f"x/f_{n:02d}.png", "fake", "x", clip="033_097", identity="033+097") for n in range(8)]
    for real, fake in chosen_pairs(rows, [PairConfig(kind="given", share=1, sources={"x": 1})], 40, rng):
        assert real.path[-6:] == fake.path[-6:]
        assert real.clip == "033"


def test_a_pair_that_nothing_can_be_made_of_is_refused(rng):
    rows = [Row("a", "real", "x"), Row("b", "fake", "y")]
    for kind, sources, message in (
        ("blend", {"x": 1}, "No rows for a pair of x"),
        ("twin", {"x": 1}, "No rows for a pair of x"),
        ("given", {"y": 1}, "No real face of y"),
    ):
        pair = read_settings({"kind": kind, "share": 1, "sources": sources}, PairConfig)
        with pytest.raises(DatasetError, match=message):
            chosen_pairs(rows, [pair], 5, rng)


def test_a_blend_without_a_mesh_is_refused_not_made_of_an_oval(face_row):
    _, blend = with_self_blends([face_row], "both")
    with pytest.raises(DatasetError, match="has no face mesh"):
        read_crop(replace(blend, mesh=""), SPEC)
    with pytest.raises(DatasetError, match="is missing or damaged. Run extract again"):
        read_crop(replace(blend, mesh=face_row.path), SPEC)
    with pytest.raises(DatasetError, match="has no twin. Run twin"):
        read_crop(replace(blend, made="twin"), SPEC)


def test_weights_show_a_source_more_or_less_often():
    rows = [Row(f"{s}{n}", "real", s) for s in "abc" for n in range(400)]
    shown = chosen_rows(rows, {"a": 2.25, "b": 0}, "given", np.random.default_rng(0), balanced=False)
    counts = Counter(row.source for row in shown)
    assert counts["a"] == pytest.approx(900, abs=40)
    assert (counts["b"], counts["c"]) == (0, 400)
    assert min(Counter(row.path for row in shown if row.source == "a").values()) == 2


def test_a_real_and_its_fakes_are_shown_together_or_not_at_all(rng):
    rows = [
        Row(f"{label}{number}{take}", label, "a", "train", identity=str(number))
        for number in range(40)
        for label, take in (("real", 0), ("fake", 0), ("fake", 1))
    ]
    shown = chosen_rows(rows, {"a": 0.5}, "given", rng, balanced=False)
    times = Counter(row.identity for row in shown)
    assert set(times.values()) == {3}
    assert 10 < len(times) < 30


def test_balanced_rows_have_as_many_of_each_label(rng):
    rows = [Row(f"r{n}", "real", "x") for n in range(70)] + [Row(f"f{n}", "fake", "x") for n in range(30)]
    shown = chosen_rows(rows, {}, "given", rng, balanced=True)
    assert Counter(row.label for row in shown) == {"real": 70, "fake": 70}
    assert set(Counter(row.path for row in shown if row.label == "fake").values()) == {2, 3}


def test_of_both_kinds_an_epoch_is_no_longer_and_half_of_its_fakes_are_blends(rng):
    rows = [Row(f"r{n}", "real", "x", mesh="m.npy") for n in range(300)]
    rows += [Row(f"f{n}", "fake", "x", method="swap") for n in range(300)]
    shown = chosen_rows(rows, {}, "both", rng, balanced=False)
    counts = Counter((row.label, row.method) for row in shown)
    assert counts["real", ""] == 300
    assert sum(counts.values()) == 600
    assert counts["fake", "self_blend"] == pytest.approx(150, abs=30)


def test_self_blends_take_the_place_of_the_fakes_or_join_them():
    rows = [Row("r.png", "real", mesh="m.npy"), Row("unknown.png", "real"), Row("f.png", "fake")]
    made = {
        kind: [(row.path, row.label, row.method) for row in with_self_blends(rows, kind)]
        for kind in ("given", "self-blend", "both")
    }
    blend = ("r.png", "fake", "self_blend")
    assert made["given"] == [("r.png", "real", ""), ("unknown.png", "real", ""), ("f.png", "fake", "")]
    assert made["self-blend"] == [("r.png", "real", ""), blend, ("unknown.png", "real", "")]
    assert made["both"] == [("r.png", "real", ""), blend, ("unknown.png", "real", ""), ("f.png", "fake", "")]


def test_a_self_blended_row_is_always_the_same_fake_and_not_the_real(face_row):
    _, blend = with_self_blends([face_row], "both")
    one, two = (read_crop(blend, SPEC).image for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert (one != read_crop(face_row, SPEC).image).any()


def test_seed_and_epoch_fix_the_batches(made_crops):
    rows = read_indexes([made_crops(5)])

    def first(**options):
        return CropLoader(rows, SPEC, 4, augment_config=AugmentConfig(), **options)[0][0]

    np.testing.assert_array_equal(first(epoch=2, seed=3), first(epoch=2, seed=3))
    assert (first(epoch=2, seed=3) != first(epoch=1, seed=3)).any()
    assert (first(epoch=2, seed=3) != first(epoch=2, seed=4)).any()


def test_a_missing_crop_is_an_error_not_another_crop(made_crops, tmp_path):
    rows = read_indexes([made_crops(4)])
    (tmp_path / "crops" / "fake" / "0.png").unlink()
    with pytest.raises(DatasetError, match="missing or damaged. Run extract again"):
        CropLoader(rows, SPEC)[0]
    with pytest.raises(ValueError, match="at least one crop"):
        CropLoader([], SPEC)


def test_damaged_numbers_are_an_error(face_row):
    with pytest.raises(DatasetError, match="needs 4 numbers in `box`. Received: '1 2 x'"):
        read_crop(replace(face_row, box="1 2 x"), SPEC)
    with pytest.raises(DatasetError, match="needs 10 numbers in `landmarks`. Received: '1 2'"):
        read_crop(replace(face_row, landmarks="1 2"), SPEC)


def test_keras_draws_from_it_on_several_threads(made_crops):
    loader = CropLoader(read_indexes([made_crops(8)]), SPEC, batch_size=4, workers=2)
    crop = keras.Input((64, 64, 3))
    model = keras.Model(crop, keras.ops.mean(crop, axis=(1, 2, 3)))
    expected = [read_crop(row, SPEC).image.mean() for row in loader.rows]
    np.testing.assert_allclose(model.predict(loader, verbose=0), expected, rtol=1e-4)
