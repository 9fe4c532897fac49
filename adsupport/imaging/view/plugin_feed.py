"""Frames of a detector that runs on its own, for a live view of them."""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Literal

import epics

from ...errors import ConnectionTimeoutError, PutError
from ..frames.arrival import FrameSource
from ..frames.bus import FrameBus
from ..frames.ca import CASource
from ..frames.frame import Frame, StreamAbout
from .live_view import LiveView

__all__ = ["PluginFeed"]

#: Frames that wait in front of the view: only the latest one is shown.
_QUEUE = 2


class PluginFeed:
    """Shows what a detector's Pva or image plugin has, for as long as that is wanted.

    Parameters
    ----------
    prefix : str
        Of the detector, such as ``"im:"``.
    kind : {"pva", "ca"}, optional
        ``<prefix>Pva1:Image`` over pvAccess, or ``<prefix>image1:ArrayData`` over Channel Access.
        By default the first one of the two that answers; one that isn't enabled comes last.
    enable : bool
        Whether to enable the plugin.  Otherwise no setting is changed.
    timeout : float
        Seconds to wait for each of them.

    Attributes
    ----------
    what : str
        What is shown, for people.

    Raises
    ------
    ConnectionTimeoutError
        None of them answers.
    ImportError
        ``kind="pva"``, and p4p isn't installed.
    PutError
        The plugin can't be enabled.
    """

    def __init__(
        self,
        prefix: str,
        kind: Literal["pva", "ca"] | None = None,
        *,
        enable: bool = False,
        timeout: float = 4.0,
    ) -> None:
        self._source, self._is_pva = _found(prefix, kind, timeout)
        self._plugin = f"{prefix}{'Pva1' if self._is_pva else 'image1'}:"
        self._pv = str(self._source.pv)
        self.what = f"{self._pv} over {'pvAccess' if self._is_pva else 'Channel Access'}"
        if enable:
            _enable(f"{self._plugin}EnableCallbacks", timeout)

    def run(self, view: LiveView, stop: threading.Event) -> None:
        """Show frames.

        Parameters
        ----------
        view : LiveView
            Where.
        stop : threading.Event
            Ends it.
        """
        link = _Link(view, self.what, self._plugin, self._pv if self._is_pva else None)
        bus = FrameBus(self._source, [view], missing="log")
        with contextlib.closing(link):
            try:
                bus.begin(StreamAbout(stream="live"))
                link.show_latest()
                stop.wait()
            finally:
                bus.close(reason="this view was ended")
                # no acquisition has ended: the detector may well go on
                view.model.end(view.channel, "This view was ended")
            bus.check()


class _Link:
    """Tells the view whether frames can come."""

    def __init__(self, view: LiveView, what: str, plugin: str, pva: str | None) -> None:
        self._view, self._what, self._plugin, self._pva = view, what, plugin, pva
        self._lock = threading.Lock()
        self._here = True
        self._enabled = True
        self._context: Any = None
        self._monitor: Any = None
        if pva is not None:
            from p4p.client.thread import Context

            self._context = Context("pva", nt=False)
            # a number instead of the pixels: whether it comes is all that counts
            self._monitor = self._context.monitor(
                pva, self._note, request="field(uniqueId)", notify_disconnect=True
            )
        self._switch = epics.PV(
            f"{plugin}EnableCallbacks_RBV",
            callback=self._note_switch,
            connection_callback=self._note_connection,
            auto_monitor=True,
        )
        self._tell()

    def show_latest(self) -> None:
        """Show the image that is there already: the next one may be long in coming."""
        if self._context is None:
            return
        from ..frames.pva import understood

        with contextlib.suppress(Exception):  # there is none yet
            value = self._context.get(self._pva, timeout=2.0)
            pixels, unique_id, timestamp, facts = understood(value, self._pva or "")
            if pixels.size and self._view.model.picture(self._view.channel) is None:
                self._view.frame(
                    Frame(pixels, "live", -1, unique_id, timestamp=timestamp, facts=facts)
                )

    def close(self) -> None:
        """Let go of the process variables."""
        self._switch.disconnect()
        if self._context is not None:
            self._monitor.close()
            self._context.close()

    def _note(self, value: Any) -> None:
        self._set(here=not isinstance(value, Exception))

    def _note_connection(self, conn: bool = False, **_: Any) -> None:
        if self._context is None:
            self._set(here=conn)

    def _note_switch(self, value: Any = None, **_: Any) -> None:
        self._set(enabled=bool(value))

    def _set(self, here: bool | None = None, enabled: bool | None = None) -> None:
        with self._lock:
            before = self._here, self._enabled
            self._here = self._here if here is None else here
            self._enabled = self._enabled if enabled is None else enabled
            if before == (self._here, self._enabled):
                return
        self._tell()

    def _tell(self) -> None:
        if not self._here:
            text = f"{self._pv_name} doesn't answer: waiting for it"
        elif not self._enabled:
            text = f"No frames come: {self._plugin}EnableCallbacks is off"
        else:
            text = self._what
        self._view.model.link(self._here and self._enabled, text)

    @property
    def _pv_name(self) -> str:
        return self._what.split(" ", 1)[0]


def _found(prefix: str, kind: str | None, timeout: float) -> tuple[Any, bool]:
    kinds = [kind] if kind else ["pva", "ca"]
    if kind is None and _state(f"{prefix}Pva1:") == 0 and _state(f"{prefix}image1:") == 1:
        kinds.reverse()
    for each in kinds:
        try:
            return _source(prefix, each, timeout), each == "pva"
        except ConnectionTimeoutError:
            continue
        except ImportError:
            if kind == "pva":
                raise
    asked = {"pva": f"{prefix}Pva1:Image over pvAccess", "ca": f"{prefix}image1:ArrayData"}
    raise ConnectionTimeoutError(
        f"Waited for {' and for '.join(asked[each] for each in kinds)}: nobody answers.",
        missing=[asked[each].split(" ")[0] for each in kinds],
        remedy=f"Give the prefix of a detector whose IOC runs ('adsupport ioc-scan {prefix}' lists "
        "its plugins), and look at EPICS_CA_ADDR_LIST and EPICS_PVA_ADDR_LIST.",
    )


def _source(prefix: str, kind: str, timeout: float) -> FrameSource:
    if kind == "ca":
        return CASource(f"{prefix}image1:", queue=_QUEUE, timeout=timeout)
    from ..frames.pva import PVASource

    # no camera: its counter begins anew with an IOC, and frames of before don't matter here
    return PVASource(f"{prefix}Pva1:", queue=_QUEUE, timeout=timeout)


def _state(plugin: str) -> int | None:
    """Tell whether a plugin is enabled; None when it doesn't say."""
    pv = epics.PV(f"{plugin}EnableCallbacks_RBV", auto_monitor=False)
    found = pv.get(timeout=2.0) if pv.wait_for_connection(2.0) else None
    pv.disconnect()
    return None if found is None else int(found)


def _enable(name: str, timeout: float) -> None:
    pv = epics.PV(name, auto_monitor=False)
    if not pv.wait_for_connection(timeout) or pv.put(1, wait=True, timeout=timeout) != 1:
        raise PutError(
            f"{name} can't be set to 1: no answer within {timeout:g} s, or no right to write."
        )
    pv.disconnect()
