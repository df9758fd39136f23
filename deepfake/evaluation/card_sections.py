"""Metrics -> the tables of the card that put a model on trial: against an attacker, and for being fair."""

from __future__ import annotations

from typing import get_args

from deepfake.model.intervals import share_interval
from deepfake.model.measured import AnswerCounts, Error, Measured, Proportion
from deepfake.model.metrics import Metrics
from deepfake.model.stress_tests import Adversarial, Attack, Bin, Fairness
from deepfake.report.catalogue import catalogue
from deepfake.report.conditional_rates import FEWEST, ErrorRates, quotable_rates
from deepfake.report.error_rates import condition_words
from deepfake.report.metrics_tables import auc_text, markdown_table, quality_table, share_text

ATTACKS: dict[Attack, str] = {
    "noise": "random noise (control)",
    "fgsm": "FGSM, 1 step",
    "pgd": "PGD, {steps} steps",
}
"""How the card calls an attack."""


def presentation_attack_table(metrics: Metrics) -> str:
    """The errors in the terms of ISO/IEC 30107-3, of each kind of fake, from the worst."""
    measured = {"faces of the test split": metrics.test, "whole files": metrics.clips}
    rows = [row for name, own in measured.items() if own for row in _species_rows(name, own)]
    if not rows:
        return ""
    head = ["of", "species", "attacks", "APCER", "APNRR", "bona fide", "BPCER", "BPNRR"]
    return f"""
## In the terms of ISO/IEC 30107-3

The fakes of a method are attack presentations of one species, reals are bona fide presentations. APCER is the share of
attacks called real, BPCER the share of reals called fake; APNRR and BPNRR are the shares without an answer, or with an
inconclusive one. 95% Wilson intervals in brackets. By the standard, the first species of each kind, the worst, stands
for the whole. It was written for attacks at a sensor: its terms are used here, and no conformance is claimed.

{markdown_table(head, rows)}
"""


def _species_rows(name: str, measured: Measured) -> list[list[str]]:
    if not (found := measured.presentation_attack):
        return []
    ordered = sorted(found.species.items(), key=lambda pair: (-pair[1].apcer.share, pair[0]))
    bona_fide = [str(found.count), share_text(found.bpcer), share_text(found.bpnrr)]
    return [
        [name, species, str(own.count), share_text(own.apcer), share_text(own.apnrr), *bona_fide]
        for species, own in ordered
    ]


def conditions_table(metrics: Metrics) -> str:
    """The errors on faces that are alike: what is quoted beside an answer about such a file."""
    measured = {"face": metrics.test, "video": metrics.clips}
    rows = [
        [kind, condition_words(rates.like, catalogue()), *_rates_cells(rates)]
        for kind, own in measured.items()
        if own
        for rates in quotable_rates(own.cells)
    ]
    if not rows:
        return ""
    head = ["of a", "with", "reals", "called fake", "inconclusive", "fakes", "called real", "inconclusive"]
    return f"""
## On files like each other

Faces of the test split, of each clip one, and whole videos, by what was measured of them: the longer side of the face's
box, how little another blur would take away, and the quality of a JPEG or the bits a second and pixel of a video.
An answer quotes the line that has most in common with its file; of fewer than {FEWEST} of a class nothing is said.
95% Wilson intervals in brackets. Faces that are alike often come from one data set, and then say as much of it.

{markdown_table(head, rows)}
"""


def _rates_cells(rates: ErrorRates) -> list[str]:
    reals, fakes = rates.reals, rates.fakes
    return [
        *(_called(reals, reals.fake) if reals else [""] * 3),
        *(_called(fakes, fakes.real) if fakes else [""] * 3),
    ]


def _called(called: AnswerCounts, errors: int) -> list[str]:
    """How many there are, and the shares that got a wrong answer and none."""
    count = called.total
    shares = (Proportion(hits / count, share_interval(hits, count)) for hits in (errors, called.inconclusive))
    return [str(count), *(share_text(share) for share in shares)]


def pictures_table(metrics: Metrics) -> str:
    """What is known of the answers about whole pictures; empty where there are none."""
    measured, calibrated = metrics.pictures, metrics.picture_calibration
    if measured is None or calibrated is None:
        return ""
    calibration, thresholds = calibrated.calibration, calibrated.calibration.thresholds
    return f"""## Whole pictures

`--whole-picture` says of a picture, whoever is in it, whether it was generated: the expert in generated faces looks
at patches of it at its own resolution. It was not trained for that, and none of these pictures was trained on.
`p_generated = sigmoid(logit / {calibration.temperature:.3f} + {calibration.shift:.3f})` of the mean over the patches;
no traces below {thresholds.real_below:.3f}, generated from {thresholds.fake_above:.3f}. Each picture is judged here by
a calibration that has not seen it. Real is a photograph and fake a generated picture, each generator against all
photographs. {measured.all.count.total} pictures of one size are few, and a generator that leaves other traces is
missed: it is experimental.

{quality_table("generator", measured.methods, measured.all)}

"""


