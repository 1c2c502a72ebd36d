"""Write weights and configuration into a bundle, with the hash of each file."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from zlib import crc32

import torch
from torch import nn

from zoom_imaging.vision.bundle import (
    BUNDLE_NAME,
    NETWORKS,
    Calibration,
    Parameters,
    file_sha256,
)

VERSION = "0.2.0"


def release_network(bundle: Path, name: str, network: nn.Module) -> None:
    """Write `models/<name>.pt` (float32) and renew the hashes."""
    path = bundle / "models" / f"{name}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = {
        key: value.detach().float().contiguous().clone()
        for key, value in network.state_dict().items()
    }
    partial = path.with_suffix(".partial")
    torch.save(weights, partial)
    partial.rename(path)
    renew_hashes(bundle)


def release_calibration(bundle: Path, calibration: Calibration) -> None:
    """Write `configs/calibration.json` and renew the hashes."""
    _write_json(bundle / "configs" / "calibration.json", calibration.model_dump(mode="json"))
    renew_hashes(bundle)


def renew_hashes(bundle: Path, change: str = "") -> None:
    """Complete the configuration files and write the SHA-256 of every file into the metadata.

    `change` is a line for the changelog; it marks the version as a local one.
    """
    from filelock import FileLock

    configs = bundle / "configs"
    configs.mkdir(parents=True, exist_ok=True)
    lock = Path(gettempdir()) / f"zoom_imaging_{crc32(str(bundle.resolve()).encode()):08x}.lock"
    with FileLock(lock):
        if not (configs / "inference.json").exists():
            _write_json(configs / "inference.json", _inference())
        if not (configs / "calibration.json").exists():
            _write_json(configs / "calibration.json", Calibration().model_dump(mode="json"))
        files = ["configs/inference.json", "configs/calibration.json"]
        files += [
            f"models/{name}.pt" for name in NETWORKS if (bundle / f"models/{name}.pt").exists()
        ]
        path = configs / "metadata.json"
        metadata = json.loads(path.read_text(encoding="utf-8")) if path.exists() else _metadata()
        if change:
            metadata["version"] = metadata["version"].split("+")[0] + "+local"
            metadata["changelog"][metadata["version"]] = change
        metadata["sha256"] = {name: file_sha256(bundle / name) for name in files}
        _write_json(path, metadata)


def _inference() -> dict[str, Any]:
    networks = {
        "locator": "Locator",
        "namer": "Namer",
        "delineator": "Delineator",
    }
    content: dict[str, Any] = {
        name: {"_target_": f"zoom_imaging.vision.networks.{kind}"}
        for name, kind in networks.items()
    }
    content["parameters"] = Parameters().model_dump(mode="json")
    return content


def _metadata() -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "name": BUNDLE_NAME,
        "version": VERSION,
        "changelog": {VERSION: "trained on simulated films; names and places on one CT, too"},
        "monai_version": version("monai"),
        "pytorch_version": version("torch").split("+")[0],
        "numpy_version": version("numpy"),
        "required_packages_version": {"pytorch-ignite": version("pytorch-ignite")},
        "task": "Locate, name, delineate and grade vertebrae on lateral spine radiographs",
        "description": "Locator, namer and delineator for T4-L4; see docs/model_card.md",
        "authors": "the zoom_imaging authors",
        "copyright": "weights under the licence of the package; see docs/model_card.md",
        "intended_use": "Pre-reading for trained readers in trials; never alone for diagnosis",
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "radiograph, bone bright, and its valid mask",
                    "num_channels": 2,
                    "spatial_shape": [128, 128],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": True,
                    "channel_def": {"0": "grey", "1": "valid"},
                }
            },
            "outputs": {
                "pred": {
                    "type": "segmentation",
                    "format": "mask, six landmark maps, points, spread, grade, flags",
                    "num_channels": 1,
                    "spatial_shape": [128, 128],
                    "dtype": "float32",
                    "value_range": [0, 1],
                    "is_patch_data": True,
                    "channel_def": {"0": "vertebral body"},
                }
            },
        },
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.rename(path)
