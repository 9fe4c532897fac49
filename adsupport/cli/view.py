"""``adsupport view``: a page with the latest frame of a detector."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adsupport.cli.ended_by_sigterm import ended_by_sigterm
from adsupport.cli.extras import require

if TYPE_CHECKING:
    from adsupport.imaging.view.file_feed import FileFeed
    from adsupport.imaging.view.plugin_feed import PluginFeed
    from adsupport.imaging.view.publisher_feed import PublisherFeed

__all__ = ["run"]

_FILES = (".h5", ".hdf5", ".hdf", ".nxs", ".nx5")


def run(
    prefix: Annotated[
        str | None, typer.Argument(help="Prefix of the detector's PVs, such as im: .")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="pva, ca, an HDF5 file such as scan.h5 (also one that grows), or the address of"
            " a publisher of frames such as tcp://127.0.0.1:5701.",
            show_default="Pva1 over pvAccess, else image1 over Channel Access",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page; 0: any free one.")
    ] = 0,
    host: Annotated[
        str,
        typer.Option(
            help="Serve the page here, such as 0.0.0.0 for all networks: everybody there can look."
        ),
    ] = "127.0.0.1",
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser.")
    ] = False,
    enable: Annotated[
        bool, typer.Option("--enable", help="Enable the plugin that gives the frames.")
    ] = False,
) -> None:
    """Show the latest frame of a detector on a page, until Ctrl-C.

    The detector is never held up, and none of its settings is changed unless --enable is given.
    """
    require("view", "starlette", "uvicorn", "websockets")
    # imports take a second, too
    with ended_by_sigterm(), contextlib.suppress(KeyboardInterrupt):
        feed = _feed(prefix, source, enable)
        from adsupport.imaging.view import LiveView

        logging.basicConfig(format="adsupport: %(message)s", stream=sys.stderr)
        view = LiveView()
        with view.serve(port, host=host) as page:
            typer.echo(f"{feed.what}: {page.address} (Ctrl-C ends it)")
            if open_page:
                webbrowser.open(page.address)
            feed.run(view, threading.Event())


def _feed(
    prefix: str | None, source: str | None, enable: bool
) -> PluginFeed | FileFeed | PublisherFeed:
    is_address = source is not None and "://" in source
    is_file = source is not None and not is_address and Path(source).suffix.lower() in _FILES
    if is_address or is_file:
        if prefix is not None or enable:
            raise typer.BadParameter(
                f"Expected neither PREFIX nor --enable with {source}.", param_hint="--source"
            )
    elif prefix is None:
        raise typer.BadParameter("Expected the prefix of a detector.", param_hint="PREFIX")
    if is_address and source is not None:
        require("remote", "zmq")
        from adsupport.imaging.view.publisher_feed import PublisherFeed

        return PublisherFeed(source)
    if is_file and source is not None:
        from adsupport.imaging.view.file_feed import FileFeed

        return FileFeed(source)
    if source not in (None, "pva", "ca"):
        raise typer.BadParameter(
            f"{source!r}: expected pva, ca, a file that ends in .h5, or tcp://HOST:PORT.",
            param_hint="--source",
        )
    if source == "pva":
        require("pva", "p4p")
    with contextlib.suppress(ImportError):  # a libca that needs no caRepeater program
        import epicscorelibs.path.pyepics  # noqa: F401
    from adsupport.imaging.view.plugin_feed import PluginFeed

    return PluginFeed(prefix or "", source, enable=enable)  # type: ignore[arg-type]
