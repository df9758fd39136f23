from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from deepfake.model.calibration import Calibration, Calibrations, logit_of
from deepfake.records import Change, Face, Label, Reason, Score, Thresholds
from deepfake.verdict import decide, judge, peak_logit, tracks_of, trimmed_mean, windows

THRESHOLDS = Thresholds(real_below=0.3, fake_above=0.7)
PLAIN = Calibration(thresholds=THRESHOLDS)
TIMES = {index: index / 2 for index in range(40)}


def score(p_fake, frame=0, track=0):
    face = Face((0, 0, 9, 9), np.zeros((5, 2), np.float32), 1.0, frame, track)
    return Score(face, p_fake, (1, 1), 0.0, 0.0, np.zeros((7, 7), np.float32), np.eye(2, 3, dtype=np.float32))


def answer(scores, min_frames=1, found=None):
    decision = decide(scores, TIMES, PLAIN, min_frames, len(scores) if found is None else found)
    return decision.label, decision.reason, decision.p_fake


def test_the_three_answers():
    assert answer([score(0.1)]) == (Label.REAL, None, pytest.approx(0.1))
    assert answer([score(0.9)]) == (Label.FAKE, None, pytest.approx(0.9))
    assert answer([score(0.5)]) == (Label.INCONCLUSIVE, Reason.UNCERTAIN, pytest.approx(0.5))
    assert judge(0.7, THRESHOLDS) is Label.FAKE
    assert judge(0.3, THRESHOLDS) is Label.INCONCLUSIVE


def test_without_a_judged_face_there_is_a_reason_and_no_number():
    assert answer([], found=0) == (Label.INCONCLUSIVE, Reason.NO_FACE, None)
    assert answer([], found=2) == (Label.INCONCLUSIVE, Reason.FACE_TOO_SMALL, None)
    assert answer([score(0.9), score(0.9, 1)], min_frames=3) == (Label.INCONCLUSIVE, Reason.TOO_FEW_FRAMES, None)


def test_a_clip_is_as_fake_as_its_most_suspicious_person():
    scores = [score(0.1, frame, 0) for frame in range(9)] + [score(0.9, frame, 1) for frame in range(9)]
    assert answer(scores, 3) == (Label.FAKE, None, pytest.approx(0.9))
    assert [track.number for track in tracks_of(scores, TIMES, PLAIN)] == [1, 0]


def test_a_person_seen_too_briefly_decides_nothing():
    scores = [score(0.1, frame, 0) for frame in range(9)] + [score(0.99, 0, 1)]
    assert answer(scores, 3)[0] is Label.REAL


def test_one_bad_frame_decides_nothing():
    scores = [score(0.1, frame) for frame in range(9)] + [score(1.0, 9)]
    assert answer(scores)[2] == pytest.approx(0.1)


def test_order_of_scores_does_not_change_the_verdict(rng):
    scores = [score(float(p), frame, frame % 3) for frame, p in enumerate(rng.uniform(size=30))]
    shuffled = [scores[place] for place in rng.permutation(30)]
    assert decide(scores, TIMES, PLAIN, 3, 30) == decide(shuffled, TIMES, PLAIN, 3, 30)


def test_a_track_knows_when_it_was_seen():
    (track,) = tracks_of([score(0.4, 6), score(0.2, 2)], TIMES, PLAIN)
    assert (track.faces, track.start_s, track.end_s) == (2, 1.0, 3.0)
    assert logit_of(track.p_fake) == pytest.approx((logit_of(0.4) + logit_of(0.2)) / 2)


def test_the_trimmed_mean_of_few_values_is_their_mean(rng):
    assert trimmed_mean([0.2]) == 0.2
    assert trimmed_mean([0.1, 0.2, 0.6]) == pytest.approx(0.3)
    values = rng.uniform(size=50)
    assert trimmed_mean(values.tolist()) == pytest.approx(np.sort(values)[10:40].mean())
    with pytest.raises(ValueError, match="at least one number"):
        trimmed_mean([])


