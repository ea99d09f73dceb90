"""The figure that pyplot is given: shown once in a notebook, where pyplot and the cell's value would both show it."""

from __future__ import annotations

from matplotlib import get_backend
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

INLINE = ("inline", "module://matplotlib_inline.backend_inline")


class ShownOnce(Figure):
    """A matplotlib figure that leaves its showing to pyplot as long as pyplot shows figures at the end of each cell."""

    def _ipython_display_(self) -> None:
        """Nothing while pyplot will show it; else IPython goes on to its other ways, as the error tells it."""
        if get_backend() not in INLINE or not plt.fignum_exists(getattr(self, "number", None)):  # type: ignore[arg-type]
            raise NotImplementedError
