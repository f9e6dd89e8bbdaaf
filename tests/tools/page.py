"""Looks at pages of reports in a headless Chromium: axe must find no violation, and nothing may be
wider than a phone. Screenshots are left beside the result.

    page.py AXE FOLDER SANDBOX FUNCTION      AXE: axe.min.js of the npm package axe-core

The sandbox runs the function with sample events, each of another outcome, and leaves the page of its report in FOLDER.
"""

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WIDTHS = {"phone": 390, "desktop": 1280}
# The pages, each by its event, and what its image is in place of the event's.
PAGES = {
    "good": ("page", "demo-app:2.0.0-good"), "crash": ("page", "demo-app:2.0.0-crash"), "wrong": ("wrong", None),
    "plan": ("plan", None), "switch": ("blue-green", None), "canary": ("canary-alarm", None),
    "release": ("migration", None),
}
# Where the sandbox says that it has left a page.
LEFT = re.compile(r"^The report as a page: (.*)$", re.M)
# Chromium's own numbers.
SCHEMES = {"dark": 0, "light": 1}

# A window of a headless Chromium is at least 500 pixels wide; a frame is as wide as it is told.
FRAME = """<!doctype html><title>frame</title><style>body {{ margin: 0 }} iframe {{ border: 0 }}</style>
<iframe id="page" title="page" src="{page}" width="{width}" height="2400"></iframe>"""

RUN = """
<pre id="result"></pre>
<script src="axe.min.js"></script>
<script>
  const wide = document.documentElement.scrollWidth > innerWidth;
  document.querySelectorAll("details").forEach((it) => { it.open = true; });
  axe.run(document.querySelector("main").parentNode).then(({ violations }) => {
    const found = violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(" ")}`);
    if (wide) found.push("it is wider than the window");
    parent.document.title = document.getElementById("result").textContent =
      "FOUND" + JSON.stringify(found) + "END";
  });
</script>
</body>"""


def chromium(*arguments):
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        print("page-check: skipped, there is no chromium")
        sys.exit(0)
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               "--allow-file-access-from-files", "--virtual-time-budget=20000", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def check(page, axe, folder):
    html = page.read_text()
    assert "<script" not in html, "the page has no script"
    # The page's own policy would keep axe out.
    html = re.sub(r"<meta http-equiv=[^>]*>", "", html).replace("</body>", RUN)
    (folder / "page.html").write_text(html)
    (folder / "plain.html").write_text(page.read_text())
    shutil.copy(axe, folder / "axe.min.js")
    faults = []
    for size, width in WIDTHS.items():
        for scheme, number in SCHEMES.items():
            blink = f"--blink-settings=preferredColorScheme={number}"
            frame = folder / "frame.html"
            frame.write_text(FRAME.format(page="page.html", width=width))
            seen = chromium(blink, "--dump-dom", frame.as_uri())
            found = re.search(r"<title>FOUND(.*?)END</title>", seen, re.S)
            assert found, f"axe did not end:\n{seen[-2000:]}"
            listed = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
            faults += [f"{page.name}, {size}, {scheme}: {fault}" for fault in listed]
            frame.write_text(FRAME.format(page="plain.html", width=width))
            picture = folder / f"{page.stem}-{size}-{scheme}.png"
            chromium(blink, f"--window-size={max(width, 500)},2400", f"--screenshot={picture}", frame.as_uri())
    return faults


def made(name, folder, sandbox, function):
    """The page of an outcome, as the function writes it."""
    event, image = PAGES[name]
    text = Path("events", f"{event}.json").read_text()
    event = json.loads(text.replace("demo-app:2.0.0", image) if image else text)
    output = json.loads(Path("events/page.json").read_text())["CodePipeline.job"]["data"]
    # An action has an output artifact, and the credentials that write it.
    event["CodePipeline.job"]["data"] |= {key: output[key] for key in ("outputArtifacts", "artifactCredentials")}
    file = folder / f"{name}.json"
    file.write_text(json.dumps(event))
    said = subprocess.run([sandbox, "invoke", "--plain", "--function", function, "--event", file], check=False,
                          capture_output=True, text=True, timeout=300).stdout
    left = LEFT.search(said)
    assert left, f"{name} has left no page:\n{said}"
    return Path(shutil.move(left[1], folder / f"{name}.html"))


def main(axe, folder, sandbox, function):
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(4) as several:
        pages = list(several.map(lambda name: made(name, folder, sandbox, function), PAGES))
    faults = [fault for page in pages for fault in check(page, axe, folder)]
    print("\n".join(faults) or f"page-check: axe finds nothing in {len(pages)} pages; pictures in {folder}")
    return 1 if faults else 0


sys.exit(main(*sys.argv[1:]))
