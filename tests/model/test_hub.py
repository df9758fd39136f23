from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import re
import runpy
import shutil
import stat
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from deepfake import __version__
from deepfake.errors import BundleError
from deepfake.model import download, hub
from deepfake.model.bundle import DEFAULT_MODEL, GRAPHS, load_bundle
from deepfake.model.hub import cache_folder, find_model

PARTS = 1 << 18


class Server(ThreadingHTTPServer):
    """A server of one file, `content`; `behave` may be set to answer otherwise."""

    def __init__(self, content):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave, self.content, self.asked, self.over = honest, content, [], threading.Event()


class Handler(BaseHTTPRequestHandler):
    """Answers as its server's `behave` does, and notes what was asked and how much was sent."""

    protocol_version = "HTTP/1.1"
    server: Server
    note: dict[str, Any]

    def do_GET(self):
        self.close_connection = True
        self.note = {"agent": self.headers["User-Agent"], "sent": 0}
        self.server.asked.append(self.note)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.server.behave(self, self.server.content, len(self.server.asked) - 1)

    def log_message(self, *args):
        pass

    def begin(self, status, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def send(self, content):
        for start in range(0, len(content), PARTS):
            self.wfile.write(content[start : start + PARTS])
            self.note["sent"] += len(content[start : start + PARTS])


def honest(handler, content, number, until=None):
    """All of it; with `until`, the connection ends before that byte."""
    handler.begin(200, Content_Length=len(content))
    handler.send(content[:until])


@pytest.fixture(scope="module")
def script(root):
    return runpy.run_path(str(root / "scripts" / "release.py"))


@pytest.fixture(scope="module")
def release(script, tmp_path_factory):
    """The shipped model as a release."""
    return script["pack"](DEFAULT_MODEL, tmp_path_factory.mktemp("dist")).read_bytes()


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("DEEPFAKE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def server(release):
    with Server(release) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def url_of(server, content=None, name="light-7"):
    proof = hashlib.sha256(server.content if content is None else content).hexdigest()
    return f"http://127.0.0.1:{server.server_port}/{name}.zip#sha256={proof}"


def zip_of(files, links=()):
    """A .zip of names and their contents."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = ((stat.S_IFLNK if name in links else stat.S_IFREG) | 0o644) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def nothing_is_left(cache):
    return list(cache.iterdir()) == []


def test_a_folder_and_a_shipped_name_are_found_without_a_cache(cache, tmp_path):
    assert find_model(tmp_path) == tmp_path
    assert find_model(str(DEFAULT_MODEL)) == find_model("light-5") == DEFAULT_MODEL
    assert not cache.exists()


def test_an_unknown_name_is_refused_with_the_known_ones():
    for text in ("light-9", "mtcnn", "../light-5/bundle.json"):
        with pytest.raises(BundleError, match=f"called '{text}'. Known models: light-5. Pass one of them, the folder"):
            find_model(text)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://a.org/light-7.zip", "must end in the checksum.*Write https://a.org/light-7.zip#sha256=<64 digits>"),
        ("https://a.org/light-7.zip#sha256=abc", "must end in the checksum"),
        ("https://a.org/light-7.zip#md5=" + "0" * 64, "must end in the checksum"),
        ("file:///light-7.zip#sha256=" + "0" * 64, "must be http\\(s\\)://host/name.zip"),
        ("ftp://a.org/light-7.zip#sha256=" + "0" * 64, "must be http"),
        ("https:/a.org/light-7.zip#sha256=" + "0" * 64, "must be http"),
        ("https://me:secret@a.org/light-7.zip#sha256=" + "0" * 64, "must be http"),
        ("https://a.org/light 2.zip#sha256=" + "0" * 64, "must be http"),
        ("https://a.org/..%2Flight.zip#sha256=" + "0" * 64, "name must match"),
        ("https://a.org/..#sha256=" + "0" * 64, "name must match"),
    ],
)
def test_a_url_that_proves_or_names_nothing_is_refused(url, reason, cache):
    with pytest.raises(BundleError, match=reason):
        find_model(url)
    assert not cache.exists()


def test_a_release_is_fetched_once_and_then_needs_no_network(server, cache):
    seen = []
    url = url_of(server)
    folder = find_model(url, progress=lambda done, total: seen.append((done, total)))
    assert folder == cache / f"light-7-{url[-64:][:12]}"
    for graph in GRAPHS:
        assert load_bundle(folder, graph=graph) == load_bundle(DEFAULT_MODEL, graph=graph)
    assert seen == sorted(seen)
    assert seen[-1] == (len(server.content),) * 2
    assert {total for _, total in seen} == {len(server.content)}
    assert server.asked == [{"agent": f"deepfake/{__version__}", "sent": len(server.content)}]
    assert list(cache.iterdir()) == [folder]
    server.shutdown()
    server.server_close()
    assert find_model(url, cache=cache) == folder
    assert len(server.asked) == 1


def test_a_listed_name_is_fetched(server, script, cache, tmp_path):
    url, _, proof = url_of(server, name="file").partition("#sha256=")
    table = tmp_path / "releases.json"
    table.write_text(json.dumps({"light-7": {"url": url, "sha256": proof.upper(), "bytes": len(server.content)}}))
    folder = find_model("light-7", releases=table)
    assert load_bundle(folder).model == load_bundle().model
    assert folder == cache / f"light-7-{proof[:12]}"
    with pytest.raises(BundleError, match="Known models: light-5, light-7. Pass"):
        find_model("light-9", releases=table)
    for text in ("{", "[]", '{"light-7": {}}', '{"light-7": 3}'):
        table.write_text(text)
        with pytest.raises(BundleError, match="releases.json cannot be read .* Restore it"):
            find_model("light-7", releases=table)


def test_nothing_is_said_on_stderr(server, capfd):
    find_model(url_of(server))
    assert capfd.readouterr() == ("", "")


def test_a_broken_connection_is_tried_again(server, cache):
    def fragile(handler, content, number):
        honest(handler, content, number, until=None if number else 5000)

    server.behave, seen = fragile, []
    folder = find_model(url_of(server), progress=lambda done, total: seen.append((done, total)))
    assert load_bundle(folder).model == load_bundle().model
    assert len(server.asked) == 2
    assert seen[-1] == (len(server.content),) * 2
    assert list(cache.iterdir()) == [folder]


def test_a_stalled_server_is_given_up(server, cache, monkeypatch):
    def stall(handler, content, number):
        honest(handler, content, number, until=7000)
        handler.wfile.flush()
        server.over.wait(1)

    monkeypatch.setattr(download, "TIMEOUT_S", 0.1)
    server.behave = stall
    with pytest.raises(BundleError, match="in 3 tries \\(.*timed out.*\\). Check the network"):
        find_model(url_of(server))
    assert nothing_is_left(cache)


def test_a_file_with_another_checksum_is_deleted_before_it_is_unpacked(server, cache, monkeypatch):
    monkeypatch.setattr(hub, "_unpacked", lambda *args: pytest.fail("unpacked"))
    url = url_of(server, content=b"what was promised")
    promised, received = url[-64:], hashlib.sha256(server.content).hexdigest()
    with pytest.raises(
        BundleError, match=f"SHA256 .* expected sha256:{promised} but got {received}. .* the checksum with its"
    ):
        find_model(url)
    assert nothing_is_left(cache)


@pytest.mark.parametrize("length", [{}, {"Content_Length": 200_000_001}, {"Content_Length": 0}])
def test_a_length_that_is_unknown_or_too_large_is_refused_unread(server, cache, length):
    server.behave = lambda handler, content, number: handler.begin(200, **length)
    received = length.get("Content_Length", 0)
    with pytest.raises(BundleError, match=f"must have at most 200000000 bytes, .* Received: {received}. Check"):
        find_model(url_of(server))
    assert len(server.asked) == 1
    assert nothing_is_left(cache)


def test_a_length_that_is_not_the_listed_one_is_refused_unread(server, cache, tmp_path):
    url, _, proof = url_of(server).partition("#sha256=")
    table = tmp_path / "releases.json"
    for size in (len(server.content) - 1, len(server.content) + 1):
        table.write_text(json.dumps({"light-7": {"url": url, "sha256": proof, "bytes": size}}))
        with pytest.raises(BundleError, match=f"must have {size} bytes. Received: {len(server.content)}. Check the ad"):
            find_model("light-7", releases=table)
        assert nothing_is_left(cache)


@pytest.mark.parametrize("packed", [True, False])
def test_an_answer_that_goes_on_beyond_its_length_is_cut(server, cache, packed):
    """Chunks without an end beside a length, or a compressed answer that unpacks to more than its length."""

    def endless(handler, content, number):
        handler.begin(200, Content_Length=100, Transfer_Encoding="chunked")
        while not server.over.is_set():
            handler.send(b"%x\r\n%s\r\n" % (PARTS, bytes(PARTS)))

    def bomb(handler, content, number):
        body = gzip.compress(bytes(50_000_000))
        handler.begin(200, Content_Length=len(body), Content_Encoding="gzip")
        handler.send(body)

    server.behave = bomb if packed else endless
    with pytest.raises(BundleError, match="bytes that its server promised. Received: more"):
        find_model(url_of(server))
    assert nothing_is_left(cache)


def test_a_missing_file_ends_in_a_line(server, cache):
    server.behave = lambda handler, content, number: handler.begin(404, Content_Length=0)
    with pytest.raises(BundleError, match="light-7.zip could not be fetched in 3 tries \\(404 .*Not Found.* address"):
        find_model(url_of(server))
    assert nothing_is_left(cache)


def test_a_busy_server_is_asked_again(server):
    def busy(handler, content, number):
        if number < 2:
            handler.begin(503 if number else 429, Content_Length=0)
        else:
            honest(handler, content, number)

    server.behave = busy
    load_bundle(find_model(url_of(server)))
    assert len(server.asked) == 3


def test_a_network_that_is_not_there_ends_in_a_line(server):
    url = url_of(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(BundleError, match="in 3 tries \\(.*[Rr]efused.*\\). .* pass the folder of a bundle"):
        find_model(url)
    for host in ("127.0.0.1:99999", "[::", "a" * 70 + ".org"):
        with pytest.raises(BundleError, match="could not be fetched in 3 tries"):
            find_model(f"http://{host}/light.zip#sha256={'0' * 64}")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/light.zip", "data:,x"])
def test_a_redirect_out_of_the_web_is_refused(server, cache, target):
    server.behave = lambda handler, content, number: handler.begin(302, Location=target, Content_Length=0)
    with pytest.raises(BundleError, match="could not be fetched in 3 tries \\(No connection adapters"):
        find_model(url_of(server))
    assert nothing_is_left(cache)


def test_a_redirect_within_the_web_is_followed(server):
    def moved(handler, content, number):
        if handler.path == "/there":
            honest(handler, content, number)
        else:
            handler.begin(302, Location="/there", Content_Length=5)
            handler.wfile.write(b"moved")

    server.behave = moved
    load_bundle(find_model(url_of(server)))
    # A connection that broke on the way is tried again, so the one that moved may have been asked more than once.
    *moves, last = server.asked
    assert moves
    assert not any(asked["sent"] for asked in moves)
    assert last["sent"]


MANIFEST = ("light-7/bundle.json", "{}")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([MANIFEST, ("../evil", "x")], "'../evil' in it, beside or below"),
        ([MANIFEST, ("light-7/../../evil", "x")], "evil' in it"),
        ([MANIFEST, ("light-7/..", "x")], "'light-7/..' in it"),
        ([("../bundle.json", "{}"), ("../../evil", "x")], "'../../evil' in it"),
        ([MANIFEST, ("/evil", "x")], "'/evil' in it"),
        ([MANIFEST, ("light-7//evil", "x")], "in it"),
        ([MANIFEST, ("light-7/C:\\evil", "x")], "in it"),
        ([MANIFEST, ("light-7/plots/a.png", "x")], "'light-7/plots/a.png' in it"),
        ([MANIFEST, ("light-9/model.tflite", "x")], "'light-9/model.tflite' in it, beside .* 'light-7'"),
        ([("bundle.json", "{}")], "'bundle.json' in it"),
        ([MANIFEST, ("light-7/link", "/etc/passwd")], "'link', a link"),
        ([MANIFEST, ("light-7/Bundle.json", "{}")], "'Bundle.json' twice"),
        ([MANIFEST, ("light-7/model.tflite", bytes(2_000_000))], "2 files of 2000002 bytes, where"),
        ([MANIFEST, *((f"light-7/{number}", "") for number in range(100))], "101 files of 2 bytes"),
        ([("light-7/model.tflite", "x")], "no bundle.json"),
        ([], "no bundle.json"),
    ],
)
def test_a_release_that_is_no_plain_folder_is_refused(server, cache, monkeypatch, files, reason):
    monkeypatch.setattr(hub, "LARGEST_UNPACKED", 1_000_000)
    server.content = zip_of(files, links=["light-7/link"])
    with pytest.raises(BundleError, match=f"must be a .zip of one bundle's folder.* Received: .*{reason}"):
        find_model(url_of(server))
    assert nothing_is_left(cache)
    assert not list(cache.parent.rglob("*evil*"))


def test_a_stated_size_that_is_too_small_does_not_let_more_out(server, cache):
    """A .zip bomb that lies in its directory: what can be read ends at the stated size, and the CRC gives it away."""
    content = bytearray(zip_of([MANIFEST, ("light-7/model.tflite", bytes(2_000_000))]))
    field = content.rindex(b"PK\x01\x02") + 24
    content[field : field + 4] = (10).to_bytes(4, "little")
    server.content = bytes(content)
    with pytest.raises(BundleError, match="must be a .zip of one bundle's folder"):
        find_model(url_of(server))
    assert nothing_is_left(cache)


def test_what_is_no_zip_is_refused(server, cache):
    server.content = b"<html>Sign in</html>"
    with pytest.raises(BundleError, match="must be a .zip .* Received: File is not a zip file"):
        find_model(url_of(server))
    assert nothing_is_left(cache)


def test_a_folder_entry_of_other_packers_is_taken(server):
    server.content = zip_of(
        [("light-7/", ""), *((f"light-7/{p.name}", p.read_bytes()) for p in DEFAULT_MODEL.glob("*.*"))]
    )
    assert load_bundle(find_model(url_of(server))).model == load_bundle().model


def test_what_a_killed_process_left_does_no_harm(server, cache):
    (cache / "fetch-killed" / "light-7").mkdir(parents=True)
    (cache / "fetch-killed" / "light-7" / "model.tflite").write_bytes(b"half")
    assert load_bundle(find_model(url_of(server))).model == load_bundle().model


def test_two_processes_that_fetch_a_release_both_get_it_whole(server, cache, root):
    both_asked = threading.Barrier(2, timeout=20)

    def together(handler, content, number):
        both_asked.wait()
        honest(handler, content, number)

    server.behave = together
    code = f"from deepfake.model.hub import find_model; print(find_model({url_of(server)!r}))"
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True) for _ in "ab"]
    first, second = (process.communicate(timeout=40)[0].strip() for process in both)
    assert first == second
    assert load_bundle(first).model == load_bundle().model
    assert [str(path) for path in cache.iterdir()] == [first]


def test_a_cache_that_cannot_be_written_ends_in_a_line(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match="cache of models cannot be written .*set DEEPFAKE_CACHE to another"):
        find_model(url_of(server), cache=tmp_path / "file" / "cache")


def test_the_cache_is_where_the_user_says(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("DEEPFAKE_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name, appauthor: tmp_path / "own" / name)
    assert cache_folder() == tmp_path / "own" / "deepfake" / "models"
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name, appauthor: Path("~/.cache", name))
    with pytest.raises(BundleError, match="no home folder to keep models in. Set DEEPFAKE_CACHE"):
        cache_folder()


def test_the_table_that_ships_can_be_read():
    assert hub._listed(hub.RELEASES) is not None


def test_a_release_has_the_same_bytes_whenever_it_is_packed(script, release, tmp_path):
    copy = tmp_path / "copy" / "light-5"
    shutil.copytree(DEFAULT_MODEL, copy, copy_function=shutil.copyfile)
    assert script["pack"](copy, tmp_path / "out").read_bytes() == release
    with zipfile.ZipFile(io.BytesIO(release)) as packed:
        assert packed.namelist() == sorted(f"light-5/{p.name}" for p in DEFAULT_MODEL.iterdir() if p.is_file())


def test_the_entry_that_packing_prints_is_one_that_can_be_fetched(server, script, cache, tmp_path):
    base = f"http://127.0.0.1:{server.server_port}"
    done = CliRunner().invoke(script["main"], [str(DEFAULT_MODEL), "--out", str(tmp_path / "dist"), "--url", base])
    assert done.exit_code == 0, done.output
    table = tmp_path / "releases.json"
    table.write_text(done.stdout.replace('"light-5": {', '"light-6": {'))
    assert load_bundle(find_model("light-6", releases=table)).model == load_bundle().model
    assert str(find_model(re.search(r"--model (\S+)", done.stderr)[1])).startswith(str(cache / "light-5-"))


def test_a_damaged_bundle_is_not_packed(script, tmp_path):
    copy = tmp_path / "light-5"
    shutil.copytree(DEFAULT_MODEL, copy)
    (copy / ".DS_Store").write_text("")
    with pytest.raises(BundleError, match="Names in a release must match .* Received: .DS_Store"):
        script["pack"](copy, tmp_path / "out")
    (copy / "model.tflite").write_bytes(b"x")
    with pytest.raises(BundleError, match="does not match its checksum"):
        script["pack"](copy, tmp_path / "out")
    done = CliRunner().invoke(script["main"], [str(copy), "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "Error: " in done.stderr
    assert not (tmp_path / "out").exists()
