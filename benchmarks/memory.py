"""The most memory that a process has held, and work done in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def alone(module: str, *arguments: str, limit: float | None = None) -> list[str] | None:
    """The words that ``python -m module arguments`` prints; None where it takes longer than `limit` seconds."""
    command = [sys.executable, "-m", module, *arguments]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        return None
    if run.returncode:
        raise RuntimeError(run.stderr)
    return run.stdout.split()


def held() -> float:
    """Memory held now, in MB; the peak where the system tells no more."""
    return _of_status("VmRSS") if _STATUS.exists() else peak()


def peak() -> float:
    """The most memory this process has held, in MB.

    Linux counts the parent's memory in ``ru_maxrss`` of a child, so its own account of the process is read there.
    """
    if _STATUS.exists():
        return _of_status("VmHWM")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def forget_peak() -> None:
    """Begin the peak anew at what is held now, where the system allows it (Linux)."""
    switch = Path("/proc/self/clear_refs")
    if switch.exists():
        switch.write_text("5")


def _of_status(name: str) -> float:
    """A line of the system's account of this process, in MB."""
    lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return float(lines[name].split()[0]) / 1e3
