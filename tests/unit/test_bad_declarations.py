"""Declarations in which something is wrong: what, and where, is told."""

import re

import pytest

from adsupport.devices import load_detectors
from adsupport.errors import ConfigurationError

from .declaring import one

#: Each name stands for ten of the one before it.
MULTIPLIED = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
MERGED = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 9)
)

BAD = {
    # what is wrong: the text, and what the message must hold
    "nothing": ("\n", "expected a mapping with the list 'detectors', got NoneType None"),
    "a list": ("- a\n- b\n", "expected a mapping with the list 'detectors', got list"),
    "no detectors": ("paths: {}\n\n", "there is no list 'detectors'"),
    "unknown section": ("detector: []\n\n", "detector: unknown. Did you mean 'detectors'?"),
    "detectors by name": ("detectors:\n  det: {}\n", "detectors: expected a list, got dict"),
    "detector is text": ("detectors:\n- det\n", "detectors[0]: expected a mapping with settings"),
    "no name": ("detectors:\n- prefix: 'x:'\n", "detectors[0]: 'name' is missing"),
    "no prefix": (
        "detectors:\n- name: x\n",
        "detectors[0]: 'prefix' is missing; given: 'name'.",
    ),
    "prefix misspelt": (
        "detectors:\n- {name: x, prefx: 'x:'}\n",
        "detectors[0]: 'prefix' is missing, and 'prefx' is unknown. Did you mean 'prefix'?",
    ),
    "no name, but one like it": (
        "detectors:\n- {image_name: x, prefix: 'x:'}\n",
        "detectors[0]: 'name' is missing; given: 'image_name', 'prefix'.",
    ),
    "name is a number": (
        "detectors:\n- {name: 5, prefix: 'x:'}\n",
        "detectors[0].name: expected a text, got int 5: write it in quotes",
    ),
    "name is a date": ("detectors:\n- {name: 2026-01-02, prefix: 'x:'}\n", "detectors[0].name:"),
    "name is empty": ("detectors:\n- {name: '', prefix: 'x:'}\n", "detectors[0].name: expected"),
    "prefix is a list": ("detectors:\n- {name: a, prefix: [a]}\n", "detectors[0].prefix: expected"),
    "key is a number": ("detectors:\n- {name: a, 1: b}\n", "detectors[0]: the key 1 must be text"),
    "name twice": (
        "detectors:\n- {name: a, prefix: x}\n- {name: b, prefix: x}\n- {name: a, prefix: y}\n",
        "detectors[2].name: 'a' is the name of detectors[0] too",
    ),
    "key twice": (
        "detectors:\n- name: a\n  prefix: 'x:'\n  prefix: 'y:'\n",
        "line 4: 'prefix' is given twice",
    ),
    "a list as key": ("? [a, b]\n: c\n", "isn't YAML that can be used"),
    "unquoted colon": (
        "detectors:\n- name: a\n  prefix: ad:\n",
        "needs quotes, as in prefix: 'ad:'",
    ),
    "not YAML": ("detectors: [\n\n", "isn't YAML"),
    "an object": ("detectors: !!python/object/apply:os.getcwd []\n\n", "isn't YAML"),
    "an endless alias": ("&a [*a]\n\n", "leads back to itself"),
    "aliases that multiply": (MULTIPLIED, "more than 100000 values"),
    "merges that multiply": (MERGED, "more than 100000 values"),
    "a value that isn't its tag's": ("detectors: !!bool perhaps\n", "isn't YAML"),
    "a tag without a value": ("detectors: !!float ''\n", "isn't YAML"),
    "a tag of another form": ("detectors: !!timestamp soon\n", "isn't YAML"),
    "unknown setting": (
        one("frame_polcy: warn"),
        "detectors[0].frame_polcy: unknown. Did you mean 'frame_policy'?",
    ),
    "nothing like it": (one("zzz: 1"), "detectors[0].zzz: unknown. Known here: "),
    "name in defaults": ("defaults: {name: a}\ndetectors: []\n", "defaults.name: each detector"),
    "unknown default": (
        "defaults: {imagename: a}\ndetectors:\n- {name: a, prefix: 'x:'}\n",
        "detectors[0].imagename: unknown. Did you mean 'image_name'?",
    ),
    "defaults is a list": ("defaults: [a]\ndetectors: []\n", "defaults: expected a mapping"),
    "adcore is a number": (one("adcore: 3.10"), "detectors[0].adcore: expected a text, got float"),
    "adcore is nonsense": (
        one("adcore: new"),
        "detectors[0]: adcore: not a release of ADCore: 'new'",
    ),
    "class_name no identifier": (
        one("class_name: my detector"),
        "detectors[0]: 'my detector' can't be the name of a class",
    ),
    "class_name": (one("class_name: 7"), "detectors[0].class_name: expected a text"),
    "validate_ports": (one("validate_ports: 'no'"), "validate_ports: expected true or false"),
    "bases is a number": (one("bases: 5"), "detectors[0].bases: expected a list, got int 5"),
    "base not there": (
        one("bases: [no.such.Base]"),
        "detectors[0].bases[0]: 'no.such.Base' can't be imported",
    ),
    "base is no class": (one("bases: [os.path]"), "detectors[0].bases[0]: 'os.path' isn't a class"),
    "base is no device": (one("bases: [builtins.dict]"), "detectors[0]: bases ['dict'] hold no"),
    "plugins is text": (one(plugins="cam"), "detectors[0].plugins: expected a list, got str 'cam'"),
    "plugin is a number": (one(plugins="[cam, 5]"), "detectors[0].plugins[1]: expected a mapping"),
    "plugin is a list": (one(plugins="[cam, [hdf1]]"), "detectors[0].plugins[1]: expected"),
    "unknown plugin": (
        one(plugins="[cam, hdff1]"),
        "detectors[0]: Unknown plugin 'hdff1'. Did you mean 'hdf1'?",
    ),
    "lazy is a number": (one(plugins="[{cam: {lazy: 7, add_prefix: 3}}]"), "detectors[0]: Plugin"),
    "plugin twice": (one(plugins="[cam, cam]"), "detectors[0]: Plugin 'cam' is given twice"),
    "no camera": (one(plugins="[image]"), "hold no 'cam'"),
    "settings are text": (
        one(plugins="[cam, {hdf1: yes}]"),
        "detectors[0].plugins[1].hdf1: expected a mapping with settings",
    ),
    "class not there": (
        one(plugins="[cam, {hdf1: {class: adsupport.devices.Nope}}]"),
        "'adsupport.devices.Nope' can't be imported",
    ),
    "class is no device": (
        one(plugins="[cam, {hdf1: {class: os.getcwd}}]"),
        "isn't a class of ophyd",
    ),
    "suffix is a number": (one(plugins="[cam, {hdf1: {suffix: 5}}]"), "suffix must be a str"),
    "kind": (one(plugins="[cam, {hdf1: {kind: best}}]"), "kind 'best' is unknown"),
    "unknown plugin setting": (
        one(plugins="[cam, {hdf1: {write_path: /data/}}]"),
        "detectors[0].plugins[1].hdf1.write_path: unknown. Did you mean 'write_path_template'?",
    ),
    "path templates of a plugin without files": (
        one(plugins="[cam, {image: {write_path_template: /data/}}]"),
        "detectors[0].plugins[1].image.write_path_template: unknown",
    ),
    "a value that the class refuses": (
        one(plugins="[cam, {hdf1: {if_exists: clobber}}]"),
        "detectors[0]: ",
    ),
    "a policy that the class refuses": (one("frame_policy: shrug"), "detectors[0]: "),
    "paths not there": (
        "paths: {data: {write_path_template: /d/}}\n" + one(plugins="[cam, {hdf1: {paths: dta}}]"),
        "detectors[0].plugins[1].hdf1.paths.dta: unknown. Did you mean 'data'?",
    ),
    "paths and templates": (
        "paths: {data: {write_path_template: /d/}}\n"
        + one(plugins="[cam, {hdf1: {paths: data, read_path_template: /e/}}]"),
        "detectors[0].plugins[1].hdf1.paths: and 'read_path_template' both say",
    ),
    "paths is a list": ("paths: [a]\ndetectors: []\n", "paths: expected a mapping"),
    "path is text": ("paths: {data: /d/}\ndetectors: []\n", "paths.data: expected a mapping"),
    "path without templates": (
        "paths: {data: {}}\ndetectors: []\n",
        "write_path_template is missing",
    ),
    "path with more": (
        "paths: {data: {write_path_template: /d/, read: /e/}}\ndetectors: []\n",
        "paths.data.read: unknown. Did you mean 'read_path_template'?",
    ),
    **{
        f"acquire_timeout {wrong}": (
            one(f"acquire_timeout: {wrong}"),
            "detectors[0]: acquire_timeout=",
        )
        for wrong in ("-1", "0", "soon", "'5'", ".nan", ".inf", "yes", "[]")
    },
    **{
        f"image_name {wrong}": (one(f"image_name: {wrong}"), "detectors[0]: image_name=")
        for wrong in ("''", "' '", "5", "[]", "a.b", "a/b", "yes")
    },
    **{
        f"name {wrong}": (
            one().replace("name: det", f"name: {wrong}"),
            "detectors[0].name: expected letters",
        )
        for wrong in ("' '", "1det", "a b", "a.b", "a/b", "'-'")
    },
    **{
        f"a control character in {key}": (
            one(f'{key}: "a\\0b"'),
            f"detectors[0].{key}: expected a text that can be printed, got 'a\\x00b'",
        )
        for key in ("image_name", "class_name", "adcore", "zzz")
    },
    "a control character in a name": (
        'detectors:\n- {name: "a\\0b", prefix: ""}\n',
        "detectors[0].name: expected a text that can be printed",
    ),
    "a control character in a template": (
        one(plugins='[cam, {hdf1: {write_path_template: "/a\\0"}}]'),
        "detectors[0].plugins[1].hdf1.write_path_template: expected a text that can be printed",
    ),
    "a control character in a key": (one('"a\\tb": 1'), "detectors[0]: expected a key that can"),
    "a long text": (
        one(f"image_name: {'x' * 2000}"),
        "image_name: expected a text of at most 1000",
    ),
    "blanks in a prefix": (
        one().replace("none:", "no ne:"),
        "detectors[0].prefix: a PV's name has no blanks",
    ),
    "too large a number": (one(f"x: {'9' * 99}"), "detectors[0].x: expected a number of at most"),
    "a number of no end": (one(f"x: {'9' * 9999}"), "isn't YAML that can be used"),
    "a number in sixties": (one(f"x: {'1:' * 9999}1"), "detectors[0].x: expected a number of at"),
    "nested deep": (f"x: {'[' * 40}{']' * 40}\n", "nested deeper than 20 levels"),
    "nested deeper": (f"x: {'{a: ' * 9999}\n", "isn't YAML that can be used: nested too deep"),
    "too long": (f"detectors: []\n{'# ' * 100_000}\n", "has 200015 bytes, and a declaration may"),
    "path is a number": (
        "paths: {data: {write_path_template: 5}}\ndetectors: []\n",
        "paths.data.write_path_template: expected a text",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_is_refused_with_its_place(case):
    text, message = BAD[case]
    with pytest.raises(ConfigurationError, match=re.escape(message)) as caught:
        load_detectors(text)
    assert str(caught.value).startswith("the text")
