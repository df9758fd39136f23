"""Models of the Hugging Face Hub, from a server on this machine that answers as it does."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from deepfake.cli.main import main
from deepfake.errors import BundleError
from deepfake.model import hugging_face
from deepfake.model.bundle import DEFAULT_MODEL, load_bundle
from deepfake.model.hub import find_model
from deepfake.model.hugging_face import SUMS, HubModel, read_address, stage
from deepfake.model.metrics import read_metrics

pytest.importorskip("huggingface_hub")
COMMIT = "c" * 40


class Hub(ThreadingHTTPServer):
    """Serves the files of one repository, `me/light-7`, at one commit and as `v1`; `asked` notes what was sent."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked, self.promised = {}, [], {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_HEAD(self):
        self.answer(sends=False)

    def do_GET(self):
        self.answer(sends=True)

    def answer(self, sends):
        if self.path == "/api/models/me/light-7":
            return self.reply(200, json.dumps({"id": "me/light-7", "sha": COMMIT}).encode(), {}, sends)
        *_, revision, name = self.path.split("/")
        place = f"/me/light-7/resolve/{revision}/{name}"
        if self.path != place or revision not in ("v1", COMMIT) or name not in self.server.files:
            return self.reply(404, b"", {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}, sends)
        content = self.server.files[name]
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
        if sends:
            self.server.asked.append((name, self.headers["User-Agent"]))
        return self.reply(200, content, headers, sends, self.server.promised.get(name))

    def reply(self, status, content, headers, sends, promised=None):
        self.send_response(status)
        length = len(content) if sends or promised is None else promised
        for name, value in {**headers, "Content-Length": str(length), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        if sends:
            self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """The shipped model as a repository, and the checksum that proves it."""
    folder = tmp_path_factory.mktemp("staged")
    return folder, stage(DEFAULT_MODEL, folder)


def point_at(endpoint, monkeypatch):
    """Makes huggingface_hub, which reads its environment when it is imported, ask another server."""
    from huggingface_hub import constants

    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)


@pytest.fixture
def hub(staged, monkeypatch, tmp_path):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("DEEPFAKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with Hub() as server:
        point_at(f"http://127.0.0.1:{server.server_port}", monkeypatch)
        server.files = {path.name: path.read_bytes() for path in staged[0].iterdir() if path.is_file()}
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def address(staged):
    return f"hf://me/light-7@v1#sha256={staged[1]}"


def test_an_address_is_read():
    digits = "0123456789abcDEF" * 4
    assert read_address(f"hf://me/light-7@refs/pr/1#sha256={digits}") == HubModel(
        "me/light-7", "light-7", "refs/pr/1", digits.lower()
    )
    for wrong in (
        "hf://light-7@v1",
        "hf://me/light-7",
        "hf://me/light-7@v1#sha256=abc",
        "hf://me/../x@v1",
        "hf://me/a b@v1",
    ):
        with pytest.raises(BundleError, match=r"must be hf://OWNER/NAME@REVISION#sha256=.*Received: hf://"):
            read_address(wrong)


def test_a_model_is_fetched_once_whole_and_proved(hub, address, tmp_path, capfd):
    seen = []
    folder = find_model(address, progress=lambda done, total: seen.append((done, total)))
    assert folder == tmp_path / "cache" / f"light-7-{address[-64:][:12]}"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        name: content for name, content in hub.files.items() if name != SUMS
    }
    assert load_bundle(folder) == load_bundle(DEFAULT_MODEL)
    assert read_metrics(folder) == read_metrics(DEFAULT_MODEL)
    assert seen == sorted(seen)
    assert seen[-1] == (sum(path.stat().st_size for path in folder.iterdir()),) * 2
    assert [name for name, _ in hub.asked] == [SUMS, *sorted(path.name for path in folder.iterdir())]
    assert all("deepfake/" in agent for _, agent in hub.asked)
    assert list((tmp_path / "cache").iterdir()) == [folder]
    hub.files.clear()
    assert find_model(address) == folder
    assert capfd.readouterr() == ("", "")


def test_detect_takes_a_proved_model_and_another_only_with_trust(hub, address, examples, tmp_path):
    picture = str(examples / "portrait.jpg")
    bare = address.partition("#")[0]
    call = CliRunner().invoke(main, ["detect", picture, "--model", address, "--json"])
    assert json.loads(call.stdout)["model"]["name"] == "light-5"
    call = CliRunner().invoke(main, ["detect", picture, "--model", bare])
    assert call.exit_code == 1
    assert "An address proves nothing" in call.output
    assert "pass --trust" in call.output
    call = CliRunner().invoke(main, ["detect", picture, "--model", bare, "--trust"])
    assert call.exit_code == 0
    # What nobody vouches for is not where that lies which was proved.
    (unproved,) = (tmp_path / "cache-unproved").iterdir()
    call = CliRunner().invoke(main, ["detect", picture, "--model", str(unproved)])
    assert "nobody vouches for them" in call.output
    del hub.files["model.tflite"]
    assert CliRunner().invoke(main, ["detect", picture, "--model", bare, "--trust"]).exit_code == 0


