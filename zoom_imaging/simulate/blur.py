"""Gaussian blur of images, quick also for wide kernels."""

from __future__ import annotations

import numpy as np

from zoom_imaging.simulate.mesh import Floats


def smooth(image: Floats, sigma_px: float | tuple[float, float]) -> Floats:
    """Gaussian blur; wide kernels work on a coarser grid."""
    from scipy import ndimage

    sigma = max(sigma_px) if isinstance(sigma_px, tuple) else sigma_px
    if sigma < 8:
        done: Floats = ndimage.gaussian_filter(image, sigma_px, mode="nearest", truncate=3.0)
        return done
    step = max(2, int(sigma // 4))
    rows, columns = image.shape
    padded = np.pad(image, ((0, -rows % step), (0, -columns % step)), mode="edge")
    coarse = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step)
    coarse = ndimage.gaussian_filter(coarse.mean(axis=(1, 3)), sigma / step, mode="nearest")
    fine: Floats = ndimage.zoom(coarse, step, order=1, grid_mode=True, mode="nearest")
    return fine[:rows, :columns]
