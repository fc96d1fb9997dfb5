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
    """Reads policy texts with the product's own reader; what was read is kept in a file beside the weights."""

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
            self.known[text] = [[rule['side'], rule['text']] for rule in shown['rules'] if rule['side'] in ('violating', 'safe')]
        rules = [tuple(rule) for rule in self.known[text]]
        return rules if any(side == 'violating' for side, _ in rules) else [('violating', text)] + rules

    def save(self):
        self.cache.write_text(json.dumps(self.known), encoding='utf-8')


def frame_rules(reader, frame, words):
    """Rules of an intent's frame, which is read once for all intents."""
    return [(side, text.replace('zzintentzz', words)) for side, text in reader.rules(frame.replace('{intent}', 'zzintentzz'))]
