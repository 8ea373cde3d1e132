"""`${NAME}` and `${NAME:-default}` in text values, taken from the environment.

A value that came from the environment may be a secret: it is kept as `Substituted`, whose text no
error message repeats. Keys are never substituted.
"""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(
    r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\$\{"
)


class Substituted(str):
    """A text with something from the environment in it.

    The key it stands at decides its type: `connections: ${N}` is a number.
    """

    __slots__ = ()


class SubstitutionError(ValueError):
    """A reference that cannot be resolved. The message says which, and holds no values."""


def substitute(text: str, environ: Mapping[str, str]) -> str:
    """Resolve the references in `text`; `$${` stands for `${`.

    As in a shell, a default counts where the variable is unset or empty.

    Returns:
        A `Substituted` where the environment or a default was used, otherwise a plain `str`.

    Raises:
        SubstitutionError: Where a variable is unset, or the reference is malformed.
    """
    taken = False

    def value(match: re.Match[str]) -> str:
        nonlocal taken
        if match[0] == "$${":
            return "${"
        name, default = match["name"], match["default"]
        if name is None:
            raise SubstitutionError(
                "a malformed ${…}: expected ${NAME} or ${NAME:-default}; $${ stands for ${"
            )
        found = environ.get(name)
        if not found and default is not None:
            found = default
        if found is None:
            raise SubstitutionError(
                f"environment variable {name} is not set; set it, or write ${{{name}:-default}}"
            )
        taken = True
        return found

    result = _REFERENCE.sub(value, text)
    return Substituted(result) if taken else result
