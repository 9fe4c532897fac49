"""Build detectors from the names of their plugins."""

from __future__ import annotations

import keyword
import pkgutil
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ophyd import ADComponent, Component, Device
from ophyd.areadetector import DetectorBase
from ophyd.device import GenerateDatumInterface
from ophyd.ophydobj import Kind

from ..adcore import Release
from ..errors import ConfigurationError, ConfigurationTypeError, UnknownPluginError
from .acquisition.trigger import SingleTrigger_V34
from .detector import CONNECTION_TIMEOUT, DetectorMixin
from .keyword_arguments import refused_keyword
from .plugin_defaults import PLUGIN_DEFAULTS
from .releases.component_records import copy_component
from .releases.fitting import class_for
from .releases.installed import installed_releases

__all__ = ["ad_class_factory", "ad_creator"]

PluginSpec = str | Mapping[str, Mapping[str, Any] | None]

_SPEC = (
    "expected the name of a plugin, such as 'hdf1', or a dictionary such as "
    "{'hdf1': {'class': MyHDF5Plugin, 'suffix': 'HDF1:'}}"
)


def ad_class_factory(
    name: str,
    bases: type | Iterable[type] | None = None,
    plugins: Iterable[PluginSpec] | None = None,
    plugin_defaults: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    adcore: Release | str | None = None,
) -> type:
    """Build the class of a detector.

    Parameters
    ----------
    name : str
        Name of the class.
    bases : type or iterable of type, optional
        Base classes, ``(SingleTrigger_V34, DetectorBase)`` by default.
    plugins : iterable of str or dict, optional
        The parts, in the order of their staging, ``["cam"]`` by default.  A name takes all
        from ``plugin_defaults``.  A dictionary ``{name: {...}}`` overrides or adds:
        ``class`` (a class or its dotted name), ``suffix``, ``kind``, and keyword arguments
        for the class.  A dictionary of several names adds them all, in order.
    plugin_defaults : mapping, optional
        What the names mean, ``PLUGIN_DEFAULTS`` by default.
    adcore : str or Release, optional
        Release of ADCore, such as ``"R3-4"`` or ``"3.4"``: every camera and plugin class is
        replaced by the one that fits it, see :func:`~.releases.class_for`.  By default the
        classes are taken as they are.

    Returns
    -------
    type
        The class.  Parts that make images (file writers) are read in every event.

    Raises
    ------
    UnknownPluginError
        A name isn't in ``plugin_defaults``, and its class or suffix isn't given.
    ConfigurationError
        A specification can't be used: not a name or dictionary, twice the same name, a
        class that can't be imported, no camera, a plugin that the release doesn't have.
    ConfigurationTypeError
        An argument has the wrong type.

    Examples
    --------
    >>> MyDetector = ad_class_factory("MyDetector", plugins=["cam", "image", "stats1"])
    >>> det = MyDetector("ad:", name="det")
    """
    if isinstance(adcore, str) and adcore == "auto":
        raise ConfigurationError(
            "ad_class_factory has no prefix to ask for the release of ADCore: give it, as in "
            "adcore='R3-14', or use ad_creator(prefix, adcore='auto')."
        )
    return _build(name, bases, plugins, plugin_defaults, _release(adcore))


