"""TLS on the classic network, with real certificates: who is let in, who is refused, and how."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import StorageCommitmentPushModel
from typer.testing import CliRunner

from zoom_imaging.__main__ import app
from zoom_imaging.network import tls as tls_module
from zoom_imaging.network import tls_server
from zoom_imaging.network.dimse import Caller
from zoom_imaging.network.peer import AllowedPeer, DimsePeer
from zoom_imaging.network.tls import Tls
from zoom_imaging.network.transfer import contexts_to_send

from .certificates import OPENSSL, Authority, Signed, authority, openssl
from .made import DX, SR, dicom, thing, uid
from .orthanc import orthanc, why_not
from .talk import free_port, store
from .test_commitment import Desk, ask

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")

HERE = ("IP:127.0.0.1", "DNS:localhost")


@dataclass(frozen=True)
class World:
    """The authority of the trial, three certificates of it, and a stranger."""

    trial: Authority
    core: Signed
    site: Signed
    elsewhere: Signed
    other: Authority
    stranger: Signed

    @property
    def strict(self) -> Tls:
        """Our receiver; callers must show a certificate of the trial's authority."""
        return Tls(self.trial.certificate, self.core.certificate, self.core.key)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> World:
    folder = tmp_path_factory.mktemp("certificates")
    trial, other = authority(folder, "trial"), authority(folder, "other")
    return World(
        trial,
        trial.sign("core", *HERE),
        trial.sign("site", *HERE),
        trial.sign("elsewhere", "DNS:elsewhere.example.org"),
        other,
        other.sign("stranger", *HERE),
    )


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.dcm"
    path.write_bytes(dicom(thing(1)))
    return path


def run(*arguments: object):
    return CliRunner().invoke(app, [str(one) for one in arguments])


def send(film: Path, port: int, *options: str):
    return run("send", film, "--to", f"ZOOM@127.0.0.1:{port}", *options)


def test_who_has_a_certificate_of_the_authority_sends(world, post_office, film):
    post = post_office(tls=world.strict)
    done = send(film, post.port, *world.trial.options, *world.site.options)
    assert done.exit_code == 0, done.output
    assert post.files == [f"{uid(1)}.dcm"]


def test_without_an_authority_callers_need_no_certificate(world, post_office, film):
    """What they send is encrypted, and they know who we are."""
    post = post_office(tls=Tls(None, world.core.certificate, world.core.key))
    done = send(film, post.port, *world.trial.options)
    assert done.exit_code == 0, done.output
    assert post.files == [f"{uid(1)}.dcm"]


@pytest.mark.parametrize(
    ("options", "told", "logged"),
    [
        (
            lambda world: world.other.options + world.site.options,
            r"certificate that is not accepted \(.*certificate.*\); --tls-ca names",
            "UNKNOWN_CA",
        ),
        (
            lambda world: world.trial.options + world.stranger.options,
            "it may want a certificate of ours",
            "shows a certificate that is not accepted",
        ),
        (
            lambda world: world.trial.options,
            "it may want a certificate of ours",
            "shows no certificate",
        ),
        (lambda _world: (), "it may speak TLS only", "does not speak TLS"),
    ],
    ids=["wrong authority", "certificate of another", "no certificate", "no encryption"],
)
def test_who_is_not_let_in_is_told_why_and_does_no_harm(
    lost_socket, *, world, post_office, film, options, told, logged
):
    """Exit 1 with the reason; our log has it; the next caller is served."""
    post = post_office(tls=world.strict)
    refused = send(film, post.port, *options(world))
    assert refused.exit_code == 1
    assert re.search(told, refused.output)
    assert post.files == []
    done = send(film, post.port, *world.trial.options, *world.site.options)
    assert done.exit_code == 0, done.output
    assert [line for line in post.said if line.startswith("refused 127.0.0.1") and logged in line]


def test_a_certificate_of_another_host_is_not_accepted(lost_socket, world, post_office, film):
    """Who has a certificate of the authority cannot take another's place."""
    post = post_office(tls=Tls(None, world.elsewhere.certificate, world.elsewhere.key))
    refused = send(film, post.port, *world.trial.options)
    assert refused.exit_code == 1
    assert "not valid for '127.0.0.1'" in refused.output


def test_a_pacs_without_tls_is_told(lost_socket, world, post, film):
    refused = send(film, post.port, *world.trial.options)
    assert refused.exit_code == 1
    assert "does not speak TLS on this port" in refused.output


def test_a_caller_that_says_nothing_keeps_nobody_out(world, post_office, film, monkeypatch):
    """A port scanner, for example, that connects and waits."""
    monkeypatch.setattr(tls_server, "HANDSHAKE_SECONDS", 100)
    post = post_office(tls=world.strict)
    with socket.create_connection(("127.0.0.1", post.port)) as silent:
        done = send(film, post.port, *world.trial.options, *world.site.options)
        assert done.exit_code == 0, done.output
        # Not cut off yet: it was there all the time.
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.recv(1)


