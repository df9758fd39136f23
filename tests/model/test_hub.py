from __future__ import annotations

import contextlib
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

import pytest
from click.testing import CliRunner

from deepfake.errors import BundleError
from deepfake.model import download, hub
from deepfake.model.bundle import DEFAULT_MODEL, GRAPHS, MODELS, load_bundle
from deepfake.model.hub import cache_folder, find_model

PARTS = 1 << 18


class Handler(BaseHTTPRequestHandler):
    """Answers as its server's `behave` does, and notes what was asked and how much was sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.close_connection = True
        self.note = {"range": self.headers["Range"], "agent": self.headers["User-Agent"], "sent": 0}
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


def asked_from(handler):
    return int((handler.headers["Range"] or "bytes=0-")[6:-1])


def honest(handler, content, number, until=None):
    """All that was asked for; with `until`, the connection ends before that byte."""
    start = asked_from(handler)
    if start >= len(content):
        handler.begin(416, Content_Length=0)
        return
    span = {"Content_Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if handler.headers["Range"] else {}
    handler.begin(206 if span else 200, Content_Length=len(content) - start, **span)
    handler.send(content[start:until])


def without_ranges(handler, content, number, until=None):
    handler.begin(200, Content_Length=len(content))
    handler.send(content[:until])


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(MODELS.parent / "scripts" / "release.py"))


@pytest.fixture(scope="module")
def release(script, tmp_path_factory):
    """The shipped model as a release."""
    return script["pack"](DEFAULT_MODEL, tmp_path_factory.mktemp("dist")).read_bytes()


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setattr(download, "PAUSE_S", 0)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("DEEPFAKE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def server(release):
    """A server of one file; `server.behave` may be set to answer otherwise."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.behave, server.content, server.asked, server.over = honest, release, [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def url_of(server, content=None, name="light-5"):
    proof = hashlib.sha256(server.content if content is None else content).hexdigest()
    return f"http://127.0.0.1:{server.server_port}/{name}.zip#sha256={proof}"


def part_of(cache, content):
    return cache / f"{hashlib.sha256(content).hexdigest()}.part"


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
    return {path.suffix for path in cache.iterdir()} <= {".lock"}


def test_a_folder_and_a_shipped_name_are_found_without_a_cache(cache, tmp_path):
    assert find_model(tmp_path) == tmp_path
    assert find_model(str(DEFAULT_MODEL)) == find_model("light-4") == DEFAULT_MODEL
    assert not cache.exists()


def test_an_unknown_name_is_refused_with_the_known_ones():
    for text in ("light-9", "mtcnn", "../light-4/bundle.json"):
        with pytest.raises(BundleError, match=f"called '{text}'. Known models: light-4. Pass one of them, the folder"):
            find_model(text)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://a.org/light-5.zip", "must end in the checksum.*Write https://a.org/light-5.zip#sha256=<64 digits>"),
        ("https://a.org/light-5.zip#sha256=abc", "must end in the checksum"),
        ("https://a.org/light-5.zip#md5=" + "0" * 64, "must end in the checksum"),
        ("file:///light-5.zip#sha256=" + "0" * 64, "must be http\\(s\\)://host/name.zip"),
        ("ftp://a.org/light-5.zip#sha256=" + "0" * 64, "must be http"),
        ("https:/a.org/light-5.zip#sha256=" + "0" * 64, "must be http"),
        ("https://me:secret@a.org/light-5.zip#sha256=" + "0" * 64, "must be http"),
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
    folder = find_model(url, lambda done, total: seen.append((done, total)))
    assert folder == cache / f"light-5-{url[-64:][:12]}"
    for graph in GRAPHS:
        assert load_bundle(folder, graph) == load_bundle(DEFAULT_MODEL, graph)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (len(server.content),) * 2
    assert {total for _, total in seen} == {len(server.content)}
    assert server.asked == [{"range": None, "agent": f"deepfake/{download.__version__}", "sent": len(server.content)}]
    assert {path.suffix for path in cache.iterdir() if path != folder} == {".lock"}
    server.shutdown()
    server.server_close()
    assert find_model(url, cache=cache) == folder
    assert len(server.asked) == 1


