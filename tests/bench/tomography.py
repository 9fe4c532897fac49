"""Time to write the Data Exchange file of a tomography run, beside a plain copy of its images.

``python -m tests.bench --only tomography`` prints the figures; what was written is read back and
compared.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adsupport.callbacks import DataExchangeWriter, nxtomo_view
from tests.bench import image_copy
from tests.bench.run_documents import image_documents

#: Longest wait for a file, in seconds.
_LIMIT = 600.0


def measure(directory: Path, megabytes: int, rounds: int) -> dict[str, list[float]]:
    """Take turns, after one that doesn't count.

    Parameters
    ----------
    directory
        Where the files are made, and removed.
    megabytes
        Size of the stack in memory.
    rounds
        How often each.

    Returns
    -------
    dict
        Seconds of each round, from the first document to the file under its name, for ``"link"``
        and ``"copy"``; of ``"view"``, an NXtomo view of the linked file; and of ``"plain"``, the
        stack copied through a buffer of 4 MiB.  ``"copy"`` and ``"plain"`` end on the disk.
    """
    frames = max(1, megabytes // 2)
    source = image_copy.make(directory / "stack.h5", frames)

    def dx(images: Any) -> Callable[[Path], None]:
        def run(target: Path) -> None:
            writer = DataExchangeWriter(
                target.parent, target.name, theta="motor", images=images, strict=False
            )
            for name, doc in image_documents(source, frames, image_copy.SIDE, units="deg"):
                writer.receiver(name, doc)
            writer.wait_writer(_LIMIT)

        return run

    def plain(target: Path) -> None:
        image_copy.copy_plainly(source, target)
        with target.open("rb") as file:
            os.fsync(file.fileno())

    linked = directory / "link.h5"
    ways: dict[str, Callable[[Path], Any]] = {
        "link": dx("link"),
        "copy": dx("copy"),
        "view": lambda target: nxtomo_view(linked, target),
        "plain": plain,
    }
    dx("link")(linked)
    found: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(rounds + 1):
        for way, run in random.sample(list(ways.items()), len(ways)):
            target = directory / f"{way}-{turn}.h5"
            os.sync()  # or the kernel makes one wait for what another one wrote
            began = time.perf_counter()
            run(target)
            spent = time.perf_counter() - began
            if turn:
                found[way].append(spent)
            if way != "plain":
                address = "entry/data/data" if way == "view" else "exchange/data"
                image_copy.compare(way, target, address, source)
            target.unlink()
    for path in (source, linked):
        path.unlink()
    return found
