"""Detectors declared in YAML and TOML: without any IOC."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ophyd import SingleTrigger
from ophyd.areadetector import DetectorBase
from ophyd.areadetector.plugins import StatsPlugin_V34
from ophyd.ophydobj import Kind

from adsupport.devices import AD_EpicsFileNameHDF5Plugin, SingleTrigger_V34, load_detectors
from adsupport.devices.declared import detector as declared_detector
from adsupport.errors import AdsupportError, ConfigurationError, ConfigurationTypeError

from .declaring import one

YAML = """
paths:
  data:
    write_path_template: /data/%Y/%m/%d/
    read_path_template: /mnt/ioc/data/%Y/%m/%d/
defaults:
  frame_policy: warn
  adcore: R3-14
detectors:
  - name: adsimdet
    prefix: "none:"
    image_name: pictures
    plugins:
      - cam
      - image
      - hdf1:
          class: adsupport.devices.AD_EpicsFileNameHDF5Plugin
          paths: data
          if_exists: bump
          kind: config
      - stats1:
          class: ophyd.areadetector.plugins.StatsPlugin_V34
          suffix: "Stats7:"
  - name: second
    prefix: "other:"
    frame_policy: record
    adcore: R3-4
    bases: [adsupport.devices.SingleTrigger_V34, ophyd.areadetector.DetectorBase]
    class_name: Second
"""

TOML = r"""
[paths.data]
write_path_template = "/data/%Y/%m/%d/"
read_path_template = "/mnt/ioc/data/%Y/%m/%d/"

[defaults]
frame_policy = "warn"
adcore = "R3-14"

[[detectors]]
name = "adsimdet"
prefix = "none:"
image_name = "pictures"
plugins = [
  "cam",
  "image",
  { hdf1 = { paths = "data", if_exists = "bump", kind = "config", class = "@H" } },
  { stats1 = { class = "ophyd.areadetector.plugins.StatsPlugin_V34", suffix = "Stats7:" } },
]

