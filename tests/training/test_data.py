"""index, split, extract, loader."""

from __future__ import annotations

import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest

from deepfake.crops import cut_crop
from deepfake.errors import DatasetError
from deepfake.records import CropSpec
from deepfake.training.config import DegradeConfig
from deepfake.training.extract import Extractor
from deepfake.training.index import Row, read_index, write_index
from deepfake.training.loader import CropLoader, read_crop
from deepfake.training.split import check_disjoint, split_groups

ROWS = [Row(f"{n}.png", ("real", "fake")[n % 2], "made", "train", f"g{n // 2}") for n in range(400)]


def test_an_index_is_read_as_it_was_written(tmp_path):
    write_index(tmp_path / "index.csv", ROWS)
    assert read_index(tmp_path / "index.csv") == ROWS


@pytest.mark.parametrize(("text", "message"), [
    ("path,label\na,real\n", "needs the columns .* Missing: group, method, source, split"),
    ("path,label,source,split,group,method\na,maybe,s,train,g,\n", "line 2: `label` must be one of real, fake"),
    ("path,label,source,split,group,method\na,real,s,dev,g,\n", "Received: 'real', 'dev'"),
])  # fmt: skip
def test_a_wrong_index_is_refused(tmp_path, text, message):
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_index(tmp_path / "index.csv")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_index(tmp_path / "absent.csv")


def test_a_leak_is_refused_and_named():
    leaking = [*ROWS, replace(ROWS[6], split="test")]
    with pytest.raises(DatasetError, match="1 groups lie in several splits.* group 'g3' of 'made' in test, train"):
        check_disjoint(leaking)
    check_disjoint(ROWS)


def test_split_keeps_groups_together_and_shares_about_right():
    rows = split_groups(ROWS, val_share=0.2, test_share=0.3)
    check_disjoint(rows)
    shares = [sum(row.split == name for row in rows) / len(rows) for name in ("train", "val", "test")]
    assert shares == pytest.approx([0.5, 0.2, 0.3], abs=0.08)
    assert split_groups(ROWS, 0.2, 0.3) == rows
    assert split_groups(ROWS, 0.2, 0.3, seed=1) != rows


def test_rows_added_later_move_none():
    rows = split_groups(ROWS, 0.2, 0.2)
    more = split_groups([Row("new.png", "real", "made", "train", "new"), *ROWS], 0.2, 0.2)
    assert more[1:] == rows


def test_shares_that_leave_nothing_to_train_are_refused():
    with pytest.raises(ValueError, match="leave some to train"):
        split_groups(ROWS, 0.5, 0.5)


@pytest.fixture
def photographs(tmp_path, examples):
    (tmp_path / "photos").mkdir()
    for name in ("portrait.jpg", "self_blend.jpg", "no_face.jpg"):
        shutil.copy(examples / name, tmp_path / "photos" / name)
    (tmp_path / "photos" / "letter.jpg").write_text("no picture")
    names = ["portrait.jpg", "self_blend.jpg", "no_face.jpg", "letter.jpg"]
    return [Row(name, "fake" if "blend" in name else "real", "photos", "train", name) for name in names]


@pytest.fixture
def extractor(tmp_path, finder):
    return Extractor(tmp_path / "photos", tmp_path / "crops", finder, CropSpec(size=96), self_blends=2)


def test_extract_cuts_what_detect_cuts_and_counts_the_rest(extractor, photographs, portrait, portrait_face):
    assert extractor.extract(photographs) == {"crops": 2, "no_face": 1, "unreadable": 1}
    rows = read_index(extractor.out / "index.csv")
    assert [(row.path, row.label, row.method) for row in rows] == [
        ("portrait.png", "real", ""),
        ("portrait-blend0.png", "fake", "self_blend"),
        ("portrait-blend1.png", "fake", "self_blend"),
        ("self_blend.png", "fake", ""),
    ]
    found = read_crop(extractor.out / "portrait.png")
    np.testing.assert_array_equal(found, cut_crop(portrait.image, portrait_face, extractor.spec).image)
    blends = [read_crop(extractor.out / f"portrait-blend{k}.png") for k in (0, 1)]
    assert (blends[0] != found).any()
    assert (blends[0] != blends[1]).any()


