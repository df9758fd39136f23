"""The page over HTTP: what a program, a stranger and an assistant get."""

from __future__ import annotations

import ast
import asyncio
import base64
import errno
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

import cv2
import httpx
import numpy as np
import pytest
from click.testing import CliRunner
from gradio_client import Client, handle_file
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

import deepfake.page.serve
from deepfake.cli.main import main
from deepfake.errors import DeepfakeError
from deepfake.page.jobs import Jobs
from deepfake.page.place import own_folder, prune
from deepfake.page.serve import Settings, serving
from deepfake.report.drawing import jpeg
from deepfake.report.files import as_values
from tests.page.conftest import free_port


@pytest.fixture(scope="module")
def client(address):
    return Client(address, verbose=False)


@pytest.fixture(scope="module")
def expected(detector, examples):
    return {name: as_values(detector.detect(examples / name)) for name in ("portrait.jpg", "half_fake.mp4")}


def same(found, expected):
    """The same verdict, whatever the file is called and however long it took."""
    ours, theirs = ({**values, "path": "", "file": "", "elapsed_s": 0} for values in (found, expected))
    return ours == theirs


def post(address, name, content, **options):
    return httpx.post(f"{address}/predict", files={"file": (name, content)}, timeout=60, **options)


def test_the_plain_route_answers_as_the_command_line_does(address, examples, expected):
    for name in expected:
        found = post(address, name, (examples / name).read_bytes())
        assert found.status_code == 200
        assert found.json()["path"] == name
        assert same(found.json(), expected[name])


