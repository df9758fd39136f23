from __future__ import annotations

import json
import re
import shlex
import shutil
from unittest import mock

import click
import pytest
from click.testing import CliRunner

from deepfake.cli.main import main
from deepfake.data.index import read_index
from deepfake.model.bundle import DEFAULT_MODEL


@pytest.fixture
def run(root, monkeypatch):
    monkeypatch.chdir(root)
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


def commands():
    return sorted(name for name, command in main.commands.items() if not command.hidden)


@pytest.mark.parametrize("name", commands())
def test_help_ends_in_an_example_that_parses(run, name):
    text = run(name, "--help").stdout
    example = [line.strip() for line in text.splitlines() if line.strip().startswith("python -m deepfake")][-1]
    words = shlex.split(example)[3:]
    assert words[0] == name
    command = main.commands[name]
    if isinstance(command, click.Group):
        command = command.commands.get(words[1], command.commands["run"])
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_every_option_says_what_it_does():
    for command in main.commands.values():
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or parameter.help, (command.name, parameter.name)


@pytest.mark.parametrize("group", [(), ("scan",)])
def test_a_list_of_commands_cuts_no_sentence(run, group):
    assert not [line for line in run(*group, "--help").stdout.splitlines() if re.search(r"[^\]]\.\.\.$", line)]


@pytest.mark.parametrize(("missing", "source"), [("scipy.sparse", "'deepfake[train]'"), ("torch", "torch")])
def test_what_is_not_installed_is_named_with_the_remedy(run, monkeypatch, tmp_path, missing, source):
    raising = mock.Mock(side_effect=ModuleNotFoundError(name=missing))
    monkeypatch.setattr(main.commands["card"], "callback", raising)
    done = run("card", tmp_path)
    assert done.exit_code == 1
    assert done.stderr == f"Error: `card` needs {missing}, which is not installed: pip install {source}\n"


def test_a_missing_module_of_this_package_is_no_missing_extra(run, monkeypatch, tmp_path):
    raising = mock.Mock(side_effect=ModuleNotFoundError(name="deepfake.lost"))
    monkeypatch.setattr(main.commands["card"], "callback", raising)
    assert isinstance(run("card", tmp_path).exception, ModuleNotFoundError)


def test_detect_prints_a_line_for_each_file_of_a_folder(run):
    done = run("detect", "examples")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [re.search(r"examples/\S+", line)[0] for line in lines] == [
        "examples/half_fake.mp4", "examples/no_face.jpg", "examples/portrait.jpg", "examples/self_blend.jpg",
    ]  # fmt: skip
    assert re.fullmatch(r"Cannot tell +examples/no_face.jpg +no face found", lines[1])
    assert re.fullmatch(r"No clear traces found +\d+%  examples/portrait.jpg +1 face", lines[2])
    assert re.fullmatch(
        r"(Very l|L)ikely manipulated +9\d%  examples/self_blend.jpg +1 face: blended, around .*", lines[3]
    )
    assert done.stderr.splitlines() == [
        "left out: 1 file: 1 .py; for example deepsafe_detector.py",
        "4 files: looks fake 2, no clear traces 1, cannot tell 1",
    ]


def test_json_goes_to_stdout_alone(run, tmp_path):
    done = run("detect", "examples/*.jpg", "--json", "--save-dir", tmp_path)
    assert done.exit_code == 0
    assert [json.loads(line)["path"] for line in done.stdout.splitlines()] == [
        "examples/no_face.jpg", "examples/portrait.jpg", "examples/self_blend.jpg",
    ]  # fmt: skip
    assert "wrote" in done.stderr
    assert len(list(tmp_path.glob("*.annotated.jpg"))) == 3


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_answered(run, tmp_path):
    (tmp_path / "letter.jpg").write_text("no picture")
    done = run("detect", tmp_path / "letter.jpg", tmp_path / "absent.mp4", "examples/portrait.jpg", "--json")
    assert done.exit_code == 3
    assert json.loads(done.stdout)["path"] == "examples/portrait.jpg"
    assert "letter.jpg is neither a picture" in done.stderr
    assert "absent.mp4 cannot be opened: No such file" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["--frames", "0", "x.jpg"], ["--end", "1", "--start", "2", "x.jpg"]])
def test_a_wrong_call_exits_with_2(run, arguments):
    assert run("detect", *arguments).exit_code == 2


def test_a_folder_without_pictures_is_a_wrong_call(run, tmp_path):
    done = run("detect", tmp_path)
    assert done.exit_code == 2
    assert "No picture or video in" in done.stderr


