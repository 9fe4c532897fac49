"""The matplotlib face of a live view: in a window, in a notebook, or in a file."""

from __future__ import annotations

from typing import Any

import numpy as np

from .messages import plain
from .model import ViewModel
from .palettes import palettes
from .picture import Picture
from .rendering import rendered

__all__ = ["ViewFigure"]

#: Pixels that a picture is drawn with, along a side.
_SIZE = (800, 800)
#: Channels side by side.
_ACROSS = 4


class ViewFigure:
    """A figure with the latest image and histogram of each channel.

    Everything happens in the thread that calls: a timer of the window's, or nobody.

    Parameters
    ----------
    model : ViewModel
        What is shown.
    channel : str, optional
        The only one that is shown.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        The figure.

    Raises
    ------
    ImportError
        matplotlib isn't installed.
    """

    def __init__(self, model: ViewModel, channel: str | None = None) -> None:
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise ImportError(
                "matplotlib is needed for the figure of a live view: pip install matplotlib."
            ) from None
        self._model, self._channel = model, channel
        self.figure: Any = Figure(figsize=(5.5, 6.0), layout="constrained")
        self._panels: dict[str, _Panel] = {}
        self._seen = -1
        self._timer: Any = None
        self._output: Any = None

    def update(self) -> Any:
        """Draw what is seen now, if it has changed.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.
        """
        version = self._model.version
        if version == self._seen:
            return self.figure
        self._seen = version
        names = self._model.channels if self._channel is None else (self._channel,)
        pictures = {name: self._model.picture(name) for name in names}
        shown = {name: each for name, each in pictures.items() if each is not None}
        if list(shown) != list(self._panels):
            self._arrange(list(shown))
        for name, picture in shown.items():
            self._panels[name].update(self._model, name, picture)
        link = self._model.source
        text = link.text if link.text and not link.connected else ""
        self.figure.suptitle(text, parse_math=False)  # macros such as $(P) are no formulas
        self.figure.canvas.draw_idle()
        if self._output is not None:
            self._output.update(self.figure)
        return self.figure

    def show(self, interval: float) -> None:
        """Bring it on the screen, and follow the frames where there is a timer.

        Parameters
        ----------
        interval : float
            Seconds from picture to picture.
        """
        from matplotlib import pyplot

        if _is_inline():
            self.update()
            if self._output is None:
                from IPython.display import display  # pyright: ignore[reportMissingImports]

                self._output = display(self.figure, display_id=True)
            return
        if self._timer is None:
            # a window is pyplot's: its figure takes the place of the one without
            title = named = (
                "live view" if self._channel is None else f"live view of {self._channel}"
            )
            number = 1
            while pyplot.fignum_exists(named):  # of another view: it would get that one's window
                number += 1
                named = f"{title} {number}"
            self._use(pyplot.figure(named, figsize=(5.5, 6.0), layout="constrained"))
            self._timer = self.figure.canvas.new_timer(interval=round(1000 * interval))
            self._timer.add_callback(self.update)
            self.figure.canvas.mpl_connect("close_event", lambda event: self._closed())
            self._timer.start()
        self.update()
        pyplot.show(block=False)

    def stop(self) -> None:
        """Follow no more; what is drawn stays."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.stop()

    def _closed(self) -> None:
        """Draw without the window, which can't be drawn into any more."""
        from matplotlib.figure import Figure

        self.stop()
        self._use(Figure(figsize=(5.5, 6.0), layout="constrained"))

    def _use(self, figure: Any) -> None:
        self.figure, self._panels, self._seen = figure, {}, -1

    def _arrange(self, names: list[str]) -> None:
        self.figure.clear()
        count = max(1, len(names))
        across, down = min(count, _ACROSS), -(-count // _ACROSS)
        self.figure.set_size_inches(5.5 * across, 6.0 * down)
        grid = self.figure.subplots(2 * down, across, squeeze=False, height_ratios=(4, 1) * down)
        images, histograms = grid[::2].ravel(), grid[1::2].ravel()
        self._panels = {
            name: _Panel(self.figure, images[at], histograms[at]) for at, name in enumerate(names)
        }
        for axes in (*images[len(names) :], *histograms[len(names) :]):
            axes.set_axis_off()
        if not names:
            self.figure.text(0.5, 0.5, "No image yet", ha="center")


class _Panel:
    """One channel: image and histogram."""

    def __init__(self, figure: Any, image: Any, histogram: Any) -> None:
        from matplotlib.colors import ListedColormap

        self._axes, self._below = image, histogram
        colours = ListedColormap(palettes()["gray"] / 255)
        self._image = image.imshow(np.zeros((2, 2), np.uint8), cmap=colours, vmin=0, vmax=255)
        self._bar = figure.colorbar(self._image, ax=image, fraction=0.05, ticks=[0, 127.5, 255])
        image.set(xlabel="x (pixel)", ylabel="y (pixel)")

    def update(self, model: ViewModel, name: str, picture: Picture) -> None:
        low, high = model.limits_of(picture)
        drawn = rendered(picture.pixels, (low, high), None, _SIZE)
        region = drawn.region
        self._image.set_data(drawn.levels)
        self._image.set_extent(
            (region.left - 0.5, region.right - 0.5, region.bottom - 0.5, region.top - 0.5)
        )
        self._bar.ax.set_yticklabels([f"{each:.5g}" for each in (low, (low + high) / 2, high)])
        counts = model.counts(name)
        facts = [name]
        angle = plain(picture.facts).get("angle")
        if isinstance(angle, (int, float)):
            facts.append(f"{angle:.4g}°")
        facts += [f"{counts['rate']:.3g}/s"] if counts["rate"] else []
        if counts["lost"]:
            facts.append(f"{counts['lost']:.0f} lost")
        status = model.status(name)
        title = "   ".join(facts) + (f"\n{status}" if status else "")
        self._axes.set_title(title, fontsize=10, parse_math=False)
        found = picture.histogram()
        self._below.clear()
        edges = np.linspace(found.low, found.high, len(found.counts) + 1)
        self._below.stairs(found.counts, edges, fill=True, color="0.4")
        self._below.axvline(low, color="C1")
        self._below.axvline(high, color="C1")
        self._below.set_yscale("symlog")
        self._below.set(xlabel="value", ylabel="pixels")


def _is_inline() -> bool:
    """Tell whether pictures go into a notebook, as they are at that moment."""
    import matplotlib

    return "inline" in matplotlib.get_backend().lower()
