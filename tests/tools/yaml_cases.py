"""Asks kubectl what the texts of a corpus mean, and writes its answers beside them.

Usage: yaml_cases.py KUBECTL CORPUS

The corpus is a list of cases, one a line. A case has a `value` (what stands after a key), `fields` (what
stands beside them in an object), or a `file`. In the place of an answer it gets `json`, the objects that
kubectl makes of it, or `refused`, what kubectl says. Other fields stay: `in` (how the file's text is
written), `landfall` and `why` (what Landfall makes of it where it means to differ).
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HEAD = "apiVersion: v1\nkind: Case\nmetadata: {name: a}\n"
# A command that reads files, asks no cluster, and prints what it has read. The label is taken off again.
COMMAND = ["label", "--local", "--output", "json", "--filename", "-", "landfall=case"]


def main(kubectl, corpus):
    with open(corpus, encoding="utf-8") as file:
        cases = json.load(file)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda case: asked(kubectl, case), cases))
    lines = [json.dumps({**case, **answer}) for case, answer in zip(cases, answers)]
    with open(corpus, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{len(cases)} cases, {sum('refused' in answer for answer in answers)} refused")


def asked(kubectl, case):
    """What kubectl makes of a case."""
    for old in ("json", "refused"):
        case.pop(old, None)
    text = text_of(case).encode(case.get("in", "utf-8"), "surrogatepass")
    ran = subprocess.run([kubectl, *COMMAND], input=text, capture_output=True, check=False, timeout=60)
    if ran.returncode:
        said = ran.stderr.decode().strip().splitlines()[-1]
        return {"refused": said.removeprefix("error: ")}
    objects = list(read_all(ran.stdout.decode()))
    for found in objects:
        found["metadata"]["labels"].pop("landfall")
        if not found["metadata"]["labels"]:
            found["metadata"].pop("labels")
    if "value" in case:
        return {"json": objects[0].get("a")}
    if "fields" in case:
        for field in ("apiVersion", "kind", "metadata"):
            objects[0].pop(field)
        return {"json": objects[0]}
    return {"json": objects}


def text_of(case):
    """The file that a case stands for."""
    if "value" in case:
        return f"{HEAD}a: {case['value']}\n"
    if "fields" in case:
        return HEAD + case["fields"]
    return case["file"]


def read_all(text):
    """The JSON values that stand one after another in a text."""
    reader = json.JSONDecoder()
    while text := text.lstrip():
        value, end = reader.raw_decode(text)
        yield value
        text = text[end:]


if __name__ == "__main__":
    main(*sys.argv[1:])
