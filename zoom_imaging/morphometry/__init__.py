"""Heights of vertebral bodies and what they mean: pure functions, no input or output.

`heights.py` measures six points, `norms.py` holds what is normal at each level, `reference.py` says
what a height would be without a fracture, `genant.py` grades the loss, `grade.py` reads a whole
film, `spine.py` joins the films of a visit. `eastell.py`, `mccloskey.py` and `deformity_index.py`
are the published rules beside the grade. Records: `reading.py`.
"""
