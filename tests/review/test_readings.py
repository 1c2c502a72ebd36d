"""A reading from its first answer to its signature, and what becomes of it afterwards."""

from __future__ import annotations

import re
import threading

import pytest
from sqlalchemy import select

from zoom_imaging.anatomy import Grade, Level, Visit
from zoom_imaging.provenance import sha256_of_bytes
from zoom_imaging.review.readings import content_of
from zoom_imaging.review.signatures import valid
from zoom_imaging.review.tables import Purpose, ReadingRow, ReadingState, Signature

from .conftest import PASSWORD, answered, case_data, room_at
from .small_trial import SUBJECTS

T7_WEDGE = {("A", "T7"): {"grade": "2", "shape": "wedge"}}


def rows(room, **where):
    with room.database.reading() as session:
        statement = select(ReadingRow).order_by(ReadingRow.id).filter_by(**where)
        found = session.scalars(statement).all()
        session.expunge_all()
        return found


def test_the_second_of_two_tabs_is_told_what_the_first_one_saved(room):
    """Nothing is overwritten unseen: 409 with the version and the answers kept now."""
    reader = room.browser("reader1")
    data = reader.begin()
    first = answered(data, T7_WEDGE)
    assert reader.save(data, first).status_code == 200
    late = reader.save(data, answered(data))
    assert late.status_code == 409
    assert late.json()["content"] == first
    assert late.json()["version"] == data["version"] + 1
    assert reader.save(data | late.json(), answered(data)).status_code == 200


def test_saving_the_same_answers_changes_nothing(room):
    """Neither version nor trail."""
    reader = room.browser("reader1")
    data = reader.begin()
    before = room.head()
    assert reader.save(data, data["content"]).json()["version"] == data["version"]
    assert room.head() == before


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"grade": None}, "no answer yet"),
        ({"grade": "1"}, "say which shape"),
        ({"grade": "not_evaluable"}, "say why"),
        ({"grade": "not_evaluable", "reason": "other"}, "write which"),
        ({"grade": "2", "shape": "wedge", "cause": "scheuermann"}, "a cause other than fracture"),
        ({"grade": "0", "reason": "obscured"}, "a reason for not evaluable"),
        ({"grade": "0", "shape": "wedge"}, "no shape of a fracture"),
    ],
)
def test_what_is_incomplete_or_contradictory_is_kept_but_not_signed(room, said, told):
    """The reader is told where; the answers wait for her."""
    reader = room.browser("reader1")
    data = reader.begin()
    kept = reader.save(data, answered(data, {("B", "L1"): said}))
    ((side, level, problem),) = kept.json()["problems"]
    assert (side, level) == ("B", "L1")
    assert told in problem
    assert "1 vertebrae are not completely answered" in reader.sign(data["code"]).text
    answer = reader.submit(
        "/", f"/read/{data['code']}/sign", version=str(kept.json()["version"]), password=PASSWORD
    )
    assert answer.status_code == 422
    assert told in answer.text.replace("&#39;", "'")
    assert rows(room)[0].state == ReadingState.OPEN


def film_of_the_other_side(content):
    content["sides"]["A"]["vertebrae"]["T8"]["film"] = content["sides"]["B"]["vertebrae"]["T8"][
        "film"
    ]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (film_of_the_other_side, 400),
        (lambda c: c["sides"]["A"]["vertebrae"]["T8"].update(film="f9"), 400),
        (lambda c: c["sides"]["A"]["vertebrae"]["T8"].update(film=""), 422),
        (lambda c: c["sides"].pop("B"), 400),
        (lambda c: c.update(stage="unaided"), 400),
        (lambda c: c.update(baseline_side="B"), 422),
        (lambda c: c["sides"]["A"]["vertebrae"].update(L6={"grade": "0"}), 422),
        (lambda c: c["sides"]["A"]["vertebrae"]["T8"].update(grade="4"), 422),
        (lambda c: c["sides"]["A"]["vertebrae"]["T8"].update(note="x" * 501), 422),
        (lambda c: c["sides"]["A"]["vertebrae"]["T8"].update(polygon=[[0, 0]] * 2001), 422),
        (lambda c: c["sides"]["A"]["vertebrae"]["T8"]["six_points"].update(sup_ant=[1e9, 0]), 422),
        (lambda c: c["sides"]["A"]["vertebrae"]["T8"]["six_points"].pop("sup_ant"), 422),
    ],
)
def test_answers_about_something_else_are_refused(room, change, status):
    """Other films, sides, levels, grades, or points beyond any film: nothing is kept."""
    reader = room.browser("reader1")
    data = reader.begin()
    content = answered(data)
    change(content)
    before = room.head()
    answer = reader.save(data, content)
    assert answer.status_code == status
    assert len(answer.json()["reason"]) > 20
    assert room.head() == before


