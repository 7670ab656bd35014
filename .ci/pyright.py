"""Checks types with pyright: those of the package, and in its strict mode those of what users write.

pyright is from basedpyright, which ships all of it, while pyright's own package downloads it when it is run. pyright
does not read setup.cfg, so its settings are here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The oldest Python that is supported.
PYTHON = "3.10"

SETTINGS: dict[str, dict[str, object]] = {
    "aioresponses": {
        "typeCheckingMode": "standard",
        # mypy looks at what is returned; for pyright, a method of a protocol that is a docstring alone returns None.
        "reportReturnType": False,
    },
    "tests/examples": {
        "typeCheckingMode": "strict",
        # What is marked as wrong there must be.
        "reportUnnecessaryTypeIgnoreComment": True,
    },
}


def main() -> None:
    environment = Path(sys.prefix)
    passed = True
    for folder, settings in SETTINGS.items():
        settings = {
            "include": [str(ROOT / folder)],
            "extraPaths": [str(ROOT)],
            "pythonVersion": PYTHON,
            "venvPath": str(environment.parent),
            "venv": environment.name,
            **settings,
        }
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "pyrightconfig.json"
            file.write_text(json.dumps(settings), encoding="utf-8")
            print(f"{folder} ({settings['typeCheckingMode']}): ", end="", flush=True)
            command = [environment / "bin" / "basedpyright", "--warnings", "--project", file]
            passed = subprocess.run(command).returncode == 0 and passed
    sys.exit(not passed)


if __name__ == "__main__":
    main()
