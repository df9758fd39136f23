from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.special import expit

from deepfake.evaluation.plots import (
    BLUE,
    GREEN,
    VERMILION,
    contact_sheet,
    history_figure,
    mistake_maps_figure,
    mistakes_figure,
    robustness_figure,
)
from deepfake.evaluation.quality_plot import quality_figure
from deepfake.model.measured import Counts, Ranking
from deepfake.model.stress_tests import Corruption, CorruptionLevel, Robustness
from deepfake.records import Thresholds

THRESHOLDS = Thresholds(real_below=0.3, fake_above=0.7)


def decoded(png):
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def colours(png):
    return len(np.unique(decoded(png).reshape(-1, 3), axis=0))


def where(png, colour):
    """Rows and columns of the pixels of exactly this colour."""
    rgb = tuple(bytes.fromhex(colour[1:])) if isinstance(colour, str) else colour
    return np.nonzero((decoded(png) == rgb).all(axis=-1))


@pytest.fixture
def group(rng):
    def make(count, distance=1.0):
        labels = np.arange(count) % 2
        return labels, expit(rng.normal((2 * labels - 1) * distance, 1.5))

    return make


def level(level, auc, flip_rate):
    return CorruptionLevel(level=level, auc=auc, auc_interval=(auc, auc), flip_rate=flip_rate)


def robust(**corruptions):
    return Robustness(
        split="test",
        sources=("made",),
        count=Counts(1, 1),
        clean=Ranking(auc=0.9, auc_interval=(0.9, 0.9)),
        corruptions={name: Corruption("quality", levels) for name, levels in corruptions.items()},
    )


LEVELS = (level(90, 0.85, 0.1), level(30, 0.7, 0.3))


@pytest.fixture
def log():
    aucs = ("0.7", "0.9", "0.8")
    return [
        {"epoch": str(n), "loss": str(1 - n / 10), "val_loss": str(1 - n / 20), "val_logit_auc": auc}
        for n, auc in enumerate(aucs)
    ]


@pytest.fixture
def entry(rng):
    def make(evidence=1.0, size=64):
        image = rng.integers(0, 256, (size, size, 3)).astype(np.uint8)
        return image, np.full((7, 7), evidence, np.float32), "dfdc/a.png, 0.98"

    return make


def test_quality_is_drawn_and_the_same_for_the_same_input(group):
    groups = {"dfdc": group(200), "stylegan": group(60, 3.0)}
    png = quality_figure(groups, THRESHOLDS)
    assert decoded(png).shape == (1000, 1700, 3)
    assert colours(png) > 200
    assert quality_figure(groups, THRESHOLDS) == png
    labels, p_fake = groups["dfdc"]
    assert quality_figure(groups | {"dfdc": (1 - labels, p_fake)}, THRESHOLDS) != png


def test_the_band_is_as_wide_as_the_thresholds_are_apart(group):
    groups = {"dfdc": group(200)}
    widths = []
    for low, high in ((0.1, 0.3), (0.1, 0.5), (0.5, 0.5)):
        png = quality_figure(groups, Thresholds(low, high))
        # The shade is that of 0.9, 229 or 230 of 255; it fills the histogram's panel from side to side of the band.
        band = np.isin(decoded(png)[530:1000, :560], (229, 230)).all(axis=-1).sum(axis=0)
        widths.append(int((band > 40).sum()))
    assert widths[0] > 60
    assert widths[1] == pytest.approx(2 * widths[0], abs=10)
    assert widths[2] < 5


def test_a_group_of_one_class_has_no_curve(group):
    groups = {"a": group(100), "b": group(100, 2.0)}
    both = quality_figure(groups | {"c": group(80, 0.5)}, THRESHOLDS)
    one = quality_figure(groups | {"c": (np.zeros(80, int), np.linspace(0, 1, 80))}, THRESHOLDS)
    assert len(where(both, GREEN)[0]) > 100
    assert len(where(one, GREEN)[0]) == 0


