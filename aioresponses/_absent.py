"""What stands for something that must not be there; users know it from `matchers`."""

from __future__ import annotations

from typing import Final


class Absent:
    """What must not be there: the value of a key, a parameter, a field or a header that must not have been sent.

    A value that is there, be it `None`, is not absent. As a choice of `one_of`, it lets the value be missing.

    >>> mock.get("http://example.com/public", match_headers={"Authorization": ABSENT})
    >>> self.assertJsonBodyContains({"name": "Ada", "role": one_of("author", ABSENT)})
    """

    def __repr__(self) -> str:
        return "ABSENT"

    # Copies, and what is unpickled, are this one.
    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
