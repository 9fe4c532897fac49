"""The swait record of synApps, and the ten user calculations made of it."""

from __future__ import annotations

from typing import Any

from ophyd import Component, EpicsSignal, EpicsSignalRO, FormattedComponent

from ...errors import ConnectionTimeoutError, PutError
from ..connection.connect import ConnectsAtOnce
from ..signals.putting import PUT_TIMEOUT, put_and_confirm
from ..signals.reading import explain_timeouts, wait_for

__all__ = ["CHANNELS", "SwaitRecord", "SwaitRecordChannel", "UserCalc", "UserCalcsDevice"]

#: The input channels of a swait record.
CHANNELS = "ABCDEFGHIJKL"


class SwaitRecordChannel(ConnectsAtOnce):
    """One input of a swait record.

    Parameters
    ----------
    prefix : str
        Name of the record.
    letter : str
        ``"A"`` to ``"L"``.

    Attributes
    ----------
    input_value : ophyd.EpicsSignal
        ``.A``: the value.
    input_pv : ophyd.EpicsSignal
        ``.INAN``: process variable that the value is taken from, empty for none.
    input_trigger : ophyd.EpicsSignal
        ``.INAP``: whether a change of it processes the record (scan ``"I/O Intr"``).
    """

    input_value = FormattedComponent(EpicsSignal, "{prefix}.{letter}", kind="config")
    input_pv = FormattedComponent(EpicsSignal, "{prefix}.IN{letter}N", kind="config", string=True)
    input_trigger = FormattedComponent(
        EpicsSignal, "{prefix}.IN{letter}P", kind="config", string=True
    )

    def __init__(self, prefix: str, letter: str, **kwargs: Any) -> None:
        self.letter = letter
        super().__init__(prefix, **kwargs)

    def reset(self, timeout: float = PUT_TIMEOUT) -> None:
        """Give the input its value 0, no process variable, and its trigger.

        Parameters
        ----------
        timeout : float
            Longest wait for each put, in seconds.

        Raises
        ------
        PutError
            The IOC didn't take a value.
        """
        # The link first: it would write the value again.
        put_and_confirm(self.input_pv, "", timeout)
        put_and_confirm(self.input_value, 0, timeout)
        put_and_confirm(self.input_trigger, "Yes", timeout)


class SwaitChannels(ConnectsAtOnce):
    """The twelve inputs of a swait record, ``A`` to ``L``."""

    A = Component(SwaitRecordChannel, "", letter="A", kind="config")
    B = Component(SwaitRecordChannel, "", letter="B", kind="config")
    C = Component(SwaitRecordChannel, "", letter="C", kind="config")
    D = Component(SwaitRecordChannel, "", letter="D", kind="config")
    E = Component(SwaitRecordChannel, "", letter="E", kind="config")
    F = Component(SwaitRecordChannel, "", letter="F", kind="config")
    G = Component(SwaitRecordChannel, "", letter="G", kind="config")
    H = Component(SwaitRecordChannel, "", letter="H", kind="config")
    I = Component(SwaitRecordChannel, "", letter="I", kind="config")  # noqa: E741 (EPICS' name)
    J = Component(SwaitRecordChannel, "", letter="J", kind="config")
    K = Component(SwaitRecordChannel, "", letter="K", kind="config")
    L = Component(SwaitRecordChannel, "", letter="L", kind="config")