def adversarial_table(found: Adversarial | None) -> str:
    """What somebody who knows the network can do to its answers."""
    if found is None:
        return ""
    named = [("none", "", found.clean)]
    named += [
        (ATTACKS[name].format(steps=found.steps), f"{entry.eps:g}/255", entry)
        for name, entries in found.attacks.items()
        for entry in entries
    ]
    rows = [
        [
            name,
            size,
            auc_text(entry),
            auc_text(entry.fakes_alone),
            share_text(entry.fake_called.real),
            share_text(entry.real_called.fake),
        ]
        for name, size, entry in named
    ]
    sources = list(found.sources)
    own = [[name, size, *(auc_text(entry.sources[source]) for source in sources)] for name, size, entry in named]
    counts = ", ".join(f"{name} {count.real} + {count.fake}" for name, count in found.sources.items())
    without = f" Without {', '.join(found.left_out)}, of one class only." if found.left_out else ""
    head = ["attack", "size", "AUC", "AUC, reals untouched", "fakes called real", "reals called fake"]
    return f"""
## Against an attacker

A sample of the {found.split} split, drawn with seed {found.seed}, real + fake: {counts}.{without}
Each pixel of a crop moves by at most the size named, fakes towards real and reals towards fake, along the gradient of
the Keras network; noise of the same size is the control. The crop itself is changed, after it was cut, and
asked about alone, without wider views.

{markdown_table(head, rows)}

{markdown_table(["AUC by source", "size", *sources], own)}

This measures FGSM (Goodfellow et al., ICLR 2015) and PGD (Madry et al., ICLR 2018) on these crops, and no claim is made
beyond it: not for other attacks, nor for what such changes do after a file was saved, sent, or cut anew.
{adversarial_sentence(found)}
"""


def adversarial_sentence(found: Adversarial | None) -> str:
    """The outcome of the strongest attack in one sentence."""
    if found is None:
        return "Nobody has tested it against people who try to deceive it."
    entries = [(name, entry) for name, own in found.attacks.items() if name != "noise" for entry in own]
    name, worst = min(entries, key=lambda pair: pair[1].fakes_alone.auc)
    holds = "it does not hold" if worst.fakes_alone.auc_interval[0] <= 0.5 else "it loses ground"
    return (
        f"Against an attacker who knows the network, {holds}: changes of {worst.eps:g}/255 of the fakes alone "
        f"({name.upper()}) take its AUC from {found.clean.auc:.3f} to {worst.fakes_alone.auc:.3f}, and "
        f"{worst.fake_called.real.share:.0%} of the fakes are called real."
    )


def fairness_table(found: Fairness | None) -> str:
    """How errors differ with skin tone, brightness, size of the face, and pose."""
    if found is None:
        return ""
    count, errors = found.count, get_args(Error)
    chances = [
        [trait.title, *(f"{trait.chance[error]:.3f}" if error in trait.chance else "" for error in errors)]
        for trait in found.traits.values()
    ]
    blocks = [
        f"By {trait.title}: {trait.means}.\n\n"
        + markdown_table(
            [
                trait.title,
                "reals by source",
                "reals called fake",
                "by its sources",
                "reals inconclusive",
                "by its sources",
                "fakes",
                "fakes called real",
                "by its sources",
            ],
            [_bin_row(entry) for entry in trait.bins],
        )
        for trait in found.traits.values()
    ]
    tables = "\n\n".join(blocks)
    first = next(iter(found.traits.values())).bins
    alarms = sum(round(own.real_called.fake.share * own.count.real) for own in first if own.real_called)
    return f"""
## Whom it is wrong about

Crops of the {found.split} split, {count.real} real + {count.fake} fake, in bins of what was measured of each
face; shares with 95% Wilson intervals. "By its sources" is the share that a bin would have if each source had one rate,
whatever the bin.

{tables}

How probable differences between the bins as large as these are if within a source the bin did not matter (permutation
test within the sources; of several values, one may be small by chance):

{markdown_table(["trait", *(error.replace("_", " ") for error in errors)], chances)}

- The typology angle is read off a picture: a fair face in a dim or coloured light counts as dark, a dark one under
  a flash as light. So it says how the answers vary with how a cheek looks, not with whose it is.
- Sources differ in light, size and pose, and in how hard they are, so bins mix with sources.
- Of {count.real} reals, {alarms} were called fake in all. The fewer they are, the larger a difference between bins
  must be to be seen: that none is seen does not prove that there is none.
- People who occur more than once in a source make the intervals too narrow. Age and gender are not in the data and were
  not measured.
"""


def _bin_row(own: Bin) -> list[str]:
    def expected(error: Error) -> str:
        return f"{own.expected[error]:.1%}" if error in own.expected else ""

    real, fake = own.real_called, own.fake_called
    return [
        own.bin,
        ", ".join(f"{name} {count.real}" for name, count in own.sources.items() if count.real),
        share_text(real.fake) if real else "",
        expected("reals_called_fake"),
        share_text(real.inconclusive) if real else "",
        expected("reals_inconclusive"),
        str(own.count.fake),
        share_text(fake.real) if fake else "",
        expected("fakes_called_real"),
    ]
