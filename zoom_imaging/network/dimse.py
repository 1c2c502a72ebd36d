"""A PACS by the classic DICOM network: C-FIND to search; C-MOVE or C-GET to fetch (PS3.4 annex C).

With C-MOVE the PACS sends to an address that its administrator has entered for our AE title, where
our receiver listens. With C-GET the objects come back on our own association.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zoom_imaging.errors import NetworkError
from zoom_imaging.network.fetching import outcome_of
from zoom_imaging.network.inbox import Inbox
from zoom_imaging.network.manifest import Outcome, State
from zoom_imaging.network.peer import DimsePeer
from zoom_imaging.network.receiver import Listening, Receiver
from zoom_imaging.network.search import Instance, Search, Unlisted, instance_of
from zoom_imaging.network.storing import Received, Storing
from zoom_imaging.network.tls import NO_TLS, Tls, failed_handshake
from zoom_imaging.network.transfer import MOST_CONTEXTS, contexts_to_get

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pynetdicom.presentation import PresentationContext

CONNECT_TIMEOUT_SECONDS = 10
ANSWER_TIMEOUT_SECONDS = 600
"""A PACS may be silent while it takes films from tape or sends them to our receiver."""
_PENDING = {0xFF00, 0xFF01}
_SUCCESS = 0x0000
_REASONS = {
    0x0122: "it does not support this",
    0x0124: "it does not allow this to our AE title",
    0xA701: "it is out of resources",
    0xA702: "it is out of resources",
    0xA801: "it does not know our AE title as a destination: enter it there, with the address and "
    "port where this machine can be reached",
    0xA900: "it does not understand the request",
    0xB000: "some objects could not be sent",
    0xFE00: "it was cancelled",
}


class _RefusedError(NetworkError):
    """The PACS answers, but not with what was asked for: other requests may do better."""


class Caller:
    """Opens associations with a PACS under our AE title; by TLS where that is asked for.

    ConfigurationError where a file of TLS cannot be used.
    """

    def __init__(self, peer: DimsePeer, aet: str, tls: Tls = NO_TLS) -> None:
        self.peer = peer
        self.aet = aet
        self.tls = tls
        self._context = self.tls.calling() if self.tls else None

    @contextmanager
    def association(
        self,
        contexts: Sequence[PresentationContext],
        *,
        handlers: Sequence[tuple[Any, Callable[..., Any]]] = (),
        negotiation: Sequence[Any] = (),
    ) -> Iterator[Any]:
        """An open association, released afterwards. NetworkError where there is none."""
        from pynetdicom import AE, evt

        connected: list[Any] = []
        context = self._context
        if context is not None:
            context.failure = None
        entity = AE(self.aet)
        entity.connection_timeout = entity.acse_timeout = CONNECT_TIMEOUT_SECONDS
        entity.dimse_timeout = entity.network_timeout = ANSWER_TIMEOUT_SECONDS
        assoc = entity.associate(
            self.peer.host,
            self.peer.port,
            contexts=list(contexts),
            ae_title=self.peer.aet,
            evt_handlers=[(evt.EVT_CONN_OPEN, connected.append), *handlers],
            ext_neg=list(negotiation),
            tls_args=(context, self.peer.host) if context is not None else None,
        )
        if not assoc.is_established:
            raise self._refused(assoc, bool(connected))
        try:
            yield assoc
        finally:
            if assoc.is_established:
                assoc.release()

    def _refused(self, assoc: Any, connected: bool) -> NetworkError:
        """Why there is no association."""
        if self._context is not None and self._context.failure is not None:
            return NetworkError(
                f"{self.peer} {failed_handshake(self._context.failure)}",
                remedy="--tls-ca names the authority that its certificate comes from; the "
                f"certificate must be valid today and name {self.peer.host}",
            )
        if not connected:
            return NetworkError(f"{self.peer} cannot be reached")
        if assoc.is_rejected:
            reason = assoc.acceptor.primitive.reason_str
            return NetworkError(
                f"{self.peer} refuses an association with {self.aet} ({reason})",
                remedy="enter this AE title there",
            )
        return NetworkError(
            f"{self.peer} has ended the association while it was opened",
            remedy="it may want a certificate of ours that it knows (--tls-cert, --tls-key)"
            if self._context is not None
            else "it may speak TLS only (--tls-ca)",
        )

    def find(self, assoc: Any, keys: Dataset) -> list[Dataset]:
        """Every answer to a query. NetworkError for a refusal or silence."""
        from pynetdicom.sop_class import (  # type: ignore[attr-defined]
            StudyRootQueryRetrieveInformationModelFind,
        )

        answers = []
        for status, answer in assoc.send_c_find(keys, StudyRootQueryRetrieveInformationModelFind):
            code = status_code(status)
            if code is None:
                raise NetworkError(
                    f"{self.peer} has ended the association instead of answering the search",
                    remedy=f"it may not know our AE title {self.aet}: enter it there",
                )
            if code in _PENDING:
                if answer is not None:
                    answers.append(answer)
            elif code != _SUCCESS:
                why = reason_of(code, status)
                raise _RefusedError(f"{self.peer} refuses the search: {why}")
        return answers


class DimseArchive:
    """What both ways of fetching share: the search, study root, level by level."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def offered(self, search: Search) -> Iterator[Instance | Unlisted]:
        """C-FIND for studies, their series and their objects."""
        from pynetdicom import build_context
        from pynetdicom.sop_class import (  # type: ignore[attr-defined]
            StudyRootQueryRetrieveInformationModelFind,
        )

        context = build_context(StudyRootQueryRetrieveInformationModelFind)
        with self._caller.association([context]) as assoc:
            for study_uid in self._studies(assoc, search):
                try:
                    yield from self._of_study(assoc, study_uid, search)
                except _RefusedError as error:
                    yield Unlisted(study_uid, "", error.reason)

    def _of_study(self, assoc: Any, study_uid: str, search: Search) -> Iterator[Instance]:
        keys = _keys("SERIES", StudyInstanceUID=study_uid, SeriesInstanceUID="")
        keys.Modality = ""
        for series in self._caller.find(assoc, keys):
            if search.admits_series(series):
                yield from self._instances(assoc, study_uid, str(series.SeriesInstanceUID))

    def _studies(self, assoc: Any, search: Search) -> Iterator[str]:
        seen: set[str] = set()
        for study_uid in search.study_uids or ("",):
            for modality in search.modalities or ("",):
                keys = _keys("STUDY", StudyInstanceUID=study_uid)
                keys.StudyDate, keys.PatientID = search.study_date, search.patient_id
                keys.ModalitiesInStudy = modality
                for study in self._caller.find(assoc, keys):
                    uid = str(study.get("StudyInstanceUID", ""))
                    if uid not in seen and search.admits_study(study):
                        seen.add(uid)
                        yield uid

    def _instances(self, assoc: Any, study_uid: str, series_uid: str) -> Iterator[Instance]:
        keys = _keys("IMAGE", StudyInstanceUID=study_uid, SeriesInstanceUID=series_uid)
        keys.SOPInstanceUID = keys.SOPClassUID = ""
        for answer in self._caller.find(assoc, keys):
            instance = instance_of(answer, study_uid, series_uid)
            if instance is not None:
                yield instance


