"""What does not get as far as the page: forged, foreign, too much, too slow."""

from __future__ import annotations

import asyncio
import socket
import time

import httpx
import pytest
from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from starlette.responses import PlainTextResponse

from deepfake.page import arriving, guard
from deepfake.page.guard import Doors, guarded, local_hosts
from deepfake.page.place import own_folder
from deepfake.page.serve import Settings, serving
from tests.page.conftest import free_port

JPEG = b"\xff\xd8\xff\xe0"


def ask(doors=None, method="GET", path="/", times=1, **options):
    """The last answer of so many from behind the doors."""

    async def asked():
        app = guarded(PlainTextResponse("in"), doors or Doors())
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://here.example") as client:
            return [await client.request(method, path, **options) for _ in range(times)][-1]

    return asyncio.run(asked())


@pytest.fixture
def upload(address):
    """Uploads that content under that name."""

    def send(name, content, **options):
        return httpx.post(f"{address}/gradio_api/upload", files={"files": (name, content)}, timeout=60, **options)

    return send


def test_every_answer_says_what_a_browser_may_do_with_it(address):
    for path in ("/", "/health", "/gradio_api/nothing", "/assets/%00"):
        headers = httpx.get(f"{address}{path}").headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_who_frames_a_space_may_and_nobody_else():
    headers = ask(Doors(framed_by=guard.FRAMED_BY)).headers
    assert "x-frame-options" not in headers
    assert headers["content-security-policy"].endswith("frame-ancestors https://huggingface.co https://*.hf.space")


def test_a_local_server_answers_under_its_own_names_alone(address):
    assert httpx.get(f"{address}/health", headers={"Host": "localhost:7860"}).status_code == 200
    assert httpx.get(f"{address}/health", headers={"Host": "rebound.example"}).status_code == 400
    assert ask(Doors(hosts=("*.example",))).text == "in"
    assert ask(Doors(hosts=local_hosts("::1"))).status_code == 400
    assert ask(Doors(hosts=local_hosts("0.0.0.0"))).text == "in"


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://here.example", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_pages_of_other_sites_may_not_send_and_cannot_read(headers):
    assert ask(method="POST", headers=headers).status_code == 403
    assert "access-control-allow-origin" not in ask(headers=headers).headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://here.example"},
        {"Origin": "https://proxied.example", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_its_own_page_and_programs_may(headers):
    assert ask(method="POST", headers=headers).text == "in"


def test_a_site_that_is_allowed_may_ask_and_read_without_a_visitors_password():
    doors = Doors(origins=("https://friend.example",))
    found = ask(doors, "POST", headers={"Origin": "https://friend.example", "Sec-Fetch-Site": "cross-site"})
    assert found.text == "in"
    assert found.headers["access-control-allow-origin"] == "https://friend.example"
    assert "access-control-allow-credentials" not in found.headers
    assert ask(doors, "POST", headers={"Origin": "https://evil.example"}).status_code == 403


def test_gradio_never_learns_the_origin(address):
    for method in ("GET", "OPTIONS"):
        asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        found = httpx.request(method, f"{address}/config", headers=asked)
        assert "access-control-allow-origin" not in found.headers


@pytest.mark.parametrize(
    "path",
    [
        "/assets/%00",
        "/static/fonts/" + "z" * 256,
        "/gradio_api/proxy=%00",
        "/gradio_api/file=" + "x" * 300,
        "/?deep_link=%0a",
        "/gradio_api/nothing",
    ],
)
def test_forged_addresses_are_refused(address, path):
    assert 400 <= httpx.get(f"{address}{path}").status_code < 500


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("queue/join", {"data": [None], "fn_index": 99999, "session_hash": "a"}),
        ("queue/join", {"data": "x"}),
        ("call/nothing", {"data": []}),
        ("run/predict", {"data": []}),
        ("component_server", {"session_hash": "x", "component_id": 10**9, "fn_name": "x", "data": 1}),
    ],
)
def test_forged_calls_are_refused(address, path, body):
    assert 400 <= httpx.post(f"{address}/gradio_api/{path}", json=body).status_code < 500