@pytest.mark.parametrize("version", ["", "0", "x", "1.5", "-1", "٣", "9" * 30, "9" * 5000])
def test_a_signature_is_for_the_version_that_was_shown(room, version):
    """Whatever else the form says is no signature, and no crash."""
    reader = room.browser("reader1")
    data = reader.begin()
    reader.save(data, answered(data))
    client = room.visitor()
    client.cookies = reader.client.cookies
    fields = {"csrf": data["csrf"], "version": version, "password": PASSWORD}
    answer = client.post(f"/read/{data['code']}/sign", data=fields)
    assert answer.status_code == 422
    assert rows(room)[0].state == ReadingState.OPEN


def test_what_was_saved_in_another_tab_after_the_form_was_shown_is_not_signed(room):
    reader = room.browser("reader1")
    data = reader.begin()
    shown = reader.save(data, answered(data)).json()["version"]
    reader.save(data | {"version": shown}, answered(data, T7_WEDGE))
    fields = {"version": str(shown), "password": PASSWORD}
    answer = reader.submit("/", f"/read/{data['code']}/sign", **fields)
    assert "saved elsewhere" in answer.text


def test_a_signature_holds_name_moment_meaning_and_content(room):
    """21 CFR 11.50; and the content that it stands for, by its hash."""
    code = room.browser("reader1").read()
    with room.database.reading() as session:
        (signature,) = valid(session, f"reading:{code}")
        row = session.scalars(select(ReadingRow)).one()
        assert signature.printed_name == "Reader1"
        assert signature.meaning == "I read these films independently, and these are my answers."
        assert signature.at.utcoffset().total_seconds() == 0
        assert signature.content_sha256 == sha256_of_bytes(row.content.encode())
    page = room.browser("reader1").get(f"/read/{code}/sign").text
    assert "Signed by Reader1 on" in page


def test_nothing_is_signed_with_a_wrong_password(room):
    """And the failure is noted."""
    reader = room.browser("reader1")
    data = reader.begin()
    reader.save(data, answered(data))
    assert "the password is wrong" in reader.sign(data["code"], "wrong password").text
    assert rows(room)[0].state == ReadingState.OPEN
    assert room.audit()[-1].action == "login.failed"


@pytest.mark.parametrize("after", ["signed", "locked"])
def test_a_signed_reading_and_a_locked_case_do_not_change(room, after):
    """Neither by saving nor by signing once more."""
    reader = room.browser("reader1")
    data = reader.begin()
    data |= reader.save(data, answered(data)).json()
    reader.sign(data["code"])
    reader.read_all()
    room.browser("reader2").read_all()
    if after == "locked":
        room.browser("manager").lock_all()
    row = next(one for one in rows(room) if one.code == data["code"])
    before = room.head()
    shown = data | {"version": row.version}
    assert reader.save(shown, answered(data, T7_WEDGE)).status_code == 403
    assert (
        reader.submit(
            "/", f"/read/{data['code']}/sign", version=str(row.version), password=PASSWORD
        ).status_code
        == 422
    )
    assert room.head() == before


def test_a_case_that_has_its_readers_is_offered_to_nobody_else(room):
    """Two of three readers read all of it; for the third nothing is left."""
    for name in ("reader1", "reader2"):
        room.browser(name).read_all()
    assert "Nothing waits for you" in room.browser("reader3").get("/").text
    per_case = {}
    for row in rows(room):
        per_case.setdefault(row.case_id, []).append(row.slot)
    assert sorted(map(sorted, per_case.values())) == [[1, 2]] * 3


