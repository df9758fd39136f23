"""Verdict -> plain values, as JSON has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepfake.records.faces import Change, Score
    from deepfake.records.verdict import Part, Track, Verdict


def verdict_as_dict(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain values, its numbers rounded: see `Verdict.as_dict`."""
    part = verdict.decisive_part
    return {
        "path": verdict.path,
        "kind": verdict.kind,
        "verdict": str(verdict.label),
        "reason": str(verdict.reason) if verdict.reason else None,
        "p_fake": _rounded(verdict.p_fake),
        "trace": verdict.trace,
        "from_s": _rounded(part.from_s, 3) if part else None,
        "to_s": _rounded(part.to_s, 3) if part else None,
        "page": verdict.page,
        "thresholds": {"real_below": verdict.thresholds.real_below, "fake_above": verdict.thresholds.fake_above},
        "stability": _rounded_all(verdict.stability) if verdict.stability is not None else None,
        "unstable_under": [str(change) for change in verdict.unstable_under],
        "faces": [_face_as_dict(score, verdict) for score in verdict.scores],
        "tracks": [_track_as_dict(track, verdict.experts) for track in verdict.tracks],
        "parts": [_part_as_dict(own, verdict.experts) for own in verdict.parts],
        "whole_picture": verdict.whole_picture.as_dict() if verdict.whole_picture else None,
        "source": asdict(verdict.source) if verdict.source else None,
        "frames_read": verdict.frames_read,
        "frames_failed": verdict.frames_failed,
        "notes": [str(note) for note in verdict.notes],
        "credentials": verdict.credentials.as_dict() if verdict.credentials else None,
        "origin": verdict.origin.as_dict(),
        "model": {"name": verdict.model.name, "sha256": verdict.model.sha256},
        "elapsed_s": _rounded(verdict.elapsed_s, 3),
    }


def _face_as_dict(score: Score, verdict: Verdict) -> dict[str, Any]:
    return {
        "track": score.face.track,
        "frame": score.face.frame_index,
        "time_s": _rounded(verdict.times[score.face.frame_index], 3),
        "box_xyxy": [_rounded(edge, 1) for edge in score.face.box_xyxy],
        "p_fake": _rounded(score.p_fake),
        "visual": _rounded(score.visual, 3),
        "noise": _rounded(score.noise, 3),
        "visual_logit": _rounded(score.visual_logit, 3),
        "noise_logit": _rounded(score.noise_logit, 3),
        "experts": _experts_as_dict(score.expert_logits, verdict.experts),
        "quality": score.quality.as_dict() if score.quality else None,
        "changed": _rounded_all(score.changed) if score.changed else None,
    }


def _track_as_dict(track: Track, experts: Sequence[str]) -> dict[str, Any]:
    return {
        "track": track.number,
        "p_fake": _rounded(track.p_fake),
        "experts": _experts_as_dict(track.expert_logits, experts),
        "faces": track.faces,
        "start_s": _rounded(track.start_s, 3),
        "end_s": _rounded(track.end_s, 3),
    }


def _part_as_dict(part: Part, experts: Sequence[str]) -> dict[str, Any]:
    return {
        "track": part.track,
        "from_s": _rounded(part.from_s, 3),
        "to_s": _rounded(part.to_s, 3),
        "p_fake": _rounded(part.p_fake),
        "experts": _experts_as_dict(part.expert_logits, experts),
    }


def _experts_as_dict(logits: Sequence[float], experts: Sequence[str]) -> dict[str, float | None]:
    return {name: _rounded(logit, 3) for name, logit in zip(experts, logits, strict=True)}


def _rounded_all(p_fake: Mapping[Change, float]) -> dict[str, float | None]:
    return {str(change): _rounded(value) for change, value in p_fake.items()}


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(float(value), digits)
