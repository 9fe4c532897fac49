"""Which data keys of a stream are detectors' and which are positioners'."""

from __future__ import annotations

from ...documents.run import Run, Stream

__all__ = ["data_map", "signal_type"]


def data_map(run: Run, stream: Stream) -> dict[str, list[str]]:
    """Sort the data keys by what the plan used their devices for.

    Of a device the hinted keys count, and its images; of a device without hints all keys.

    Parameters
    ----------
    run : Run
        Its start document names detectors and motors.
    stream : Stream
        Mostly ``primary``.

    Returns
    -------
    dict of str to list of str
        ``detectors`` and ``motors``, in the order of the plan; a motor that was read as a
        detector as well is a motor.
    """
    motors = _keys(stream, run.motors)
    detectors = [key for key in _keys(stream, run.detectors) if key not in motors]
    return {"detectors": detectors, "motors": motors}


def signal_type(key: str, stream: Stream, found: dict[str, list[str]]) -> str:
    """Tell what a data key is, in apstools' words.

    Parameters
    ----------
    key : str
        The data key.
    stream : Stream
        Where it is.
    found : dict of str to list of str
        Of :func:`data_map`.

    Returns
    -------
    str
        ``"detector"``, ``"positioner"`` or ``"other"``.
    """
    if key in found["motors"]:
        return "positioner"
    # Channels of a scaler record (.S1, .S2 ...) are detectors whatever the hints say.
    if key in found["detectors"] or stream.columns[key].source.find(".S") > 0:
        return "detector"
    return "other"


def _keys(stream: Stream, devices: list[str]) -> list[str]:
    found: list[str] = []
    for device in devices:
        columns = stream.columns
        own = [key for key in stream.object_keys.get(device, ()) if key in columns]
        own = own or [key for key, each in columns.items() if each.object_name == device]
        hinted = [key for key in stream.hints.get(device, {}).get("fields", ()) if key in columns]
        images = [key for key in own if columns[key].external]
        keys = [*hinted, *(key for key in images if key not in hinted)] if hinted else own
        found += keys or [key for key in (device,) if key in columns]
    return list(dict.fromkeys(found))
