from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from deepfake.scan.files import find_files, read_list, unfitting
from deepfake.system.files import LeftOut, sha256_of

PNG = b"\x89PNG\r\n\x1a\n"


def tree(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def test_a_folder_is_the_pictures_and_videos_below_it_in_order(tmp_path):
    tree(tmp_path, "b.JPG", "a.mp4", "notes.txt", "deep/er/c.webp", "deep/d.png")
    found = [str(path.relative_to(tmp_path)) for path in find_files([str(tmp_path)])]
    assert found == ["a.mp4", "b.JPG", "deep/d.png", "deep/er/c.webp"]


def test_what_a_file_holds_decides_not_its_name_and_the_others_are_counted(tmp_path):
    for name, content in {"blob": PNG, "photo.HEIC": b"\xff\xd8\xff", "clip.qt": b"\0\0\0\x14ftypqt  ", "a.txt": b"Dear", "b.txt": b"Dear",
                          "noise": b"Dear", "broken.jpg": b""}.items():  # fmt: skip
        (tmp_path / name).write_bytes(content)
    for names in ([str(tmp_path)], [str(tmp_path / "*")]):
        left_out = LeftOut()
        found = [path.name for path in find_files(names, left_out)]
        assert found == ["blob", "broken.jpg", "clip.qt", "photo.HEIC"]
        assert str(left_out) == "3 files: 2 .txt, 1 without an ending; for example a.txt"


def test_a_glob_that_nothing_fits_is_named(tmp_path):
    tree(tmp_path, "a1.jpg", "[z].jpg")
    names = [str(tmp_path / name) for name in ("a*.jpg", "z*.jpg", "gone.jpg", "[z].jpg")]
    assert unfitting(names) == [str(tmp_path / "z*.jpg")]


def test_a_file_is_taken_whatever_its_name_and_whether_or_not_it_is_there(tmp_path):
    tree(tmp_path, "odd.name")
    names = [str(tmp_path / name) for name in ("odd.name", "gone.jpg")]
    assert [str(path) for path in find_files(names)] == names


def test_a_glob_is_expanded_unless_a_file_has_that_name(tmp_path):
    tree(tmp_path, "a1.jpg", "a2.jpg", "b[1].jpg", "b1.jpg")
    assert [path.name for path in find_files([str(tmp_path / "a*.jpg")])] == ["a1.jpg", "a2.jpg"]
    assert [path.name for path in find_files([str(tmp_path / "b[1].jpg")])] == ["b[1].jpg"]


def test_a_link_that_leads_back_is_not_followed(tmp_path):
    tree(tmp_path, "in/a.jpg")
    (tmp_path / "in" / "back").symlink_to(tmp_path)
    assert len(list(find_files([str(tmp_path)]))) == 1


def test_a_list_names_files_beside_it(tmp_path):
    (tmp_path / "names.txt").write_bytes(b"a.jpg\n\n/abs/b.jpg\r\n\xff.jpg\n")
    names = read_list(tmp_path / "names.txt")
    assert names == [str(tmp_path / "a.jpg"), "/abs/b.jpg", str(tmp_path / "\udcff.jpg")]


def test_the_checksum_is_that_of_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()


@pytest.mark.parametrize("name", ["x" * 5000, "x" * 5000 + "*.jpg", "a\0b", "\udcff"])
def test_a_name_that_no_file_can_have_is_passed_on_or_finds_nothing(name):
    assert list(find_files([name])) in ([Path(name)], [])


@pytest.mark.parametrize("encoded", [
    "a.jpg\nß.jpg\n".encode(), b"\xef\xbb\xbfa.jpg\r\n\xc3\x9f.jpg", "a.jpg\r\nß.jpg\r\n".encode("utf-16"),
    "a.jpg\r\nß.jpg\r\n".encode("utf-16-le"), b"\xfe\xff" + "a.jpg\nß.jpg".encode("utf-16-be"), "a.jpg\0ß.jpg\0".encode(), "a.jpg\rß.jpg".encode(),
], ids=["plain", "mark", "utf-16", "utf-16 without mark", "big-endian", "zeros", "carriage returns"])  # fmt: skip
def test_a_list_from_any_system_names_the_same_files(tmp_path, encoded):
    (tmp_path / "names.txt").write_bytes(encoded)
    assert read_list(tmp_path / "names.txt") == [str(tmp_path / "a.jpg"), str(tmp_path / "ß.jpg")]


def test_a_name_may_hold_rare_ends_of_lines(tmp_path):
    (tmp_path / "names.txt").write_text("a\u2028b\x0cc\x85d.jpg\n", encoding="utf-8")
    assert read_list(tmp_path / "names.txt") == [str(tmp_path / "a\u2028b\x0cc\x85d.jpg")]
