"""What a name that nothing has was meant to be, in the words of an error."""

import difflib
from collections.abc import Sequence


def meant(name: str, known: Sequence[str]) -> str:
    """Returns `did you mean "customers"?`, or all names there are."""
    near = difflib.get_close_matches(name, known, 1)
    return f'did you mean "{near[0]}"?' if near else f"expected one of {', '.join(known)}"
