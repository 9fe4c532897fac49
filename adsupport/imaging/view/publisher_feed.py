"""Frames that an experiment in another process publishes, for a live view of them."""

from __future__ import annotations

import contextlib
import logging
import threading

from ...errors import AdsupportError, FrameConnectionError
from ..remote.connection import FrameConnection
from ..remote.consumer import consume
from .live_view import LiveView

__all__ = ["PublisherFeed"]

_log = logging.getLogger(__name__)

#: Seconds until a publisher is asked again that has refused, or gone.
_PAUSE = 1.0
#: Seconds to wait for a publisher that isn't there: as long as anybody looks.
_FOR_EVER = 1e6


class PublisherFeed:
    """Shows the frames of a FramePublisher, run after run.

    The publisher never waits for it: frames that come too fast are dropped there.

    Parameters
    ----------
    address : str
        Of the publisher, such as ``tcp://127.0.0.1:5701``.

    Attributes
    ----------
    what : str
        What is shown, for people.

    Raises
    ------
    ConfigurationError
        The address can't be one, or isn't on loopback.
    """

    def __init__(self, address: str) -> None:
        self._connection = FrameConnection(address, name="live view", policy="drop", queue=1)
        self.what = address

    def run(self, view: LiveView, stop: threading.Event) -> None:
        """Show frames; only an exception such as KeyboardInterrupt ends the wait for a publisher.

        Parameters
        ----------
        view : LiveView
            Where.
        stop : threading.Event
            Ends it between two publishers.
        """
        with contextlib.closing(self._connection):
            text = f"Waiting for the publisher at {self.what}"
            while not stop.is_set():
                view.model.link(False, text)
                text = f"The publisher at {self.what} is gone: waiting for another one"
                try:
                    self._connection.open(_FOR_EVER)
                    view.model.link(True, f"Frames of the publisher at {self.what}")
                    consume(self._connection, [view], runs=None)
                except FrameConnectionError as error:  # refused, say, in the middle of a run
                    text = str(error)
                except AdsupportError as error:  # of one message, or one acquisition
                    _log.warning("%s", error)
                finally:
                    self._connection.close()
                view.model.link(False, text)
                stop.wait(_PAUSE)
