"""Nothing that would unblind goes to a reader's browser or into the server's log."""

from __future__ import annotations

import base64
import logging
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from sqlalchemy import select

from zoom_imaging.anatomy import GRADED_LEVELS, Grade, Level, Visit
from zoom_imaging.review.answer import Stage
from zoom_imaging.review.readings import content_of
from zoom_imaging.review.tables import CaseRow, ReadingRow, Trial
from zoom_imaging.review.verdicts import verdicts

from ..radiograph import phantom
from .conftest import PASSWORD, answered, case_data, room_at
from .small_trial import COLUMNS, ROWS, SECRETS, SUBJECTS

HEADERS = {
    *("content-type", "content-length", "cache-control", "location", "set-cookie", "allow"),
    *("content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy"),
    *("permissions-policy", "cross-origin-opener-policy", "cross-origin-resource-policy"),
    *("clear-site-data", "etag", "last-modified", "accept-ranges"),
}
VISIT_WORDS = re.compile(r"base.?line|month|visit|follow|earlier|later|prior|m12", re.IGNORECASE)
FEW = SUBJECTS[:2]
THEIRS = {"comment": "ZEBRA of the other"}


SHORTEST_PIECE = 8


def disguises(secret):
    """The ways in which a text may travel."""
    raw = secret.encode()
    yield from (secret, secret.lower(), secret.upper(), quote(secret, safe=""), raw.hex())
    yield "".join(f"&#{code};" for code in raw)
    for lead in range(3):
        inner = base64.b64encode(b"\0" * lead + raw).decode().rstrip("=")
        inner = inner[4 if lead else 0 : -1]
        # A shorter piece turns up by chance in the random letters of a cookie.
        if len(inner) >= SHORTEST_PIECE:
            yield inner


def whole_session(room, name, theirs=()):
    """Everything that a person in front of the viewer can do; what was sent, static files aside."""
    wire = room.listen()
    person = room.browser(name)
    person.get("/password")
    codes = []
    while 'action="/next"' in person.get("/").text:
        data = person.begin()
        code = data["code"]
        codes.append(code)
        for side in data["sides"]:
            for film in side["films"]:
                person.get(film["url"])
        for url in data["prefetch"]:
            person.get(url)
        person.sign(code)
        if data["model"] is None:
            kept = person.save(data, answered(data)).json()
            data["version"] = kept["version"]
            shown = reveal(person, data)
            data = shown.json() if shown.status_code == 200 else data
        kept = person.save(data, answered(data))
        assert kept.status_code == 200, kept.text
        assert person.save(data | {"version": 0}, answered(data)).status_code == 409
        assert person.save(data, {"sides": {}}).status_code >= 400
        person.client.put(data["urls"]["save"], json={"content": "nonsense"})
        person.sign(code, "wrong password")
        assert "Signed by" in person.sign(code).text
        assert person.save(data, answered(data)).status_code == 403
        for path in (f"/read/{code}", f"/read/{code}/sign", f"/films/{code}/f9"):
            person.get(path)
        person.client.post("/login", data={"name": name, "password": PASSWORD})
    for path in ("/cases", "/cases/1", "/accounts", "/monitoring", "/audit", "/nowhere"):
        assert person.get(path).status_code in {403, 404}
    for code in theirs:
        for path in (f"/read/{code}", f"/films/{code}/f1", f"/read/{code}/sign"):
            assert person.get(path).status_code == 404
    person.submit("/", "/logout")
    person.get(f"/read/{codes[0]}")
    return codes, [one for one in wire.sent if not one.path.startswith("/static")]


def reveal(person, data):
    return person.client.post(
        data["urls"]["reveal"],
        json={"version": data["version"]},
        headers={"X-CSRF-Token": data["csrf"]},
    )


def everything(sent):
    """Addresses, headers and bodies in one text, films as latin-1."""
    return "\n".join(f"{one.path} {one.headers} {one.text}" for one in sent)


