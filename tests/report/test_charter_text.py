from __future__ import annotations

from zoom_imaging.charter import default_charter_path, load_charter
from zoom_imaging.report.charter_text import charter_values

EXPECTED = {
    "dxa.lsc_l1_l4_g_per_cm2": True,
    "visits.month12_tolerance_days": True,
    "analysis.non_inferiority_margin_pct_points": True,
    "reading.readers": True,
    "identity.subject_pattern": True,
    "fracture.mild_loss": False,
    "dxa.lsc_factor_3_vertebrae": False,
    "arms.denosumab_years_limit": False,
    "reading.repeat_share": True,
    "analysis.margin_is_assumed": False,
    "dxa.cross_calibrations": False,
}


def by_name(values):
    return {f"{value.section}.{value.name}": value for value in values}


def test_every_value_is_listed_and_the_assumed_ones_are_marked():
    charter = load_charter()
    found = by_name(charter_values(charter))
    assert {name: found[name].assumed for name in EXPECTED} == EXPECTED
    assert found["dxa.lsc_l1_l4_g_per_cm2"].value == "0.0277"
    assert "precision error" in found["dxa.lsc_l1_l4_g_per_cm2"].note
    assert "identity.time_points.month12" in found


def test_without_the_text_of_this_charter_nothing_is_called_confirmed(tmp_path):
    charter = load_charter()
    wider = charter.model_copy(
        update={"visits": charter.visits.model_copy(update={"month12_tolerance_days": 60})}
    )
    for source in (None, tmp_path / "absent.toml", default_charter_path()):
        values = charter_values(wider, source)
        assert {value.assumed for value in values} == {None}
    assert by_name(values)["visits.month12_tolerance_days"].value == "60"


def test_a_confirmed_charter_has_no_assumed_values(tmp_path):
    text = default_charter_path().read_text(encoding="utf-8").replace("ASSUMED", "Confirmed")
    source = tmp_path / "charter.toml"
    source.write_text(text, encoding="utf-8")
    assert not any(value.assumed for value in charter_values(load_charter(source), source))


def test_a_rule_that_the_file_leaves_to_the_program_is_assumed(tmp_path):
    text = default_charter_path().read_text(encoding="utf-8")
    source = tmp_path / "charter.toml"
    source.write_text(text.replace("repeat_share = 0.10\n", ""), encoding="utf-8")
    found = by_name(charter_values(load_charter(source), source))
    assert found["reading.repeat_share"].value == "0.1"
    assert found["reading.repeat_share"].assumed is True
    assert "default of the program" in found["reading.repeat_share"].note
