"""Builds the source distribution and the wheel, has the checkers of the index look at both, and tests both.

Each is tested in an empty environment, as a user would install it: the wheel, and a source distribution that was
unpacked, by `pip install .` in it. Those that pass are left in dist/, to be uploaded.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What pyroma asks for beside what there is: no address belongs to all authors, and setup.cfg says what pyproject.toml
# would. With all others, the rating is the best.
NOT_RATED = "AuthorEmail,MissingBuildSystem,MissingPyProjectToml"


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        where = Path(directory)
        run([sys.executable, "-m", "build", "--outdir", where / "dist", ROOT])
        [sdist] = (where / "dist").glob("*.tar.gz")
        [wheel] = (where / "dist").glob("*.whl")
        check_contents(wheel, sdist)
        check_pages()
        run([sys.executable, "-m", "twine", "check", "--strict", sdist, wheel])
        run([Path(sys.executable).with_name("check-wheel-contents"), wheel])
        run([Path(sys.executable).with_name("pyroma"), "--min", "10", "--skip-tests", NOT_RATED, sdist])
        print(f"{sdist.name} and {wheel.name}: complete, and what the index shows is right", flush=True)
        unpacked, source = (unpack(sdist, where / name) for name in ("unpacked", "tests"))
        # What is tested is what was installed, and not what lies beside the tests.
        (source / "aioresponses").rename(where / "not-this")
        for name, installed, directory_of_pip in (
            ("an unpacked source distribution", ".", unpacked), (wheel.name, str(wheel), where)
        ):
            environment = where / f"environment-{directory_of_pip.name}"
            venv.create(environment, with_pip=True)
            python = environment / "bin" / "python"
            run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", installed], directory_of_pip)
            run([python, "-W", "error", "-m", "unittest"], source)
            print(f"{name}: installed, and its tests pass", flush=True)
        shutil.rmtree(ROOT / "dist", ignore_errors=True)
        shutil.copytree(where / "dist", ROOT / "dist")


def check_contents(wheel: Path, sdist: Path) -> None:
    """Fail unless the wheel is the package with its types, and nothing else, and all files are in the other."""
    in_wheel = {name for name in zipfile.ZipFile(wheel).namelist() if not name.startswith("aioresponses-")}
    check_equal(wheel, in_wheel, files_below("aioresponses"))
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    # setuptools makes these.
    names = {name for name in names if name != "PKG-INFO" and not name.startswith("aioresponses.egg-info/")}
    wanted = {path.name for path in ROOT.iterdir() if path.suffix in (".rst", ".py")}
    wanted |= {"LICENSE", "MANIFEST.in", "Makefile", "setup.cfg"}
    for folder in ("aioresponses", "tests", "docs", "benchmarks", ".ci"):
        wanted |= files_below(folder)
    check_equal(sdist, names, wanted)


def files_below(folder: str) -> set[str]:
    paths = (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc")
    made = ROOT / "docs" / "_build"
    return {path.relative_to(ROOT).as_posix() for path in paths if made not in path.parents}


def check_equal(where: Path, found: set[str], wanted: set[str]) -> None:
    if found != wanted:
        sys.exit(f"{where.name} lacks {sorted(wanted - found)}, and should not hold {sorted(found - wanted)}")


def check_pages() -> None:
    """Fail unless each page is reStructuredText without a fault; on the index, the README is rendered like that.

    `make docs` looks at those of the documentation.
    """
    for page in [*ROOT.glob("*.rst"), *ROOT.glob("benchmarks/*.rst")]:
        run([sys.executable, "-m", "docutils", "--report=warning", "--halt=warning", page, "--output=/dev/null"])


def unpack(sdist: Path, directory: Path) -> Path:
    with tarfile.open(sdist) as archive:
        archive.extractall(directory)
    [source] = directory.iterdir()
    return source


def run(command: Sequence[str | Path], cwd: Path | None = None) -> None:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}")


if __name__ == "__main__":
    main()
