"""What the screen is trained on: concepts, each a policy (in many wordings) with texts on either side of it.

A concept comes from a public set and one reading of its labels, from an intent of a task-dialogue set, or from a
policy of our own corpus. `held` concepts are never trained on: whole sets, intents, topics.
"""
import collections
import dataclasses
import functools
import hashlib
import json
import pathlib
import random
import re
import subprocess

import sets


@dataclasses.dataclass
class Case:
    text: str
    violates: bool
    pair: str = ''            # cases that differ by a few words share it
    rule_texts: tuple = ()    # of the rules that decide it, on its own side
    siblings: dict = dataclasses.field(default_factory=dict)  # other concept's name -> violates under that


@dataclasses.dataclass
class Concept:
    name: str
    domain: str      # where its texts come from
    policies: list   # texts under which `positives` violate
    inverted: list   # texts under which `negatives` violate instead
    positives: list
    negatives: list
    held: bool = False
    broad: bool = False  # its policy says something on texts of every kind: no cross-topic negatives under it
    rules: list = dataclasses.field(default_factory=list)  # (side, text) of a written policy
    title: str = ''
    words: str = ''  # of an intent, and the frame that each of its policies was made from
    frames: dict = dataclasses.field(default_factory=dict)
    near: frozenset = frozenset()  # names of intents that it may be confused with, its own among them


# Texts of a domain (key) are safe under policies of these domains: other topics altogether.
ELSEWHERE = {
    'intent': {'abuse', 'spam', 'injection', 'harm', 'intimate', 'hostility', 'trade', 'assistant', 'matrix'},
    'abuse': {'spam', 'injection', 'intent', 'trade'},
    'spam': {'abuse', 'injection', 'intent', 'hostility'},
    'injection': {'abuse', 'spam', 'intent', 'intimate', 'hostility', 'trade'},
    'harm': {'spam', 'intent', 'injection'},
    'intimate': {'spam', 'intent', 'injection', 'trade'},
    'hostility': {'spam', 'intent', 'injection', 'trade'},
    'trade': {'intent', 'injection', 'hostility', 'abuse'},
    'assistant': {'intent', 'spam', 'trade'},
    'matrix': {'intent'},
}


# Corpus policies that speak of every kind of text: no text of another topic is safe under them by itself.
BROAD = {'help-posts-only', 'help-requests-only', 'off-topic-sourdough', 'wanted-board-only', 'review-about-product', 'honest-reviews',
         'over-refusal', 'venting-only-forum', 'own-attempt-first', 'german-only-room', 'job-ads-need-pay', 'support-bot-scope',
         'scam-victim-desk', 'homework-help', 'spoiler-free-lounge', 'spoiler-tags'}


def stable(text):
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), 'little')


def normal(text):
    return re.sub(r'\W+', ' ', text.lower()).strip()


# ---- our own corpus --------------------------------------------------------------------------------------------

Written = collections.namedtuple('Written', 'name block rules ids')  # block: what the screen reads of it


@functools.lru_cache(maxsize=None)
def written_policy(path, safeguard):
    """A policy as the product's own reader understands the file."""
    show = [safeguard, 'policy', 'show', str(path)]
    shown = json.loads(subprocess.run(show + ['--json'], check=True, capture_output=True, text=True).stdout)
    block = subprocess.run(show + ['--screen-text'], check=True, capture_output=True, text=True).stdout.strip()
    rules = [('violating' if rule['side'] == 'violating' else 'safe', plain_rule(rule['text']))
             for rule in shown['rules'] if rule['side'] in ('violating', 'safe')]
    ids = {rule['id']: plain_rule(rule['text']) for rule in shown['rules']}
    return Written(shown['name'], block, rules, ids)


def plain_rule(text):
    text = re.sub(r'[*_`#>]+', '', text)
    return re.sub(r'\s+', ' ', text).strip().rstrip('.;')


def block_text(name, rules):
    """As the product writes it (judges/screen_text.h), before it is cut to the window."""
    text = name + '.'
    for side, word in (('violating', 'Violates'), ('safe', 'Allowed')):
        texts = [text for s, text in rules if s == side]
        if texts:
            text += f' {word}: ' + '; '.join(texts) + '.'
    return text


def corpus(folder, safeguard):
    concepts, by_text = [], collections.defaultdict(dict)
    for path in sorted(pathlib.Path(folder).glob('*/*.md')):
        if not path.with_suffix('.jsonl').exists():
            continue  # written, not yet labelled
        cases = [json.loads(line) for line in path.with_suffix('.jsonl').read_text(encoding='utf-8').split('\n') if line]
        policy = written_policy(path, safeguard)
        concept = Concept(path.stem, path.parent.name, [policy.block], [], [], [], rules=policy.rules, title=policy.name)
        concept.broad = path.stem in BROAD
        for case in cases:
            violates = case['expected'] == 'violation'
            texts = tuple(policy.ids[i] for i in case.get('rules', ()) if i in policy.ids)
            pair = next((tag for tag in case.get('tags', ()) if tag.startswith('pair')), '')
            record = Case(case['text'], violates, pair, texts)
            (concept.positives if violates else concept.negatives).append(record)
            by_text[normal(case['text'])][concept.name] = violates
        concepts.append(concept)
    for concept in concepts:
        for case in concept.positives + concept.negatives:
            case.siblings = {k: v for k, v in by_text[normal(case.text)].items() if k != concept.name}
    return concepts