class MoveArchive(DimseArchive):
    """Fetches with C-MOVE; the receiver takes only what was asked for."""

    def __init__(self, caller: Caller, inbox: Inbox, listening: Listening) -> None:
        super().__init__(caller)
        self._wanted: set[str] = set()
        self._arrived: dict[str, Received] = {}
        self.receiver = Receiver(
            listening,
            inbox,
            lambda _line: None,
            told=lambda received: self._arrived.update({received.sop_instance_uid: received}),
            wanted=lambda uid: uid in self._wanted,
        )

    def retrieve(
        self, instances: Sequence[Instance], *, whole_series: bool, inbox: Inbox
    ) -> Iterator[Outcome]:
        """C-MOVE of the series, or of its objects one by one."""
        from pynetdicom import build_context
        from pynetdicom.sop_class import (  # type: ignore[attr-defined]
            StudyRootQueryRetrieveInformationModelMove as MoveModel,
        )

        self._wanted = {instance.sop_instance_uid for instance in instances}
        self._arrived.clear()
        with self._caller.association([build_context(MoveModel)]) as assoc:
            for part in _requests(instances, whole_series):
                keys = _retrieve_keys(part, whole_series)
                why = _last_status(assoc.send_c_move(keys, self._caller.aet, MoveModel))
                yield from _outcomes(part, self._arrived, why)


