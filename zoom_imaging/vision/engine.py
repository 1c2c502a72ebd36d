"""What runs the networks: PyTorch, or OpenVINO, which is quicker on processors by Intel and AMD."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

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


class OpenVinoEngine:
    """OpenVINO on the CPU in float32; differs from PyTorch in the fifth digit."""

    name = "openvino"

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._networks: dict[str, Any] = {}

    def run(self, network: str, patches: Floats) -> tuple[Floats, ...]:
        """Apply `network` to patches (n, 2, size, size)."""
        compiled = self._networks.get(network)
        if compiled is None:
            compiled = self._networks[network] = self._compiled(network)
        out = compiled(np.ascontiguousarray(patches))
        return tuple(np.array(out[port], np.float32) for port in compiled.outputs)

    def _compiled(self, network: str) -> Any:
        import openvino
        import torch

        example = torch.zeros(2, 2, 128, 128)  # the traced graph takes every size and count
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer's, about checks of shapes
            model = openvino.convert_model(self._bundle.network(network), example_input=example)
        # Never bf16, which some processors would take by themselves: figures must not depend on it.
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        return openvino.compile_model(model, "CPU", settings)


_ENGINES: dict[str, Callable[[Bundle], Engine]] = {
    TorchEngine.name: TorchEngine,
    OpenVinoEngine.name: OpenVinoEngine,
}


def require_engine(name: str) -> None:
    """Raise ConfigurationError for an engine that is not known or not installed."""
    if name not in _ENGINES:
        raise ConfigurationError(
            f"There is no engine called {name!r}",
            expected=", ".join(_ENGINES),
            remedy="use --engine torch",
        )
    if importlib.util.find_spec(name) is None:
        raise ConfigurationError(
            f"The engine {name} is not installed",
            remedy="pip install 'zoom_imaging[fast]', or use --engine torch",
        )


def make_engine(name: str, bundle: Bundle) -> Engine:
    """The engine called `name`; raises as `require_engine`."""
    require_engine(name)
    return _ENGINES[name](bundle)
