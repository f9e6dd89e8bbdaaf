"""Puts a release together: what `make release` has built, and what belongs to it.

Usage: release.py FOLDER BUILT TRIPLE...

BUILT/TRIPLE has `bootstrap`, the function, and `landfall-access`. The same sources and tools make the same bytes:
no time, no path of this machine, and one order.
"""

import gzip
import hashlib
import html
import io
import json
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import package
import validate

# Lambda's names of the processors.
ARCHITECTURES = {"x86_64-unknown-linux-gnu": "x86_64", "aarch64-unknown-linux-gnu": "arm64"}
PROGRAMS = ["landfall", "landfall-access"]
# The files that say under which terms a crate may be passed on.
TERMS = re.compile(r"(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|UNLICENSE)([-_.].*)?$", re.I)
# What landfall-access applies to a cluster.
MANIFESTS = Path("deploy")


def main(folder, built, *triples):
    folder, built = Path(folder), Path(built)
    version = validate.version()
    folder.mkdir(parents=True)
    functions = {}
    for triple in triples:
        architecture = ARCHITECTURES[triple]
        function = built / triple / "bootstrap"
        package.main(function, architecture, folder / f"landfall-{version}-{architecture}.zip")
        functions[architecture] = digest(function.read_bytes())
        access = folder / f"landfall-access-{version}-linux-{architecture}.tar.gz"
        access.write_bytes(archive(built / triple / "landfall-access", access.name.removesuffix(".tar.gz")))
    (folder / f"landfall-{version}.template.json").write_text(validate.packaged(version))
    crates = inside(triples)
    (folder / f"landfall-{version}.cdx.json").write_text(json.dumps(bill(version, crates), indent=1) + "\n")
    (folder / f"landfall-{version}-licences.txt").write_text(licences(crates))
    (folder / "RELEASE-NOTES.md").write_text(notes(version, functions))
    (folder / "SHA256SUMS").write_text("".join(
        f"{digest(path.read_bytes())}  {path.name}\n" for path in sorted(folder.iterdir())))
    print((folder / "SHA256SUMS").read_text(), end="")


def digest(content):
    return hashlib.sha256(content).hexdigest()


def archive(program, top):
    """The set-up tool, and the manifests that it applies, as one folder."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for source, name, mode in [(program, "landfall-access", 0o755), (Path("LICENSE"), "LICENSE", 0o644)] + [
                (path, str(path), 0o644) for path in sorted(MANIFESTS.glob("*.yaml"))]:
            content = source.read_bytes()
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), compresslevel=9, mtime=0)


def inside(triples):
    """The crates that are in the programs, without what only builds them: {(name, version): package}."""
    described = json.loads(run("metadata", "--locked", "--format-version", "1"))
    known = {(one["name"], one["version"]): one for one in described["packages"]}
    names = set()
    for triple in triples:
        for program in PROGRAMS:
            tree = run("tree", "--locked", "--package", program, "--target", triple, "--edges", "normal,no-proc-macro",
                       "--prefix", "none", "--no-dedupe", "--format", "{p}")
            names |= {tuple(line.split()[:2]) for line in tree.splitlines()}
    crates = {(name, version.removeprefix("v")) for name, version in names}
    return {crate: known[crate] for crate in sorted(crates)}


def run(*words):
    return subprocess.run(["cargo", *words], check=True, capture_output=True, text=True).stdout


def is_ours(crate):
    return crate["source"] is None


def bill(version, crates):
    """The crates as CycloneDX 1.5 lists them. https://cyclonedx.org/docs/1.5/json/"""
    locked = tomllib.loads(Path("Cargo.lock").read_text())["package"]
    sums = {(one["name"], one["version"]): one.get("checksum") for one in locked}
    components = []
    for (name, of), crate in crates.items():
        if is_ours(crate):
            continue
        purl = f"pkg:cargo/{name}@{of.replace('+', '%2B')}"
        component = {"type": "library", "bom-ref": purl, "name": name, "version": of, "purl": purl,
                     "hashes": [{"alg": "SHA-256", "content": sums[name, of]}],
                     "licenses": [{"expression": expression(crate)}]}
        if crate["repository"]:
            component["externalReferences"] = [{"type": "vcs", "url": crate["repository"]}]
        components.append(component)
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "metadata": {"component": {
                "type": "application", "bom-ref": f"landfall@{version}", "name": "landfall", "version": version,
                "licenses": [{"expression": "Apache-2.0"}]}},
            "components": components}


