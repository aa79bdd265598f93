"""The argument parser of one command: its own arguments, the settings it uses by group, and nearest names for typos."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from loaders.errors import UsageError
from loaders.nearest import did_you_mean
from workers.commands import setting_flags
from workers.commands.table import COMMANDS, find, split

if TYPE_CHECKING:
    from workers.commands.table import Command


class Parser(argparse.ArgumentParser):
    """Raises UsageError with one line, where argparse would print the usage."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see `{self.prog} --help`)")

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        args, unknown = self.parse_known_args(words)
        if unknown:
            self.error(self._unknown(unknown))
        return args

    def _unknown(self, words: Sequence[str]) -> str:
        flag = next((word.partition("=")[0] for word in words if word.startswith("-")), None)
        if flag is not None:
            return f'no flag "{flag}"{did_you_mean(flag, self._option_string_actions)}'
        if words[0] in COMMANDS:
            return f'the command comes first: "chartfleet {words[0]} ..."'
        return f'"{words[0]}" is one argument too many'


def parse(words: Sequence[str]) -> tuple[Command, argparse.Namespace]:
    """The command that a command line names, and its arguments. Raises UsageError."""
    name, rest = split(words)
    command = find(name)
    return command, parser_of(name, command, show_all="--help-all" in rest).parse(rest)


def parser_of(name: str, command: Command, *, show_all: bool = False) -> Parser:
    """`show_all`: its help shows the tuning flags, too."""
    parser = Parser(
        prog=f"chartfleet {name}", description=_sentence(COMMANDS[name]), formatter_class=_Formatter, add_help=False
    )
    command.add_arguments(parser)
    common = parser.add_argument_group("common")
    common.add_argument("-h", "--help", action="help", help="show this help")
    common.add_argument("--help-all", action="help", help="show this help with the tuning flags")
    common.add_argument("-v", "--verbose", action="store_true", help="verbose output")
    common.add_argument("-q", "--quiet", action="store_true", help="only warnings and errors")
    common.add_argument(
        "--config", metavar="FILE", help="settings file in TOML (default: chartfleet.toml, if it exists)"
    )
    setting_flags.add(parser, common, command.USES, show_all=show_all)
    return parser


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30)

    def add_usage(self, usage: str | None, actions: object, groups: object, prefix: str | None = None) -> None:
        """The usage names positionals only: fifty flags in brackets would help nobody."""
        positionals = [action for action in actions if not action.option_strings]  # type: ignore[attr-defined]
        super().add_usage(f"%(prog)s {self._positionals(positionals)}[FLAG ...]", [], [], prefix)

    def _positionals(self, actions: Sequence[argparse.Action]) -> str:
        return "".join(f"{self._format_args(action, str(action.metavar or action.dest))} " for action in actions)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
