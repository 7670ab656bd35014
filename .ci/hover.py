"""Checks that editors show what the arguments of a mock mean, where a test registers one.

Asks the language server of pyright, as an editor does, for what it shows when somebody points at a name.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent

TEST = """\
from aioresponses import AioResponsesTestCase

class Test(AioResponsesTestCase):
    def test(self) -> None:
        api = self.mock.host("https://api.example.com")
        {}("/users", status=201)
"""

NAMES = ("add", "any", "delete", "get", "head", "options", "patch", "post", "put")

# A line of the meaning of each of some arguments, from the first to the last.
MEANT = (
    "Register a mock: which requests it answers, and with what.",
    "- `match_json`: the body, decoded from JSON.",
    "- `status`: an int from 200 to 999, or 101.",
    "- `optional`: whether the mock may have replies left",
)


class Server:
    """A language server that is spoken to over pipes."""

    def __init__(self, folder: Path) -> None:
        command = [Path(sys.prefix) / "bin" / "basedpyright-langserver", "--stdio"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._to: IO[bytes] = process.stdin
        self._from: IO[bytes] = process.stdout
        self._count = 0
        self.ask(
            "initialize",
            processId=None,
            workspaceFolders=[{"uri": folder.as_uri(), "name": folder.name}],
            capabilities={"textDocument": {"hover": {"contentFormat": ["plaintext"]}}},
        )
        self._send(method="initialized", params={})

    def _send(self, **message: Any) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self._to.flush()

    def _receive(self) -> Any:
        length = 0
        while line := self._from.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self._from.read(length))

    def tell(self, method: str, **params: Any) -> None:
        self._send(method=method, params=params)

    def ask(self, method: str, **params: Any) -> Any:
        self._count += 1
        self._send(id=self._count, method=method, params=params)
        while True:
            message = self._receive()
            if "method" not in message and message["id"] == self._count:
                return message["result"]
            if "method" in message and "id" in message:
                # What it asks itself has no answer here.
                self._send(id=message["id"], result=None)

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


def shown(server: Server, folder: Path, name: str) -> str:
    """Return what is shown for the last name of a dotted one."""
    file = folder / f"test_{name.replace('.', '_')}.py"
    text = TEST.format(name)
    document = {"uri": file.as_uri(), "languageId": "python", "version": 1, "text": text}
    server.tell("textDocument/didOpen", textDocument=document)
    place = {"line": text.count("\n") - 1, "character": text.splitlines()[-1].index("(") - 1}
    answer = server.ask("textDocument/hover", textDocument={"uri": file.as_uri()}, position=place)
    return str(answer["contents"]["value"]) if answer else ""


def main() -> None:
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory).resolve()
        settings = {"extraPaths": [str(ROOT)], "venvPath": str(Path(sys.prefix).parent), "venv": Path(sys.prefix).name}
        (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
        server = Server(folder)
        try:
            for name in [f"self.mock.{name}" for name in NAMES] + [f"api.{name}" for name in NAMES if name != "add"]:
                text = shown(server, folder, name)
                missing = [line for line in MEANT if line not in text]
                if missing:
                    failed = True
                    print(f"For {name}, an editor does not show {missing}, but:\n{text}")
        finally:
            server.stop()
    print("what editors show:", "not what it should be" if failed else "the meaning of all arguments")
    sys.exit(failed)


if __name__ == "__main__":
    main()
