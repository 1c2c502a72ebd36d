"""One subject: her reports and films of both visits brought together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from zoom_imaging.anatomy import Visit
from zoom_imaging.batch.study import Outcome
from zoom_imaging.charter import Charter
from zoom_imaging.endpoints.results import SubjectResults
from zoom_imaging.ingest.catalogue import CatalogueEntry
