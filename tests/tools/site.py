"""Builds the documents as a site, and follows every link in it.

Usage: site.py MDBOOK FOLDER [--only-list]

FOLDER gets `src`, the pages and the files that they link to, and `site`, what mdBook makes of them. With
`--only-list` it only looks whether the table of contents has every page.
"""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HERE = Path("docs/site")
MERMAID = "mermaid@11.12.0"
# A link of Markdown, or the source of a picture.
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
LISTED = re.compile(r"\]\(([^)]+\.md)\)")


def main(mdbook, folder, only_list=None):
    listed = LISTED.findall((HERE / "SUMMARY.md").read_text())
    forgotten = {str(page) for page in Path("docs").glob("*.md")} - set(listed)
    if forgotten or only_list:
        return sys.exit(f"docs/site/SUMMARY.md has no {', '.join(sorted(forgotten))}") if forgotten else None
    build = Path(folder)
    shutil.rmtree(build, ignore_errors=True)
    (build / "src").mkdir(parents=True)
    (build / "src/SUMMARY.md").write_text(indexed((HERE / "SUMMARY.md").read_text()))
    for name in ("book.toml", "site.css", "diagrams.js"):
        shutil.copy(HERE / name, build)
    fetch_mermaid(build)
    for page in listed:
        copy(page, set(listed), build / "src")
    subprocess.run([mdbook, "build", build], check=True)
    faults = [fault for page in sorted((build / "site").rglob("*.html")) for fault in broken(page, build / "site")]
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(listed)} pages, and every link in them leads somewhere: {build}/site/index.html")


def fetch_mermaid(build):
    """mdBook draws no diagrams itself."""
    subprocess.run(["npm", "pack", "--silent", "--pack-destination", build.resolve(), MERMAID], check=True, cwd=build)
    archive = next(build.glob("mermaid-*.tgz"))
    with open(build / "mermaid.min.js", "wb") as script:
        subprocess.run(["tar", "-xzOf", archive, "package/dist/mermaid.min.js"], check=True, stdout=script)
    archive.unlink()


def copy(page, listed, sources):
    """A page with the files that it links to. A link to a folder leads to its page, or is taken off."""

    def linked(found):
        picture, text, address = found.groups()
        if urlsplit(address).scheme or address.startswith("#"):
            return found[0]
        path, _, anchor = address.partition("#")
        target = os.path.normpath(Path(page).parent / path)
        if Path(target).is_dir():
            if f"{target}/README.md" not in listed:
                return text
            return f"{picture}[{text}]({path.rstrip('/')}/README.md{anchor and '#' + anchor})"
        if target not in listed:
            place(target, sources, shutil.copy)
        return found[0]

    text = LINK.sub(linked, Path(page).read_text())
    place(indexed(page), sources, lambda _, to: Path(to).write_text(indexed(text)))


def indexed(text):
    """A folder's page is its index in the site, for mdBook also where it is linked to."""
    return re.sub(r"README\.md(?=[)#]|$)", "index.md", text)


def place(path, sources, write):
    to = sources / path
    to.parent.mkdir(parents=True, exist_ok=True)
    write(path, to)


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        self.links += filter(None, (attributes.get("href"), attributes.get("src")))


def broken(path, root, pages={}):
    """What the links of a page do not find."""

    def read(file):
        return pages.setdefault(file, Page(file.read_text()))

    for link in read(path).links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or path.name in ("print.html", "404.html", "toc.html"):
            continue
        target = Path(os.path.normpath(path.parent / unquote(parts.path))) if parts.path else path
        if not target.is_file():
            yield f"{path.relative_to(root)}: {link} leads nowhere"
        elif target.suffix == ".html" and parts.fragment and unquote(parts.fragment) not in read(target).ids:
            yield f"{path.relative_to(root)}: {link}: there is no such heading"


if __name__ == "__main__":
    main(*sys.argv[1:])
