"""Sphinx configuration: MyST, the pydata theme, reference pages from docstrings."""

import adsupport
from adsupport.devices import PLUGIN_DEFAULTS

project = "adsupport"
author = "adsupport developers"
copyright = "2026, adsupport developers"
release = version = adsupport.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # the docstrings give the types, with shapes and units
autodoc_member_order = "bysource"
autosummary_generate = False
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "pydata_sphinx_theme"
html_title = f"adsupport {version}"
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
}


def _add_plugin_defaults(app, what, name, obj, options, lines):
    """Append the keys of PLUGIN_DEFAULTS to its description, as a table."""
    if not name.endswith(".PLUGIN_DEFAULTS"):
        return
    lines += ["", ".. list-table::", "   :header-rows: 1", ""]
    rows = [("Key", "Suffix", "Class")]
    for key, spec in PLUGIN_DEFAULTS.items():
        rows.append((f"``{key}``", f"``{spec['suffix']}``", f"``{spec['class'].__name__}``"))
    for key, suffix, cls in rows:
        lines += [f"   * - {key}", f"     - {suffix}", f"     - {cls}"]
    lines.append("")


def setup(app):
    """Connect what is built from the package itself."""
    app.connect("autodoc-process-docstring", _add_plugin_defaults)
