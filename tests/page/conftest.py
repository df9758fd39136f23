from __future__ import annotations

import socket

import pytest


@pytest.fixture(scope="session")
def address():
    """A page that is served for the length of the session."""
    from deepfake.page.place import own_folder
    from deepfake.page.serve import Settings, serving

    with own_folder() as folder, serving(Settings(port=free_port(), mcp=True), folder) as url:
        yield url.rstrip("/")


@pytest.fixture(scope="session")
def jobs(detector):
    from deepfake.page.jobs import Jobs

    return Jobs(detector)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