def test_a_listed_name_is_fetched(server, script, cache, tmp_path):
    url, _, proof = url_of(server, name="file").partition("#sha256=")
    table = tmp_path / "releases.json"
    table.write_text(json.dumps({"light-5": {"url": url, "sha256": proof.upper(), "bytes": len(server.content)}}))
    folder = find_model("light-5", releases=table)
    assert load_bundle(folder).model == load_bundle().model
    assert folder == cache / f"light-5-{proof[:12]}"
    with pytest.raises(BundleError, match="Known models: light-4, light-5. Pass"):
        find_model("light-9", releases=table)
    for text in ("{", "[]", '{"light-5": {}}', '{"light-5": 3}'):
        table.write_text(text)
        with pytest.raises(BundleError, match="releases.json cannot be read .* Restore it"):
            find_model("light-5", releases=table)


def test_a_broken_connection_is_resumed(server, cache):
    third = len(server.content) // 3

    def fragile(handler, content, number):
        honest(handler, content, number, until=asked_from(handler) + third + 1)

    server.behave, seen = fragile, []
    folder = find_model(url_of(server), lambda done, total: seen.append(done))
    assert load_bundle(folder).model == load_bundle().model
    assert [note["range"] for note in server.asked] == [None, f"bytes={third + 1}-", f"bytes={2 * (third + 1)}-"]
    assert sum(note["sent"] for note in server.asked) == len(server.content)
    assert seen == sorted(set(seen))


def test_what_a_killed_process_left_is_resumed(server, cache):
    left = len(server.content) - 1000
    cache.mkdir()
    part_of(cache, server.content).write_bytes(server.content[:left])
    load_bundle(find_model(url_of(server)))
    assert [(note["range"], note["sent"]) for note in server.asked] == [(f"bytes={left}-", 1000)]


def test_a_file_that_is_whole_already_is_not_asked_for(server, cache):
    cache.mkdir()
    part_of(cache, server.content).write_bytes(server.content)
    load_bundle(find_model(url_of(server)))
    assert server.asked == []


def test_what_is_kept_after_the_last_try_is_gone_on_from(server, cache):
    server.behave = lambda handler, content, number: honest(handler, content, number, until=asked_from(handler) + 1000)
    kept = 1000 * download.TRIES
    with pytest.raises(
        BundleError, match=f"in 4 tries \\(the connection ended after {kept} of .*the {kept} bytes kept"
    ):
        find_model(url_of(server))
    server.behave = honest
    load_bundle(find_model(url_of(server)))
    assert server.asked[-1]["range"] == f"bytes={kept}-"


def test_a_server_without_ranges_starts_over(server, cache):
    def forgetful(handler, content, number):
        without_ranges(handler, content, number, until=None if number else 5000)

    server.behave = forgetful
    load_bundle(find_model(url_of(server)))
    assert [note["range"] for note in server.asked] == [None, "bytes=5000-"]


@pytest.mark.parametrize("surplus", [b"", b"more"])
def test_a_part_as_long_as_the_file_but_another_is_fetched_anew(server, cache, surplus):
    cache.mkdir()
    part_of(cache, server.content).write_bytes(bytes(len(server.content)) + surplus)
    load_bundle(find_model(url_of(server)))
    assert [note["range"] for note in server.asked] == [f"bytes={len(server.content) + len(surplus)}-", None]