def test_a_figure_of_one_class_alone_still_has_its_scores():
    png = quality_figure({"photos": (np.zeros(9, int), np.linspace(0, 1, 9))}, THRESHOLDS)
    assert colours(png) > 50
    assert quality_figure({"photos": (np.zeros(9, int), np.linspace(0, 0.5, 9))}, THRESHOLDS) != png


def test_many_groups_and_an_empty_one_are_drawn(group):
    groups = {f"generator-number-{n}-of-many": group(20) for n in range(14)}
    png = quality_figure(groups, THRESHOLDS)
    assert quality_figure(groups | {"none": (np.array([], int), np.array([]))}, THRESHOLDS) == png


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({}, "at least one sample"),
        ({"a": ([], [])}, "at least one sample. Received: 1 groups"),
        ({"a": ([0, 1], [0.2])}, "must have one shape"),
        ({"a": ([0, 1], [0.2, 1.2])}, "probabilities in"),
        ({"a": ([0, 1], [0.2, 0.8]), "all": ([0, 1], [0.2, 0.8])}, "give that group another name"),
    ],
)
def test_quality_of_nothing_or_of_what_does_not_fit_is_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        quality_figure(groups, THRESHOLDS)


def test_robustness_has_a_panel_a_corruption_and_moves_with_its_values():
    png, alone = robustness_figure(robust(jpeg=LEVELS, blur=LEVELS)), robustness_figure(robust(jpeg=LEVELS))
    assert decoded(png).shape[1] == 2 * decoded(alone).shape[1]
    for colour in (BLUE, VERMILION):
        assert len(where(png, colour)[0]) > 1.5 * len(where(alone, colour)[0]) > 100
    assert robustness_figure(robust(jpeg=(LEVELS[0], level(30, 0.6, 0.3)))) != alone
    assert robustness_figure(robust(jpeg=LEVELS[::-1])) != alone


def test_robustness_against_nothing_is_refused():
    with pytest.raises(ValueError, match="Received none"):
        robustness_figure(robust())


def best_line(png):
    """The column that holds the most of the grey of the best epoch's line, in the panel of losses."""
    columns = where(png, (102, 102, 102))[1]
    return np.bincount(columns[columns < 550]).argmax()


def test_the_best_epoch_is_marked_where_validation_is_best(log):
    middle = best_line(history_figure(log))
    log[0]["val_logit_auc"] = "0.95"
    first = best_line(history_figure(log))
    # Without the AUC, the least validation loss decides: that of the last epoch.
    without = [{key: value for key, value in row.items() if key != "val_logit_auc"} for row in log]
    wide = decoded(history_figure(without)).shape[1]
    assert wide == 550
    assert first + 100 < middle < best_line(history_figure(without)) - 100


def test_a_history_has_a_panel_for_each_kind_of_column_it_holds(log):
    both = decoded(history_figure(log))
    assert both.shape[1] == 1100
    rated = [row | {"learning_rate": "0.001"} for row in log]
    assert decoded(history_figure(rated)).shape[1] == 1650
    log[1]["val_loss"] = "0.2"
    assert (decoded(history_figure(log)) != both).any()


def test_an_empty_field_of_a_log_is_a_gap(log):
    full = len(where(history_figure(log), VERMILION)[0])
    for absent in ("", "NA"):
        log[1]["val_loss"] = absent
        assert 0 < len(where(history_figure(log), VERMILION)[0]) < full


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "Received: 0 rows"),
        ([{"epoch": "0"}], "Received: 1 rows with the columns \\['epoch'\\]"),
        ([{"loss": "1.0"}], "must state its `epoch`"),
        ([{"epoch": "0", "loss": "low"}], "'loss' of a training log must hold numbers: .*'low'"),
    ],
)
def test_a_log_without_numbers_is_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        history_figure(rows)


def test_a_mistake_without_evidence_is_the_crop_twice(entry):
    grey = np.full((64, 64, 3), (10, 200, 90), np.uint8)
    fakes = [(grey, np.zeros((7, 7), np.float32), "a"), (grey, np.full((7, 7), 9, np.float32), "b")]
    none, full = (len(where(mistakes_figure([], [fake]), (10, 200, 90))[0]) for fake in fakes)
    assert none == pytest.approx(2 * full, rel=0.02)
    assert full > 5000


