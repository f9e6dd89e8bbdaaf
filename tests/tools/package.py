"""Packs a built function as Lambda takes it, after a look at what it needs of the system and at how
it is hardened.

Usage: package.py BOOTSTRAP ARCHITECTURE ZIP
"""

import re
import sys
import zipfile
from pathlib import Path

from elftools.elf.constants import P_FLAGS
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.enums import ENUM_DT_FLAGS, ENUM_DT_FLAGS_1
from elftools.elf.gnuversions import GNUVerNeedSection

MACHINES = {"x86_64": "EM_X86_64", "arm64": "EM_AARCH64"}
# Amazon Linux 2023's C library, which `provided.al2023` is.
# https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html
NEWEST_GLIBC = (2, 34)
# The C library's own files; whatever else a binary asks for may not be there.
LIBRARIES = re.compile(r"(libc|libm|libdl|librt|libpthread|ld-linux-\S+)\.so\.\d")
# The beginning of ZIP's time, so that the same binary is the same package.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def main(bootstrap, architecture, package):
    faults = list(inspect(bootstrap, architecture))
    if faults:
        sys.exit(f"{bootstrap} would not run as {architecture} on Amazon Linux 2023:\n  " + "\n  ".join(faults))
    with open(bootstrap, "rb") as file:
        faults = list(unhardened(ELFFile(file)))
    if faults:
        sys.exit(f"{bootstrap} is not hardened as what holds a cluster's token must be:\n  " + "\n  ".join(faults))
    member = zipfile.ZipInfo("bootstrap", NO_TIME)
    member.external_attr = 0o100755 << 16
    member.compress_type = zipfile.ZIP_DEFLATED
    content = Path(bootstrap).read_bytes()
    Path(package).parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(member, content, compresslevel=9)
    size = Path(package).stat().st_size
    needs = ".".join(map(str, newest_glibc(bootstrap)))
    print(f"{package}: {size / 1e6:.2f} MB, unpacked {len(content) / 1e6:.2f} MB, needs glibc {needs}")


def inspect(bootstrap, architecture):
    """What is in the way of running it there."""
    with open(bootstrap, "rb") as file:
        elf = ELFFile(file)
        machine = elf["e_machine"]
        if machine != MACHINES[architecture]:
            yield f"it is built for {machine}"
        sections = [section for section in elf.iter_sections() if isinstance(section, DynamicSection)]
        tags = [tag for section in sections for tag in section.iter_tags("DT_NEEDED")]
        for tag in tags:
            if not LIBRARIES.fullmatch(tag.needed):
                yield f"it needs {tag.needed}"
    newest = newest_glibc(bootstrap)
    if newest is None:
        yield "it names no version of glibc, and so cannot be judged"
    elif newest > NEWEST_GLIBC:
        yield f"it needs glibc {newest[0]}.{newest[1]}, and there is {NEWEST_GLIBC[0]}.{NEWEST_GLIBC[1]}"


def unhardened(elf):
    """What makes an exploit easier. rustc's defaults are hardened; one flag of a linker undoes that."""
    sections = [section for section in elf.iter_sections() if isinstance(section, DynamicSection)]
    flags = {"DT_FLAGS": 0, "DT_FLAGS_1": 0, "DT_BIND_NOW": None}
    for tag in (tag for section in sections for tag in section.iter_tags() if tag.entry.d_tag in flags):
        flags[tag.entry.d_tag] = tag.entry.d_val
    # Without DF_1_PIE, ET_DYN may be a shared library.
    if elf["e_type"] != "ET_DYN" or not flags["DT_FLAGS_1"] & ENUM_DT_FLAGS_1["DF_1_PIE"]:
        yield "it is loaded at a fixed address (ET_DYN with DF_1_PIE is wanted)"
    segments = {segment["p_type"]: segment for segment in elf.iter_segments()}
    now = flags["DT_FLAGS"] & ENUM_DT_FLAGS["DF_BIND_NOW"] or flags["DT_FLAGS_1"] & ENUM_DT_FLAGS_1["DF_1_NOW"]
    if not now and flags["DT_BIND_NOW"] is None:
        yield "its symbols are bound when they are first used, so that their table stays writable (BIND_NOW is wanted)"
    if "PT_GNU_RELRO" not in segments:
        yield "its tables stay writable after they were relocated (PT_GNU_RELRO is wanted)"
    # Without the segment, the kernel makes the stack executable.
    stack = segments.get("PT_GNU_STACK")
    if stack is None or stack["p_flags"] & P_FLAGS.PF_X:
        yield "its stack is executable (PT_GNU_STACK without PF_X is wanted)"
    for segment in elf.iter_segments("PT_LOAD"):
        if segment["p_flags"] & P_FLAGS.PF_W and segment["p_flags"] & P_FLAGS.PF_X:
            yield f"what is loaded at {segment['p_vaddr']:#x} can be written and executed"


def newest_glibc(bootstrap):
    """The newest version of glibc that a symbol is asked for by."""
    with open(bootstrap, "rb") as file:
        sections = ELFFile(file).iter_sections()
        needed = [section for section in sections if isinstance(section, GNUVerNeedSection)]
        names = [one.name for section in needed for _, all in section.iter_versions() for one in all]
    versions = [re.match(r"GLIBC_(\d+)\.(\d+)", name) for name in names]
    return max((tuple(map(int, found.groups())) for found in versions if found), default=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
