"""The rules of web/, asked in Node.js: each says what its counterpart in Python says, on drawn cases."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest

from deepfake.faces.tracks import affinity
from deepfake.model.calibration import Calibration
from deepfake.records import Face, Score, Thresholds
from deepfake.report.heatmap import heat_map
from deepfake.report.regions import region_of
from deepfake.verdict import decide

ASK = """
import { readFileSync } from "node:fs";
import { build } from "esbuild";
const [file, name] = process.argv.slice(2);
const { outputFiles } = await build({ entryPoints: [file], bundle: true, format: "esm", write: false });
const rules = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
const revived = (key, value) =>
  value?.pairs ? new Map(value.pairs) : value?.floats ? Float32Array.from(value.floats) : value;
const cases = JSON.parse(readFileSync(0, "utf8"), revived);
const plain = (key, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
console.log(JSON.stringify(cases.map((given) => rules[name](...given)), plain));
"""


@pytest.fixture(scope="module")
def ask(root, tmp_path_factory):
    """Calls a function of a file of web/src with each list of arguments, and returns its answers."""
    web = root / "web"
    if shutil.which("node") is None or not (web / "node_modules" / "esbuild").is_dir():
        pytest.skip("needs Node.js and what `npm --prefix web ci` installs")

    def call(file, name, cases):
        command = ["node", "--input-type=module", "-", str(web / "src" / file), name]
        script = ASK.replace("readFileSync(0", f"readFileSync({json.dumps(str(given))}")
        given.write_text(json.dumps(cases))
        done = subprocess.run(command, input=script, cwd=web, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    given = tmp_path_factory.mktemp("web") / "cases.json"
    return call


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def drawn_score(rng, track, frame):
    evidence = rng.normal(0, 1, (14, 14)).astype(np.float32)
    left, top = rng.uniform(0, 50, 2)
    box = (left, top, left + rng.uniform(60, 90), top + rng.uniform(60, 90))
    marks = np.array([(35, 40), (65, 42), (50, 60), (38, 75), (62, 76)], np.float32) + rng.normal(0, 4, (5, 2))
    face = Face(box, marks.astype(np.float32), 0.99, frame, track)
    to_frame = np.array([[80, -5, left - 3], [5, 80, top + 2]], np.float32)
    experts = tuple(rng.normal(0, 2, 2).tolist())
    return Score(face, float(rng.uniform(0.01, 0.99)), (0.5, 0.5), 0.1, 0.1, evidence, to_frame, experts)


def as_face(face):
    return {
        "box": face.box_xyxy,
        "landmarks": face.landmarks.tolist(),
        "detectorScore": face.detector_score,
        "frameIndex": face.frame_index,
        "track": face.track,
    }


def as_evidence(evidence):
    return {"side": evidence.shape[0], "values": {"floats": evidence.ravel().tolist()}}


def as_score(score):
    return {
        "face": as_face(score.face),
        "pFake": score.p_fake,
        "expertLogits": score.expert_logits,
        "evidence": as_evidence(score.evidence),
        "toFrame": score.to_frame.ravel().tolist(),
    }


def as_calibration(calibration):
    return {
        "temperature": calibration.temperature,
        "shift": calibration.shift,
        "thresholds": as_thresholds(calibration.thresholds),
    }


def as_thresholds(thresholds):
    return {"real_below": thresholds.real_below, "fake_above": thresholds.fake_above}


def test_the_same_scores_have_the_same_verdict(ask, rng):
    person = Calibration(temperature=1.7, shift=0.2, thresholds=Thresholds(real_below=0.4, fake_above=0.6))
    moment = Calibration(temperature=0.8, shift=0.1, thresholds=Thresholds(real_below=0.3, fake_above=0.55))
    drawn = []
    for number in range(150):
        times = {frame: frame * float(rng.uniform(0.1, 0.5)) for frame in range(24)}
        times = dict(zip(times, sorted(times.values()), strict=True))
        scores = [
            drawn_score(rng, int(rng.integers(3)), frame)
            for frame in sorted(rng.integers(0, 24, rng.integers(25)).tolist())
        ]
        drawn.append(
            (scores, times, person, int(rng.integers(1, 5)), len(scores) + number % 2, moment if number % 3 else None)
        )
    answers = ask(
        "verdict.ts",
        "decide",
        [
            [
                [as_score(score) for score in scores],
                {"pairs": list(times.items())},
                as_calibration(overall),
                least,
                found,
                own and as_calibration(own),
            ]
            for scores, times, overall, least, found, own in drawn
        ],
    )
    assert {answer["label"] for answer in answers} == {"real", "fake", "inconclusive"}
    assert any(answer["parts"] for answer in answers)
    for given, answer in zip(drawn, answers, strict=True):
        wanted = decide(*given)
        assert (answer["label"], answer["reason"]) == (wanted.label, wanted.reason)
        assert answer["thresholds"] == as_thresholds(wanted.thresholds)
        assert answer["pFake"] == (None if wanted.p_fake is None else pytest.approx(wanted.p_fake, abs=1e-9))
        for seen, track in zip(answer["tracks"], wanted.tracks, strict=True):
            wanted_person = (track.number, track.faces, track.start_s, track.end_s)
            assert (seen["number"], seen["faces"], seen["startS"], seen["endS"]) == wanted_person
            assert_as_fake(seen, track)
        for seen, part in zip(answer["parts"], wanted.parts, strict=True):
            assert (seen["track"], seen["fromS"], seen["toS"]) == (part.track, part.from_s, part.to_s)
            assert_as_fake(seen, part)


def assert_as_fake(found, wanted):
    assert [found["pFake"], *found["expertLogits"]] == pytest.approx([wanted.p_fake, *wanted.expert_logits], abs=1e-9)


def test_the_same_evidence_lies_in_the_same_part_of_the_face(ask, rng):
    scores = [drawn_score(rng, 0, 0) for _ in range(200)]
    answers = ask("region.ts", "regionOf", [[[as_score(score)]] for score in scores])
    assert answers == [str(region_of([score])) for score in scores]
    assert len(set(answers)) >= 4


def test_a_heat_map_has_the_same_strengths(ask, rng):
    maps = [rng.normal(shift, 1, (side, side)).astype(np.float32) for side in (7, 14) for shift in (-4, 0, 4)]
    answers = ask("heatmap.ts", "heatMap", [[as_evidence(one), 112] for one in maps])
    for one, answer in zip(maps, answers, strict=True):
        assert np.abs(np.reshape(answer, (112, 112)) - heat_map(one, 112)).max() < 1e-4


def test_a_face_is_followed_as_well(ask, rng):
    pairs = [[drawn_score(rng, 0, 0).face, drawn_score(rng, 0, 1).face] for _ in range(50)]
    pairs += [[one, Face(tuple(np.add(other.box_xyxy, 70)), other.landmarks, 1.0)] for one, other in pairs]
    answers = ask("tracks.ts", "affinity", [[as_face(one), as_face(other)] for one, other in pairs])
    wanted = [affinity(one, other) for one, other in pairs]
    assert answers == pytest.approx(wanted, abs=1e-9)
    assert {0 < value < 1 for value in wanted} == {True, False}


def test_half_precision_is_that_of_ieee_754(ask, rng):
    values = np.concatenate([rng.normal(0, scale, 2000) for scale in (1e-7, 1e-4, 1, 1e4)]).astype(np.float32)
    values = np.concatenate([values, np.array([0, -0.0, 1, 2**-14, 2**-24, 2**-25, 65504], np.float32)])
    halves = values.astype(np.float16)
    bits = ask("packed.ts", "halfOf", [[float(value)] for value in values])
    assert bits == halves.view(np.uint16).tolist()
    assert ask("packed.ts", "floatOf", [[bit] for bit in bits]) == halves.astype(float).tolist()


def test_frames_are_sampled_at_the_same_times(ask):
    from fractions import Fraction

    from deepfake.records import Sampling

    durations = [0.04, 1.0, 4.0, 7.3, 3600.5]
    answers = ask("video.ts", "sampledTimes", [[duration] for duration in durations])
    for duration, answer in zip(durations, answers, strict=True):
        assert answer == pytest.approx([float(time) for time in Sampling().times(Fraction(duration))])
