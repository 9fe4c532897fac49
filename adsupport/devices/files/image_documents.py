"""What a file plugin tells the run: resource and datum documents, and the image's data key."""

from __future__ import annotations

import uuid
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Any

from ...errors import UnprimedError
from ..arrays.prediction import ArrayKind, delivered_array, received_array

__all__ = ["ImageDocuments"]


class ImageDocuments:
    """Mixin: documents for the images of a file plugin.

    Attributes
    ----------
    filestore_spec : str
        Name of the handler that reads the files, such as ``AD_HDF5``.
    """

    filestore_spec: str = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._forget_documents()

    def _forget_documents(self) -> None:
        self._asset_docs: deque[tuple[str, dict[str, Any]]] = deque()
        self._untold: dict[str, dict[str, Any]] = {}  # resources that may be in no run yet
        self._readings: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._resource_uid: str | None = None
        self._datum_count = 0

    def _open_resource(self, root: str, path: str, kwargs: dict[str, Any], style: str) -> None:
        """Make the resource document of the file that has just been opened."""
        self._resource_uid = str(uuid.uuid4())
        self._datum_count = 0
        document = {
            "spec": self.filestore_spec,
            "root": root,
            "resource_path": path,
            "resource_kwargs": kwargs,
            "path_semantics": style,
            "uid": self._resource_uid,
        }
        self._asset_docs.append(("resource", document))
        self._untold[document["uid"]] = document

    def _add_datum(self, key: str, timestamp: float, kwargs: dict[str, Any]) -> str:
        datum_id = f"{self._resource_uid}/{self._datum_count}"
        self._datum_count += 1
        datum = {"resource": self._resource_uid, "datum_id": datum_id, "datum_kwargs": kwargs}
        self._asset_docs.append(("datum", datum))
        self._readings[key] = {"value": datum_id, "timestamp": timestamp}
        return datum_id

    def collect_asset_docs(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Hand out the documents made since the last call.

        Yields
        ------
        tuple
            ``("resource", document)`` or ``("datum", document)``.

        Notes
        -----
        When a pause, or ``drop``, comes between reading and saving, the RunEngine forgets the
        documents of that event; the file of those that follow would be in no run.  One that it
        saves gets its ``run_start``: until then the resource is handed out again with each datum.
        """
        told = set()
        while self._asset_docs:
            kind, document = self._asset_docs.popleft()
            uid = document["uid" if kind == "resource" else "resource"]
            if uid in self._untold and uid not in told:
                told.add(uid)
                if "run_start" in self._untold[uid]:
                    del self._untold[uid]
                elif kind != "resource":
                    yield "resource", self._untold[uid]
            yield kind, document

    def read(self) -> OrderedDict[str, dict[str, Any]]:
        """Read the plugin, with the latest image while it is writing.

        Returns
        -------
        dict
            Readings by name.
        """
        readings = super().read()  # type: ignore[misc]
        if self.is_writing:  # type: ignore[attr-defined]
            readings.update(self._readings)
        return readings

    def describe(self) -> OrderedDict[str, dict[str, Any]]:
        """Describe what :meth:`read` returns.

        Returns
        -------
        dict
            Data keys by name.  The shape of an image is (frames, Y, X), with the colour
            where the file has it; its type is that of the pixels in the file.

        Raises
        ------
        UnprimedError
            The images are asked for before the first frame of the run, and neither the settings
            nor an array of an earlier run tell what they will be.
        """
        keys = super().describe()  # type: ignore[misc]
        if self.is_writing:  # type: ignore[attr-defined]
            names = list(self._readings) or self._image_names()
            keys.update({name: self._image_key() for name in names})
        return keys

    def _image_names(self) -> list[str]:
        """Tell the names that will come, when asked before the first trigger."""
        parent: Any = getattr(self, "parent", None)
        return [parent.image_name_of(self)] if hasattr(parent, "image_name_of") else []

    def stored_kind(self, kind: ArrayKind) -> ArrayKind:
        """Tell what a reader of the file finds of the arrays that the plugin receives.

        Parameters
        ----------
        kind : ArrayKind
            The arrays.

        Returns
        -------
        ArrayKind
            The pixels in the file: the same, unless the format is a narrower one.
        """
        return kind

    def _expected_kind(self) -> ArrayKind:
        # Before the first frame the last array may be one of other settings, long ago.
        plugin: Any = self
        ways = (
            (received_array, delivered_array)
            if self._readings
            else (
                delivered_array,
                received_array,
            )
        )
        for way in ways:
            kind = way(plugin)
            if kind is not None:
                return self.stored_kind(kind)
        raise UnprimedError(
            f"{plugin.prefix}: what {plugin.name} will write isn't known before its first frame: "
            "it has received none since its IOC was started, and its source makes arrays by rules "
            "of its own. Prime it, or don't declare the stream before the first point."
        )

    def _image_key(self) -> dict[str, Any]:
        plugin: Any = self
        kind = self._expected_kind()
        plugin._described = kind.shape, kind.dtype  # noqa: SLF001  its own, under another type
        key = {
            "source": f"PV:{plugin.prefix}",
            "shape": [plugin.frames_per_point, *kind.shape],
            "dtype": "array",
            "external": "FILESTORE:",
        }
        if kind.dtype is not None:
            key["dtype_numpy"] = kind.dtype.str
        return key
