"""One detector of a declaration: checked first, built later."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Mapping
from typing import Any

from ...errors import ConfigurationError, ConnectionTimeoutError, UnknownPluginError
from ..factory import ad_class_factory, ad_creator
from ..keyword_arguments import COMPONENT_ARGUMENTS, keywords_of
from .limits import check_name
from .place import Place

__all__ = ["DeclaredDetector", "declared_paths"]

_TEMPLATES = ("write_path_template", "read_path_template")
#: Arguments of ``ad_creator``, which aren't those of a detector's class.
_CREATOR = ("name", "prefix", "plugins", "bases", "adcore", "class_name", "validate_ports")


def declared_paths(place: Place, given: object) -> dict[str, dict[str, str]]:
    """Check the named paths of a declaration.

    Parameters
    ----------
    place : Place
        Where they are.
    given : object
        What is there; None is no path.

    Returns
    -------
    dict of str to dict
        The path templates by name.

    Raises
    ------
    ConfigurationError
        Something there can't be used.
    """
    if given is None:
        return {}
    paths: dict[str, dict[str, str]] = {}
    for name, entry in place.mapping(given, "names of paths").items():
        where = place / name
        templates = where.mapping(entry, " and ".join(_TEMPLATES))
        where.known(templates, _TEMPLATES)
        if _TEMPLATES[0] not in templates:
            raise where.error(f"{_TEMPLATES[0]} is missing.")
        paths[name] = {key: (where / key).text(value) for key, value in templates.items()}
    return paths


class DeclaredDetector:
    """A detector as it is declared.

    Parameters
    ----------
    place : Place
        Where it is declared.
    settings : mapping
        What is declared.
    paths : mapping
        Path templates by name.

    Raises
    ------
    ConfigurationError
        Name, prefix or a plugin can't be used.
    """

    def __init__(
        self, place: Place, settings: Mapping[str, Any], paths: Mapping[str, Mapping[str, str]]
    ) -> None:
        self.place = place
        for key in ("name", "prefix"):
            if key not in settings:
                raise place.error(f"{key!r} is missing{_instead(key, settings)}")
        self.name = check_name(place / "name", (place / "name").text(settings["name"]))
        self.prefix = (place / "prefix").text(settings["prefix"], empty=True)
        if any(each.isspace() for each in self.prefix):
            raise (place / "prefix").error(f"a PV's name has no blanks, got {self.prefix!r}.")
        self._paths = paths
        self._arguments = {k: v for k, v in settings.items() if k not in ("name", "prefix")}
        for key in ("adcore", "class_name"):
            if self._arguments.get(key) is not None:
                (place / key).text(self._arguments[key])
        if not isinstance(settings.get("validate_ports", True), bool):
            raise (place / "validate_ports").error("expected true or false.")
        if "bases" in settings:
            self._arguments["bases"] = self._bases(place / "bases", settings["bases"])
        #: Where each plugin is declared.
        self._places: dict[str, Place] = {}
        if "plugins" in settings:
            self._arguments["plugins"] = [
                self._plugin(where, entry)
                for where, entry in (place / "plugins").items(settings["plugins"])
            ]

    def _bases(self, place: Place, given: object) -> list[type]:
        names = [given] if isinstance(given, str) else given
        bases = []
        for where, entry in place.items(names):
            name = where.text(entry)
            try:
                cls = pkgutil.resolve_name(name)
            except (ImportError, AttributeError, ValueError) as error:
                raise where.error(
                    f"{name!r} can't be imported ({error}); expected a dotted name such as "
                    "'adsupport.devices.SingleTrigger_V34'."
                ) from error
            if not isinstance(cls, type):
                raise where.error(f"{name!r} isn't a class.")
            bases.append(cls)
        return bases

    def _plugin(self, place: Place, entry: object) -> Any:
        if isinstance(entry, str):
            self._places.setdefault(entry, place)
            return entry
        plugins = place.mapping(entry, "a plugin's name and its settings")
        for key, given in plugins.items():
            where = place / key
            self._places.setdefault(key, where)
            if given is None:
                continue
            settings = plugins[key] = where.mapping(given, "settings such as class and suffix")
            if "paths" in settings:
                settings.update(self._templates(where / "paths", settings))
        return plugins

    def _templates(self, place: Place, settings: dict[str, Any]) -> Mapping[str, str]:
        name = place.text(settings.pop("paths"))
        place.known([name], self._paths)
        for key in _TEMPLATES:
            if key in settings:
                raise place.error(f"and {key!r} both say where the files are; give one of them.")
        return self._paths[name]

    def check(self) -> None:
        """Make the class, and check that it knows every setting.

        Raises
        ------
        ConfigurationError
            Something can't be used; the message says where it is.
        """
        known = {"bases", "plugins", "adcore"}
        given = {k: v for k, v in self._arguments.items() if k in known and v is not None}
        if given.get("adcore") == "auto":
            del given["adcore"]
        # the detector's name need not be a class's: 'top-view'
        name = self._arguments.get("class_name") or "Declared"
        try:
            cls: Any = ad_class_factory(name, **given)
        except (ConfigurationError, UnknownPluginError) as error:
            raise self.place.error(str(error)) from error
        self.place.known(self._arguments, {*_CREATOR, *keywords_of(cls)})
        for key, where in self._places.items():
            component = getattr(cls, key)
            where.known(
                component.kwargs, {"paths", *COMPONENT_ARGUMENTS, *keywords_of(component.cls)}
            )

    def make(self, timeout: float | None = None) -> Any:
        """Build the detector.

        Parameters
        ----------
        timeout : float, optional
            Longest wait for the IOC's release, in seconds; the detector's ``connection_timeout``
            by default.

        Returns
        -------
        object
            The detector.

        Raises
        ------
        ConfigurationError
            The class refuses a setting.
        ConnectionTimeoutError
            ``adcore`` is ``"auto"``, and the IOC doesn't answer.
        """
        try:
            return ad_creator(
                self.prefix, name=self.name, adcore_timeout=timeout, **self._arguments
            )
        except ConnectionTimeoutError:
            raise
        except (ValueError, TypeError, LookupError) as error:
            raise self.place.error(str(error)) from error


def _instead(missing: str, settings: Mapping[str, Any]) -> str:
    """Tell what is there in place of a key: what else a detector takes, its class decides later."""
    others = [key for key in settings if key not in _CREATOR]
    for key in difflib.get_close_matches(missing, others, n=1, cutoff=0.7):
        return f", and {key!r} is unknown. Did you mean {missing!r}?"
    return f"; given: {', '.join(map(repr, settings))}." if settings else "."
