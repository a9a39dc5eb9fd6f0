"""Where pictures are drawn on: the only file that imports matplotlib (optional)."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wakeword.errors import WakewordError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patheffects import AbstractPathEffect

_DPI = 110

FORMATS: dict[str, dict[str, Any]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
"""Endings of pictures, each with the metadata that would differ from run to run."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's palette, which colour-blind people can tell apart."""


def picture_path(text: str) -> Path:
    """Read an option that names a picture; raises ArgumentTypeError where it has no known ending."""
    path = Path(text)
    if path.suffix.lower() not in FORMATS:
        raise argparse.ArgumentTypeError(f"{text} ends in none of {', '.join(FORMATS)}")
    return path


class Canvas:
    """A picture to be: made before the long work, so that what would keep it from being drawn is known by then.

    Raises WakewordError when matplotlib is missing, or cannot draw into a file of this ending.
    """

    def __init__(self, path: Path) -> None:
        try:
            import matplotlib
        except ImportError:
            raise WakewordError(
                "a plot needs matplotlib, which is not installed; install it with: pip install matplotlib"
            ) from None
        if path.suffix.lower() not in FORMATS:
            raise WakewordError(f"{path} ends in none of {', '.join(FORMATS)}; name the picture so")
        self._path, self._rc = path, matplotlib.rc_context

    @contextmanager
    def figure(self, width_in: float, height_in: float, font: float = 9.0, foot_in: float = 0.0) -> Iterator[Figure]:
        """Give an empty figure, and write it when it has been drawn: the same bytes for the same drawing.

        `font` is the size of its letters in points; `foot_in` is left free of axes at the bottom. Raises WakewordError
        when the file cannot be written.
        """
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        foot = foot_in / height_in
        with self._rc(
            {
                "font.size": font,
                "axes.spines.top": False,
                "text.parse_math": False,  # a dollar sign is money here
                "svg.hashsalt": "misheard",
                "pdf.fonttype": 42,
            }
        ):
            layout = ConstrainedLayoutEngine(rect=(0, foot, 1, 1 - foot))
            figure = Figure(figsize=(width_in, height_in), dpi=_DPI, layout=layout)
            yield figure
            try:
                figure.savefig(self._path, metadata=FORMATS[self._path.suffix.lower()])
            except OSError as error:
                raise WakewordError(f"the plot {self._path} cannot be written ({error.strerror})") from None


def halo(width: float = 3.0) -> list[AbstractPathEffect]:
    """Path effects that put a white rim around a text, so that it can be read over anything."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground="white")]


def legend(rows: Iterable[Axes]) -> dict[str, Any]:
    """Give `handles` and `labels` of what is drawn, each label once, whichever rows have it."""
    handles: dict[str, Any] = {}
    for row in rows:
        for handle, label in zip(*row.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    return {"handles": list(handles.values()), "labels": list(handles)}
