"""The log and the JSON files of an experiment, beside its images."""

from __future__ import annotations

import json
import logging
import math
import os
import re
from datetime import datetime
from types import SimpleNamespace

import bluesky.plan_stubs as bps
import numpy as np
import pytest
from bluesky import RunEngine
from ophyd import Component as Cpt
from ophyd import Device, Kind, Signal
from ophyd.sim import SynAxis

from adsupport.documents import json_text
from adsupport.errors import OutputError, OutputExistsError
from adsupport.imaging.storage.device_snapshot import Snapshot, device_snapshot, read_devices
from adsupport.imaging.storage.experiment_files import (
    write_experiment_finish,
    write_experiment_start,
)
from adsupport.imaging.storage.experiment_log import experiment_log
from adsupport.imaging.storage.walker import DirectoryWalker

LINE = re.compile(r"(\S+) ([A-Z]+) (\S+): (.*)")


@pytest.fixture
def logger(request):
    return logging.getLogger(f"adsupport.tests.{request.node.name}")


def lines(path):
    found = [LINE.match(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [match.groups() for match in found if match]


def test_the_log_is_beside_the_images(tmp_path, logger):
    with experiment_log(tmp_path, logger) as path:
        assert path == tmp_path / "experiment.log"
        logger.info("darks: %d frames, µ", 20)
        logger.getChild("addon").warning("two\nlines")
        logger.debug("too small")
        assert len(lines(path)) == 2  # it's there while the experiment runs
    logger.warning("after it")
    (time, *first), second = lines(path)
    assert first == ["INFO", logger.name, "darks: 20 frames, µ"]
    assert second[1:] == ("WARNING", f"{logger.name}.addon", "two")
    assert datetime.fromisoformat(time).tzinfo is not None
    assert (logger.handlers, logger.level) == ([], logging.NOTSET)
    with experiment_log(tmp_path, logger, logging.DEBUG):
        logger.debug("appended")
    assert lines(path)[-1][3] == "appended"


@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyboardInterrupt, GeneratorExit])
def test_the_log_ends_with_what_has_ended_the_experiment(tmp_path, logger, kind):
    logger.setLevel(logging.ERROR)
    with pytest.raises(kind), experiment_log(tmp_path, logger):
        logger.info("goes on")
        raise kind("the beam is lost")
    assert (logger.handlers, logger.level) == ([], logging.ERROR)
    path = tmp_path / "experiment.log"
    assert lines(path)[1][1:] == ("ERROR", logger.name, f"ended by {kind('the beam is lost')!r}")
    assert "Traceback" in path.read_text()


def test_a_log_that_cant_be_made(tmp_path, logger):
    with pytest.raises(OutputError, match="experiment.log can't be written"):
        with experiment_log(tmp_path / "missing", logger):
            raise AssertionError
    assert logger.handlers == []


def test_a_full_disk_doesnt_stop_what_is_logged(tmp_path, logger, caplog):
    with open("/dev/full", "w") as full:
        with experiment_log(tmp_path, logger) as path:
            logger.info("first")
            handler = logger.handlers[0]
            handler.setStream(full).close()  # type: ignore[attr-defined]
            logger.info("lost")
            logger.info("lost, too")
    assert [record.message for record in caplog.records][-1] == (
        f"{path} isn't whole: OSError(28, 'No space left on device')"
    )
    assert logger.handlers == []


class Stage(Device):
    """A motor as EPICS describes one, without a motor."""

    x = Cpt(Signal, value=1.5, kind=Kind.hinted)
    mode = Cpt(Signal, value=np.int64(1), kind=Kind.config)
    curve = Cpt(Signal, value=np.arange(3.0), kind=Kind.normal)
    image = Cpt(Signal, value=np.zeros((50, 50)), kind=Kind.normal)

    def describe(self):
        found = super().describe()
        found["stage_x"].update(
            units="mm", lower_ctrl_limit=-10.0, upper_ctrl_limit=10.0, precision=4
        )
        found["stage_curve"].update(units="", lower_ctrl_limit=0.0, upper_ctrl_limit=0.0)
        return found

    def describe_configuration(self):
        found = super().describe_configuration()
        found["stage_mode"]["enum_strs"] = ("stop", "go")
        return found


class AsyncStage:
    """A device as ophyd-async's are: what it says is awaited."""

    name, parent = "slow", None

    async def read(self):
        return {"slow-y": {"value": 2.0, "timestamp": 5.0, "alarm_severity": 0}}

    async def describe(self):
        limits = {"control": {"low": -1.0, "high": None}, "display": {"low": 0, "high": 1}}
        return {"slow-y": {"units": "µm", "limits": limits, "source": "ca://y", "shape": []}}


class Broken:
    """A device whose IOC is away."""

    name, parent = "broken", None

    def read(self):
        raise TimeoutError("no answer from br:m1")

    def describe(self):
        return {}


def test_a_snapshot_has_values_with_units_limits_and_timestamps():
    stage = Stage(name="stage")
    reading = {**stage.read(), **stage.read_configuration()}
    found = device_snapshot(reading, {**stage.describe(), **stage.describe_configuration()})
    stamp = reading["stage_x"]["timestamp"]
    assert found["stage_x"] == {
        "value": 1.5,
        "units": "mm",
        "lower_limit": -10.0,
        "upper_limit": 10.0,
        "precision": 4,
        "timestamp": stamp,
        "source": "SIM:stage_x",
    }
    mode = found["stage_mode"]
    assert (mode["value"], mode["label"], mode["choices"]) == (1, "go", ["stop", "go"])
    assert type(mode["value"]) is int
    curve = found["stage_curve"]
    assert curve["value"] == [0.0, 1.0, 2.0] and not {"units", "lower_limit"} & set(curve)
    assert found["stage_image"]["value"] is None
    assert found["stage_image"]["left_out"] == "array of shape (50, 50) and type float64"
    assert device_snapshot({"a": {"value": 1}}, {}) == {"a": {"value": 1}}
    assert device_snapshot({}, {"a": {}}) == {}


