from __future__ import annotations

import http.server
import json
import os
import threading
from dataclasses import dataclass
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
    from deepfake.faces.mtcnn import FaceFinder
    from deepfake.model.bundle import load_detector

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


class Page(http.server.BaseHTTPRequestHandler):
    """`/moved` leads to `/inside`, `/round` to itself; all else is what `content` says."""

    content = b""

    def do_GET(self):
        place = {"/moved": "http://10.0.0.1/a.jpg", "/round": "/round"}.get(self.path)
        self.send_response(302 if place else 404 if self.path == "/gone" else 200)
        if place:
            self.send_header("Location", place)
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_):
        pass


@dataclass
class Site:
    """A site of the web."""

    address: str
    port: int
    page: type[Page]


@pytest.fixture
def site(monkeypatch, examples):
    """A server on this machine that counts as a public one, under the name of its own."""
    from deepfake.system import fetch

    monkeypatch.setattr(Page, "content", (examples / "portrait.jpg").read_bytes())
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        public = fetch._public
        monkeypatch.setattr(
            fetch, "_public", lambda host, *rest: "127.0.0.1" if host == "site.test" else public(host, *rest)
        )
        yield Site(f"http://site.test:{server.server_port}", server.server_port, Page)
        server.shutdown()


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


CONFIG = """
[data]
index = "crops/index.csv"
terms = {{ made = "drawn for the test" }}
{data}
[crop]
size = 64
[network]
alpha = 0.35
backbone = "mobilenet_v2"
streams = "{streams}"
noise_width = 8
dropout = 0.0
[augment]
rescale = 0
blur = 0
noise = 0
jpeg = 0
h264 = 0
erase = 0
move = 0
min_zoom = 1
rotation_deg = 0
[fit]
batch_size = 8
epochs = {epochs}
learning_rate = 0.02
warmup_epochs = 0.2
workers = {workers}
{fit}
"""
LANDMARKS = "21 26 43 26 32 38 23 48 41 48"


def drawn_mesh(size):
    """468 points of a face that looks straight ahead, in a crop of this side."""
    from deepfake.faces import mesh

    points = np.random.default_rng(1).uniform(0.4, 0.6, (mesh.POINTS, 2))
    parts = ((mesh.OUTLINE, 0.5, 0.5, 0.4), (mesh.MOUTH, 0.5, 0.72, 0.1), (mesh.NOSE, 0.5, 0.55, 0.07))
    eyes = ((mesh.RIGHT_EYE, 0.33), (mesh.LEFT_EYE, 0.67), (mesh.RIGHT_BROW, 0.33), (mesh.LEFT_BROW, 0.67))
    for numbers, x, y, radius in (*parts, *((part, x, 0.38, 0.06) for part, x in eyes)):
        turn = np.linspace(0, 2 * np.pi, len(numbers), endpoint=False)
        points[list(numbers)] = np.stack([x + radius * np.sin(turn), y - radius * np.cos(turn)], axis=1)
    return (points * size).astype(np.float32)


def draw_crops(folder, count=24, size=64):
    """Crops with a known truth: fakes carry a fine chequered pattern, reals do not."""
    from deepfake.data.index import Row, write_index

    rng = np.random.default_rng(5)
    chequer = ((np.indices((size, size)).sum(axis=0) % 2) * 24 - 12)[..., None]
    rows = []
    for number in range(count):
        split = ("train", "train", "val", "test")[number % 4]
        smooth = np.full((size, size, 3), rng.integers(60, 200), np.int64) + rng.integers(-4, 5, (size, size, 3))
        for label in ("real", "fake"):
            image = np.clip(smooth + (chequer if label == "fake" else 0), 0, 255).astype(np.uint8)
            method = "chequer" if label == "fake" else ""
            path = folder / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
            place = (f"{label}/{number}.png", label, "made", split, f"g{number}", method, f"{label}{number}")
            rows.append(Row(*place, "", LANDMARKS, "mesh.npy" if label == "real" else ""))
    np.save(folder / "mesh.npy", drawn_mesh(size))
    write_index(folder / "index.csv", rows)
    return folder / "index.csv"


@pytest.fixture
def made_crops(tmp_path):
    def make(count=24, size=64):
        return draw_crops(tmp_path / "crops", count, size)

    return make


def config_text(streams="noise", epochs=6, workers=1, data="", fit=""):
    return CONFIG.format(streams=streams, epochs=epochs, workers=workers, data=data, fit=fit)


@pytest.fixture
def write_config(tmp_path):
    def write(tail="", **options):
        path = tmp_path / "run.toml"
        path.write_text(config_text(**options) + tail)
        return path

    return write


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """A run that learned the drawn crops, and its bundle: `run`, `bundle`, `index`, `report`."""
    from types import SimpleNamespace

    from deepfake.data.config import read_config
    from deepfake.training.calibrate import calibrate
    from deepfake.training.export import export_run
    from deepfake.training.fit import fit

    home = tmp_path_factory.mktemp("drawn")
    index = draw_crops(home / "crops", 48)
    (home / "run.toml").write_text(config_text())
    fit(read_config(home / "run.toml"), home / "run")
    calibrate(home / "run")
    bundle = home / "models" / "drawn-1"
    report = export_run(home / "run", bundle, count=40)
    return SimpleNamespace(home=home, run=home / "run", bundle=bundle, index=index, report=report)