def _build(
    name: str,
    bases: type | Iterable[type] | None,
    plugins: Iterable[PluginSpec] | None,
    plugin_defaults: Mapping[str, Mapping[str, Any]] | None,
    adcore: Release | None,
    driver: Release | None = None,
) -> type:
    base_classes = _bases(bases)
    if not issubclass(base_classes[0], DetectorMixin):
        base_classes = (DetectorMixin, *base_classes)
    defaults = PLUGIN_DEFAULTS if plugin_defaults is None else plugin_defaults
    if not isinstance(defaults, Mapping):
        raise ConfigurationTypeError(
            f"plugin_defaults must be a dictionary, got {type(defaults).__name__}: {defaults!r}."
        )

    components: dict[str, ADComponent] = {}
    read: list[str] = []
    configured: list[str] = []
    for key, overrides in _specs(["cam"] if plugins is None else plugins):
        if key in components:
            raise ConfigurationError(f"Plugin {key!r} is given twice; give it once.")
        component = _component(key, overrides, defaults)
        components[key] = component = _fitting(key, component, adcore, driver)
        if "kind" in overrides or _makes_images(component.cls):
            if component.kind & Kind.normal:
                read.append(key)
            elif component.kind & Kind.config:
                configured.append(key)

    needs_cam = any(issubclass(base, DetectorBase) for base in base_classes)
    if needs_cam and "cam" not in components and not any(hasattr(b, "cam") for b in base_classes):
        raise ConfigurationError(
            f"{name}: the plugins {list(components)} hold no 'cam'; add it, first."
        )
    attributes: dict[str, Any] = {
        "__doc__": f"Area detector made of {', '.join(components)}.",
        "__module__": __name__,
        "adcore": adcore,
        **_fitting_inherited(base_classes, adcore, driver),
        **components,
    }
    try:
        cls = type(name, base_classes, attributes)
    except TypeError as error:
        raise ConfigurationTypeError(f"{name} can't be made: {error}.") from error
    except ValueError as error:  # ophyd makes named tuples of it
        raise ConfigurationError(
            f"{name!r} can't be the name of a class: {error}. Expected one such as 'MyDetector'."
        ) from error
    # ophyd's detectors read nothing unless told so, whatever the kinds of their parts.
    for attr, names in (
        ("_default_read_attrs", read),
        ("_default_configuration_attrs", configured),
    ):
        inherited = getattr(cls, attr)
        if inherited is not None:
            setattr(cls, attr, tuple(dict.fromkeys([*inherited, *names])))
    return cls


def ad_creator(
    prefix: str,
    *,
    ad_setup: Callable[[Any], object] | None = None,
    bases: type | Iterable[type] | None = None,
    class_name: str | None = None,
    name: str | None = None,
    plugin_defaults: Mapping[str, Mapping[str, Any]] | None = None,
    plugins: Iterable[PluginSpec] | None = None,
    validate_ports: bool = True,
    adcore: Release | str | None = None,
    adcore_timeout: float | None = None,
    **kwargs: Any,
) -> Any:
    """Build a detector.  Its IOC needn't run yet, unless ``adcore`` is ``"auto"``.

    Parameters
    ----------
    prefix : str
        Prefix of the detector's process variables, such as ``"ad:"``.
    ad_setup : callable, optional
        Called with the new detector, last; may wait for the IOC; what it returns is
        ignored.
    bases, plugins, plugin_defaults
        See :func:`ad_class_factory`.
    class_name : str, optional
        Name of the class, unique by default.
    name : str, optional
        Name of the detector; made from the prefix by default.
    validate_ports : bool
        Whether ``wait_for_connection()`` checks that all arrays come from parts of this
        detector.  Staging always does.
    adcore : str or Release, optional
        Release of ADCore, such as ``"R3-4"`` or ``"3.4"``: the classes of camera and plugins are
        made to fit it.  ``"auto"`` asks the camera (``ADCoreVersion_RBV``) for at most the
        detector's ``connection_timeout``, 5 s by default.  By default the classes are taken as
        they are, for R3-4 and later; what the IOC lacks is logged by ``wait_for_connection()``.
    adcore_timeout : float, optional
        Longest wait for that answer in place of ``connection_timeout``, in seconds.
    **kwargs
        Keyword arguments for the detector's class.

    Returns
    -------
    object
        The detector; its ``adcore`` is the release its classes fit, None without one.

    Raises
    ------
    UnknownPluginError, ConfigurationError, ConfigurationTypeError
        See :func:`ad_class_factory`; or nothing takes a keyword argument that is given.
    ConnectionTimeoutError
        ``adcore`` is ``"auto"``, and the IOC doesn't answer.

    Examples
    --------
    >>> det = ad_creator("ad:", name="det", plugins=["cam", "image"])
    >>> det.wait_for_connection(timeout=15)
    """
    if not isinstance(prefix, str):
        raise ConfigurationTypeError(
            f"prefix must be a str, got {type(prefix).__name__}: {prefix!r}."
        )
    if ad_setup is not None and not callable(ad_setup):
        raise ConfigurationTypeError(f"ad_setup must be callable, got {ad_setup!r}.")
    name_of_class = class_name or f"ADclass_{uuid.uuid4().hex[:7]}"
    driver = None
    if isinstance(adcore, str) and adcore == "auto":
        # the class is built twice, first to find the camera
        bases = bases if bases is None or isinstance(bases, type) else tuple(bases)
        if plugins is not None:
            plugins = [{key: given} for key, given in _specs(plugins)]
        plain = _build(name_of_class, bases, plugins, plugin_defaults, None)
        if adcore_timeout is None:
            adcore_timeout = kwargs.get("connection_timeout", CONNECTION_TIMEOUT)
        installed = installed_releases(prefix + _camera_suffix(plain), adcore_timeout)
        adcore, driver = installed.adcore, installed.driver
    cls = _build(name_of_class, bases, plugins, plugin_defaults, _release(adcore), driver)
    name = name or _name_from(prefix)
    try:
        detector: Any = cls(prefix, name=name, **kwargs)
    except TypeError as error:
        refused = refused_keyword(cls, kwargs, error)
        if refused is None:
            raise
        raise ConfigurationTypeError(f"{name}: {refused}") from None
    detector.validate_ports = validate_ports
    if ad_setup is not None:
        ad_setup(detector)
    return detector


