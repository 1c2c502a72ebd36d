"""How well readers agree with one another (inter) and with themselves (intra), by vertebra.

Every figure is of vertebrae that were graded twice at one visit; higher is better. Kappa = 1 is
full agreement, 0 what chance gives readers with these frequencies of grades, and below 0 is worse
than chance (Cohen 1960, Educ Psychol Meas 20:37). Kappa falls when a grade is rare though readers
agree as often as before (the prevalence problem: Feinstein and Cicchetti 1990, J Clin Epidemiol
43:543), so the share of exact agreement and the whole table of grades stand beside it. In print:
kappa 0.56-0.59 for grade >= 1 and 0.68-0.72 for grade >= 2 (domain rules, section 2).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.anatomy import Grade, Level

LEVEL: Final = 0.95
LEAST_GRADED: Final = 10
LEAST_SUBJECTS: Final = 10

NUMERIC_GRADES: Final = tuple(grade for grade in Grade if grade.is_numeric)
"""0, 0.5, 1, 2, 3: the order of rows and columns of `Agreement.table`."""

EVERYTHING: Final = "all"

_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_NO_WIDTH: Final = 1e-12

_Table = NDArray[np.float64]


class Kind(StrEnum):
    """Two readers, or one reader twice."""

    INTER = "inter"
    INTRA = "intra"


class By(StrEnum):
    """What the pairs of a kind are grouped by: `READER` is a pair of readers, or one for intra."""

    OVERALL = "overall"
    LEVEL = "level"
    READER = "reader"
    MONTH = "month"


@dataclass(frozen=True)
class GradedPair:
    """One vertebra at one visit, graded twice.

    Two readers have two names, and which is called a does not matter. One reader twice has the
    same name twice, and a is the earlier reading. `month` is YYYY-MM of the later signature.
    `cluster` is whatever names the subject: vertebrae of one spine are not independent. Of a
    vertebra that three readers graded come three pairs. ValueError for what contradicts this.
    """

    reader_a: str
    reader_b: str
    level: Level
    grade_a: Grade
    grade_b: Grade
    month: str
    kind: Kind
    cluster: str

    def __post_init__(self) -> None:
        if not (self.reader_a and self.reader_b and self.cluster):
            raise ValueError("a pair of grades needs both readers and the subject")
        if (Kind(self.kind) == Kind.INTRA) != (self.reader_a == self.reader_b):
            raise ValueError(f"{self.kind} with readers {self.reader_a} and {self.reader_b}")
        if not _MONTH.fullmatch(self.month):
            raise ValueError(f"a month is YYYY-MM, found {self.month}")

    @property
    def readers(self) -> tuple[str, ...]:
        """In alphabetical order, each once."""
        return tuple(sorted({self.reader_a, self.reader_b}))

    @property
    def grades(self) -> tuple[Grade, Grade]:
        """Of the readers in alphabetical order, or of the earlier and the later reading."""
        if self.reader_a <= self.reader_b:
            return self.grade_a, self.grade_b
        return self.grade_b, self.grade_a


@dataclass(frozen=True)
class Estimate:
    """A share or a kappa with its 95 % interval.

    `reason` says why the value, or its interval alone, is None; "" where both are there.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Agreement:
    """Agreement within one group; `group` is "all", a level, "A / B", a reader or a month.

    pairs = graded + excluded, each a vertebra at a visit. `excluded` has no grade from at least one
    reading (indeterminate or not evaluable) and enters no figure below. Of these, on `one_graded`
    the readings disagree whether the vertebra can be graded, and on `ungraded_differ` one says
    indeterminate and the other not evaluable; on the rest both say the same. `subjects` have
    at least one vertebra among the graded.

    `exact` is the share of the graded with the same grade (0 and 0.5 differ), with the interval
    of Wilson 1927 (J Am Stat Assoc 22:209), which takes vertebrae of one spine for independent and
    is therefore too narrow.

    `linear` and `quadratic` are weighted kappa (Cohen 1968, Psychol Bull 70:213) on the grades as
    numbers: disagreement weighs |a - b| or (a - b)^2, so that 0.5 lies half-way from 0 to 1, and 0
    against 0.5 weighs half (a quarter) of 1 against 2. `mild_or_worse` is kappa for fracture, grade
    >= 1 against 0 and 0.5; `moderate_or_worse` for grade >= 2. The interval of each kappa is a
    jackknife that leaves out one subject at a time (Miller 1974, Biometrika 61:1), with Student's t
    and cut at -1 and 1: it allows for vertebrae of one spine being alike.

    `table` counts the graded in the order of `NUMERIC_GRADES`: rows are the reader first in the
    alphabet or the earlier reading. With more than two readers a group by anything but readers
    pools their tables.
    """

    kind: Kind
    by: By
    group: str
    pairs: int
    graded: int
    excluded: int
    one_graded: int
    ungraded_differ: int
    subjects: int
    exact: Estimate
    linear: Estimate
    quadratic: Estimate
    mild_or_worse: Estimate
    moderate_or_worse: Estimate
    table: tuple[tuple[int, ...], ...]


