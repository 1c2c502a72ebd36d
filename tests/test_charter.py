"""The charter is right as shipped, and a wrong one is refused with the rule it breaks."""

from __future__ import annotations

import pytest

from zoom_imaging.charter import default_charter_path, load_charter
from zoom_imaging.errors import CharterError


@pytest.fixture
def edited(tmp_path):
    """The default charter with one text replaced."""

    def edit(old: str, new: str):
        text = default_charter_path().read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} must stand once in the charter"
        path = tmp_path / "charter.toml"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path

    return edit


def test_default_charter_holds_the_published_rules():
    charter = load_charter()
    assert charter.trial.registration == "NCT05361408"
    assert (charter.fracture.mild_loss, charter.fracture.moderate_loss) == (0.20, 0.25)
    assert charter.fracture.severe_loss == 0.40
    assert charter.arms.denosumab_years_limit == 2.5


@pytest.mark.parametrize(("vertebrae", "factor"), [(4, 1.0), (3, 1.07), (2, 1.24), (1, 1.65)])
def test_fewer_vertebrae_need_a_larger_change(vertebrae, factor):
    rules = load_charter().dxa
    assert rules.lsc_g_per_cm2(vertebrae) == pytest.approx(rules.lsc_l1_l4_g_per_cm2 * factor)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("mild_loss = 0.20", "mild_loss = 0.30", "mild_loss < moderate_loss"),
        ("readers = 2", "readers = 0", "reading.readers"),
        ("readers = 2", "reders = 2", "reading.reders"),
        ("month12_target_day = 365", "month12_target_day = 30", "overlap"),
        ("baseline_first_day = -90", "baseline_first_day = 90", "baseline_first_day"),
        ('"ClinicalTrialSubjectID", ', '"PatientName", ', "identity.subject_sources"),
        ("readers = 2", "readers = ", "not valid TOML"),
        ("repeat_share = 0.10", "repeat_share = 1.5", "reading.repeat_share"),
        ('"flagged_first"', '"alphabetical"', "reading.worklist"),
        ('model_suggestion = "before"', 'model_suggestion = "beside"', "model_suggestion"),
        ('discordance = "grade"', 'discordance = "kappa"', "reading.discordance"),
    ],
)
def test_wrong_charter_is_refused_with_the_rule(edited, old, new, named):
    with pytest.raises(CharterError, match=named) as refused:
        load_charter(edited(old, new))
    assert "charter.toml" in refused.value.reason


def test_missing_charter_is_named(tmp_path):
    with pytest.raises(CharterError, match=r"nowhere\.toml cannot be read"):
        load_charter(tmp_path / "nowhere.toml")


def test_a_charter_of_before_there_were_readers_still_loads(edited):
    later = """# ASSUMED: flagged_first"""
    text = default_charter_path().read_text(encoding="utf-8")
    start, end = text.index(later), text.index("[analysis]")
    older = load_charter(edited(text[start:end], ""))
    assert older == load_charter()
    assert older.reading.readers == 2
    assert older.analysis.margin_is_assumed
