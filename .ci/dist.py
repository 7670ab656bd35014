"""Builds the source distribution and the wheel, and tests each in an empty environment, as a user would install it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        where = Path(directory)
        run([sys.executable, "-m", "build", "--outdir", where / "dist", ROOT])
        [sdist] = (where / "dist").glob("*.tar.gz")
        [wheel] = (where / "dist").glob("*.whl")
        names = zipfile.ZipFile(wheel).namelist()
        assert "aioresponses/py.typed" in names, f"{wheel.name} has no py.typed"
        strangers = [name for name in names if not name.startswith(("aioresponses/", "aioresponses-"))]
        assert not strangers, f"{wheel.name} holds what is not the package: {strangers}"
        with tarfile.open(sdist) as archive:
            archive.extractall(where / "source")
        [source] = (where / "source").iterdir()
        # What is tested is what was installed, and not what lies beside the tests.
        (source / "aioresponses").rename(where / "not-this")
        for distribution in (sdist, wheel):
            environment = where / distribution.suffix.lstrip(".")
            venv.create(environment, with_pip=True)
            python = environment / "bin" / "python"
            run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", distribution])
            run([python, "-W", "error", "-m", "unittest"], cwd=source)
            print(f"{distribution.name}: installed, and its tests pass", flush=True)


def run(command: list[str | Path], cwd: Path | None = None) -> None:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}")


if __name__ == "__main__":
    main()
