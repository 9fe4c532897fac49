"""The tree of seed 001, line by line."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from adsupport.callbacks.nexus import check_nexus

# What `punx tree` printed in the seed, without versions of libraries, and the time and name of
# the file.
TREE = Path(__file__).with_name("seed_001_tree.txt").read_text().splitlines()

UID = "c888d282-1094-403b-baff-3781057ff087"
MOTOR = (
    "EpicsMotor(prefix='gp:m10', name='motor', settle_time=0.0, timeout=None, "
    "read_attrs=['user_readback', 'user_setpoint'], configuration_attrs=['user_offset', "
    "'user_offset_dir', 'velocity', 'acceleration', 'motor_egu'])"
)
SENSOR = (
    "EpicsSignalRO(read_pv='gp:userCalc10.VAL', name='sensor', timestamp=1660343258.421057, "
    "auto_monitor=False, string=False)"
)
POSITIONS = [-0.5, -0.25, 0.0, 0.25, 0.5]
SENSED = [
    0.6937666895551995,
    0.44727244983596554,
    0.07127489127946898,
    0.9743343251697566,
    0.5734187838559548,
]
READ = [1660343259.975937, 1660343260.576943, 1660343261.078024, 1660343261.579225,
        1660343262.080634]  # fmt: skip
SET = [1660343258.784328, 1660343260.169698, 1660343260.644624, 1660343261.141399,
       1660343261.645333]  # fmt: skip
MEASURED = [1660343260.021116, 1660343260.521089, 1660343261.021125, 1660343261.521131,
            1660343262.021114]  # fmt: skip


def seed_documents():
    limits = {"lower_ctrl_limit": -32000.0, "upper_ctrl_limit": 32000.0}
    motor = {"dtype": "number", "shape": [], "units": "degrees", "precision": 5, **limits}
    start = {
        "uid": UID,
        "time": 1660343258.779351,
        "scan_id": 1,
        "versions": {"ophyd": "1.6.4", "bluesky": "1.8.3"},
        "detectors": ["sensor"],
        "hints": {"dimensions": [(["motor"], "primary")]},
        "motors": ("motor",),
        "num_intervals": 4,
        "num_points": 5,
        "plan_args": {
            "args": [MOTOR, -0.5, 0.5],
            "detectors": [SENSOR],
            "num": 5,
            "per_step": "None",
        },
        "plan_name": "scan",
        "plan_pattern": "inner_product",
        "plan_pattern_args": {"args": [MOTOR, -0.5, 0.5], "num": 5},
        "plan_pattern_module": "bluesky.plan_patterns",
        "plan_type": "generator",
    }
    descriptor = {
        "uid": "c808bd42-27b4-4498-819d-2279f9516608",
        "run_start": UID,
        "time": 1660343260.1,
        "name": "primary",
        "data_keys": {
            "sensor": {
                "dtype": "number",
                "shape": [],
                "units": "",
                "precision": 5,
                "lower_ctrl_limit": 0.0,
                "upper_ctrl_limit": 0.0,
                "source": "PV:gp:userCalc10.VAL",
                "object_name": "sensor",
            },
            "motor": {**motor, "source": "PV:gp:m10.RBV", "object_name": "motor"},
            "motor_user_setpoint": {**motor, "source": "PV:gp:m10.VAL", "object_name": "motor"},
        },
        "object_keys": {"sensor": ["sensor"], "motor": ["motor", "motor_user_setpoint"]},
        "hints": {"sensor": {"fields": ["sensor"]}, "motor": {"fields": ["motor"]}},
        "configuration": {
            "motor": {
                "data": {
                    "motor_velocity": 1.0,
                    "motor_acceleration": 0.2,
                    "motor_motor_egu": "degrees",
                },
                "timestamps": {},
                "data_keys": {
                    "motor_velocity": {"dtype": "number", "shape": [], "source": "PV:gp:m10.VELO"},
                    "motor_acceleration": {"dtype": "number", "shape": [], "source": "PV:x"},
                },
            }
        },
    }
    events = [
        (
            "event",
            {
                "uid": f"e{row}",
                "descriptor": descriptor["uid"],
                "seq_num": row + 1,
                "time": MEASURED[row] + 0.1,
                "data": {
                    "sensor": SENSED[row],
                    "motor": POSITIONS[row],
                    "motor_user_setpoint": POSITIONS[row],
                },
                "timestamps": {
                    "sensor": MEASURED[row],
                    "motor": READ[row],
                    "motor_user_setpoint": SET[row],
                },
                "filled": {},
            },
        )
        for row in range(5)
    ]
    stop = {
        "uid": "stop",
        "run_start": UID,
        "time": 1660343262.139426,
        "exit_status": "success",
        "reason": "",
        "num_events": {"primary": 5},
    }
    return [("start", start), ("descriptor", descriptor), *events, ("stop", stop)]


def of_seed():
    """The seed's lines, each with the address of the object that it is about."""
    found, above = set(), []
    for line in TREE:
        depth = (len(line) - len(line.lstrip())) // 2 - 1
        text = line.strip()
        above = above[:depth]
        if text.startswith("@"):
            found.add(f"/{'/'.join(above)} {text}")
            continue
        name, rest = text.split(" ", 1) if " --> " in text else (*text.split(":", 1),)[:2]
        above.append(name)
        found.add(f"/{'/'.join(above)} {rest}")
    return found


def of_file(path):
    """The same of a file; a link is what isn't at the address that its @target names."""
    with h5py.File(path) as file:
        return set(_lines(file, "/"))


