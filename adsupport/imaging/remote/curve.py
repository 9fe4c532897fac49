"""Who may have frames over the network: addresses on loopback, or CURVE keys."""

from __future__ import annotations

import contextlib
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...errors import ConfigurationError, OutputExistsError

__all__ = ["CurveKeys", "authenticator", "check_address", "make_keys"]


_KEY = 40  # characters


@dataclass(frozen=True)
class CurveKeys:
    """Keys of one side, made by :func:`make_keys`.

    Parameters
    ----------
    own : path
        The file with this side's secret key, ``NAME.key_secret``.
    others : path
        Of a publisher the directory with the public keys of the consumers that may connect; of a
        consumer the file with the publisher's public key, ``NAME.key``.
    """

    own: Path | str
    others: Path | str

    def pair(self) -> tuple[bytes, bytes]:
        """Read the public and the secret key of this side.

        Raises
        ------
        ConfigurationError
            The file has none, or others may read it.
        """
        path = Path(self.own)
        public, secret = _load(path)
        if secret is None:
            raise ConfigurationError(
                f"own={str(path)!r} has no secret key.", remedy="Give the file *.key_secret."
            )
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(
                f"own={str(path)!r} can be read by others.", remedy=f"chmod 600 {path}"
            )
        return public, secret

    def server(self) -> bytes:
        """Read the public key of the publisher.

        Raises
        ------
        ConfigurationError
            The file has none.
        """
        return _load(Path(self.others))[0]

    def clients(self) -> Path:
        """Return the directory of the consumers' public keys.

        Raises
        ------
        ConfigurationError
            It has none, or a file *.key in it is no key.
        """
        directory = Path(self.others)
        known = sorted(directory.glob("*.key"))
        for each in known:
            _load(each)  # one that can't be read would shut out all
        if not known:
            raise ConfigurationError(
                f"others={str(directory)!r}: no file *.key of a consumer is in there.",
                remedy="Copy the consumers' NAME.key there; NAME.key_secret stays where it is.",
            )
        return directory


def make_keys(directory: Path | str, name: str) -> tuple[Path, Path]:
    """Make a pair of keys for a publisher or a consumer.

    Parameters
    ----------
    directory : path
        Where the files are written; it is made when it's missing.
    name : str
        Of the files.

    Returns
    -------
    tuple of Path
        ``NAME.key``, which the other side needs, and ``NAME.key_secret``, which nobody but its
        owner can read.

    Raises
    ------
    ConfigurationError
        The name has a slash.
    OutputExistsError
        There are such keys.
    """
    zmq_auth = _zmq_auth()
    if not name or Path(name).name != name:
        raise ConfigurationError(f"name={name!r}: expected the name of a file.")
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    for path in (folder / f"{name}.key", folder / f"{name}.key_secret"):
        if path.exists():
            raise OutputExistsError(
                f"{path} exists.", path=path, remedy="Choose another name, or remove it."
            )
    before = os.umask(0o077)
    try:
        public, secret = zmq_auth.create_certificates(folder, name)
    finally:
        os.umask(before)
    return Path(public), Path(secret)


def check_address(address: str, keys: CurveKeys | None) -> None:
    """Refuse an address that others can reach, unless there are keys.

    Parameters
    ----------
    address : str
        Such as ``tcp://127.0.0.1:5701`` or ``ipc:///run/frames``.
    keys : CurveKeys or None
        Of this side.

    Raises
    ------
    ConfigurationError
        It is no such address, or there are no keys for one that isn't on loopback.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        valid = (parts.scheme == "ipc" and len(address) > 6) or (
            parts.scheme == "tcp"
            and host
            and (parts.port is not None or address.endswith(":*"))
            and not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
        )
    except ValueError:
        # urlsplit takes no * for a port
        valid, host = address.startswith("tcp://") and address.endswith(":*"), address[6:-2]
        parts = urlsplit("tcp:")
    if not valid:
        raise ConfigurationError(
            f"address={address!r}: expected tcp://HOST:PORT or ipc://PATH.",
            remedy="On one machine: tcp://127.0.0.1:5701.",
        )
    if keys is None and parts.scheme == "tcp" and not _is_loopback(host):
        raise ConfigurationError(
            f"address={address!r} can be reached by others, and there are no keys.",
            remedy="Use 127.0.0.1 (and a tunnel of ssh), or give keys=CurveKeys(...).",
        )


@contextlib.contextmanager
def authenticator(context: Any, keys: CurveKeys | None) -> Any:
    """Let the consumers in whose public keys are known.

    Parameters
    ----------
    context : zmq.Context
        Of the publisher's socket.
    keys : CurveKeys or None
        Of the publisher; None: nothing is done.

    Yields
    ------
    None
        While the publisher serves.
    """
    if keys is None:
        yield
        return
    from zmq.auth.thread import ThreadAuthenticator

    judge = ThreadAuthenticator(context)
    judge.start()
    try:
        judge.configure_curve(domain="*", location=str(keys.clients()))
        yield
    finally:
        judge.stop()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _load(path: Path) -> tuple[bytes, bytes | None]:
    try:
        public, secret = _zmq_auth().load_certificate(path)
        if len(public) != _KEY or (secret is not None and len(secret) != _KEY):
            raise ValueError(f"a key in it hasn't {_KEY} characters")
        return public, secret
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path} is no file of a CURVE key: {error}",
            remedy="adsupport.imaging.remote.make_keys(directory, name) makes a pair.",
        ) from None


def _zmq_auth() -> Any:
    import zmq.auth

    return zmq.auth