def other_reader(room):
    """reader2 has read all, with a comment; the codes."""
    codes = []
    person = room.browser("reader2")
    while 'action="/next"' in person.get("/").text:
        data = person.begin()
        content = answered(data, {("A", "T7"): {"grade": "2", "shape": "wedge", "note": "ZEBRA"}})
        content["sides"]["A"] |= THEIRS
        kept = person.save(data, content).json()
        if data["suggestion"] == "after":
            reveal(person, data | kept)
        assert "Signed by" in person.sign(data["code"]).text
        codes.append(data["code"])
    return codes


@pytest.fixture(scope="module", params=["before", "after", "never"])
def sessions(request, tmp_path_factory):
    """A reader's and the adjudicator's whole session, with the log of the server meanwhile."""
    folder = tmp_path_factory.mktemp("blinding")
    room = room_at(folder, FEW, repeat_share=1.0, model_suggestion=request.param)
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        theirs = other_reader(room)
        own, read = whole_session(room, "reader1", theirs)
        settled, judged = whole_session(room, "judge", [*theirs, *own])
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
    assert len(own) == 2 * len(FEW)
    assert len(settled) == len(FEW)
    yield room, {"reader1": (own, read), "judge": (settled, judged)}, theirs, "\n".join(lines)
    room.database.close()


@pytest.mark.parametrize("name", ["reader1", "judge"])
def test_no_subject_arm_date_or_path_reaches_a_readers_browser(sessions, name):
    """In no page, header, address, answer of the interface or film, in no usual disguise."""
    room, sent, _, log = sessions
    text = everything(sent[name][1]) + log
    with room.database.reading() as session:
        trial = session.get_one(Trial, 1)
        films = "".join(session.scalars(select(CaseRow.films)))
        shas = re.findall(r'"sha256":"(\w{64})"', films)
        uids = re.findall(r'"sop_instance_uid":"([\d.]+)"', films)
        hidden = [trial.seed, trial.model_sha256, room.head()[1], *shas, *uids]
    assert len(shas) == 2 * len(FEW)
    for secret in (*SECRETS, "2032-03-05", "patient", ".dcm", "sqlite", *hidden):
        for disguise in disguises(secret):
            assert disguise not in text, (secret, disguise)


def test_a_film_is_its_grey_values_and_nothing_else(sessions):
    """No header of the file, no name, no date: as many bytes as there are pixels."""
    _, sent, _, _ = sessions
    films = [
        one for one in sent["reader1"][1] if one.path.startswith("/films/") and one.status == 200
    ]
    grey = np.rint(phantom.expected_grey(phantom.base_pixels(ROWS, COLUMNS)) * 65535)
    assert len(films) > 7
    for one in films:
        assert one.headers["content-type"] == "application/octet-stream"
        assert len(one.body) == 2 * ROWS * COLUMNS
        shown = np.frombuffer(one.body, "<u2").reshape(ROWS, COLUMNS)
        assert np.abs(shown - grey).max() <= 1


@pytest.mark.parametrize("name", ["reader1", "judge"])
def test_answers_have_no_headers_beyond_the_usual(sessions, name):
    _, sent, _, _ = sessions
    assert {header for one in sent[name][1] for header in one.headers} <= HEADERS


def test_a_reader_sees_nothing_of_other_readers(sessions):
    """Neither names nor codes nor answers, nor that anybody else has read at all."""
    _, sent, theirs, log = sessions
    own, read = sent["reader1"]
    text = everything([one for one in read if not any(code in one.path for code in theirs)])
    refused = [one for one in read if any(code in one.path for code in theirs)]
    assert all(one.status == 404 for one in refused)
    for word in (r"reader ?[23]", "judge", "mara", "zebra", "adjudicat", 'discordant":\\['):
        assert not re.search(word, text + log, re.IGNORECASE), word
    assert not any(code in text for code in theirs)
    assert '"readers":null' in text.replace(" ", "")
    assert not set(own) & set(theirs)


