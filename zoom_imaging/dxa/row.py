"""One line of a densitometry report, before any check: what the report prints about one region."""

from __future__ import annotations

from dataclasses import dataclass

from zoom_imaging.anatomy import Level
from zoom_imaging.dxa.number import NOT_PRINTED, Printed
from zoom_imaging.dxa.result import Side, Site


@dataclass(frozen=True)
class RegionRow:
    """Numbers in canonical units (g/cm2, g, cm2, percent) with their printed text.

    `levels` are the lumbar vertebrae that the label names; empty for other sites, and for a lumbar
    "Total", whose vertebrae only the other rows tell. `history` (a sentence) marks an earlier exam
    that the report repeats; `doubt` a reason for which a person must confirm the row.
    """

    site: Site
    side: Side
    label: str
    levels: tuple[Level, ...] = ()
    area: Printed = NOT_PRINTED
    bmc: Printed = NOT_PRINTED
    bmd: Printed = NOT_PRINTED
    t_score: Printed = NOT_PRINTED
    z_score: Printed = NOT_PRINTED
    young_adult_percent: Printed = NOT_PRINTED
    age_matched_percent: Printed = NOT_PRINTED
    history: str = ""
    doubt: str = ""

    @property
    def is_vertebra(self) -> bool:
        """A row of one vertebra."""
        return self.site is Site.LUMBAR_SPINE and len(self.levels) == 1

    @property
    def is_lumbar_total(self) -> bool:
        """A total of several vertebrae, or one that names none."""
        return self.site is Site.LUMBAR_SPINE and len(self.levels) != 1

    @property
    def numbers(self) -> tuple[float | None, ...]:
        """Everything measured, to compare rows with each other."""
        return (
            self.area.value,
            self.bmc.value,
            self.bmd.value,
            self.t_score.value,
            self.z_score.value,
        )

    @property
    def shown(self) -> str:
        """The printed values in one short text, for a reason."""
        parts = [
            f"{name} {printed.text}"
            for name, printed in (
                ("area", self.area),
                ("BMC", self.bmc),
                ("BMD", self.bmd),
                ("T", self.t_score),
                ("Z", self.z_score),
            )
            if printed.text
        ]
        return ", ".join(parts) or "no values"
