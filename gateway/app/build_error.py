"""What is raised for a config that can be read and can't be served."""

from collections.abc import Iterable


class BuildError(Exception):
    """A config that can't be served.

    Attributes:
        problems: Everything that is wrong, each a line for the person who wrote it.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))