def _lines(group, address):
    for name in group.attrs:
        yield f"{address} @{name} = {_shown(group.attrs[name])}"
    for name, item in group.items():
        own = f"{address.rstrip('/')}/{name}"
        if item.attrs.get("target", own) != own:
            yield f"{own} --> {item.attrs['target']}"
        elif isinstance(item, h5py.Group):
            yield f"{own} {item.attrs['NX_class']}"
            yield from _lines(item, own)
        else:
            yield f"{own} {_value(item)}"
            yield from (f"{own} @{each} = {_shown(item.attrs[each])}" for each in item.attrs)


def _value(item):
    if h5py.check_string_dtype(item.dtype):
        return f"NX_CHAR = {item[()]!r}"
    kind = "NX_FLOAT64" if item.dtype == np.float64 else "NX_INT64"
    return f"{kind}[] =" if item.shape == () else f"{kind}[{len(item)}] = {item[()].tolist()}"


def _shown(found):
    if isinstance(found, np.ndarray):
        return "[" + ", ".join(f'"{each}"' for each in found) + "]"
    return f'"{found}"' if isinstance(found, str) else str(found)


def addresses(lines):
    return {line.split(" ")[0] for line in lines}


def test_compat_has_the_seeds_tree_address_by_address(write):
    seed, ours = of_seed(), of_file(write(seed_documents(), compat="apstools"))

    assert seed - ours == set()
    # What there is besides, is of the times and versions, or in objects that the seed hasn't.
    more = {line for line in ours - seed if line.split(" ")[0] in addresses(seed)}
    assert {line.split(" = ")[0] for line in more} == {
        "/ @HDF5_Version",
        "/ @NeXus_release",
        "/ @file_name",
        "/ @file_time",
        "/ @h5py_version",
    }
    bluesky, devices = "/entry/instrument/bluesky/", "/entry/instrument/"
    places = (
        f"{bluesky}configuration",
        f"{bluesky}events",
        f"{bluesky}exit_status",
        f"{bluesky}stop",
        f"{bluesky}metadata/scan_id",
        f"{devices}detectors/sensor/",
        f"{devices}positioners/motor/",
    )
    others = addresses(ours) - addresses(seed)
    assert [each for each in others if not each.startswith(places)] == []


def test_the_default_differs_where_the_seed_cant_be_read_safely_or_misleads(write):
    seed, ours = of_seed(), of_file(write(seed_documents()))

    start, instrument = "/entry/start_time", "/entry/instrument"
    metadata, streams = f"{instrument}/bluesky/metadata", f"{instrument}/bluesky/streams/primary"
    assert seed - ours == {
        '/ @NeXus_version = "v2020.1"',
        # with a zone
        f"{start} NX_CHAR = b'2022-08-12T17:27:38.779351'",
        "/entry/end_time NX_CHAR = b'2022-08-12T17:27:42.139426'",
        *(line for line in seed if "@start_time_iso" in line),
        # the events' times, in place of those of one data key counted from its first
        f"/entry/data/EPOCH --> {streams}/sensor/time",
        # YAML for yaml.safe_load
        next(line for line in seed if line.startswith(f"{metadata}/hints NX_CHAR")),
        next(line for line in seed if line.startswith(f"{metadata}/motors NX_CHAR")),
        # NeXus has no detectors and positioners in notes
        *(
            f"{instrument}/{name} {text}"
            for name in ("detectors", "positioners")
            for text in ("NXnote", '@NX_class = "NXnote"')
        ),
    }
    assert f"{start} NX_CHAR = b'2022-08-12T17:27:38.779351-05:00'" in ours
    assert f"/entry/data/EPOCH --> {instrument}/bluesky/events/primary/EPOCH" in ours


def test_the_defaults_yaml_is_read_by_safe_load(write):
    with h5py.File(write(seed_documents())) as file:
        metadata = file["entry/instrument/bluesky/metadata"]
        for item in metadata.values():
            if "text_format" in item.attrs:
                yaml.safe_load(item.asstr()[()])
        assert yaml.safe_load(metadata["motors"].asstr()[()]) == ["motor"]
        assert yaml.safe_load(metadata["hints"].asstr()[()]) == {
            "dimensions": [[["motor"], "primary"]]
        }


@pytest.mark.parametrize("compat", [None, "apstools"])
def test_our_check_finds_nothing(write, compat):
    assert check_nexus(write(seed_documents(), compat=compat)) == []


def test_positioner_and_detector_are_complete(write):
    with h5py.File(write(seed_documents())) as file:
        motor = file["entry/instrument/positioners/motor"]
        found = {name: item[()] for name, item in motor.items() if isinstance(item, h5py.Dataset)}
        assert found.pop("target_value").tolist() == POSITIONS
        assert found == {
            "name": b"motor",
            "description": b"PV:gp:m10.RBV",
            "controller_record": b"gp:m10.RBV",
            "soft_limit_min": -32000.0,
            "soft_limit_max": 32000.0,
            "velocity": 1.0,
            "acceleration_time": 0.2,
        }
        assert motor["velocity"].attrs["units"] == "degrees/s"
        assert motor["acceleration_time"].attrs["units"] == "s"
        sensor = file["entry/instrument/detectors/sensor"]
        assert sensor["description"][()] == b"PV:gp:userCalc10.VAL"
        assert sensor["local_name"][()] == b"sensor"


def test_nexusformat_finds_no_error(write, tmp_path):
    validate = pytest.importorskip("nexusformat.nexus.validate")

    warnings, errors = validate.validate_file(str(write(seed_documents())), path="/")

    assert errors == 0
    assert warnings == 2  # the seed's: a duration that isn't an integer, and plan_name
