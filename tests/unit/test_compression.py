"""Choices of compression, whatever release of ADCore spells them."""

import numpy as np
import pytest

from adsupport.adcore import KNOWN_RELEASES, compressions
from adsupport.devices.files.compression import choice_index, unknown_choice
from adsupport.devices.plugins import HDF5Plugin, StatsPlugin


@pytest.fixture
def signal():
    plugin = HDF5Plugin("none:", name="p")
    plugin.lazy_wait_for_connection = False
    return plugin.compression


@pytest.mark.parametrize("release", KNOWN_RELEASES, ids=str)
def test_every_spelling_of_every_choice(release):
    choices = compressions(release)
    for number, choice in enumerate(choices):
        for spelling in (choice, choice.lower(), choice.upper(), number, np.int32(number)):
            assert choice_index(choices, spelling) == number
    assert choice_index(choices, "nbit") == choice_index(choices, "N-bit") == 1


@pytest.mark.parametrize("value", ["gzip", "", -1, 99, "Blosc"])
def test_what_is_no_choice(value):
    assert choice_index(compressions("R2-6"), value) is None


@pytest.mark.parametrize(
    ("asked", "release", "since"),
    [
        ("Blosc", "R2-6", "R3-2"),
        ("blosc", "R3-1", "R3-2"),
        ("LZ4", "R3-4", "R3-5"),
        ("bslz4", "R3-4", "R3-5"),
        ("JPEG", "R3-5", "R3-6"),
    ],
)
def test_the_message_says_which_release_has_it(signal, asked, release, since):
    text = unknown_choice(signal, compressions(release), asked, "compression")
    assert f"compression={asked!r}: none:Compression knows None, N-bit, szip, zlib" in text
    assert f"{asked} came with ADCore {since}" in text


def test_nothing_is_said_of_what_never_was(signal):
    assert "came with" not in unknown_choice(signal, compressions("R3-14"), "gzip", "compression")
    plugin = StatsPlugin("none:", name="p")
    plugin.lazy_wait_for_connection = False
    assert "came with" not in unknown_choice(plugin.enable, ["Disable"], "LZ4", "enable")


def test_the_read_backs_spelling_is_not_shown(signal):
    # before R3-5 the read-back says nbit (ADCore's NDFileHDF5.template)
    signal._metadata["enum_strs"] = ("None", "nbit", "szip", "zlib")
    assert signal.enum_strs == ("None", "N-bit", "szip", "zlib")
    signal._metadata["enum_strs"] = None
    assert signal.enum_strs is None