@pytest.mark.parametrize(("version", "agreed"), [("-tls1_1", False), ("-tls1_2", True)])
def test_old_versions_of_tls_are_refused(world, post_office, version, agreed):
    post = post_office(tls=Tls(None, world.core.certificate, world.core.key))
    command = [OPENSSL, "s_client", "-connect", f"127.0.0.1:{post.port}", version]
    done = subprocess.run(
        [*command, "-cipher", "DEFAULT@SECLEVEL=0"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) is agreed


def test_storage_commitment_is_reported_by_tls(world, post_office):
    """On a new association, to a sender that shows its certificate and wants ours."""
    desk, port = Desk(), free_port()
    listener = AE("ZOOM")
    listener.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    site = Tls(world.trial.certificate, world.site.certificate, world.site.key)
    server = listener.start_server(
        ("127.0.0.1", port),
        block=False,
        ssl_context=site.answering(),
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, desk.handle)],
    )
    try:
        post = post_office(AllowedPeer("ZOOM", "127.0.0.1", port), tls=world.strict)
        caller = Caller(DimsePeer("ZOOM", "127.0.0.1", post.port), "ZOOM", site)
        kinds = [(DX, ExplicitVRLittleEndian), (StorageCommitmentPushModel, ExplicitVRLittleEndian)]
        with caller.association(contexts_to_send(kinds)) as assoc:
            store(assoc, DX, uid(1), ExplicitVRLittleEndian, dicom(thing(1)))
            assert ask(assoc, (DX, uid(1))) == 0x0000
        event_type, _ = desk.wait()
    finally:
        server.shutdown()
    assert event_type == 1


@pytest.mark.parametrize("retrieve", ["move", "get"])
def test_a_pacs_that_speaks_tls_gives_and_takes(world, tmp_path, retrieve):
    """Orthanc wants our certificate and shows its own, also where C-MOVE lets it call us."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    settings = {
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(world.site.certificate),
        "DicomTlsPrivateKey": str(world.site.key),
        "DicomTlsTrustedCertificates": str(world.trial.certificate),
        "DicomTlsRemoteCertificateRequired": True,
    }
    report = tmp_path / "report.dcm"
    report.write_bytes(dicom(thing(2, SR, modality="SR")))
    ours = (*world.trial.options, *world.core.options)
    with orthanc(tmp_path / "orthanc", settings) as pacs:
        pacs.put(dicom(thing(1)))
        sent = run("send", report, "--to", pacs.dimse, *ours)
        assert sent.exit_code == 0, sent.output
        arguments = ("--into", tmp_path / "in", "--patient-id", "ZOOM-001", "--retrieve", retrieve)
        where = ("fetch", "--from", pacs.dimse, "--port", pacs.receiver_port)
        fetched = run(*where, *arguments, *ours)
        assert fetched.exit_code == 0, fetched.output
        assert pacs.held() == {uid(1), uid(2)}
    assert sorted(os.listdir(tmp_path / "in")) == [f"{uid(1)}.dcm", f"{uid(2)}.dcm"]


FETCH = ("fetch", "--from", "PACS@127.0.0.1:104", "--into", "in", "--modality", "DX")


@pytest.mark.parametrize(
    ("arguments", "options", "why"),
    [
        (("receive", "--out", "in"), "--tls-cert core.pem", "--tls-cert and --tls-key go together"),
        (("receive", "--out", "in"), "--tls-ca trial.pem", "wants to see our certificate"),
        (("receive", "--out", "in"), "--tls-cert core.pem --tls-key site.key", "KEY_VALUES"),
        (("receive", "--out", "in"), "--tls-cert core.pem --tls-key none.key", "No such file"),
        (("receive", "--out", "in"), "--tls-cert core.pem --tls-key locked.key", "is encrypted"),
        (
            ("receive", "--out", "in", "--allow", "DEXA1@127.0.0.1:104"),
            "--tls-cert core.pem --tls-key core.key",
            "storage commitment cannot be reported to port 104 of DEXA1",
        ),
        (FETCH, "--tls-ca core.key", "--tls-ca: core.key cannot be used"),
        (FETCH, "--tls-ca trial.pem", "whoever connects to us by TLS wants to see our certificate"),
        (FETCH, "--tls-cert core.pem --tls-key core.key", "certificate of the PACS cannot be"),
        (
            ("fetch", "--from", "https://pacs.example.org", "--into", "in", "--modality", "DX"),
            "--tls-ca trial.pem",
            "REQUESTS_CA_BUNDLE",
        ),
    ],
)
def test_what_cannot_be_used_is_exit_2_and_nothing_is_made(
    world, tmp_path, monkeypatch, *, arguments, options, why
):
    for signed in (world.core, world.site, world.trial.own):
        for path in (signed.certificate, signed.key):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    locked = ("-aes256", "-passout", "pass:secret", "-out", tmp_path / "locked.key")
    openssl("pkey", "-in", world.core.key, *locked)
    before = sorted(os.listdir(tmp_path))
    monkeypatch.chdir(tmp_path)
    done = run(*arguments, *options.split())
    assert done.exit_code == 2, done.output
    assert done.output.startswith("Error: ")
    assert why in done.output
    assert sorted(os.listdir(tmp_path)) == before


def test_a_pacs_that_falls_silent_after_the_handshake_is_left(
    lost_socket, world, film, monkeypatch
):
    """Also where it sends the tickets of TLS 1.3, which are no answer."""
    monkeypatch.setattr(tls_module, "SILENCE_SECONDS", 1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(world.core.certificate, world.core.key)
    left = threading.Event()
    waited: list[bool] = []

    def answer() -> None:
        line, _ = listening.accept()
        with context.wrap_socket(line, server_side=True):
            waited.append(left.wait(100))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer)
        thread.start()
        done = send(film, listening.getsockname()[1], *world.trial.options)
        left.set()
        thread.join()
    assert done.exit_code == 1
    assert "has ended the association" in done.output
    # We went while it was still there.
    assert waited == [True]