def read(devices, optional=()):
    found = []

    def plan():
        found.append((yield from read_devices(devices, optional)))

    RunEngine()(plan())
    return found[0]


def test_devices_of_both_kinds_are_read_within_a_plan():
    motor = SynAxis(name="rot", value=45.0)
    found = read([Stage(name="stage"), AsyncStage(), motor])
    assert list(found.devices) == ["stage", "slow", "rot"]
    assert found.devices["slow"] == {
        "slow-y": {
            "value": 2.0,
            "units": "µm",
            "lower_limit": -1.0,
            "alarm_severity": 0,
            "timestamp": 5.0,
            "source": "ca://y",
        }
    }
    assert found.devices["rot"]["rot"]["value"] == 45.0
    assert "rot_velocity" in found.devices["rot"]  # of its configuration
    assert found.failures == {}


@pytest.mark.parametrize("optional", [True, ["broken"]])
def test_an_optional_device_that_fails_is_told(optional):
    found = read([Broken(), AsyncStage()], optional)
    assert list(found.devices) == ["slow"]
    assert found.failures == {
        "broken": {"error": "TimeoutError", "message": "no answer from br:m1"}
    }


@pytest.mark.parametrize("optional", [False, ["other"], ()])
def test_a_device_that_is_needed_fails_with_its_own_error(optional):
    notes = []

    def plan():
        try:
            yield from read_devices([AsyncStage(), Broken()], optional)
        except TimeoutError as error:
            notes.extend(error.__notes__)  # the RunEngine raises a copy, without
            raise

    with pytest.raises(TimeoutError, match="br:m1"):
        RunEngine()(plan())
    assert notes == ["The device is 'broken'."]


def test_start_and_finish_are_typed_json(tmp_path):
    devices = read([Stage(name="stage"), Broken()], True)
    about = {
        "name": "tomography",
        "projections": np.int32(200),
        "exposure": {"value": 0.1, "units": "s"},
        "angles": np.array([0.0, 0.5]),
        "all": {"frames": np.zeros(2000)},
        "order": ("darks", "flats"),
        "never": math.nan,
        "who": SimpleNamespace(a=1),
    }
    path = write_experiment_start(tmp_path, about, devices)
    assert path == tmp_path / "experiment_start.json"
    plain = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert (plain["format"], plain["when"]) == ("adsupport-experiment-1", "start")
    assert datetime.fromisoformat(plain["time"]).tzinfo is not None
    experiment = plain["experiment"]
    assert (experiment["projections"], experiment["exposure"]["value"]) == (200, 0.1)
    assert (experiment["angles"], experiment["order"]) == ([0.0, 0.5], ["darks", "flats"])
    assert plain["devices"]["stage"]["stage_x"]["units"] == "mm"
    assert plain["failures"]["broken"]["error"] == "TimeoutError"
    assert plain["remarks"] == [
        "experiment.all.frames: left out, array of shape (2000,) and type float64.",
        "experiment_start.json['experiment']['who']: only the text of a SimpleNamespace is here.",
    ]
    assert math.isnan(json_text.decode(path.read_text())["experiment"]["never"])

    path = write_experiment_finish(tmp_path, {"exit_status": "fail", "reason": "lost"})
    plain = json.loads(path.read_text())
    assert plain["experiment"] == {"exit_status": "fail", "reason": "lost"}
    assert (plain["when"], plain["devices"], plain.get("remarks")) == ("finish", {}, None)
    assert sorted(os.listdir(tmp_path)) == ["experiment_finish.json", "experiment_start.json"]


def test_files_that_are_there_arent_replaced(tmp_path):
    write_experiment_start(tmp_path, {"n": 1})
    with pytest.raises(OutputExistsError):
        write_experiment_start(tmp_path, {"n": 2})
    assert json.loads((tmp_path / "experiment_start.json").read_text())["experiment"]["n"] == 1
    assert write_experiment_start(tmp_path, {}, exists="bump").name == "experiment_start-1.json"


def test_a_directory_that_cant_be_written(tmp_path):
    (tmp_path / "scan").write_text("a file")
    with pytest.raises(OutputError, match="experiment_start.json"):
        write_experiment_start(tmp_path / "scan", {}, Snapshot())


def test_a_plan_that_fails_leaves_all_of_it(tmp_path, logger):
    walker = DirectoryWalker(tmp_path)
    stage = Stage(name="stage")

    def experiment(fail):
        with walker.scan() as scan, experiment_log(scan, logger):
            write_experiment_start(scan, {}, (yield from read_devices([stage])))
            try:
                yield from bps.abs_set(stage.x, 7.0, wait=True)
                if fail:
                    raise RuntimeError("the shutter is stuck")
            finally:
                write_experiment_finish(scan, {}, (yield from read_devices([stage], True)))

    RE = RunEngine()
    with pytest.raises(RuntimeError, match="stuck"):
        RE(experiment(True))
    RE(experiment(False))
    assert (walker.current, logger.handlers) == (tmp_path, [])
    for name, levels in (("scan_0000", ["ERROR"]), ("scan_0001", [])):
        assert sorted(os.listdir(tmp_path / name)) == [
            "experiment.log",
            "experiment_finish.json",
            "experiment_start.json",
        ]
        finish = json.loads((tmp_path / name / "experiment_finish.json").read_text())
        assert finish["devices"]["stage"]["stage_x"]["value"] == 7.0
        assert [line[1] for line in lines(tmp_path / name / "experiment.log")] == levels
