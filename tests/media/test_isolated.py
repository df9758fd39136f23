"""Files that are decoded in a process that can die."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import psutil
import pytest

from deepfake.errors import MediaError
from deepfake.media import open_media
from deepfake.media.isolated import Limits, MediaApart, open_isolated
from deepfake.pipeline import Detector
from deepfake.records import Sampling
from deepfake.system.process import ChildProcess


@pytest.mark.parametrize("name", ["portrait.jpg", "half_fake.mp4"])
def test_frames_are_those_that_are_read_here(examples, name):
    here, apart = (opened(examples / name, Sampling(frames=5)) for opened in (open_media, open_isolated))
    assert (apart.kind, apart.duration, len(apart)) == (here.kind, here.duration, len(here))
    for _ in range(2):
        pairs = list(zip(here, apart, strict=True))
        assert [(a.index, a.time) for a, _ in pairs] == [(b.index, b.time) for _, b in pairs]
        assert all(np.array_equal(a.image, b.image) for a, b in pairs)
    assert apart.frames_failed == here.frames_failed == 0


def test_what_cannot_be_read_is_said_in_the_same_words(tmp_path, examples):
    cut = tmp_path / "cut.jpg"
    cut.write_bytes((examples / "portrait.jpg").read_bytes()[:9000])
    for path in (cut, tmp_path / "missing.jpg", Path(__file__)):
        said = []
        for opened in (open_media, open_isolated):
            with pytest.raises(MediaError) as caught:
                list(opened(path, None))
            said.append(str(caught.value))
        assert said[0] == said[1]


def decoders():
    """Processes that decode at the moment: those that the fork server started."""
    return [child for server in psutil.Process().children() for child in server.children()]


def opened_midway(path):
    """A reader of which one frame was taken, and the process that has the others."""
    before = {process.pid for process in decoders()}
    frames = iter(open_isolated(path))
    next(frames)
    (process,) = [process for process in decoders() if process.pid not in before]
    return frames, process


def test_a_decoder_that_crashes_costs_its_file_only(examples):
    frames, process = opened_midway(examples / "half_fake.mp4")
    process.suspend()
    os.kill(process.pid, signal.SIGSEGV)
    process.resume()
    with pytest.raises(MediaError, match=r"half_fake.mp4 made its decoder stop \(SIGSEGV\).*Export it again"):
        list(frames)
    assert len(list(open_isolated(examples / "portrait.jpg"))) == 1


def test_a_decoder_that_hangs_is_ended(examples):
    reader = MediaApart(examples / "half_fake.mp4", limits=Limits(frame_s=1.0))
    frames = iter(reader)
    next(frames)
    for process in decoders():
        process.suspend()
    started = time.monotonic()
    with pytest.raises(MediaError, match="took more than 1 s to decode"):
        list(frames)
    assert time.monotonic() - started < 20
    assert not decoders()


def test_a_file_that_takes_too_much_processor_time_is_refused(tmp_path):
    path = tmp_path / "scans.jpg"
    PIL.Image.fromarray(np.random.default_rng(0).integers(0, 255, (7000, 7000, 3), np.uint8)).save(
        path, progressive=True
    )
    with pytest.raises(MediaError, match="took more than 0 s of processor time to decode"):
        list(open_isolated(path, limits=Limits(processor_s=0.01)))


def test_a_decoder_that_waits_for_others_is_not_ended(examples):
    reader = MediaApart(examples / "half_fake.mp4", limits=Limits(processor_s=3.0))
    frames = iter(reader)
    next(frames)
    (process,) = decoders()
    process.suspend()
    time.sleep(4)
    process.resume()
    assert len(list(frames)) == len(reader) - 1


def forged(line, limits, path, sampling):
    """What a decoder may say that a file has taken over."""
    line.say({"type": "_Header", "kind": "picture", "duration": "0", "length": 1})
    messages: dict[str, list[Any]] = {
        "huge": [{"type": "_Shot", "index": 0, "time": "0", "height": 10**6, "width": 10**6}],
        "short": [{"type": "_Shot", "index": 0, "time": "0", "height": 2, "width": 2}, b"123"],
        "long": [{"type": "_Shot", "index": 0, "time": "0", "height": 2, "width": 2}, bytes(10**6)],
        "other": [{"type": "_Found", "credentials": None}],
        "ratio": [{"type": "_Shot", "index": 0, "time": "1/0", "height": 2, "width": 2}, bytes(12)],
        "no-json": [b"\xff\xfe"],
        "endless": [{"type": "_Shot", "index": 0, "time": "0", "height": 1, "width": 1}, bytes(3)] * 3,
    }
    for message in messages[path]:
        line.send(memoryview(message)) if isinstance(message, bytes) else line.say(message)
    line.heard()


@pytest.mark.parametrize("lie", ["huge", "short", "long", "other", "ratio", "no-json", "endless"])
def test_what_a_decoder_must_not_say_is_refused(monkeypatch, lie):
    monkeypatch.setattr("deepfake.media.isolated._tell", forged)
    with pytest.raises(MediaError, match=f"{lie} made its decoder stop .an answer that makes no sense."):
        list(open_isolated(lie))
    assert not decoders()


def test_a_file_that_needs_too_much_memory_is_refused(tmp_path):
    path = tmp_path / "large.png"
    PIL.Image.new("RGB", (7000, 7000)).save(path)
    with pytest.raises(MediaError, match="memory"):
        list(open_isolated(path, limits=Limits(memory_bytes=600 * 2**20)))


def test_a_file_is_one_process_until_it_is_closed(examples, monkeypatch):
    monkeypatch.setattr("deepfake.media.isolated.holds_credentials", lambda path: True)
    with closing(open_isolated(examples / "half_fake.mp4", Sampling(frames=3))) as reader:
        (process,) = decoders()
        assert len(list(reader)) == len(list(reader)) == 3
        assert reader.credentials() is None
        assert decoders() == [process]
        # While it is busy, and after it has died, another does the work.
        assert [(one.index, two.index) for one, two in zip(reader, reader, strict=True)] == [(0, 0), (1, 1), (2, 2)]
        (process,) = decoders()
        process.kill()
        with pytest.raises(MediaError, match="made its decoder stop .SIGKILL."):
            list(reader)
        assert len(list(reader)) == 3
    assert not decoders()


def test_a_judged_file_costs_one_process(examples, monkeypatch):
    started = []
    original = ChildProcess.__init__

    def counted(self, *arguments):
        started.append(arguments)
        original(self, *arguments)

    monkeypatch.setattr(ChildProcess, "__init__", counted)
    assert Detector(opener=open_isolated).detect(examples / "half_fake.mp4", Sampling(frames=3)).frames_read == 3
    assert len(started) == 1


def test_a_reader_that_is_left_midway_leaves_no_process(examples):
    frames, process = opened_midway(examples / "half_fake.mp4")
    frames.close()
    assert not process.is_running()
