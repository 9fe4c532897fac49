"""What is told of a run: sentences, each once, and not without end."""

from __future__ import annotations

__all__ = ["Sentences"]

#: What is wrong with one row may be wrong with a million.
_MOST = 200


class Sentences(list[str]):
    """A list of sentences that stays short enough to be read."""

    def __init__(self) -> None:
        super().__init__()
        self._more = 0

    def note(self, text: str) -> None:
        """Add a sentence that isn't there already; of very many, only the first ones.

        Parameters
        ----------
        text : str
            The sentence.
        """
        if text in self:
            return
        if self._more:
            self.remove(self._rest())
        elif len(self) < _MOST:
            self.append(text)
            return
        self._more += 1
        self.append(self._rest())

    def _rest(self) -> str:
        return f"So it goes on, {self._more} times more."
