from __future__ import annotations

import threading

import pytest

from deepfake.errors import LimitError, MediaError
from deepfake.page.jobs import Jobs


def test_it_answers_as_the_detector_does(jobs, detector, examples):
    alone = detector.detect(examples / "half_fake.mp4")
    shared = jobs.run(examples / "half_fake.mp4")
    assert shared.p_fake == alone.p_fake
    assert [score.p_fake for score in shared.scores] == [score.p_fake for score in alone.scores]


def test_files_that_take_turns_do_not_mix(jobs, detector, examples):
    names = ["portrait.jpg", "half_fake.mp4", "self_blend.jpg", "no_face.jpg"] * 2
    expected = {name: detector.detect(examples / name).p_fake for name in set(names)}
    found = {}

    def ask(number, name):
        found[number] = jobs.run(examples / name).p_fake

    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(names)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(len(names))] == [expected[name] for name in names]


def test_when_all_places_are_taken_the_next_is_refused_and_a_closed_one_is_free_again(detector, examples):
    jobs = Jobs(detector, places=1)
    first = jobs.analyse(examples / "half_fake.mp4")
    next(first)
    with pytest.raises(LimitError, match="Try again in a minute") as caught:
        jobs.run(examples / "portrait.jpg")
    assert caught.value.status == 503
    first.close()
    assert jobs.run(examples / "portrait.jpg").scores


def test_a_file_that_fails_gives_its_place_free(detector, tmp_path, examples):
    jobs = Jobs(detector, places=1)
    (tmp_path / "a.jpg").write_bytes(b"nothing")
    for _ in range(2):
        with pytest.raises(MediaError):
            jobs.run(tmp_path / "a.jpg")
    assert jobs.run(examples / "portrait.jpg").scores


def test_a_file_that_takes_too_long_is_stopped(detector, examples):
    with pytest.raises(LimitError, match="took more than 0 s. Cut it shorter") as caught:
        Jobs(detector, limit_s=0.001).run(examples / "half_fake.mp4")
    assert caught.value.status == 504