def test_curl_can_use_it(address, examples, expected):
    command = ["curl", "-s", "-F", f"file=@{examples / 'portrait.jpg'}", f"{address}/predict"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("curl is not installed")
    assert same(json.loads(done.stdout), expected["portrait.jpg"])


def test_what_cannot_be_answered_says_what_to_do(address, examples):
    found = post(address, "letter.jpg", b"no picture")
    assert found.status_code == 422
    assert "letter.jpg is neither a picture" in found.json()["detail"]
    assert "/tmp" not in found.text
    assert post(address, "a.exe", b"MZ").json()["detail"].startswith("a.exe is neither a picture")
    assert post(address, "blob", (examples / "no_face.jpg").read_bytes()).status_code == 200
    assert httpx.post(f"{address}/predict", files={"other": b"x"}).status_code == 400
    assert httpx.post(f"{address}/predict", content=iter([b"x"])).status_code == 411
    announced = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    announced.putrequest("POST", "/predict")
    announced.putheader("Content-Length", "999999999999")
    announced.endheaders()
    assert announced.getresponse().status == 413
    announced.close()
    two = httpx.post(f"{address}/predict", files=[("file", b"x"), ("file", b"y")])
    assert two.status_code == 400
    assert httpx.get(f"{address}/predict").status_code in (404, 405)


@pytest.fixture(scope="module")
def two_faces(portrait):
    scene = np.full((700, 1100, 3), 120, np.uint8)
    scene[:512, :512] = portrait.image
    scene[100:400, 700:1000] = cv2.resize(portrait.image, (300, 300), interpolation=cv2.INTER_AREA)
    return jpeg(scene, 95)


def test_the_smallest_face_can_be_asked_for(address, two_faces):
    def faces(share):
        return len(post(address, "two.jpg", two_faces, data={"min_face": share}).json()["faces"])

    assert (faces("0.06"), faces("0.2")) == (2, 1)
    for wrong in ("0", "1.1", "nan", "small", ""):
        found = post(address, "two.jpg", two_faces, data={"min_face": wrong})
        assert (found.status_code, "above 0 and at most 1" in found.json()["detail"]) == (400, True)


def test_hostile_names_are_only_shown_and_in_one_line(address, examples):
    content = (examples / "no_face.jpg").read_bytes()
    assert post(address, "../../etc/passwd.jpg", content).json()["path"] == "passwd.jpg"
    assert post(address, "x" * 500 + ".jpg", content).status_code == 200


def test_it_is_documented(address):
    schema = httpx.get(f"{address}/openapi.json").json()
    assert set(schema["paths"]["/predict"]["post"]["responses"]) >= {"200", "413", "422", "503", "504"}
    docs = httpx.get(f"{address}/docs").text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//[^"]*', docs), "without a network, too"
    for part in re.findall(r'(?:src|href)="(/[^"]*)', docs):
        assert httpx.get(f"{address}{part}").status_code == 200
    assert httpx.get(f"{address}/health").json()["status"] == "ok"


def test_named_calls_answer_as_the_command_line_does(client, examples, expected):
    picture = client.predict(handle_file(examples / "portrait.jpg"), api_name="/detect_image")
    assert same(picture, expected["portrait.jpg"])
    assert same(
        client.predict(handle_file(examples / "half_fake.mp4"), api_name="/detect_video"), expected["half_fake.mp4"]
    )
    both = client.predict([handle_file(examples / name) for name in expected], api_name="/detect_batch")
    assert all(same(found, expected[found["file"]]) for found in both)
    assert len(both) == 2


def recorded_askers(monkeypatch):
    """The addresses for which a place is asked, from now on."""
    asked = []
    place = Jobs.place

    def recorded(jobs, client):
        asked.append(client)
        return place(jobs, client)

    monkeypatch.setattr(Jobs, "place", recorded)
    return asked


def forged_clicks(address, file, *prefixes):
    """Each click on a button whose name begins so, with a file in each place for one: what a forged request sends."""
    config = httpx.get(f"{address}/config").json()
    values = {part["id"]: part["props"].get("value") for part in config["components"] if part["type"] == "slider"}
    for call in config["dependencies"]:
        if call["api_name"].startswith(prefixes):
            files = {"judge_batch": [[file]], "judge_pair": [file, file]}.get(call["api_name"], [file])
            rest = map(values.get, call["inputs"][len(files) :])
            yield call, {"data": [*files, *rest], "fn_index": call["id"]}


def test_every_way_to_ask_is_counted_for_the_address_that_asks(address, examples, monkeypatch):
    asked = recorded_askers(monkeypatch)
    headers = {"X-Forwarded-For": "203.0.113.7"}  # As a proxy on this machine says it.
    picture = handle_file(examples / "no_face.jpg")
    caller = Client(address, verbose=False, headers=headers)
    caller.predict(picture, api_name="/detect_image")
    caller.predict([picture, picture], api_name="/detect_batch")
    assert post(address, "a.jpg", (examples / "no_face.jpg").read_bytes(), headers=headers).status_code == 200
    assert asked == ["203.0.113.7"] * 4
    (sent,) = httpx.post(f"{address}/gradio_api/upload", files={"files": ("a.jpg", b"\xff\xd8\xff")}).json()
    file = {"path": sent, "meta": {"_type": "gradio.FileData"}}
    clicks = list(forged_clicks(address, file, "judge_picture", "judge_video", "judge_batch"))
    assert clicks
    for call, click in clicks:
        asked.clear()
        joined = click | {"session_hash": "counted"}
        httpx.post(f"{address}/gradio_api/queue/join", json=joined, headers=headers)
        httpx.get(f"{address}/gradio_api/queue/data?session_hash=counted", timeout=60)
        assert asked == ["203.0.113.7"], call["api_name"]


def test_a_proxy_is_believed_only_if_it_is_named(examples, monkeypatch):
    asked = recorded_askers(monkeypatch)
    with own_folder(proxies="192.0.2.1") as folder, serving(Settings(port=free_port()), folder) as address:
        content = (examples / "no_face.jpg").read_bytes()
        post(address.rstrip("/"), "a.jpg", content, headers={"X-Forwarded-For": "203.0.113.7"})
    assert asked == ["127.0.0.1"]


def test_the_documented_way_to_call_by_name_with_curl_works(address, root, expected):
    code = re.search(r"three steps.*?```sh\n(.*?)```", (root / "docs" / "http-api.md").read_text(), re.DOTALL)[1]
    code = code.replace("http://127.0.0.1:7860", address)
    done = subprocess.run(["bash", "-c", code], cwd=root, capture_output=True, text=True, check=False)
    if "curl: command not found" in done.stderr:
        pytest.skip("curl is not installed")
    assert "event: complete" in done.stdout
    (found,) = json.loads(done.stdout.split("data: ")[-1])
    assert same(found, expected["portrait.jpg"])


def test_named_calls_refuse_the_wrong_kind_and_say_so(client, examples, tmp_path):
    with pytest.raises(Exception, match="is a video, not a picture"):
        client.predict(handle_file(examples / "half_fake.mp4"), api_name="/detect_image")
    (tmp_path / "a.jpg").write_text("no picture")
    (found,) = client.predict([handle_file(tmp_path / "a.jpg")], api_name="/detect_batch")
    assert found["file"] == "a.jpg"
    assert "neither" in found["error"]
    assert "/tmp" not in found["error"]


@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}])
def test_no_file_of_the_server_can_be_named(address, root, meta):
    path = str(root / "models" / "light-5" / "plots" / "quality.png")
    begun = httpx.post(f"{address}/gradio_api/call/detect_image", json={"data": [{"path": path, **meta}]})
    if begun.status_code == 200:
        said = httpx.get(f"{address}/gradio_api/call/detect_image/{begun.json()['event_id']}", timeout=60).text
        assert "event: error" in said
        assert "p_fake" not in said
        assert str(root) not in said