def test_the_adjudicator_sees_readings_without_names(sessions):
    """Reader 1 and Reader 2, not who they are, nor the codes that they know."""
    _, sent, theirs, log = sessions
    settled, judged = sent["judge"]
    others = [*theirs, *sent["reader1"][0]]
    text = everything([one for one in judged if not any(code in one.path for code in others)])
    for word in ("reader[123]", "mara"):
        assert not re.search(word, text + log, re.IGNORECASE), word
    assert not any(code in text for code in others)
    assert not set(settled) & set(others)
    assert "ZEBRA" in text


def test_a_repeat_looks_like_any_other_case(sessions):
    """Code, kind and page tell nothing; only the subject behind it is the same."""
    room, sent, _, _ = sessions
    own, read = sent["reader1"]
    assert not re.search(r"repeat|second time|duplicate", everything(read), re.IGNORECASE)
    with room.database.reading() as session:
        rows = session.scalars(select(ReadingRow).where(ReadingRow.code.in_(own))).all()
    assert sorted(row.purpose for row in rows) == ["primary"] * 2 + ["repeat"] * 2
    shapes = {}
    for one in read:
        if one.status == 200 and re.fullmatch(r"/read/\w+", one.path):
            data = case_data(one.text)
            shapes.setdefault(data["code"], set()).add((data["kind"], *sorted(data)))
    assert set(shapes) == set(own)
    assert len({frozenset(shape) for shape in shapes.values()}) == 1


def test_the_model_is_silent_until_the_reader_has_answered(sessions):
    """By the charter: from the start, after the own answers, or never, and for nobody."""
    _, sent, _, _ = sessions
    suggestion = case_data(first_page(sent))["suggestion"]
    for name in ("reader1", "judge"):
        for code in sent[name][0]:
            stages = [data_of(one) for one in sent[name][1] if code in one.path and data_of(one)]
            first = stages[0]
            aided = suggestion == "before" or (suggestion == "after" and name == "judge")
            assert (first["model"] is not None) is aided, (name, suggestion)
            if suggestion == "never":
                assert all(one["model"] is None for one in stages)
            if name == "reader1" and not aided:
                assert all(not side["vertebrae"] for side in first["content"]["sides"].values())
                assert not any("flagged" in str(side) for side in first["sides"])


def first_page(sent):
    return next(one.text for one in sent["reader1"][1] if 'id="case-data"' in one.text)


def data_of(one):
    """The data of a case in a page or in an answer of the interface, None elsewhere."""
    if 'id="case-data"' in one.text:
        return case_data(one.text)
    return None


@pytest.mark.parametrize("suggestion", ["after", "never"])
def test_the_worklist_keeps_the_models_flags_to_itself_before_unaided_reading(tmp_path, suggestion):
    """That a case is flagged is the model's word on it."""
    room = room_at(tmp_path, model_suggestion=suggestion)
    rows = re.findall(r"<td>([^<]*)</td>", room.browser("reader1").get("/").text)
    assert rows
    assert "flagged" not in rows
    room.database.close()


def test_unaided_answers_are_kept_beside_what_followed_the_reveal(tmp_path):
    """What the reader said alone stays in the record, and is what she then starts from."""
    room = room_at(tmp_path, model_suggestion="after")
    reader = room.browser("reader1")
    data = reader.begin()
    assert reveal(reader, data).status_code == 422
    alone = answered(data, {("A", "T5"): {"grade": "3", "shape": "crush"}})
    data["version"] = reader.save(data, alone).json()["version"]
    assert "was not looked at" in reader.sign(data["code"]).text
    shown = reveal(reader, data).json()
    assert shown["content"]["sides"]["A"]["vertebrae"]["T5"]["grade"] == "3"
    assert shown["content"]["sides"]["A"]["vertebrae"]["T5"]["six_points"]
    assert shown["model"]["A"]["T5"]["grade"] == "0"
    again = reveal(reader, shown).json()
    assert again["version"] == shown["version"]
    assert reader.save(shown, answered(shown)).status_code == 200
    assert "Signed by" in reader.sign(data["code"]).text
    with room.database.reading() as session:
        row = session.scalars(select(ReadingRow)).one()
        before = type(content_of(row)).model_validate_json(row.unaided)
        assert before.stage is Stage.UNAIDED
        assert before.sides["A"].answer(Level.T5).grade is Grade.SEVERE
        assert content_of(row).sides["A"].answer(Level.T5).grade is Grade.NORMAL
    room.database.close()