class GetArchive(DimseArchive):
    """Fetches with C-GET: the PACS need not know where we are."""

    def retrieve(
        self, instances: Sequence[Instance], *, whole_series: bool, inbox: Inbox
    ) -> Iterator[Outcome]:
        """C-GET of the series, or of its objects one by one."""
        from pynetdicom import build_context, build_role, evt
        from pynetdicom.sop_class import (  # type: ignore[attr-defined]
            StudyRootQueryRetrieveInformationModelGet as GetModel,
        )

        wanted = {instance.sop_instance_uid for instance in instances}
        arrived: dict[str, Received] = {}
        storing = Storing(
            inbox,
            lambda _assoc, received: arrived.update({received.sop_instance_uid: received}),
            lambda uid: uid in wanted,
        )
        contexts = [build_context(GetModel), *contexts_to_get(_classes(instances))]
        classes = dict.fromkeys(str(context.abstract_syntax) for context in contexts[1:])
        with self._caller.association(
            contexts[:MOST_CONTEXTS],
            handlers=[(evt.EVT_C_STORE, storing)],
            negotiation=[build_role(uid, scp_role=True) for uid in classes],
        ) as assoc:
            for part in _requests(instances, whole_series):
                keys = _retrieve_keys(part, whole_series)
                why = _last_status(assoc.send_c_get(keys, GetModel))
                yield from _outcomes(part, arrived, why)


def status_code(status: Dataset) -> int | None:
    """The status of an answer; None where the association was lost before one came."""
    return int(status.Status) if "Status" in status else None


def reason_of(code: int, status: Dataset) -> str:
    """What a status means, with what the PACS says about it."""
    comment = str(status.get("ErrorComment", "") or "").strip()
    known = _REASONS.get(code, "it failed")
    return f"{known} (0x{code:04X}{f', {comment}' if comment else ''})"


def _keys(level: str, **uids: str) -> Dataset:
    from pydicom.dataset import Dataset

    keys = Dataset()
    keys.QueryRetrieveLevel = level
    for keyword, uid in uids.items():
        setattr(keys, keyword, uid)
    return keys


def _requests(instances: Sequence[Instance], whole_series: bool) -> list[Sequence[Instance]]:
    # Not every PACS takes a list of UIDs, so each object of a part of a series is asked for alone.
    return [instances] if whole_series else [[instance] for instance in instances]


def _retrieve_keys(part: Sequence[Instance], whole_series: bool) -> Dataset:
    first = part[0]
    keys = _keys(
        "SERIES" if whole_series else "IMAGE",
        StudyInstanceUID=first.study_instance_uid,
        SeriesInstanceUID=first.series_instance_uid,
    )
    if not whole_series:
        keys.SOPInstanceUID = first.sop_instance_uid
    return keys


def _last_status(answers: Iterator[tuple[Dataset, Dataset | None]]) -> str:
    """Why objects may be missing, after all answers to a request have come."""
    why = "the PACS did not send it"
    for status, _ in answers:
        code = status_code(status)
        if code is None:
            return "the PACS has ended the association"
        if code not in _PENDING and code != _SUCCESS:
            why = f"the PACS did not send it: {reason_of(code, status)}"
    return why


def _outcomes(
    part: Sequence[Instance], arrived: dict[str, Received], why: str
) -> Iterator[Outcome]:
    for instance in part:
        received = arrived.get(instance.sop_instance_uid)
        if received is None:
            yield Outcome(instance, State.FAILED, reason=why)
        else:
            yield outcome_of(instance, received)


def _classes(instances: Sequence[Instance]) -> list[str]:
    """SOP Classes of the objects; where a PACS does not tell them, those that a trial has."""
    told = {instance.sop_class_uid for instance in instances}
    if told and "" not in told:
        return sorted(told)
    return [
        "1.2.840.10008.5.1.4.1.1.1",  # CR
        "1.2.840.10008.5.1.4.1.1.1.1",  # DX for presentation
        "1.2.840.10008.5.1.4.1.1.7",  # secondary capture
        "1.2.840.10008.5.1.4.1.1.2",  # CT
        "1.2.840.10008.5.1.4.1.1.104.1",  # encapsulated PDF
        "1.2.840.10008.5.1.4.1.1.88.22",  # enhanced SR
        "1.2.840.10008.5.1.4.1.1.88.33",  # comprehensive SR
        "1.2.840.10008.5.1.4.1.1.88.11",  # basic text SR
        "1.2.840.10008.5.1.4.1.1.1.1.1",  # DX for processing
    ]
