"""Our hold on the thing under test: a process of ours, the user's commands, or nothing at all."""

from fuzz.target.command import CommandTarget
from fuzz.target.embedded import EmbeddedTarget
from fuzz.target.nothing import NoTarget

__all__ = ["CommandTarget", "EmbeddedTarget", "NoTarget"]
