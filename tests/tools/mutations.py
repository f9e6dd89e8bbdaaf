"""Breaks one rule after another, and tells whether the field cases notice.

Usage: mutations.py MUTATIONS TARGET [KIND...]

MUTATIONS is a list of changes to the code (tests/mutations.json, explained in docs/testing.md), TARGET a
folder for the work. A KIND picks the mutations of that kind. In the place of a mutation's cases the word
`all` lists every case that notices it: this is how the cases of a new mutation are found.

All changes are woven into one copy of the tree, each behind a switch, so that it is built once. A file beside
it names the change that is on.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The longest that the cases of one mutation may take: a broken rule may wait for ever.
LONGEST = 300
SWITCH = '''
/// Whether this change is on, by a file beside the tree.
#[doc(hidden)]
#[allow(clippy::all)]
pub fn is_mutated(name: &str) -> bool {
    static ON: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../../mutation");
    ON.get_or_init(|| std::fs::read_to_string(place).unwrap_or_default()) == name
}
'''


def main(mutations, target, *kinds):
    mutations = json.loads(Path(mutations).read_text(encoding="utf-8"))
    target = Path(target).resolve()
    for number, mutation in enumerate(mutations):
        mutation["name"] = f"{mutation['kind']}.{number}"
    wanted = [one for one in mutations if not kinds or one["kind"] in kinds or one["name"] in kinds]
    copy(target / "tree")
    stale = weave(target / "tree", mutations)
    player = build(target)
    listed = sorted({case for one in wanted for case in one["cases"] if one["cases"] != "all"})
    failed = play(player, target, "", listed)
    if failed:
        sys.exit(f"without any mutation these fail: {', '.join(sorted(failed))}")
    survived = 0
    for mutation in wanted:
        if mutation["name"] in stale:
            print(f"does not apply any more: {told(mutation)}", flush=True)
            continue
        if mutation["cases"] == "all":
            found = play(player, target, mutation["name"], [""])
            print(f"{told(mutation)}\n  {json.dumps(sorted(found))}", flush=True)
            continue
        found = play(player, target, mutation["name"], mutation["cases"])
        missed = [case for case in mutation["cases"] if case not in found]
        survived += bool(missed)
        verdict = f"SURVIVED {', '.join(missed)}" if missed else "caught"
        print(f"{verdict}: {told(mutation)}", flush=True)
    print(f"{len(wanted)} mutations, {survived} survived, {len(stale)} do not apply any more")
    sys.exit(1 if survived or stale else 0)


def told(mutation):
    return f"{mutation['name']} {mutation['rule']}"


def copy(tree):
    """The files of the tree; one that is the same keeps its time, so that less is built anew."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = {name for name in names.split("\0") if name and (ROOT / name).is_file()}
    for old in list(tree.rglob("*")):
        if old.is_file() and str(old.relative_to(tree)) not in names:
            old.unlink()
    for name in names:
        # What is woven into is written by `weave`.
        if name.endswith(".rs") and name.startswith(("core/src/", "src/")):
            continue
        put(tree / name, (ROOT / name).read_bytes())
        shutil.copymode(ROOT / name, tree / name)


def put(path, content):
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def weave(tree, mutations):
    """Puts every change behind its switch; gives the names of those whose text is not there once."""
    stale = set()
    for path in [*ROOT.glob("core/src/**/*.rs"), *ROOT.glob("src/**/*.rs")]:
        name = str(path.relative_to(ROOT))
        text = path.read_text(encoding="utf-8")
        places = []
        for mutation in (one for one in mutations if one["file"] == name):
            if text.count(mutation["text"]) != 1:
                stale.add(mutation["name"])
                continue
            begin = text.index(mutation["text"])
            places.append((begin, begin + len(mutation["text"]), mutation))
        crate = "crate" if name.startswith("core/") else "landfall_core"
        text = switched(text, 0, len(text), sorted(places, key=lambda place: (place[0], -place[1])), crate)
        if name == "core/src/lib.rs":
            text += SWITCH
        put(tree / name, text.encode())
    return stale


def switched(text, begin, end, places, crate):
    """The text from begin to end with the places in it switched; one may lie in another, or change the same text."""
    made = ""
    while places:
        (start, stop, mutation), places = places[0], places[1:]
        inside = [place for place in places if place[0] < stop]
        places = places[len(inside):]
        crossing = [place for place in inside if place[1] > stop]
        if crossing:
            sys.exit(f"these texts cross: {told(mutation)}, {told(crossing[0][2])}")
        original = switched(text, start, stop, inside, crate)
        switch = f'{crate}::is_mutated("{mutation["name"]}")'
        made += f"{text[begin:start]}(if {switch} {{ {mutation['with']} }} else {{ {original} }})"
        begin = stop
    return made + text[begin:end]


def build(target):
    """The program that plays the cases."""
    command = ["cargo", "test", "--locked", "--no-run", "--test", "it", "--message-format", "json"]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target / "build")}
    built = subprocess.run(command, cwd=target / "tree", env=environment, stdout=subprocess.PIPE, text=True, check=False)
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-message" and message["message"]["level"] == "error":
            print(message["message"]["rendered"], file=sys.stderr)
        if message.get("executable") and message["target"]["name"] == "it":
            return message["executable"]
    sys.exit("the tree with the mutations does not build")


def play(player, target, name, cases):
    """The cases that fail with this change."""
    if not cases:
        return set()
    (target / "mutation").write_text(name, encoding="utf-8")
    environment = {**os.environ, "LANDFALL_CASE": ",".join(cases)}
    try:
        ran = subprocess.run(
            [player, "field::cases_"], cwd=target / "tree", env=environment, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        return set(cases)
    finally:
        (target / "mutation").unlink()
    found = re.findall(r"^== (\S+)\.json$", ran.stdout, re.MULTILINE)
    slow = re.findall(r"(\S+)\.json takes too long", ran.stdout)
    if ran.returncode and not found and not slow:
        sys.exit(f"the cases of {name} could not be played:\n{ran.stdout}")
    return {*found, *slow}


if __name__ == "__main__":
    main(*sys.argv[1:])