PARTS = Calibration(thresholds=Thresholds(real_below=0.3, fake_above=0.9))


def test_a_part_that_is_clearly_fake_makes_the_clip_fake():
    scores = [score(0.99 if 10 <= frame < 18 else 0.1, frame) for frame in range(40)]
    decision = decide(scores, TIMES, PLAIN, 3, 40, PARTS)
    (part,) = decision.parts
    assert (decision.label, decision.p_fake) == (Label.FAKE, part.p_fake)
    assert (part.track, part.from_s, part.to_s) == (0, TIMES[10], TIMES[17])
    assert part.p_fake == pytest.approx(0.99)
    assert decide(scores, TIMES, PLAIN, 3, 40).label is Label.REAL


def test_the_thresholds_are_those_of_what_decided():
    scores = [score(0.99 if 10 <= frame < 18 else 0.1, frame) for frame in range(40)]
    assert decide(scores, TIMES, PLAIN, 3, 40, PARTS).thresholds == PARTS.thresholds
    assert decide(scores, TIMES, PLAIN, 3, 40).thresholds == THRESHOLDS
    whole = [score(0.99, frame) for frame in range(40)]
    decision = decide(whole, TIMES, PLAIN, 3, 40, PARTS)
    assert decision.parts
    assert decision.thresholds == THRESHOLDS, "the person is fake without them"
    assert decide([], TIMES, PLAIN, 3, 0, PARTS).thresholds == THRESHOLDS


@pytest.mark.parametrize("fakes", [{10, 11}, {3, 9, 15, 21, 27, 33}])
def test_faces_that_are_few_or_far_apart_are_no_part(fakes):
    scores = [score(0.99 if frame in fakes else 0.1, frame) for frame in range(40)]
    decision = decide(scores, TIMES, PLAIN, 3, 40, PARTS)
    assert (decision.label, decision.parts) == (Label.REAL, ())


def test_a_part_lasts_a_second_and_has_five_faces():
    dense = {index: index / 32 for index in range(90)}
    assert [one.stop - one.start for one in windows([score(0.9, n) for n in range(90)], dense)] == [33] * 58
    sparse = {index: 2.0 * index for index in range(9)}
    assert [one.stop - one.start for one in windows([score(0.9, n) for n in range(9)], sparse)] == [5] * 5
    assert list(windows([score(0.9, n) for n in range(20)], dense)) == []
    assert peak_logit([score(0.9, n) for n in range(20)], dense) is None


def test_parts_belong_to_a_person_and_the_most_suspicious_comes_first():
    scores = [score(0.95 if frame < 9 else 0.1, frame, 0) for frame in range(40)]
    scores += [score(0.99 if frame > 30 else 0.1, frame, 1) for frame in range(40)]
    decision = decide(scores, TIMES, PLAIN, 3, 80, PARTS)
    assert [(part.track, part.from_s, part.to_s) for part in decision.parts] == [(1, 15.5, 19.5), (0, 0.0, 4.0)]
    assert peak_logit(scores, TIMES) == pytest.approx(logit_of(0.99))


def test_thresholds_must_be_in_order():
    with pytest.raises(ValueError, match="0 <= real_below <= fake_above <= 1"):
        Thresholds(real_below=0.8, fake_above=0.2)


def test_a_person_over_time_is_calibrated_as_such():
    track = Calibration(temperature=0.5, shift=1.0, thresholds=Thresholds(real_below=0.4, fake_above=0.6))
    both = Calibrations(face=PLAIN, track=track)
    scores = [score(0.6, frame) for frame in range(9)]
    decision = decide(scores, TIMES, both.of_person(in_video=True), 3, 9)
    assert logit_of(decision.p_fake) == pytest.approx(2 * logit_of(0.6) + 1)
    assert decision.label is Label.FAKE
    assert decide(scores[:1], TIMES, both.of_person(in_video=False), 1, 1).p_fake == pytest.approx(0.6)


