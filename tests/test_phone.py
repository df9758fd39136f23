"""What a phone has to do: the examples are run as they are printed, and judge as `detect` does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from deepfake.face_scorer import FaceScorer
from deepfake.faces.crops import cut_crop
from deepfake.model.bundle import DEFAULT_MODEL, MANIFEST
from deepfake.model.scorer import Scorer
from deepfake.records import Face, Label, Reason

DOCUMENTS = ("README.md", "docs/phone.md")
MAIN = """
fun main(arguments: Array<String>) {
    val numbers = java.io.File("numbers").readText().trim().split(" ").map { it.toDouble() }
    val (size, width, height) = numbers.subList(0, 3).map { it.toInt() }
    val bytes = java.io.File("pixels").readBytes()
    val pixels = IntArray(width * height) { (0..2).fold(0) { all, c -> all * 256 + (bytes[3 * it + c].toInt() and 255) } }
    var calls = 0
    val (scale, shift, least, temperature, added, low, high) = Settings(numbers.subList(3, 10))
    val scorer = FaceScorer(size, scale, shift, listOf(1.0, 1.3), least, temperature, added, low, high) { crop ->
        java.io.DataOutputStream(java.io.FileOutputStream("crop" + calls).buffered()).use { crop.forEach(it::writeFloat) }
        numbers[24 + calls++].toFloat()
    }
    val answer = scorer.judge(
        pixels, width, height, numbers.subList(10, 14).toDoubleArray(), numbers.subList(14, 24).toDoubleArray()
    )
    println("${answer.label} ${answer.pFake}")
}
class Settings(private val of: List<Double>) {
    operator fun component1() = of[0]; operator fun component2() = of[1]; operator fun component3() = of[2]
    operator fun component4() = of[3]; operator fun component5() = of[4]; operator fun component6() = of[5]
    operator fun component7() = of[6]
}
"""


@pytest.fixture(scope="module")
def scorer():
    return FaceScorer()


def blocks(root, document, language):
    return re.findall(rf"```{language}\n(.*?)```", (root / document).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_example_runs_as_printed_and_agrees_with_detect(root, document, detector, monkeypatch, capsys):
    monkeypatch.chdir(root)
    (code,) = (code for code in blocks(root, document, "python") if "FaceScorer" in code)
    names = {}
    exec(code, names)
    verdict = detector.detect("examples/portrait.jpg")
    assert names["answer"].p_fake == pytest.approx(verdict.p_fake, abs=0.01)
    assert names["answer"].label is verdict.label
    assert capsys.readouterr().out.startswith("real 0.0")


@pytest.mark.parametrize("name", ["portrait.jpg", "self_blend.jpg"])
def test_a_face_is_judged_as_in_the_whole_pipeline(scorer, detector, examples, name):
    from deepfake.media import read_picture

    verdict = detector.detect(examples / name)
    (score,) = verdict.scores
    answer = scorer.judge(read_picture(examples / name).image, score.face.box_xyxy, score.face.landmarks)
    assert (answer.label, answer.reason) == (verdict.label, verdict.reason)
    assert answer.p_fake == pytest.approx(verdict.p_fake, abs=1e-6)


def test_a_face_that_is_too_small_gets_no_number(scorer, portrait, portrait_face):
    half = np.ascontiguousarray(portrait.image[::3, ::3])
    box = np.array(portrait_face.box_xyxy) / 3
    answer = scorer.judge(half, box, portrait_face.landmarks / 3)
    assert (answer.label, answer.reason, answer.p_fake) == (Label.INCONCLUSIVE, Reason.FACE_TOO_SMALL, None)


def test_a_face_that_is_none_is_refused(scorer, portrait, portrait_face):
    with pytest.raises(ValueError, match="five landmarks. Received: .* landmarks of shape"):
        scorer.judge(portrait.image, portrait_face.box_xyxy, portrait_face.landmarks[:3])
    with pytest.raises(ValueError, match="a box .* that is not empty"):
        scorer.judge(portrait.image, (10, 10, 10, 20), portrait_face.landmarks)


def test_what_the_other_languages_read_stands_in_the_manifest(root):
    manifest = json.loads((DEFAULT_MODEL / MANIFEST).read_text())
    known = set(manifest) | set(manifest["crop"]) | {"face", *manifest["calibration"]["face"]}
    known |= set(manifest["calibration"]["face"]["thresholds"])
    android = blocks(root, "docs/phone.md", "kotlin")[1]
    read = set(re.findall(r'get(?:JSONObject|JSONArray|Int|Double)\("(\w+)"\)', android))
    assert len(read) == 12
    assert read <= known
    (record,) = re.findall(r"struct Manifest.*?\n}", blocks(root, "docs/phone.md", "swift")[0], re.DOTALL)
    fields = {name for names in re.findall(r"let ([\w, ]+):", record) for name in names.split(", ")}
    assert len(fields) == 12
    assert fields <= known


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("kotlinc"), reason="needs the Kotlin compiler, kotlinc")
@pytest.mark.parametrize("turn", [0, 1])
def test_kotlin_cuts_and_judges_as_python_does(root, tmp_path, scorer, portrait, portrait_face, turn):
    (tmp_path / "Main.kt").write_text(blocks(root, "docs/phone.md", "kotlin")[0] + MAIN)
    subprocess.run(
        ["kotlinc", "Main.kt", "-include-runtime", "-d", "main.jar"], cwd=tmp_path, check=True, capture_output=True
    )
    # Turned, the face reaches beyond the picture.
    image = np.ascontiguousarray(np.rot90(portrait.image, -1)[:, -170:]) if turn else portrait.image
    face = turned(portrait_face, portrait.image.shape[0], image.shape[1]) if turn else portrait_face
    bundle = scorer.bundle
    crop = cut_crop(image, face, bundle.crop)
    views = [crop, *crop.wider]
    logits = [Scorer(bundle).logit(view.image) for view in views]
    own = bundle.calibration.face
    numbers = [
        bundle.crop.size, image.shape[1], image.shape[0], bundle.crop.scale, bundle.crop.shift, bundle.min_face_px,
        own.temperature, own.shift, own.thresholds.real_below, own.thresholds.fake_above,
        *face.box_xyxy, *face.landmarks.ravel().tolist(), *logits,
    ]  # fmt: skip
    (tmp_path / "numbers").write_text(" ".join(map(str, numbers)))
    (tmp_path / "pixels").write_bytes(image.tobytes())
    done = subprocess.run(
        ["java", "-cp", "main.jar", "MainKt"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    label, p_fake = done.stdout.split()
    answer = scorer.judge(image, face.box_xyxy, face.landmarks)
    assert label == answer.label
    assert float(p_fake) == pytest.approx(answer.p_fake, abs=1e-6)
    for number, view in enumerate(views):
        cut = np.fromfile(tmp_path / f"crop{number}", ">f4").reshape(view.image.shape)
        np.testing.assert_allclose(cut, view.image, atol=1)
    assert len(list(tmp_path.glob("crop*"))) == len(views)


def turned(face, height, width):
    """The face in a picture that was turned by a quarter to the right, of which the right part was kept."""
    left, top, right, bottom = face.box_xyxy
    away = height - width
    landmarks = np.stack([height - face.landmarks[:, 1] - away, face.landmarks[:, 0]], axis=1).astype(np.float32)
    return Face((height - bottom - away, left, height - top - away, right), landmarks, 1.0)
