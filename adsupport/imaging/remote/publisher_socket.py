"""The publisher's socket, in a thread of its own."""

from __future__ import annotations

import atexit
import contextlib
import errno
import logging
import os
import socket
import threading
import time
from typing import Any

import numpy as np
import zmq
from zmq.utils.monitor import recv_monitor_message

from ...errors import ConfigurationError, FrameConnectionError, FrameMessageError
from .curve import CurveKeys, authenticator
from .outbox import Outbox
from .wire import (
    MOST_QUEUE,
    VERSION,
    Bye,
    Hello,
    Message,
    Probe,
    Refused,
    Taken,
    Welcome,
    decode,
    encode,
)
from .zeromq import HEARTBEAT, beat

__all__ = ["PublisherSocket"]

_log = logging.getLogger(__name__)

_MOST_READERS = 64
_MOST_AT_ONCE = 256  # messages heard before frames are sent again
_MOST_BYTES = 1 << 16  # of a consumer's message: libzmq cuts off who announces more
_MOST_UNREAD = MOST_QUEUE + 1000  # messages to a peer that doesn't read: it's let go then
_MOST_TOLD = 100  # refusals that are remembered, so that each is told once
_LAST = 1.0  # s, at the end, for consumers that could still drop what waits for them


class PublisherSocket:
    """Sends what an outbox has, and hears consumers.

    Parameters
    ----------
    address : str
        To bind; ``tcp://127.0.0.1:*`` takes a free port.
    outbox : Outbox
        What is to be sent.
    keys : CurveKeys or None
        Of the publisher.

    Attributes
    ----------
    address : str
        As bound.

    Raises
    ------
    FrameConnectionError
        The address can't be bound.
    """

    def __init__(self, address: str, outbox: Outbox, keys: CurveKeys | None) -> None:
        self._outbox = outbox
        self._waker = threading.Lock()
        self._garbage = 0
        self._told: set[tuple[str, str]] = set()
        self._owners: dict[int, bytes] = {}  # consumers by the descriptors of their connections
        self._gone: set[bytes] = set()  # whose connections have ended, and who may be heard yet
        self._fresh: set[bytes] = set()  # who has come since the last tick
        self._stopping = False
        self._pid = os.getpid()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._wake = self._context.socket(zmq.PAIR)
        self._woken = self._context.socket(zmq.PAIR)
        for each in (self._wake, self._woken):
            each.setsockopt(zmq.LINGER, 0)
        self._wake.bind("inproc://wake")
        self._woken.connect("inproc://wake")
        self._locks = contextlib.ExitStack()
        try:
            self._socket.setsockopt(zmq.IPV6, "[" in address)
            self._set_up(keys)
            _check_free(address)
            self._socket.bind(address)
        except zmq.ZMQError as error:
            self._end()
            raise FrameConnectionError(
                f"address={address!r} can't be bound: {error}",
                remedy="Another publisher may have it; tcp://127.0.0.1:* takes a free port.",
            ) from None
        except (ConfigurationError, FrameConnectionError):
            self._end()
            raise
        self.address: str = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._thread = threading.Thread(target=self._run, name="frames over ZeroMQ", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # what waits is sent, also when nobody closes this

    @property
    def is_open(self) -> bool:
        """Whether consumers can come."""
        return self._thread.is_alive() and not self._stopping

    def wake(self) -> None:
        """Tell that the outbox has something new."""
        # more than one token in the pipe would say nothing more
        with self._waker, contextlib.suppress(zmq.ZMQError):
            self._wake.send(b"", zmq.DONTWAIT)

    def close(self) -> None:
        """Send no more; consumers learn it from their connection."""
        atexit.unregister(self.close)
        if not self._stopping and os.getpid() == self._pid:  # a fork has no such thread
            self._outbox.finish(_LAST)
            self._stopping = True
            self.wake()
            self._thread.join()

    # in the thread, but for the first

    def _set_up(self, keys: CurveKeys | None) -> None:
        mine = self._socket
        mine.setsockopt(zmq.LINGER, 2000)  # ms: the last messages are on their way
        mine.setsockopt(zmq.SNDHWM, _MOST_UNREAD)  # the outbox counts the frames in flight
        mine.setsockopt(zmq.ROUTER_MANDATORY, 1)  # tells of consumers that are gone
        mine.setsockopt(zmq.MAXMSGSIZE, _MOST_BYTES)
        beat(mine)
        if keys is not None:
            self._locks.enter_context(authenticator(self._context, keys))
            mine.curve_publickey, mine.curve_secretkey = keys.pair()
            mine.curve_server = True

    def _end(self) -> None:
        self._locks.close()
        self._socket.disable_monitor()
        with self._waker:
            for each in (self._monitor, self._socket, self._wake, self._woken):
                each.close()
        self._context.term()

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._woken, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        known: set[bytes] = set()
        unsure: set[bytes] = set()  # who came before the last tick, and after the one before
        reason = "the publisher has ended"
        try:
            tick = time.monotonic() + HEARTBEAT
            while not self._stopping:
                ready = dict(poller.poll(max(0, round(1000 * (tick - time.monotonic())))))
                if self._woken in ready:
                    with contextlib.suppress(zmq.Again):
                        while True:
                            self._woken.recv(zmq.DONTWAIT)
                if self._monitor in ready:
                    self._note_ends()
                if self._socket in ready or self._gone:
                    self._hear_all(known)
                if time.monotonic() >= tick:
                    tick = time.monotonic() + HEARTBEAT
                    self._dismiss(known)
                    # a connection that ended before its first message was read had no owner
                    for key in known & unsure:
                        self._tell(key, Probe(), known)
                    unsure, self._fresh = self._fresh, set()
                for key in list(known):
                    self._serve(key, known)
            for key in list(known):  # what came since
                self._serve(key, known)
        except Exception as error:
            reason = f"the publisher's socket has failed: {error!r}"
            _log.exception("The publisher of frames has failed.")
        finally:
            for key in known:
                self._outbox.leave(key, "" if self._stopping else reason)
            self._end()

    def _hear_all(self, known: set[bytes]) -> None:
        """Hear consumers, and then let those go whose connections have ended."""
        for _ in range(_MOST_AT_ONCE):
            try:
                parts = self._socket.recv_multipart(zmq.DONTWAIT, copy=False)
            except zmq.Again:
                break
            self._hear(parts, known)
        else:
            return  # there may be more, also of those
        for key in self._gone:
            known.discard(key)
            self._outbox.leave(key, "its connection has ended")
        self._gone.clear()

    def _note_ends(self) -> None:
        """Note the owners of connections that have ended: closed, or without heartbeats."""
        with contextlib.suppress(zmq.Again):
            while True:
                ended = recv_monitor_message(self._monitor, zmq.DONTWAIT)
                owner = self._owners.pop(int(ended["value"]), None)
                if owner is not None:
                    self._gone.add(owner)

    def _hear(self, parts: list[zmq.Frame], known: set[bytes]) -> None:
        key, *rest = (each.bytes for each in parts)
        try:
            message = decode(rest, (Hello, Taken, Bye))
        except FrameMessageError as error:
            self._garbage += 1
            if self._garbage & (self._garbage - 1) == 0:  # the 1st, 2nd, 4th, 8th ...
                _log.warning("Message %d that is none of a consumer: %s", self._garbage, error)
            if rest[:1] == [b"hello"]:  # of another version, say
                self._tell(key, Refused(error.problem.rstrip(".")), known)
            return
        if isinstance(message, Hello):
            self._note_ends()  # descriptors are used again
            self._welcome(key, message, known)
            if key in known:
                self._owners[int(parts[-1].get(zmq.SRCFD))] = key
        elif key not in known:
            _log.debug("Who hasn't said hello says %s.", type(message).__name__)
        elif isinstance(message, Taken):
            self._outbox.took(key, message.frames, message.controls)
        else:
            known.discard(key)
            self._outbox.bye(key, message.reason)

    def _welcome(self, key: bytes, hello: Hello, known: set[bytes]) -> None:
        if key in known:
            return  # it couldn't know whether the one before had come
        if len(known) >= _MOST_READERS:
            problem = f"there are {_MOST_READERS} consumers already"
        else:
            problem = self._outbox.join(key, hello)
        if problem:
            told = hello.name, problem
            if told not in self._told and len(self._told) < _MOST_TOLD:  # it may ask each second
                self._told.add(told)
                _log.warning("Consumer %r of frames is refused: %s.", hello.name, problem)
            self._tell(key, Refused(problem), known)
            return
        known.add(key)
        self._fresh.add(key)
        _log.info("Consumer %r of frames has come.", hello.name)
        self._tell(key, Welcome(VERSION), known)

    def _dismiss(self, known: set[bytes]) -> None:
        for key, reason in self._outbox.dismissed():
            self._tell(key, Refused(reason), known)
            known.discard(key)
            self._outbox.leave(key, reason)

    def _serve(self, key: bytes, known: set[bytes]) -> None:
        while key in known:
            found = self._outbox.next_for(key)
            if found is None:
                return
            self._send(key, *found, known)

    def _tell(self, key: bytes, message: Message, known: set[bytes]) -> None:
        self._send(key, encode(message), None, known)

    def _send(
        self, key: bytes, parts: list[bytes], pixels: np.ndarray | None, known: set[bytes]
    ) -> None:
        whole: list[Any] = [key, *parts, *([] if pixels is None else [pixels])]
        try:
            self._socket.send_multipart(whole, zmq.DONTWAIT, copy=pixels is None)
        except zmq.ZMQError as error:
            gone = error.errno in (errno.EHOSTUNREACH, errno.EAGAIN, errno.ECONNRESET)
            known.discard(key)
            self._outbox.leave(
                key, "its connection has ended" if gone else f"it can't be sent to: {error}"
            )


def _check_free(address: str) -> None:
    """Refuse a path where somebody listens: libzmq would take it away from them."""
    path = address.removeprefix("ipc://")
    if path == address:
        return
    with socket.socket(socket.AF_UNIX) as peer:
        try:
            peer.connect(f"\0{path[1:]}" if path.startswith("@") else path)
        except OSError:
            return
    raise FrameConnectionError(
        f"address={address!r} can't be bound: somebody listens there.",
        remedy="Choose another path, or end the other publisher.",
    )
