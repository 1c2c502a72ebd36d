"""Our storage SCP: takes objects over the DICOM network into an inbox.

Verification (C-ECHO), storage (C-STORE) of every standard SOP Class in every transfer syntax as it
comes, and storage commitment. An object is held in memory until all of it has come, so that an
interrupted transfer leaves nothing behind.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from zoom_imaging.errors import ConfigurationError, NetworkError
from zoom_imaging.ingest.text import visible
from zoom_imaging.network.commitment import Commitment
from zoom_imaging.network.inbox import Inbox
from zoom_imaging.network.peer import AllowedPeer, DimsePeer
from zoom_imaging.network.storing import Arrival, Received, Storing
from zoom_imaging.network.tls import NO_TLS, Tls
from zoom_imaging.network.transfer import storage_classes, transfer_syntaxes

if TYPE_CHECKING:
    from pynetdicom.transport import ThreadedAssociationServer

NETWORK_TIMEOUT_SECONDS = 60
"""A peer that is silent for so long in an open association is cut off."""
MOST_ASSOCIATIONS = 10
LARGEST_OBJECT_BYTES = 1 << 30
"""An object is held in memory until it is whole; a film of a whole spine has about 50 MB."""
_PDU_BYTES = 131072
_LAST_TRANSFERS_SECONDS = 10.0


@dataclass(frozen=True)
class Listening:
    """Where we listen, as whom, and to whom; no allowed peers: to everyone who gets here.

    With `tls` to nobody who does not speak it.
    """

    aet: str
    host: str
    port: int
    allowed: tuple[AllowedPeer, ...] = ()
    tls: Tls = NO_TLS

    def __post_init__(self) -> None:
        if self.tls and not self.tls.authority:
            for peer in self.allowed:
                if peer.port:
                    raise ConfigurationError(
                        f"storage commitment cannot be reported to port {peer.port} of {peer.aet}, "
                        "because its certificate could not be checked",
                        remedy="name the authority that signed it with --tls-ca, or leave out the "
                        "port",
                    )

    def admits(self, aet: str, address: str) -> bool:
        """Whether a calling AE may open an association."""
        return not self.allowed or any(peer.admits(aet, address) for peer in self.allowed)

    def listener(self, aet: str, address: str) -> DimsePeer | None:
        """Where a calling AE listens itself, as far as the allow-list tells."""
        for peer in self.allowed:
            if peer.port and peer.admits(aet, address):
                return DimsePeer(peer.aet, peer.host or address, peer.port)
        return None


class Receiver:
    """A server in threads of its own between `start` and `stop`.

    `say` gets a line for each study of each association, and for each refusal, without names.
    `told` gets every object; `wanted` limits the receiver to objects that were asked for.
    """

    def __init__(
        self,
        listening: Listening,
        inbox: Inbox,
        say: Callable[[str], None],
        *,
        told: Callable[[Received], None] | None = None,
        wanted: Callable[[str], bool] = lambda _uid: True,
    ) -> None:
        self._listening = listening
        self._inbox = inbox
        self._say = say
        self._listener_told = told
        self._wanted = wanted
        self._server: ThreadedAssociationServer | None = None
        self._tallies: dict[Any, dict[str, Counter[Arrival]]] = defaultdict(
            lambda: defaultdict(Counter)
        )
        self._pending_bytes: dict[Any, int] = {}
        self._lock = threading.Lock()
        self._commitment = Commitment(inbox, listening.aet, self._listener_of, say, listening.tls)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """Where it listens; with port 0 the one that was free."""
        assert self._server is not None
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Listen; NetworkError where the address cannot be had.

        ConfigurationError where a file of TLS cannot be used.
        """
        from pynetdicom import AE, evt
        from pynetdicom.sop_class import (  # type: ignore[attr-defined]
            StorageCommitmentPushModel,
            Verification,
        )

        entity = AE(self._listening.aet)
        entity.require_called_aet = True
        entity.maximum_associations = MOST_ASSOCIATIONS
        entity.maximum_pdu_size = _PDU_BYTES
        entity.network_timeout = NETWORK_TIMEOUT_SECONDS
        entity.acse_timeout = entity.dimse_timeout = NETWORK_TIMEOUT_SECONDS
        syntaxes = transfer_syntaxes()
        for sop_class in storage_classes():
            entity.add_supported_context(sop_class, syntaxes)
        entity.add_supported_context(Verification)
        entity.add_supported_context(StorageCommitmentPushModel)
        handlers: list[Any] = [
            (evt.EVT_REQUESTED, self._check),
            (evt.EVT_C_STORE, Storing(self._inbox, self._stored, self._wanted)),
            (evt.EVT_N_ACTION, self._commitment),
            (evt.EVT_PDU_RECV, self._measure),
            (evt.EVT_DIMSE_RECV, self._complete),
            (evt.EVT_RELEASED, self._closed),
            (evt.EVT_ABORTED, self._closed),
            (evt.EVT_CONN_CLOSE, self._closed),
        ]
        where = (self._listening.host, self._listening.port)
        context = self._listening.tls.answering() if self._listening.tls else None
        server: ThreadedAssociationServer | None
        try:
            if context is None:
                server = entity.start_server(where, block=False, evt_handlers=handlers)
            else:
                from zoom_imaging.network.tls_server import start

                server = start(entity, where, context, handlers, self._say)
        except (OSError, OverflowError) as error:
            raise NetworkError(
                f"cannot listen on {where[0]} port {where[1]} ({error})",
                remedy="end the other program, or choose another address with --host and --port",
            ) from error
        assert server is not None
        self._server = server

    def stop(self) -> None:
        """Take no new association, let transfers that are under way end, then cut them off."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        deadline = time.monotonic() + _LAST_TRANSFERS_SECONDS
        while self._pending() and time.monotonic() < deadline:
            time.sleep(0.05)
        self._commitment.end(_LAST_TRANSFERS_SECONDS)
        for assoc in server.active_associations:
            assoc.abort()
        for assoc in server.active_associations:
            assoc.join(_LAST_TRANSFERS_SECONDS)

    def _pending(self) -> bool:
        with self._lock:
            return bool(self._pending_bytes)

    def _check(self, event: Any) -> None:
        """Refuse an association before anything is negotiated."""
        assoc = event.assoc
        title = str(assoc.requestor.primitive.calling_ae_title)
        address = str(assoc.requestor.address)
        if self._listening.admits(title, address):
            return
        self._say(f"refused {visible(title)} at {address}: it is not on the list of --allow")
        # Permanent, by the service user: calling AE title not recognised (PS3.8 9.3.4).
        assoc.acse.send_reject(0x01, 0x01, 0x03)
        assoc.kill()

    def _measure(self, event: Any) -> None:
        """Cut off who sends more than any object has, before it fills the memory."""
        if type(event.pdu).__name__ != "P_DATA_TF":
            return
        with self._lock:
            total = self._pending_bytes.get(event.assoc, 0) + int(event.pdu.pdu_length)
            self._pending_bytes[event.assoc] = total
        if total > LARGEST_OBJECT_BYTES:
            self._say(
                f"cut off {self._who(event.assoc)}: "
                f"an object of more than {LARGEST_OBJECT_BYTES} bytes"
            )
            event.assoc.abort(block=False)

    def _complete(self, event: Any) -> None:
        """A whole message has come; the next one is counted from the start."""
        if type(event.message).__name__ == "C_STORE_RQ":
            return  # under way until it is stored
        with self._lock:
            self._pending_bytes.pop(event.assoc, None)

    def _stored(self, assoc: Any, received: Received) -> None:
        with self._lock:
            self._pending_bytes.pop(assoc, None)
            self._tallies[assoc][received.study_instance_uid][received.arrival] += 1
        if received.reason:
            self._say(
                f"{self._who(assoc)}: {received.arrival} {visible(received.sop_instance_uid)}: "
                f"{received.reason}"
            )
        if self._listener_told is not None:
            self._listener_told(received)

    def _closed(self, event: Any) -> None:
        with self._lock:
            self._pending_bytes.pop(event.assoc, None)
            tally = self._tallies.pop(event.assoc, {})
        for study, counts in sorted(tally.items()):
            told = ", ".join(f"{counts[one]} {one}" for one in Arrival if counts[one])
            self._say(f"{self._who(event.assoc)}: study {visible(study) or 'unknown'}: {told}")

    def _listener_of(self, assoc: Any) -> DimsePeer | None:
        return self._listening.listener(assoc.requestor.ae_title, assoc.requestor.address)

    @staticmethod
    def _who(assoc: Any) -> str:
        return f"{visible(assoc.requestor.ae_title.strip())} at {assoc.requestor.address}"