def matrix(folder, often=()):
    """Contents that are labelled under every category at once, and several policies a category: a concept a policy. Those of
    the parts named by `often` count five times when contents are drawn."""
    folder = pathlib.Path(folder) / 'matrix'
    policies = json.loads((folder / 'policies.json').read_text(encoding='utf-8'))
    rows = {}
    for path in sorted(folder.glob('*.jsonl')):
        for line in path.read_text(encoding='utf-8').split('\n'):
            if line:
                row = json.loads(line)
                rows.setdefault(normal(row['text']), (row, path.stem))
    names = {f'{category}:{i}': category for category, wordings in policies.items() for i in range(len(wordings))}
    concepts = []
    for name, category in names.items():
        policy = policies[category][int(name.split(':')[1])]
        rules = [('violating', text) for text in policy['violates']] + [('safe', text) for text in policy['allowed']]
        concepts.append(Concept('matrix:' + name, 'matrix', [block_text(policy['title'], rules)], [], [], [], rules=rules,
                                title=policy['title']))
    for row, part in rows.values():
        pair = next((f'{part}:{tag}' for tag in row.get('tags', ()) if tag.startswith('pair')), '')
        everywhere = {'matrix:' + name: category in row['violates'] for name, category in names.items()}
        for concept in concepts:
            violates = everywhere[concept.name]
            case = Case(row['text'], violates, pair, siblings=everywhere)
            (concept.positives if violates else concept.negatives).extend([case] * (5 if part in often else 1))
    return concepts


def wording(concept, rng):
    """One wording of a concept's policy: for a written one its rules in another order, cut or partly left out."""
    if not concept.rules or rng.random() < 0.35:
        return rng.choice(concept.policies)
    violating = [text for side, text in concept.rules if side == 'violating']
    safe = [text for side, text in concept.rules if side == 'safe']
    rng.shuffle(violating)
    rng.shuffle(safe)
    if rng.random() < 0.2:
        safe = []
    title = concept.title if rng.random() < 0.8 else ''
    form = rng.randrange(4)
    if form == 0:
        return block_text(title or 'Policy', [('violating', t) for t in violating] + [('safe', t) for t in safe])
    if form == 1:
        return f'{title} Not allowed: ' + '. '.join(violating) + ('. Fine: ' + '. '.join(safe) if safe else '')
    if form == 2:
        return f'{title}\nFlag: ' + ' / '.join(violating) + ('\nDo not flag: ' + ' / '.join(safe) if safe else '')
    return (title + '. ' if title else '') + 'This breaks the rules: ' + '; '.join(violating)


# ---- public sets -----------------------------------------------------------------------------------------------

def split(rows, positive, negative):
    """Positives and negatives without repeats; a text with both labels is left out."""
    seen = {}
    for text, label in rows:
        text = sets.plain(text)
        if len(text) < 3 or label not in positive | negative:
            continue
        key, violates = normal(text), label in positive
        if key in seen and seen[key][1] != violates:
            seen[key] = (text, None)
        else:
            seen.setdefault(key, (text, violates))
    positives = [Case(text, True) for text, violates in seen.values() if violates is True]
    negatives = [Case(text, False) for text, violates in seen.values() if violates is False]
    return positives, negatives


def intents(rows, descriptions, templates, inverted, confusable):
    """One concept an intent: its messages against other intents' messages, mostly of the same set."""
    by_intent = collections.defaultdict(list)
    for text, intent in rows:
        by_intent[intent].append(text)
    concepts = []
    for intent, description in descriptions.items():
        if intent not in by_intent:
            continue
        near = {intent}.union(*(group for group in confusable if intent in group))
        others = [t for name, texts in by_intent.items() if name not in near for t in texts]
        random.Random(stable(intent)).shuffle(others)
        words = description.rstrip('.')
        concepts.append(Concept(
            f'intent:{intent}', 'intent', [t.replace('{intent}', words) for t in templates],
            [t.replace('{intent}', words) for t in inverted],
            [Case(t, True) for t in by_intent[intent]], [Case(t, False) for t in others[:400]],
            held=stable('held' + intent) % 5 == 0, words=words,
            frames={t.replace('{intent}', words): t for t in templates + inverted},
            near=frozenset(f'intent:{name}' for name in near)))
    return concepts
