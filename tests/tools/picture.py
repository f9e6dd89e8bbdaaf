"""Draws docs/demo.svg: the terminal in which `make demo` runs, as an animated picture.

    picture.py OUTPUT COMMAND…

The command runs in a terminal of its own; what it shows is followed by a terminal emulator
until it ends, and written as SVG that plays in a loop. A viewer that plays nothing shows the last
picture.
"""

import codecs
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from xml.sax.saxutils import escape

import pyte

COLUMNS, ROWS = 100, 36
STEP = 0.4  # seconds between two looks at the screen, at the least: each new dot changes it
PART = 0.02  # seconds between two parts of one screen, at the most
PAUSE = 5.0  # seconds that the last picture stays
LONGEST = 120.0  # seconds after which the command has gone wrong
CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.4, 18, 16
COLOURS = {"default": "#c9d1d9", "red": "#ff7b72", "green": "#56d364", "brown": "#e3b341",
           "cyan": "#76e3ea", "magenta": "#d2a8ff", "brightblack": "#8b949e", "black": "#8b949e"}


def main():
    output, command = sys.argv[1], sys.argv[2:]
    frames = record(command)
    with open(output, "w", encoding="utf-8") as file:
        file.write(draw(frames))
    print(f"{output}: {len(frames)} pictures, {os.path.getsize(output) // 1024} KiB")


def record(command):
    """What the screen showed: [(seconds, number of the first line in view, lines)]."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS=str(COLUMNS), LINES=str(ROWS))
        os.execvp(command[0], command)
    size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
    screen = pyte.HistoryScreen(COLUMNS, ROWS, history=10_000)
    stream, decoder = pyte.Stream(screen), codecs.getincrementaldecoder("utf-8")("replace")
    frames, started = [], None
    while True:
        data = written(terminal)
        if not data:
            break
        now = time.monotonic()
        started = started or now
        stream.feed(decoder.decode(data))
        if now - started > LONGEST:
            sys.exit("the command does not end")
        lines = [screen.buffer[row] for row in range(ROWS)]
        frame = (now - started, len(screen.history.top), rows(lines))
        if frames and frame[0] - frames[-1][0] < STEP:
            frames[-1] = (frames[-1][0], *frame[1:])
        else:
            frames.append(frame)
    if os.waitpid(process, 0)[1]:
        sys.exit("the command has failed")
    return frames


def written(terminal):
    """What the command wrote next, up to where it pauses: never half of a screen. Nothing at its end."""
    data = b""
    while not data or select.select([terminal], [], [], PART)[0]:
        try:
            more = os.read(terminal, 65536)
        except OSError:
            break
        if not more:
            break
        data += more
    return data


def rows(lines):
    """Each line as runs of characters that look the same."""
    found = []
    for line in lines:
        runs = []
        for column in range(COLUMNS):
            cell = line[column]
            look = (cell.fg, cell.bold)
            if runs and runs[-1][1] == look:
                runs[-1][0] += cell.data
            else:
                runs.append([cell.data, look])
        while runs and not runs[-1][0].strip():
            runs.pop()
        if runs:
            runs[-1][0] = runs[-1][0].rstrip()
        found.append(tuple((text, look) for text, look in runs))
    return found


def draw(frames):
    """Each line of the whole text once for each look that it had, shown while it had it."""
    end = frames[-1][0] + PAUSE
    spans = {}
    for index, (begin, above, shown) in enumerate(frames):
        until = frames[index + 1][0] if index + 1 < len(frames) else end
        for number, runs in enumerate(shown):
            of_line = spans.setdefault(above + number, [])
            if of_line and of_line[-1][2] == runs and of_line[-1][1] == begin:
                of_line[-1][1] = until
            elif runs:
                of_line.append([begin, until, runs])
    lines = []
    for number, of_line in sorted(spans.items()):
        for begin, until, runs in of_line:
            lines.append(text(number, begin, until, end, runs))
    scrolled = [(frames[0][0], 0)]
    for begin, above, _ in frames:
        if above != scrolled[-1][1]:
            scrolled.append((begin, above))
    return page(lines, scrolled, end)


def text(number, begin, until, end, runs):
    y = MARGIN + CELL_HEIGHT * (number + 1) - 5
    parts, column = [], 0
    for content, (colour, bold) in runs:
        shown = content.strip()
        if shown:
            spaces = len(content) - len(content.lstrip())
            x = MARGIN + (column + spaces) * CELL_WIDTH
            fill = COLOURS.get(colour, COLOURS["default"])
            weight = ' font-weight="bold"' if bold else ""
            length = f"{len(shown) * CELL_WIDTH:.1f}"
            shown = escape(shown).replace("  ", "\u00a0\u00a0")  # else one space is drawn
            parts.append(f'<tspan x="{x:.1f}" fill="{fill}"{weight} textLength="{length}">'
                         f"{shown}</tspan>")
        column += len(content)
    stays = until >= end
    sets = []
    if stays and begin > 0:
        sets.append(set_("hidden", 0, begin))
    if not stays:
        sets.append(set_("visible", begin, until))
    hidden = "" if stays else ' visibility="hidden"'
    return f'<text y="{y}"{hidden}>{"".join(parts)}{"".join(sets)}</text>'


def set_(value, begin, until):
    return (f'<set attributeName="visibility" to="{value}" '
            f'begin="l.begin+{begin:.2f}s" dur="{until - begin:.2f}s"/>')


def page(lines, scrolled, end):
    width = MARGIN * 2 + COLUMNS * CELL_WIDTH
    height = MARGIN * 2 + ROWS * CELL_HEIGHT
    last = -scrolled[-1][1] * CELL_HEIGHT
    times = ";".join(f"{begin / end:.4f}" for begin, _ in scrolled)
    places = ";".join(f"0 {-above * CELL_HEIGHT}" for _, above in scrolled)
    moves = (f'<animateTransform attributeName="transform" type="translate" calcMode="discrete" '
             f'begin="l.begin" dur="{end:.2f}s" keyTimes="{times}" values="{places}"/>')
    body = "\n".join(lines)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}" role="img" aria-label="make demo: a version that crashes and is rolled back, and a canary whose alarm takes the traffic back">
<rect width="100%" height="100%" rx="8" fill="#0d1117"><animate id="l" attributeName="rx" values="8;8" begin="0s;l.end" dur="{end:.2f}s"/></rect>
<svg x="0" y="{MARGIN}" width="{width:.0f}" height="{ROWS * CELL_HEIGHT}">
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" transform="translate(0 {last - MARGIN})">{moves}
{body}
</g></svg></svg>
"""


if __name__ == "__main__":
    main()
