"""The settings of the documentation site, which `make docs` builds with Sphinx.

The site is made of texts that are also read elsewhere:

- Pages are read as plain text as well, and link to each other by file: ``testcase.rst#latency``. On the site, such a
  link leads to the page that is made of the file.
- Docstrings are read in editors as well. A name in single backticks becomes a link if the site has such an object, or
  one of the inventories has it, and code otherwise. What the docstring of `aioresponses.add` says of each argument
  becomes an entry of its own, with the type and the default.

The build needs no network. ``inventories/`` has those names of other projects that are linked to, in the text form of
Sphinx's inventories: name, kind and page. They were taken from the documentation of CPython 3.11, aiohttp 3.8 and yarl
1.8, but for `re.Pattern`, which CPython 3.13 was the first to document.
"""

from __future__ import annotations

import inspect
import posixpath
import pydoc
import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.domains.std import GenericObject
from sphinx.environment import BuildEnvironment
from sphinx.errors import NoUri
from sphinx.util import logging
from sphinx.util.inspect import stringify_signature

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))

import aioresponses  # noqa: E402

logger = logging.getLogger(__name__)

project = "aioresponses"
author = "The aioresponses authors"
version = release = aioresponses.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.intersphinx", "sphinx.ext.viewcode", "sphinx_copybutton"]
exclude_patterns = ["_build"]
default_role = "object"
highlight_language = "none"
smartquotes = False

html_theme = "furo"
html_title = f"aioresponses {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["llms.txt"]
html_search_scorer = str(DOCS / "search_scorer.js")
html_show_copyright = False

# What is copied from an example is what can be run.
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"

autodoc_typehints_format = "short"
autodoc_member_order = "bysource"

intersphinx_mapping = {
    "python": ("https://docs.python.org/3", "inventories/python.txt"),
    "aiohttp": ("https://docs.aiohttp.org/en/stable", "inventories/aiohttp.txt"),
    "yarl": ("https://yarl.aio-libs.org/en/stable", "inventories/yarl.txt"),
}

# Its documentation is none of those that the site links to.
nitpick_ignore_regex = [("py:class", r"multidict\..+")]

# What objects are called in signatures and docstrings, and what that stands for.
MEANT = {
    "Any": "typing.Any",
    "Awaitable": "collections.abc.Awaitable",
    "BaseConnector": "aiohttp.BaseConnector",
    "Callable": "collections.abc.Callable",
    "ClientResponse": "aiohttp.ClientResponse",
    "ClientSession": "aiohttp.ClientSession",
    "Collection": "collections.abc.Collection",
    "Iterable": "collections.abc.Iterable",
    "Iterator": "collections.abc.Iterator",
    "Mapping": "collections.abc.Mapping",
    "Mode": "aioresponses.cassettes.Mode",
    "Morsel": "http.cookies.Morsel",
    "PathLike": "os.PathLike",
    "Requests": "dict",
    "Sequence": "collections.abc.Sequence",
    "TestClient": "aiohttp.test_utils.TestClient",
    "URL": "yarl.URL",
    "aiohttp.client.ClientSession": "aiohttp.ClientSession",
    "aiohttp.client_reqrep.ClientResponse": "aiohttp.ClientResponse",
    "aiohttp.web_request.Request": "aiohttp.web.Request",
    "timedelta": "datetime.timedelta",
    "web.Application": "aiohttp.web.Application",
    "web.HTTPException": "aiohttp.web.HTTPException",
    "web.Request": "aiohttp.web.Request",
    "web.Response": "aiohttp.web.Response",
    "web.Server": "aiohttp.web.Server",
    "web.View": "aiohttp.web.View",
    "web.WebSocketResponse": "aiohttp.web.WebSocketResponse",
    "web.run_app": "aiohttp.web.run_app",
}

# Members of public classes that other modules of the package use, and no test; or that only old suites use, whose
# shims need them.
NOT_FOR_USERS = (
    "Cassette.advice", "Cassette.discard", "Cassette.end", "Cassette.note", "FilePart.given", "RequestCall.of",
    "RequestMatch.build_response", "RequestMatch.match",
)

