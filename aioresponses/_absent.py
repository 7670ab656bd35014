"""The value that stands for something that must not be there; users import it from `matchers`."""

from __future__ import annotations

from typing import Final


class Absent:
    """The expected value of a key, a parameter, a field or a header that must not have been sent.

    A value that is there is not absent, even if it is `None`. As a choice of `one_of`, it lets the value be missing.

    >>> mock.get("http://example.com/public", match_headers={"Authorization": ABSENT})
    >>> self.assertJsonBodyContains({"name": "Ada", "role": one_of("author", ABSENT)})
    """

    def __repr__(self) -> str:
        return "ABSENT"

    # Copying and unpickling return the one object.
    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
