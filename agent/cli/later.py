"""Commands that are built only when they are called: with all of their options, building them takes longer than a help
text may."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class Later(TyperCommand):
    """Stands for a command in the list of all, until it is called."""

    def __init__(self, name: str, place: str, help: str) -> None:
        super().__init__(name, help=help)
        self._place = place

    def load(self) -> Any:
        """The command itself. Its module is imported now."""
        module, _, attribute = self._place.partition(":")
        found = getattr(import_module(module), attribute)
        around = typer.Typer(add_completion=False)
        if isinstance(found, typer.Typer):
            around.add_typer(found, name=self.name)
        else:
            around.command(self.name)(found)
        built: Any = get_command(around)
        return built.commands[str(self.name)] if isinstance(built, TyperGroup) else built


class LaterGroup(TyperGroup):
    """A group of commands of which only the one that is called is built. `later` says of each by its name where it
    lives, as `module:attribute`, and what it is for."""

    later: ClassVar[Mapping[str, tuple[str, str]]] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands.update({name: Later(name, place, help) for name, (place, help) in self.later.items()})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        asked = self.commands.get(args[0]) if args else None
        if isinstance(asked, Later):
            self.commands[args[0]] = asked.load()
        return super().resolve_command(ctx, args)
