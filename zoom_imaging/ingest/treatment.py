"""Which treatment a subject had, as opposed to the one planned (domain rules, section 1).

Arms are by exposure and not randomised. The second dose of zoledronic acid may be replaced by six
months of risedronate. Where the table does not settle it, the actual arm is None and a person is
asked; it is never taken from the plan.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from zoom_imaging.anatomy import Arm


class SecondDose(StrEnum):
    """What the free text of `second_dose` says."""

    BLANK = ""
    NONE = "none"
    ZOLEDRONIC_ACID = "zoledronic_acid"
    RISEDRONATE = "risedronate"
    OTHER = "other"


_SPELLINGS = {
    SecondDose.BLANK: {"", "-"},
    SecondDose.NONE: {"none", "no", "n", "not given", "없음", "미투여"},
    SecondDose.ZOLEDRONIC_ACID: {
        "zoledronic acid",
        "zoledronate",
        "zol",
        "졸레드론산",
        "졸레드로네이트",
        "졸레드로닉산",
    },
    SecondDose.RISEDRONATE: {
        "risedronate",
        "ris",
        "risedronic acid",
        "리세드로네이트",
        "리세드론산",
    },
}


def second_dose_of(text: str) -> SecondDose:
    """Read the free text; OTHER for whatever is not one of the agreed words."""
    plain = " ".join(text.replace("_", " ").lower().split())
    for dose, spellings in _SPELLINGS.items():
        if plain in spellings:
            return dose
    return SecondDose.OTHER


def actual_arm(planned: Arm | None, zol2_date: date | None, second_dose: str) -> Arm | None:
    """The arm by what was given; None where plan, date and text do not agree on one."""
    dose = second_dose_of(second_dose)
    if planned is Arm.TWICE:
        if dose is SecondDose.ZOLEDRONIC_ACID or (zol2_date and dose is SecondDose.BLANK):
            return Arm.TWICE
        if dose is SecondDose.RISEDRONATE and zol2_date is None:
            return Arm.ONCE_THEN_RISEDRONATE
    if planned is Arm.ONCE and dose in {SecondDose.BLANK, SecondDose.NONE} and zol2_date is None:
        return Arm.ONCE
    return None


def treatment_questions(
    *,
    planned: Arm | None,
    denosumab_years: float | None,
    zol1_date: date | None,
    zol2_date: date | None,
    second_dose: str,
    limit_years: float,
) -> list[tuple[str, str]]:
    """Questions (and the values behind them) that only a person can answer."""
    dose = second_dose_of(second_dose)
    given = f"arm {planned or '-'}, zol2_date {zol2_date or '-'}, second_dose {second_dose or '-'}"
    asked: list[tuple[str, str]] = []
    if planned is None:
        asked.append(("which arm was planned?", given))
    elif dose is SecondDose.OTHER:
        asked.append(("what was given as the second dose?", given))
    elif actual_arm(planned, zol2_date, second_dose) is None:
        question = {
            Arm.ONCE: "planned once, but a second dose is recorded: which treatment was given?",
            Arm.TWICE: "planned twice, but the second dose is unclear, which was it?",
        }[planned]
        asked.append((question, given))
    if denosumab_years is not None and planned is not None:
        years = f"arm {planned}, denosumab {denosumab_years:g} years, limit {limit_years:g} years"
        if denosumab_years == limit_years:
            asked.append(("denosumab for exactly the years that separate the arms", years))
        elif (denosumab_years > limit_years) != (planned is Arm.TWICE):
            asked.append(("the arm contradicts the years of denosumab", years))
    if zol1_date is not None and zol2_date is not None and zol2_date <= zol1_date:
        asked.append(
            ("the second infusion is not later than the first", f"{zol1_date}, {zol2_date}")
        )
    return asked
