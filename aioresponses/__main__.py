"""The command line: `python -m aioresponses har FILE` prints a HAR file as the code that registers its entries."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence

from ._cassettes.entries import without_secrets
from ._cassettes.har import read
from ._cassettes.printing import registrations
from ._cassettes.replay import selected
from ._cassettes.secrets import Secrets


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    parser = argparse.ArgumentParser("python -m aioresponses", description="Mocks of aiohttp's client, for tests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("har", help="print a HAR file as the code that registers its entries")
    command.add_argument("file", metavar="FILE", help="a HAR file, of a browser, a proxy or a cassette")
    command.add_argument("--url", help="only entries of this URL, or of this template of URLs")
    given = parser.parse_args(arguments)
    try:
        read_entries = read(given.file)
        entries = selected(read_entries, given.url)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if given.url is not None and not entries:
        number = len(selected(read_entries, None))
        print(f"{given.file}: none of its {number} entries has the URL {given.url}", file=sys.stderr)
        return 1
    secrets = Secrets()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Characters that a terminal cannot show are escaped, as they may be in the string literals of code.
        sys.stdout.reconfigure(errors="backslashreplace")
    print(registrations([without_secrets(entry, secrets) for entry in entries]), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
