"""What to fetch: the studies and series that a person names, and the objects that a PACS offers.

A PACS may ignore a key that it does not support and offer everything it has. So each answer is
checked here again: what was not asked for is not fetched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from zoom_imaging.errors import ConfigurationError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_DAY = r"(\d{4})-?(\d{2})-?(\d{2})"
_RANGE = re.compile(rf"(?:{_DAY})?\s*(-|\.\.)\s*(?:{_DAY})?")
_MODALITY = re.compile(r"[A-Z0-9_ ]{1,16}")
_UID = re.compile(r"[0-9][0-9.]{0,63}")
_PATIENT = re.compile(r"[^\\\x00-\x1f\x7f]{1,64}")


@dataclass(frozen=True)
class Instance:
    """One object that a PACS offers."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str = ""


@dataclass(frozen=True)
class Unlisted:
    """A series whose objects the PACS does not list; without a series, all of the study."""

    study_instance_uid: str
    series_instance_uid: str
    reason: str


@dataclass(frozen=True)
class Search:
    """Conditions that all hold. `patient_id` may have `*` and `?`; dates are inclusive."""

    first_day: date | None = None
    last_day: date | None = None
    modalities: tuple[str, ...] = ()
    patient_id: str = ""
    study_uids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """ConfigurationError for conditions that no PACS understands, or for none at all."""
        days = self.first_day or self.last_day
        if not (days or self.modalities or self.patient_id.strip("*") or self.study_uids):
            raise ConfigurationError(
                "nothing says what to fetch, and everything would be fetched",
                remedy="give --study-date, --modality, --patient-id or --study-uid",
            )
        if self.first_day and self.last_day and self.first_day > self.last_day:
            raise ConfigurationError(
                f"--study-date ends ({self.last_day}) before it begins ({self.first_day})"
            )
        _check("--modality", self.modalities, _MODALITY, "a DICOM modality such as DX")
        _check("--study-uid", self.study_uids, _UID, "a Study Instance UID")
        patient = (self.patient_id,) if self.patient_id else ()
        _check("--patient-id", patient, _PATIENT, "up to 64 characters without backslash")

    @property
    def study_date(self) -> str:
        """The range as a PACS understands it (PS3.4 C.2.2.2.5); empty for any date."""
        if self.first_day is None and self.last_day is None:
            return ""
        first, last = (
            "" if day is None else day.strftime("%Y%m%d") for day in (self.first_day, self.last_day)
        )
        return first if first == last else f"{first}-{last}"

    def admits_study(self, study: Dataset) -> bool:
        """Whether an answer at study level meets the conditions."""
        uid, day, patient = (
            str(study.get(keyword, "") or "").strip(" \0")
            for keyword in ("StudyInstanceUID", "StudyDate", "PatientID")
        )
        return (
            bool(uid)
            and (not self.study_uids or uid in self.study_uids)
            and self._admits_day(day)
            and (not self.patient_id or _wildcards(self.patient_id).fullmatch(patient) is not None)
        )

    def admits_series(self, series: Dataset) -> bool:
        """Whether an answer at series level meets the conditions."""
        if not str(series.get("SeriesInstanceUID", "") or ""):
            return False
        modality = str(series.get("Modality", "") or "").strip(" \0")
        return not self.modalities or modality in self.modalities

    def _admits_day(self, text: str) -> bool:
        if self.first_day is None and self.last_day is None:
            return True
        try:
            day = date.fromisoformat(text.replace(".", "-"))
        except ValueError:
            return False
        after = self.first_day is None or self.first_day <= day
        return after and (self.last_day is None or day <= self.last_day)


def parse_days(text: str) -> tuple[date | None, date | None]:
    """`20250101-20251231`, also open at one end, with ISO dates or `..`; or one day."""
    if not text:
        return None, None
    try:
        single = re.fullmatch(_DAY, text.strip())
        if single:
            day = date(*map(int, single.groups()))
            return day, day
        found = _RANGE.fullmatch(text.strip())
        if found and (found[1] or found[5]):
            first = date(int(found[1]), int(found[2]), int(found[3])) if found[1] else None
            last = date(int(found[5]), int(found[6]), int(found[7])) if found[5] else None
            return first, last
    except ValueError:
        pass  # a day that no month has
    raise ConfigurationError(
        f"--study-date '{text}' is no range of days", expected="such as 20250101-20251231"
    )


def instance_of(answer: Dataset, study_uid: str, series_uid: str) -> Instance | None:
    """The object of an answer at instance level; None without a UID."""
    uid, sop_class = (
        str(answer.get(keyword, "") or "").strip(" \0")
        for keyword in ("SOPInstanceUID", "SOPClassUID")
    )
    return Instance(study_uid, series_uid, uid, sop_class) if uid else None


def _check(option: str, values: tuple[str, ...], allowed: re.Pattern[str], what: str) -> None:
    for value in values:
        if not allowed.fullmatch(value):
            raise ConfigurationError(f"{option} '{value}' is not understood", expected=what)


def _wildcards(pattern: str) -> re.Pattern[str]:
    """DICOM's wildcards (PS3.4 C.2.2.2.4): `*` for any characters, `?` for one."""
    signs = {"*": ".*", "?": "."}
    return re.compile("".join(signs.get(sign, re.escape(sign)) for sign in pattern.strip()), re.S)
