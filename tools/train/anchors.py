"""Policies as the embedding screen knows them: sets of anchors (rules, and what is quoted in them) on either side."""
import json
import pathlib
import re
import subprocess
import tempfile

_QUOTED = re.compile('"([^"]{4,})"|“([^”]{4,})”|„([^“]{4,})“|«([^»]{4,})»')


def of_rules(rules):
    """[(side, text)] of rules [(side, text)]: judges/screen/anchors.cc."""
    result = []
    for side, text in rules:
        result.append((side, text))
        result += [(side, next(filter(None, quoted))) for quoted in _QUOTED.findall(text)]
    return list(dict.fromkeys(result))


class Reader:
    """Reads policy texts with the product's own reader; what was read is kept in a file beside the weights. A rule by which all
    the rest violates is left out, as judges/screen/anchors.cc does: its words are like nothing that violates."""

    def __init__(self, safeguard, cache):
        self.safeguard, self.cache = safeguard, pathlib.Path(cache)
        self.known = json.loads(self.cache.read_text(encoding='utf-8')) if self.cache.exists() else {}

    def rules(self, text):
        if text not in self.known:
            with tempfile.NamedTemporaryFile('w', suffix='.md', encoding='utf-8') as file:
                file.write(text + '\n')
                file.flush()
                shown = json.loads(subprocess.run([self.safeguard, 'policy', 'show', file.name, '--json'], check=True,
                                                  capture_output=True, text=True).stdout)
            self.known[text] = [[rule['side'], rule['text']] for rule in shown['rules']
                                if rule['side'] == 'safe' or rule['side'] == 'violating' and not rule.get('rest')]
        return [tuple(rule) for rule in self.known[text]]

    def save(self):
        self.cache.write_text(json.dumps(self.known), encoding='utf-8')


TOPIC = 'zzintentzz'


def frame_rules(reader, frame, words):
    """Rules of an intent's frame, which is read once for all intents."""
    return [(side, text.replace(TOPIC, words)) for side, text in reader.rules(frame.replace('{intent}', TOPIC))]


def teaches(reader, frame):
    """Whether the reader finds a frame's topic on the violating side; otherwise its rules tell nothing of the intent."""
    return any(side == 'violating' and TOPIC in text for side, text in reader.rules(frame.replace('{intent}', TOPIC)))
