"""Random texts with their o200k tokens, from an implementation that shares nothing with ours.

The `regex` package (pip) splits, with the Unicode version it was built with; the merges are the
plainest loop over the rank file. Characters that are newer than Unicode 16, which o200k_harmony
knows, are left out. The result is for SAFEGUARD_O200K_GOLDEN (src/engine/text/bpe_golden_test.cc):

  python3 tools/goldens/o200k.py build/models/o200k/o200k_base.tiktoken > /tmp/o200k.jsonl
"""
import base64
import json
import random
import sys

import regex

SPACE = r"\p{White_Space}"  # what the regex crate's \s means; Python's has more
WORD = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]%s[\p{Ll}\p{Lm}\p{Lo}\p{M}]%s(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PATTERN = regex.compile("|".join([
    r"[^\r\n\p{L}\p{N}]?" + WORD % ("*", "+"),
    r"[^\r\n\p{L}\p{N}]?" + WORD % ("+", "*"),
    r"\p{N}{1,3}",
    rf" ?[^{SPACE}\p{{L}}\p{{N}}]+[\r\n/]*",
    rf"{SPACE}*[\r\n]+",
    rf"{SPACE}+(?!\P{{White_Space}})",
    rf"{SPACE}+",
]))
# Added, or given another category, by Unicode 17.
NEWER = [(0x295, 0x295), (0x88F, 0x88F), (0xC5C, 0xC5C), (0xCDC, 0xCDC), (0x1ACF, 0x1ADD),
         (0x1AE0, 0x1AEB), (0xA7CE, 0xA7CF), (0xA7D2, 0xA7D2), (0xA7D4, 0xA7D4), (0xA7F1, 0xA7F1),
         (0x10940, 0x10959), (0x10EC5, 0x10EC7), (0x10EFA, 0x10EFB), (0x11B60, 0x11B67),
         (0x11DB0, 0x11DDB), (0x11DE0, 0x11DE9), (0x16EA0, 0x16ED3), (0x16FF2, 0x16FF6),
         (0x187F8, 0x187FF), (0x18D09, 0x18D1E), (0x18D80, 0x18DF2), (0x1E6C0, 0x1E6FF),
         (0x2B73A, 0x2B73F), (0x2CEA2, 0x2CEAD), (0x323B0, 0x33479)]


def usable(c):
    return not 0xD800 <= c < 0xE000 and not any(a <= c <= b for a, b in NEWER)


def merge(ranks, piece):
    parts = [piece] if piece in ranks else [piece[i:i + 1] for i in range(len(piece))]
    while True:
        pairs = [(ranks[a + b], i) for i, (a, b) in enumerate(zip(parts, parts[1:]))
                 if a + b in ranks]
        if not pairs:
            return [ranks[part] for part in parts]
        at = min(pairs)[1]
        parts[at:at + 2] = [parts[at] + parts[at + 1]]


def random_character():
    if random.random() < 0.4:
        return random.choice("aBcD eF\n\r\t '/.!12sStTlLrRvVeEmMdD\u017f  ")
    limit = random.choice([0x80, 0x250, 0x3000, 0x10000, 0x20000, 0x110000])
    while True:
        c = random.randrange(limit)
        if usable(c):
            return chr(c)


def main():
    random.seed(5)
    with open(sys.argv[1], "rb") as file:
        ranks = {base64.b64decode(a): int(b) for a, b in (line.split() for line in file)}
    texts = ["".join(random_character() for _ in range(random.randint(1, 40)))
             for _ in range(6000)]
    # Each character beside a letter, a digit and a space.
    texts += [f"a{chr(c)}1{chr(c)} {chr(c)}B" for c in range(0x33480) if usable(c)]
    for text in texts:
        ids = [i for piece in PATTERN.findall(text) for i in merge(ranks, piece.encode())]
        print(json.dumps({"text": text, "tokens": ids}))


if __name__ == "__main__":
    main()
