from __future__ import annotations

import threading
import time

import pytest

from deepfake.errors import LimitError, MediaError
from deepfake.page.jobs import FairSemaphore, Jobs


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
    jobs = Jobs(detector, files=1)
    with jobs.place("ann"), pytest.raises(LimitError, match="Try again in a minute") as caught, jobs.place("bob"):
        pass
    assert caught.value.status == 503
    with jobs.place("bob") as client:
        assert jobs.run(examples / "portrait.jpg", client).scores


def test_a_client_has_fewer_places_than_all(detector):
    jobs = Jobs(detector, decoders=8, files=3, files_a_client=2)
    with jobs.place("ann"), jobs.place("ann"):
        with pytest.raises(LimitError, match="2 of your files are being looked at") as caught, jobs.place("ann"):
            pass
        assert caught.value.status == 429
        with jobs.place("bob"):
            pass
    with jobs.place("ann"):
        pass


def test_a_file_that_fails_gives_its_place_free(detector, tmp_path, examples):
    jobs = Jobs(detector, files=1)
    (tmp_path / "a.jpg").write_bytes(b"nothing")
    for _ in range(2):
        with pytest.raises(MediaError), jobs.place("ann"):
            jobs.run(tmp_path / "a.jpg")
    with jobs.place("ann"):
        assert jobs.run(examples / "portrait.jpg").scores


def test_who_gets_no_place_in_time_is_told_that_all_is_busy(detector):
    jobs = Jobs(detector, decoders=1, limit_s=0.1)
    with jobs.place("ann"), pytest.raises(LimitError, match="right now") as caught, jobs.place("bob"):
        pass
    assert caught.value.status == 503


def test_a_file_that_takes_too_long_is_stopped(detector, examples):
    with pytest.raises(LimitError, match="took more than 0 s. Cut it shorter") as caught:
        Jobs(detector, limit_s=0.001).run(examples / "half_fake.mp4")
    assert caught.value.status == 504


def served(semaphore, clients):
    """The order in which clients that ask one after the other are let in, while one place is held by another."""
    order, threads = [], []

    def ask(client):
        assert semaphore.acquire(client, 60)
        order.append(client)
        semaphore.release(client)

    for number, client in enumerate(clients, 1):
        threads.append(threading.Thread(target=ask, args=(client,)))
        threads[-1].start()
        while semaphore.waiting < number:
            time.sleep(0.001)
    return order, threads


def test_of_two_who_wait_the_one_who_holds_less_comes_first():
    semaphore = FairSemaphore(2)
    assert semaphore.acquire("ann", 1)
    assert semaphore.acquire("eve", 1)
    order, threads = served(semaphore, ["ann", "ann", "bob"])
    semaphore.release("eve")
    for thread in threads:
        thread.join()
    assert order == ["bob", "ann", "ann"]


def test_who_holds_the_same_comes_in_order():
    semaphore = FairSemaphore(1)
    assert semaphore.acquire("eve", 1)
    order, threads = served(semaphore, ["ann", "bob", "ann", "eve"])
    semaphore.release("eve")
    for thread in threads:
        thread.join()
    assert order == ["ann", "bob", "ann", "eve"]


def test_one_client_never_holds_all_places():
    semaphore = FairSemaphore(4, 2)
    assert semaphore.acquire("ann", 1)
    assert semaphore.acquire("ann", 1)
    assert not semaphore.acquire("ann", 0.05)
    assert semaphore.acquire("bob", 1)
    semaphore.release("ann")
    assert semaphore.acquire("ann", 1)
