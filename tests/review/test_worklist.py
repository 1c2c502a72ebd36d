"""What waits for whom: order, hidden repeats, and that nobody is stuck."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from zoom_imaging.review.cases import import_reading_list
from zoom_imaging.review.database import Database
from zoom_imaging.review.monitoring import graded_pairs, monitoring
from zoom_imaging.review.tables import Purpose, ReadingRow, Trial
from zoom_imaging.review.verdicts import verdicts
from zoom_imaging.review.worklist import REPEAT_DISTANCE, offers, tasks

from .conftest import Room, account, answered, fill, room_at
from .small_trial import SUBJECTS, charter_with, small_trial

MANY = tuple(f"ZOOM-{number}" for number in range(901, 909))


def purposes(room, name):
    with room.database.reading() as session:
        person = account(session, name)
        return [
            (row.purpose, row.case_id, row.code)
            for row in session.scalars(select(ReadingRow).order_by(ReadingRow.id))
            if row.account_id == person.id
        ]


@pytest.fixture(scope="module")
def all_twice(tmp_path_factory):
    """Eight subjects, each of them twice; reader1 and reader2 have read all that they get."""
    room = room_at(tmp_path_factory.mktemp("twice"), MANY, repeat_share=1.0)
    other = {("A", "T7"): {"grade": "1", "shape": "wedge"}}
    reader = room.browser("reader1")
    while 'action="/next"' in reader.get("/").text:
        data = reader.begin()
        is_repeat = purposes(room, "reader1")[-1][0] == Purpose.REPEAT
        reader.save(data, answered(data, other if is_repeat else None))
        reader.sign(data["code"])
    room.browser("reader2").read_all()
    yield room
    room.database.close()


def test_each_signed_case_comes_once_more_under_another_code(all_twice):
    """Neither more often nor under a code that was seen."""
    done = purposes(all_twice, "reader2")
    assert len({code for *_, code in done}) == len(done) == 2 * len(MANY)
    for purpose in (Purpose.PRIMARY, Purpose.REPEAT):
        assert len({case for kind, case, _ in done if kind == purpose}) == len(MANY)


def test_a_repeat_does_not_come_while_the_case_is_remembered(all_twice):
    """Five others at least lie between, as long as others wait."""
    done = purposes(all_twice, "reader2")
    last_primary = max(at for at, one in enumerate(done) if one[0] == Purpose.PRIMARY)
    for at, (purpose, case, _) in enumerate(done):
        if purpose == Purpose.REPEAT and at < last_primary:
            first = next(i for i, one in enumerate(done) if one[1] == case)
            assert at - first > REPEAT_DISTANCE


def test_a_repeat_changes_no_verdict(all_twice):
    """The first answers count: reader1's other word at the repeat is no difference."""
    with all_twice.database.reading() as session:
        found = verdicts(session)
        compared = monitoring(session)
    assert len(found) == len(MANY)
    assert {one.differences for one in found.values()} == {0}
    assert compared.compared == len(MANY)
    with all_twice.database.reading() as session:
        pairs = graded_pairs(session)
    intra = [one for one in pairs if one.kind == "intra"]
    assert len(intra) == 2 * len(MANY) * 26
    assert {one.readers for one in intra} == {("reader1",), ("reader2",)}
    changed = [one for one in intra if one.grade_a != one.grade_b]
    assert len(changed) == len(MANY)
    assert {(one.reader_a, one.level.value) for one in changed} == {("reader1", "T7")}


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_the_charter_sets_the_share_of_repeats(tmp_path, monkeypatch, share):
    """None at 0; some but not all at 0.4; who gets which is drawn once for all."""
    monkeypatch.setattr("zoom_imaging.review.cases.secrets.token_hex", lambda *_: "5e" * 32)
    room = room_at(tmp_path, MANY[:4], repeat_share=share)
    for name in ("reader1", "reader2"):
        room.browser(name).read_all()
    repeated = {
        (name, case)
        for name in ("reader1", "reader2")
        for purpose, case, _ in purposes(room, name)
        if purpose == Purpose.REPEAT
    }
    assert bool(repeated) is bool(share)
    assert len(repeated) < 8
    room.database.close()


def test_the_draw_is_the_same_however_often_one_looks(tmp_path):
    """Worklist and codes are a function of the trial's secret, and other trials have others."""
    room = room_at(tmp_path, MANY)
    with room.database.reading() as session:
        person = account(session, "reader1")
        assert offers(session, person) == offers(session, person)
        codes = {one.code for one in offers(session, person)}
        others = {one.code for one in offers(session, account(session, "reader2"))}
        assert len(codes) == len(MANY)
        assert not codes & others
    with room.database.writing() as session:
        session.get_one(Trial, 1).seed = "ab" * 32
    with room.database.reading() as session:
        assert not codes & {one.code for one in offers(session, account(session, "reader1"))}
    room.database.close()


@pytest.mark.parametrize("rule", ["flagged_first", "all"])
def test_flagged_cases_come_first_where_the_charter_says_so(tmp_path, rule):
    """Else all come in one hidden order, which is not that of the subjects."""
    room = room_at(tmp_path, MANY, worklist=rule)
    with room.database.reading() as session:
        found = offers(session, account(session, "reader1"))
    codes = [one.code for one in found if rule == "all" or not one.flagged]
    assert codes == sorted(codes)
    if rule == "flagged_first":
        assert [one.flagged for one in found] == [True] + [False] * (len(MANY) - 1)
    room.database.close()


@pytest.mark.parametrize("name", ["manager", "auditor"])
def test_others_have_no_worklist(room, name):
    with room.database.reading() as session:
        assert tasks(session, account(session, name)) == []


def test_a_subject_without_films_waits_for_nobody(tmp_path):
    database = Database(tmp_path / "readings.sqlite3")
    fill(database, small_trial(tmp_path, without_films=SUBJECTS[1:]))
    room = Room(database)
    assert len(room.browser("reader1").read_all()) == 1
    database.close()


def stuck(room):
    """reader1 has a repeat open whose case a data manager locks."""
    for name in ("reader1", "reader2"):
        person = room.browser(name)
        for _ in SUBJECTS:
            person.read()
    data = room.browser("reader1").begin()
    room.browser("manager").lock_all()
    return data


def test_an_open_repeat_of_a_locked_case_keeps_nobody_from_the_next_one(tmp_path):
    """What can no longer be signed is not what comes next for ever."""
    room = room_at(tmp_path, repeat_share=1.0)
    data = stuck(room)
    page = room.browser("reader1").submit("/", "/next").text
    assert f"Case {data['code']}" not in page
    room.database.close()


def test_an_open_reading_of_a_held_case_keeps_nobody_from_the_next_one(tmp_path):
    """While the data manager thinks about changed films, the reader goes on with others."""
    room = room_at(tmp_path)
    reader = room.browser("reader1")
    data = reader.begin()
    other = small_trial(tmp_path / "later", charter=charter_with(repeat_share=0.0))
    with room.database.writing() as session:
        held = import_reading_list(session, changed(other.reading_list)).held
    assert len(held) == 1
    assert reader.save(data, data["content"]).status_code == 403
    following = str(reader.submit("/", "/next").url)
    assert data["code"] not in following
    assert re.search(r"/read/[2-9A-Z]{8}$", following)
    room.database.close()


def changed(reading_list):
    """The same subjects, every film with other bytes."""
    cases = [
        replace(case, films=tuple(replace(film, sha256="f" * 64) for film in case.films))
        for case in reading_list.cases
    ]
    return replace(reading_list, cases=tuple(cases))
