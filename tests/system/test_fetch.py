from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from deepfake.cli.main import main
from deepfake.errors import FetchError
from deepfake.system.fetch import copied, fetch


@pytest.mark.parametrize("address", [
    "http://127.0.0.1/a.jpg", "http://localhost/a.jpg", "https://10.1.2.3/", "http://192.168.0.1/", "http://169.254.169.254/latest/meta-data", "http://[::1]/",
    "http://[::ffff:10.0.0.1]/", "http://[fe80::1]/", "http://0.0.0.0/", "http://100.64.0.1/", "http://[2002:0a00:0001::]/", "http://2130706433/", "http://224.0.0.1/",
])  # fmt: skip
def test_nothing_is_fetched_from_private_networks(tmp_path, address):
    with pytest.raises(FetchError, match="lies in a private network"):
        fetch(address, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "ftp://example.org/a", "http://", "http://[", "http://a:port/"]
)
def test_what_is_no_address_of_the_web_is_refused(tmp_path, address):
    with pytest.raises(FetchError, match="is no address"):
        fetch(address, tmp_path)


def test_a_file_is_fetched_under_the_name_at_its_address(tmp_path, site):
    path = fetch(f"{site.address}/deep/%2e%2e%2fa.jpg?size=2", tmp_path)
    assert (path.parent, path.read_bytes()) == (tmp_path, site.page.content)


def test_a_redirect_is_checked_anew_and_ends(tmp_path, site):
    with pytest.raises(FetchError, match="http://10.0.0.1/a.jpg lies in a private network"):
        fetch(f"{site.address}/moved", tmp_path)
    with pytest.raises(FetchError, match="leads on and on"):
        fetch(f"{site.address}/round", tmp_path)


def test_only_the_ports_that_are_allowed_are_connected_to(tmp_path, site):
    with pytest.raises(FetchError, match=r"must be on a port of the web \(80, 443\)\. Received: "):
        fetch(f"{site.address}/a.jpg", tmp_path, ports=(80, 443))
    assert fetch(f"{site.address}/a.jpg", tmp_path, ports=(site.port,))
    with pytest.raises(FetchError, match="lies in a private network"):
        fetch("https://127.0.0.1/", tmp_path, ports=(80, 443))


def test_what_is_absent_large_slow_or_empty_is_refused(tmp_path, site, monkeypatch):
    for address, options, message in (
        (f"{site.address}/gone", {}, "answers 404"),
        (f"{site.address}/a", {"max_bytes": 1000}, "has more than 0 MB"),
        (f"{site.address}/a", {"limit_s": -1.0}, "takes too long"),
    ):
        with pytest.raises(FetchError, match=message):
            fetch(address, tmp_path, **options)
    monkeypatch.setattr(site.page, "content", b"")
    with pytest.raises(FetchError, match="gives nothing"):
        fetch(f"{site.address}/a", tmp_path)
    with pytest.raises(FetchError, match="Standard input gives nothing"):
        copied([], tmp_path / "a", "Standard input")


def test_an_address_is_judged_if_that_is_allowed_and_the_next_file_in_any_case(site, examples):
    here = str(examples / "no_face.jpg")
    refused = CliRunner().invoke(main, ["detect", f"{site.address}/a.jpg"])
    assert (refused.exit_code, "Pass --fetch" in refused.stderr) == (2, True)
    done = CliRunner().invoke(main, ["detect", "--fetch", f"{site.address}/gone", f"{site.address}/a.jpg", here])
    assert done.exit_code == 3
    for line, name in zip(done.stdout.splitlines(), [here, f"{site.address}/a.jpg"], strict=True):
        assert name in line.split()
    assert "answers 404" in done.stderr


def test_standard_input_is_judged(examples):
    content = (examples / "portrait.jpg").read_bytes()
    done = CliRunner().invoke(main, ["detect", "-"], input=content)
    assert done.exit_code == 0, done.output
    assert re.fullmatch(r"No clear traces found +\d+%  - +1 face\n", done.stdout)
