"""An argument that is one of a few words."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from loaders.nearest import did_you_mean


def one_of(*words: str) -> Callable[[str], str]:
    """For argparse's `type`: the word, or an error that names the nearest one and all of them."""

    def check(text: str) -> str:
        if text not in words:
            raise argparse.ArgumentTypeError(f'"{text}" is not one of {", ".join(words)}{did_you_mean(text, words)}')
        return text

    return check
