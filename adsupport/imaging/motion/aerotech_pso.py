"""Commands for the position-synchronized output (PSO) of Aerotech's controllers.

The commands and their order are those of tomoscan, which runs on Ensemble and A3200 controllers
through EPICS.  They have been tested here as text, not on a controller: there's no transport of
its own to test, as commands go to a signal, and what the controller answers isn't read.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

from ...errors import ConfigurationError
from ..asked.arguments import finite, positive, whole
from ..stubs.cleanup import Plan
from ..stubs.moves import set_and_wait
from .window import ConstantSpeedWindow

__all__ = [
    "AerotechController",
    "AerotechPSO",
    "arm_commands",
    "disarm_commands",
    "program_commands",
]

#: By model: what routes pulses to the output terminal, and what ends the window.
_MODELS = {
    "Ensemble": ("CONTROL 1", "OFF"),
    "A3200": ("CONTROL 0 1", "1 OFF"),
}
#: Counts by which the window is wider than half a step before the first and behind the last pulse.
_MARGIN = 5
#: Longest wait for the answer to a command, in seconds.
_ANSWER = 10.0
_AXIS = re.compile(r"@?\w+", re.ASCII)


@dataclasses.dataclass(frozen=True)
class AerotechPSO:
    """An axis of a controller, and how its pulses are made.

    Parameters
    ----------
    axis : str
        Name or number of the axis on the controller, such as ``"X"`` or ``"@0"``.
    counts_per_unit : float
        Encoder counts per unit of the motor (counts per rotation / 360 for degrees); below 0
        when the encoder counts against the motor's dial.
    encoder_input : int
        Number of the controller's encoder input that is followed.
    model : {"Ensemble", "A3200"}
        The controller.
    pulse_width : float
        Of a trigger pulse, in microseconds.
    motor_direction : {1, -1}
        -1 when the motor's user positions run against its dial (``DIR`` is ``Neg``).

    Raises
    ------
    ConfigurationError
        One of these can't be.
    """

    axis: str
    counts_per_unit: float
    encoder_input: int
    model: str = "Ensemble"
    pulse_width: float = 20.0
    motor_direction: int = 1

    def __post_init__(self) -> None:
        # It becomes a part of commands.
        if not isinstance(self.axis, str) or not _AXIS.fullmatch(self.axis):
            raise ConfigurationError(
                f"axis: {self.axis!r} is no name of an axis", remedy='Give one such as "X" or "@0".'
            )
        if not finite("counts_per_unit", self.counts_per_unit):
            raise ConfigurationError("counts_per_unit is 0: an encoder is needed.")
        whole("encoder_input", self.encoder_input, 0)
        if self.model not in _MODELS:
            known = " and ".join(map(repr, _MODELS))
            raise ConfigurationError(f"model: {self.model!r} isn't known, only {known}.")
        positive("pulse_width", self.pulse_width, "us")
        if self.motor_direction not in (1, -1):
            raise ConfigurationError(
                f"motor_direction must be 1 or -1, got {self.motor_direction!r}."
            )

    @property
    def resolution(self) -> float:
        """Motor units per count, above 0: for :class:`.StageMotion`."""
        return 1 / abs(self.counts_per_unit)

    def sense(self, window: ConstantSpeedWindow) -> int:
        """Tell whether the encoder counts up during a motion.

        Parameters
        ----------
        window : ConstantSpeedWindow
            The motion.

        Returns
        -------
        int
            1 when it counts up, -1 when it counts down.
        """
        encoder = 1 if self.counts_per_unit > 0 else -1
        return window.direction * self.motor_direction * encoder


def program_commands(pso: AerotechPSO, window: ConstantSpeedWindow) -> tuple[str, ...]:
    """Build the commands that prepare a pulse for each frame.

    The controller counts from where the axis stands when it's armed, the first frame's position.
    The window in which there are pulses reaches from half a step before the first to half a step
    behind the last one, and a little further.

    Parameters
    ----------
    pso : AerotechPSO
        The axis.
    window : ConstantSpeedWindow
        The motion, with steps of whole counts.

    Returns
    -------
    tuple of str
        The commands, to be sent in this order.

    Raises
    ------
    ConfigurationError
        The steps aren't whole counts of this encoder, or less than two, or a pulse is longer
        than a frame.
    """
    counts = _counts(pso, window)
    if pso.pulse_width * 1e-6 >= window.period:
        raise ConfigurationError(
            f"pulse_width: a pulse of {pso.pulse_width:g} us is as long as a frame, which takes "
            f"{window.period:g} s"
        )
    half = counts // 2
    margin = min(_MARGIN, half - 1)  # no pulse but the frames' own in the window
    ends = (-half - margin, counts * window.frames - half + margin)
    low, high = ends if pso.sense(window) > 0 else (-ends[1], -ends[0])
    axis, source = pso.axis, pso.encoder_input
    return (
        f"PSOCONTROL {axis} RESET",
        f"PSOOUTPUT {axis} {_MODELS[pso.model][0]}",
        # in all, and of this with the output on: a single pulse
        f"PSOPULSE {axis} TIME {pso.pulse_width:f},{pso.pulse_width:f}",
        f"PSOOUTPUT {axis} PULSE WINDOW MASK",
        f"PSOTRACK {axis} INPUT {source}",
        f"PSODISTANCE {axis} FIXED {counts}",
        f"PSOWINDOW {axis} 1 INPUT {source}",
        f"PSOWINDOW {axis} 1 RANGE {low},{high}",
    )


def arm_commands(pso: AerotechPSO) -> tuple[str, ...]:
    """Build the command that lets there be pulses.

    Parameters
    ----------
    pso : AerotechPSO
        The axis.

    Returns
    -------
    tuple of str
        The command.
    """
    return (f"PSOCONTROL {pso.axis} ARM",)


def disarm_commands(pso: AerotechPSO) -> tuple[str, ...]:
    """Build the commands after which there are no more pulses.

    Parameters
    ----------
    pso : AerotechPSO
        The axis.

    Returns
    -------
    tuple of str
        The commands, to be sent in this order.
    """
    return (f"PSOWINDOW {pso.axis} {_MODELS[pso.model][1]}", f"PSOCONTROL {pso.axis} OFF")


class AerotechController:
    """Position-compare hardware that takes the commands through a signal.

    Parameters
    ----------
    pso : AerotechPSO
        The axis.
    command : bluesky Movable
        Each command is set here, one when the one before is done: such as
        ``EpicsSignal("...:PSOCommand.BOUT", name="pso", string=True, put_complete=True)`` of an
        asyn record.  None is waited for longer than 10 s.
    name : str
        Its name.
    """

    def __init__(self, pso: AerotechPSO, command: Any, name: str = "aerotech_pso") -> None:
        self.pso, self.command, self.name = pso, command, name

    @property
    def resolution(self) -> float:
        """Motor units per count, above 0."""
        return self.pso.resolution

    def check(self, window: ConstantSpeedWindow) -> None:
        """Make sure that there can be pulses.

        Parameters
        ----------
        window : ConstantSpeedWindow
            The motion.

        Raises
        ------
        ConfigurationError
            See :func:`program_commands`.
        """
        program_commands(self.pso, window)

    def reference(self, window: ConstantSpeedWindow) -> float | None:
        """Tell where the axis must stand when it is armed.

        Parameters
        ----------
        window : ConstantSpeedWindow
            The motion.

        Returns
        -------
        float
            The position of the first frame, in the motor's units.
        """
        return window.first

    def program(self, window: ConstantSpeedWindow) -> Plan:
        """Send the commands that prepare the pulses.

        Parameters
        ----------
        window : ConstantSpeedWindow
            The motion.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Raises
        ------
        ConfigurationError
            See :func:`program_commands`.
        """
        yield from self._send(program_commands(self.pso, window))

    def arm(self) -> Plan:
        """Let there be pulses.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        yield from self._send(arm_commands(self.pso))

    def disarm(self) -> Plan:
        """Let there be none.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        first: Exception | None = None
        for command in disarm_commands(self.pso):  # each has its turn, whatever the other
            try:
                yield from self._send((command,))
            except Exception as error:
                first = first or error
        if first is not None:
            raise first

    def _send(self, commands: tuple[str, ...]) -> Plan:
        for command in commands:
            yield from set_and_wait(self.command, command, _ANSWER)


def _counts(pso: AerotechPSO, window: ConstantSpeedWindow) -> int:
    exact = abs(window.step * pso.counts_per_unit)
    counts = round(exact)
    if not math.isclose(exact, counts, rel_tol=1e-9, abs_tol=1e-6):
        raise ConfigurationError(
            f"step: {window.step:g} is {exact:.4f} encoder counts of {pso.axis}, and pulses come "
            "at whole counts",
            remedy="Compute the window with StageMotion(..., resolution=pso.resolution).",
        )
    if counts < 2:
        raise ConfigurationError(
            f"step: {window.step:g} is {counts} encoder count of {pso.axis}; at least 2 are needed "
            "to tell the frames' pulses from others",
            remedy="Take fewer frames in the range.",
        )
    return counts
