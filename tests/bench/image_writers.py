"""Time to write the NeXus file of a run with a stack of images, each writer in its own program."""

from __future__ import annotations

import statistics
from pathlib import Path

from tests.bench import image_copy
from tests.bench.writers import take_turn

_FRAMES_PER_MIB = 0.5

#: Contestants, and how many times smaller a stack they get: apstools loads it whole, and
#: compresses about 100 MB a second.
_SHARES = {"link": 1, "copy": 1, "apstools": 8}
_PROGRAMS = {
    "link": ("nexus", "images=link"),
    "copy": ("nexus", "images=copy"),
    "apstools": ("apstools_nexus", None),
}
_ADDRESS = "entry/instrument/bluesky/streams/primary/camera_image/value"


def measure(peer: Path, directory: Path, megabytes: int, rounds: int) -> dict[str, float]:
    """Let the contestants take turns; a first turn of each doesn't count.

    Parameters
    ----------
    peer
        Interpreter that has apstools.
    directory
        Where files are made, and removed.
    megabytes
        Size of the stack, in MiB.
    rounds
        How often each.

    Returns
    -------
    dict
        Median time until the disk has the whole stack, in seconds; that of ``"apstools"`` for a
        smaller one, times as much as it was smaller.
    """
    stacks: dict[int, Path] = {}
    for share in set(_SHARES.values()):
        frames = max(1, round(megabytes * _FRAMES_PER_MIB / share))
        stacks[share] = image_copy.make(directory / f"stack-{share}.h5", frames)
    found: dict[str, list[float]] = {name: [] for name in _SHARES}
    for turn in range(rounds + 1):
        for name, share in _SHARES.items():
            source = stacks[share]
            program, option = _PROGRAMS[name]
            extra = ("--images", str(source), "--sync", *(("--option", option) if option else ()))
            frames = max(1, round(megabytes * _FRAMES_PER_MIB / share))

            def compare(name: str, path: Path, frames: int, source: Path = source) -> None:
                image_copy.compare(name, path, _ADDRESS, source)

            answer = take_turn(program, peer, directory, frames, compare, *extra)
            if turn:
                found[name].append(answer["seconds"] * share)
    for path in stacks.values():
        path.unlink()
    return {name: statistics.median(times) for name, times in found.items()}
