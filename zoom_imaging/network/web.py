"""A PACS by DICOMweb (PS3.18): QIDO-RS to search, WADO-RS to fetch, STOW-RS to send.

Objects come as the PACS stores them (`transfer-syntax=*`), byte for byte. Name and password or a
token come from the environment, never from the command line, where other users could read them.
"""

from __future__ import annotations

import io
import logging
import os
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from zoom_imaging.errors import ConfigurationError, NetworkError
from zoom_imaging.network.fetching import outcome_of
from zoom_imaging.network.inbox import Inbox
from zoom_imaging.network.manifest import Outcome, State
from zoom_imaging.network.peer import WebPeer, is_loopback
from zoom_imaging.network.search import Instance, Search, Unlisted, instance_of
from zoom_imaging.network.storing import store

if TYPE_CHECKING:
    from dicomweb_client import DICOMwebClient
    from pydicom.dataset import Dataset

TOKEN_VARIABLE = "ZOOM_PACS_TOKEN"
USER_VARIABLE = "ZOOM_PACS_USER"
PASSWORD_VARIABLE = "ZOOM_PACS_PASSWORD"
CONNECT_TIMEOUT_SECONDS = 10
READ_TIMEOUT_SECONDS = 120
_ATTEMPTS = 3
_MOST_SILENCES = 3
"""After so many failures to connect in a row the rest is not tried."""
_PAGE = 500
_NO_ACCESS = {401, 403}


class _RefusedError(NetworkError):
    """The service answers, but not with what was asked for: other requests may do better."""


@dataclass(frozen=True)
class Credentials:
    """Of HTTP: a bearer token, or a name and a password, or neither."""

    token: str = ""
    user: str = ""
    password: str = ""

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> Credentials:
        """ConfigurationError where both kinds are set, or half of one."""
        found = cls(
            variables.get(TOKEN_VARIABLE, ""),
            variables.get(USER_VARIABLE, ""),
            variables.get(PASSWORD_VARIABLE, ""),
        )
        if found.token and (found.user or found.password):
            raise ConfigurationError(
                f"{TOKEN_VARIABLE} and {USER_VARIABLE} are both set", remedy="unset one of them"
            )
        if bool(found.user) != bool(found.password):
            raise ConfigurationError(
                f"{USER_VARIABLE} and {PASSWORD_VARIABLE} go together", found="one of them"
            )
        return found

    def __bool__(self) -> bool:
        return bool(self.token or self.user)

    def __repr__(self) -> str:
        """Without the secret, which a traceback would show."""
        return f"Credentials({'token' if self.token else 'password' if self.user else 'none'})"


class WebArchive:
    """A DICOMweb service."""

    def __init__(self, peer: WebPeer, credentials: Credentials) -> None:
        import requests

        if credentials and peer.url.startswith("http:") and not is_loopback(peer.host):
            raise ConfigurationError(
                f"a password or token would go to {peer.host} without encryption",
                remedy="use https://",
            )
        session = requests.Session()
        if credentials.token:
            session.auth = _Bearer(credentials.token)
        elif credentials.user:
            session.auth = _Basic(credentials.user, credentials.password)
        self._peer = peer
        self._client = _client(peer, session)
        self._silences = 0

    def offered(self, search: Search) -> Iterator[Instance | Unlisted]:
        """QIDO-RS for studies, their series and their objects."""
        for study in self._studies(search):
            uid = str(study.StudyInstanceUID)
            try:
                yield from self._of_study(uid, search)
            except _RefusedError as error:
                yield Unlisted(uid, "", error.reason)

    def _of_study(self, study_uid: str, search: Search) -> Iterator[Instance | Unlisted]:
        ask = partial(self._client.search_for_series, study_uid)
        for series in self._pages(ask, "SeriesInstanceUID"):
            if not search.admits_series(series):
                continue
            series_uid = str(series.SeriesInstanceUID)
            ask_series = partial(self._client.search_for_instances, study_uid, series_uid)
            try:
                for answer in self._pages(ask_series, "SOPInstanceUID"):
                    instance = instance_of(answer, study_uid, series_uid)
                    if instance is not None:
                        yield instance
            except _RefusedError as error:
                yield Unlisted(study_uid, series_uid, error.reason)

    def retrieve(
        self, instances: Sequence[Instance], *, whole_series: bool, inbox: Inbox
    ) -> Iterator[Outcome]:
        """WADO-RS for each object; a series is not asked for at once, so that a kill costs one."""
        for instance in instances:
            if self._silences >= _MOST_SILENCES:
                raise NetworkError(f"{self._peer} does not answer any more; run the command again")
            try:
                content = self._content(instance)
            except NetworkError as error:
                yield Outcome(instance, State.FAILED, reason=error.reason)
            else:
                yield outcome_of(instance, store(inbox, instance.sop_instance_uid, content))

    def send(self, content: bytes) -> str:
        """STOW-RS of one file; what the service did not like, "" if it took it.

        NetworkError where it cannot be asked.
        """
        with _quiet():
            import pydicom

            dataset = pydicom.dcmread(io.BytesIO(content))
            with self._asking("cannot be stored", answered=(409,)):
                answer = self._client.store_instances([dataset])
                return _refusal(answer)
        return _CONFLICT

    def _studies(self, search: Search) -> Iterator[Dataset]:
        filters = {}
        if search.study_date:
            filters["StudyDate"] = search.study_date
        if search.patient_id:
            filters["PatientID"] = search.patient_id
        seen: set[str] = set()
        for more in _each(search):
            for study in self._pages(
                self._client.search_for_studies,
                "StudyInstanceUID",
                {**filters, **more},
            ):
                uid = str(study.get("StudyInstanceUID", ""))
                if uid not in seen and search.admits_study(study):
                    seen.add(uid)
                    yield study

    def _pages(
        self, ask: Callable[..., Any], key: str, filters: Mapping[str, str] | None = None
    ) -> Iterator[Dataset]:
        """All answers, page by page, until one brings nothing new.

        Some services have no pages and answer with everything, whatever the offset.
        """
        from pydicom.dataset import Dataset

        seen: set[str] = set()
        offset = 0
        while True:
            page: dict[str, Any] = {"limit": _PAGE, "offset": offset}
            if filters:
                page["search_filters"] = dict(filters)
            with self._asking("cannot be searched"), _quiet():
                answers = [Dataset.from_json(answer) for answer in ask(**page)]
            new = [one for one in answers if str(one.get(key, "")) not in seen]
            if not new:
                return
            seen.update(str(one.get(key, "")) for one in new)
            yield from new
            offset += len(answers)

    def _content(self, instance: Instance) -> bytes:
        with self._asking("does not give it"), _quiet():
            dataset = self._client.retrieve_instance(
                instance.study_instance_uid,
                instance.series_instance_uid,
                instance.sop_instance_uid,
                media_types=(("application/dicom", "*"),),
            )
        # The bytes that the data set was read from, as the PACS sent them.
        buffer = getattr(dataset, "buffer", None)
        if not isinstance(buffer, io.BytesIO):
            raise NetworkError(f"{self._peer} does not give it as a DICOM file")
        return buffer.getvalue()

    @contextmanager
    def _asking(self, what: str, answered: Sequence[int] = ()) -> Iterator[None]:
        """What the network, the service and its answer may do wrong becomes a NetworkError.

        A status in `answered` is an answer: the rest of the block is left.
        """
        import requests
        import retrying

        try:
            yield
        except requests.HTTPError as error:
            self._silences = 0
            code = 0 if error.response is None else error.response.status_code
            if code not in answered:
                kind = NetworkError if code in _NO_ACCESS else _RefusedError
                raise kind(f"{self._peer} {what}: {_http_reason(code)}") from error
        except (requests.RequestException, retrying.RetryError) as error:
            self._silences += 1
            name = type(error).__name__
            raise NetworkError(f"{self._peer} cannot be reached ({name})") from error
        except NetworkError:
            raise
        except Exception as error:  # whatever a service may answer with
            raise _RefusedError(
                f"{self._peer} {what}: its answer is not understood ({type(error).__name__})"
            ) from error
        else:
            self._silences = 0


