"""Every way in which this package refuses.

::

    ZoomImagingError
    +-- ConfigurationError              the run was asked for wrongly (exit 2)
    |   +-- CharterError
    |   +-- ClinicalTableError
    |   +-- DeidentificationKeyError    the secret key cannot be read, is too short, or is there
    +-- InputError                      one input cannot be used; it becomes a row with a reason
    |   +-- NotDicomError
    |   +-- UnreadableError
    |   +-- UnsupportedTransferSyntaxError
    |   +-- NotRelevantError
    |   +-- WrongViewError
    |   +-- DxaReportError              a densitometry report that contradicts itself
    +-- ModelError
    |   +-- ModelMissingError
    |   +-- ModelIntegrityError
    +-- OutputError                     results cannot be written (exit 1)
    |   +-- OutputFolderBusyError
    +-- NetworkError                    a PACS cannot be reached or refuses (exit 1)
    +-- ReviewError                     the reading room refuses a request
        +-- NotFoundError               no such case, reading or account
        +-- NotAllowedError             the role may not do this, or the state forbids it
        +-- StaleVersionError           someone else, or another tab, has saved meanwhile
        +-- IncompleteReadingError      answers are missing or contradict each other
        +-- LoginRefusedError           name, password or too many attempts
        +-- RoomBusyError               the database is held by someone else, or away

A message names the file or subject, what was expected, what was found and what to do.
"""

from __future__ import annotations


class ZoomImagingError(Exception):
    """Base of all refusals; `reason` is the whole sentence, fit for a table cell."""

    def __init__(
        self,
        what: str,
        *,
        expected: str | None = None,
        found: str | None = None,
        remedy: str | None = None,
    ) -> None:
        sentence = what.rstrip(".")
        if expected is not None and found is not None:
            sentence += f": expected {expected}, found {found}"
        elif expected is not None:
            sentence += f": expected {expected}"
        elif found is not None:
            sentence += f": found {found}"
        if remedy:
            sentence += f"; {remedy}"
        self.reason = sentence
        super().__init__(sentence)

    def __reduce__(self) -> tuple[type[ZoomImagingError], tuple[str]]:
        """Travel between processes with the finished sentence."""
        return type(self), (self.reason,)


class ConfigurationError(ZoomImagingError):
    """The run was asked for wrongly: nothing was started."""


class CharterError(ConfigurationError):
    """The charter is not valid TOML or breaks a rule of its schema."""


class ClinicalTableError(ConfigurationError):
    """The clinical CSV is not as agreed; the message names line and column."""


class DeidentificationKeyError(ConfigurationError):
    """The secret key of a de-identification cannot be used; the message never shows it."""


class InputError(ZoomImagingError):
    """One input file cannot be used."""


class NotDicomError(InputError):
    """The file is no DICOM file."""


class UnreadableError(InputError):
    """The file is DICOM, or should be, and is damaged or truncated."""


class UnsupportedTransferSyntaxError(InputError):
    """No installed codec decodes the file's transfer syntax."""


class NotRelevantError(InputError):
    """A sound file of a kind that this product does not read."""


class WrongViewError(InputError):
    """A radiograph that is not a lateral view of the spine."""


class DxaReportError(InputError):
    """A densitometry report that is contradictory or incomplete."""


class ModelError(ZoomImagingError):
    """The model bundle cannot be used."""


class ModelMissingError(ModelError):
    """The bundle or one of its files is not there."""


class ModelIntegrityError(ModelError):
    """A weight file does not have the hash that the bundle names."""


class OutputError(ZoomImagingError):
    """The results cannot be written."""


class OutputFolderBusyError(OutputError):
    """Another run holds the result folder."""


class NetworkError(ZoomImagingError):
    """The other side of a connection cannot be reached, or refuses what is asked."""


class ReviewError(ZoomImagingError):
    """The reading room refuses a request; nothing was changed."""


class NotFoundError(ReviewError):
    """There is no such case, reading, film or account, or it is none of this person's business."""


class NotAllowedError(ReviewError):
    """The role may not do this, or the state of the object forbids it."""


class StaleVersionError(ReviewError):
    """The object was changed since it was shown."""


class IncompleteReadingError(ReviewError):
    """A reading cannot be signed: answers are missing or contradict each other."""


class LoginRefusedError(ReviewError):
    """The name or the password is wrong, or there were too many attempts."""


class RoomBusyError(ReviewError):
    """The database is held by someone else, or cannot be reached; the viewer tries again."""
