"""How the parts of an IOC are searched for over Channel Access, and what that leaves behind."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import epics.ca
import pytest

from adsupport.devices import (
    describe_ioc,
)
from adsupport.devices.signals.inquiry import inquire
from adsupport.errors import ConfigurationError, ConfigurationTypeError, ConnectionTimeoutError
from adsupport.launch import IOCProcess

pytestmark = pytest.mark.slow


class TestTheSearch:
    def test_nothing_stays_open(self, adsim: IOCProcess):
        describe_ioc(adsim.prefix, timeout=20)
        contexts = set(epics.ca._cache)
        channels = set(epics.ca._chid_cache)
        sockets = len(os.listdir("/proc/self/fd"))
        for _ in range(2):
            describe_ioc(adsim.prefix, timeout=20)
            with pytest.raises(ConnectionTimeoutError):
                describe_ioc("nobody:", timeout=0.3)
        assert set(epics.ca._cache) == contexts
        assert set(epics.ca._chid_cache) == channels
        assert len(os.listdir("/proc/self/fd")) <= sockets
        assert not [t for t in threading.enumerate() if t.name == "adsupport-inquiry"]

    def test_an_ioc_that_is_not_there(self):
        started = time.monotonic()
        with pytest.raises(ConnectionTimeoutError) as caught:
            describe_ioc("nobody:", timeout=0.5)
        assert time.monotonic() - started < 10
        message = str(caught.value)
        assert "'nobody:'" in message
        assert "EPICS_CA_ADDR_LIST" in message
        assert "nobody:cam1:PortName_RBV" in caught.value.missing

    def test_an_ioc_that_stopped(self, adsim: IOCProcess):
        os.kill(adsim.pid, signal.SIGSTOP)
        try:
            started = time.monotonic()
            with pytest.raises(ConnectionTimeoutError, match="Nothing under"):
                describe_ioc(adsim.prefix, timeout=0.5)
            assert time.monotonic() - started < 10
        finally:
            os.kill(adsim.pid, signal.SIGCONT)

    def test_a_slow_network_hides_nothing(self, adsim: IOCProcess):
        whole = describe_ioc(adsim.prefix, timeout=30)
        with adsim.fault("latency", seconds=0.2, jitter=0.2, seed=1):
            found = describe_ioc(adsim.prefix, timeout=30)
        assert found == whole
        assert all(part.driver_version for part in found.parts)

    def test_answers_that_are_still_coming_at_the_end(self, adsim: IOCProcess):
        """A part of the answers would pass for all of them."""
        names = [f"{adsim.prefix}{part}:PortName_RBV" for part in ("cam1", "HDF1")]
        with pytest.raises(ConnectionTimeoutError, match="still coming after 2 s.*longer timeout"):
            inquire(names, timeout=2.0, quiet=30.0)

    def test_follow_ups_are_asked_too(self, adsim: IOCProcess):
        asked = []

        def follow(name: str, value: Any) -> list[str]:
            asked.append((name, value))
            return [name.replace("PortName", "Model")] if "PortName" in name else []

        port, model = (f"{adsim.prefix}cam1:{field}_RBV" for field in ("PortName", "Model"))
        assert inquire([port, port], follow, timeout=20) == {port: "SIM1", model: "Basic simulator"}
        assert asked == [(port, "SIM1"), (model, "Basic simulator")]

    def test_an_error_in_a_follow_up_reaches_the_caller(self, adsim: IOCProcess):
        def follow(name: str, value: Any) -> list[str]:
            raise LookupError(name)

        with pytest.raises(LookupError, match="PortName_RBV"):
            inquire([f"{adsim.prefix}cam1:PortName_RBV"], follow, timeout=20)

    def test_an_ioc_that_dies_meanwhile(self, start_fresh: Callable[..., IOCProcess]):
        ioc = start_fresh()

        def follow(name: str, value: Any) -> list[str]:
            os.kill(ioc.pid, signal.SIGKILL)
            return [name.replace("PortName", "Model")]

        port = f"{ioc.prefix}cam1:PortName_RBV"
        with pytest.raises(ConnectionTimeoutError, match="went away while it was asked") as caught:
            inquire([port], follow, timeout=60)
        assert caught.value.missing == (port,)

    def test_ctrl_c_ends_it(self):
        main_thread = threading.main_thread().ident
        assert main_thread is not None
        timer = threading.Timer(0.2, signal.pthread_kill, (main_thread, signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            describe_ioc("nobody:", timeout=60)
        timer.join()
        for thread in threading.enumerate():
            if thread.name == "adsupport-inquiry":
                thread.join(10)
                assert not thread.is_alive()

    def test_text_in_character_arrays(self, adsim: IOCProcess):
        path = f"{adsim.prefix}HDF1:FileTemplate_RBV"
        value = inquire([path], timeout=20)[path]
        assert isinstance(value, str)
        assert "\0" not in value

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ((5,), ConfigurationTypeError, "prefix must be a str, got int: 5"),
            (("x:", 0), ConfigurationError, "timeout must be a time"),
            (("x:", -1), ConfigurationError, "timeout must be a time"),
            (("x:", float("nan")), ConfigurationError, "timeout must be a time"),
            (("x:", float("inf")), ConfigurationError, "timeout must be a time"),
            (("x" * 5000, 1.0), ConfigurationError, "can't be the name of a process variable"),
        ],
    )
    def test_bad_arguments(self, arguments: tuple, error: type, message: str):
        with pytest.raises(error, match=message):
            describe_ioc(*arguments)

    @pytest.mark.parametrize("given", [{"cams": [5]}, {"suffixes": [""]}, {"suffixes": [None]}])
    def test_bad_places(self, given: dict):
        with pytest.raises(ConfigurationTypeError, match=f"{next(iter(given))} must be suffixes"):
            describe_ioc("x:", **given)

    def test_it_writes_nothing_and_names_a_writer_that_is_not_there(
        self, adsim: IOCProcess, monkeypatch: pytest.MonkeyPatch
    ):
        def put(*args: Any, **kwargs: Any) -> None:
            raise AssertionError("put")

        monkeypatch.setattr(epics.ca, "put", put)
        with pytest.raises(ConfigurationError, match="'hdf7'.*hdf1, tiff1, jpeg1"):
            describe_ioc(adsim.prefix, timeout=20, writers=["hdf7"])
