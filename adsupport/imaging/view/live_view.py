"""The addon that shows frames, and the faces that it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...errors import ConfigurationError
from ...wording import counted
from ..addons.base import Addon
from ..frames.frame import Frame, StreamAbout, StreamEnd
from .contrast import Limits
from .model import ViewModel, check_channel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .figure import ViewFigure
    from .server import ViewServer

__all__ = ["LiveView"]


class LiveView(Addon):
    """Shows the latest frame: on a page for browsers, and in a matplotlib figure.

    The acquisition is never slowed: there is room for one frame in its queue, later ones take its
    place, and an image is prepared only when somebody looks at it.

    Parameters
    ----------
    limits : str, tuple of float, or Limits
        What is black and white for those who don't choose themselves: ``"auto"`` by the first
        frame of each acquisition, ``"percentile"`` by each frame, or the two values.
    channel : str
        Name of the frames among the images that are shown.
    streams : iterable of str, optional
        Names of the streams whose frames are shown; all by default.

    Attributes
    ----------
    model : ViewModel
        What is shown.

    Raises
    ------
    ConfigurationError
        The limits, or the name of the channel, can't be.

    Examples
    --------
    >>> view = LiveView()
    >>> with view.serve() as page:                # doctest: +SKIP
    ...     print(page.address)
    ...     experiment.attach(view)
    ...     RE(experiment.run())
    """

    def __init__(
        self,
        limits: str | tuple[float, float] | Limits = "auto",
        *,
        channel: str = "camera",
        streams: Iterable[str] | None = None,
    ) -> None:
        super().__init__(streams=streams, policy="drop", queue=1, errors="isolate")
        check_channel(channel)
        self.channel = channel
        self.model = ViewModel(Limits.of(limits))
        self._figures: dict[str | None, ViewFigure] = {}

    # what the bus calls

    def begin(self, about: StreamAbout) -> None:
        """Note that an acquisition begins."""
        expected = "" if about.expected is None else f", {counted(about.expected)}"
        self.model.begin(self.channel, f"{about.stream}{expected}")

    def frame(self, frame: Frame) -> None:
        """Show a frame; one that can't be shown is told of on the page."""
        if frame.data.dtype.kind == "O":
            return  # what a server sends that has had no image yet
        facts = {
            **frame.facts,
            "stream": frame.stream,
            "unique_id": frame.unique_id,
            "angle": frame.angle,
            "timestamp": frame.timestamp,
        }
        try:
            self.model.put(
                self.channel,
                frame.data,
                {name: value for name, value in facts.items() if value is not None},
                sequence=frame.sequence,
                unique_id=frame.unique_id,
            )
        except ConfigurationError:
            return  # the next one may be better

    def end(self, ended: StreamEnd) -> None:
        """Tell how the acquisition ended."""
        text = f"{ended.about.stream} is over: {counted(ended.frames)}"
        if ended.missing:
            text += f", {ended.missing} missing"
        self.model.end(self.channel, f"{text}; {ended.reason}" if ended.reason else text)

    # what others call

    def show_image(self, channel: str, image: Any, facts: Mapping[str, Any] | None = None) -> None:
        """Show an image that isn't a frame, such as a slice of a reconstruction.

        It can be called from any thread, and takes next to no time.

        Parameters
        ----------
        channel : str
            Name of its place, such as ``"slice z"``; the image there before goes.  There is room
            for 64.
        image : array-like
            (Y, X), of integers or floats; it's not copied, so nobody may write to it afterwards.
        facts : mapping of str to object, optional
            What is known of it: texts and numbers are shown.

        Raises
        ------
        ConfigurationError
            It can't be shown, or the name can't be.
        """
        self.model.put(channel, image, facts)

    def serve(self, port: int = 0, **options: Any) -> ViewServer:
        """Serve a page with all this, in a thread.

        Parameters
        ----------
        port : int
            0: any free one.
        **options
            See :class:`~adsupport.imaging.view.ViewServer`.

        Returns
        -------
        ViewServer
            It runs; ``address`` is where.  As a context manager it stops at the end of the block,
            else when the process does.

        Raises
        ------
        ImportError
            A package is missing: ``pip install "adsupport[view]"``.
        ConfigurationError
            The port can't be had.
        """
        from .server import ViewServer

        return ViewServer(self.model, port, **options)

    def figure(self, channel: str | None = None) -> Figure:
        """Draw what is seen now; needs matplotlib.

        Parameters
        ----------
        channel : str, optional
            What; all channels side by side by default.

        Returns
        -------
        matplotlib.figure.Figure
            The same one each time, brought up to date.  It belongs to no window: save it, or put it
            into one; see :meth:`show`.
        """
        return self._face(channel).update()

    def show(self, channel: str | None = None, interval: float = 0.2) -> ViewFigure:
        """Show a window, or an output of Jupyter, that follows the frames.

        Call it from the main thread.  Where there is no timer (a notebook with inline pictures),
        the picture follows when this is called again, or ``update()`` of what it returns.

        Parameters
        ----------
        channel : str, optional
            What; all channels side by side by default.
        interval : float
            Seconds from picture to picture.

        Returns
        -------
        ViewFigure
            ``update()`` draws, ``stop()`` stops to follow.
        """
        face = self._face(channel)
        face.show(interval)
        return face

    def _face(self, channel: str | None) -> ViewFigure:
        from .figure import ViewFigure

        if channel not in self._figures:
            self._figures[channel] = ViewFigure(self.model, channel)
        return self._figures[channel]