def nothing_is_left(tmp_path):
    return list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("name", ["model.tflite", "metrics.json", "bundle.json"])
def test_a_file_that_is_not_the_one_promised_is_refused(hub, address, tmp_path, name):
    hub.files[name] = hub.files[name].replace(b"0", b"1", 1)
    with pytest.raises(BundleError, match=f"{name} of me/light-7 must have the checksum in its SHA256SUMS"):
        find_model(address)
    assert nothing_is_left(tmp_path)


def test_a_list_that_is_not_the_one_promised_is_refused(hub, address, tmp_path):
    hub.files[SUMS] += b"\n"
    with pytest.raises(
        BundleError, match=r"SHA256SUMS of me/light-7 must have the checksum in the address, .* Received"
    ):
        find_model(address)
    assert [name for name, _ in hub.asked] == [SUMS]
    assert nothing_is_left(tmp_path)


LINE = "0" * 64


@pytest.mark.parametrize("text", [
    "", "<html>", f"{LINE}  ../bundle.json\n", f"{LINE}  a/bundle.json\n", f"{LINE}  model.tflite\n",
    f"{LINE}  bundle.json\n{LINE}  Bundle.json\n", f"{LINE}  bundle.json\n" + "".join(f"{LINE}  f{n}\n" for n in range(100)),
])  # fmt: skip
def test_a_list_of_something_else_is_refused(hub, tmp_path, text):
    hub.files[SUMS] = text.encode()
    proof = hashlib.sha256(hub.files[SUMS]).hexdigest()
    with pytest.raises(BundleError, match="SHA256SUMS of me/light-7 must (list a bundle's files|have at most)"):
        find_model(f"hf://me/light-7@v1#sha256={proof}")
    assert nothing_is_left(tmp_path)


def test_what_is_too_large_is_refused_unread_and_what_is_larger_than_was_said_is_cut(
    hub, address, monkeypatch, tmp_path
):
    monkeypatch.setattr(hugging_face, "LARGEST", 1_000_000)
    with pytest.raises(BundleError, match=r"of me/light-7 must have at most 1000000 bytes, .* Received: \d{7,}"):
        find_model(address)
    assert [name for name, _ in hub.asked] == [SUMS]
    hub.promised["model.tflite"] = 5000
    monkeypatch.setattr(hugging_face, "LARGEST", 200_000_000)
    with pytest.raises(BundleError, match="model.tflite of me/light-7 must have the 5000 bytes that the Hub promised"):
        find_model(address)
    assert nothing_is_left(tmp_path)


def test_what_is_not_there_ends_in_a_line(hub, address, tmp_path, monkeypatch):
    for wrong in (address.replace("@v1", "@v2"), address.replace("light-7", "light-8")):
        with pytest.raises(
            BundleError, match=r"SHA256SUMS of me/light-\d at v\d could not be fetched .* Check the network"
        ):
            find_model(wrong)
    point_at("http://127.0.0.1:9", monkeypatch)
    with pytest.raises(BundleError, match="could not be fetched from the Hugging Face Hub"):
        find_model(address)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(BundleError, match=r"needs huggingface_hub: pip install 'deepfake\[hub\]'"):
        find_model(address)
    assert nothing_is_left(tmp_path)


def test_a_damaged_bundle_is_not_staged(staged, tmp_path):
    for name, content, message in (
        (".DS_Store", b"", r"Names in a bundle must match .* Received: \.DS_Store"),
        ("model.tflite", b"x", "does not match its checksum"),
    ):
        copy = tmp_path / name
        stage(DEFAULT_MODEL, copy)
        (copy / name).write_bytes(content)
        with pytest.raises(BundleError, match=message):
            stage(copy, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_pushed_can_be_fetched(hub, root, tmp_path, monkeypatch):
    """A stand-in for hf gives the server what it is told to upload."""
    stand_in = tmp_path / "bin" / "hf"
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/usr/bin/env bash\necho said\n[ "$1" = repos ] || cp -r "$3" {tmp_path}/uploaded\n')
    stand_in.chmod(0o755)
    (stand_in.parent / "python3").write_text(f'#!/usr/bin/env bash\nexec {sys.executable} "$@"\n')
    (stand_in.parent / "python3").chmod(0o755)
    environment = {**os.environ, "PATH": f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"}
    call = [root / "scripts" / "push_model.sh", "me/light-7", DEFAULT_MODEL]
    done = subprocess.run(call, env=environment, capture_output=True, text=True, check=True)
    uploaded = tmp_path / "uploaded"
    assert {path.relative_to(uploaded) for path in uploaded.rglob("*")} == {
        path.relative_to(DEFAULT_MODEL) for path in DEFAULT_MODEL.rglob("*")
    } | {(uploaded / SUMS).relative_to(uploaded)}
    hub.files = {path.name: path.read_bytes() for path in uploaded.iterdir() if path.is_file()}
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"hf://me/light-7@{COMMIT}#sha256=")
    assert load_bundle(find_model(line)).model == load_bundle().model
