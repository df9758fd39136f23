"""What somebody sees who waits for a fit."""

from __future__ import annotations

import io
import re
import sys

import pytest

from deepfake.cli.epochs import epoch_lines
from deepfake.training.progress import FitProgress


class Screen(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def watch(lines, epochs=(1, 2)):
    for epoch in epochs:
        for step in (1, 2, 3):
            lines(FitProgress(epoch, 10, step, 3, 0.5))
        lines(FitProgress(epoch, 10, 3, 3, 0.5, auc=0.75))


@pytest.fixture
def shown(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")

    def show(stream, **options):
        monkeypatch.setattr(sys, "stderr", stream)
        with epoch_lines() as lines:
            watch(lines, **options)
            lines.say("calibrating")
        return stream.getvalue()

    return show


def test_epochs_are_counted_in_a_line_each(shown):
    first, second, last = shown(io.StringIO()).splitlines()
    assert re.fullmatch(r"epoch 1 of 10: loss 0.500, validation AUC 0.750, about 0:00:0\d left", first)
    assert second.startswith("epoch 2 of 10: ")
    assert last == "calibrating"


def test_the_last_epoch_leaves_nothing(shown):
    assert "left" not in shown(io.StringIO(), epochs=[10])


def test_a_terminal_has_a_bar_within_an_epoch_that_goes_away(shown):
    found = re.sub(r"\x1b\[[0-9;]*m", "", shown(Screen()))
    assert "epoch 1 of 10 ━" in found
    assert "/3 loss 0.500" in found
    after_the_bar = re.sub(r"0:00:0\d left", "0:00:00 left", found.rsplit("\x1b[2K", 1)[1])
    assert after_the_bar == "epoch 2 of 10: loss 0.500, validation AUC 0.750, about 0:00:00 left\ncalibrating\n"
