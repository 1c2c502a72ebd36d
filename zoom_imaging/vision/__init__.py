"""Reading a lateral spine film: every vertebra located, named, delineated, graded, with its doubt.

`locate` proposes centres, `chain` keeps those that form a spine, `track` confirms and completes
them with the delineator, `name` says which is which, `uncertainty` decides what may count, and
`read.SpineReader` joins them into a `finding.SpineReading`. Weights and every constant come from a
checked bundle (`bundle`); PyTorch and MONAI are imported only when a film is read or a network is
trained (`training`).
"""

from zoom_imaging.vision.finding import SpineReading, VertebraFinding

__all__ = ["SpineReading", "VertebraFinding"]
