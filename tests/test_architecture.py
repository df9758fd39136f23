"""The design as tests: who imports whom, what is loaded, what is public."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib

import pytest

import deepfake


def test_a_full_detect_loads_no_tensorflow_and_no_keras(root, tmp_path):
    code = (
        "import sys\n"
        "from deepfake import Detector\n"
        "from deepfake.report.files import write_report\n"
        "from pathlib import Path\n"
        f"detector = Detector()\n"
        f"for name in ('portrait.jpg', 'half_fake.mp4'):\n"
        f"    verdict = detector.detect('examples/' + name)\n"
        f"    assert verdict.scores\n"
        f"    write_report(verdict, Path({str(tmp_path)!r}))\n"
        "heavy = {'tensorflow', 'keras', 'torch', 'jax', 'gradio', 'sklearn', 'scipy', 'c2pa'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_the_package_prints_nothing_and_loads_nothing(root):
    code = "import sys, deepfake; print(sorted({'numpy', 'cv2', 'av', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_public_names_are_there_and_no_others_are_promised():
    assert set(deepfake.__all__) == set(deepfake._HOMES)
    for name in deepfake.__all__:
        assert getattr(deepfake, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'detekt'"):
        getattr(deepfake, "detekt")  # noqa: B009


def test_only_the_command_line_prints(root):
    for path in (root / "deepfake").rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        printing = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
        assert not printing or path.parent.name == "cli", path


def test_flags_are_given_by_name(root):
    # Click calls commands by name; Keras calls layers by place.
    rooms = [path for path in (root / "deepfake").rglob("*.py") if path.parent.name not in ("cli", "nn", "model")]
    for path in rooms:
        functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
        for function in functions:
            flags = [arg.arg for arg in function.args.args if arg.annotation and ast.unparse(arg.annotation) == "bool"]
            assert not flags or function.name.startswith("_"), (path, function.name, flags)


def test_the_environment_is_read_by_the_command_line(root):
    # `place` tells Gradio, `cluster` tells Ray, and both put nothing of it into what they answer.
    known = {"page/place.py", "scan/cluster.py", "model/hub.py"}
    for path in (root / "deepfake").rglob("*.py"):
        name = path.relative_to(root / "deepfake").as_posix()
        reads = "environ" in path.read_text() or "getenv" in path.read_text()
        assert not reads or name in known or name.startswith("cli/"), path


def test_requirements_are_those_of_pyproject(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    declared = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    written = [
        line for line in (root / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")
    ]
    assert written == sorted(set(declared))
    assert len(written) == len(set(written))


def test_nothing_outside_model_bundles_is_large(root):
    done = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, done.stdout.split("\0")):
        path = root / name
        assert name.startswith("models/") or not path.exists() or path.stat().st_size <= 500_000, name
