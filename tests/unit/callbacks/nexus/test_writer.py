"""The writer: options, hooks, names, runs that end badly, several at once."""

import logging
import re

import event_model
import h5py
import numpy as np
import pytest

from adsupport.callbacks.nexus import NXWriter, NXWriterAPS, check_nexus
from adsupport.errors import AdsupportError, ConfigurationError, OutputExistsError

METADATA = "entry/instrument/bluesky/metadata"


def columns():
    return {"primary": {"x": [1.0, 2.0]}}


def send(writer, found):
    for name, doc in found:
        writer.receiver(name, doc)


def test_several_runs_in_flight(documents, tmp_path):
    writer = NXWriter(file_path=tmp_path, warn_on_missing_content=False)
    runs = [documents({"primary": {"x": [float(n)] * 3}}, start={"scan_id": n}) for n in range(5)]
    for parts in zip(*runs, strict=True):
        send(writer, parts)
    results = writer.wait_writer(timeout=20)
    assert len(results) == 5
    for result in results:
        with h5py.File(result.paths[0]) as file:
            number = int(file[f"{METADATA}/scan_id"][()])
            assert result.scan_id == number
            value = file["entry/data/x"][()]
            assert value.tolist() == [number] * 3
            assert file["entry/entry_identifier"][()].decode() == result.uid
    assert writer.output_nexus_file in [result.paths[0] for result in results]


def test_hooks_speak_of_one_run_each(documents, tmp_path):
    class Mine(NXWriter):
        def write_slits(self, parent):
            group = self.create_NX_group(parent, "slits:NXcollection")
            slit = self.create_NX_group(group, "s1:NXslit")
            self.create_dataset(slit, "x_gap", self.metadata["gap"], units="mm")
            return group

        def get_sample_title(self):
            return f"{self.plan_name} {self.scan_id} {self.exit_status} {self.metadata['gap']}"

        def write_entry(self):
            entry = super().write_entry()
            entry["experiment_description"] = self.h5string(self.uid)
            return entry

    writer = Mine(file_path=tmp_path, warn_on_missing_content=False)
    runs = [documents(columns(), start={"scan_id": n, "gap": n / 2}) for n in (1, 2)]
    for parts in zip(*runs, strict=True):
        send(writer, parts)
    for result in writer.wait_writer(timeout=20):
        with h5py.File(result.paths[0]) as file:
            n = result.scan_id
            assert file.attrs["creator"] == "Mine"
            gap = file["entry/instrument/slits/s1/x_gap"]
            assert (gap[()], gap.attrs["units"]) == (n / 2, "mm")
            assert file["entry/title"][()].decode() == f"scan {n} success {n / 2}"
            assert file["entry/experiment_description"][()].decode() == result.uid
        assert check_nexus(result.paths[0]) == []
    assert writer.root is None
    assert writer.uid is None


def test_a_hook_that_fails_costs_only_what_it_writes(documents, tmp_path, caplog):
    class Mine(NXWriter):
        def write_sample(self, parent):
            raise ZeroDivisionError("no sample")

    writer = Mine(file_path=tmp_path, warn_on_missing_content=False)
    send(writer, documents(columns()))
    with pytest.raises(AdsupportError, match="write_sample.. failed: ZeroDivisionError: no sample"):
        writer.wait_writer(timeout=20)
    (result,) = writer.results
    with h5py.File(result.paths[0]) as file:
        assert file["entry/data"].attrs["signal"] == "x"
        assert "title" in file["entry"]


def test_a_root_hook_that_fails_leaves_no_file(documents, tmp_path, caplog):
    class Mine(NXWriter):
        def write_root(self, filename):
            raise ValueError("no root")

    writer = Mine(file_path=tmp_path)
    send(writer, documents(columns()))
    with pytest.raises(ValueError, match="no root"):
        writer.wait_writer(timeout=20)
    assert list(tmp_path.iterdir()) == []


