"""The figure that pyplot is given: shown once in a notebook, where pyplot and the cell's value would both show it."""

from __future__ import annotations

from typing import NoReturn

from matplotlib import get_backend
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

INLINE = ("inline", "module://matplotlib_inline.backend_inline")


class ShownOnce(Figure):
    """A matplotlib figure that a notebook shows as a cell's value or at the end of the cell, whichever comes first."""

    def _ipython_display_(self) -> NoReturn:
        """Take it from pyplot, which shows what it has at the end of a cell; IPython then goes on to show it."""
        if get_backend() in INLINE:
            plt.close(self)
        raise NotImplementedError
