"""Measures -> the same errors in the terms of ISO/IEC 30107-3, which those know who test biometric systems."""

from __future__ import annotations

from msgspec.structs import replace

from deepfake.model.measured import Measured, PresentationAttack, Species


def with_presentation_attack(measured: Measured) -> Measured:
    """The same measures with what `presentation_attack` says of them."""
    return replace(measured, presentation_attack=presentation_attack(measured))


def presentation_attack(measured: Measured) -> PresentationAttack | None:
    """The errors of each kind of fake, and of reals, in the terms of ISO/IEC 30107-3.

    An answer of three is given here, so each class may be right, wrong, or without a response: what is inconclusive,
    for whatever reason, is no response. Rates are over all presentations, those without a response among them.

    Args:
        measured: Measures with fakes of named methods.

    Returns:
        The errors; None without reals or named methods, because the terms need both.

    Reference:
        ISO/IEC 30107-3:2023, "Biometric presentation attack detection, part 3: testing and reporting", clause 13.
    """
    real = measured.all.real_called
    species = {
        name: Species(count=own.count.fake, apcer=called.real, apnrr=called.inconclusive)
        for name, own in measured.methods.items()
        if (called := own.fake_called)
    }
    if not real or not species:
        return None
    return PresentationAttack(count=measured.all.count.real, bpcer=real.fake, bpnrr=real.inconclusive, species=species)
