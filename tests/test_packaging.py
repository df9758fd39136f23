"""What is built: a wheel that judges a file wherever it is installed, and a source archive that can be tested."""

from __future__ import annotations

import email
import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def built(root, tmp_path_factory):
    """A folder with the source archive, and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("dist")
    call = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(root)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The Python of a new environment with the wheel in it, and the packages of this one beside it: no network."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    call = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(call, capture_output=True, check=True)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    # Folders that a .pth names are searched last, and the .pth files in them are not read: no checkout is found.
    Path(own, "beside.pth").write_text("\n".join(sorted(here)))
    return python


def run(python, cwd, *arguments):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_what_ships_and_no_tests(wheel, root):
    ships = {f"deepfake/{path.relative_to(root).as_posix()}" for path in shipped_files(root)}
    code = {path.relative_to(root).as_posix() for path in (root / "deepfake").rglob("*.py")}
    page = {"deepfake/page/page.js", "deepfake/page/style.css", "deepfake/scan/page.html.jinja", "deepfake/py.typed"}
    page |= {path.relative_to(root).as_posix() for path in (root / "deepfake/report/languages").iterdir()}
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    assert names == ships | code | page
    assert {"bundle.json", "model.keras", "onet.tflite", "face_landmark.tflite", "portrait.jpg"} <= {
        Path(name).name for name in names
    }


def shipped_files(root):
    return [path for folder in ("models", "examples") for path in (root / folder).rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as packed:
        (name,) = (name for name in packed.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(packed.read(name))


def test_an_index_shows_the_readme_without_the_settings_of_a_space_and_without_links_that_lead_nowhere(metadata, root):
    shown = metadata.get_payload(decode=True).decode()
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert shown.startswith("# deepfake\n")
    assert "sdk: gradio" not in shown
    assert not [target for target in re.findall(r"\]\(([^)]*)\)", shown) if not target.startswith("https://")]
    assert "What the answer means (`docs/answers.md`)" in shown
    assert "`CONTRIBUTING.md` says how to change the code" in shown
    assert len(shown) > 0.9 * len((root / "README.md").read_text())


def test_the_wheel_says_whose_licence_is_whose(metadata, root):
    assert set(metadata["License-Expression"].split(" AND ")) == {
        "MIT",
        "Apache-2.0",
        "LicenseRef-research-only-weights",
    }
    texts = {path.relative_to(root).as_posix() for path in (root / "models").glob("*/LICENSE")}
    cards = {path.relative_to(root).as_posix() for path in (root / "models").glob("*/README.md")}
    assert set(metadata.get_all("License-File")) == {"LICENSE"} | texts | cards
    assert {path.parent.name for path in (root / "models").glob("*/bundle.json")} == {
        Path(text).parent.name for text in texts | cards
    }


def test_the_source_archive_can_be_tested_and_built_again(built, root):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    tests = {path.relative_to(root).as_posix() for path in (root / "tests").rglob("*.py")}
    models = {path.relative_to(root).as_posix() for path in shipped_files(root)}
    assert tests | models | {"pyproject.toml", "conftest.py", "requirements.txt", "app.py", "README.md"} <= names
    assert not {name for name in names if re.match(r"\.git(/|$)|(.*/)?__pycache__|dist/", name)}


def test_an_installed_wheel_judges_a_file_in_another_folder(installed, tmp_path, examples, detector):
    (tmp_path / "mine.jpg").write_bytes((examples / "portrait.jpg").read_bytes())
    answer = json.loads(
        run(installed, tmp_path, "-m", "deepfake", "detect", "mine.jpg", "--json", "--model", "light-5")
    )
    assert answer["p_fake"] == pytest.approx(detector.detect(examples / "portrait.jpg").p_fake, abs=1e-3)
    assert (installed.parent / "deepfake").exists() or (installed.parent / "deepfake.exe").exists()


def test_an_installed_wheel_finds_its_own_models_and_examples(installed, tmp_path):
    code = (
        "import deepfake, deepfake.model.bundle, deepfake.system.shipped as system, pathlib\n"
        "home = pathlib.Path(deepfake.__file__).parent\n"
        "assert deepfake.model.bundle.DEFAULT_MODEL.parent == system.shipped('models') == home / 'models'\n"
        "assert (system.shipped('examples') / 'half_fake.mp4').is_file()\n"
        "deepfake.model.bundle.load_face_mesh()\n"
        "print(home)\n"
    )
    home = run(installed, tmp_path, "-c", code).strip()
    assert Path(home).is_relative_to(installed.parent.parent)