def test_everything_but_the_sign_of_life_is_behind_the_password():
    doors = Doors(users=(("ann", "secret"), ("bob", "pässword")))
    assert ask(doors, path="/health").text == "in"
    for path in ("/", "/docs", "/openapi.json", "/config", "/health/../config", "/gradio_api/info", "/static/x"):
        assert ask(doors, path=path).status_code == 401
    for given in (("ann", "wrong"), ("eve", ""), ("", ""), ("ann", "")):
        assert ask(doors, auth=given).status_code == 401
    for header in ("Basic", "Basic !", "Bearer secret", "Basic YW5u"):
        assert ask(doors, headers={"Authorization": header}).status_code == 401
    for name, password in doors.users:
        assert ask(doors, auth=httpx.BasicAuth(name.encode(), password.encode())).text == "in"


def test_passwords_cannot_be_tried_without_end(monkeypatch):
    monkeypatch.setattr(guard, "WRONG_PASSWORDS", RateLimitItemPerMinute(3))
    doors = Doors(users=(("ann", "secret"),))
    assert ask(doors, auth=("ann", "wrong"), times=3).status_code == 401
    refused = ask(doors, auth=("ann", "wrong"), times=4)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "60"
    assert ask(doors, auth=("ann", "secret"), times=9).text == "in"


def test_nobody_sends_without_end(monkeypatch):
    monkeypatch.setattr(guard, "POSTS", RateLimitItemPerMinute(5))
    assert ask(method="POST", times=5).text == "in"
    assert ask(method="POST", times=6).status_code == 429
    assert ask(method="GET", times=9).text == "in"


def parts(folder):
    return [path for path in (folder / "uploads").iterdir() if path.is_file()]


def test_what_is_no_picture_or_too_large_is_refused_while_it_arrives(upload):
    assert upload("a.jpg", JPEG + bytes(1000)).status_code == 200
    assert upload("a.jpg", b"no picture").status_code == 200  # What is wrong with it is said where its answer would be.
    assert upload("a.jpg", b"no picture" * 200_000).status_code == 415
    refused = upload("a.jpg", JPEG + bytes(26_000_000))
    assert refused.status_code == 413
    assert refused.text.startswith("A picture may have at most 25 MB here")


def test_an_address_has_a_quota(upload, monkeypatch):
    monkeypatch.setattr(arriving, "QUOTA", RateLimitItemPerHour(3_000_000))
    proxied = {"X-Forwarded-For": "203.0.113.9"}
    assert upload("a.jpg", JPEG + bytes(2_000_000), headers=proxied).status_code == 200
    refused = upload("a.jpg", JPEG + bytes(2_000_000), headers=proxied)
    assert refused.status_code == 413
    assert "may be uploaded in an hour" in refused.text
    assert upload("a.jpg", JPEG + bytes(2_000_000), headers={"X-Forwarded-For": "203.0.113.10"}).status_code == 200


def test_parts_of_uploads_that_stop_are_deleted_at_once():
    with own_folder() as folder, serving(Settings(port=free_port()), folder) as address:
        host, port = address.removeprefix("http://").strip("/").split(":")
        border = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
        head = (
            f"POST /gradio_api/upload HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            "Content-Length: 20000000\r\n\r\n"
        )
        with socket.create_connection((host, int(port))) as line:
            line.sendall(head.encode() + border + JPEG + bytes(5_000_000))
            until(lambda: parts(folder))
        until(lambda: not parts(folder))
        assert (
            httpx.post(f"{address}gradio_api/upload", files={"files": ("a.jpg", JPEG + bytes(26_000_000))}).status_code
            == 413
        )
        assert not parts(folder)


def test_a_full_disk_is_swept_and_said(upload, monkeypatch):
    free = iter([0, 0])

    class Usage:
        def __init__(self):
            self.free, self.total = next(free, 10**12), 10**12

    pruned = []
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage())
    monkeypatch.setattr(arriving, "prune", lambda folder, age_s: pruned.append((folder.name, age_s)))
    refused = upload("a.jpg", JPEG)
    assert refused.status_code == 507
    assert refused.text == "The server's disk is full. Try again in an hour."
    assert pruned == [("uploads", 600.0), ("drawn", 600.0)]
    assert upload("a.jpg", JPEG).status_code == 200


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET"])
def test_a_connection_on_which_nothing_comes_is_closed(address, monkeypatch, sent):
    monkeypatch.setattr(arriving, "SILENCE_S", 0.5)
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall(sent)
        while line.recv(65536):
            pass


def test_a_body_that_does_not_come_is_not_waited_for(address, monkeypatch):
    monkeypatch.setattr(arriving, "SILENCE_S", 0.5)
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n"
                     b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x")  # fmt: skip
        assert b"408" in line.recv(65536)


def until(holds):
    """Waits until something holds; not for ever."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