def agreement(pairs: Iterable[GradedPair], by: Sequence[By] = tuple(By)) -> tuple[Agreement, ...]:
    """Inter before intra, never mixed; within each by `by`, levels from the top, else sorted.

    Only groups with a pair occur. Kappa is None, with the reason, below ten graded vertebrae and
    where a reading has only one category, for then kappa is 0 / 0 or 0 whatever the other says; its
    interval is None below ten subjects, where it rests on one subject, or without any width.
    """
    known = tuple(pairs)
    found = []
    for kind in Kind:
        of_kind = [pair for pair in known if pair.kind == kind]
        for one in map(By, by):
            groups: dict[tuple[int, tuple[str, ...]], list[GradedPair]] = defaultdict(list)
            for pair in of_kind:
                groups[_key(pair, one)].append(pair)
            found += [_agreement(kind, one, key[1], groups[key]) for key in sorted(groups)]
    return tuple(found)


def _key(pair: GradedPair, by: By) -> tuple[int, tuple[str, ...]]:
    """Sorts by the number, then by the words that name the group."""
    match by:
        case By.OVERALL:
            return 0, (EVERYTHING,)
        case By.LEVEL:
            return pair.level.ordinal, (pair.level.value,)
        case By.READER:
            return 0, pair.readers
        case By.MONTH:
            return 0, (pair.month,)


def _agreement(kind: Kind, by: By, group: tuple[str, ...], pairs: list[GradedPair]) -> Agreement:
    ungraded = [pair.grades for pair in pairs if not all(grade.is_numeric for grade in pair.grades)]
    one_graded = sum(any(grade.is_numeric for grade in grades) for grades in ungraded)
    tables = _tables(pairs)
    table = tables.sum(0)
    graded = len(pairs) - len(ungraded)
    return Agreement(
        kind=kind,
        by=by,
        group=" / ".join(group),
        pairs=len(pairs),
        graded=graded,
        excluded=len(ungraded),
        one_graded=one_graded,
        ungraded_differ=sum(first != second for first, second in ungraded) - one_graded,
        subjects=len(tables),
        exact=_share(int(np.trace(table)), graded),
        linear=_kappa(tables, lambda one: _weighted(one, "linear")),
        quadratic=_kappa(tables, lambda one: _weighted(one, "quadratic")),
        mild_or_worse=_kappa(_split(tables, Grade.MILD), _weighted),
        moderate_or_worse=_kappa(_split(tables, Grade.MODERATE), _weighted),
        table=tuple(tuple(int(count) for count in row) for row in table),
    )


def _tables(pairs: Iterable[GradedPair]) -> _Table:
    """Counts of the graded, (subjects, 5, 5)."""
    size = len(NUMERIC_GRADES)
    of_subject: dict[str, _Table] = defaultdict(lambda: np.zeros((size, size)))
    for pair in pairs:
        first, second = pair.grades
        if first.is_numeric and second.is_numeric:
            at = NUMERIC_GRADES.index(first), NUMERIC_GRADES.index(second)
            of_subject[pair.cluster][at] += 1
    # Sorted, so that no digit depends on the order of the pairs.
    in_order = [of_subject[name] for name in sorted(of_subject)]
    return np.array(in_order).reshape(-1, size, size)


def _split(tables: _Table, least: Grade) -> _Table:
    """The same below `least`, and from there on: (subjects, 2, 2)."""
    at = [0, NUMERIC_GRADES.index(least)]
    rows = np.add.reduceat(tables, at, axis=1)
    return np.add.reduceat(rows, at, axis=2)


def _share(count: int, total: int) -> Estimate:
    from statsmodels.stats.proportion import proportion_confint

    if total == 0:
        return Estimate(None, reason="no vertebra was graded in both readings")
    low, high = proportion_confint(count, total, alpha=1 - LEVEL, method="wilson")
    return Estimate(count / total, float(low), float(high))


def _weighted(table: _Table, weights: str | None = None) -> float:
    """Kappa of a table in which both readings have more than one category."""
    from statsmodels.stats.inter_rater import cohens_kappa

    scores = None if weights is None else [grade.number for grade in NUMERIC_GRADES]
    return float(cohens_kappa(table, weights=scores, wt=weights, return_results=False))


def _kappa(tables: _Table, kappa: Callable[[_Table], float]) -> Estimate:
    table = tables.sum(0)
    if table.sum() < LEAST_GRADED:
        return Estimate(
            None,
            reason=f"{int(table.sum())} vertebrae graded in both readings: kappa needs"
            f" {LEAST_GRADED} or more",
        )
    if _in_one_category(table):
        return Estimate(None, reason="a reading has only one category: kappa is undefined")
    value = kappa(table)
    if len(tables) < LEAST_SUBJECTS:
        return Estimate(
            value, reason=f"{len(tables)} subjects: an interval needs {LEAST_SUBJECTS} or more"
        )
    without = list(_without_one(tables))
    if any(_in_one_category(one) for one in without):
        return Estimate(value, reason="without one subject only one category is left: no interval")
    return _jackknife(value, [kappa(one) for one in without])


def _without_one(tables: _Table) -> Iterator[_Table]:
    table = tables.sum(0)
    for one in tables:
        yield table - one


def _in_one_category(table: _Table) -> bool:
    """True where a reading used fewer than two categories."""
    return any(int(np.count_nonzero(table.sum(axis))) < 2 for axis in (0, 1))


def _jackknife(value: float, without: list[float]) -> Estimate:
    """Interval from the values that leave out one subject each."""
    from scipy.stats import t

    count = len(without)
    variance = (count - 1) * float(np.var(without))
    if variance < _NO_WIDTH:
        return Estimate(value, reason="no subject changes kappa: an interval would have no width")
    reach = float(t.ppf((1 + LEVEL) / 2, count - 1)) * math.sqrt(variance)
    return Estimate(value, max(value - reach, -1.0), min(value + reach, 1.0))