class SwaitRecord(ConnectsAtOnce):
    """A swait record: a value calculated from twelve inputs, which may be written elsewhere.

    Parameters
    ----------
    prefix : str
        Name of the record, such as ``"gp:userCalc10"``.
    name : str
        Name of the device.

    Examples
    --------
    >>> calc10 = SwaitRecord("gp:userCalc10", name="calc10")
    >>> calc10.wait_for_connection()
    >>> setup_random_number_swait(calc10)
    """

    description = Component(EpicsSignal, ".DESC", kind="config", string=True)
    processing_active = Component(EpicsSignalRO, ".PACT", kind="omitted")
    scanning_rate = Component(EpicsSignal, ".SCAN", kind="config", string=True)
    disable_value = Component(EpicsSignal, ".DISV", kind="config")
    scan_disable_input_link_value = Component(EpicsSignal, ".DISA", kind="config")
    scan_disable_value_input_link = Component(EpicsSignal, ".SDIS", kind="config", string=True)
    process_record = Component(EpicsSignal, ".PROC", kind="omitted", put_complete=True)
    forward_link = Component(EpicsSignal, ".FLNK", kind="config", string=True)
    trace_processing = Component(EpicsSignal, ".TPRO", kind="omitted")
    device_type = Component(EpicsSignal, ".DTYP", kind="config", string=True)
    alarm_status = Component(EpicsSignalRO, ".STAT", kind="config", string=True)
    alarm_severity = Component(EpicsSignalRO, ".SEVR", kind="config", string=True)
    new_alarm_status = Component(EpicsSignalRO, ".NSTA", kind="omitted", string=True)
    new_alarm_severity = Component(EpicsSignalRO, ".NSEV", kind="omitted", string=True)
    disable_alarm_severity = Component(EpicsSignal, ".DISS", kind="config", string=True)

    precision = Component(EpicsSignal, ".PREC", kind="config")
    high_operating_range = Component(EpicsSignal, ".HOPR", kind="config")
    low_operating_range = Component(EpicsSignal, ".LOPR", kind="config")

    calculated_value = Component(EpicsSignal, ".VAL", kind="hinted")
    calculation = Component(EpicsSignal, ".CALC", kind="config", string=True)
    output_link_pv = Component(EpicsSignal, ".OUTN", kind="config", string=True)
    output_location_name = Component(EpicsSignal, ".DOLN", kind="config", string=True)
    output_location_data = Component(EpicsSignal, ".DOLD", kind="config")
    output_data_option = Component(EpicsSignal, ".DOPT", kind="config", string=True)
    output_execute_option = Component(EpicsSignal, ".OOPT", kind="config", string=True)
    output_execution_delay = Component(EpicsSignal, ".ODLY", kind="config")
    event_to_issue = Component(EpicsSignal, ".OEVT", kind="config")

    channels = Component(SwaitChannels, "", kind="config")

    @property
    def value(self) -> float:
        """The calculated value."""
        return float(self.calculated_value.get())

    def reset(self, timeout: float = PUT_TIMEOUT) -> None:
        """Make the record idle and give all its settings their defaults.

        Every put is complete before the next.

        Parameters
        ----------
        timeout : float
            Longest wait for each put, in seconds.

        Raises
        ------
        ConnectionTimeoutError
            The record doesn't connect.
        PutError
            The IOC didn't take a value.
        """
        with explain_timeouts(self):
            self._reset(timeout)

    def _reset(self, timeout: float) -> None:
        put_and_confirm(self.scanning_rate, "Passive", timeout)
        # A link that is cleared late would overwrite, or process, what is set before.
        put_and_confirm(self.output_link_pv, "", timeout)
        put_and_confirm(self.output_location_name, "", timeout)
        put_and_confirm(self.forward_link, "", timeout)
        for letter in CHANNELS:
            getattr(self.channels, letter).reset(timeout)
        put_and_confirm(self.calculation, "0", timeout)
        put_and_confirm(self.description, self.description.pvname.partition(".")[0], timeout)
        put_and_confirm(self.precision, 5, timeout)
        put_and_confirm(self.output_location_data, 0, timeout)
        put_and_confirm(self.output_data_option, "Use VAL", timeout)
        put_and_confirm(self.output_execute_option, "Every Time", timeout)
        put_and_confirm(self.output_execution_delay, 0, timeout)
        put_and_confirm(self.event_to_issue, 0, timeout)

    def enable_processing(self, timeout: float = PUT_TIMEOUT) -> None:
        """Let the record process: switch on what its disable link points to.

        A record with a link in ``SDIS`` stands still while the link's value equals
        ``DISV``.  The link of synApps' user calculations is ``userCalcEnable``, which is
        off after a restart of the IOC unless it was saved.

        Parameters
        ----------
        timeout : float
            Longest wait, in seconds.

        Raises
        ------
        ConnectionTimeoutError
            The process variable of the link didn't connect.
        PutError
            The switch can't be set; it is named.
        """
        link = str(self.scan_disable_value_input_link.get()).split()
        off = int(self.disable_value.get())
        if not link:
            if self.scan_disable_input_link_value.get() == off:
                put_and_confirm(self.scan_disable_input_link_value, 0 if off else 1, timeout)
            return
        # Kept: to destroy it would clear the channel for other clients in this process.
        self._switch = EpicsSignal(link[0], name=f"{self.name}_switch")
        _switch_on(self._switch, off, self.prefix, timeout)


def _switch_on(switch: EpicsSignal, off: int, record: str, timeout: float) -> None:
    try:
        switch.wait_for_connection(timeout=timeout)
    except TimeoutError as error:
        raise ConnectionTimeoutError(
            f"{record}.SDIS points to {switch.pvname}, which did not connect within {timeout:g} s. "
            "Correct the link, or clear it.",
            [switch.pvname],
        ) from error
    if switch.get() != off:
        return
    switch.put(0 if off else 1)
    if not wait_for(lambda: switch.get() != off, timeout):
        raise PutError(
            f"{switch.pvname} stays at {switch.get()!r}, so {record} doesn't process (its DISV is "
            f"{off}). Set {switch.pvname} by hand."
        )


class UserCalc(SwaitRecord):
    """A user calculation of synApps: a swait record with a switch of its own.

    Attributes
    ----------
    enable : ophyd.EpicsSignal
        ``userCalcNEnable``: ``"E"`` or ``"D"``.
    """

    enable = Component(EpicsSignal, "Enable", kind="config", string=True)


class UserCalcsDevice(ConnectsAtOnce):
    """The ten user calculations of a synApps IOC.

    Parameters
    ----------
    prefix : str
        Prefix of the IOC, such as ``"gp:"``.
    name : str
        Name of the device.

    Attributes
    ----------
    enable : ophyd.EpicsSignal
        ``userCalcEnable``: ``"Enable"`` or ``"Disable"``; off after a restart of the IOC
        unless it was saved.
    """

    enable = Component(EpicsSignal, "userCalcEnable", kind="config", string=True)
    calc1 = Component(UserCalc, "userCalc1")
    calc2 = Component(UserCalc, "userCalc2")
    calc3 = Component(UserCalc, "userCalc3")
    calc4 = Component(UserCalc, "userCalc4")
    calc5 = Component(UserCalc, "userCalc5")
    calc6 = Component(UserCalc, "userCalc6")
    calc7 = Component(UserCalc, "userCalc7")
    calc8 = Component(UserCalc, "userCalc8")
    calc9 = Component(UserCalc, "userCalc9")
    calc10 = Component(UserCalc, "userCalc10")

    @property
    def calcs(self) -> list[UserCalc]:
        """The ten calculations."""
        return [getattr(self, f"calc{n}") for n in range(1, 11)]

    def reset(self, timeout: float = PUT_TIMEOUT) -> None:
        """Reset the ten calculations, and switch them on.

        Parameters
        ----------
        timeout : float
            Longest wait for each put, in seconds.

        Raises
        ------
        PutError
            The IOC didn't take a value.
        """
        with explain_timeouts(self):
            put_and_confirm(self.enable, "Enable", timeout)
        for calc in self.calcs:
            calc.reset(timeout)
