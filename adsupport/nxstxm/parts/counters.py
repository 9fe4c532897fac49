"""Which columns of a run are counts, and not where it was or what stood around."""

from __future__ import annotations

from ...errors import StxmDataError
from .reader import PartReader, PartStream

__all__ = ["find_counters"]

_NOT_COUNTERS = (
    "ENERGY", "Mono_ev_fbk", "StorageRingCurrent", "SampleX", "SampleY", "GoniTheta",
    "EPUPolarization", "EPUOffset", "Epu_pol_angle", "Epu_gap_fbk", "Epu_gap_offset",
    "Epu_harmonic",
)  # fmt: skip


def find_counters(part: PartReader) -> list[str]:
    """Find the counters in a run's primary stream.

    Parameters
    ----------
    part : PartReader
        The run.

    Returns
    -------
    list of str
        Data keys: those that were asked for first, in the order of asking, then those that its
        devices hint at; without any all that have numbers and weren't moved.

    Raises
    ------
    StxmDataError
        None of those that were asked for is there.
    """
    stream = part.primary
    if stream is None:
        return []
    columns, detectors = stream.columns, part.request.detectors
    moved = _moved_keys(part, stream)
    numeric = [key for key, each in columns.items() if each.is_numeric]
    # others are of no use, and that has to be told
    others = [key for key in columns if key not in numeric]
    chosen = [key for wanted in detectors for key in (*numeric, *others) if key.startswith(wanted)]
    if detectors and not chosen:
        raise StxmDataError(
            f"Run {part.run.uid}: no data key of stream 'primary' is or begins with "
            f"{' or '.join(map(repr, detectors))} of metadata['primary_det']; it has "
            f"{', '.join(map(repr, columns))}.",
            remedy="Name the counters' data keys in primary_det.",
        )
    chosen += [key for key in _hinted(stream) if key in numeric and key not in moved]
    return list(dict.fromkeys(chosen or [key for key in numeric if key not in moved]))


def _moved_keys(part: PartReader, stream: PartStream) -> set[str]:
    """Find the data keys of what was moved or stood around, and not counted."""
    region = part.request.region
    names = [region.x.positioner, region.y.positioner, *_NOT_COUNTERS]
    if region.zoneplate_z is not None:
        names.append(region.zoneplate_z.positioner)
    found = [stream.find(part.names_of(name)) for name in names if name]
    keys = {each.key for each in found if each is not None}
    motors = set(part.run.motors)
    if not motors:
        return keys
    return keys | {key for key, each in stream.columns.items() if each.object_name in motors}


def _hinted(stream: PartStream) -> list[str]:
    hints = [document.get("hints") for document in stream.descriptors]
    of_devices = [each for found in hints if isinstance(found, dict) for each in found.values()]
    fields = [each.get("fields") for each in of_devices if isinstance(each, dict)]
    return [str(key) for found in fields if isinstance(found, list) for key in found]
