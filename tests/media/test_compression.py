from __future__ import annotations

import PIL.Image
import pytest

from deepfake.media.compression import jpeg_quality


@pytest.mark.parametrize("quality", [20, 50, 75, 95])
def test_quality_is_the_one_that_a_jpeg_was_written_with(portrait, tmp_path, quality):
    PIL.Image.fromarray(portrait.image).save(tmp_path / "a.jpg", quality=quality)
    assert jpeg_quality(tmp_path / "a.jpg") == pytest.approx(quality, abs=1)


def test_other_files_have_none(portrait, tmp_path):
    PIL.Image.fromarray(portrait.image).save(tmp_path / "a.png")
    assert jpeg_quality(tmp_path / "a.png") is None
    for content in (b"", b"\xff\xd8", b"\xff\xd8\xff\xdb\x00", b"\xff\xd8" + b"\xff\xe0\x00\x02" * 5000):
        (tmp_path / "broken.jpg").write_bytes(content)
        assert jpeg_quality(tmp_path / "broken.jpg") is None
