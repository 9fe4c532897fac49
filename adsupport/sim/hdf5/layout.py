"""What a file's layout says: its groups, datasets, attributes and links, and what fills them.

The elements and their rules are those of ADCore's HDF5 layout definition (NDFileHDF5). Children
of a group are kept by name, which is also the order in which ADCore searches them: a group's own
datasets first, then the groups in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Source(Enum):
    """Where a dataset or an attribute takes its value from."""

    NONE = ""
    DETECTOR = "detector"
    NDATTRIBUTE = "ndattribute"
    CONSTANT = "constant"


class When(Enum):
    """When a value is written."""

    FRAME = "OnFrame"
    OPEN = "OnFileOpen"
    CLOSE = "OnFileClose"


class Kind(Enum):
    """Type of a constant."""

    STRING = "string"
    INT = "int"
    FLOAT = "float"


@dataclass(frozen=True, slots=True)
class Value:
    """What fills a dataset or an attribute.

    Attributes
    ----------
    source : Source
        Where it comes from.
    text : str
        A constant's value, or the name of the NDAttribute.
    kind : Kind
        Type of a constant; numbers may be several, with commas between them.
    when : When
        When an NDAttribute's value is taken.
    """

    source: Source = Source.NONE
    text: str = ""
    kind: Kind = Kind.STRING
    when: When = When.FRAME


@dataclass(frozen=True, slots=True)
class LayoutAttribute:
    """An HDF5 attribute of a group or a dataset."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class LayoutDataset:
    """A dataset.

    Attributes
    ----------
    path : str
        Absolute path in the file.
    value : Value
        What fills it.
    det_default : bool
        Whether frames go here that are not sent elsewhere.
    attributes : tuple of LayoutAttribute
        Its attributes.
    """

    path: str
    value: Value
    det_default: bool = False
    attributes: tuple[LayoutAttribute, ...] = ()


@dataclass(frozen=True, slots=True)
class LayoutLink:
    """A hard link: its own absolute path, and that of what it links to."""

    path: str
    target: str


@dataclass(frozen=True, slots=True)
class LayoutGroup:
    """A group.

    Attributes
    ----------
    path : str
        Absolute path in the file.
    ndattr_default : bool
        Whether NDAttributes without a dataset of their own are stored here.
    attributes, datasets, groups, links : tuple
        What it holds.
    """

    path: str
    ndattr_default: bool = False
    attributes: tuple[LayoutAttribute, ...] = ()
    datasets: tuple[LayoutDataset, ...] = ()
    groups: tuple[LayoutGroup, ...] = ()
    links: tuple[LayoutLink, ...] = ()

    def walk(self) -> Iterator[LayoutGroup]:
        """Yield the group and all below it, each before what it holds."""
        yield self
        for group in self.groups:
            yield from group.walk()


def name_of(path: str) -> str:
    """Return the last part of a path."""
    return path.rpartition("/")[2]


def parent_of(path: str) -> str:
    """Return the path of the group that holds an object."""
    return path.rpartition("/")[0] or "/"


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a file.

    Attributes
    ----------
    groups : tuple of LayoutGroup
        Groups of the root; the root itself holds nothing else.
    auto_ndattr_default : bool
        Whether NDAttributes go to the root when no group is their default.
    destination : str
        NDAttribute that holds the path of a frame's dataset; empty for none.
    """

    groups: tuple[LayoutGroup, ...] = ()
    auto_ndattr_default: bool = True
    destination: str = ""

    def all_groups(self) -> Iterator[LayoutGroup]:
        """Yield all groups, each before those in it."""
        for group in self.groups:
            yield from group.walk()

    def datasets(self) -> Iterator[LayoutDataset]:
        """Yield all datasets in the order of search."""
        for group in self.all_groups():
            yield from group.datasets

    def links(self) -> Iterator[LayoutLink]:
        """Yield all hard links."""
        for group in self.all_groups():
            yield from group.links

    @property
    def image_datasets(self) -> tuple[LayoutDataset, ...]:
        """Datasets for frames, by path."""
        found = (item for item in self.datasets() if item.value.source is Source.DETECTOR)
        return tuple(sorted(found, key=lambda item: item.path))

    @property
    def default_image(self) -> str | None:
        """Path of the dataset for frames that are not sent elsewhere; None without any."""
        images = self.image_datasets
        marked = (item for item in self.datasets() if item in images and item.det_default)
        chosen = next(marked, None) or next(iter(images), None)
        return chosen.path if chosen else None

    @property
    def attributes_group(self) -> str | None:
        """Path of the group for NDAttributes without a dataset of their own; None for none."""
        for group in self.all_groups():
            if group.ndattr_default:
                return group.path
        return "/" if self.auto_ndattr_default else None

    @property
    def performance_group(self) -> str | None:
        """Path of the group for the times of writing; None for none.

        That is the group ``performance`` that the first dataset ``timestamp`` lies in, or the
        group of the attributes.
        """
        first = next((item for item in self.datasets() if name_of(item.path) == "timestamp"), None)
        if first is not None and first.value.source is not Source.NDATTRIBUTE:
            group = parent_of(first.path)
            if name_of(group) == "performance":
                return group
        return self.attributes_group

    def dataset_of(self, ndattribute: str) -> LayoutDataset | None:
        """Return the dataset that an NDAttribute is written to; None when it has none."""
        for item in self.datasets():
            if item.value.source is Source.NDATTRIBUTE and item.value.text == ndattribute:
                return item
        return None


def _constant(name: str, text: str, kind: Kind = Kind.STRING) -> LayoutAttribute:
    return LayoutAttribute(name, Value(Source.CONSTANT, text, kind))


def _group(path: str, nexus_class: str, *groups: LayoutGroup, **more: object) -> LayoutGroup:
    attributes = (_constant("NX_class", nexus_class),) if nexus_class else ()
    return LayoutGroup(path, attributes=attributes, groups=groups, **more)  # type: ignore[arg-type]


_DETECTOR = "/entry/instrument/detector"
_IMAGE = LayoutDataset(
    f"{_DETECTOR}/data",
    Value(Source.DETECTOR),
    det_default=True,
    attributes=(_constant("signal", "1", Kind.INT),),
)
_COLOR_MODE = LayoutDataset(
    f"{_DETECTOR}/NDAttributes/ColorMode", Value(Source.NDATTRIBUTE, "ColorMode")
)
_TIMES = LayoutDataset("/entry/instrument/performance/timestamp", Value())

DEFAULT_LAYOUT = Layout(
    (
        _group(
            "/entry",
            "NXentry",
            _group("/entry/data", "NXdata", links=(LayoutLink("/entry/data/data", _IMAGE.path),)),
            _group(
                "/entry/instrument",
                "NXinstrument",
                _group("/entry/instrument/NDAttributes", "NXcollection", ndattr_default=True),
                _group(
                    _DETECTOR,
                    "NXdetector",
                    _group(f"{_DETECTOR}/NDAttributes", "NXcollection", datasets=(_COLOR_MODE,)),
                    datasets=(_IMAGE,),
                ),
                _group("/entry/instrument/performance", "", datasets=(_TIMES,)),
            ),
        ),
    )
)
"""The layout of a file for which none was chosen, as ADCore R3-14 writes it."""
