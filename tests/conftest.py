from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def examples():
    return ROOT / "examples"


@pytest.fixture(scope="session")
def portrait(examples):
    from deepfake.media import read_picture

    return read_picture(examples / "portrait.jpg")


@pytest.fixture(scope="session")
def finder():
    from deepfake.bundle import load_detector
    from deepfake.faces import FaceFinder

    return FaceFinder(load_detector())


@pytest.fixture(scope="session")
def portrait_face(finder, portrait):
    (face,) = finder.find([portrait])[0]
    return face


@pytest.fixture(scope="session")
def detector():
    from deepfake.pipeline import Detector

    return Detector()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def write_video():
    """Writes frames as a video; `times` are in hundredths of a second, evenly 10 a second if absent."""

    def write(path, images, times=None, codec="libx264", **options):
        with av.open(str(path), "w", **options) as container:
            stream = container.add_stream(codec, rate=100, options={"crf": "12"} if codec == "libx264" else {})
            stream.height, stream.width = images[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, 100)
            for number, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                frame.pts = times[number] if times else number * 10
                frame.time_base = Fraction(1, 100)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def grey_ramp():
    """Frames of one grey each, 20, 30, 40, ...: a frame says which one it is."""
    return [np.full((64, 96, 3), 20 + 10 * number, np.uint8) for number in range(20)]


@pytest.fixture
def save_png():
    def save(path, image):
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return path

    return save


@pytest.fixture(scope="session")
def studio():
    """Someone who signs: `studio.sign(source, target)` adds Content Credentials, `studio.root` vouches for them."""
    return Studio()


class Studio:
    """A signer with a root of its own."""

    SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"

    def __init__(self, name="Test Studio"):
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
        root, leaf = (self._certificate(name, keys[number], keys[0], number == 0) for number in range(2))
        self.root = root.public_bytes(Encoding.PEM).decode()
        self._chain = leaf.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM)
        self._key = keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, source, target, generator="Test Camera", actions=None, prepare=lambda builder: None, **manifest):
        """Writes `target`: `source` with credentials. `prepare` is shown the builder before it signs."""
        import c2pa

        if actions is None:
            actions = [{"action": "c2pa.created", "digitalSourceType": self.SOURCE + "digitalCapture"}]
        manifest = {
            "claim_generator_info": [{"name": generator, "version": "1.0"}],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}] if actions else [],
            **manifest,
        }
        info = c2pa.C2paSignerInfo(b"es256", self._chain, self._key, None)
        with c2pa.Builder(json.dumps(manifest)) as builder, c2pa.Signer.from_info(info) as signer:
            prepare(builder)
            builder.sign_file(source, target, signer)
        return target

    def _certificate(self, name, own, roots, is_root):
        from cryptography import x509
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

        def named(text):
            return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)])

        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(named(f"{name} root"), named(f"{name} root" if is_root else name))
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(is_root, None), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(roots.public_key()), False)
            .add_extension(x509.KeyUsage(not is_root, False, False, False, False, is_root, is_root, False, False), True)
        )
        if not is_root:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        return builder.sign(roots, SHA256())
