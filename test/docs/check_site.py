#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks a site of HTML pages that doxygen made: its links lead to a file, and to a place in it; it can be searched; doxygen had
nothing to say of it, such as a public member without a word; and it has lost no public name of the headers' namespaces, which it
does in silence where it cannot read a declaration, or a namespace has no words.

usage: check_site.py FOLDER WARNINGS INCLUDE
"""
import html
import pathlib
import re
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

PLACE = re.compile(r'\b(?:id|name)="([^"]+)"')
LINK = re.compile(r'\b(?:href|src)="([^"]*)"')
SCRIPT = re.compile(r"<script\b[^>]*>.*?</script>", re.S)


# A declaration in a namespace begins its line.
NAME = re.compile(r"^(?:(?:struct|class|enum class|concept|using) (?:alignas\(\d+\) |DEVRES_CONSUMABLE )?(?P<type>\w+)\b(?!::)(?![^{]*;$)"
                  r"|(?!template|static_assert|extern|#|//|namespace|friend|requires)[\w\[][^=;{]*?\b(?P<function>\w+)\()")
ATTRIBUTE = re.compile(r"\[\[.*?\]\] ?|DEVRES_INLINE ")
DETAIL = re.compile(r"namespace (?:\w+::)*detail\b")


def outside_detail(text):
    """The lines that are not in a namespace detail."""
    depth = None  # in braces of one
    for line in text.splitlines():
        if depth is None and not DETAIL.match(line):
            yield line
            continue
        depth = (depth or 0) + line.count("{") - line.count("}")
        if depth == 0:
            depth = None


def public_names(include):
    """The names that headers declare in namespaces, outside of detail."""
    for header in sorted(include.rglob("*.hpp")):
        if "detail" not in header.relative_to(include).parts:
            for line in outside_detail(header.read_text(encoding="utf-8")):
                found = NAME.match(ATTRIBUTE.sub("", line))
                name = found and (found["type"] or found["function"])
                if name and not name.startswith("operator"):
                    yield header.relative_to(include), name


class Site:
    """The pages of a folder: the places in each, and where they lead."""

    def __init__(self, folder):
        self.folder, self.places, self.links, self.faults = folder.resolve(), {}, [], []
        for page in sorted(self.folder.rglob("*.html")):
            text = page.read_text(encoding="utf-8", errors="replace")
            self.places[page] = set(map(html.unescape, PLACE.findall(text)))
            # Of scripts, only where they come from is a link.
            self.links += [(page, html.unescape(link)) for link in LINK.findall(SCRIPT.sub(lambda s: s[0].partition(">")[0], text))]

    def check_links(self):
        for page, link in self.links:
            if re.match(r"\w+:", link):
                continue
            name, _, place = link.partition("#")
            target = (page.parent / urllib.parse.unquote(name)).resolve() if name else page
            where = page.relative_to(self.folder)
            if not target.exists():
                self.faults.append(f"{where}: link to {link}: there is no such file")
            elif place and target in self.places and urllib.parse.unquote(place) not in self.places[target]:
                self.faults.append(f"{where}: link to {link}: there is no such place in it")

    def check_search(self, include):
        if not (self.folder / "search/searchdata.js").exists():
            self.faults.append("it cannot be searched: search/searchdata.js is missing")
        found = set()
        for page in self.folder.glob("search/all_*.js"):
            text = page.read_text(encoding="utf-8")
            self.links += [(page, html.unescape(link)) for link in re.findall(r"'(\.\./[^']*)'", text)]
            found.update(re.findall(r"',\['(\w+)", text))
        for header, name in public_names(include):
            if name not in found:
                self.faults.append(f"{header}: {name} is not found in it")


def main():
    if len(sys.argv) != 4:
        return harness.usage(__doc__)
    site, warnings = Site(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2])
    if not site.places:
        return harness.verdict([f"{sys.argv[1]}: no pages"], "0 pages")
    site.check_search(pathlib.Path(sys.argv[3]))
    site.check_links()
    site.faults += filter(None, warnings.read_text(encoding="utf-8").splitlines())
    return harness.verdict(site.faults, f"{len(site.places)} pages, {len(site.links)} links")


if __name__ == "__main__":
    sys.exit(main())
