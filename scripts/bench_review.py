"""Whether the reading room stays quick as a trial grows: times and how they grow, in one sitting.

`python scripts/bench_review.py [--readings 100 1000 5000] [--no-postgres]`.
Ten threads make every reading through the room's own functions; then each act is timed on what
they have left. `growth` is the exponent of time over readings from the smallest to the largest
trial: 0 = as quick as ever, 1 = in proportion. Not a test: nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.review.conftest import PASSWORD, account  # noqa: E402
from tests.review.crowd import (  # noqa: E402
    READERS,
    admit,
    cheap_passwords,
    complete,
    paper_trial,
    read_next,
)
from tests.review.postgres import postgres, why_not  # noqa: E402
from tests.review.small_trial import charter_with, small_trial  # noqa: E402
from zoom_imaging.review.audit import faults, head_of  # noqa: E402
from zoom_imaging.review.database import Database  # noqa: E402
from zoom_imaging.review.login import confirm_password, log_in, visitor  # noqa: E402
from zoom_imaging.review.monitoring import monitoring  # noqa: E402
from zoom_imaging.review.progress import case_lines  # noqa: E402
from zoom_imaging.review.readings import find, save, sign_reading, start  # noqa: E402
from zoom_imaging.review.tables import Trial  # noqa: E402
from zoom_imaging.review.verdicts import verdicts  # noqa: E402
from zoom_imaging.review.web.guard import Person  # noqa: E402
from zoom_imaging.review.web.pixels import FilmShelf  # noqa: E402
from zoom_imaging.review.web.room import case_data  # noqa: E402
from zoom_imaging.review.worklist import next_task, tasks  # noqa: E402

RULES = charter_with(readers=2, repeat_share=0.10)
REPEATS = 7
LEFT_OPEN = 10
"""Cases that nobody has read yet when the acts are timed."""


def main() -> None:
    """One table a database: an act a line, seconds for each size, and the growth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--no-postgres", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        where = Path(folder)
        kinds = {"SQLite": lambda count: str(where / f"{count}.sqlite3")}
        if arguments.no_postgres or why_not():
            print(f"PostgreSQL is left out: {why_not() or 'as asked'}")
        else:
            server = stack.enter_context(postgres())
            kinds["PostgreSQL"] = lambda _: server.new_database()
        stack.enter_context(cheap_passwords())
        for kind, place in kinds.items():
            found = [_measured(place(count), count, where) for count in arguments.readings]
            _show(kind, arguments.readings, found)
    password()


