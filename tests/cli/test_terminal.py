"""What people see: on a terminal in colour and within its width, elsewhere whole and plain."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from deepfake.cli.main import main
from deepfake.cli.terminal import AnswerList, shortened, tell_error
from deepfake.records import Label
from deepfake.report.brief import Brief

FAKE = Brief(Label.FAKE, "Likely manipulated", "87%", "2 faces: face 2, blended, 2.1-3.9 s, around the mouth")
REAL = Brief(Label.REAL, "No clear traces found", "3%", "1 face", notes=("The file has several pages.",))


class Screen(io.StringIO):
    """A terminal that keeps what it is shown."""

    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return monkeypatch


@pytest.fixture
def show(environment):
    """Answers as they come out of a stream, of a terminal of so many columns if there are any."""

    def shown(names, found=FAKE, columns=None, sentences=(), encoding="utf-8"):
        stream = Screen() if columns else io.StringIO()
        environment.setattr(type(stream), "encoding", encoding) if columns else None
        environment.setattr(sys, "stdout", stream)
        if columns:
            environment.setenv("COLUMNS", str(columns))
        answers = AnswerList(names, ["No clear traces found", "Very likely manipulated"])
        for name in names:
            answers.add(name, found, sentences)
        return stream.getvalue()

    return shown


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_pipe_gets_one_plain_line_with_the_whole_name(show):
    name = "holiday/" + "x" * 200 + ".jpg"
    (line,) = show([name]).splitlines()
    assert line == f"Likely manipulated        87%  {name}  {FAKE.detail}"


def test_a_terminal_has_colours_unless_it_is_asked_for_none(show, environment):
    assert "\x1b[1;31mLikely manipulated" in show(["a.jpg"], columns=120)
    environment.setenv("NO_COLOR", "1")
    assert "\x1b" not in show(["a.jpg"], columns=120)
    environment.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in show(["a.jpg"], columns=120)


def test_a_pipe_has_colours_where_they_are_forced(show, environment):
    environment.setenv("FORCE_COLOR", "1")
    found = show(["a.jpg"])
    assert "\x1b[1;31m" in found
    assert plain(found).splitlines() == [f"Likely manipulated        87%  a.jpg  {FAKE.detail}"]


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 120, 200])
@pytest.mark.parametrize("name", ["a.jpg", "x" * 300 + ".jpg", "假期照片" * 20 + ".jpg", "a b " * 30 + ".png"])
def test_no_line_is_wider_than_the_terminal(show, columns, name):
    lines = plain(
        show([name, "b.jpg"], columns=columns, sentences=["The face looks blended into the picture."])
    ).splitlines()
    assert max(cell_len(line) for line in lines) <= columns
    assert sum(name[-4:] in line for line in lines) >= 1, "a shortened name keeps its end"
    said = " ".join(" ".join(lines).split())
    assert "…" in said or cell_len(name) <= columns, "a name has one line"
    assert said.count("blended into the picture.") == 2
    assert said.count("around the mouth") == 2


def test_a_wide_terminal_has_columns_and_a_narrow_one_has_lines(show):
    wide = plain(show(["a.jpg", "longer.jpg"], columns=120)).splitlines()
    assert [line.index("2 faces") for line in wide] == [wide[0].index("2 faces")] * 2
    narrow = [line.rstrip() for line in plain(show(["a.jpg", "longer.jpg"], columns=60)).splitlines()]
    assert narrow == [
        "Likely manipulated        87%  a.jpg", f"    {FAKE.detail}",
        "Likely manipulated        87%  longer.jpg", f"    {FAKE.detail}",
    ]  # fmt: skip


def test_notes_stand_in_brackets_unless_sentences_say_them(show):
    assert show(["a.tif"], REAL).endswith("a.tif  1 face [The file has several pages.]\n")
    assert "[" not in show(["a.tif"], REAL, sentences=["The file has several pages."])


def test_a_name_steers_no_terminal(show, capsys):
    for columns in (None, 60):
        found = show(["a\x1b[2J\r\nb\u202egpj.exe"], columns=columns)
        assert "a\\x1b[2J\\r\\nb\\u202egpj.exe" in plain(found).replace("\n", "")
        assert not set(plain(found)) & {"\x1b", "\r", "\u202e"}
    tell_error("\x1b[2Jb[red].jpg is missing")
    assert capsys.readouterr().err == "Error: \\x1b[2Jb[red].jpg is missing\n"


def test_what_a_stream_cannot_encode_is_escaped(show):
    found = plain(show(["假.jpg"], columns=120, encoding="ascii"))
    assert "\\u5047.jpg" in found
    assert found.isascii()


def test_a_shortened_text_keeps_both_ends():
    assert shortened("abcdefghij.jpg", 9) == "abcd….jpg"
    assert cell_len(shortened("假" * 50, 9)) <= 9


def test_sentences_are_said_on_request_and_in_the_language_that_is_asked_for(examples):
    path = str(examples / "self_blend.jpg")
    done = CliRunner().invoke(main, ["detect", path, "--explain"])
    assert "The face looks blended into the picture, as a swapped or reenacted face does." in done.stdout
    done = CliRunner().invoke(main, ["detect", path, path, "--language", "de"])
    assert re.match(
        r"(Sehr w|W)ahrscheinlich manipuliert +9\d%  .*self_blend.jpg  1 Gesicht: eingesetzt, um ", done.stdout
    )
    assert done.stderr == "2 Dateien: wirkt gefälscht 2\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal_progress_goes_away_and_the_legend_is_said_once(root, examples, environment):
    import pty

    environment.setenv("COLUMNS", "80")
    ours, theirs = pty.openpty()
    names = [str(examples / name) for name in ("no_face.jpg", "portrait.jpg")]
    command = [sys.executable, "-m", "deepfake", "detect", *names]
    with subprocess.Popen(command, cwd=root, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        try:
            while part := os.read(ours, 1 << 16):
                seen += part
        except OSError:
            pass  # How Linux says that the other end is closed.
        os.close(ours)
    assert process.returncode == 0
    lines = screen(seen.decode())
    assert "━" in seen.decode()
    assert [line.split("  ")[0] for line in lines] == [
        "Cannot tell", "", "No clear traces found", "",
        "2 files: no clear traces 1, cannot tell 1",
        "98%: of a hundred faces with that score, about 98 are fake, if fakes are as", "common as reals. That is evidence to be weighed, not proof.",
    ]  # fmt: skip


def screen(written):
    """The lines that a terminal shows in the end: what was erased, or written over, is gone."""
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[[0-9;?]*[a-zA-Z]|\r|\n|[^\x1b\r\n]+", written):
        if part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part == "\x1b[1A":
            row -= 1
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part[0] not in "\x1b\r":
            lines[row] += part
    return [line.rstrip() for line in lines if line]