def test_an_interrupted_extract_goes_on_and_gives_the_same(extractor, photographs):
    extractor.extract(photographs)
    contents = {path.name: path.read_bytes() for path in extractor.out.iterdir()}
    (extractor.out / "portrait-blend1.png").unlink()
    kept = (extractor.out / "self_blend.png").stat().st_mtime_ns
    extractor.extract(photographs)
    assert {path.name: path.read_bytes() for path in extractor.out.iterdir()} == contents
    assert (extractor.out / "self_blend.png").stat().st_mtime_ns == kept


def test_only_real_training_pictures_are_blended(extractor, photographs):
    extractor.extract([replace(photographs[0], split="test"), photographs[1]])
    assert len(read_index(extractor.out / "index.csv")) == 2


def test_crops_that_are_crops_already_are_copied(extractor, photographs):
    copier = replace(extractor, cropped_sources=frozenset({"photos"}))
    copier.extract(photographs[:1])
    assert (copier.out / "portrait.jpg").read_bytes() == (copier.root / "portrait.jpg").read_bytes()


def test_nothing_extracted_is_an_error(extractor, photographs):
    with pytest.raises(DatasetError, match="None of 1 pictures"):
        extractor.extract(photographs[2:3])


def test_eager_and_batched_crops_are_the_same_pixels(made_crops):
    index = made_crops(8)
    rows = read_index(index)
    loader = CropLoader(rows, index.parent, 64, batch_size=5)
    batches = [loader[number] for number in range(len(loader))]
    crops = np.concatenate([crops for crops, _ in batches])
    np.testing.assert_array_equal(crops, np.stack([read_crop(index.parent / row.path) for row in rows]))
    np.testing.assert_array_equal(np.concatenate([y["logit"] for _, y in batches]), [row.target for row in rows])


def test_an_epoch_shows_every_crop_once_pairs_together_in_a_new_order(made_crops):
    index = made_crops(12)
    orders = []
    for epoch in (0, 1):
        options = {"batch_size": 4, "degrade_config": DegradeConfig(), "epoch": epoch}
        loader = CropLoader(read_index(index), index.parent, 64, **options)
        assert sorted(loader.order) == list(range(len(loader.rows)))
        for start in range(0, len(loader.order), 4):
            assert len({loader.rows[place].group for place in loader.order[start : start + 4]}) == 2
        orders.append(loader.order)
    assert orders[0] != orders[1]


def test_seed_and_epoch_fix_the_batches(made_crops):
    index = made_crops(5)

    def first(**options):
        return CropLoader(read_index(index), index.parent, 64, 4, degrade_config=DegradeConfig(), **options)[0][0]

    np.testing.assert_array_equal(first(epoch=2, seed=3), first(epoch=2, seed=3))
    assert (first(epoch=2, seed=3) != first(epoch=1, seed=3)).any()
    assert (first(epoch=2, seed=3) != first(epoch=2, seed=4)).any()


def test_a_missing_crop_is_an_error_not_another_crop(made_crops):
    index = made_crops(4)
    rows = read_index(index)
    (index.parent / rows[1].path).unlink()
    with pytest.raises(DatasetError, match="missing or damaged. Run extract again"):
        CropLoader(rows, index.parent, 64)[0]
    with pytest.raises(ValueError, match="at least one crop"):
        CropLoader([], index.parent, 64)


def test_keras_draws_from_it_on_several_threads(made_crops):
    index = made_crops(8)
    loader = CropLoader(read_index(index), index.parent, 64, batch_size=4, workers=2)
    crop = keras.Input((64, 64, 3))
    model = keras.Model(crop, keras.ops.mean(crop, axis=(1, 2, 3)))
    expected = [read_crop(index.parent / row.path).mean() for row in loader.rows]
    np.testing.assert_allclose(model.predict(loader, verbose=0), expected, rtol=1e-4)
