"""The server of our receiver where callers must speak TLS."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from typing import Any

from pynetdicom import AE
from pynetdicom.transport import ThreadedAssociationServer

from zoom_imaging.network.tls import SILENCE_SECONDS, failed_handshake

HANDSHAKE_SECONDS = 10


class TlsServer(ThreadedAssociationServer):
    """Shakes hands in the thread of each connection.

    pynetdicom does it where connections are accepted: one silent caller would keep all others out.
    """

    def __init__(self, *arguments: Any, say: Callable[[str], None], **options: Any) -> None:
        self._say = say
        super().__init__(*arguments, **options)

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection, as it comes."""
        assert self.socket is not None
        return self.socket.accept()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Agree on TLS with a caller; without that its connection ends before DICOM begins."""
        assert self.ssl_context is not None
        try:
            request.settimeout(HANDSHAKE_SECONDS)
            secured = self.ssl_context.wrap_socket(
                request, server_side=True, do_handshake_on_connect=False
            )
        except OSError:
            request.close()
            return
        try:
            secured.do_handshake()
            secured.settimeout(SILENCE_SECONDS)
        except OSError as error:
            secured.close()
            self._say(f"refused {client_address[0]}: it {failed_handshake(error)}")
            return
        super().finish_request(secured, client_address)


def start(
    entity: AE,
    where: tuple[str, int],
    context: ssl.SSLContext,
    handlers: list[Any],
    say: Callable[[str], None],
) -> TlsServer:
    """What `AE.start_server` does, which takes no class of server. OSError as from there."""
    server = entity.make_server(
        where, ssl_context=context, evt_handlers=handlers, server_class=TlsServer, say=say
    )
    assert isinstance(server, TlsServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    entity._servers.append(server)  # its shutdown takes it off
    return server
