"""What `benchmarks/stability.py` counts: by hand, on faces with known answers."""

from __future__ import annotations

from stability import Looked, counted, flips, main_table, margin, widened

from deepfake.records import Label, Thresholds
from deepfake.verdict import judge

THRESHOLDS = Thresholds(real_below=0.3, fake_above=0.7)
FACES = [
    Looked(True, 0.9, (0.9, 0.9, 0.9, 0.9)),
    Looked(True, 0.98, (0.9, 0.6, 0.9, 0.9)),
    Looked(False, 0.75, (0.75, 0.65, 0.75, 0.75)),
    Looked(False, 0.1, (0.1, 0.1, 0.1, 0.1)),
    Looked(True, 0.28, (0.28, 0.28, 0.28, 0.28)),
    Looked(False, 0.5, (0.9, 0.9, 0.9, 0.9)),
]


def test_the_table_counts_what_outlasts_every_change_and_a_band_as_silent():
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in main_table(FACES, THRESHOLDS).splitlines()
    ]
    assert rows[2:] == [
        ["as they are", "1", "1", "3", "1", "40.0%"],
        ["with `--stability`", "0", "1", "2", "3", "33.3%"],
        # The two that are nearest to the band fall silent.
        ["with a wider band", "0", "0", "3", "3", "0.0%"],
    ]
    assert "| smaller | 2 of 5 |" in flips(FACES, THRESHOLDS)
    assert "| jpeg | 0 of 5 |" in flips(FACES, THRESHOLDS)


def test_a_wider_band_is_a_band():
    plain = [judge(face.p_fake, THRESHOLDS) for face in FACES]
    assert widened(FACES, plain, THRESHOLDS, plain.count(Label.INCONCLUSIVE)) == plain
    for unanswered in range(1, 6):
        labels = widened(FACES, plain, THRESHOLDS, unanswered)
        answered = [face for face, label in zip(FACES, labels, strict=True) if label is not Label.INCONCLUSIVE]
        silent = [face for face, label in zip(FACES, labels, strict=True) if label is Label.INCONCLUSIVE]
        assert len(silent) == unanswered
        assert min(margin(face.p_fake, THRESHOLDS) for face in answered) >= max(
            margin(face.p_fake, THRESHOLDS) for face in silent
        )


def test_without_answers_there_is_no_share_of_wrong_ones():
    assert counted(FACES[-1:], [Label.INCONCLUSIVE]) == ["0", "0", "0", "1", "-"]
