import re
import unittest
from configparser import ConfigParser
from fnmatch import fnmatch
from pathlib import Path

import aioresponses

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.rst").read_text(encoding="utf-8")
SETUP = ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")


def values(section, option):
    """Return the lines of an option of setup.cfg."""
    return SETUP[section][option].strip().splitlines()


def relative_targets(text):
    """Return where links and pictures of a page lead that would lead nowhere on another site."""
    targets = [re.sub(r"\s", "", target) for target in re.findall(r"<([^<>`]+)>`_", text)]
    targets += re.findall(r"^ *\.\. _[^:\n]+: *(\S+)$", text, re.MULTILINE)
    targets += re.findall(r"^ *\.\. (?:image|figure|include)::\s*(\S+)", text, re.MULTILINE)
    return [target for target in targets if not target.startswith("https://")]


class ReadmeTest(unittest.TestCase):
    """The README is the page of the package on its index."""

    def test_the_readme_is_what_the_index_shows(self):
        self.assertEqual(values("metadata", "long_description"), ["file: README.rst"])
        self.assertEqual(values("metadata", "long_description_content_type"), ["text/x-rst"])

    def test_its_links_are_absolute(self):
        self.assertEqual(relative_targets(README), [])

    def test_relative_links_are_found(self):
        page = """\
            `one <docs/one.rst>`_, `two
            <two.rst#heading>`_, `three <https://example.com/three>`_, `four <http://example.com/>`_,
            `five <mailto:ada@example.com>`_
            .. _six: six.rst
            .. _seven: https://example.com/seven
            .. image:: eight.png
            """
        self.assertEqual(
            relative_targets(page),
            [
                "docs/one.rst", "two.rst#heading", "http://example.com/", "mailto:ada@example.com", "six.rst",
                "eight.png",
            ],
        )

    def test_the_readme_needs_no_roles_or_directives_of_sphinx(self):
        self.assertEqual(re.findall(r"(?<!`):[a-z:]+:`", README), [])
        self.assertEqual(set(re.findall(r"^ *\.\. ([\w:-]+)::", README, re.MULTILINE)), {"code-block"})

    def test_files_that_it_names_exist(self):
        names = re.findall(r"``([\w/]+\.rst)``", README)
        self.assertGreater(len(names), 6)
        self.assertEqual([name for name in names if not (ROOT / name).is_file()], [])

    def test_the_readme_has_pip_install_this_major_release_or_a_newer_one(self):
        [bound] = re.findall(r"^ +pip install \"aioresponses>=(\d+)\"$", README, re.MULTILINE)
        self.assertEqual(bound, aioresponses.__version__.partition(".")[0])


class MetadataTest(unittest.TestCase):
    """What setup.cfg says of the package is so."""

    def test_author_and_license_are_those_of_the_license(self):
        text = (ROOT / "LICENSE").read_text(encoding="utf-8")
        self.assertEqual(re.findall(r"^Copyright \(c\) \d+ (.+)$", text, re.MULTILINE), values("metadata", "author"))
        self.assertEqual(text.partition(" ")[0], SETUP["metadata"]["license_expression"])

    def test_the_page_on_policies_has_its_pythons(self):
        versions = re.findall(r":: (3\.\d+)$", SETUP["metadata"]["classifiers"], re.MULTILINE)
        policies = (ROOT / "docs" / "policies.rst").read_text(encoding="utf-8")
        self.assertIn(f"   * - CPython\n     - {versions[0]} to {versions[-1]}\n", policies)

    def test_its_urls_are_absolute(self):
        urls = [line.partition(" = ")[2] for line in values("metadata", "project_urls")]
        for url in [*values("metadata", "url"), *urls]:
            self.assertRegex(url, "^https://")

    def test_the_package_can_be_found_by_its_keywords(self):
        keywords = SETUP["metadata"]["keywords"].split(", ")
        self.assertLess({"aiohttp", "mock", "testing", "unittest", "pytest"}, set(keywords))
        self.assertEqual(sorted(set(keywords)), sorted(keywords))

    def test_its_classifiers_begin_with_the_oldest_python(self):
        versions = re.findall(r":: (3\.\d+)$", SETUP["metadata"]["classifiers"], re.MULTILINE)
        self.assertEqual(SETUP["options"]["python_requires"], f">={versions[0]}")
        self.assertEqual(versions, [f"3.{minor}" for minor in range(10, 10 + len(versions))])

    def test_all_of_the_package_is_in_the_wheel_with_its_types(self):
        self.assertEqual(SETUP["options"]["packages"], "find:")
        self.assertEqual(values("options.packages.find", "include"), ["aioresponses", "aioresponses.*"])
        self.assertEqual(SETUP["options.package_data"]["aioresponses"], "py.typed")
        package = Path(aioresponses.__file__).parent
        self.assertEqual((package / "py.typed").read_bytes(), b"")
        # Folders without it are no packages to `find:`.
        folders = {path.parent for path in package.rglob("*.py")}
        self.assertEqual([folder for folder in folders if not (folder / "__init__.py").is_file()], [])

    def test_what_lies_beside_the_package_is_in_the_source_distribution(self):
        lines = (ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines()
        grafted = [name for line in lines if line.startswith("graft ") for name in line.split()[1:]]
        included = [name for line in lines if line.startswith("include ") for name in line.split()[1:]]
        # setuptools adds these by itself.
        included += ["README.rst", "LICENSE", "setup.py", "setup.cfg", "MANIFEST.in"]
        for name in ("tests", "docs", "benchmarks", ".ci"):
            self.assertIn(name, grafted)
        pages = [path.name for path in ROOT.iterdir() if path.suffix == ".rst" or path.name in ("Makefile", "LICENSE")]
        self.assertGreaterEqual(len(pages), 5)
        self.assertEqual([page for page in pages if not any(fnmatch(page, pattern) for pattern in included)], [])
