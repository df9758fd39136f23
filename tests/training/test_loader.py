from __future__ import annotations

from collections import Counter
from dataclasses import replace

import keras
import numpy as np
import pytest

from deepfake.crops import cut_crop
from deepfake.errors import DatasetError
from deepfake.records import CropSpec
from deepfake.training.choose import chosen_rows, dealt, with_self_blends
from deepfake.training.config import DegradeConfig
from deepfake.training.extract import ExtractSettings, extract
from deepfake.training.index import Row, read_indexes
from deepfake.training.loader import CropLoader, read_crop, read_face

SPEC = CropSpec(size=64)
NOTHING = DegradeConfig(rotation_deg=0, min_zoom=1, move=0, colour=0, clean=1, erase=0)


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
        crop = CropLoader([face_row], SPEC, degrade_config=NOTHING, epoch=epoch)[0][0][0]
        same = np.abs(crop - served).max() <= 1
        assert same or np.abs(crop - served[:, ::-1]).max() <= 1
        seen.add(bool(same))
    assert seen == {True, False}


def test_a_crop_of_the_size_that_is_served_is_not_touched(made_crops, save_png, tmp_path, rng):
    image = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    row = Row(str(save_png(tmp_path / "crop.png", image)), "real")
    np.testing.assert_array_equal(read_crop(row, SPEC).image, image)
    half = read_crop(row, replace(SPEC, size=32)).image
    assert np.abs(half - image.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))).max() <= 1


def test_an_epoch_shows_every_crop_once_pairs_together_in_a_new_order(made_crops):
    rows = read_indexes([made_crops(12)])
    orders = []
    for epoch in (0, 1):
        loader = CropLoader(rows, SPEC, batch_size=4, degrade_config=DegradeConfig(), epoch=epoch)
        assert sorted(loader.order) == list(range(len(rows)))
        for start in range(0, len(loader.order), 4):
            assert len({rows[place].identity for place in loader.order[start : start + 4]}) == 2
        orders.append(loader.order)
    assert orders[0] != orders[1]


def test_frames_of_one_clip_do_not_lie_in_a_row(rng):
    rows = [Row(f"{c}/{n}", label, "x", "", str(c)) for c in range(20) for n in range(10) for label in ("real", "fake")]
    order = dealt(rows, rng)
    for first, second in zip(order[::2], order[1::2], strict=True):
        assert rows[first].identity == rows[second].identity
        assert {rows[first].label, rows[second].label} == {"real", "fake"}
    neighbours = zip(order[::2], order[2::2], strict=False)
    assert sum(rows[a].identity == rows[b].identity for a, b in neighbours) < 30


def test_weights_show_a_source_more_or_less_often():
    rows = [Row(f"{s}{n}", "real", s) for s in "abc" for n in range(400)]
    shown = chosen_rows(rows, {"a": 2.25, "b": 0}, "given", False, np.random.default_rng(0))
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
    shown = chosen_rows(rows, {"a": 0.5}, "given", False, rng)
    times = Counter(row.identity for row in shown)
    assert set(times.values()) == {3}
    assert 10 < len(times) < 30


def test_balanced_rows_have_as_many_of_each_label(rng):
    rows = [Row(f"r{n}", "real", "x") for n in range(70)] + [Row(f"f{n}", "fake", "x") for n in range(30)]
    shown = chosen_rows(rows, {}, "given", True, rng)
    assert Counter(row.label for row in shown) == {"real": 70, "fake": 70}
    assert set(Counter(row.path for row in shown if row.label == "fake").values()) == {2, 3}


def test_of_both_kinds_an_epoch_is_no_longer_and_half_of_its_fakes_are_blends(rng):
    rows = [Row(f"r{n}", "real", "x", landmarks="1 1 2 2 3 3 4 4 5 5") for n in range(300)]
    rows += [Row(f"f{n}", "fake", "x", method="swap") for n in range(300)]
    shown = chosen_rows(rows, {}, "both", False, rng)
    counts = Counter((row.label, row.method) for row in shown)
    assert counts["real", ""] == 300
    assert sum(counts.values()) == 600
    assert counts["fake", "self_blend"] == pytest.approx(150, abs=30)


def test_self_blends_take_the_place_of_the_fakes_or_join_them():
    rows = [Row("r.png", "real", landmarks="1 1 2 2 3 3 4 4 5 5"), Row("unknown.png", "real"), Row("f.png", "fake")]
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
        return CropLoader(rows, SPEC, 4, degrade_config=DegradeConfig(), **options)[0][0]

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