def _measured(place: str, count: int, folder: Path) -> dict[str, float]:
    """Seconds of each act on a trial of `count` primary readings by ten readers."""
    database = Database(place)
    found: dict[str, float] = {}
    trial = paper_trial(count // RULES.reading.readers + LEFT_OPEN, RULES)
    found["import of the trial"] = seconds(partial(admit, database, trial))
    found["one reading, ten threads, whole trial / readings"] = (
        seconds(partial(_read_all, database, count)) / count
    )
    acts: list[tuple[str, Callable[[], object]]] = [
        ("worklist", partial(_reading, database, tasks)),
        ("next case", partial(_reading, database, next_task)),
    ]
    for name, act in acts:
        found[name] = median(act)
    found |= _reading_once(database)
    found |= _page(database, folder)
    for name, act in (
        ("cases page (progress)", case_lines),
        ("monitoring", monitoring),
        ("verdicts", verdicts),
        ("verify the trail", lambda session: list(faults(session))),
    ):
        found[name] = median(partial(_of_all, database, act), 1 if count > 2000 else 3)
    with database.reading() as session:
        whole = not list(faults(session))
        found["audit entries (a number)"] = head_of(session)[0]
    print(f"  {place.partition('?')[0]}: {count} readings, trail {'whole' if whole else 'BROKEN'}")
    database.close()
    return found


def _read_all(database: Database, count: int) -> None:
    """Ten readers at once, until `count` readings are signed."""
    left, turn = [count], threading.Lock()

    def work(name: str) -> None:
        while True:
            with turn:
                if not left[0]:
                    return
                left[0] -= 1
            if not read_next(database, name):
                return

    with ThreadPoolExecutor(len(READERS)) as pool:
        for job in [pool.submit(work, name) for name in READERS]:
            job.result()


def _reading(database: Database, act: Callable[..., object]) -> None:
    with database.reading() as session:
        act(session, account(session, READERS[0]))


def _of_all(database: Database, act: Callable[..., object]) -> None:
    with database.reading() as session:
        act(session)


def _reading_once(database: Database) -> dict[str, float]:
    """Start, save and sign of a few readings on the full database."""
    spent: dict[str, list[float]] = {"start": [], "save": [], "sign, the password given before": []}
    for name in READERS[:REPEATS]:
        with database.writing() as session:
            person = account(session, name)
            code = next_task(session, person)
            begun = time.perf_counter()
            opened = start(session, person, code)
        spent["start"].append(time.perf_counter() - begun)
        content = complete(opened.content, code)
        begun = time.perf_counter()
        with database.writing() as session:
            kept = save(session, account(session, name), code, opened.row.version, content)
        spent["save"].append(time.perf_counter() - begun)
        given = confirm_password(database, person, PASSWORD, "here")
        begun = time.perf_counter()
        with database.writing() as session:
            sign_reading(session, account(session, name), code, kept.row.version, given)
        spent["sign, the password given before"].append(time.perf_counter() - begun)
    return {name: statistics.median(times) for name, times in spent.items()}


def _page(database: Database, folder: Path) -> dict[str, float]:
    """Data of a reading page, its two films decoded for the first time and from memory.

    The trial's films are of paper: a case of a real subject joins for this.
    """
    from zoom_imaging.review.cases import import_reading_list

    real = small_trial(folder / "films", ("REAL-1",), charter=RULES)
    with database.writing() as session:
        assert session.get(Trial, 1) is not None
        import_reading_list(session, real.reading_list)
        person = account(session, READERS[-1])
        code = _code_of_subject(session, person, "REAL-1")
        start(session, person, code)
    logged = log_in(database, person.name, PASSWORD, "bench")
    assert logged is not None
    shelf = FilmShelf()

    def data(shelf: FilmShelf) -> None:
        with database.reading() as session:
            found = visitor(session, logged.token)
            assert found is not None
            person = Person(found, logged.token)
            case_data(session, person, find(session, found.account, code), shelf)

    data(shelf)
    return {
        "page data, films decoded": median(lambda: data(FilmShelf())),
        "page data, films in memory": median(partial(data, shelf)),
    }


def _code_of_subject(session: object, person: object, subject_id: str) -> str:
    from zoom_imaging.review.cases import case_of_subject
    from zoom_imaging.review.worklist import offers

    case = case_of_subject(session, subject_id)  # type: ignore[arg-type]
    found = offers(session, person)  # type: ignore[arg-type]
    return next(one.code for one in found if one.case_id == case.id)


def password() -> None:
    """A signature checks the password twice within the writer's turn; it is what one turn costs."""
    from argon2 import PasswordHasher

    real = PasswordHasher()
    hashed = real.hash(PASSWORD)
    checked = median(lambda: real.verify(hashed, PASSWORD))
    print(f"\none check of a password, as hard as it is in use: {checked:.3f} s")


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def median(action: Callable[[], object], times: int = REPEATS) -> float:
    """Median wall time of some calls."""
    return statistics.median(seconds(action) for _ in range(times))


def _show(kind: str, sizes: list[int], found: list[dict[str, float]]) -> None:
    print(f"\n{kind:<50}" + "".join(f"{size:>10}" for size in sizes) + f"{'growth':>8}")
    for name in found[0]:
        values = [one[name] for one in found]
        numbers = "".join(
            f"{value:>10.0f}" if name.startswith("audit") else f"{value:>10.4f}" for value in values
        )
        print(f"{name:<50}{numbers}{_growth(sizes, values):>8}", flush=True)


def _growth(sizes: list[int], values: list[float]) -> str:
    if len(sizes) < 2 or not values[0]:
        return ""
    return f"{math.log(values[-1] / values[0]) / math.log(sizes[-1] / sizes[0]):.2f}"


if __name__ == "__main__":
    main()