def test_an_answer_of_another_part_is_not_used(server, cache):
    def off_by_one(handler, content, number):
        if handler.headers["Range"]:
            handler.begin(206, Content_Length=5, Content_Range=f"bytes 1-5/{len(content)}")
            handler.send(content[1:6])
        else:
            honest(handler, content, number)

    cache.mkdir()
    part_of(cache, server.content).write_bytes(server.content[:10])
    server.behave = off_by_one
    load_bundle(find_model(url_of(server)))
    assert [note["range"] for note in server.asked] == ["bytes=10-", None]


def test_a_stalled_server_is_given_up_and_what_came_is_kept(server, cache, monkeypatch):
    def stall(handler, content, number):
        honest(handler, content, number, until=asked_from(handler) + 7000)
        handler.wfile.flush()
        server.over.wait(1)

    monkeypatch.setattr(download, "TIMEOUT_S", 0.1)
    monkeypatch.setattr(download, "TRIES", 2)
    server.behave = stall
    with pytest.raises(BundleError, match="in 2 tries \\(timed out\\). Check the network .* the 14000 bytes kept in"):
        find_model(url_of(server))
    assert part_of(cache, server.content).read_bytes() == server.content[:14000]


def test_a_file_with_another_checksum_is_deleted_before_it_is_unpacked(server, cache, monkeypatch):
    monkeypatch.setattr(hub, "_unpack", lambda *args: pytest.fail("unpacked"))
    url = url_of(server, content=b"what was promised")
    received = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(BundleError, match=f"does not match its checksum, and was deleted. .* Received: {received}"):
        find_model(url)
    assert nothing_is_left(cache)


def test_an_endless_answer_is_cut(server, cache, monkeypatch):
    def endless(handler, content, number):
        handler.begin(200)
        while not server.over.is_set():
            handler.send(bytes(PARTS))

    monkeypatch.setattr(download, "LARGEST", 1_000_000)
    server.behave = endless
    with pytest.raises(BundleError, match="must have at most 1000000 bytes. Received: more"):
        find_model(url_of(server))
    assert nothing_is_left(cache)


def test_a_length_that_is_too_large_or_not_the_listed_one_is_refused_unread(server, cache, tmp_path):
    def claim(handler, content, number):
        handler.begin(200, Content_Length=200_000_001)

    server.behave = claim
    url = url_of(server)
    with pytest.raises(BundleError, match="must have at most 200000000 bytes. Received: 200000001"):
        find_model(url)
    assert nothing_is_left(cache)
    table = tmp_path / "releases.json"
    server.behave = honest
    for size in (len(server.content) - 1, len(server.content) + 1):
        table.write_text(json.dumps({"light-5": {"url": url[:-72], "sha256": url[-64:], "bytes": size}}))
        with pytest.raises(BundleError, match=f"Received: {len(server.content)}. Check the address"):
            find_model("light-5", releases=table)
        assert nothing_is_left(cache)


