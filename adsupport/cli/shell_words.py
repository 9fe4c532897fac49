"""What errors advise in Python's words, said in those of a shell."""

from __future__ import annotations

import re

from adsupport.callbacks.formats import FORMATS

__all__ = ["in_shell_words"]

#: Of the formats' own options those that messages advise.
_OWN = "|".join(FORMATS["dx"].own)
#: Only behind a space or a bracket: file names stay as they are.
_WORDS = [
    (re.compile(rf"(?<![^\s(]){words}"), shell)
    for words, shell in (
        (r"(verify|strict)=False\b", r"--no-\1"),
        (r"(exists|images|external)='(\w+)' or '(\w+)'", r"--\1 \2 or \3"),
        (r"(exists|images|external)='(\w+)'", r"--\1 \2"),
        (r"path_map=\{\}", "--map /=/"),
        (r"(?:(?:a|the) )?path_map(?!\w)", "--map"),
        (rf"({_OWN})=(?:'([^']*)')?", r"--option \1=\2"),
        (r"call retry\(\) of the writer", "export the run again"),
    )
]


def in_shell_words(text: str) -> str:
    """Say options as a command line has them.

    Parameters
    ----------
    text : str
        A message, such as ``"take it as it is, with strict=False."``.

    Returns
    -------
    str
        Such as ``"take it as it is, with --no-strict."``.
    """
    for words, shell in _WORDS:
        text = words.sub(shell, text)
    return text
