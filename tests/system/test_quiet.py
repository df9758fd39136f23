from __future__ import annotations

import io
import os
import subprocess
import sys

from deepfake.system.quiet import quiet, quiet_native


def test_native_lines_are_dropped_and_those_after_are_not(capfd):
    with quiet():
        os.write(2, b"native\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_it_ends_with_an_exception_too(capfd):
    try:
        with quiet():
            raise ZeroDivisionError
    except ZeroDivisionError:
        os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_native_lines_are_dropped_and_those_of_python_are_not():
    code = (
        "import os, sys\n"
        "from deepfake.system.quiet import quiet_native\n"
        "with quiet_native():\n"
        "    os.write(2, b'native\\n')\n"
        "    print('said', file=sys.stderr)\n"
        "    os.system('echo native >&2')\n"
        "os.write(2, b'after\\n')\n"
        "print('end', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "said\nafter\nend\n"


def test_where_stderr_is_not_the_processes_nothing_is_done(capfd, monkeypatch):
    own = io.StringIO()
    monkeypatch.setattr(sys, "stderr", own)
    with quiet_native():
        assert sys.stderr is own
        os.write(2, b"native\n")
    assert capfd.readouterr().err == "native\n"


def test_a_call_writes_nothing_of_its_libraries_to_stderr(tmp_path, examples, root):
    # A TIFF with a tag that libtiff does not know, at which it warns.
    import PIL.Image

    PIL.Image.open(examples / "portrait.jpg").save(tmp_path / "odd.tif", compression="tiff_deflate")
    content = (tmp_path / "odd.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))
    done = subprocess.run(
        [sys.executable, "-m", "deepfake", "detect", str(tmp_path), "--min-face", "0.2"],
        capture_output=True, text=True, cwd=root, check=False,
    )  # fmt: skip
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["Error", "2 files"], done.stderr
