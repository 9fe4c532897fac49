"""Scans of an X-ray microscope (STXM), of every kind, as NXstxm files.

A simulated microscope is scanned by the RunEngine, and each scan is exported from the catalog
as acquisition programs do it: run by run, then the file is finished.

    python examples/07_stxm.py --demo
    python examples/07_stxm.py --demo --points 20    # smaller, and faster
"""

import argparse
import json
import pathlib
import warnings
from typing import NamedTuple

from example_options import make_directory

parser = argparse.ArgumentParser(description="NXstxm files of every kind of STXM scan.")
parser.add_argument("--points", default=60, type=int, help="in a line of an image, 12 or more")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the files")
parser.add_argument("--demo", action="store_true", help="as elsewhere; it's always simulated")
args = parser.parse_args()
if args.points < 12:
    parser.error("--points must be 12 or more")
out = make_directory(parser, args.out / "stxm")

import databroker
import h5py
import matplotlib
import numpy as np
from bluesky import RunEngine
from bluesky import plan_stubs as bps
from bluesky import preprocessors as bpp
from matplotlib import pyplot as plt
from stxm_microscope import Camera, Device, ccd, counters, stages

from adsupport import nxstxm
from adsupport.file_tree import tree_lines
from adsupport.nxstxm import scan_types

matplotlib.use("Agg")  # pictures go to files: no display needed
# databroker 1 reads with a recent xarray, which announces a change that doesn't matter here
warnings.filterwarnings("ignore", category=FutureWarning, module="databroker")

# --- what to scan: lines of the fast stages, at each position of a slow one ----------------

LEFT = nxstxm.make_polarization("circular left")
RIGHT = nxstxm.make_polarization("circular right")


class Region(NamedTuple):
    """Where: ``rows`` are positions of the stage ``slow``, ``fast`` those of stages by name."""

    slow: str
    rows: np.ndarray
    fast: dict[str, np.ndarray]


class Scan(NamedTuple):
    """What the RunEngine does: one run, or for stacks one for each energy and so on."""

    regions: list[Region]
    fly: bool = True
    energies: tuple[float, ...] = (708,)
    polarizations: tuple[nxstxm.Polarization, ...] = (LEFT,)
    angles: tuple[float, ...] = (0,)
    frames: tuple[Device, ...] = ()


N, M = args.points, args.points * 3 // 4  # points in a line, and lines
EDGE = np.linspace(700, 716, 33)  # eV


def span(half, number, middle=0):
    """Space positions evenly."""
    return np.linspace(middle - half, middle + half, number)


def image(place, half, n, m, x=0.0, y=0.0):
    """Make the region of an image: m lines of n points."""
    fast = {f"{place}_x": span(half * 4 / 3, n, x)}
    return Region(f"{place}_y", span(half, m, y), fast)


def point(x, y):
    """Make the region of a spectrum at a point."""
    return Region("energy", EDGE, {"fine_x": np.array([x]), "fine_y": np.array([y])})