@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}])
def test_no_file_of_the_server_is_shown_to_a_forged_click(address, root, meta):
    file = {"path": str(root / "docs" / "page-light.png"), **meta}
    clicks = list(forged_clicks(address, file, "judge_picture", "judge_video", "judge_batch", "judge_pair"))
    assert len(clicks) == 6
    for _, click in clicks:
        httpx.post(f"{address}/gradio_api/queue/join", json=click | {"session_hash": "forged"})
        said = httpx.get(f"{address}/gradio_api/queue/data?session_hash=forged", timeout=60).text
        assert "data:image" not in said
        assert not re.search("manipulated|generated|No clear traces", said)
        assert "no face found" not in said
        assert str(root) not in said


def test_only_what_is_meant_for_programs_is_listed(client):
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {
        "/detect_image",
        "/detect_video",
        "/detect_batch",
    }


def test_assistants_find_the_calls_and_their_descriptions(address):
    tools = httpx.get(f"{address}/gradio_api/mcp/schema", timeout=30).json()
    assert {tool["name"] for tool in tools} >= {"detect_image", "detect_video", "detect_batch"}
    assert any("manipulated" in tool["description"] for tool in tools)


def test_the_page_loads_nothing_from_elsewhere_and_can_be_installed(address):
    page = httpx.get(address).text
    assert "fonts.googleapis" not in page
    assert "manifest.json" in page
    assert httpx.get(f"{address}/manifest.json").json()["name"]


def test_a_password_guards_every_door(examples):
    with own_folder() as folder, serving(Settings(port=free_port(), users=(("ann", "secret"),)), folder) as address:
        address = address.rstrip("/")
        content = (examples / "portrait.jpg").read_bytes()
        assert post(address, "a.jpg", content).status_code == 401
        assert post(address, "a.jpg", content, auth=("ann", "wrong")).status_code == 401
        assert post(address, "a.jpg", content, auth=("bob", "")).status_code == 401
        assert post(address, "a.jpg", content, auth=("ann", "secret")).status_code == 200
        assert httpx.post(f"{address}/gradio_api/call/detect_image", json={"data": [None]}).status_code == 401
        for path in ("/", "/config", "/docs", "/openapi.json", "/gradio_api/info", "/gradio_api/file=x"):
            assert httpx.get(f"{address}{path}").status_code == 401
        assert httpx.get(f"{address}/health").json()["status"] == "ok"
        caller = Client(address, verbose=False, httpx_kwargs={"auth": ("ann", "secret")})
        assert caller.predict(handle_file(examples / "portrait.jpg"), api_name="/detect_image")["faces"]


def test_nothing_is_left_when_it_is_closed(tmp_path, monkeypatch, examples):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = dict(os.environ)
    with own_folder() as folder, serving(Settings(port=free_port()), folder) as address:
        client = Client(address, verbose=False)
        client.predict(handle_file(examples / "portrait.jpg"), api_name="/detect_image")
        assert list(tmp_path.rglob("portrait.jpg"))
    assert not list(tmp_path.rglob("*.jpg"))
    assert dict(os.environ) == before


async def assistants_answer(address, path):
    """What the Model Context Protocol answers to a picture that travels in the call."""
    data = f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}"
    async with (
        streamable_http_client(f"{address}gradio_api/mcp/") as (receive, send, _),
        ClientSession(receive, send) as session,
    ):
        await session.initialize()
        answer = await session.call_tool("detect_image", {"file": data})
    # Gradio writes plain values as Python does.
    return ast.literal_eval(answer.content[0].text)


