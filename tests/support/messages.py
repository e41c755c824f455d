"""Generates message classes from the .proto files at test time, using Debian's protoc."""

import importlib
import pathlib
import subprocess
import sys
import tempfile

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_FOLDERS = (_ROOT / "proto", _ROOT / "tests" / "support" / "proto")


def generate():
    """Generates all message classes and makes them importable.

    Returns the folder, which must be kept as long as the classes are used.
    """
    folder = tempfile.TemporaryDirectory(prefix="viewcount-messages-")
    arguments = ["protoc", "--python_out", folder.name]
    for source in _FOLDERS:
        arguments += ["-I", str(source)]
    for source in _FOLDERS:
        arguments += [str(path.relative_to(source)) for path in sorted(source.rglob("*.proto"))]
    subprocess.run(arguments, check=True)
    sys.path.insert(0, folder.name)
    _share_google_package(folder.name)
    return folder


def _share_google_package(folder):
    """Extends the package google to two folders: google.rpc is generated here, and google.protobuf comes from
    Debian."""
    google = importlib.import_module("google")
    google.__path__ = list(google.__path__) + [str(pathlib.Path(folder) / "google")]
