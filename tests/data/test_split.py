from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from deepfake.data.index import Row
from deepfake.data.rows import count_classes
from deepfake.data.split import assign_splits, balance, check_disjoint, linked_groups, representative
from deepfake.errors import DatasetError

ROWS = [Row(f"{n}.png", ("real", "fake")[n % 2], "made", "", f"g{n // 2}") for n in range(400)]
PAIRS = [
    Row("033.mp4", "real", "ff", "", "033"),
    Row("097.mp4", "real", "ff", "", "097"),
    Row("033_097.mp4", "fake", "ff", "", "033+097", "Deepfakes"),
    Row("097_033.mp4", "fake", "ff", "", "097+033", "Deepfakes"),
    Row("200.mp4", "real", "ff", "", "200"),
]


def test_a_swap_pair_links_its_originals_and_its_fakes():
    groups = linked_groups(PAIRS)
    assert len(set(groups[:4])) == 1
    assert groups[4] != groups[0]
    assert len(set(linked_groups(PAIRS, by="clip"))) == 5
    assert linked_groups([]) == []


def test_the_same_name_in_two_sources_links_nothing():
    assert len(set(linked_groups([Row("a.mp4", "real", "x", "", "1"), Row("a.mp4", "real", "y", "", "1")]))) == 2


@pytest.mark.parametrize(("rows", "message"), [
    ([replace(PAIRS[0], split="train"), replace(PAIRS[2], split="test")],
     "1 clips or identities.*identity '033' of 'ff' in test \\(033_097.mp4\\), train \\(033.mp4\\)"),
    ([Row("c/1.png", "real", "x", "val", clip="c"), Row("c/2.png", "real", "x", "test", clip="c")],
     "clip 'c' of 'x' in test \\(c/2.png\\), val"),
])  # fmt: skip
def test_a_leak_is_refused_and_named(rows, message):
    with pytest.raises(DatasetError, match=message):
        check_disjoint(rows)


def test_people_on_both_sides_pass_by_clip_alone():
    rows = [replace(PAIRS[0], split="train"), replace(PAIRS[2], split="test")]
    check_disjoint(rows, by="clip")
    check_disjoint([*PAIRS[:3], replace(PAIRS[3], split="test")])  # Those without a split leak nothing.


def test_linked_rows_stay_together_and_shares_are_about_right():
    rows = assign_splits(ROWS, val_share=0.2, test_share=0.3)
    check_disjoint(rows)
    shares = [sum(row.split == name for row in rows) / len(rows) for name in ("train", "val", "test")]
    assert shares == pytest.approx([0.5, 0.2, 0.3], abs=0.08)
    assert assign_splits(ROWS, 0.2, 0.3) == rows
    assert assign_splits(ROWS, 0.2, 0.3, seed=1) != rows


def test_rows_added_later_move_none():
    rows = assign_splits(ROWS, 0.2, 0.2)
    more = assign_splits([Row("new.png", "real", "made", "", "new"), *ROWS], 0.2, 0.2)
    assert more[1:] == rows


def test_given_splits_are_kept_and_a_source_gets_no_second_test_split():
    official = [replace(row, split="test") for row in ROWS[:40]]
    rows = assign_splits([*official, *ROWS[40:]], 0.2, 0.5)
    assert rows[:40] == official
    assert {row.split for row in rows[40:]} == {"train", "val"}


def test_rows_linked_to_an_official_test_list_are_refused_or_dropped():
    rows = [replace(PAIRS[2], split="test"), PAIRS[0], PAIRS[4]]
    with pytest.raises(DatasetError, match="identity '033'.*split --drop-linked"):
        assign_splits(rows, 0, 0)
    kept = assign_splits(rows, 0, 0, drop_linked=True)
    assert [(row.path, row.split) for row in kept] == [("033_097.mp4", "test"), ("200.mp4", "train")]
    assert [row.split for row in assign_splits(rows, 0, 0, by="clip")] == ["test", "train", "train"]


def test_shares_that_leave_nothing_to_train_are_refused():
    with pytest.raises(ValueError, match="leave some to train"):
        assign_splits(ROWS, 0.5, 0.5)


def test_balance_leaves_as_many_reals_as_fakes_and_whole_clips():
    frames = [Row(f"r{n}/{k}.png", "real", "x", "train", clip=f"r{n}") for n in range(9) for k in range(4)]
    fakes = [Row(f"f{n}/{k}.png", "fake", "x", "train", clip=f"f{n}") for n in range(3) for k in range(4)]
    alone = [Row("only.png", "real", "y", "test")]
    kept = balance([*frames, *fakes, *alone])
    assert Counter(row.label for row in kept if row.source == "x") == {"real": 12, "fake": 12}
    assert set(Counter(row.clip for row in kept if row.source == "x").values()) == {4}
    assert alone[0] in kept


def test_a_representative_subset_takes_labels_and_methods_in_turn():
    rows = [Row(f"{n}.mp4", "real", "x") for n in range(100)]
    rows += [Row(f"{m}{n}.mp4", "fake", "x", "", "", m) for m, count in (("a", 50), ("b", 5)) for n in range(count)]
    kept = representative(rows, 12)
    assert Counter((row.label, row.method) for row in kept) == {("real", ""): 6, ("fake", "a"): 3, ("fake", "b"): 3}
    assert representative(rows, 12) == kept
    assert representative(rows, 1000) == rows
    with pytest.raises(ValueError, match="must be positive"):
        representative(rows, 0)


def test_too_few_to_divide_is_not_called_a_missing_class():
    with pytest.raises(
        DatasetError, match="Found: {'real': 1, 'fake': 0}. Give more clips and people of each class, at least ten"
    ):
        count_classes([Row("a.png", "real", "x")], "train")
