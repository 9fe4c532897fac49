"""What a layout puts into a file, and how it is filled as frames come."""

# h5py's low-level modules are compiled and come without stubs
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from h5py import h5d, h5f, h5g

from adsupport.sim.hdf5.attribute_datasets import AttributeDataset, file_attributes, frame_values
from adsupport.sim.hdf5.image import ImageDataset
from adsupport.sim.hdf5.layout import (
    Layout,
    LayoutAttribute,
    LayoutDataset,
    Source,
    When,
)
from adsupport.sim.hdf5.performance import PerformanceDataset
from adsupport.sim.hdf5.settings import Geometry, HDF5Settings
from adsupport.sim.hdf5.values import create_constant, write_constant, write_string, write_value
from adsupport.sim.ndarray import NDArray, NDAttribute

log = logging.getLogger(__name__)

_REFUSED = (OSError, RuntimeError, ValueError, TypeError, KeyError)
"""What h5py raises when HDF5 refuses."""


@contextmanager
def _or_without(what: str) -> Iterator[None]:
    """Go on without an object that HDF5 refuses, as the plugin does."""
    try:
        yield
    except _REFUSED as error:
        log.error("cannot create %s of the layout: %s", what, error)


class Contents:
    """Groups, datasets, attributes and links of a file being written.

    Parameters
    ----------
    file : h5py.h5f.FileID
        The new file.
    layout : Layout
        What it shall hold.
    settings : HDF5Settings
        How it shall be.
    geometry : Geometry
        Shapes of its datasets.
    array : NDArray
        Example of what will be written.
    more : tuple of NDAttribute
        The plugin's own attributes.

    Attributes
    ----------
    images : dict of str to ImageDataset
        Datasets for frames, by path.
    performance : PerformanceDataset or None
        Dataset of the times of writing.

    Raises
    ------
    OSError, RuntimeError, ValueError
        When HDF5 refuses a group or a dataset for frames, or the layout has none.
    """

    def __init__(
        self,
        file: h5f.FileID,
        layout: Layout,
        settings: HDF5Settings,
        geometry: Geometry,
        array: NDArray,
        more: tuple[NDAttribute, ...] = (),
    ) -> None:
        self.images: dict[str, ImageDataset] = {}
        self.performance: PerformanceDataset | None = None
        self._layout = layout
        self._settings = settings
        self._geometry = geometry
        self._attributes: list[AttributeDataset] = []
        self._values: dict[str, object] = {}
        self._at_close: list[tuple[h5g.GroupID | h5d.DatasetID, LayoutAttribute]] = []
        default = layout.default_image
        if default is None:
            raise ValueError("the layout has no dataset for frames (source='detector')")
        self._default = default
        listed = list(file_attributes(array, more)) if settings.store_attributes else []
        self._values = {item.name: item.value for item in listed}
        self._make_groups(file, array)
        for item in listed:
            self._make_attribute_dataset(file, item)
        self._write_once(When.OPEN)
        if settings.store_performance:
            self._make_performance(file)
        for link in layout.links():
            with _or_without(f"link {link.path}"):
                file.links.create_hard(link.path.encode(), file, link.target.encode())

    # ---- creation

    def _make_groups(self, file: h5f.FileID, array: NDArray) -> None:
        store = self._settings.store_attributes
        for group in self._layout.all_groups():
            made = h5g.create(file, group.path.encode())
            for dataset in group.datasets:
                self._make_dataset(file, dataset, array)
            if store:
                self._add_attributes(made, group.attributes)
                if group.path == self._layout.attributes_group:
                    write_string(made, "hostname", socket.gethostname())

    def _make_dataset(self, file: h5f.FileID, dataset: LayoutDataset, array: NDArray) -> None:
        value = dataset.value
        if value.source is Source.DETECTOR:
            image = ImageDataset(file, dataset.path, self._settings, self._geometry, array)
            self.images[dataset.path] = image
            self._add_attributes(image.id, dataset.attributes)
            image.describe(array)
        elif value.source is Source.CONSTANT:
            with _or_without(f"dataset {dataset.path}"):
                made = create_constant(file, dataset.path, value.text, value.kind)
                self._add_attributes(made, dataset.attributes)

    def _make_attribute_dataset(self, file: h5f.FileID, item: NDAttribute) -> None:
        dataset = self._layout.dataset_of(item.name)
        group = self._layout.attributes_group
        if dataset is None and group is None:
            return
        path = f"{(group or '').rstrip('/')}/{item.name}" if dataset is None else dataset.path
        when = When.FRAME if dataset is None else dataset.value.when
        with _or_without(f"dataset {path}"):
            made = AttributeDataset(file, path, item, self._settings, self._geometry, when)
            self._attributes.append(made)
            if dataset is not None:
                self._add_attributes(made.id, dataset.attributes)

    def _make_performance(self, file: h5f.FileID) -> None:
        group = self._layout.performance_group
        if group is None:
            log.warning("the layout has no group for the times of writing")
            return
        path = f"{group.rstrip('/')}/timestamp"
        with _or_without(f"dataset {path}"):
            self.performance = PerformanceDataset(file, path, self._geometry.performance_chunk)

    def _add_attributes(
        self, place: h5g.GroupID | h5d.DatasetID, attributes: Iterable[LayoutAttribute]
    ) -> None:
        for attribute in attributes:
            value = attribute.value
            if value.source is Source.CONSTANT:
                with _or_without(f"attribute {attribute.name}"):
                    write_constant(place, attribute.name, value.text, value.kind)
            elif value.source is Source.NDATTRIBUTE and self._settings.store_attributes:
                if value.when is When.CLOSE:
                    self._at_close.append((place, attribute))
                else:
                    self._add_ndattribute(place, attribute)

    def _add_ndattribute(
        self, place: h5g.GroupID | h5d.DatasetID, attribute: LayoutAttribute
    ) -> None:
        name = attribute.value.text
        if name not in self._values:
            log.warning("no NDAttribute %s for attribute %s", name, attribute.name)
            return
        with _or_without(f"attribute {attribute.name}"):
            write_value(place, attribute.name, self._values[name])

    # ---- filling

    def image_for(self, array: NDArray) -> ImageDataset:
        """Return the dataset that a frame goes to.

        Raises
        ------
        TypeError
            When the attribute that shall tell it is no string.
        """
        name = self._layout.destination
        attribute = array.attribute(name) if name else None
        if attribute is None:
            return self.images[self._default]
        if not isinstance(attribute.value, str):
            raise TypeError(f"attribute {name}, which names a frame's dataset, is no string")
        return self.images.get(attribute.value, self.images[self._default])

    def add_attributes(
        self, array: NDArray, more: tuple[NDAttribute, ...], place: tuple[int, ...]
    ) -> None:
        """Keep the attributes of a frame; what it lacks stays as it was.

        Parameters
        ----------
        array : NDArray
            The frame.
        more : tuple of NDAttribute
            The plugin's own attributes.
        place : tuple of int
            Where the frame went along the frame axes.
        """
        if not self._attributes and not self._at_close:
            return
        self._values.update(frame_values(array, more))
        for dataset in self._attributes:
            if dataset.when is When.FRAME:
                dataset.append(self._values[dataset.name], place)

    def _write_once(self, when: When) -> None:
        for dataset in self._attributes:
            if dataset.when is when:
                dataset.append(self._values[dataset.name])
                dataset.write()

    def write_attributes(self) -> None:
        """Write the attributes kept so far."""
        for dataset in self._attributes:
            dataset.write()

    def finish(self) -> int:
        """Write what is buffered, and what is written at the end; return the flushes done."""
        self._write_once(When.CLOSE)
        for place, attribute in self._at_close:
            self._add_ndattribute(place, attribute)
        for dataset in self._attributes:
            dataset.write()
            if self._settings.swmr:
                dataset.id.flush()
        if self.performance is not None:
            self.performance.write()
        return len(self._attributes) if self._settings.swmr else 0