def test_chunks_of_an_unknown_length_are_taken(server):
    def chunked(handler, content, number):
        handler.begin(200, Transfer_Encoding="chunked")
        for start in range(0, len(content), PARTS):
            chunk = content[start : start + PARTS]
            handler.send(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            if number == 0:
                return
        handler.send(b"0\r\n\r\n")

    server.behave, seen = chunked, []
    load_bundle(find_model(url_of(server), lambda done, total: seen.append((done, total))))
    assert len(server.asked) == 2
    assert seen[-1] == (len(server.content), len(server.content))


def test_a_missing_file_is_not_asked_for_twice(server):
    server.behave = lambda handler, content, number: handler.begin(404, Content_Length=0)
    with pytest.raises(BundleError, match="light-5.zip cannot be fetched \\(404: Not Found\\). Check the address"):
        find_model(url_of(server))
    assert len(server.asked) == 1


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
    with pytest.raises(BundleError, match="in 4 tries \\(.*[Rr]efused.*\\). .* pass the folder of a bundle"):
        find_model(url)
    for host in ("127.0.0.1:99999", "[::", "a" * 70 + ".org"):
        with pytest.raises(BundleError, match="could not be fetched in 4 tries"):
            find_model(f"http://{host}/light.zip#sha256={'0' * 64}")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/light.zip", "data:,x"])
def test_a_redirect_out_of_the_web_is_refused(server, cache, target):
    server.behave = lambda handler, content, number: handler.begin(302, Location=target, Content_Length=0)
    with pytest.raises(BundleError, match="cannot be fetched \\(302: .*is not allowed"):
        find_model(url_of(server))
    assert len(server.asked) == 1
    assert nothing_is_left(cache)


def test_a_redirect_within_the_web_is_followed_and_keeps_the_range(server, cache):
    def moved(handler, content, number):
        if handler.path == "/there":
            honest(handler, content, number)
        else:
            handler.begin(302, Location="/there")
            handler.wfile.write(b"moved")

    cache.mkdir()
    part_of(cache, server.content).write_bytes(server.content[:100])
    server.behave = moved
    load_bundle(find_model(url_of(server)))
    assert [note["range"] for note in server.asked] == ["bytes=100-", "bytes=100-"]


def test_the_body_of_a_redirect_is_not_read(server):
    def moved(handler, content, number):
        if handler.path == "/there":
            honest(handler, content, number)
        else:
            handler.begin(302, Location="/there")
            handler.send(bytes(100_000_000))

    server.behave = moved
    load_bundle(find_model(url_of(server)))
    assert server.asked[0]["sent"] < 50_000_000


def test_a_redirect_from_https_to_http_is_refused():
    request = download.Request("https://a.org/light-5.zip")
    with pytest.raises(download.HTTPError, match="Redirection from https to http is not allowed") as caught:
        download._Redirects().redirect_request(request, io.BytesIO(), 302, "Found", {}, "http://a.org/light-5.zip")
    caught.value.close()


MANIFEST = ("light-5/bundle.json", "{}")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([MANIFEST, ("../evil", "x")], "'../evil' in it, beside or below"),
        ([MANIFEST, ("light-5/../../evil", "x")], "evil' in it"),
        ([MANIFEST, ("light-5/..", "x")], "'light-5/..' in it"),
        ([("../bundle.json", "{}"), ("../../evil", "x")], "'../../evil' in it"),
        ([MANIFEST, ("/evil", "x")], "'/evil' in it"),
        ([MANIFEST, ("light-5//evil", "x")], "in it"),
        ([MANIFEST, ("light-5/C:\\evil", "x")], "in it"),
        ([MANIFEST, ("light-5/plots/a.png", "x")], "'light-5/plots/a.png' in it"),
        ([MANIFEST, ("light-9/model.tflite", "x")], "'light-9/model.tflite' in it, beside .* 'light-5'"),
        ([("bundle.json", "{}")], "'bundle.json' in it"),
        ([MANIFEST, ("light-5/link", "/etc/passwd")], "'link', a link"),
        ([MANIFEST, ("light-5/Bundle.json", "{}")], "'Bundle.json' twice"),
        ([MANIFEST, ("light-5/model.tflite", bytes(2_000_000))], "2 files of 2000002 bytes, where"),
        ([MANIFEST, *((f"light-5/{number}", "") for number in range(100))], "101 files of 2 bytes"),
        ([("light-5/model.tflite", "x")], "no bundle.json"),
        ([], "no bundle.json"),
    ],
)
def test_a_release_that_is_no_plain_folder_is_refused(server, cache, monkeypatch, files, reason):
    monkeypatch.setattr(hub, "LARGEST_UNPACKED", 1_000_000)
    server.content = zip_of(files, links=["light-5/link"])
    with pytest.raises(BundleError, match=f"must be a .zip of one bundle's folder.* Received: .*{reason}"):
        find_model(url_of(server))
    assert nothing_is_left(cache)
    assert not list(cache.parent.rglob("*evil*"))


