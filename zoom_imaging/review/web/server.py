"""The server process: one uvicorn, many threads, quiet logs without a name or a query."""

from __future__ import annotations

import socket
from collections.abc import Callable

from zoom_imaging.errors import ConfigurationError
from zoom_imaging.review.database import Database
from zoom_imaging.review.web.app import create_app
from zoom_imaging.review.web.guard import Site


def serve(database: Database, site: Site, host: str, port: int, say: Callable[[str], None]) -> None:
    """Listen until interrupted; ConfigurationError where the address cannot be had."""
    import uvicorn

    listener = _listen(host, port)
    bound = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    say(f"The reading room is open at http://{shown}:{bound}/  (Ctrl+C ends it)")
    config = uvicorn.Config(
        create_app(database, site),
        log_level="warning",
        access_log=False,
        proxy_headers=site.https,
        forwarded_allow_ips="127.0.0.1",
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}, port {port} ({error.strerror})",
            remedy="choose another --port, or end the server that holds it",
        ) from error
