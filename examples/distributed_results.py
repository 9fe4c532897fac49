"""What a tomography of example 14 has left where, and whether that's what it should."""

import h5py


def results(out, sample, said, parts, victim, begun):
    """Look for the results of a sample.

    Parameters
    ----------
    out : pathlib.Path
        Where the parts have put them.
    sample : str
        Its name.
    said : str
        What the acquisition said last of it.
    parts : dict of str to Part
        All of them.
    victim : str or None
        Which of them was killed.
    begun : float
        When the acquisition was asked for.

    Returns
    -------
    dict of str to str
        What there is, and how much of it.
    """
    if victim not in ("writer", "proxy", "acquisition"):
        parts["writer"].wait_for(f"{sample}: .*([.]nxs|Error)", 60, begun)
    if victim != "compute":
        parts["compute"].wait_for(f"{sample}: (wrote|no slices)", 90, begun)
    scan = sorted((out / "images").glob("scan_*"))[-1]
    images = next((scan / "radios").glob("*.h5"), scan)
    return {
        "acquisition": said.partition(": ")[2],
        "detector's file": _frames(images, "entry/data/data"),
        "DX file": _frames(out / "files" / f"{sample}.h5", "exchange/data"),
        "slices": _frames(out / "compute" / f"{sample}-slices.h5", "slices", "projections"),
    }


def complaints(found, victim, projections):
    """Compare with what a killed part may cost.

    Returns
    -------
    list of str
        What differs.
    """
    whole, none = f"{projections} projections", "none"
    expected = {"detector's file": whole, "DX file": whole, "slices": whole}
    if victim in ("writer", "proxy"):
        expected["DX file"] = none
    if victim == "compute":
        expected["slices"] = none
    if victim == "scheduler":  # the client may find it again, or not
        del expected["slices"]
    if victim in ("acquisition", "ioc"):
        expected = {"slices": none}
    wrong = [f"{what}: {found[what]}" for what, text in expected.items() if found[what] != text]
    said = {"acquisition": "killed", "ioc": "failed"}.get(victim, "measured")
    if not found["acquisition"].startswith(said):
        wrong.append(f"acquisition: {found['acquisition']}")
    return [f"{victim or 'nobody'} killed: {each}" for each in wrong]


def _frames(path, dataset, attribute=None):
    """Count the projections of a file; or read what it says of them."""
    try:
        with h5py.File(path) as file:
            data = file[dataset]
            found = data.shape[0] if attribute is None else data.attrs[attribute]
            return f"{found} projections"
    except (OSError, KeyError):
        return "none" if not path.is_file() else f"{path.name} can't be read"
