"""Endpoints from de-identified input are those of the original, but for ids and dates."""

from __future__ import annotations

import shutil

import pytest

from zoom_imaging.exchange.deidentify import words
from zoom_imaging.exchange.deidentify.secret import read_key

from .made import command, table

SUBJECTS = ("ZOOM-001", "ZOOM-002", "ZOOM-007")
"""Hologic text, Lunar SR, Lunar XML."""


@pytest.fixture(scope="module")
def trial(sample, tmp_path_factory):
    """Densitometry of three subjects, its de-identified twin, and the key."""
    folder = tmp_path_factory.mktemp("trial")
    for subject in SUBJECTS:
        for visit in ("baseline", "month12"):
            target = folder / "in" / subject / visit
            target.mkdir(parents=True)
            for path in (sample / subject / visit).glob("IM002*"):
                shutil.copy(path, target)
    shutil.copy(sample / "clinical.csv", folder / "clinical.csv")
    done = command(
        "in", "--out", "out", "--key", "key", "--new-key", "--clinical", "clinical.csv", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return folder


def endpoints(folder, source, clinical):
    from zoom_imaging.batch.job import Request, run_job
    from zoom_imaging.batch.progress import Voice

    out = folder / f"results-{source}"
    request = Request(sources=(folder / source,), out=out, clinical_path=folder / clinical, jobs=1)
    assert not run_job(request, Voice(quiet=True))
    return out


@pytest.mark.end_to_end
@pytest.mark.model
def test_endpoint_table_is_the_same_but_for_ids(trial):
    before = endpoints(trial, "in", "clinical.csv")
    after = endpoints(trial, "out", "out/clinical.csv")
    secret, _ = read_key(trial / "key")
    wanted = {
        secret.pseudonym(row.pop("subject_id")): row for row in table(before / "endpoints.csv")
    }
    found = {row.pop("subject_id"): row for row in table(after / "endpoints.csv")}
    assert found == wanted
    assert sum(bool(row["ls_bmd_change_pct"]) for row in found.values()) == len(SUBJECTS)
    measured = [
        [
            {key: row[key] for key in ("site", "region", "bmd_g_per_cm2", "t_score", "state")}
            for row in sorted(
                table(out / "dxa.csv"),
                key=lambda row: (name(row["subject_id"]), row["visit"], row["site"], row["region"]),
            )
        ]
        for out, name in ((before, secret.pseudonym), (after, str))
    ]
    assert measured[0] == measured[1]


def test_every_report_of_the_sample_is_written_with_its_picture_cleaned(trial):
    rows = table(trial / "out" / "deidentify.csv")
    assert {row["state"] for row in rows} == {"written"}
    assert len(rows) == 12
    cleaned = {row["pixels"] for row in rows}
    assert cleaned <= {"text_blanked", "all_blanked", "none", "unchanged"}
    assert not words.can_recognise() or "text_blanked" in cleaned


def test_no_name_or_id_of_the_sample_is_left(trial):
    for path in (trial / "out").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert b"ZOOM-0" not in content
        assert b"SIMULATED^" not in content
        assert "ZOOM" not in path.name
