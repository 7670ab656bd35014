"""Looks at the documentation that `make docs` has built: its links and, where there is a browser, its pages.

In the browser, at the width of a phone and of a desktop, no page may be wider than the window and no table wider than
its place, code can be copied, and the search finds what users look for.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

SITE = Path(__file__).resolve().parent.parent / "docs" / "_build"

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

# What is searched for, and a page that must be among the first that are found.
WANTED = {
    "override": "matching.html",
    "latency": "testcase.html",
    "websocket": "websockets.html",
    "payload": "reference/add.html",
    "assertJsonBody": "reference/assertions.html",
}

# Looks at each page in a frame, and writes what is wrong as JSON.
LOOK = """<!DOCTYPE html><meta charset="utf-8"><pre id="found"></pre><script>
const pages = PAGES, wanted = WANTED, wrong = [];

async function opened(address, width, ready) {
  const frame = document.createElement("iframe");
  frame.style = `width: ${width}px; height: 900px; border: 0`;
  frame.src = address;
  document.body.append(frame);
  await new Promise((done) => { frame.onload = done; });
  const page = frame.contentDocument;
  for (let turn = 0; turn < 200 && !ready(page); turn++) await new Promise((done) => setTimeout(done, 50));
  return [frame, page];
}

async function look() {
  for (const width of [390, 1280]) {
    for (const name of pages) {
      const blocks = (page) => page.querySelectorAll("div.highlight pre");
      const buttons = (page) => page.querySelectorAll("div.highlight button.copybtn");
      const [frame, page] = await opened(name, width, (page) => blocks(page).length == buttons(page).length);
      if (page.documentElement.scrollWidth > width) wrong.push(`${name}: wider than ${width} pixels`);
      if (blocks(page).length != buttons(page).length) wrong.push(`${name}: code that cannot be copied`);
      for (const table of page.querySelectorAll("table.docutils")) {
        const place = table.parentElement.clientWidth;
        if (table.offsetWidth > place + 1) {
          wrong.push(`${name}, ${width} pixels: a table of ${table.offsetWidth} in a place of ${place}: `
                     + table.innerText.slice(0, 60));
        }
      }
      frame.remove();
    }
  }
  for (const [text, page] of Object.entries(wanted)) {
    const links = (page) => [...page.querySelectorAll("#search-results li a")].map((link) => link.href);
    const [frame, results] = await opened(
      `search.html?q=${text}`, 1280, (page) => /found|match/i.test(page.querySelector("#search-results p")?.innerText));
    const found = links(results).slice(0, 10);
    if (!found.some((link) => new URL(link).pathname == `/${page}`)) {
      wrong.push(`search for ${text}: ${page} is not among ${found.join(" ") || "no results"}`);
    }
    frame.remove();
  }
}

look().catch((error) => wrong.push(String(error))).finally(() => {
  document.getElementById("found").textContent = "DONE" + JSON.stringify(wrong);
});
</script>
"""


class Page(HTMLParser):
    """What a page links to, and what in it can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value:
                self.links.add(value)


class Handler(SimpleHTTPRequestHandler):
    """Serves the site, and the page that looks at its pages."""

    look = b""

    def do_GET(self) -> None:
        if self.path != "/look":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(self.look)))
        self.end_headers()
        self.wfile.write(self.look)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def broken_links() -> list[str]:
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in SITE.rglob("*.html")}
    broken = []
    for path, page in pages.items():
        for link in sorted(page.links):
            to = urlsplit(link)
            if to.scheme or to.netloc:
                continue
            file = (path.parent / unquote(to.path)).resolve() if to.path else path
            # The sources link back to all that they have, also where the reference leaves it out.
            anchors = pages[file].anchors if file in pages and "_modules" not in path.parts else {unquote(to.fragment)}
            if not file.exists() or to.fragment and unquote(to.fragment) not in anchors:
                broken.append(f"{path.relative_to(SITE)}: {link} leads nowhere")
    for link in re.findall(r"\]\((.+?)\)", (SITE / "llms.txt").read_text(encoding="utf-8")):
        if not (SITE / link).exists():
            broken.append(f"llms.txt: {link} leads nowhere")
    return broken


def seen_by(browser: str) -> list[str]:
    """Return what is wrong with the pages in a browser."""
    pages = sorted(
        path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html") if "_modules" not in path.parts
    )
    look = LOOK.replace("PAGES", json.dumps(pages)).replace("WANTED", json.dumps(WANTED))
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(type("Looking", (Handler,), {"look": look.encode()}), directory=str(SITE))
    )
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with tempfile.TemporaryDirectory() as profile:
            command = [
                browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
                "--virtual-time-budget=600000", "--dump-dom", f"http://127.0.0.1:{server.server_port}/look",
            ]
            dumped = subprocess.run(command, capture_output=True, text=True, timeout=600).stdout
    finally:
        server.shutdown()
        server.server_close()
    found = re.search(r'<pre id="found">DONE(.*?)</pre>', dumped, re.DOTALL)
    return json.loads(html.unescape(found[1])) if found else ["the browser has not looked at all pages"]


def main() -> None:
    wrong = broken_links()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is not None:
        wrong += seen_by(browser)
    seen = "not looked at in a browser, for there is none" if browser is None else "as it should be in a browser"
    print("\n".join(wrong) or f"{SITE}/index.html: all links are right; {seen}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
