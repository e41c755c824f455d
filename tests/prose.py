#!/usr/bin/env python3
"""Checks the language of comments and documents: how comments begin, a list of words, and the length of sentences.

    tests/prose.py               # all tracked files; prints the average sentence of every document
    tests/prose.py PATH...       # only these files or folders

Exit code 1 if a rule is broken. The rules:

- A sentence of a comment does not begin with a word that only points at something (BEGINNINGS).
- Comments, documents, and the texts of service/ and client/ use none of the words in WORDS; the error names the word to
  use instead.
- A sentence of a comment has at most COMMENT_WORDS_MAX words.
- The sentences of a document have fewer than DOCUMENT_WORDS_AVERAGE words on average.

Documents in Vietnamese, NAME.vi.md, are not checked: these rules are about English.
"""

import pathlib
import re
import subprocess
import sys

COMMENT_WORDS_MAX = 25
DOCUMENT_WORDS_AVERAGE = 18

BEGINNINGS = re.compile(r"(Of|What|Who|Whoever|Whatever|The same|That of|Those of)\b")
WORDS = {
    r"anew": "again",
    r"mend(s|ed|ing)?": "fix, repair",
    r"somebody": "a caller, a viewer, a thread",
    r"nobody": "no caller, no thread",
    r"whoever": "the caller, the thread that",
    r"hitherto": "until now",
    r"told apart|tells? apart|telling apart": "distinguished",
    r"(is|are|was|were|be|been) told": "reported, notified",
    r"(a|one|each|every|this|the) look": "a look-up, a request, a check",
    r"behind (it|them|him|that|this|its|their)": "after",
}

COMMENT_STARTS = {
    ".h": "//", ".cc": "//", ".proto": "//", ".js": "//", ".mjs": "//", ".go": "//", ".java": "//", ".cs": "//",
    ".lua": "--", ".sql": "--", ".py": "#", ".sh": "#", ".rb": "#", ".cmake": "#", ".txt": "#", ".yml": "#",
    ".yaml": "#", ".conf": "#", ".service": "#", ".php": "//",
}
VIETNAMESE = re.compile(r"\.vi\.md$")
# A full stop that ends no sentence.
ABBREVIATIONS = re.compile(r"\b(e\.g|i\.e|etc|vs|cf|approx|Sect|No)\.", re.IGNORECASE)


def tracked(paths):
    """The repository's text files that have comments or are documents, those not committed yet included."""
    found = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard",
                            "--", *paths], capture_output=True, text=True, check=True).stdout.split("\n")
    return [pathlib.Path(name) for name in found
            if name and pathlib.Path(name).exists() and not name.endswith("package-lock.json")
            and not VIETNAMESE.search(name)]


def comments(path):
    """Yields (line number, text) of each run of comment lines, and of each comment at the end of a line."""
    start = COMMENT_STARTS.get(path.suffix)
    if start is None or (path.suffix == ".txt" and path.name != "CMakeLists.txt"):
        return
    block, first = [], 0
    lines = path.read_text(errors="replace").splitlines()
    whole = re.compile(r"\s*" + re.escape(start) + r"+!?/?\s?(.*)")
    trailing = re.compile(r"[;,{}()\]]\s{2,}" + re.escape(start) + r"\s(.*)")
    for number, line in enumerate(lines + [""], 1):
        match = whole.fullmatch(line)
        # A blank comment line and an indented one (an example, a list) end the sentence before them.
        if match and match[1].strip() and not match[1].startswith("  "):
            if not block:
                first = number
            block.append(match[1].strip())
            continue
        if block:
            yield first, " ".join(block)
            block = []
        end = trailing.search(line)
        if end:
            yield number, end[1]


def strings(path):
    """Yields (line number, text) of the string literals of a C++ file, which operators and users read."""
    if path.suffix not in (".h", ".cc") or path.parts[0] not in ("service", "client"):
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.lstrip().startswith(("//", "#")):
            for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', line):
                yield number, literal


def rows(path):
    """Yields (line number, text) of the headings and table rows of a document."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith(("#", "|")):
            yield number, re.sub(r"`[^`]*`", "x", line)


def paragraphs(path):
    """Yields (line number, text) of a document's prose: no code, no tables, no headings."""
    block, first, fenced = [], 0, False
    for number, line in enumerate(path.read_text().splitlines() + [""], 1):
        text = line.strip()
        if text.startswith("```"):
            fenced = not fenced
        prose = not fenced and text and not text.startswith(("```", "#", "|", "<"))
        begins = re.match(r"([-*]|\d+\.)\s+", text)
        if block and (not prose or begins):
            yield first, " ".join(block)
            block = []
        if prose:
            if not block:
                first = number
            block.append(text[begins.end():] if begins else text)


def sentences(text):
    text = re.sub(r"`[^`]*`", "x", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = ABBREVIATIONS.sub(lambda match: match[0].replace(".", ""), text)
    return [part for part in re.split(r"(?<=[.!?:])[\"')*]*\s+", text) if part.strip()]


def words(sentence):
    return len([word for word in sentence.split() if re.search(r"\w", word)])


def check(path):
    """Prints what breaks a rule; returns how much does."""
    broken = 0

    def complain(number, text):
        nonlocal broken
        broken += 1
        print(f"{path}:{number}: {text}")

    def check_words(number, text):
        for word, instead in WORDS.items():
            for match in re.finditer(rf"\b({word})\b", text, re.IGNORECASE):
                complain(number, f'"{match[0]}": say {instead}')

    document = path.suffix == ".md"
    lengths = []
    for number, text in rows(path) if document else strings(path):
        check_words(number, text)
    for number, text in paragraphs(path) if document else comments(path):
        check_words(number, text)
        for sentence in sentences(text):
            lengths.append(words(sentence))
            if document:
                continue
            match = BEGINNINGS.match(sentence)
            if match:
                complain(number, f'begins with "{match[0]}": {sentence[:70]}')
            if lengths[-1] > COMMENT_WORDS_MAX:
                complain(number, f"{lengths[-1]} words: {sentence[:70]}")
    if document and lengths:
        average = sum(lengths) / len(lengths)
        print(f"{path}: {average:.1f} words a sentence in {len(lengths)} sentences")
        if average >= DOCUMENT_WORDS_AVERAGE:
            complain(1, f"{average:.1f} words a sentence, {DOCUMENT_WORDS_AVERAGE} or more")
    return broken


def main():
    if any(argument in ("-h", "--help") for argument in sys.argv[1:]):
        print(__doc__.strip())
        return 0
    files = tracked(sys.argv[1:])
    if not files:
        print("prose.py: no such tracked files", file=sys.stderr)
        return 2
    broken = sum(check(path) for path in files)
    print(f"prose: {len(files)} files, {broken} to rewrite")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
