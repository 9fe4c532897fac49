"""Ask a simulated IOC for faults: one line to its standard input, one answer from its output."""

from __future__ import annotations

import contextlib
import itertools
import json
import queue
from types import TracebackType
from typing import IO, Any

from adsupport.errors import FaultError, IOCError

__all__ = ["Conversation", "RunningFault"]


class Conversation:
    """Requests to an IOC, each answered by one line.

    Parameters
    ----------
    name : str
        What messages call the IOC.
    stream : file
        Its standard input.
    """

    def __init__(self, name: str, stream: IO[str]) -> None:
        self._name = name
        self._stream = stream
        self._numbers = itertools.count(1)
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        #: Whether the IOC has ended.
        self.closed = False
        #: Numbers of the faults that were begun and have not been ended.
        self.faults: set[int] = set()

    def ask(self, timeout: float = 20.0, **request: Any) -> dict[str, Any]:
        """Send a request, return its answer.

        Parameters
        ----------
        timeout : float
            How long to wait for the answer, seconds.
        **request
            What the IOC shall do.

        Raises
        ------
        IOCError
            The IOC has ended, or doesn't answer in time.
        FaultError
            The IOC can't do it, and says why.
        """
        number = next(self._numbers)
        answer = self._waiting[number] = queue.SimpleQueue()
        try:
            self._stream.write(json.dumps({"request": number, **request}) + "\n")
            self._stream.flush()
            reply = None if self.closed else answer.get(timeout=timeout)
        except (OSError, ValueError):  # the pipe is broken, or closed
            self.closed = True  # who reads its answers may learn of it later
            reply = None
        except queue.Empty:
            raise IOCError(
                f"The IOC {self._name} did not answer {request} within {timeout:g} s. Expected one"
                " line: start it from a boot file that calls adsupport.sim.ioc.boot."
            ) from None
        finally:
            del self._waiting[number]
        if reply is None:
            raise IOCError(f"The IOC {self._name} has ended and can't do {request}: restart() it.")
        if "error" in reply:
            raise FaultError(reply["error"])
        return reply

    def hear(self, line: str) -> None:
        """Take a line of the IOC's standard output; what is no answer is ignored."""
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            reply = json.loads(line)
            waiting = self._waiting.get(reply.get("request"))
            if waiting is not None:
                waiting.put(reply)

    def close(self) -> None:
        """Tell those who wait that no answer comes any more."""
        self.closed = True
        for waiting in tuple(self._waiting.values()):
            waiting.put(None)


class RunningFault:
    """A fault that an IOC has, until :meth:`end` or the end of the ``with`` block.

    Parameters
    ----------
    conversation : Conversation
        Leads to the IOC.
    number : int
        The IOC's number of the fault.
    text : str
        The fault as on a command line.
    """

    def __init__(self, conversation: Conversation, number: int, text: str) -> None:
        self._conversation = conversation
        self._number = number
        self._text = text
        conversation.faults.add(number)

    def end(self) -> None:
        """End the fault; harmless when it has ended, or the IOC has."""
        self._conversation.faults.discard(self._number)
        try:
            self._conversation.ask(end=self._number)
        except IOCError:
            if not self._conversation.closed:
                raise

    def __enter__(self) -> RunningFault:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def __repr__(self) -> str:
        return f"<RunningFault {self._text}>"
