"""A consumer's connection to a publisher of frames."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any, get_args

import numpy as np

from ...errors import ConfigurationError, FrameConnectionError
from ..addons.base import Policy
from .curve import CurveKeys, check_address
from .wire import (
    MOST_AHEAD,
    MOST_NAME,
    MOST_QUEUE,
    VERSION,
    Begin,
    Bye,
    End,
    FrameHeader,
    Hello,
    Message,
    Probe,
    Refused,
    RunOver,
    Taken,
    Welcome,
    decode,
    encode,
    pixels_of,
)
from .zeromq import beat, zeromq

__all__ = ["FrameConnection"]

#: Headers with the metadata of a run and the angles of its frames are the longest ones.
_LEAST_BYTES = 1 << 24
_MOST_REASON = 1000
#: Of the publisher besides: its welcome, its refusal, and to learn whether this is still there.
_MOST_OTHERS = 3


class FrameConnection:
    """What a publisher sends, one message after the other; for one thread.

    Heartbeats are answered by the threads of ZeroMQ, whatever this process is busy with.

    Parameters
    ----------
    address : str
        Of the publisher, such as ``tcp://127.0.0.1:5701``.
    name : str
        Of this consumer, for the publisher and its messages.
    streams : iterable of str, optional
        Names of the streams whose frames are wanted; all by default.
    policy : {"block", "drop", "fail"}
        What happens when ``queue`` frames wait here: the publisher waits; the oldest of those that
        weren't sent yet are dropped and counted; or this consumer is sent away.
    queue : int
        Frames that may be on their way at once, 10,000 at most.
    most_bytes : int
        Of a frame; what announces more isn't received.
    keys : CurveKeys, optional
        Of this side; on loopback they aren't needed.

    Raises
    ------
    ConfigurationError
        An argument can't be.
    """

    def __init__(
        self,
        address: str,
        *,
        name: str = "consumer",
        streams: Iterable[str] | None = None,
        policy: Policy = "block",
        queue: int = 8,
        most_bytes: int = 1 << 30,
        keys: CurveKeys | None = None,
    ) -> None:
        check_address(address, keys)
        if policy not in get_args(Policy):
            raise ConfigurationError(f"policy={policy!r}: expected 'block', 'drop' or 'fail'.")
        for argument, value in {"queue": queue, "most_bytes": most_bytes}.items():
            if value < 1:
                raise ConfigurationError(f"{argument}={value}: expected 1 or more.")
        if queue > MOST_QUEUE:
            raise ConfigurationError(f"queue={queue}: expected {MOST_QUEUE} at most.")
        if not name or len(name) > MOST_NAME or not name.isprintable():
            raise ConfigurationError(
                f"name={name[:MOST_NAME]!r}: expected 1 to {MOST_NAME} characters that can be "
                "printed."
            )
        wanted = (streams,) if isinstance(streams, str) else streams
        self._hello = Hello(VERSION, name, policy, queue, None if wanted is None else tuple(wanted))
        self.address, self.name = address, name
        self._most_bytes, self._keys = max(most_bytes, _LEAST_BYTES), keys
        self._taken = self._controls = 0
        self._gone = False  # the publisher
        self._context: Any = None
        self._socket: Any = None
        self._monitor: Any = None

    @property
    def is_open(self) -> bool:
        """Whether the publisher has welcomed this consumer."""
        return self._socket is not None

    def open(self, timeout: float = 10.0, *, runs: int | None = None) -> None:
        """Connect, and wait for the publisher's welcome.

        Parameters
        ----------
        timeout : float
            Seconds.
        runs : int or None
            How many runs this consumer stays for: the publisher doesn't reckon with it for another
            one.  None: it doesn't say.

        Raises
        ------
        FrameConnectionError
            Nobody answers there, or this consumer is refused.
        """
        self.close()
        self._hello = replace(self._hello, runs=runs)
        self._set_up()
        try:
            self._wait_for_welcome(timeout)
        except BaseException:
            self.close()
            raise

    def messages(
        self, timeout: float | None = None, check: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Begin | FrameHeader | End | RunOver, np.ndarray | None]]:
        """Receive messages until this is closed.

        Parameters
        ----------
        timeout : float or None
            Seconds to wait for the next message; None: as long as the publisher is there.
        check : callable
            Called now and then while nothing comes; what it raises ends the wait.

        Yields
        ------
        tuple
            A message, and the pixels of a frame: read-only, valid as long as anybody has them.

        Raises
        ------
        FrameConnectionError
            The publisher is gone, or has sent this consumer away, or nothing came in time.
        FrameMessageError
            What came is no message of a publisher.
        """
        if self._socket is None:
            raise ConfigurationError("The connection isn't open.", remedy="Call open() first.")
        until = None if timeout is None else time.monotonic() + timeout
        while self._socket is not None:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise FrameConnectionError(
                    f"Waited {timeout:g} s for a message of the publisher at {self.address}."
                )
            message, pixels, event = self._receive(left)
            if isinstance(message, (Begin, FrameHeader, End, RunOver)):
                if pixels is None:
                    self._controls += 1
                    self._send(Taken(self._taken, self._controls))
                yield message, pixels
                until = None if timeout is None else time.monotonic() + timeout
                continue
            check()
            if event == "disconnected":
                self._gone = True
                raise FrameConnectionError(
                    f"The publisher of frames at {self.address} is gone.",
                    remedy="What came is whole as far as it came; a finished run can be replayed.",
                )

    def taken(self) -> None:
        """Tell that a frame has been taken: another one may come."""
        self._taken += 1
        self._send(Taken(self._taken, self._controls))

    def close(self, reason: str = "") -> None:
        """Take leave.

        Parameters
        ----------
        reason : str
            What failed here, for the publisher: it counts this consumer as lost.
        """
        if self._socket is None:
            return
        if self._gone:  # nobody hears it
            self._socket.setsockopt(self._zmq.LINGER, 0)
        self._send(Bye(reason[:_MOST_REASON]))
        self._socket.disable_monitor()
        for each in (self._monitor, self._socket):
            each.close()
        self._context.term()
        self._socket = self._monitor = self._context = None

    def __enter__(self) -> FrameConnection:
        if self._socket is None:
            self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        failed = isinstance(error, Exception)
        self.close(f"{type(error).__name__}: {error}" if failed else "")

    # inside

    def _set_up(self) -> None:
        zmq = zeromq()
        from zmq.utils import monitor

        self._zmq, self._read_event = zmq, monitor.recv_monitor_message
        pair = None if self._keys is None else (*self._keys.pair(), self._keys.server())
        self._context = zmq.Context()
        socket = self._socket = self._context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 500)  # ms, for the leave-taking
        socket.setsockopt(zmq.IPV6, "[" in self.address)
        # The publisher has no more than that on its way.  Were the pipe full of it, heartbeats were
        # no more read either; as libzmq only hears of each half that was taken, it's twice that.
        most = self._hello.queue + MOST_AHEAD + _MOST_OTHERS
        socket.setsockopt(zmq.RCVHWM, 2 * most)
        socket.setsockopt(zmq.SNDHWM, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, self._most_bytes)
        beat(socket)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 2000)
        if pair is not None:
            socket.curve_publickey, socket.curve_secretkey, socket.curve_serverkey = pair
        self._monitor = socket.get_monitor_socket(
            zmq.EVENT_DISCONNECTED
            | zmq.EVENT_HANDSHAKE_FAILED_AUTH
            | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        )
        self._taken = self._controls = 0
        self._gone = False
        self._poller = zmq.Poller()
        self._poller.register(socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        try:
            socket.connect(self.address)
        except zmq.ZMQError as error:
            self.close()
            raise FrameConnectionError(f"address={self.address!r}: {error}") from None

    def _wait_for_welcome(self, timeout: float) -> None:
        self._send(self._hello)
        until = time.monotonic() + timeout
        found = "Nobody answers"
        while True:
            left = until - time.monotonic()
            message, _, event = self._receive(max(0.0, left))
            if isinstance(message, Welcome):
                return
            if event == "disconnected":  # who was there has not heard it, or can't answer
                self._send(self._hello)
            if event == "keys":
                found = "Somebody answers, and refuses the keys (or has none)"
            if left <= 0:
                raise FrameConnectionError(
                    f"Waited {timeout:g} s for the publisher of frames at {self.address}. {found}.",
                    remedy="Start the experiment with FramePublisher(...), and see its address.",
                )

    def _send(self, message: Message) -> None:
        # without a connection there is nobody to tell, and _receive learns of that
        with contextlib.suppress(self._zmq.Again):
            self._socket.send_multipart(encode(message), self._zmq.DONTWAIT)

    def _receive(self, timeout: float | None) -> tuple[Message | None, np.ndarray | None, str]:
        """Wait for a message, or for what happens to the connection."""
        zmq = self._zmq
        ready = dict(self._poller.poll(None if timeout is None else round(1000 * timeout)))
        if self._socket in ready:  # what came before the connection ended is still there
            first, *rest = self._socket.recv_multipart(copy=False)
            parts = [first.buffer, *(each.buffer for each in rest)]
            kinds = (Begin, FrameHeader, End, RunOver, Probe, Welcome, Refused)
            message = decode(parts, kinds)
            if isinstance(message, Refused):
                raise FrameConnectionError(
                    f"The publisher of frames at {self.address} refuses consumer {self.name!r}: "
                    f"{message.reason}."
                )
            pixels = pixels_of(message, parts[2]) if isinstance(message, FrameHeader) else None
            return message, pixels, ""
        if self._monitor in ready:
            event = self._read_event(self._monitor)["event"]
            return None, None, "disconnected" if event == zmq.EVENT_DISCONNECTED else "keys"
        return None, None, ""