def test_default_name_and_place(documents, write, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = documents(columns(), uid="c888d282-1094-403b-baff-3781057ff087", when=1660343258.7)
    path = write(found, file_path=None)
    assert path.parent == tmp_path
    assert path.name == "20220812-172738-S00001-c888d28.hdf"


def test_file_name_can_be_set_and_reset(documents, write, tmp_path):
    writer = NXWriter(warn_on_missing_content=False)
    writer.file_path = tmp_path
    writer.file_name = str(tmp_path / "mine.h5")
    assert write(documents(columns()), writer) == tmp_path / "mine.h5"
    writer.file_name = "run-{start[scan_id]:03d}.nxs"
    assert write(documents(columns()), writer) == tmp_path / "run-001.nxs"
    writer.file_name = None
    writer.file_extension = "nx"
    assert write(documents(columns()), writer).suffix == ".nx"


def test_a_name_made_by_a_subclass_unless_one_is_set(documents, write, tmp_path):
    class Mine(NXWriter):
        file_extension = "h5"
        warn_on_missing_content = False

        def make_file_name(self):
            return f"{tmp_path}/{self.metadata['user']}_{self.scan_id}.{self.file_extension}"

    found = documents(columns(), start={"user": "me"})
    assert write(found, Mine()) == tmp_path / "me_1.h5"
    assert write(found, Mine(file_name=tmp_path / "set.h5")) == tmp_path / "set.h5"


def test_a_file_isnt_replaced_and_the_work_isnt_lost(documents, tmp_path, caplog):
    writer = NXWriter(file_name=tmp_path / "a.h5", warn_on_missing_content=False)
    (tmp_path / "a.h5").write_text("precious")
    send(writer, documents(columns()))
    with pytest.raises(OutputExistsError) as caught:
        writer.wait_writer(timeout=20)
    assert (tmp_path / "a.h5").read_text() == "precious"
    with h5py.File(caught.value.kept) as file:
        assert file["entry/data/x"][()].tolist() == [1, 2]
    (tmp_path / "a.h5").unlink()
    writer.retry(timeout=20)
    assert check_nexus(tmp_path / "a.h5") == []


def test_a_run_without_stop_has_no_invented_end(documents, write):
    with h5py.File(write(documents(columns(), stop=False), strict=False)) as file:
        assert "end_time" not in file["entry"]
        assert "duration" not in file["entry"]
        bluesky = file["entry/instrument/bluesky"]
        assert bluesky["exit_status"][()] == b"unknown"
        assert "stop" not in bluesky


def test_a_failed_run_says_so(documents, write):
    found = documents(columns(), stop={"exit_status": "fail", "reason": "broken"})
    with h5py.File(write(found)) as file:
        bluesky = file["entry/instrument/bluesky"]
        assert bluesky["exit_status"][()] == b"fail"
        assert bluesky["stop/reason"][()] == b"broken"


HOSTILE = "a\0/\ud800../" + "é" * 300


def test_names_and_texts_that_nobody_would_choose(documents, write):
    configuration = {
        HOSTILE: {
            "data": {f"{HOSTILE}_{HOSTILE}": HOSTILE, f"{HOSTILE}_motor_egu": HOSTILE},
            "timestamps": {f"{HOSTILE}_{HOSTILE}": float("nan")},
            "data_keys": {f"{HOSTILE}_{HOSTILE}": {"units": HOSTILE, "precision": HOSTILE}},
        }
    }
    keys = {
        HOSTILE: {"units": HOSTILE, "source": HOSTILE, "precision": 3, "object_name": HOSTILE},
        "x": {"source": f"PV:{HOSTILE}", "lower_ctrl_limit": -1, "upper_ctrl_limit": 1},
    }
    found = documents(
        {HOSTILE: {HOSTILE: [1.0]}, "primary": {HOSTILE: [1.0, 2.0], "x": [HOSTILE] * 2}},
        start={
            "detectors": [HOSTILE, "x"],
            "motors": [HOSTILE],
            "plan_name": HOSTILE,
            HOSTILE: {HOSTILE: [HOSTILE]},
            "hints": HOSTILE,
            "shape": HOSTILE,
            "snaking": HOSTILE,
        },
        stop={"reason": HOSTILE, "exit_status": HOSTILE},
        keys=keys,
        configuration=configuration,
        objects={HOSTILE: [HOSTILE]},
    )
    path = write(found, instrument_name=HOSTILE, file_name="a.h5")
    assert check_nexus(path) == []
    with h5py.File(path) as file:
        assert len(file["entry/instrument/positioners"]) == 1


@pytest.mark.parametrize("when", [float("nan"), float("inf"), -1e300, 1e300, 0.0])
def test_times_that_no_calendar_has(documents, write, when):
    path = write(documents(columns(), when=when), strict=False, file_name="a.h5")
    assert check_nexus(path) == []


@pytest.mark.parametrize("length", range(5))
def test_a_run_cut_off_anywhere_is_written(documents, write, length):
    found = documents({"primary": {"x": [1.0, 2.0]}, "baseline": {"t": [3.0]}})
    path = write(found[: length + 1], strict=False)
    assert check_nexus(path) == []


def test_no_events(documents, write):
    path = write(documents({"primary": {"x": [], "s": []}}))
    with h5py.File(path) as file:
        assert file["entry/data/x"].shape == (0,)
    assert check_nexus(path) == []


def test_no_primary_stream(documents, write, caplog):
    with caplog.at_level(logging.WARNING):
        path = write(documents({"baseline": {"t": [1.0, 2.0]}}), warn_on_missing_content=True)
    with h5py.File(path) as file:
        assert "data" not in file["entry"]
        assert "default" not in file["entry"].attrs
    assert "no primary stream" in caplog.text
    assert check_nexus(path) == []


def test_missing_content_is_told_unless_it_isnt_wanted(documents, write, caplog, tmp_path):
    asked = NXWriter(file_path=tmp_path, warn_on_missing_content=True)
    asked.expects_aps_baseline = True
    with caplog.at_level(logging.WARNING):
        write(documents(columns()), asked)
    assert "sample_data_*" in caplog.text
    quiet_ones = (
        NXWriter(file_path=tmp_path),
        NXWriterAPS(file_path=tmp_path, warn_on_missing_content=False),
    )
    for quiet in quiet_ones:
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            write(documents(columns()), quiet)
        assert caplog.text == ""


def test_limits_are_kept_when_there_is_no_precision(documents, write):
    described = {"precision": None, "lower_ctrl_limit": -1.0, "upper_ctrl_limit": 1.0}
    with h5py.File(write(documents(columns(), keys={"x": described}))) as file:
        attributes = file["entry/data/x"].attrs
        assert attributes["lower_ctrl_limit"] == -1
        assert "precision" not in attributes


def test_configuration_by_stream_and_device(documents, write):
    configuration = {
        "det": {
            "data": {"det_gain": 3, "det_mode": "fast", "det_cam_acquire_time": 0.1},
            "timestamps": {"det_gain": 123.5},
            "data_keys": {"det_gain": {"dtype": "integer", "shape": [], "units": "dB"}},
        }
    }
    found = documents(
        {"primary": {"det_total": [1.0]}},
        start={"detectors": ["det"]},
        objects={"det": ["det_total"]},
        configuration=configuration,
    )
    with h5py.File(write(found)) as file:
        group = file["entry/instrument/bluesky/configuration/primary/det"]
        assert group["det_gain"][()] == 3
        assert group["det_gain"].attrs["units"] == "dB"
        assert group["det_gain"].attrs["EPOCH"] == 123.5
        assert group["det_mode"][()] == b"fast"
        detector = file["entry/instrument/detectors/det_total"]
        assert detector["count_time"][()] == 0.1
        assert detector["count_time"].attrs["units"] == "s"


def test_titles(documents, write):
    def title(**options):
        start = options.pop("start", {})
        with h5py.File(write(documents(columns(), start=start), **options)) as file:
            return file["entry/title"][()].decode()

    assert re.fullmatch(r"scan-S0001-\w{7}", title())
    assert title(start={"title": "mine"}) == "mine"
    assert title(title="fixed") == "fixed"
    assert title(title=lambda start: f"{start['plan_name']}!") == "scan!"
    assert title(start={"scan_id": None}).startswith("scan-0")


def test_sample_user_and_beamline_from_the_baseline(documents, write, tmp_path):
    baseline = {
        "sample_data_temperature": [4.2, 4.3],
        "sample_data_electric_field": [1.0, 1.0],
        "sample_data_electric_field_dir": ["X", "X"],
        "bss_user_info_contact": ["A. Person"] * 2,
        "monochromator_dcm_energy": [8.0, 8.0],
        "aps_current": [102.0, 101.0],
        "aps_fill_number": [7, 7],
        "aps_aps_cycle": ["2026-3"] * 2,
        "undulator_downstream_gap": [11.0, 11.0],
    }
    writer = NXWriterAPS(file_path=tmp_path, warn_on_missing_content=False, instrument_name="8-ID")
    path = write(documents({"baseline": baseline, **columns()}), writer)
    with h5py.File(path) as file:
        entry = file["entry"]
        assert entry["sample/temperature"][()] == 4.2
        assert entry["sample/electric_field"].attrs["direction"] == "x"
        assert entry["contact/name"][()] == b"A. Person"
        assert entry["instrument/monochromator/energy"][()] == 8
        source = entry["instrument/source"]
        assert source["name"].attrs["short_name"] == "APS"
        assert source["current"][()] == 102
        assert source["energy"].attrs["units"] == "GeV"
        assert entry["run_cycle"][()] == b"2026-3"
        assert entry["instrument/undulator/gap"][()] == 11
        assert file.attrs["instrument"] == "8-ID"
    assert check_nexus(path) == []


def test_signals_of_scalers_and_others(documents, write):
    found = documents(
        {"primary": {"clock": [1.0], "m": [2.0], "m_user_setpoint": [2.0], "I0": [3.0]}},
        start={"detectors": ["scaler"], "motors": ["m"]},
        objects={"scaler": ["clock", "I0"], "m": ["m", "m_user_setpoint"]},
        hints={"m": {"fields": ["m"]}, "scaler": {"fields": ["I0"]}},
        keys={"clock": {"source": "PV:sim:scaler1.S1"}},
    )
    with h5py.File(write(found)) as file:
        primary = file["entry/instrument/bluesky/streams/primary"]
        kinds = {name: group.attrs["signal_type"] for name, group in primary.items()}
        assert kinds == {
            "clock": "detector",
            "I0": "detector",
            "m": "positioner",
            "m_user_setpoint": "other",
        }
        assert file["entry/data"].attrs["signal"] == "I0"


def test_events_have_their_numbers_and_times(documents, write):
    with h5py.File(write(documents(columns(), when=1000.0))) as file:
        events = file["entry/instrument/bluesky/events/primary"]
        assert events["seq_num"][()].tolist() == [1, 2]
        assert events["EPOCH"][()].tolist() == [1001, 1002]


def content(path):
    """All that a file has, by address."""
    found = {}
    with h5py.File(path) as file:
        found["/"] = {n: v for n, v in file.attrs.items() if n not in ("file_name", "file_time")}

        def look(name, item):
            values = np.asarray(item[()]).tolist() if isinstance(item, h5py.Dataset) else None
            attributes = {key: np.asarray(each).tolist() for key, each in item.attrs.items()}
            found[name] = (values, attributes)

        file.visititems(look)
    return found


def test_the_encoding_of_the_documents_makes_no_difference(documents, write):
    found = documents({"primary": {"x": [1.0, 2.0, 3.0], "n": [1, 2, 3], "s": ["a", "b", "c"]}})
    events = [doc for name, doc in found if name == "event"]
    (page,) = [event_model.pack_event_page(*events)]
    bulk = {events[0]["descriptor"]: events}
    live = content(write(found, file_name="a.h5"))
    assert len(live) > 40
    for other in ([("event_page", page)], [("bulk_events", bulk)], found[4:1:-1]):
        same = [*found[:2], *other, found[-1]]
        assert content(write(same, file_name="b.h5", exists="replace")) == live


def test_times_have_the_zone(documents, write):
    with h5py.File(write(documents(columns(), when=1660343258.0))) as file:
        assert file["entry/start_time"][()] == b"2022-08-12T17:27:38-05:00"


@pytest.mark.parametrize(
    ("option", "value"),
    [("compat", "spec"), ("images", "lnik"), ("on_missing_images", 1), ("exists", "maybe")],
)
def test_options_that_arent_known(option, value):
    with pytest.raises(ConfigurationError, match=option):
        NXWriter(**{option: value})


def test_long_runs_are_chunked_and_short_ones_arent(documents, write):
    values = list(np.arange(10_000.0))
    with h5py.File(write(documents({"primary": {"x": values, "y": values}}))) as file:
        stored = file["entry/data/x"]
        assert stored.chunks == (4096,)
        assert stored[()].tolist() == values
    with h5py.File(write(documents(columns()))) as file:
        assert file["entry/data/x"].chunks is None