def test_many_at_once_begin_each_slot_once(room):
    """Readers who press the button at the same moment: every slot has one reader."""
    browsers = [room.browser(f"reader{number}") for number in (1, 2, 3)]
    secrets = [browser.secret("/") for browser in browsers]
    barrier = threading.Barrier(3)
    statuses = []

    def begin(browser, secret):
        barrier.wait()
        for code in waiting(browser):
            answer = browser.client.post(f"/read/{code}/start", data={"csrf": secret})
            statuses.append(answer.status_code)

    threads = [
        threading.Thread(target=begin, args=pair) for pair in zip(browsers, secrets, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    slots = [(row.case_id, row.slot) for row in rows(room)]
    assert len(slots) == len(set(slots)) == 6
    assert set(statuses) <= {200, 403}


def waiting(browser):
    return re.findall(r'action="/read/(\w+)/start"', browser.get("/").text)


def settled_room(room):
    """Two readers differ at T7 on side A of every case; the judge's first case is open."""
    room.browser("reader1").read_all()
    room.browser("reader2").read_all(T7_WEDGE)
    judge = room.browser("judge")
    return judge, judge.begin()


@pytest.fixture(scope="module")
def differing(tmp_path_factory):
    """The judge and her one case, for tests that change nothing."""
    room = room_at(tmp_path_factory.mktemp("differing"), SUBJECTS[:1])
    yield settled_room(room)
    room.database.close()


def test_the_adjudicator_gets_what_differs_and_both_answers(differing):
    """And starts without an answer there."""
    _, data = differing
    assert [one[:2] for one in data["discordant"]] == [["A", "T7"]]
    assert data["content"]["sides"]["A"]["vertebrae"]["T7"]["grade"] is None
    assert data["content"]["sides"]["A"]["vertebrae"]["T8"]["grade"] == "0"
    said = [one["content"]["sides"]["A"]["vertebrae"]["T7"]["grade"] for one in data["readers"]]
    assert sorted(said) == ["0", "2"]


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["sides"]["A"]["vertebrae"]["T8"].update(grade="1", shape="wedge"),
        lambda c: c["sides"]["B"]["vertebrae"]["T7"].update(grade="1", shape="wedge"),
        lambda c: c["sides"]["A"]["vertebrae"]["T8"].update(note="changed"),
        lambda c: c["sides"]["A"]["vertebrae"].pop("T8"),
        lambda c: c["sides"]["A"].update(anatomy="six_lumbar"),
    ],
)
def test_the_adjudicator_cannot_touch_what_the_readers_agree_on(differing, change):
    """Not a grade, not a note, not the anatomy."""
    judge, data = differing
    content = answered(data, {("A", "T7"): {"grade": "1", "shape": "wedge"}})
    change(content)
    answer = judge.save(data, content)
    assert answer.status_code == 400
    assert "the readers agree on" in answer.json()["reason"]


def test_whoever_adjudicates_reads_nothing_independently(room):
    """The adjudicator's worklist is empty until readers differ, and holds those cases alone."""
    judge = room.browser("judge")
    assert "Nothing waits for you" in judge.get("/").text
    room.browser("reader1").read_all()
    other = room.browser("reader2")
    other.read(T7_WEDGE)
    other.read_all()
    assert len(judge.read_all()) == 1
    assert {row.purpose for row in rows(room, account_id=5)} == {Purpose.ADJUDICATION}


def test_giving_a_reading_back_withdraws_its_signature_and_the_adjudication(room):
    """Both stay in the record; the reader goes on from her answers, and is asked to sign again."""
    judge, data = settled_room(room)
    judge.save(data, answered(data))
    judge.sign(data["code"])
    settled = next(row for row in rows(room) if row.code == data["code"])
    primary = next(
        row for row in rows(room, case_id=settled.case_id, purpose="primary") if row.slot == 1
    )
    path = f"/cases/{settled.case_id}"
    manager = room.browser("manager")
    refused = manager.submit(path, f"{path}/reopen", code=primary.code, reason=" ")
    assert "give a reason" in refused.text
    manager.submit(path, f"{path}/reopen", code=primary.code, reason="read the wrong side")
    states = {row.code: row.state for row in rows(room, case_id=settled.case_id)}
    assert states[primary.code] == ReadingState.OPEN
    assert states[settled.code] == ReadingState.VOID
    with room.database.reading() as session:
        assert not valid(session, f"reading:{primary.code}")
        assert not valid(session, f"reading:{settled.code}")
        assert len(session.scalars(select(Signature)).all()) == 7
    assert [one.reason for one in room.audit()[-2:]] == ["read the wrong side"] * 2
    assert judge.get(f"/read/{settled.code}").status_code == 404

    reader = room.browser("reader1")
    again = case_data(reader.get(f"/read/{primary.code}").text)
    assert again["state"] == "open"
    assert reader.save(again, answered(again, T7_WEDGE)).status_code == 200
    assert "Signed by" in reader.sign(primary.code).text
    codes = judge.read_all()
    assert settled.code not in codes
    assert len(codes) == 2


def test_the_readers_word_is_kept_as_it_was_given(room):
    """Every field of an answer comes back as it was sent."""
    reader = room.browser("reader1")
    data = reader.begin()
    said = {
        "grade": "1",
        "shape": "biconcave",
        "signs": ["cortical_buckling", "superior_endplate_depression"],
        "note": "Schmorl? 김 <b>",
        "moved": True,
    }
    content = answered(data, {("B", "T9"): said})
    content["sides"]["B"]["vertebrae"]["T9"]["six_points"]["sup_ant"] = [41.25, 99.5]
    content["sides"]["B"]["comment"] = "kyphosis"
    reader.save(data, content)
    answer = content_of(rows(room)[0]).sides["B"].answer(Level.T9)
    assert (answer.grade, answer.note, answer.moved) == (Grade.MILD, "Schmorl? 김 <b>", True)
    assert answer.six_points["sup_ant"] == (41.25, 99.5)
    shown = case_data(reader.get(f"/read/{data['code']}").text)
    assert shown["content"]["sides"]["B"]["comment"] == "kyphosis"
    assert Visit.BASELINE.value not in str(shown["content"])
