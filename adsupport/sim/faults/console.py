"""Faults on demand: those of the command line, and those that the IOC's parent asks for."""

from __future__ import annotations

import itertools
import json
import logging
from typing import TYPE_CHECKING, Any

from adsupport.sim.faults.fault import Fault, FaultError
from adsupport.sim.faults.registry import make, parse

if TYPE_CHECKING:
    from adsupport.sim.ioc import IOC

_log = logging.getLogger(__name__)


class Console:
    """The faults that an IOC has.

    Parameters
    ----------
    ioc : IOC
        Gets the faults.
    """

    def __init__(self, ioc: IOC) -> None:
        self._ioc = ioc
        self._running: dict[int, Fault] = {}
        self._numbers = itertools.count(1)

    def begin(self, fault: Fault) -> int:
        """Attach a fault; return its number.

        Raises
        ------
        FaultError
            When the IOC can't have it.
        """
        fault.begin(self._ioc)
        number = next(self._numbers)
        self._running[number] = fault
        return number

    def begin_all(self, texts: list[str]) -> None:
        """Attach faults that are written as on a command line.

        Raises
        ------
        FaultError
            Naming the first that can't be.
        """
        for text in texts:
            self.begin(parse(text))

    def end(self, number: int) -> None:
        """End a fault; one that has ended already is left alone."""
        fault = self._running.pop(number, None)
        if fault is not None:
            fault.end()

    def end_all(self) -> None:
        """End all faults, the newest first."""
        for number in sorted(self._running, reverse=True):
            self.end(number)

    def answer(self, line: str) -> str:
        """Carry out a request, one JSON object in a line; return the answer in the same form.

        Parameters
        ----------
        line : str
            ``request`` is a number that the answer repeats. The rest is ``begin`` (a name),
            ``target`` and ``parameters``; or ``end`` (a fault's number, or ``"all"``).

        Returns
        -------
        str
            With ``fault``, the number of what has begun; or with ``error``.
        """
        request: dict[str, Any] = {}
        try:
            request = json.loads(line)
            reply = self._carry_out(request)
        except FaultError as error:
            reply = {"error": str(error)}
        except (ValueError, TypeError, AttributeError) as error:
            reply = {"error": f"a request must be a JSON object in one line, not {line!r}: {error}"}
        except Exception as error:  # an answer must come, or the parent waits for it
            _log.exception("request failed: %s", line)
            reply = {"error": f"{type(error).__name__}: {error}"}
        number = request.get("request") if isinstance(request, dict) else None
        return json.dumps({"request": number, **reply})

    def _carry_out(self, request: dict[str, Any]) -> dict[str, Any]:
        if "begin" in request:
            fault = make(request["begin"], request.get("target"), request.get("parameters") or {})
            return {"fault": self.begin(fault)}
        end = request.get("end")
        if end == "all":
            self.end_all()
            return {}
        if isinstance(end, int):
            self.end(end)
            return {}
        raise FaultError(f"a request must have 'begin' or 'end', found {sorted(request)}")