def test_what_experts_say_is_averaged_over_time():
    scores = [dataclasses.replace(score(0.5, n), expert_logits=(float(n), -1.0)) for n in range(3)]
    (track,) = tracks_of(scores, TIMES, PLAIN)
    assert track.expert_logits == (1.0, -1.0)


def looked_again(first, **after):
    return dataclasses.replace(first, changed={Change(name): p_fake for name, p_fake in after.items()})


STEADY = {"jpeg": 0.8, "smaller": 0.9, "tint": 0.95, "shift": 0.9}


@pytest.mark.parametrize("flipped", Change)
@pytest.mark.parametrize("p_fake", [0.1, 0.5])
def test_an_answer_that_a_change_would_change_is_none(flipped, p_fake):
    one = looked_again(score(0.9), **{**STEADY, flipped: p_fake})
    decision = decide([one], TIMES, PLAIN, 1, 1)
    assert (decision.label, decision.reason) == (Label.INCONCLUSIVE, Reason.UNSTABLE)
    assert decision.unstable_under == (flipped,)
    assert decision.p_fake == pytest.approx(0.9)
    assert decision.stability == pytest.approx({**STEADY, flipped: p_fake})


def test_only_people_whose_own_answer_a_change_changes_are_unstable():
    faces = [looked_again(score(0.9), **STEADY), looked_again(score(0.1, track=1), **dict.fromkeys(Change, 0.5))]
    decision = decide(faces, TIMES, PLAIN, 1, 2)
    assert decision.label is Label.FAKE
    assert decision.unstable_tracks == {1}
    hidden = [
        looked_again(score(0.99 if 10 <= frame < 18 else 0.1, frame, track), shift=0.1 if track else 0.99)
        for frame in range(40)
        for track in (0, 1)
        if track or 10 <= frame < 18
    ]
    assert decide(hidden, TIMES, PLAIN, 3, 80, PARTS).unstable_tracks == {1}, "its part is gone"


def test_an_answer_that_outlasts_every_change_stands():
    decision = decide([looked_again(score(0.9), **STEADY)], TIMES, PLAIN, 1, 1)
    assert (decision.label, decision.reason, decision.unstable_under) == (Label.FAKE, None, ())
    assert decision.stability == pytest.approx(STEADY)
    assert decide([score(0.9)], TIMES, PLAIN, 1, 1).stability is None


def test_what_is_uncertain_stays_so_and_has_nothing_to_flip():
    decision = decide([looked_again(score(0.5), **STEADY)], TIMES, PLAIN, 1, 1)
    assert (decision.reason, decision.stability, decision.unstable_under) == (Reason.UNCERTAIN, None, ())


def test_a_face_that_was_not_looked_at_again_counts_as_it_is():
    faces = [looked_again(score(0.9), **STEADY | {"tint": 0.2}), score(0.75, track=1)]
    decision = decide(faces, TIMES, PLAIN, 1, 2)
    assert decision.label is Label.FAKE, "the other person looks fake after every change, too"
    assert decision.stability[Change.TINT] == pytest.approx(0.75)


def test_a_change_of_one_frame_flips_no_person():
    frames = [looked_again(score(0.9, frame), **STEADY | {"jpeg": 0.01 if frame == 4 else 0.9}) for frame in range(9)]
    assert decide(frames, TIMES, PLAIN, 3, 9).label is Label.FAKE
    every = [looked_again(one, **STEADY | {"jpeg": 0.01}) for one in frames]
    assert decide(every, TIMES, PLAIN, 3, 9).unstable_under == (Change.JPEG,)


def test_a_part_that_a_change_hides_decides_no_more():
    def scores(after):
        return [
            looked_again(score(0.99 if 10 <= frame < 18 else 0.1, frame), shift=after if 10 <= frame < 18 else 0.1)
            for frame in range(40)
        ]

    assert decide(scores(0.8), TIMES, PLAIN, 3, 40, PARTS).unstable_under == (Change.SHIFT,)
    steady = decide(scores(0.98), TIMES, PLAIN, 3, 40, PARTS)
    assert steady.label is Label.FAKE
    assert steady.stability[Change.SHIFT] == pytest.approx(0.98)