def _release(adcore: object) -> Release | None:
    if adcore is None or isinstance(adcore, Release):
        return adcore
    if not isinstance(adcore, str):
        raise ConfigurationTypeError(
            f"adcore must be a str such as 'R3-14', '3.14' or 'auto', got "
            f"{type(adcore).__name__}: {adcore!r}."
        )
    try:
        return Release.parse(adcore)
    except ValueError as error:
        raise ConfigurationError(f"adcore: {error}, or 'auto' to ask the IOC.") from None


def _camera_suffix(cls: Any) -> str:
    """Find the suffix of the camera, which is asked for the release."""
    component = getattr(cls, "cam", None)
    if not isinstance(component, Component):
        raise ConfigurationError(
            f"adcore='auto' asks the camera for its release, and {list(cls.component_names)} hold "
            "no 'cam'; add it, or give the release, as in adcore='R3-14'."
        )
    return component.suffix or ""


def _fitting(key: str, component: Any, adcore: Release | None, driver: Release | None) -> Any:
    """Return the component with the class that fits the release of ADCore."""
    if adcore is None:
        return component
    try:
        cls = class_for(component.cls, adcore, driver)
    except ConfigurationError as error:
        raise ConfigurationError(f"Plugin {key!r}: {error}") from None
    if cls is component.cls:
        return component
    return copy_component(component, cls)


def _fitting_inherited(
    bases: tuple[type, ...], adcore: Release | None, driver: Release | None
) -> dict[str, Any]:
    """List the parts of the base classes that need another class for the release."""
    parts = {
        attr: component
        for base in reversed(bases)
        for attr, component in getattr(base, "_sig_attrs", {}).items()
        if isinstance(component.cls, type)
    }
    fitting = {attr: _fitting(attr, part, adcore, driver) for attr, part in parts.items()}
    return {attr: part for attr, part in fitting.items() if part is not parts[attr]}


def _name_from(prefix: str) -> str:
    return re.sub(r"\W+", "_", prefix).strip("_") or "detector"


