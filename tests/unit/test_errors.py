"""The errors: what they are, and how they read."""

import copy
import pickle

import pytest

from adsupport import errors

BUILTINS = {
    "NamingError": ValueError,
    "PathMapError": ValueError,
    "ConfigurationError": ValueError,
    "ConfigurationTypeError": TypeError,
    "UnknownPortError": RuntimeError,
    "ConnectionTimeoutError": TimeoutError,
    "PutError": TimeoutError,
    "UnknownPluginError": KeyError,
    "UnprimedError": RuntimeError,
    "FileExistsRefusedError": FileExistsError,
    "FileWriteError": OSError,
    "PluginBusyError": RuntimeError,
    "AcquireTimeoutError": TimeoutError,
    "FrameCountError": RuntimeError,
    "DroppedFramesError": RuntimeError,
    "FaultError": ValueError,
}


@pytest.mark.parametrize(("name", "builtin"), BUILTINS.items())
def test_each_error_is_also_the_builtin_that_callers_catch(name, builtin):
    cls = getattr(errors, name)
    assert issubclass(cls, builtin)
    assert issubclass(cls, errors.AdsupportError)
    with pytest.raises(builtin, match="what is wrong"):
        raise cls("what is wrong")


def test_every_public_error_is_tested_or_the_base():
    public = {
        name for name in errors.__all__ if issubclass(getattr(errors, name), errors.AdsupportError)
    }
    assert set(BUILTINS) <= public
    for name in public - {"AdsupportError"}:
        assert len(getattr(errors, name).__mro__) > len(errors.AdsupportError.__mro__)


def test_unknown_plugin_reads_as_a_sentence_and_suggests_the_nearest():
    error = errors.UnknownPluginError("hfd1", ["cam", "hdf1", "stats1"])
    assert str(error) == ("Unknown plugin 'hfd1'. Did you mean 'hdf1'? Known: cam, hdf1, stats1.")
    assert error.suggestion == "hdf1"


def test_unknown_plugin_suggests_nothing_when_nothing_is_near():
    error = errors.UnknownPluginError("zzz", ["cam"], "Or give its 'class'.")
    assert error.suggestion is None
    assert str(error) == "Unknown plugin 'zzz'. Known: cam. Or give its 'class'."


def test_capital_letters_do_not_hide_the_nearest():
    assert errors.UnknownPluginError("HDF1", ["cam", "hdf1"]).suggestion == "hdf1"


@pytest.mark.parametrize("clone", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])
def test_errors_survive_pickling(clone):
    error = clone(errors.UnknownPluginError("hfd1", ["hdf1"], "advice"))
    assert (error.key, error.known, error.suggestion) == ("hfd1", ("hdf1",), "hdf1")
    assert "advice" in str(error)
    missing = clone(errors.ConnectionTimeoutError("lost", ["ad:x"]))
    assert missing.missing == ("ad:x",)
    assert str(missing) == "lost"


def test_os_errors_read_as_their_message():
    assert str(errors.FileWriteError("path missing")) == "path missing"


@pytest.mark.parametrize("clone", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])
@pytest.mark.parametrize("name", ["FileWriteError", "FrameCountError", "DroppedFramesError"])
def test_errors_about_frames_tell_where_how_many_and_which(clone, name):
    made = getattr(errors, name)("2 lost", plugin="hdf1", expected=5, got=3, missing=[8, 9])
    error = clone(made)
    assert str(error) == "2 lost"
    assert (error.plugin, error.expected, error.got) == ("hdf1", 5, 3)
    assert error.missing == (8, 9)


@pytest.mark.parametrize(
    ("problem", "remedy", "text"),
    [
        ("name is empty", "give it a name.", "name is empty; give it a name."),
        ("It exists already.", "Choose another.", "It exists already. Choose another."),
        ("path is empty:", "put one.", "path is empty: put one."),
        ("It is gone.", "", "It is gone."),
    ],
)
def test_a_remedy_is_told_behind_what_is_wrong(problem, remedy, text):
    error = errors.NamingError(problem, remedy=remedy)
    assert (error.problem, error.remedy, str(error)) == (problem, remedy, text)


@pytest.mark.parametrize("clone", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])
@pytest.mark.parametrize(
    "name", ["FileExistsRefusedError", "FileWriteError", "ConnectionTimeoutError", "NamingError"]
)
def test_a_remedy_survives_pickling(clone, name):
    error = clone(getattr(errors, name)("It exists already.", remedy="Choose another."))
    assert str(error) == "It exists already. Choose another."
    assert error.remedy == "Choose another."


def test_the_advice_about_an_unknown_plugin_is_its_remedy():
    error = errors.UnknownPluginError("zzz", ["cam"], "Or give its 'class'.")
    assert (error.problem, error.remedy) == ("Unknown plugin 'zzz'. Known: cam.", error.advice)
