"""Check the parts of an IOC that a user names, or that a run would need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from adsupport.errors import AdsupportError, ConfigurationError, ConnectionTimeoutError

if TYPE_CHECKING:
    from adsupport.devices import CheckReport, Finding, PlannedRun
    from adsupport.devices.ioc.introspection import IOCDescription

__all__ = ["check_ioc", "unreachable"]


def unreachable(subject: str, error: ConnectionTimeoutError) -> CheckReport:
    """Report that nothing of an IOC answers.

    Parameters
    ----------
    subject : str
        Its prefix, or the file that declares it.
    error : ConnectionTimeoutError
        What was missing.

    Returns
    -------
    CheckReport
        With this one error.
    """
    from adsupport.devices import CheckReport, Finding

    lost = Finding.of_error(subject, error, "Is the IOC running?", "connection")
    return CheckReport(subject, subject, (lost,))


def check_ioc(
    prefix: str,
    keys: list[str],
    templates: dict[str, str],
    planned: PlannedRun,
    write: bool,
    timeout: float,
) -> CheckReport:
    """Build a detector of what an IOC has, and check it.

    Parameters
    ----------
    prefix : str
        Prefix of the IOC's process variables.
    keys : list of str
        The plugins, and perhaps a camera; by default the first camera, and what a run would need.
    templates : dict of str to str
        Path templates of the file plugins that record.
    planned : PlannedRun
        The run that is planned.
    write : bool
        Whether a probe is to be written.
    timeout : float
        Longest wait for the IOC, in seconds.

    Returns
    -------
    CheckReport
        Named as the prefix.

    Raises
    ------
    typer.BadParameter
        A key is no plugin, or there are two cameras.
    """
    from adsupport.devices import CheckReport, Finding, ad_creator, check
    from adsupport.devices.ioc.introspection import describe_ioc

    try:
        ioc = describe_ioc(prefix, timeout)
    except ConnectionTimeoutError as error:
        return unreachable(prefix, error)
    camera, keys = _camera(ioc, keys)
    absent, notes = _absent(ioc, keys), []
    for key, suffix in absent.items():
        notes.append(
            Finding(
                "error",
                f"{prefix}{suffix}",
                f"{key} is missing: nothing under {prefix + suffix!r} answers",
                "Is the plugin loaded in the IOC (commonPlugins.cmd)? It has "
                f"{', '.join(part.key for part in ioc.parts)}.",
                "connection",
            )
        )
    try:
        wanted = _wanted(ioc, camera, [key for key in keys if key not in absent])
        chosen = ioc.select(*wanted, camera=camera)
        notes += _choice(chosen, wanted)
        specs = _specs(chosen, wanted, templates)
        detector = ad_creator(prefix, name="det", plugins=specs, adcore=ioc.adcore)
    except AdsupportError as error:
        notes.append(Finding.of_error(prefix, error, "Correct that first.", "ports"))
        return CheckReport(prefix, prefix, tuple(notes))
    report = check(detector, run=planned, write=write, timeout=timeout)
    return CheckReport(prefix, prefix, (*notes, *report.findings))


def _absent(ioc: IOCDescription, keys: list[str]) -> dict[str, str]:
    """Name the plugins asked for that the IOC hasn't, with their suffixes; refuse other words."""
    from adsupport.devices import PLUGIN_DEFAULTS

    known = {part.key for part in ioc.parts}
    for key in keys:
        if key not in known and key not in PLUGIN_DEFAULTS:
            raise typer.BadParameter(
                f"{key!r} is no plugin; expected one of {', '.join(sorted(known))}.",
                param_hint="--plugins",
            )
    return {key: PLUGIN_DEFAULTS[key]["suffix"] for key in keys if key not in known}


def _camera(ioc: IOCDescription, keys: list[str]) -> tuple[str | None, list[str]]:
    """Part the camera of the detector, if the user names one, from the plugins."""
    cameras = [camera.key for camera in ioc.cameras]
    named = list(dict.fromkeys(key for key in keys if key in cameras))
    if len(named) > 1:
        raise typer.BadParameter(
            f"{' and '.join(named)} are cameras, and a detector has one: check each by itself.",
            param_hint="--plugins",
        )
    return next(iter(named), None), [key for key in keys if key not in cameras]


def _wanted(ioc: IOCDescription, camera: str | None, keys: list[str]) -> list[str]:
    """Choose the plugins to check, unless the user has."""
    from adsupport.devices.ioc.classes import RECORDING

    if keys:
        return keys
    first = [each.key for each in ioc.cameras[:1]]
    # what no camera feeds is with the first, unless another one is wanted
    sources = [*first, None] if camera in (None, *first) else [camera]
    fed = [part for part in ioc.parts if not part.is_camera and part.camera in sources]
    images = [part for part in fed if part.type_name == "NDPluginStdArrays"]
    writers = [part for part in fed if part.type_name in RECORDING]
    hdf5 = [part for part in writers if part.type_name == "NDFileHDF5"][:1]
    chosen = images[:1] + [part for part in writers if part.enabled or part in hdf5]
    if not chosen:
        whose = f" that {camera} feeds" if camera else ""
        raise ConfigurationError(f"{ioc.prefix!r} has no file plugin{whose} that could be checked.")
    return [part.key for part in chosen]


def _choice(chosen: IOCDescription, wanted: list[str]) -> list[Finding]:
    """Say what is checked, and which plugins are needed besides those that are wanted."""
    from adsupport.devices import Finding

    parts = ", ".join(f"{part.key} ({part.suffix})" for part in chosen.parts)
    findings = [Finding("ok", chosen.prefix, f"checked: {parts}", topic="connection")]
    for added in chosen.parts:
        if added.is_camera or added.key in wanted:
            continue
        fed = [part.key for part in chosen.parts if part.source_port == added.port]
        findings.append(
            Finding(
                "warning",
                f"{chosen.prefix}{added.suffix}",
                f"{' and '.join(fed)} {'get their' if len(fed) > 1 else 'gets its'} arrays from "
                f"{added.port}: a detector needs {added.key} too",
                f"Add {added.key!r} to the plugins of the detector, or put NDArrayPort to the "
                "camera's port.",
                "ports",
            )
        )
    return findings


def _specs(chosen: IOCDescription, wanted: list[str], templates: dict[str, str]) -> list[Any]:
    """Say how to build the parts; those file plugins that are wanted record."""
    from adsupport.devices.ioc.classes import RECORDING

    return [
        {
            part.key: {
                "class": RECORDING[part.type_name],
                "suffix": part.suffix,
                **templates,
            }
        }
        if part.key in wanted and part.type_name in RECORDING
        else part.spec
        for part in chosen.parts
    ]