@pytest.mark.parametrize("suggestion", ["before", "never"])
def test_there_is_nothing_to_reveal_where_the_charter_says_so(tmp_path, suggestion):
    room = room_at(tmp_path, model_suggestion=suggestion)
    reader = room.browser("reader1")
    data = reader.begin()
    data["version"] = reader.save(data, answered(data)).json()["version"]
    answer = reveal(reader, data)
    assert answer.status_code == 403
    assert set(answer.json()) == {"reason"}
    room.database.close()


@pytest.fixture(scope="module")
def hidden_order(tmp_path_factory):
    """A room whose charter hides the order of visits, by a known secret; both have read all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoom_imaging.review.cases.secrets.token_hex", lambda *_: "5e" * 32)
        room = room_at(tmp_path_factory.mktemp("order"), blind_visit_order=True)
    sent = {}
    other = {("A", "T7"): {"grade": "2", "shape": "wedge"}}
    room.browser("reader2").read_all(other)
    for name in ("reader1", "judge"):
        sent[name] = whole_session(room, name)[1]
    yield room, sent
    room.database.close()


@pytest.mark.parametrize("name", ["reader1", "judge"])
def test_with_a_hidden_order_no_word_tells_the_visits(hidden_order, name):
    """Films A and films B, in pages, data, addresses and headers alike."""
    _, sent = hidden_order
    found = VISIT_WORDS.findall(everything(sent[name]).replace("no other visitor", ""))
    assert not found


def test_a_hidden_order_changes_from_case_to_case(hidden_order):
    """And the answers still go to the visit that was shown."""
    room, _ = hidden_order
    with room.database.reading() as session:
        rows = session.scalars(select(ReadingRow)).all()
        first = verdicts(session)[SUBJECTS[0]]
    assert {row.baseline_side for row in rows} == {"A", "B"}
    grades = {visit: first.spines[visit].answer(Level.T12).grade for visit in Visit}
    assert grades == {Visit.BASELINE: Grade.NORMAL, Visit.MONTH12: Grade.MODERATE}


def test_the_visit_is_said_where_the_order_is_open(tmp_path):
    """So that the test above can fail."""
    room = room_at(tmp_path)
    data = room.browser("reader1").begin()
    assert [side["title"] for side in data["sides"]] == ["Baseline", "Month 12"]
    assert len(data["content"]["sides"]["A"]["vertebrae"]) == len(GRADED_LEVELS)
    room.database.close()


def gone(path):
    path.unlink()


def swapped(path):
    path.write_bytes(path.read_bytes().replace(b"HIDDEN^PATIENT", b"HIDDEN^PATIENX"))


def a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [gone, swapped, a_folder])
def test_a_film_that_cannot_be_shown_is_refused_without_saying_which_it_is(
    tmp_path, capfd, caplog, harm
):
    """The refusal names neither file nor folder, to the reader or in the log."""
    caplog.set_level(logging.DEBUG)
    room = room_at(tmp_path)
    wire = room.listen()
    reader = room.browser("reader1")
    data = reader.begin()
    for path in Path(tmp_path, "SITE-PATH").rglob("*.dcm"):
        harm(path)
    room.app.app.state.shelf._kept.clear()
    for path in (f"/read/{data['code']}", data["sides"][0]["films"][0]["url"]):
        assert reader.get(path).status_code == 410
    text = everything(wire.sent) + caplog.text + "".join(capfd.readouterr())
    for secret in (*SECRETS, str(tmp_path), ".dcm"):
        assert secret not in text
    room.database.close()