_CONFLICT = "the PACS refused it (HTTP 409)"


class _Basic:
    """Name and password as UTF-8 (RFC 7617), where requests would take Latin-1."""

    def __init__(self, user: str, password: str) -> None:
        self._value = b64encode(f"{user}:{password}".encode()).decode("ascii")

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Basic {self._value}"
        return request


class _Bearer:
    """Adds the token to each request; a header of the session would lose to a .netrc file."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _client(peer: WebPeer, session: Any) -> DICOMwebClient:
    from dicomweb_client import DICOMwebClient

    # Its messages name requests with patients' ids in them.
    logging.getLogger("dicomweb_client").setLevel(logging.CRITICAL)
    session.mount("http://", _adapter())
    session.mount("https://", _adapter())
    client = DICOMwebClient(
        peer.url,
        session=session,
        permissive_uid=True,
        timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
    )
    client.set_http_retry_params(max_attempts=_ATTEMPTS)
    return client


def _adapter() -> Any:
    """Leaves the wildcards of a query as they are.

    A URL may have `*` and `?` there (RFC 3986 3.4), and Orthanc does not know `%2A` as a wildcard.
    """
    from requests.adapters import HTTPAdapter

    class Plain(HTTPAdapter):
        def send(self, request: Any, *arguments: Any, **options: Any) -> Any:
            path, mark, query = (request.url or "").partition("?")
            request.url = path + mark + query.replace("%2A", "*").replace("%3F", "?")
            return super().send(request, *arguments, **options)

    return Plain()


def _each(search: Search) -> Iterator[dict[str, str]]:
    """The keys that take one value at a time."""
    studies = [{"StudyInstanceUID": uid} for uid in search.study_uids] or [{}]
    modalities = [{"ModalitiesInStudy": one} for one in search.modalities] or [{}]
    for study in studies:
        for modality in modalities:
            yield {**study, **modality}


def _refusal(answer: Dataset) -> str:
    """Why a STOW-RS answer says that the object was not stored; "" if it was."""
    failures = answer.get("FailedSOPSequence") or []
    if not failures:
        return ""
    code = failures[0].get("FailureReason")
    return "the PACS refused it" if code is None else f"the PACS refused it (0x{code:04X})"


def _http_reason(code: int) -> str:
    if code in _NO_ACCESS:
        return (
            f"it refuses access (HTTP {code}); check {TOKEN_VARIABLE}, "
            f"or {USER_VARIABLE} and {PASSWORD_VARIABLE}"
        )
    return f"HTTP {code}"


@contextmanager
def _quiet() -> Iterator[None]:
    """What libraries warn of in a PACS's data is told by the run, in our own words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