def test_reals_are_on_the_left_and_fakes_on_the_right(entry):
    grey = np.full((64, 64, 3), (10, 200, 90), np.uint8)
    one = (grey, np.zeros((7, 7), np.float32), "a")
    for count in (1, 4):
        left = where(mistakes_figure([one] * count, []), (10, 200, 90))[1]
        right = where(mistakes_figure([], [one] * count), (10, 200, 90))[1]
        assert left.max() < right.min()
    assert colours(mistakes_figure([entry() for _ in range(5)], [entry(-3.0, 32)])) > 2000


def test_maps_of_mistakes_show_evidence_over_a_drawn_face(entry):
    landmarks = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.75], [0.65, 0.75]])
    for_fake, for_real = (
        decoded(mistake_maps_figure([(np.full((7, 7), sign, np.float32), landmarks, "real, made")])).astype(int)
        for sign in (3.0, -3.0)
    )
    redder = [np.mean(image[..., 0] - image[..., 2]) for image in (for_fake, for_real)]
    assert redder[0] > 20 > -20 > redder[1]
    nothing = decoded(mistake_maps_figure([(np.zeros((7, 7), np.float32), landmarks, "")]))
    assert np.count_nonzero(nothing.max(axis=2) < 90) > 100, "no face is drawn"
    wide = decoded(mistake_maps_figure([(np.zeros((7, 7), np.float32), landmarks, "")] * 3))
    assert wide.shape[1] == pytest.approx(3 * nothing.shape[1], abs=6)
    with pytest.raises(ValueError, match="at least one face"):
        mistake_maps_figure([])


def test_mistakes_that_cannot_be_drawn_are_refused(entry):
    with pytest.raises(ValueError, match="no reals and no fakes"):
        mistakes_figure([], [])
    image, evidence, caption = entry()
    with pytest.raises(ValueError, match="must be square. Received: \\(32, 64, 3\\) for 'dfdc/a.png"):
        mistakes_figure([(image[:32], evidence, caption)], [])
    with pytest.raises(ValueError, match="RGB uint8.*Received: float64"):
        mistakes_figure([(image / 255, evidence, caption)], [])


def test_a_picture_of_the_size_of_its_cell_is_on_the_sheet_pixel_by_pixel(rng):
    pictures = [rng.integers(0, 256, (48, 48, 3)).astype(np.uint8) for _ in range(3)]
    sheet = decoded(contact_sheet([pictures[:2], pictures[2:]], ["one", "two"], cell=48))
    assert (sheet[26:74, 6:54] == pictures[0]).all()
    assert (sheet[26:74, 60:108] == pictures[1]).all()
    assert (sheet[106:154, 6:54] == pictures[2]).all()
    # The captions, and nothing else, are above the pictures.
    assert 0 < (sheet[:26] < 100).sum() < 1000
    assert (sheet[106:154, 60:] == 255).all()


def test_pictures_of_any_size_keep_their_shape_on_the_sheet():
    pictures = [np.full(shape, 7, np.uint8) for shape in ((200, 100, 3), (10, 40, 3), (80, 80, 3))]
    sheet = decoded(contact_sheet([pictures], ["mixed"], cell=80))
    cells = [(sheet[26:106, 6 + 86 * n : 86 + 86 * n] == 7).all(axis=-1) for n in range(3)]
    extents = [(cell.any(axis=1).sum(), cell.any(axis=0).sum()) for cell in cells]
    assert extents == [(80, 40), (20, 80), (80, 80)]


def test_a_sheet_that_cannot_be_drawn_is_refused():
    for rows in ([], [[], []]):
        with pytest.raises(ValueError, match="at least one picture"):
            contact_sheet(rows, [""] * len(rows))
    with pytest.raises(ValueError, match="Received: 1 rows, 0 captions"):
        contact_sheet([[np.zeros((8, 8, 3), np.uint8)]], [])
    with pytest.raises(ValueError, match="RGB uint8.*Received: uint8 \\(8, 8\\)"):
        contact_sheet([[np.zeros((8, 8), np.uint8)]], ["grey"])
