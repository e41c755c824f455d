"""Proves that every picture is valid XML, whatever text it contains, and shows that text and nothing else.

Run by ctest with the program that prints the pictures: svg_test.py BUILD/bin/svg_samples
"""

import os
import random
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ElementTree

PROGRAM = None
SVG = "{http://www.w3.org/2000/svg}"
NUMBER = "37,456,821"
ELEMENTS = {SVG + name for name in ("svg", "title", "style", "linearGradient", "stop", "rect", "g", "text", "clipPath")}
# The pictures of each text: three odometers and a badge for each of three themes.
KINDS = ("odometer", "odometer", "odometer", "badge") * 3
HOSTILE = ["", "views", "lượt xem", "見る", "مشاهدات", "👀", "<script>alert(1)</script>", "</title></svg>", "]]>", "<!--",
           "&lt;&amp;&#0;&x;", "\" onload=\"alert(1)", "' onload='alert(1)", "a\0b", "a\tb\r\nc", "\x7f\x80\x9f\ufffe\uffff",
           "<![CDATA[", "<?xml?>", "%s{}{0}", " ", "x" * 1000]


def texts(seed):
    """Yields the hostile texts and random ones: bytes, characters, and pieces of markup."""
    chosen = random.Random(seed)
    pieces = ["<", ">", "&", '"', "'", "/", "script", "\0", "\x1f", "é", "\u0301", "\U0001f440", ";", "#", " "]
    for text in HOSTILE:
        yield text.encode()
    for _ in range(200):
        yield chosen.randbytes(chosen.randrange(40))
        yield "".join(chosen.choices(pieces, k=chosen.randrange(20))).encode()
        yield "".join(chr(chosen.choice((chosen.randrange(0xd800), chosen.randrange(0xe000, 0x110000))))
                      for _ in range(chosen.randrange(10))).encode()


def kept(text):
    """Returns the part of `text` that a picture may show."""
    return "".join(c for c in text.decode(errors="ignore")
                   if c >= " " and not "\x7f" <= c <= "\x9f" and c not in "\ufffe\uffff")


class SvgTest(unittest.TestCase):
    def test_every_text_is_text(self):
        seed = int(os.environ.get("VIEWCOUNT_TEST_SEED", random.SystemRandom().randrange(1 << 32)))
        print("seed", seed)
        given = list(texts(seed))
        made = subprocess.run([PROGRAM], input="".join(text.hex() + "\n" for text in given), capture_output=True,
                              text=True, encoding="utf-8", check=True).stdout.split("\n")
        self.assertEqual(len(made), len(given) * len(KINDS) + 1)
        for i, text in enumerate(given):
            for kind, picture in zip(KINDS, made[i * len(KINDS):]):
                with self.subTest(seed=seed, text=text, kind=kind):
                    self.check(kind, kept(text), ElementTree.fromstring(picture))

    def check(self, kind, text, root):
        self.assertLessEqual({element.tag for element in root.iter()}, ELEMENTS)
        for element in root.iter():
            self.assertFalse([name for name in element.attrib if name.startswith("on") or "href" in name])
        separator = "" if text == "" else " " if kind == "odometer" else ": "
        self.assertEqual(root.get("aria-label"), text + separator + NUMBER)
        self.assertEqual(root.find(SVG + "title").text, text + separator + NUMBER)
        shown = [element.text for element in root.iter(SVG + "text")]
        self.assertEqual(shown, list("37456821") if kind == "odometer" else [text, NUMBER][text == "":])


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
