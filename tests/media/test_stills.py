"""Pictures of every kind, whole and as a viewer shows them."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import cv2
import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
import pillow_heif
import pytest

from deepfake.errors import MediaError
from deepfake.media import formats, kind_of, open_media, picture, read_picture
from deepfake.media.formats import sniffed
from deepfake.media.tiff import MAX_PAGES
from deepfake.records import Note


def quarters(height=256, width=256):
    """Red, green, blue and white quarters: a part that is missing, a turn and a mirror show."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2], image[: height // 2, width // 2 :] = (255, 0, 0), (0, 255, 0)
    image[height // 2 :, : width // 2], image[height // 2 :, width // 2 :] = (0, 0, 255), (255, 255, 255)
    return image


def centres(image):
    """The colours in the middle of the four quarters, rounded to light or dark."""
    height, width = image.shape[:2]
    places = [
        (height // 4, width // 4),
        (height // 4, 3 * width // 4),
        (3 * height // 4, width // 4),
        (3 * height // 4, 3 * width // 4),
    ]
    return [tuple(int(value > 127) for value in image[place]) for place in places]


UPRIGHT = centres(quarters())


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_a_heic_and_an_avif_are_one_picture(tmp_path, suffix):
    path = tmp_path / f"still.{suffix}"
    drawn = PIL.Image.fromarray(quarters())
    pillow_heif.from_pillow(drawn).save(path) if suffix == "heic" else drawn.save(path)
    assert kind_of(path) == "picture"
    reader = open_media(path)
    (frame,) = reader
    assert (reader.kind, frame.image.shape, centres(frame.image)) == ("picture", (256, 256, 3), UPRIGHT)


def test_all_tiles_of_a_still_are_put_together(tmp_path):
    path = tmp_path / "tiles.heic"
    pillow_heif.from_pillow(PIL.Image.fromarray(quarters(512, 512))).save(path, tile_size=256)
    assert b"grid" in path.read_bytes()
    (frame,) = open_media(path)
    assert (frame.image.shape, centres(frame.image)) == ((512, 512, 3), UPRIGHT)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_turns_and_mirrors_of_an_avif_are_undone(tmp_path, orientation):
    undone = {2: PIL.Image.Transpose.FLIP_LEFT_RIGHT, 3: PIL.Image.Transpose.ROTATE_180, 4: PIL.Image.Transpose.FLIP_TOP_BOTTOM,
              5: PIL.Image.Transpose.TRANSPOSE, 6: PIL.Image.Transpose.ROTATE_90, 7: PIL.Image.Transpose.TRANSVERSE,
              8: PIL.Image.Transpose.ROTATE_270}[orientation]  # fmt: skip
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    # Pillow writes the orientation as the boxes `irot` and `imir`.
    PIL.Image.fromarray(quarters(128, 256)).transpose(undone).save(tmp_path / "turned.avif", exif=exif)
    image = read_picture(tmp_path / "turned.avif").image
    assert (image.shape, centres(image)) == ((128, 256, 3), UPRIGHT)


def test_several_stills_in_one_file_are_its_pages_the_primary_one_first(tmp_path):
    path = tmp_path / "burst.heic"
    file = pillow_heif.from_pillow(PIL.Image.new("RGB", (64, 64), "black"))
    file.add_from_pillow(PIL.Image.new("RGB", (64, 64), "white"))
    file.save(path, primary_index=1)
    reader = open_media(path)
    assert [round(frame.image.mean() / 255) for frame in reader] == [1, 0]
    assert reader.notes == (Note.PAGES,)


def motion_photo(path):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description GCamera:MotionPhoto="1"/></x:xmpmeta>'
    PIL.Image.fromarray(quarters()).save(path, xmp=xmp)


def live_photo(path):
    exif = PIL.Image.Exif()
    note = b"Apple iOS\0\0\x01MM" + struct.pack(">H", 1) + struct.pack(">HHII", 0x11, 2, 4, 0)
    exif.get_ifd(0x8769)[0x927C] = note
    heif = pillow_heif.from_pillow(PIL.Image.fromarray(quarters()))
    heif.info["exif"] = exif.tobytes()
    heif.save(path)


@pytest.mark.parametrize(("name", "write"), [("motion.jpg", motion_photo), ("live.heic", live_photo)])
def test_of_a_photo_that_moves_the_still_is_taken_and_that_is_said(tmp_path, name, write):
    write(tmp_path / name)
    reader = open_media(tmp_path / name)
    (frame,) = reader
    assert (reader.kind, reader.notes, centres(frame.image)) == ("picture", (Note.STILL_OF_VIDEO,), UPRIGHT)


def test_every_page_of_a_tiff_is_read_and_thumbnails_are_not(tmp_path):
    path = tmp_path / "pages.tif"
    pages = [PIL.Image.new("RGB", (64, 64), (shade, shade, shade)) for shade in (10, 90, 170, 200)]
    pages[1].encoderinfo = {"tiffinfo": {254: 1}}
    pages[0].save(path, save_all=True, append_images=pages[1:])
    reader = open_media(path)
    assert [int(frame.image.mean()) for frame in reader] == [10, 170, 200]
    assert (len(reader), reader.notes) == (3, (Note.PAGES,))


def test_a_page_that_is_broken_costs_itself_alone(tmp_path):
    path = tmp_path / "pages.tif"
    pages = [PIL.Image.effect_noise((64, 64), 50).convert("RGB") for _ in range(3)]
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="tiff_deflate")
    content = bytearray(path.read_bytes())
    picture: Any
    with PIL.Image.open(path) as picture:
        assert isinstance(picture, PIL.TiffImagePlugin.TiffImageFile)
        picture.seek(1)
        (start,), (length,) = picture.tag_v2[273][:1], picture.tag_v2[279][:1]
    content[start : start + length] = bytes(length)
    path.write_bytes(content)
    reader = open_media(path)
    assert [frame.index for frame in reader] == [0, 2]
    assert reader.frames_failed == 1


def test_a_book_of_too_many_pages_is_refused_with_the_remedy(tmp_path):
    page = PIL.Image.new("L", (1, 1))
    page.save(tmp_path / "book.tif", save_all=True, append_images=[page] * MAX_PAGES)
    with pytest.raises(MediaError, match="has 201 pages; 1 to 200 are read. Divide it: tiffsplit book.tif"):
        open_media(tmp_path / "book.tif")


def tiff(samples, *, depth, sample_format=1, big=False):
    """An uncompressed TIFF of RGB numbers, each packed already."""
    height, width = samples.shape[:2]
    entries = [
        (256, width),
        (257, height),
        (258, depth),
        (259, 1),
        (262, 2),
        (277, 3),
        (278, height),
        (339, sample_format),
    ]
    count, step, wide = len(entries) + 2, 20 if big else 12, "Q" if big else "I"
    start = 16 if big else 8
    end = start + (8 if big else 2) + count * step + (8 if big else 4)
    pixels = end + 12
    values = [(tag, 3, 1, value) for tag, value in entries] + [(273, 4, 1, pixels), (279, 4, 1, samples.nbytes)]
    values = [(tag, 3, 3, end if tag == 258 else end + 6) if tag in (258, 339) and not big else (tag, kind, number, value)
              for tag, kind, number, value in sorted(values)]  # fmt: skip
    head = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16) if big else struct.pack("<2sHI", b"II", 42, 8)
    body = struct.pack("<Q" if big else "<H", count)
    for tag, kind, number, value in values:
        if big and tag in (258, 339):
            body += struct.pack("<HHQHHHxx", tag, 3, 3, value, value, value)
        else:
            body += struct.pack(f"<HH{wide}{wide}", tag, kind, number, value)
    body += struct.pack(f"<{wide}", 0) + struct.pack("<3H", *[depth] * 3) + struct.pack("<3H", *[sample_format] * 3)
    return head + body + samples.tobytes()


@pytest.mark.parametrize("big", [False, True], ids=["tiff", "bigtiff"])
@pytest.mark.parametrize("kind", ["8", "16", "float", "float255"])
def test_a_tiff_of_any_depth_gives_the_same_pixels(tmp_path, kind, big):
    image = quarters(32, 48)
    image[:16, :24] = (200, 90, 40)
    samples, depth, sample_format = {
        "8": (image, 8, 1),
        "16": (image.astype(np.uint16) * 257, 16, 1),
        "float": ((image / 255).astype(np.float32), 32, 3),
        "float255": (image.astype(np.float32), 32, 3),
    }[kind]
    (tmp_path / "deep.tif").write_bytes(tiff(samples, depth=depth, sample_format=sample_format, big=big))
    np.testing.assert_array_equal(read_picture(tmp_path / "deep.tif").image, image)


def test_twelve_bits_a_number_are_read(tmp_path):
    grey = np.tile(np.arange(0, 240, 5, dtype=np.uint8), (16, 1))
    deep = grey.astype(np.uint16) << 4
    packed = np.stack([deep[:, ::2] >> 4, (deep[:, ::2] & 15) << 4 | deep[:, 1::2] >> 8, deep[:, 1::2] & 255], axis=-1)
    content = packed.astype(np.uint8).tobytes()
    entries = [
        (256, 48),
        (257, 16),
        (258, 12),
        (259, 1),
        (262, 1),
        (273, 122),
        (277, 1),
        (278, 16),
        (279, len(content)),
    ]
    body = struct.pack("<2sHIH", b"II", 42, 8, 9) + b"".join(
        struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, 1, value) for tag, value in entries
    )
    (tmp_path / "deep.tif").write_bytes(body + bytes(4) + content)
    found = read_picture(tmp_path / "deep.tif").image
    assert np.abs(found[..., 0].astype(int) - grey).max() <= 1


@pytest.mark.parametrize("suffix", ["gif", "jp2", "ppm", "pgm", "tga", "ico", "jfif", "bmp"])
def test_other_formats_are_read_as_well(tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    drawn = PIL.Image.fromarray(quarters(64, 64))
    drawn = drawn.convert("L") if suffix == "pgm" else drawn
    drawn.save(
        path,
        **(
            {"format": "JPEG", "quality": 95}
            if suffix == "jfif"
            else {"bitmap_format": "bmp", "sizes": [(64, 64)]}
            if suffix == "ico"
            else {}
        ),
    )
    assert kind_of(path) == "picture"
    image = read_picture(path).image
    assert image.shape == (64, 64, 3)
    if suffix != "pgm":
        assert centres(image) == UPRIGHT


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
@pytest.mark.parametrize("packed", [None, "tga_rle"])
def test_a_tga_is_known_by_its_header_whatever_its_name_and_end(tmp_path, mode, packed):
    path = tmp_path / "picture"
    PIL.Image.fromarray(quarters(64, 64)).convert(mode).save(path, "TGA", compression=packed)
    content = path.read_bytes()
    assert content.endswith(b"TRUEVISION-XFILE.\0")
    path.write_bytes(content[:-26])
    image = read_picture(path).image
    assert image.shape == (64, 64, 3)
    if mode != "L":
        assert centres(image) == UPRIGHT


def test_what_makes_no_sense_as_a_header_is_no_tga(rng):
    drawn = [rng.integers(0, 256, 64, dtype=np.uint8).tobytes() for _ in range(20_000)]
    assert sum(sniffed(head) == "TGA" for head in drawn) == 0
    assert sniffed(bytes(64)) is None


def test_what_is_far_larger_is_shrunk_while_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(picture, "MAX_PIXELS", 64 * 64)
    PIL.Image.fromarray(quarters(256, 192)).save(tmp_path / "large.jpg", quality=95)
    image = read_picture(tmp_path / "large.jpg").image
    assert (image.shape, centres(image)) == ((64, 48, 3), UPRIGHT)


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [
        *((suffix, mode) for suffix in ("png", "tif") for mode in ("RGB", "RGBA", "P", "L", "LA", "I;16", "1")),
        *(("webp", mode) for mode in ("RGB", "RGBA")),
    ],
)
def test_what_is_larger_than_it_may_be_is_shrunk_once_it_is_decoded(tmp_path, monkeypatch, suffix, mode):
    path = tmp_path / f"large.{suffix}"
    large = PIL.Image.fromarray(quarters(258, 194))
    grey = np.asarray(large.convert("L"))
    deep = PIL.Image.fromarray(grey.astype(np.uint16) * 257)
    (deep if mode == "I;16" else large.convert(mode)).save(path)
    monkeypatch.setattr(formats, "MAX_PIXELS", 64 * 64)
    image = read_picture(path).image
    assert image.shape == (65, 49, 3)
    plain = large.convert(mode).convert("RGB") if mode != "I;16" else large.convert("L").convert("RGB")
    expected = np.asarray(plain.resize((49, 65), PIL.Image.Resampling.BOX))
    assert np.abs(image.astype(int) - expected).mean() < 12
    assert image.mean() == pytest.approx(np.asarray(plain).mean(), abs=2)


def test_a_large_webp_is_turned_as_its_exif_says_and_is_white_where_it_is_clear(tmp_path, monkeypatch):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    drawn = np.dstack([quarters(128, 192), np.full((128, 192), 255, np.uint8)])
    drawn[:, :48] = (0, 0, 0, 0)
    PIL.Image.fromarray(drawn).save(tmp_path / "a.webp", lossless=True, exif=exif)
    usual = read_picture(tmp_path / "a.webp").image
    monkeypatch.setattr(formats, "MAX_PIXELS", 64 * 64)
    large = read_picture(tmp_path / "a.webp").image
    assert large.shape == (64, 43, 3) == (*(-(-side // 3) for side in usual.shape[:2]), 3)
    small = cv2.resize(usual, (43, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(large.astype(int) - small).mean() < 4
    (tmp_path / "a.webp").write_bytes((tmp_path / "a.webp").read_bytes()[:-40])
    with pytest.raises(MediaError, match="damaged"):
        read_picture(tmp_path / "a.webp")


def test_a_jpeg_of_a_phone_of_two_hundred_megapixels_is_read(tmp_path):
    cv2.imwrite(str(tmp_path / "phone.jpg"), np.zeros((12_000, 16_000), np.uint8))
    assert read_picture(tmp_path / "phone.jpg").image.shape == (6000, 8000, 3)


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


@pytest.mark.parametrize("broken", [
    chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80_000_000))),
    chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n 4\nnot hex\n")),
    chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 4\nnot hex\n"),
    chunk(b"eXIf", b"nothing of the kind"),
    chunk(b"iCCP", b"profile\0\0nothing compressed"),
    chunk(b"tEXt", b"Comment\0broken")[:-4] + b"\0\0\0\0",
    chunk(b"pHYs", b"1"),
], ids=["vast text", "zipped exif that is no hex", "exif that is no hex", "no exif", "no profile", "wrong checksum", "no resolution"])  # fmt: skip
def test_metadata_never_cost_the_pixels_of_a_png(tmp_path, broken):
    path = tmp_path / "broken.png"
    PIL.Image.fromarray(quarters(32, 32)).save(path)
    content = path.read_bytes()
    path.write_bytes(content[:33] + broken + content[33:])
    np.testing.assert_array_equal(read_picture(path).image, quarters(32, 32))


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_exif_that_makes_no_sense_costs_no_pixels(tmp_path, suffix):
    path = tmp_path / f"odd.{suffix}"
    PIL.Image.fromarray(quarters(64, 64)).save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\x7fnothing", quality=95)
    assert centres(read_picture(path).image) == UPRIGHT
