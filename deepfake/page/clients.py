"""Who asks: what limits are counted by."""

from __future__ import annotations

from gradio.context import LocalContext


def asking_client() -> str:
    """The address of who caused the event that Gradio answers in this thread; empty where it answers none.

    Behind a proxy that is the proxy's, unless it is one of `own_folder`'s `proxies`: then it is the one that the
    proxy names. The session would be no name, for anybody can begin any number of them.
    """
    request = LocalContext.request.get(None)
    return request.client.host if request and request.client else ""
