"""What is put on the shelf comes back equal, and nothing of it stays."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_imaging.anatomy import Level
from zoom_imaging.batch.shelf import Shelf, ShelfMap
from zoom_imaging.errors import OutputError

RECORDS = st.one_of(st.text(), st.sampled_from(Level), st.tuples(st.integers(), st.binary()))


@given(first=st.lists(RECORDS), more=st.lists(RECORDS), place=st.slices(40))
def test_it_is_the_list_of_what_was_put(tmp_path_factory, first, more, place):
    everything = first + more
    with Shelf(tmp_path_factory.getbasetemp()) as shelf:
        for record in first:
            shelf.put(record)
        assert list(shelf) == first  # reading between two writes moves nothing
        for record in more:
            shelf.put(record)
        assert list(shelf) == everything
        assert shelf[place] == everything[place]
        assert len(shelf) == len(everything)
        assert all(shelf[at - len(shelf)] == one for at, one in enumerate(everything))


def test_a_place_that_is_not_there(tmp_path):
    with Shelf(tmp_path) as shelf, pytest.raises(IndexError):
        shelf[0]


def test_members_of_enumerations_stay_the_members(tmp_path):
    with Shelf(tmp_path) as shelf:
        shelf.put((Level.T12,))
        assert shelf[0][0] is Level.T12


def test_the_last_record_of_a_name_counts(tmp_path):
    with Shelf(tmp_path) as shelf:
        records = ShelfMap(shelf)
        records.put("a", 1)
        records.put("b", 2)
        records.put("a", 3)
        assert dict(records) == {"a": 3, "b": 2}


def test_nothing_lies_in_the_folder_before_or_after(tmp_path):
    folder = tmp_path / "out"
    with Shelf(folder) as shelf:
        shelf.put("x" * 100_000)
        assert not list(folder.iterdir())
    assert not list(folder.iterdir())


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    with Shelf(tmp_path) as shelf:

        class Full:
            def __getattr__(self, name):
                raise OSError(errno.ENOSPC, "no space left")

            def close(self):
                pass

        shelf._file.close()
        shelf._file = Full()
        with pytest.raises(OutputError, match="no space left on the device"):
            shelf.put("x")
