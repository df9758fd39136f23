"""Files of known origin, each as the program that it imitates writes it, and what is to be read of them."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import PIL.Image
import pillow_heif
from PIL.PngImagePlugin import PngInfo

IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
WEB_UI = "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Model: sd_xl, Version: v1.9"
PROMPT = json.dumps({"3": {"inputs": {"seed": 1}, "class_type": "KSampler"}})
WORKFLOW = json.dumps({"nodes": [{"id": 1}], "links": []})
_MAKE, _MODEL, _SOFTWARE, _DATE, _DESCRIPTION = 0x010F, 0x0110, 0x0131, 0x0132, 0x010E
_EXIF_IFD, _TAKEN, _COMMENT = 0x8769, 0x9003, 0x9286

Maker = Callable[[Path], object]


def scene(width: int = 96, height: int = 64, seed: int = 0) -> PIL.Image.Image:
    """A picture with contrast: smooth blobs that another seed draws elsewhere."""
    blobs = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    return PIL.Image.fromarray(blobs).resize((width, height), PIL.Image.Resampling.BICUBIC)


def exif_of(tags: dict[int, Any], inner: dict[int, Any] | None = None) -> PIL.Image.Exif:
    exif = PIL.Image.Exif()
    exif.update(tags)
    if inner:
        exif.get_ifd(_EXIF_IFD).update(inner)
    return exif


def packet_of(attributes: str = "", inner: str = "") -> bytes:
    """An XMP packet whose one resource has these properties."""
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:Iptc4xmpExt="{IPTC}" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
        f'{attributes}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def source_packet(term: str) -> bytes:
    return packet_of(f'Iptc4xmpExt:DigitalSourceType="{SOURCE}{term}"')


def png(packed: bool = False, **texts: str) -> Maker:
    def make(path: Path) -> None:
        info = PngInfo()
        for name, text in texts.items():
            info.add_text(name.replace("__", "-"), text, zip=packed)
        scene().save(path, pnginfo=info)

    return make


def png_xmp(packet: bytes) -> Maker:
    def make(path: Path) -> None:
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", packet.decode(), zip=True)
        scene().save(path, pnginfo=info)

    return make


def png_with_text_after_the_pixels(path: Path) -> None:
    png()(path)
    body = b"tEXtparameters\0" + WEB_UI.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    content = path.read_bytes()
    path.write_bytes(content[:-12] + chunk + content[-12:])


def saved(**options: Any) -> Maker:
    return lambda path: scene().save(path, **options)


def heic(path: Path) -> None:
    pillow_heif.register_heif_opener()
    exif = exif_of({_MAKE: "Apple", _MODEL: "iPhone 15", _SOFTWARE: "17.5.1"})
    heif = pillow_heif.from_pillow(scene())
    heif.save(path, exif=exif.tobytes(), quality=50)


def with_segments(path: Path, *segments: tuple[bytes, bytes], **options: Any) -> None:
    """A JPEG with segments of one's own at its beginning."""
    written = io.BytesIO()
    scene().save(written, "JPEG", **options)
    own = b"".join(marker + struct.pack(">H", len(body) + 2) + body for marker, body in segments)
    path.write_bytes(written.getvalue()[:2] + own + written.getvalue()[2:])


def resources(*parts: tuple[int, bytes]) -> tuple[bytes, bytes]:
    """Image resources, as Photoshop and others write them."""
    body = b"".join(
        b"8BIM" + struct.pack(">HHI", number, 0, len(part)) + part + bytes(len(part) % 2) for number, part in parts
    )
    return b"\xff\xed", b"Photoshop 3.0\0" + body