def test_a_stated_size_that_is_too_small_does_not_let_more_out(server, cache):
    """A .zip bomb that lies in its directory: what can be read ends at the stated size, and the CRC gives it away."""
    content = bytearray(zip_of([MANIFEST, ("light-5/model.tflite", bytes(2_000_000))]))
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
        [("light-5/", ""), *((f"light-5/{p.name}", p.read_bytes()) for p in DEFAULT_MODEL.glob("*.*"))]
    )
    assert load_bundle(find_model(url_of(server))).model == load_bundle().model


def test_what_a_killed_unpacking_left_does_no_harm(server, cache):
    url = url_of(server)
    folder = cache / f"light-5-{url[-64:][:12]}"
    for leftover in (folder.with_name(f"{folder.name}.part"), folder):
        leftover.mkdir(parents=True)
        (leftover / "model.tflite").write_bytes(b"half")
    assert find_model(url) == folder
    assert load_bundle(folder).model == load_bundle().model
    assert [path.name for path in cache.iterdir() if path.is_dir()] == [folder.name]


def test_two_processes_fetch_a_release_once(server, root):
    def slow(handler, content, number):
        handler.begin(200, Content_Length=len(content))
        handler.send(content[: len(content) // 2])
        server.over.wait(0.5)
        handler.send(content[len(content) // 2 :])

    server.behave = slow
    code = f"from deepfake.model.hub import find_model; print(find_model({url_of(server)!r}))"
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True) for _ in "ab"]
    first, second = (process.communicate(timeout=20)[0].strip() for process in both)
    assert first == second
    assert load_bundle(first).model == load_bundle().model
    assert len(server.asked) == 1


def test_a_cache_that_cannot_be_written_ends_in_a_line(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match="cache of models cannot be written .*set DEEPFAKE_CACHE to another"):
        find_model(url_of(server), cache=tmp_path / "file" / "cache")


def test_a_disk_that_fails_is_no_reason_to_ask_again(server, cache):
    part_of(cache, server.content).mkdir(parents=True)
    with pytest.raises(BundleError, match="cache of models cannot be written"):
        find_model(url_of(server))
    assert len(server.asked) == 1


def test_the_cache_is_where_the_user_says(monkeypatch, tmp_path):
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("DEEPFAKE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    own = "local" if sys.platform == "win32" else "xdg"
    assert cache_folder() == tmp_path / own / "deepfake" / "models"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("LOCALAPPDATA")
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    assert cache_folder() == tmp_path / ".cache" / "deepfake" / "models"


def test_the_table_that_ships_can_be_read():
    assert hub._listed(hub.RELEASES) is not None


def test_a_release_has_the_same_bytes_whenever_it_is_packed(script, release, tmp_path):
    copy = tmp_path / "copy" / "light-4"
    shutil.copytree(DEFAULT_MODEL, copy, copy_function=shutil.copyfile)
    assert script["pack"](copy, tmp_path / "out").read_bytes() == release
    with zipfile.ZipFile(io.BytesIO(release)) as packed:
        assert packed.namelist() == sorted(f"light-4/{p.name}" for p in DEFAULT_MODEL.iterdir() if p.is_file())


def test_the_entry_that_packing_prints_is_one_that_can_be_fetched(server, script, cache, tmp_path):
    base = f"http://127.0.0.1:{server.server_port}"
    done = CliRunner().invoke(script["main"], [str(DEFAULT_MODEL), "--out", str(tmp_path / "dist"), "--url", base])
    assert done.exit_code == 0, done.output
    table = tmp_path / "releases.json"
    table.write_text(done.stdout.replace('"light-4": {', '"light-6": {'))
    assert load_bundle(find_model("light-6", releases=table)).model == load_bundle().model
    assert str(find_model(re.search(r"--model (\S+)", done.stderr)[1])).startswith(str(cache / "light-4-"))


def test_a_damaged_bundle_is_not_packed(script, tmp_path):
    copy = tmp_path / "light-4"
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
