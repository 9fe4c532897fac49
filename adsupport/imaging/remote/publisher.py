"""Sends the frames of a bus to consumers in other processes and on other machines."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Literal

import numpy as np

from ...errors import ConfigurationError, FrameConnectionError, FrameMessageError
from ..addons.base import Addon
from ..frames.frame import Frame, StreamAbout, StreamEnd
from .curve import CurveKeys, check_address
from .outbox import Outbox
from .wire import Begin, End, FrameHeader, RunOver
from .zeromq import zeromq

__all__ = ["FramePublisher"]


class FramePublisher(Addon):
    """Sends frames over ZeroMQ: each consumer gets all that it asks for, in order.

    Consumers connect (``adsupport consume``, or :func:`consume`); each says what happens
    when it is too slow: frames wait for it (``block``), the oldest are dropped and counted
    (``drop``), or it's sent away (``fail``).  Needs pyzmq: ``pip install "adsupport[remote]"``.

    Parameters
    ----------
    address : str
        To bind, such as ``tcp://127.0.0.1:5701``; with ``*`` for the port a free one is taken.
        Off loopback it needs keys.
    consumers : sequence of str or int
        Who must have come before the first frame is taken: their names, or how many.
    wait : float
        Seconds to wait for them.
    lost : {"log", "raise"}
        What the loss of a consumer does: it's logged as an error, and all else goes on; or this
        addon fails, and with it, unless ``errors="isolate"``, the experiment.
    keep_bytes : int
        Pixels of the current run that are kept, in bytes, for consumers that come late: these
        get all from the run's start.  By default none are, and who comes late is refused.
    queue_bytes : int
        Pixels that may wait for one consumer, in bytes, however long a queue it asks for.
    patience : float
        Seconds after which a consumer that takes no frame, although it's connected, is lost.
    keys : CurveKeys, optional
        Who may connect; on loopback they aren't needed.
    **options
        See :class:`~adsupport.imaging.addons.Addon`.

    Attributes
    ----------
    address : str
        As bound.

    Raises
    ------
    ConfigurationError
        An argument can't be, or the address isn't on loopback and there are no keys.
    FrameConnectionError
        The address can't be bound; later: consumers haven't come, or are lost.
    ImportError
        pyzmq isn't installed.

    Examples
    --------
    >>> with FramePublisher("tcp://127.0.0.1:5701", consumers=["recon"]) as publisher:
    ...     experiment.attach(publisher)
    ...     RE(experiment.run())      # doctest: +SKIP
    """

    def __init__(
        self,
        address: str = "tcp://127.0.0.1:*",
        *,
        consumers: Sequence[str] | int = 0,
        wait: float = 30.0,
        lost: Literal["log", "raise"] = "log",
        keep_bytes: int = 0,
        queue_bytes: int = 1 << 30,
        patience: float = 60.0,
        keys: CurveKeys | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if lost not in ("log", "raise"):
            raise ConfigurationError(f"lost={lost!r}: expected 'log' or 'raise'.")
        for name, value in {"wait": wait, "patience": patience}.items():
            if not value > 0:
                raise ConfigurationError(f"{name}={value!r}: expected seconds, more than 0.")
        if keep_bytes < 0:
            raise ConfigurationError(f"keep_bytes={keep_bytes}: expected 0 or more.")
        if queue_bytes < 1:
            raise ConfigurationError(f"queue_bytes={queue_bytes}: expected 1 or more.")
        if isinstance(consumers, str):
            consumers = (consumers,)
        if isinstance(consumers, int) and (isinstance(consumers, bool) or consumers < 0):
            raise ConfigurationError(
                f"consumers={consumers!r}: expected names, or how many there must be."
            )
        check_address(address, keys)
        zeromq()  # says what to install
        from .publisher_socket import PublisherSocket

        self._raises = lost == "raise"
        self._consumers = consumers if isinstance(consumers, int) else tuple(consumers)
        self._wait = wait
        self._outbox = Outbox(keep_bytes, patience, queue_bytes)
        self._socket = PublisherSocket(address, self._outbox, keys)
        self.address = self._socket.address
        self._caller: threading.Thread | None = None
        self._past: weakref.WeakSet[threading.Thread] = weakref.WeakSet()  # callers before

    @property
    def consumers(self) -> dict[str, int]:
        """Names of the consumers that are there, and how many frames each has taken."""
        return {each.hello.name: each.taken for each in self._outbox.readers}

    def ready(self) -> None:
        """Wait until the consumers have come that must.

        Raises
        ------
        FrameConnectionError
            Some haven't; it names them.  Or this is shut down.
        """
        if not self._socket.is_open:
            raise FrameConnectionError(
                f"The publisher of frames at {self.address} is shut down.",
                remedy="Make a new one for another experiment.",
            )
        self._outbox.wait_for_readers(self._consumers, self._wait)

    def begin(self, about: StreamAbout) -> None:
        """Tell of an acquisition; before the first of a run see :meth:`ready`."""
        self._come()
        begin = Begin(
            about.run_uid,
            about.stream,
            about.expected,
            dict(about.md),
            tuple(map(float, about.angles)),
            about.per_event,
            about.angles_from,
        )
        with self._outbox.changed:  # nobody leaves unnoticed between the two
            if not self._outbox.is_open(about.run_uid):
                self.ready()
                self._outbox.new_losses()  # of runs before
            self._put(begin)

    def frame(self, frame: Frame) -> None:
        """Send a frame; waits for consumers that frames wait for.

        Pixels that somebody could still change are copied.

        Raises
        ------
        FrameMessageError
            It has pixels or facts that can't be sent.
        FrameConnectionError
            A consumer is lost, and ``lost="raise"``.
        """
        if self._is_past():
            return
        pixels = np.ascontiguousarray(frame.data)
        what = f"Frame {frame.sequence} of stream {frame.stream!r} has"
        if pixels.dtype.kind not in FrameHeader.KINDS:
            raise FrameMessageError(
                f"{what} dtype {pixels.dtype}: only integers and floats can be sent."
            )
        if pixels.ndim > FrameHeader.MOST_AXES:
            raise FrameMessageError(
                f"{what} shape {pixels.shape}: {FrameHeader.MOST_AXES} axes at most can be sent."
            )
        if frame.data.flags.writeable and np.may_share_memory(pixels, frame.data):
            pixels = pixels.copy()
        header = FrameHeader(
            frame.run_uid,
            frame.stream,
            frame.sequence,
            frame.unique_id,
            frame.angle,
            frame.timestamp,
            pixels.dtype.str,
            pixels.shape,
            frame.facts,
            frame.place,
        )
        self._put(header, pixels)

    def end(self, ended: StreamEnd) -> None:
        """Tell how the acquisition ended, and wait until consumers have taken its frames.

        There is no wait for those that drop frames.
        """
        if self._is_past():
            return
        about = ended.about
        self._put(
            End(
                about.run_uid,
                about.stream,
                ended.expected,
                ended.frames,
                ended.dropped,
                ended.reason,
                tuple(map(float, ended.angles)),
            )
        )
        self._outbox.wait_until_taken()
        self._check()

    def close(self) -> None:
        """Tell that the run is over; consumers may stay for the next one."""
        if not self._is_past():
            self._outbox.put(RunOver())
            self._socket.wake()

    def shutdown(self) -> None:
        """Let all consumers go, and the address."""
        self._socket.close()

    def __enter__(self) -> FramePublisher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.shutdown()

    def _come(self) -> None:
        """Belong to the thread that calls, and no more to the one before.

        A bus leaves the thread of an addon alone that doesn't return, as when a consumer is slow;
        what it still says of its run must not come into the next one.
        """
        caller = threading.current_thread()
        if self._caller is not None and self._caller is not caller:
            self._past.add(self._caller)
        self._past.discard(caller)
        self._caller = caller

    def _is_past(self) -> bool:
        return threading.current_thread() in self._past

    def _put(self, message: Begin | FrameHeader | End, pixels: np.ndarray | None = None) -> None:
        self._outbox.put(message, pixels)
        self._socket.wake()
        self._check()

    def _check(self) -> None:
        losses = self._outbox.new_losses()
        if losses and self._raises:
            raise FrameConnectionError(
                "; ".join(losses) + ".",
                remedy="With lost='log' all else goes on when a consumer is lost.",
            )
