from __future__ import annotations

import shutil

import pytest

from deepfake.errors import LimitError, MediaError
from deepfake.page import uploads
from deepfake.page.uploads import check_upload, open_upload, without_path


def test_pictures_and_videos_are_let_in(examples):
    assert check_upload(examples / "portrait.jpg", [examples]) == "picture"
    assert check_upload(examples / "half_fake.mp4", [examples], "video") == "video"


def test_the_content_must_be_known_and_the_name_says_nothing(tmp_path, examples):
    for name in ("a.exe", "blob", "photo.HEIC"):
        shutil.copy(examples / "portrait.jpg", tmp_path / name)
        assert check_upload(tmp_path / name, [tmp_path]) == "picture"
    for name, content, message in (
        ("a.jpg", b"MZ", "neither a picture"),
        ("a.jpg", b"", "is empty"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MediaError, match=message):
            check_upload(tmp_path / name, [tmp_path])
    shutil.copy(examples / "half_fake.mp4", tmp_path / "b.jpg")
    with pytest.raises(MediaError, match="is a video, not a picture. Choose the tab for videos"):
        check_upload(tmp_path / "b.jpg", [tmp_path], "picture")


def test_large_and_long_files_are_refused(monkeypatch, examples):
    monkeypatch.setitem(uploads.MAX_BYTES, "picture", 1000)
    with pytest.raises(LimitError, match="A picture may have at most 0 MB here") as caught:
        check_upload(examples / "portrait.jpg", [examples])
    assert caught.value.status == 413
    monkeypatch.setattr(uploads, "MAX_DURATION_S", 2.0)
    with pytest.raises(LimitError, match="A video may last at most 0 minutes here. Received: 0.1"):
        open_upload(examples / "half_fake.mp4")


def test_only_files_below_the_folders_are_opened(tmp_path, examples):
    here, outside = tmp_path / "uploads", tmp_path / "secret.jpg"
    here.mkdir()
    for path in (here / "a.jpg", outside):
        shutil.copy(examples / "portrait.jpg", path)
    (here / "link.jpg").symlink_to(outside)
    assert check_upload(here / "a.jpg", [here]) == "picture"
    for path in (outside, here / ".." / "secret.jpg", here / "link.jpg", f"{here}x/a.jpg"):
        with pytest.raises(MediaError, match="was not uploaded"):
            check_upload(path, [here])


def test_errors_name_the_file_and_not_the_server(tmp_path):
    path = tmp_path / "a.jpg"
    assert without_path(MediaError(f"{path} is empty"), path) == "a.jpg is empty"