film, bead = image("fine", 2, N, M), image("fine", 1, N // 2, M // 2, -1.2, 0.6)
few = N // 2, M // 2  # where the stages stop at each point
line = span(2, N)
across = {"fine_x": line, "fine_y": 0.6 + line / 4}
across_osa = {"osa_x": span(50, N // 2), "osa_y": np.zeros(N // 2)}
SCANS = {
    scan_types.DETECTOR_IMAGE: Scan([image("detector", 600, *few)], fly=False),
    scan_types.OSA_IMAGE: Scan([image("osa", 40, *few)], fly=False),
    scan_types.OSA_FOCUS: Scan([Region("zoneplate_z", span(300, M // 2), across_osa)], fly=False),
    scan_types.SAMPLE_FOCUS: Scan([Region("zoneplate_z", span(20, M), across)]),
    scan_types.SAMPLE_POINT_SPECTRA: Scan([point(-1.2, 0.6), point(0.5, 0)], fly=False),
    scan_types.SAMPLE_LINE_SPECTRA: Scan([Region("energy", EDGE, across)]),
    scan_types.SAMPLE_IMAGE: Scan([film]),
    scan_types.SAMPLE_IMAGE_STACK: Scan(
        [film, bead], energies=(704, 707, 708, 712), polarizations=(LEFT, RIGHT)
    ),
    scan_types.GENERIC_SCAN: Scan(
        [Region("energy", np.array([708]), {"mirror_pitch": span(2, N)})], fly=False
    ),
    scan_types.COARSE_IMAGE_SCAN: Scan([image("coarse", 2.5, *few)], fly=False),
    scan_types.COARSE_GONI_SCAN: Scan([image("goni", 2.5, *few)], fly=False),
    scan_types.TOMOGRAPHY_SCAN: Scan([film], energies=(704, 708), angles=(-60, 0, 60)),
    scan_types.PATTERN_GEN_SCAN: Scan([bead]),
    scan_types.PTYCHOGRAPHY: Scan([image("fine", 1, N // 4, M // 4)], fly=False, frames=(ccd,)),
}

# --- the start document's metadata, by which the files are made ----------------------------


def roi(region):
    """Describe a region: what moves in x, y and z, and where to."""
    axes = {region.slow: region.rows, **region.fast}
    made = {name: nxstxm.make_roi_of_points(places, name) for name, places in axes.items()}
    made.pop("energy", None)
    z = made.pop("zoneplate_z", None)
    y = next((made.pop(name) for name in [*made] if name.endswith("_y")), None)
    (x,) = made.values()
    return nxstxm.make_region(x, y, zoneplate_z=z)


def metadata(kind, index, sequence):
    """Describe a run: ``index`` says which one it is of all the runs of its file."""
    scan = SCANS[kind]
    slow, rows, _ = scan.regions[0]
    return nxstxm.make_standard_metadata(
        index.entry,
        kind,
        ["counter0", "counter1"],
        rois=[roi(region) for region in scan.regions],
        dwell=1000 * counters.dwell,  # ms
        energies=rows if slow == "energy" else scan.energies,
        polarizations=scan.polarizations,
        index=index,
        sequence=sequence,
        rev_lu_dct={  # names of the acquisition program: data keys in the documents
            "ENERGY": "energy",
            "StorageRingCurrent": "ring_current",
            "SampleX": "fine_x",
            "SampleY": "fine_y",
            "GoniTheta": "goni_theta",
            "EPUPolarization": "epu_polarization",
            "Epu_gap_fbk": "epu_gap",
        },
        zp_def={"fl": 1800.0, "zpD": 240.0, "zpCStop": 95.0, "zpOZone": 25.0, "zpA1": -4.84},
    )


# --- plans ---------------------------------------------------------------------------------


def scan_lines(regions, scan):
    """Scan the regions in turns, fast stages within slow one."""
    current, slow = stages["ring_current"], stages[regions[0].slow]
    for position in regions[0].rows:
        yield from bps.mv(slow, position)
        for region in regions:
            if scan.fly:
                counters.line = region.fast
                yield from bps.trigger_and_read([counters, slow, current])
                continue
            fast = [stages[name] for name in region.fast]
            for places in zip(*region.fast.values(), strict=True):
                moves = zip(fast, places, strict=True)
                yield from bps.mv(*(item for move in moves for item in move))
                yield from bps.trigger_and_read([counters, *scan.frames, slow, *fast, current])


@bpp.reset_positions_decorator(stages.values())
def stxm(kind):
    """Scan: one run, or of stacks a run for each angle, polarization, energy and region."""
    scan = SCANS[kind]
    counters.line = {}
    is_stack = kind in nxstxm.stack_type_scans
    sequence = nxstxm.make_sequence(
        range(len(scan.regions) if is_stack else 1),
        len(scan.energies),
        len(scan.polarizations),
        scan.angles,
    )
    for index in sequence:
        yield from bps.mv(stages["goni_theta"], index.rotation_angle)
        yield from bps.mv(stages["epu_polarization"], scan.polarizations[index.pol_idx].code)
        yield from bps.mv(stages["energy"], scan.energies[index.e_idx])
        regions = [scan.regions[index.sp_idx]] if is_stack else scan.regions
        md = {"plan_name": "stxm", "metadata": json.dumps(metadata(kind, index, sequence))}
        run = bpp.run_wrapper(scan_lines(regions, scan), md=md)
        if index.e_idx == 0:  # an entry's first run: read what stands still, too
            run = bpp.baseline_wrapper(run, stages.values())
        yield from run


# --- export: three patterns ----------------------------------------------------------------


def do_data_export(uids, kind, prefix):
    """Export a scan from the catalog: the uids are what the RunEngine has returned."""
    if kind in nxstxm.stack_type_scans:  # each run is an image of an entry
        for uid in uids:
            nxstxm.export(db[uid].documents(fill=True), out, prefix, first_uid=uids[0])
    elif kind in nxstxm.spectra_type_scans:  # one run, and of point spectra several entries
        nxstxm.export(db[uids[0]].documents(fill=True), out, prefix, first_uid=uids[0])
    else:  # one run, one entry
        nxstxm.export(db[uids[0]].documents(fill=True), out, prefix, first_uid=uids[0])
    return nxstxm.finish_export(out, prefix, first_uid=uids[0], exists="replace")


# --- pictures of what is in the files ------------------------------------------------------


def axis(nxdata, name):
    """Return the label of an axis, with units, and the positions along it."""
    return f"{name} ({nxdata[name].attrs['units']})", nxdata[name][()]


def panels(entry):
    """Yield what to draw of an entry: a title, axes, values."""
    nxdata = entry[entry.attrs["default"]]
    axes = [axis(nxdata, name.decode()) for name in nxdata.attrs["axes"]]
    title = f"{entry.name[1:]}: {entry.attrs['default']}"
    if len(axes) < 3:
        yield title, axes, nxdata["data"][()]
        return
    for energy, values in zip(nxdata["energy"][()], nxdata["data"], strict=True):
        yield f"{title}, {energy:.1f} eV", axes[1:], values
    if "ccd" in entry["instrument"]:
        frame = entry["instrument/ccd/data"][()].mean(axis=0)
        pixels = [(f"{name} (pixel)", np.arange(Camera.size)) for name in "yx"]
        yield "ccd, mean frame", pixels, frame


def draw(path):
    """Draw a file's pictures, a row for each entry."""
    with h5py.File(path) as file:
        rows = [list(panels(file[name])) for name in sorted(file)]
    size = 5 * len(rows[0]), 3.3 * len(rows)
    figure, grid = plt.subplots(len(rows), len(rows[0]), squeeze=False, figsize=size)
    for place, (title, axes, values) in zip(grid.flat, sum(rows, []), strict=True):
        label, across = axes[-1]
        place.set(title=title, xlabel=label)
        if len(axes) == 1:
            place.plot(across, values)
            place.set_ylabel("counts")
            continue
        upwards, up = axes[0]
        shown = place.pcolormesh(across, up, values, shading="nearest")
        figure.colorbar(shown, label="counts")
        place.set(
            ylabel=upwards, aspect="equal" if upwards.replace("_y", "_x") == label else "auto"
        )
    figure.tight_layout()
    figure.savefig(path.with_suffix(".png"), dpi=60)
    plt.close(figure)


# --- all kinds -----------------------------------------------------------------------------

RE = RunEngine({"facility": "simulated"})
db = databroker.temp().v1
RE.subscribe(db.insert)

for kind in scan_types:
    uids = RE(stxm(kind))
    finished = do_data_export(uids, kind, f"{kind.value:02d}_{kind.name.lower()}")
    draw(finished.path)
    with h5py.File(finished) as file:
        counter = file["entry0/counter0"]
        axes = ", ".join(name.decode() for name in counter.attrs["axes"])
        shape = counter["data"].shape
    print(
        f"{finished.path.name}: runs {len(uids)}, entries {len(finished.entries)}, {axes} {shape}"
    )
    for remark in finished.remarks:
        print(f"  {remark}")

for line in tree_lines(out / "06_sample_image.hdf5"):
    print(line)
print(f"files and pictures: {out}")
