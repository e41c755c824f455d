#!/usr/bin/env python3
"""Checks that every relative link of the documents leads to a file that exists, and to a heading of it.

    tests/links.py
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def anchors(path):
    """The anchors of a document's headings, as GitHub makes them."""
    found = set()
    fenced = False
    for line in path.read_text().splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line.lstrip("#").strip()).lower()
            found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return found


def main():
    documents = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others",
                                "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True,
                               check=True).stdout.split("\n")
    links = broken = 0
    for name in filter(None, documents):
        document = ROOT / name
        for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            links += 1
            file, _, anchor = target.partition("#")
            path = (document.parent / file).resolve() if file else document
            if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
                print(f"{name}: {target} leads nowhere")
                broken += 1
    print(f"links: {links}, {broken} broken")
    return 1 if broken or links == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