def test_assistants_are_answered_and_nothing_is_left_when_it_is_told_to_stop(root, tmp_path, examples, expected):
    command = [sys.executable, "app.py", "--port", str(free_port()), "--mcp"]
    page = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)})
    try:
        address = next(line for line in map(bytes.decode, page.stdout) if line.startswith("http")).strip()
        assert httpx.get(f"{address}health").json()["status"] == "ok"
        answered = asyncio.run(assistants_answer(address, examples / "portrait.jpg"))
        assert same(answered, expected["portrait.jpg"])
        assert list(tmp_path.glob("deepfake-*/uploads/*"))
        assert not list(tmp_path.glob("gradio*"))
    finally:
        page.terminate()
        page.communicate(timeout=30)
    assert page.returncode == 0
    assert not list(tmp_path.glob("deepfake-*"))


def test_it_says_at_once_what_it_does(root):
    began = time.monotonic()
    command = [sys.executable, "app.py", "--port", str(free_port())]
    page = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert b"loading the model" in page.stderr.readline()
        # One second on an idle machine; the tests beside this one take their share.
        assert time.monotonic() - began < 3
    finally:
        page.terminate()
        page.communicate(timeout=30)


def test_old_files_are_deleted_and_new_ones_kept(tmp_path):
    for name, age_s in (("old", 700), ("new", 10), ("old.txt", 700)):
        (tmp_path / name).touch() if "." in name else (tmp_path / name).mkdir()
        then = (tmp_path / name).stat().st_mtime - age_s
        os.utime(tmp_path / name, (then, then))
    prune(tmp_path, 600)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    prune(tmp_path / "absent", 600)


def test_a_taken_port_is_said_with_the_remedy(root):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "app.py", "--port", str(port)], cwd=root, capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert f"Nothing can listen at port {port} of 127.0.0.1" in done.stderr
    assert f"--port {port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_room_for_uploads_the_remedy_is_said(monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    with pytest.raises(DeepfakeError, match="No space left on device.*TMPDIR="), own_folder():
        pass


def test_a_slash_at_the_end_makes_no_difference(address, examples, expected):
    found = httpx.post(
        f"{address}/predict/", files={"file": ("a", (examples / "portrait.jpg").read_bytes())}, timeout=60
    )
    assert (found.status_code, same(found.json(), expected["portrait.jpg"])) == (200, True)


def test_behind_a_proxy_the_page_names_its_own_path(examples):
    port = free_port()
    with own_folder() as folder, serving(Settings(port=port, root_path="/faces"), folder):
        config = httpx.get(f"http://127.0.0.1:{port}/config").json()
        assert config["root"].endswith("/faces")


def test_a_missing_bundle_and_a_wrong_user_are_errors_not_tracebacks(root, tmp_path):
    for arguments, code, message in (
        (["--model", str(tmp_path)], 1, "is from elsewhere"),
        (["--auth", "ann"], 2, "must be NAME:PASSWORD"),
        (["--auth-file", "LICENSE"], 2, "must be NAME:PASSWORD"),
        (["--auth-file", os.devnull], 1, "names no user"),
        (["--port", "0"], 2, "--port"),
    ):
        done = subprocess.run(
            [sys.executable, "app.py", *arguments], cwd=root, capture_output=True, text=True, check=False
        )
        assert done.returncode == code
        assert message in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("options", [[], ["--stability"], ["--whole-picture"]])
def test_the_command_hands_to_the_detector_what_else_is_asked(monkeypatch, options):
    given = {}

    def refuse(model, **settings):
        given.update(settings)
        raise DeepfakeError("Not loaded here.")

    monkeypatch.setattr(deepfake.page.serve, "Detector", refuse)
    monkeypatch.setattr(deepfake.page.serve, "warm_up", lambda: None)
    monkeypatch.setattr(deepfake.page.serve, "_check_port", lambda host, port: None)
    assert CliRunner().invoke(main, ["serve", *options]).exit_code == 1
    assert given["stability"] is ("--stability" in options)
    assert given["whole_picture"] is ("--whole-picture" in options)
