"""The matplotlib face."""

from __future__ import annotations

import sys
import types

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.backend_bases import CloseEvent

from adsupport.imaging.view import LiveView


def shown(figure) -> list[np.ndarray]:
    return [axes.images[0].get_array() for axes in figure.axes if axes.images]


def test_the_figure_shows_what_is_there_when_it_is_asked_for(tmp_path):
    view = LiveView(limits=(0, 255))
    figure = view.figure()
    assert shown(figure) == []
    view.show_image("slice z", np.full((4, 6), 100))
    assert view.figure() is figure
    assert (shown(figure)[0] == 100).all()
    view.show_image("slice z", np.full((4, 6), 200), {"angle": 12.5})
    assert (shown(figure)[0] == 100).all()  # nobody draws behind one's back
    view.figure().savefig(tmp_path / "view.png")
    assert (shown(figure)[0] == 200).all()
    assert (tmp_path / "view.png").stat().st_size > 5000
    assert any("12.5°" in axes.get_title() for axes in figure.axes)


def test_one_channel_of_several():
    view = LiveView()
    for name in ("slice x", "slice y", "slice z"):
        view.show_image(name, np.random.default_rng(1).normal(size=(8, 8)))
    assert len(shown(view.figure())) == 3
    assert len(shown(view.figure("slice y"))) == 1


def test_a_window_follows_by_its_timer_alone(monkeypatch):
    monkeypatch.setattr(matplotlib.backend_bases.TimerBase, "start", lambda self: None)
    matplotlib.use("Agg")
    view = LiveView()
    face = view.show(interval=0.05)
    try:
        assert pyplot.fignum_exists(face.figure.number)
        view.show_image("slice z", np.ones((3, 3)))
        assert shown(face.figure) == []
        for callback, arguments, options in face._timer.callbacks:
            callback(*arguments, **options)
        assert len(shown(face.figure)) == 1
        assert view.show() is face
    finally:
        face.stop()
        pyplot.close("all")


def test_a_notebook_with_inline_pictures_is_brought_up_to_date_by_a_call(monkeypatch):
    outputs: list[str] = []

    class Output:
        def update(self, figure):
            outputs.append(f"{len(shown(figure))} images")

    def display(figure, display_id):
        assert display_id is True
        outputs.append("displayed")
        return Output()

    monkeypatch.setattr(matplotlib, "get_backend", lambda: "module://matplotlib_inline.backend")
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    module = types.ModuleType("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    view = LiveView()
    view.show()
    view.show_image("slice z", np.ones((3, 3)))
    view.show()
    assert outputs == ["displayed", "1 images"]


@pytest.mark.parametrize("angle", ["12", None, float("nan")])
def test_texts_are_shown_as_they_are(angle, tmp_path):
    view = LiveView()
    view.show_image("a$\\frac{$b", np.ones((2, 2)), {"angle": angle})
    view.model.begin("a$\\frac{$b", "waits for $(P)cam1:\\q$")
    view.model.link(False, "$(P)\\q$ doesn't answer")
    figure = view.figure()
    figure.savefig(tmp_path / "view.png")
    assert figure.axes[0].get_title() == "a$\\frac{$b\nwaits for $(P)cam1:\\q$"


@pytest.mark.slow
def test_many_channels_stand_in_rows(tmp_path, recwarn):
    view = LiveView()
    for number in range(9):
        view.show_image(f"slice {number}", np.ones((2, 2)))
    view.figure().savefig(tmp_path / "view.png", dpi=20)
    assert len(shown(view.figure())) == 9
    assert tuple(view.figure().get_size_inches()) == (22, 18)
    assert not [each for each in recwarn if "constrained" in str(each.message)]


@pytest.fixture
def windows(monkeypatch):
    monkeypatch.setattr(matplotlib.backend_bases.TimerBase, "start", lambda self: None)
    matplotlib.use("Agg")
    yield
    pyplot.close("all")


@pytest.mark.usefixtures("windows")
def test_two_views_have_a_window_each():
    one, other = LiveView(), LiveView()
    one.show_image("slice x", np.ones((2, 2)))
    other.show_image("slice y", np.ones((3, 3)))
    windows = one.show(), other.show()
    assert windows[0].figure is not windows[1].figure
    one.show_image("slice x", np.ones((4, 4)))
    assert [len(shown(each.update())) for each in windows] == [1, 1]


@pytest.mark.usefixtures("windows")
def test_the_figure_of_a_window_that_was_closed_is_not_drawn_into():
    view = LiveView()
    view.show_image("slice x", np.ones((2, 2)))
    closed = view.show().figure
    CloseEvent("close_event", closed.canvas)._process()
    pyplot.close(closed)
    view.show_image("slice x", np.ones((4, 4)))
    assert view.figure() is not closed and len(shown(view.figure())) == 1
    again = view.show().figure
    assert again is not closed and pyplot.fignum_exists(again.number)


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        LiveView().figure()
