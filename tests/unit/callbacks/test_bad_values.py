"""Values that no format has: they're told, and cost nothing beside them."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks.formats import make_writer
from adsupport.documents.json_lines import read_documents
from adsupport.errors import DocumentError

UID = "0123456789abcdef"


def documents(bad: Any = 1.5, **start: Any) -> list[tuple[str, dict[str, Any]]]:
    key = {"dtype": "number", "shape": [], "source": "x"}
    docs: list[tuple[str, dict[str, Any]]] = [
        ("start", {"uid": UID, "time": 1000.0, "scan_id": 3, **start}),
        (
            "descriptor",
            {
                "uid": "d",
                "run_start": UID,
                "time": 1001.0,
                "name": "primary",
                "data_keys": {"good": key, "bad": key},
            },
        ),
    ]
    for number in (1, 2, 3):
        data = {"good": number / 3, "bad": bad if number == 2 else 1.5}
        row = {"descriptor": "d", "uid": f"e{number}", "seq_num": number, "time": 1001.0 + number}
        docs.append(("event", row | {"data": data, "timestamps": dict.fromkeys(data, 1001.0)}))
    stop = {"uid": "s", "run_start": UID, "time": 1009.0, "exit_status": "success"}
    return [*docs, ("stop", stop | {"num_events": {"primary": 3}})]


def written(format_: str, directory: Path, docs: Any) -> tuple[Any, Exception | None]:
    writer: Any = make_writer(format_, directory, file_name="x")
    writer.warn_on_missing_content = False
    for name, doc in docs:
        writer.receiver(name, doc)
    try:
        writer.close(timeout=20)
    except DocumentError as error:
        return writer, error
    return writer, None


def good_column(format_: str, directory: Path) -> list[float]:
    match format_:
        case "json":
            found = json.loads((directory / "x.json").read_text())
            return found["streams"]["primary"]["data"]["good"]
        case "jsonl":
            docs = read_documents(directory / "x.jsonl")
            return [doc["data"]["good"] for name, doc in docs if name == "event"]
        case "csv":
            with (directory / "x-primary.csv").open(newline="") as file:
                return [float(row["good"]) for row in csv.DictReader(file)]
        case "hdf5":
            with h5py.File(directory / "x.h5") as file:
                return file["streams/primary/data/good"][()].tolist()  # type: ignore[index]
        case "nexus":
            with h5py.File(directory / "x.hdf") as file:
                found = file["entry/instrument/bluesky/streams/primary/good/value"]
                return found[()].tolist()  # type: ignore[index]
    lines = (directory / "x").read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("#L"))
    place = lines[at].removeprefix("#L ").split("  ").index("good")
    rows = [line.split() for line in lines[at + 1 :] if line and line[0] not in "#@"]
    return [float(row[place]) for row in rows]


def deep(levels: int) -> list[Any]:
    found: Any = 1
    for _ in range(levels):
        found = [found]
    return found


ITSELF: list[Any] = []
ITSELF.extend([ITSELF, ITSELF])
ALONE: list[Any] = []
ALONE.append(ALONE)
BAD = {
    "deep": deep(300),
    "itself": ITSELF,
    "alone in itself": ALONE,
    "object": object(),
    "axes": np.zeros((1,) * 40),
}


@pytest.mark.parametrize("format_", ["json", "jsonl", "csv", "hdf5", "nexus", "spec"])
@pytest.mark.parametrize("bad", BAD)
def test_a_value_that_no_format_has_costs_no_other(tmp_path: Path, format_: str, bad: str) -> None:
    writer, error = written(format_, tmp_path, documents(BAD[bad]))
    assert good_column(format_, tmp_path) == pytest.approx([1 / 3, 2 / 3, 1], rel=1e-15)
    if bad == "object" and format_ != "spec":
        assert "only the text of a object" in str(error)
    assert not list(tmp_path.rglob(".*"))
    assert len(writer.results) == 1


@pytest.mark.parametrize("format_", ["json", "hdf5", "nexus", "spec", "tiff"])
@pytest.mark.parametrize(
    "start",
    [{"scan_id": "x"}, {"scan_id": math.inf}, {"time": None}, {"time": "x"}, {"time": 1e300}],
    ids=repr,
)
def test_a_start_document_of_nonsense_costs_no_run(
    tmp_path: Path, format_: str, start: dict[str, Any]
) -> None:
    writer: Any = make_writer(format_, tmp_path)
    writer.warn_on_missing_content = False
    for name, doc in documents(**start):
        writer.receiver(name, doc)
    with pytest.raises(DocumentError, match="The start document's"):
        writer.close(timeout=20)
    assert writer.results[0].paths or format_ == "tiff"


@pytest.mark.parametrize("name", ["event", "event_page", "stop", "nothing", None, 5])
@pytest.mark.parametrize(
    "doc", [None, 5, {}, [], {"filled": 1}, {"filled": {"a": 1}}, {"filled": {"a": 1}, "data": 5}]
)
def test_what_is_no_document_raises_nothing(tmp_path: Path, name: Any, doc: Any) -> None:
    writer = make_writer("jsonl", tmp_path)
    writer.receiver(name, doc)
    for each in documents():
        writer.receiver(*each)
    writer.close(timeout=20)
    assert len(writer.results) == 1 and writer.results[0].error is None


def test_silx_reads_a_scan_with_very_long_metadata(tmp_path: Path) -> None:
    pytest.importorskip("silx.io.specfile")
    points = [number / 3 for number in range(2000)]
    writer, _ = written("spec", tmp_path, documents(plan_args={"points": points}, long="é" * 9000))
    code = (
        "import sys; from silx.io.specfile import SpecFile; scan = SpecFile(sys.argv[1])[0]; "
        "print(scan.data_column_by_name('good').tolist(), len(scan.scan_header))"
    )  # of its own, since silx ends the whole process
    found = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "x"], capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith("[0.333")
    remarks = writer.results[0].remarks
    assert any("#MD plan_args" in each and "only its beginning" in each for each in remarks)
    assert any("#MD long" in each for each in remarks)


def test_a_time_far_away_is_no_number_of_hundreds_of_digits(tmp_path: Path) -> None:
    docs = [(name, doc | {"time": 1e300} if name == "event" else doc) for name, doc in documents()]
    written("spec", tmp_path, docs)
    assert good_column("spec", tmp_path) == pytest.approx([1 / 3, 2 / 3, 1], rel=1e-15)
    assert max(map(len, (tmp_path / "x").read_text().splitlines())) < 200