def test_a_missing_bundle_is_an_error_not_a_traceback(run, tmp_path):
    done = run("detect", "examples/portrait.jpg", "--model", tmp_path / "none")
    assert done.exit_code == 1
    assert "Error: No model and no folder is called" in done.stderr


def test_a_bundle_from_elsewhere_needs_trust(run, tmp_path):
    shutil.copytree(DEFAULT_MODEL, tmp_path / "light-5")
    for command in (["detect"], ["scan", "--out", tmp_path / "s.sqlite"]):
        call = [*command, "examples/portrait.jpg", "--model", tmp_path / "light-5"]
        done = run(*call)
        assert done.exit_code == 1
        assert "is from elsewhere" in done.stderr
        assert "Pass --trust if you know who made it" in done.stderr
        assert run(*call, "--trust").exit_code == 0


def test_a_tampered_bundle_is_refused_and_trusted_on_request(run, tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPFAKE_CACHE", str(tmp_path))
    shutil.copytree(DEFAULT_MODEL, tmp_path / "light-5")
    with (tmp_path / "light-5" / "model.tflite").open("ab") as file:
        file.write(b"x")
    call = ["detect", "examples/portrait.jpg", "--model", tmp_path / "light-5"]
    assert "does not match its checksum" in run(*call).stderr
    assert run(*call, "--trust").exit_code == 0


def test_a_folder_that_cannot_be_written_is_an_error_not_a_traceback(run, tmp_path):
    (tmp_path / "taken").write_text("a file where a folder should be")
    done = run("detect", "examples/portrait.jpg", "--save-dir", tmp_path / "taken" / "out")
    assert done.exit_code == 1
    assert "Not a directory. Check the path, its rights and the disk." in done.stderr


@pytest.mark.parametrize("command", ["calibrate", "export"])
def test_a_folder_that_is_no_run_is_an_error_not_a_traceback(run, tmp_path, command):
    done = run(command, tmp_path, *(["--out", tmp_path / "out"] if command == "export" else []))
    assert done.exit_code == 1
    assert "it is not the folder of a" in done.stderr
    assert "Run fit first." in done.stderr


def test_index_split_and_extract_lead_from_a_folder_to_faces(run, tmp_path, examples):
    for name in ("real/a.jpg", "real/b.jpg", "fake/swap/a.jpg", "fake/swap/c.jpg"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(examples / ("portrait.jpg" if "real" in name else "self_blend.jpg"), tmp_path / "data" / name)
    done = run("index", "folder", tmp_path / "data", "--out", tmp_path / "tables" / "all.csv")
    assert done.stdout.splitlines()[-1] == "no split: {'real': 2, 'fake': 2}"
    done = run("split", tmp_path / "tables" / "all.csv", "--out", tmp_path / "split.csv", "--val", "0.4", "--balance")
    assert done.exit_code == 0
    rows = read_index(tmp_path / "split.csv")
    assert len({row.split for row in rows if row.identity == "a"}) == 1
    assert all((tmp_path / row.path).exists() for row in rows)
    done = run("extract", tmp_path / "split.csv", "--out", tmp_path / "faces", "--max-videos", "2")
    found = json.loads(done.stdout)
    assert (found["files"], found["pictures"], found["skipped"]) == (2, 2, {})
    assert found["files_per_second"] > 0


def test_a_configuration_that_cannot_run_is_an_error_not_a_traceback(run, tmp_path):
    (tmp_path / "odd.toml").write_text('crop = { size = 100 }\n[data]\nindex = "index.csv"\n')
    done = run("fit", tmp_path / "odd.toml", "--run", tmp_path / "run")
    assert done.exit_code == 1
    assert "`crop.size` must be a positive multiple of 32. Received: 100" in done.stderr


def test_split_names_a_leak_and_what_to_do(run, tmp_path):
    table = tmp_path / "index.csv"
    table.write_text("path,label,split,identity\na.mp4,real,train,id1\nb.mp4,fake,test,id1+id2\n")
    done = run("split", table, "--out", tmp_path / "split.csv")
    assert done.exit_code == 1
    assert "identity 'id1' of '' in test (b.mp4), train (a.mp4)" in done.stderr
    assert not (tmp_path / "split.csv").exists()
    assert run("split", table, "--out", tmp_path / "split.csv", "--by", "clip").exit_code == 0
    assert run("split", table, "--out", tmp_path / "split.csv", "--val", "0.9").exit_code == 2


def test_evaluate_needs_something_to_measure_on(run):
    done = run("evaluate", "--model", DEFAULT_MODEL)
    assert done.exit_code == 2
    assert "Give --index, --clips or both" in done.stderr