[[detectors]]
name = "second"
prefix = "other:"
frame_policy = "record"
adcore = "R3-4"
bases = ["adsupport.devices.SingleTrigger_V34", "ophyd.areadetector.DetectorBase"]
class_name = "Second"
""".replace("@H", "adsupport.devices.AD_EpicsFileNameHDF5Plugin")


@pytest.fixture(params=["yaml", "yml", "toml", "yaml text", "toml text"])
def declared(request, tmp_path):
    """The same detectors, declared in each way."""
    language, _, text = request.param.partition(" ")
    content = TOML if language == "toml" else YAML
    if text:
        return load_detectors(content, format=language)
    file = tmp_path / f"beamline.{language}"
    file.write_text(content)
    return load_detectors(file if language == "yaml" else str(file))


class TestGoodDeclarations:
    def test_names_and_prefixes(self, declared):
        assert {name: det.prefix for name, det in declared.items()} == {
            "adsimdet": "none:",
            "second": "other:",
        }
        assert all(det.name == name for name, det in declared.items())

    def test_plugins_are_those_of_ad_creator(self, declared):
        det = declared["adsimdet"]
        assert isinstance(det.hdf1, AD_EpicsFileNameHDF5Plugin)
        assert det.hdf1.if_exists == "bump"
        assert det.hdf1.kind == Kind.config
        assert det.image.kind == Kind.omitted
        assert isinstance(det.stats1, StatsPlugin_V34)
        assert det.stats1.prefix == "none:Stats7:"
        assert det.image.prefix == "none:image1:"
        assert not hasattr(declared["second"], "image")

    def test_paths_are_taken_by_their_name(self, declared):
        hdf1 = declared["adsimdet"].hdf1
        assert hdf1.write_path_template == "/data/%Y/%m/%d/"
        assert hdf1.read_path_template == "/mnt/ioc/data/%Y/%m/%d/"

    def test_a_detectors_own_setting_wins_over_the_default(self, declared):
        assert declared["adsimdet"].frame_policy == "warn"
        assert declared["second"].frame_policy == "record"
        assert [str(det.adcore) for det in declared.values()] == ["R3-14", "R3-4"]

    def test_bases_and_class_name(self, declared):
        assert isinstance(declared["second"], SingleTrigger_V34)
        assert isinstance(declared["second"], DetectorBase)
        assert type(declared["second"]).__name__ == "Second"

    def test_a_base_of_another_library(self):
        text = one("bases: [ophyd.SingleTrigger, ophyd.areadetector.DetectorBase]")
        assert isinstance(load_detectors(text)["det"], SingleTrigger)

    def test_one_base_needs_no_list(self):
        assert isinstance(
            load_detectors(one("bases: adsupport.devices.SingleTrigger_V34"))["det"],
            SingleTrigger_V34,
        )

    def test_no_detectors_is_no_error(self):
        assert load_detectors("detectors:\n  []\n") == {}

    def test_a_plugin_without_settings_may_have_a_colon(self):
        assert load_detectors(one("plugins: [cam, {image: null}]"))["det"].image

    def test_an_empty_prefix_is_meant(self):
        assert (
            load_detectors('detectors:\n- {name: det, prefix: ""}\n')["det"].cam.prefix == "cam1:"
        )

    def test_anchors_can_be_shared(self):
        text = (
            "paths: {data: {write_path_template: /d/}}\n"
            "detectors:\n"
            "- {name: a, prefix: 'none:', plugins: &p [cam, {hdf1: {paths: data}}]}\n"
            "- {name: b, prefix: 'none:', plugins: *p}\n"
        )
        assert [d.hdf1.write_path_template for d in load_detectors(text).values()] == ["/d/"] * 2

    def test_what_is_merged_in_may_be_given_again(self):
        # YAML takes maps level by level, so merges those of the plugin into the path first
        text = (
            "detectors:\n"
            "- name: a\n"
            "  prefix: 'none:'\n"
            "  plugins:\n"
            "  - cam\n"
            "  - hdf1: &h {<<: {write_path_template: /a/}, write_path_template: /b/}\n"
            "paths: {y: {<<: *h}}\n"
        )
        assert load_detectors(text)["a"].hdf1.write_path_template == "/b/"

    def test_a_name_that_no_class_could_have(self):
        made = load_detectors("detectors:\n- {name: top-view, prefix: 'none:'}\n")
        assert made["top-view"].name == "top-view"

    def test_constructor_arguments_reach_the_class(self):
        det = load_detectors(one("connection_timeout: 7.5\n  acquire_timeout: 3"))["det"]
        assert det.connection_timeout == 7.5
        assert det.acquire_timeout == 3


class TestBadDeclarations:
    def test_toml_that_is_none(self):
        with pytest.raises(ConfigurationError, match="isn't TOML"):
            load_detectors("detectors =\n", format="toml")

    def test_toml_with_a_key_twice(self):
        with pytest.raises(ConfigurationError, match="isn't TOML"):
            load_detectors("[paths]\n[paths]\n", format="toml")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (f"x = {'[' * 20_000}\n", "isn't TOML that can be used: nested too deep"),
            (f"x = {'{a=' * 20_000}\n", "isn't TOML that can be used: nested too deep"),
            (f"x = {'[' * 40}{']' * 40}\n", "nested deeper than 20 levels"),
            (f"[detectors.{'.'.join('a' * 5000)}]\n", "nested deeper than 20 levels"),
            (f"x = {'1' * 9999}\n", "isn't TOML"),
            ("x = 1\nx = 2\n", "isn't TOML"),
            ("x = \0\n", "isn't TOML"),
        ],
    )
    def test_hostile_toml(self, text, message):
        with pytest.raises(ConfigurationError, match=message):
            load_detectors(text, format="toml")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("detectors: []".encode("utf-16"), "can't be read: 'utf-8' .* Save it as UTF-8"),
            (b"name: \xff", "can't be read: 'utf-8' .* Save it as UTF-8"),
            (b"#" * 200_001, "has 200001 bytes, and a declaration may have 200000"),
        ],
    )
    def test_files_that_are_no_declaration(self, tmp_path, content, message):
        file = tmp_path / "x.yaml"
        file.write_bytes(content)
        with pytest.raises(ConfigurationError, match=message) as caught:
            load_detectors(file)
        assert str(caught.value).count(str(file)) == 1

    @pytest.mark.parametrize("language", ["yaml", "toml"])
    def test_a_mark_of_byte_order_does_not_matter(self, tmp_path, language):
        file = tmp_path / f"x.{language}"
        file.write_bytes(b"\xef\xbb\xbf" + (TOML if language == "toml" else YAML).encode())
        assert list(load_detectors(file)) == ["adsimdet", "second"]

    def test_a_pipe_is_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "x.yaml")
        with pytest.raises(ConfigurationError, match="isn't a plain file"):
            load_detectors(tmp_path / "x.yaml")

    def test_a_name_that_no_file_can_have(self):
        with pytest.raises(ConfigurationError, match="can't be read"):
            load_detectors("a\0b.yaml")

    @pytest.mark.parametrize("source", [None, 5, b"detectors: []\n"])
    def test_what_is_no_name_and_no_text(self, source):
        with pytest.raises(ConfigurationTypeError, match=r"load_detectors: expected the name of a"):
            load_detectors(source)

    def test_the_file_is_named(self, tmp_path):
        file = tmp_path / "beamline.yaml"
        file.write_text(one("frame_polcy: warn"))
        with pytest.raises(ConfigurationError) as caught:
            load_detectors(file)
        assert str(caught.value).startswith(f"{file}: detectors[0].frame_polcy: unknown.")

    @pytest.mark.parametrize("name", ["missing.yaml", "."])
    def test_a_file_that_can_not_be_read(self, tmp_path, name):
        with pytest.raises(ConfigurationError, match=r"can't be read|tells no format"):
            load_detectors(tmp_path / name)

    def test_a_file_that_is_no_text(self, tmp_path):
        (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ConfigurationError, match="can't be read"):
            load_detectors(tmp_path / "x.toml")

    def test_another_extension(self, tmp_path):
        file = tmp_path / "beamline.conf"
        file.write_text(YAML)
        with pytest.raises(ConfigurationError, match=r"'\.conf' tells no format.*\.toml"):
            load_detectors(file)
        assert list(load_detectors(file, format="yaml")) == ["adsimdet", "second"]

    def test_another_language(self):
        with pytest.raises(ConfigurationError, match="expected 'yaml' or 'toml', got 'json'"):
            load_detectors(YAML, format="json")

    @pytest.mark.parametrize("wrong", ["frame_policy: shrug", "frame_polcy: warn", "plugins: [no]"])
    def test_nothing_is_left_when_anything_is_wrong(self, monkeypatch, wrong):
        made = []

        def create(*args, **kwargs):
            made.append(declared_detector_creator(*args, **kwargs))
            return made[-1]

        declared_detector_creator = declared_detector.ad_creator
        monkeypatch.setattr(declared_detector, "ad_creator", create)
        text = f"{one()}- name: bad\n  prefix: 'none:'\n  {wrong}\n"
        with pytest.raises(ConfigurationError, match=r"detectors\[1\]"):
            load_detectors(text)
        assert all(det._destroyed for det in made)
        if wrong != "frame_policy: shrug":  # only the class itself knows its policies
            assert not made

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "detectors",
                            "name",
                            "prefix",
                            "plugins",
                            "paths",
                            "defaults",
                            "hdf1",
                            "class",
                            "bases",
                            "kind",
                            "suffix",
                            "x",
                        ]
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        )
    )
    def test_nonsense_is_refused_by_an_error_of_ours_or_builds(self, content):
        import yaml

        try:
            load_detectors(yaml.safe_dump({"detectors": content}) + "\n\n")
        except AdsupportError as error:
            assert str(error).startswith("the text")


class TestHowTo:
    PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "declare-detectors.md"

    @pytest.mark.parametrize("language", ["yaml", "toml"])
    def test_what_the_page_shows_is_loaded(self, language):
        (block,) = re.findall(rf"```{language}\n(.*?)```", self.PAGE.read_text(), re.S)
        loaded = load_detectors(block.replace('"ad:"', '"none:"'), format=language)
        assert list(loaded) == ["adsimdet", "topview"]
        assert loaded["adsimdet"].hdf1.read_path_template == "/mnt/ioc/data/%Y/%m/%d/"
        assert loaded["topview"].frame_policy == "warn"
        assert [str(each.adcore) for each in loaded.values()] == ["R3-14"] * 2

    def test_the_messages_are_those_that_the_page_shows(self, tmp_path):
        file = tmp_path / "beamline.yaml"
        texts = [one("frame_polcy: warn"), one() + one().removeprefix("detectors:\n")]
        for text, shown in zip(
            texts,
            re.findall(r"Error: beamline\.yaml: \S+ (.*?)[?;]", self.PAGE.read_text()),
            strict=True,
        ):
            file.write_text(text)
            with pytest.raises(ConfigurationError) as caught:
                load_detectors(file)
            assert shown.replace("adsimdet", "det") in str(caught.value)