# Pages that are made of files which are not below `docs/`.
OUTSIDE = {
    "../CHANGELOG.rst": "changelog",
    "../SECURITY.rst": "security",
    "../benchmarks/RESULTS.rst": "benchmarks",
}


def without_names(app: Sphinx, page: str, source: list[str]) -> None:
    """Have the texts of links be no names: one that is the title of a section would take its place."""
    source[0] = re.sub(r">`_(?!_)", ">`__", source[0])


def link_to_pages(app: Sphinx, document: nodes.document, page: str) -> None:
    """Have links to files, and what names a file of `docs/`, lead to the pages that are made of these."""
    for code in list(document.findall(nodes.literal)):
        named = re.fullmatch(r"docs/(.+)\.rst", code.astext())
        if named and named[1] in app.env.found_docs:
            up = "../" * page.count("/")
            code.replace_self(nodes.reference("", "", code.deepcopy(), refuri=f"{up}{named[1]}.rst"))
    for link in document.findall(nodes.reference):
        file, _, heading = link.get("refuri", "").partition("#")
        if "://" in file or not file.endswith(".rst"):
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), file))
        target = OUTSIDE.get(path, path.removesuffix(".rst"))
        if target not in app.env.found_docs:
            logger.warning("%s is no page of the site", path, location=link)
            continue
        try:
            uri = app.builder.get_relative_uri(page, target)
        except NoUri:
            continue
        link["refuri"] = f"{uri}#{heading}" if heading else uri
        link["internal"] = True


def with_names_of_columns(app: Sphinx, document: nodes.document, page: str) -> None:
    """Say in each cell of a wide table which column it is of; `site.css` shows that on a phone alone."""
    for table in document.findall(nodes.table):
        names = [entry.astext() for head in table.findall(nodes.thead) for entry in head.findall(nodes.entry)]
        if len(names) < 3:
            continue
        table["classes"] += ["wide", "tight"] if len(names) > 7 else ["wide"]
        for row in next(table.findall(nodes.tbody)):
            for name, entry in list(zip(names, row))[1:]:
                for text in entry.children[:1]:
                    text.insert(0, nodes.inline("", f"{name}: ", classes=["column"]))