def expression(crate):
    """Its licence by SPDX; old crates have a slash for OR."""
    if not crate["license"]:
        sys.exit(f"{crate['name']} {crate['version']} says nothing of its licence")
    return re.sub(r" */ *", " OR ", crate["license"])


def licences(crates):
    """The terms of all crates and of Rust's standard library, each text once."""
    texts, silent = {}, []
    for (name, of), crate in crates.items():
        if is_ours(crate):
            continue
        title = f"{name} {of} ({expression(crate)})"
        found = [path for path in sorted(Path(crate["manifest_path"]).parent.iterdir())
                 if path.is_file() and TERMS.match(path.name)]
        for path in found:
            texts.setdefault(tidied(path.read_text(errors="replace")), []).append(title)
        if not found:
            silent.append(f"{title}, {crate['repository']}")
            for text in standard(expression(crate)):
                texts.setdefault(text, []).append(title)
    texts.setdefault(of_library(), []).append("the standard library of Rust (MIT OR Apache-2.0)")
    parts = ["What is in Landfall's programs, and under which terms.\n"]
    if silent:
        parts.append("These say their licence in Cargo.toml, and have no text of it in their package; below is its "
                     "standard text:\n" + "".join(f"  {one}\n" for one in silent))
    parts += ["".join(f"  {name}\n" for name in sorted(set(names))) + "\n" + text + "\n" for text, names in texts.items()]
    return f"\n{'=' * 100}\n\n".join(parts)


def tidied(text):
    return text.replace("\r\n", "\n").strip()


def shipped(name):
    """A text that comes with the toolchain, in every profile of rustup."""
    root = subprocess.run(["rustc", "--print", "sysroot"], check=True, capture_output=True, text=True).stdout.strip()
    return Path(root, "share/doc/rust", name)


def standard(spdx):
    """The texts of the licences of which one may choose."""
    texts = [shipped(f"licenses/{one}.txt") for one in re.findall(r"[\w.-]+", spdx) if one not in ("OR", "AND", "WITH")]
    found = [tidied(text.read_text()) for text in texts if text.is_file()]
    return found or sys.exit(f"the toolchain has no text of {spdx}")


def of_library():
    """What Rust says of its standard library and of what is in that, without the page's markup."""
    page = shipped("COPYRIGHT-library.html")
    if not page.is_file():
        sys.exit(f"the toolchain says nothing of its library's licences: {page} is missing")
    text = html.unescape(re.sub(r"<(style|script).*?</\1>|<[^>]*>", "", page.read_text(), flags=re.S))
    return re.sub(r"\n\s*\n", "\n\n", tidied(text))


def notes(version, functions):
    """What CHANGELOG.md says of this version, and what can be compared."""
    found = re.search(rf"^## {re.escape(version)}\n(.*?)(?=^## |\Z)", Path("CHANGELOG.md").read_text(), re.M | re.S)
    if not found:
        sys.exit(f"CHANGELOG.md has nothing of {version}")
    # A link into the repository leads nowhere from the page of a release: the file is named instead.
    text = re.sub(r"\(\[[^\]]*\]\((?!https?:)([^)]*)\)\)", r"(`\1`)", found[1].strip())
    text = re.sub(r"\[([^\]]*)\]\((?!https?:)([^)]*)\)", r"\1 (`\2`)", text)
    sums = "".join(f"- {architecture}: `{sum}`\n" for architecture, sum in functions.items())
    return f"# Landfall {version}\n\n{text}\n\n## SHA-256 of `bootstrap` in the packages\n\n{sums}"


if __name__ == "__main__":
    main(*sys.argv[1:])