def photoshop(path: Path) -> None:
    tables = [[min(255, 1 + place // 3) for place in range(64)], [min(255, 2 + place // 2) for place in range(64)]]
    xmp = packet_of('xmp:CreatorTool="Adobe Photoshop 26.1" xmp:ModifyDate="2025-03-01T10:00:00+01:00"')
    with_segments(path, resources((0x0406, bytes(7))), xmp=xmp, qtables=tables)


def facebook(path: Path) -> None:
    with_segments(path, resources((0x0404, b"\x1c\x02\x28\x00\x0aFBMD012345")), quality=71)


def thumbnail_exif(shown: PIL.Image.Image) -> bytes:
    """The EXIF of a camera that put this thumbnail into its file."""
    written = io.BytesIO()
    shown.save(written, "JPEG")
    content, make = written.getvalue(), b"Cam\0"
    first = b"II*\0" + struct.pack("<IHHHI4sI", 8, 1, _MAKE, 2, len(make), make, 26)
    second = struct.pack("<HHHIIHHIII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, len(content), 0)
    return b"Exif\0\0" + first + second + content


def with_thumbnail(shown: PIL.Image.Image) -> Maker:
    return lambda path: scene(480, 320).save(path, exif=thumbnail_exif(shown), quality=90)


def video(tags: dict[str, str], **options: str) -> Maker:
    def make(path: Path) -> None:
        flags = {"movflags": "use_metadata_tags", **options} if path.suffix in (".mp4", ".mov") else {}
        with av.open(str(path), "w", options=flags) as container:
            container.metadata.update(tags)
            stream = container.add_stream("mpeg4", rate=10)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            for number in range(2):
                frame = av.VideoFrame.from_ndarray(np.asarray(scene(seed=number)), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 10)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

    return make


def video_with_xmp(path: Path) -> None:
    """An MP4 with a box of XMP at its end."""
    video({})(path)
    body = bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + source_packet("trainedAlgorithmicMedia")
    path.write_bytes(path.read_bytes() + struct.pack(">I", len(body) + 8) + b"uuid" + body)


def gif_with_xmp(path: Path) -> None:
    """A GIF with a block of XMP before its last byte, as the specification of XMP lays it out."""
    scene().save(path)
    trailer = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    block = b"\x21\xff\x0bXMP DataXMP" + source_packet("trainedAlgorithmicMedia") + trailer
    path.write_bytes(path.read_bytes()[:-1] + block + b";")


def novelai() -> Maker:
    settings = json.dumps({"prompt": "a cat", "steps": 28, "uc": "dog", "sampler": "k_euler"})
    return png(Title="NovelAI generated image", Software="NovelAI", Source="NovelAI Diffusion V4", Comment=settings)


def web_ui_in_exif() -> Maker:
    comment = b"UNICODE\0" + WEB_UI.encode("utf-16-be")
    return saved(exif=exif_of({}, {_COMMENT: comment}), quality=80)


def aigc(label: int) -> str:
    return json.dumps({"Label": str(label), "ContentProducer": "001", "ProduceID": "1"})


CAMERA = exif_of(
    {_MAKE: "Canon", _MODEL: "Canon EOS R6", _SOFTWARE: "GIMP 3.0", _DATE: "2025:01:02 10:00:00"},
    {_TAKEN: "2024:12:31 23:59:00"},
)
FLUX = exif_of({_MAKE: "Black Forest Labs", _MODEL: "flux-dev", _SOFTWARE: "AI generated;txt2img;flux"})
COMFY = exif_of({_MAKE: f"workflow:{WORKFLOW}", _MODEL: f"prompt:{PROMPT}"})
PHONE = {"com.apple.quicktime.make": "Apple", "com.apple.quicktime.model": "iPhone 15 Pro",
         "com.apple.quicktime.software": "18.1", "com.apple.quicktime.creationdate": "2024-06-01T12:00:00+0200"}  # fmt: skip
ATTRIBUTES = f'Iptc4xmpExt:AISystemUsed="Painter 3" Iptc4xmpExt:DigitalSourceType="{SOURCE}trainedAlgorithmicMedia"'
PART = f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{SOURCE}compositeWithTrainedAlgorithmicMedia"/>'
LABEL = f"<TC260:AIGC>{aigc(2).replace(chr(34), '&quot;')}</TC260:AIGC>"

FILES: dict[str, tuple[Maker, dict[str, Any]]] = {
    "nothing.png": (png(), {"says": None}),
    "nothing.jpg": (saved(quality=83), {"says": None, "jpeg_standard_quality": 83}),
    "nothing.bmp": (saved(), {"says": None, "jpeg_tables": None}),
    "web-ui.png": (png(parameters=WEB_UI), {"says": "ai_made", "generator": "Stable Diffusion web UI, sd_xl"}),
    "web-ui-packed.png": (png(True, parameters=WEB_UI), {"generator": "Stable Diffusion web UI, sd_xl"}),
    "web-ui-last.png": (png_with_text_after_the_pixels, {"generator": "Stable Diffusion web UI, sd_xl"}),
    "web-ui.jpg": (web_ui_in_exif(), {"says": "ai_made", "generator": "Stable Diffusion web UI, sd_xl"}),
    "comfyui.png": (png(prompt=PROMPT, workflow=WORKFLOW), {"says": "ai_made", "generator": "ComfyUI"}),
    "comfyui.webp": (saved(exif=COMFY), {"says": "ai_made", "generator": "ComfyUI", "camera": None}),
    "comfyui.mp4": (video({"prompt": PROMPT}), {"says": "ai_made", "generator": "ComfyUI"}),
    "comfyui-comment.mp4": (video({"comment": json.dumps({"prompt": PROMPT})}), {"generator": "ComfyUI"}),
    "invokeai.png": (png(invokeai_metadata='{"positive_prompt": "a cat"}'), {"generator": "InvokeAI"}),
    "novelai.png": (novelai(), {"says": "ai_made", "generator": "NovelAI generated image", "programs": ("NovelAI",)}),
    "fooocus.png": (png(fooocus_scheme="fooocus", parameters='{"base_model": "a"}'), {"generator": "Fooocus"}),
    "swarmui.png": (png(parameters='{"sui_image_params": {}}'), {"generator": "SwarmUI"}),
    "midjourney.png": (
        png(Description="a cat --v 7 Job ID: 01234567-89ab-cdef-0123-456789abcdef"),
        {"says": "ai_made", "generator": "Midjourney"},
    ),
    "flux.jpg": (saved(exif=FLUX), {"says": "ai_made", "generator": "Black Forest Labs", "camera": None}),
    "iptc-ai.jpg": (
        saved(xmp=source_packet("trainedAlgorithmicMedia")),
        {"says": "ai_made", "digital_source_type": "trainedAlgorithmicMedia"},
    ),
    "iptc-part.webp": (
        saved(xmp=packet_of(inner=PART)),
        {"says": "ai_part", "digital_source_type": "compositeWithTrainedAlgorithmicMedia"},
    ),
    "iptc-system.avif": (saved(xmp=packet_of(ATTRIBUTES)), {"says": "ai_made", "ai_system": "Painter 3"}),
    "iptc-algorithm.png": (png_xmp(source_packet("algorithmicMedia")), {"says": "synthetic"}),
    "iptc-camera.tif": (
        saved(tiffinfo={700: source_packet("digitalCapture")}),
        {"says": "camera", "digital_source_type": "digitalCapture"},
    ),
    "iptc-unknown.jpg": (saved(xmp=source_packet("newWord")), {"says": None, "digital_source_type": "newWord"}),
    "iptc-ai.mp4": (video_with_xmp, {"says": "ai_made", "digital_source_type": "trainedAlgorithmicMedia"}),
    "iptc-ai.gif": (gif_with_xmp, {"says": "ai_made", "digital_source_type": "trainedAlgorithmicMedia"}),
    "aigc.png": (png(AIGC=aigc(1)), {"says": "ai_made", "aigc_label": "Label 1"}),
    "aigc.mp4": (video({"AIGC": aigc(1)}), {"says": "ai_made", "aigc_label": "Label 1"}),
    "aigc-maybe.jpg": (saved(xmp=packet_of(inner=LABEL)), {"says": None, "aigc_label": "Label 2"}),
    "camera.jpg": (
        saved(exif=CAMERA),
        {
            "says": "camera", "camera": "Canon EOS R6", "programs": ("GIMP 3.0",), "captured": "2024-12-31T23:59:00",
            "saved": "2025-01-02T10:00:00", "signs": ("saved_later",),
        },
    ),
    "future.jpg": (
        saved(exif=exif_of({_MODEL: "Pixel 9"}, {_TAKEN: "2999:01:01 00:00:00"})),
        {"camera": "Pixel 9", "signs": ("captured_after_written",)},
    ),
    "phone.heic": (heic, {"says": "camera", "camera": "Apple iPhone 15", "programs": ("17.5.1",)}),
    "phone.mov": (
        video(PHONE),
        {"says": "camera", "camera": "Apple iPhone 15 Pro", "captured": "2024-06-01T12:00:00+02:00"},
    ),
    "thumbnail.jpg": (with_thumbnail(scene(160, 107)), {"says": "camera", "camera": "Cam", "signs": ()}),
    "thumbnail-turned.jpg": (with_thumbnail(scene(160, 107).rotate(90, expand=True)), {"signs": ()}),
    "thumbnail-edited.jpg": (with_thumbnail(scene(160, 107, seed=1)), {"signs": ("thumbnail_differs",)}),
    "photoshop.jpg": (
        photoshop,
        {
            "says": "software", "programs": ("Adobe Photoshop 26.1", "Adobe Photoshop"), "jpeg_tables": "own",
            "saved": "2025-03-01T10:00:00+01:00",
        },
    ),
    "facebook.jpg": (facebook, {"programs": ("Facebook or Instagram",), "jpeg_standard_quality": 71}),
    "comment.jpg": (saved(comment=b"CREATOR: gd-jpeg v1.0"), {"says": "software", "programs": ("CREATOR: gd-jpeg v1.0",)}),
    "encoder.mkv": (video({}), {"says": "software", "jpeg_tables": None}),
}  # fmt: skip
"""By name: what makes the file, and what is to be read of it. The keys of marks stand for their texts."""
