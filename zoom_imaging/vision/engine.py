"""What runs the networks: PyTorch now, other runtimes behind the same three names later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from zoom_imaging.errors import ConfigurationError
from zoom_imaging.vision.bundle import Bundle

if TYPE_CHECKING:
    from torch import nn

Floats = NDArray[np.float32]


class Engine(Protocol):
    """Runs the networks of one bundle."""

    name: str

    def run(self, network: str, patches: Floats) -> tuple[Floats, ...]:
        """Apply `network` (see `bundle.NETWORKS`) to patches (n, 2, size, size)."""
        ...


class TorchEngine:
    """PyTorch on the CPU, in float32: two runs give the same numbers."""

    name = "torch"

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._networks: dict[str, nn.Module] = {}

    def run(self, network: str, patches: Floats) -> tuple[Floats, ...]:
        """Apply `network` to patches (n, 2, size, size)."""
        import torch

        loaded = self._networks.get(network)
        if loaded is None:
            built = self._bundle.network(network)
            loaded = built.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self._networks[network] = loaded
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(patches))
            out = loaded(given.contiguous(memory_format=torch.channels_last))
        parts = out if isinstance(out, tuple) else (out,)
        return tuple(np.ascontiguousarray(part.float().numpy()) for part in parts)


def make_engine(name: str, bundle: Bundle) -> Engine:
    """The engine called `name`; only `torch` is built in."""
    if name == "torch":
        return TorchEngine(bundle)
    raise ConfigurationError(
        f"There is no engine called {name!r}", expected="torch", remedy="use --engine torch"
    )
