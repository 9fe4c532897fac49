"""Our check finds each fault of a file."""

import h5py
import pytest

from adsupport.callbacks.nexus import check_nexus


def break_signal(file):
    file["entry/data"].attrs["signal"] = "nope"


def break_axis(file):
    file["entry/data"].attrs["axes"] = ["nope"]


def break_rank(file):
    file["entry/data"].attrs["axes"] = ["x", "."]


def break_length(file):
    file["entry/data/short"] = [1.0]
    file["entry/data"].attrs["axes"] = ["short"]


def break_indices(file):
    file["entry/data"].attrs["x_indices"] = [1]


def break_other(file):
    file["entry/data"].attrs["x_indices"] = [0]
    file["entry/data/y"] = [1.0, 2.0, 3.0, 4.0]
    file["entry/data"].attrs["y_indices"] = [0]


def break_auxiliary(file):
    file["entry/data"].attrs["auxiliary_signals"] = ["nope"]


def break_default(file):
    file["entry"].attrs["default"] = "nope"


def break_target(file):
    file["entry/data"].attrs["target"] = "/entry/instrument"


def break_class(file):
    file["entry/data"].attrs["NX_class"] = "Data"


def break_soft_link(file):
    file["entry/gone"] = h5py.SoftLink("/entry/nowhere")


def break_external_link(file):
    file["entry/gone"] = h5py.ExternalLink("nowhere.h5", "/entry")


def break_virtual(file):
    layout = h5py.VirtualLayout((2,), float)
    layout[...] = h5py.VirtualSource("nowhere.h5", "/x", (2,), float)
    file["entry"].create_virtual_dataset("images", layout)


FAULTS = {
    break_signal: "@signal is 'nope'",
    break_axis: "axis 'nope' isn't",
    break_rank: "names 2 axes, and 'x' has 1",
    break_length: "axis 'short' has the shape (1,)",
    break_indices: "axis 'x' is of dimension (1,) of 1",
    break_other: "axis 'y' has the shape (4,)",
    break_auxiliary: "auxiliary signal 'nope'",
    break_default: "@default is 'nope'",
    break_target: "@target is '/entry/instrument'",
    break_class: "@NX_class is 'Data'",
    break_soft_link: "'gone' leads nowhere",
    break_external_link: "'gone' leads nowhere",
    break_virtual: "its data are in nowhere.h5",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: each.__name__)
def test_each_fault_is_found(documents, write, fault):
    path = write(documents({"primary": {"x": [1.0, 2.0]}}))
    assert check_nexus(path) == []
    with h5py.File(path, "a") as file:
        fault(file)
    (found,) = check_nexus(path)
    assert FAULTS[fault] in found
