"""A modality at the other end: opens associations, and sends bytes as they are."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydicom.uid import UID
from pynetdicom import AE, build_context
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.sop_class import Verification

from .made import body


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def calling(
    port: int,
    *kinds: tuple[str, str],
    aet: str = "SCANNER",
    called: str = "ZOOM",
    handlers: list[Any] | None = None,
    negotiation: list[Any] | None = None,
) -> Iterator[Any]:
    """An association for pairs of SOP Class and transfer syntax; it may have been refused."""
    entity = AE(aet)
    entity.acse_timeout = entity.dimse_timeout = entity.connection_timeout = 30
    contexts = [build_context(one, syntax) for one, syntax in kinds or ((Verification, None),)]
    assoc = entity.associate(
        "127.0.0.1",
        port,
        contexts=contexts,
        ae_title=called,
        evt_handlers=handlers or [],
        ext_neg=negotiation or [],
    )
    try:
        yield assoc
    finally:
        if assoc.is_established:
            assoc.release()


def store(assoc: Any, sop_class: str, sop_instance: str, syntax: str, content: bytes) -> Any:
    """C-STORE of a data set as it is encoded; the answer, None if the association was lost."""
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = UID(sop_class), UID(sop_instance)
    request.DataSet = io.BytesIO(body(content))
    (context,) = [
        one
        for one in assoc.accepted_contexts
        if one.abstract_syntax == sop_class and one.transfer_syntax[0] == syntax
    ]
    assoc._reactor_checkpoint.clear()
    assoc.dimse.send_msg(request, context.context_id)
    _, answer = assoc.dimse.get_msg(block=True)
    assoc._reactor_checkpoint.set()
    return answer