def _bases(bases: type | Iterable[type] | None) -> tuple[type, ...]:
    if bases is None:
        return (SingleTrigger_V34, DetectorBase)
    found = (bases,) if isinstance(bases, type) else tuple(bases)
    for base in found:
        if not isinstance(base, type):
            raise ConfigurationTypeError(f"bases must be classes, got {base!r}.")
    if not any(issubclass(base, Device) for base in found):
        raise ConfigurationError(
            f"bases {[b.__name__ for b in found]} hold no ophyd device; add DetectorBase."
        )
    return found


def _specs(plugins: Iterable[PluginSpec]) -> list[tuple[str, dict[str, Any]]]:
    """Bring all ways to name plugins to pairs of name and overrides."""
    if isinstance(plugins, str | bytes) or not isinstance(plugins, Iterable):
        raise ConfigurationTypeError(f"plugins must be a list, got {plugins!r}; {_SPEC}.")
    pairs: list[tuple[str, dict[str, Any]]] = []
    spec: Any
    for spec in [plugins] if isinstance(plugins, Mapping) else plugins:
        if isinstance(spec, str):
            pairs.append((spec, {}))
        elif isinstance(spec, Mapping) and spec:
            pairs.extend((key, _overrides(key, given)) for key, given in spec.items())
        else:
            raise ConfigurationError(f"Plugin {spec!r} can't be used; {_SPEC}.")
    for key, _ in pairs:
        if not isinstance(key, str) or not key.isidentifier() or keyword.iskeyword(key):
            raise ConfigurationError(f"Plugin name {key!r} can't be an attribute's name; {_SPEC}.")
    return pairs


def _overrides(key: str, given: object) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"Plugin {key!r} has the specification {given!r}; {_SPEC}.")
    return dict(given)


def _component(
    key: str, overrides: dict[str, Any], defaults: Mapping[str, Mapping[str, Any]]
) -> ADComponent:
    settings: dict[str, Any] = {**defaults.get(key, {}), **overrides}
    lacking = [word for word in ("class", "suffix") if settings.get(word) is None]
    if lacking:
        advice = (
            f"Or give its {' and '.join(map(repr, lacking))}, as in "
            f"{{{key!r}: {{'class': MyPlugin, 'suffix': 'MyPlugin1:'}}}}."
        )
        raise UnknownPluginError(key, defaults, advice)
    cls = _class(key, settings.pop("class"))
    suffix = settings.pop("suffix")
    if not isinstance(suffix, str):
        raise ConfigurationTypeError(f"Plugin {key!r}: suffix must be a str, got {suffix!r}.")
    settings.setdefault("lazy", False)
    try:
        return ADComponent(cls, suffix, **settings)
    except KeyError:
        raise ConfigurationError(
            f"Plugin {key!r}: kind {settings.get('kind')!r} is unknown; expected one of "
            f"{', '.join(Kind.__members__)}."
        ) from None
    except (TypeError, ValueError) as error:
        raise ConfigurationTypeError(
            f"Plugin {key!r} has settings that ophyd's Component can't use: {error}; {_SPEC}."
        ) from error


def _makes_images(cls: type) -> bool:
    """Tell whether a plugin names images in the events: without them a run can't be read back."""
    made_by = getattr(cls, "generate_datum", None)
    return made_by not in (None, GenerateDatumInterface.generate_datum)


def _class(key: str, given: object) -> type:
    """Find the class of a plugin: given itself, or by its dotted name."""
    cls = given
    if isinstance(given, str):
        try:
            cls = pkgutil.resolve_name(given)
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigurationError(
                f"Plugin {key!r}: class {given!r} can't be imported ({error}); expected a dotted "
                "name such as 'ophyd.areadetector.plugins.StatsPlugin_V34'."
            ) from error
    if not isinstance(cls, type) or not issubclass(cls, Device):
        raise ConfigurationError(
            f"Plugin {key!r}: {given!r} isn't a class of ophyd devices; expected a class, or its "
            "dotted name."
        )
    return cls