def named(
    role: str, raw: str, text: str, line: int, inliner: Inliner, options: Any = None, content: Any = None
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Make a link of a name in single backticks, if it is that of an object, and code otherwise."""
    text = raw.strip("`")
    env = inliner.document.settings.env
    link = addnodes.pending_xref(
        raw, nodes.literal(raw, text), refdomain="py", reftype="obj", reftarget=text.removesuffix("()"),
        refdoc=env.docname, may_be_code=True,
    )
    for name in ("py:module", "py:class"):
        link[name] = env.ref_context.get(name)
    return [link], []


def spelled_out(
    app: Sphinx, env: BuildEnvironment, link: addnodes.pending_xref, shown: nodes.TextElement
) -> nodes.Node | None:
    """Look for what a short name stands for, or an object that is public under another name than that of its module."""
    target = link.get("reftarget", "")
    if link.get("refdomain") != "py":
        return None
    if target.startswith("aioresponses._"):
        target = target.rpartition(".")[2]
    link["reftarget"] = meant = MEANT.get(target, target)
    ours = meant if meant.startswith("aioresponses.") else f"aioresponses.{meant}"
    return env.domains.python_domain.resolve_xref(env, link["refdoc"], app.builder, "obj", ours, link, shown)


def taken_for_code(
    app: Sphinx, env: BuildEnvironment, link: addnodes.pending_xref, shown: nodes.Node
) -> nodes.Node | None:
    """Show a name in backticks as code where nothing is known by it."""
    return shown if link.get("may_be_code") else None


class Argument(GenericObject):
    """An argument of `aioresponses.add`, with its type and its default."""

    def handle_signature(self, sig: str, signode: addnodes.desc_signature) -> str:
        parameter = inspect.signature(aioresponses.aioresponses.add).parameters[sig]
        signode += addnodes.desc_name(sig, sig)
        annotation = addnodes.desc_annotation("", ": ")
        for part in re.split(r"([A-Za-z_]+)", parameter.annotation):
            text = nodes.Text(part)
            if part.isidentifier() and part != "None":
                annotation += addnodes.pending_xref(
                    "", text, refdomain="py", reftype="class", reftarget=part, refdoc=self.env.docname
                )
            else:
                annotation += text
        if parameter.default is not parameter.empty:
            annotation += nodes.Text(f" = {parameter.default!r}")
        signode += annotation
        return sig

    def _object_hierarchy_parts(self, sig_node: addnodes.desc_signature) -> tuple[str, ...]:
        return (sig_node[0].astext(),)

    def _toc_entry_name(self, sig_node: addnodes.desc_signature) -> str:
        return sig_node[0].astext()


def as_written(
    app: Sphinx, what: str, name: str, documented: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str, str | None] | None:
    """Show the types of arguments as they are written: by their own names, and not what these stand for."""
    if not signature or signature == "()":
        return None
    own = inspect.signature(documented)
    parameters = [one for one in own.parameters.values() if one.name not in ("self", "unknown")]
    text = stringify_signature(own.replace(parameters=parameters), unqualified_typehints=True)
    text = re.sub(r"Unpack\[(\w+)\]", r"\1", text).replace("_Function", "Callable")
    # As the docstring has it; what is really called does the same.
    text = re.sub(r"(json_dumps: JsonDumps = )<.+>,", r"\1json.dumps,", text)
    arguments, _, returned = text.partition(" -> ")
    return arguments, returned if what != "class" else None


def with_arguments(app: Sphinx, what: str, name: str, documented: Any, options: Any, lines: list[str]) -> None:
    """Have the names of arguments in a docstring not be taken for those of objects.

    What the docstring of `aioresponses.add` says of each argument becomes an entry, to which the others lead.
    """
    try:
        names = "|".join(inspect.signature(documented).parameters)
    except (TypeError, ValueError):  # It cannot be called, or does not say how.
        return
    text = "\n".join(lines)
    of_add = name == "aioresponses.aioresponses.add"
    if of_add:
        entry = re.compile(rf"^- `({names})`: (.)", re.MULTILINE)
        text = entry.sub(lambda found: f".. argument:: {found[1]}\n\n  {found[2].upper()}", text)
    if names:
        text = re.sub(rf"(?<!`)`({names})`(?!`)", r":argument:`\1`" if of_add else r"``\1``", text)
    lines[:] = text.splitlines()


def check_arguments(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of arguments of `aioresponses.add` that have no entry."""
    for name in inspect.signature(aioresponses.aioresponses.add).parameters:
        if name != "self" and ("argument", name) not in env.domains.standard_domain.objects:
            logger.warning("the reference lacks an entry for the argument %s of add", name)


def check_members(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of what the classes of the reference have that has a docstring of its own, and is not there."""
    objects = env.domains.python_domain.objects
    documented = {".".join(name.split(".")[-2:]) for name in objects} | set(NOT_FOR_USERS)
    for name, entry in objects.items():
        if entry.objtype != "class" or entry.aliased:
            continue
        made: Any = pydoc.locate(name)
        for owner in made.__mro__:
            for member, one in vars(owner).items() if owner.__module__.startswith("aioresponses") else ():
                says_nothing = one.__doc__ in (None, type(one).__doc__) or one.__doc__.startswith("Alias for field")
                if member.startswith("_") or says_nothing:
                    continue
                if documented.isdisjoint(f"{other.__name__}.{member}" for other in made.__mro__):
                    logger.warning("the reference lacks %s.%s", name, member)


def setup(app: Sphinx) -> None:
    """Have Sphinx do all this."""
    app.add_role("object", named)
    app.add_object_type("argument", "argument", "pair: %s; argument of add", objname="argument of add")
    app.add_directive_to_domain("std", "argument", Argument, override=True)
    app.connect("source-read", without_names)
    app.connect("autodoc-process-signature", as_written)
    app.connect("autodoc-process-docstring", with_arguments)
    app.connect("missing-reference", spelled_out, priority=100)
    app.connect("missing-reference", taken_for_code, priority=900)
    app.connect("env-check-consistency", check_arguments)
    app.connect("env-check-consistency", check_members)
    app.connect("doctree-resolved", link_to_pages)
    app.connect("doctree-resolved", with_names_of_columns)
