# SPDX-License-Identifier: BSL-1.0
"""The semantic patches beside the survey: they parse C; the survey knows names, local headers and what macros hide.

Here a patch is given the files of a module together (`spatch --file-groups`).
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from survey import modules

PATCHES = {
    "hybrid": lambda each: each.owner == "hybrid",
    "implicit": lambda each: each.owner == "implicit",
    "handlers": lambda each: bool(each.freed_in) and each.handlers in ("managed", "both"),
}


def marked(patch, root, groups):
    """The files in which the patch marks something, of these groups of files."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".groups") as listed:
        listed.write("\n\n".join("\n".join(map(str, group)) for group in groups) + "\n")
        listed.flush()
        done = subprocess.run(["spatch", "--very-quiet", "--jobs", str(os.cpu_count()), "--sp-file",
                               str(pathlib.Path(__file__).with_name(patch + ".cocci")), "--file-groups", listed.name],
                              cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"spatch {patch}.cocci: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    return {(root / name).resolve() for name in re.findall(r"^--- (\S+)", done.stdout, re.M)}


def compare(root, survey):
    """Prints which drivers each patch and the survey agree on; 2 if there is no spatch."""
    if not shutil.which("spatch"):
        print("survey: spatch is missing: Debian has it in coccinelle", file=sys.stderr)
        return 2
    files = {paths[0].relative_to(root).as_posix(): paths for paths in modules.find(root)}
    drivers = [each for each in survey.vectors if each.owner in ("hybrid", "implicit", "explicit", "unfreed")]
    asked = re.compile(r"pci(m_enable_device|_free_irq|_alloc_irq|_(en|dis)able_msi)|devm_request_")
    groups = [[path for path in files[each.name] if asked.search(path.read_text(encoding="utf-8", errors="replace"))]
              for each in drivers]
    for patch, ours in PATCHES.items():
        found = marked(patch, root, [group for group in groups if group])
        theirs = {each.name for each in drivers if found & set(files[each.name])}
        here = {each.name for each in drivers if ours(each)}
        print(f"{patch}.cocci: {len(here & theirs)} drivers, as the survey has them")
        for words, names in (("the survey only", here - theirs),
                             ("the patch only", theirs - here)):
            for name in sorted(names):
                print(f"  {words}: {name}")
    return 0
