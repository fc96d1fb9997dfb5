#!/usr/bin/env python3
"""Quality of the screen under policies that are written as prose.

    bench/prose_policies.py BINARY [--set fourth] [--verbose]

Each policy of src/moderation/policy/testdata/prose_policies.txt is judged zero-shot: those on an intent on 60 of its messages and
60 of other intents (CLINC150, Banking77; $SAFEGUARD_SHARED or ../shared), those on a harm on the golden set of the shipped policy
of that subject. Prints the mean ROC-AUC, F1 (undetermined counts as wrong) and share of undetermined contents by kind of policy.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tools' / 'train'))
import sets  # noqa: E402

POLICIES = ROOT / 'src' / 'moderation' / 'policy' / 'testdata' / 'prose_policies.txt'
HARMS = {'harassment': 'harassment', 'hate': 'hate', 'sexual': 'sexual-content', 'self_harm': 'self-harm', 'violence': 'violence',
         'spam': 'spam', 'scams': 'scams', 'personal_data': 'personal-data', 'game_cheating': 'game-cheating',
         'fake_reviews': 'fake-reviews', 'illegal_goods': 'illegal-goods', 'toxic': 'harassment'}
PER_SIDE = 60


def policies(name):
    result = []
    for line in POLICIES.read_text(encoding='utf-8').splitlines():
        kind, _, value = line.partition(' ')
        if kind == 'policy':
            words = value.split()
            result.append({'id': words[0], 'topic': words[1], 'inverted': words[-1] == 'inverted', 'text': []})
        elif kind == 'text':
            result[-1]['text'].append(value)
    return [policy for policy in result if policy['id'].startswith(name)]


def intents():
    shared = pathlib.Path(os.environ.get('SAFEGUARD_SHARED', ROOT.parent / 'shared')) / 'data' / 'permissive'
    by_set = {}
    for name, rows in (('clinc', sets.clinc), ('banking', sets.banking)):
        texts = collections.defaultdict(list)
        for text, intent in rows(shared):
            texts[intent].append(text)
        by_set[name] = texts
    return by_set


def labelled(policy, by_set):
    """[(text, violates)] of an intent."""
    topic = policy['topic']
    texts = next(texts for texts in by_set.values() if topic in texts)
    rng = random.Random(7)
    others = [text for intent, of_intent in texts.items() if intent != topic for text in of_intent]
    of_topic = rng.sample(texts[topic], min(PER_SIDE, len(texts[topic])))
    return ([(text, not policy['inverted']) for text in of_topic]
            + [(text, policy['inverted']) for text in rng.sample(others, PER_SIDE)])


def measure(binary, policy, by_set):
    """(kind, AUC, F1, share undetermined), or None where there is no data."""
    harm = policy['topic'] in HARMS
    if harm and policy['inverted']:
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / 'policy.md'
        file.write_text('\n\n'.join(policy['text']) + '\n', encoding='utf-8')
        if harm:
            data, options = ROOT / 'policies' / HARMS[policy['topic']] / 'golden.jsonl', ['--format', 'golden']
        else:
            data, options = pathlib.Path(folder) / 'data.jsonl', ['--map', 'text=text,label=violation']
            data.write_text(''.join(json.dumps({'text': text, 'violation': violates}) + '\n'
                                    for text, violates in labelled(policy, by_set)), encoding='utf-8')
        run = subprocess.run([binary, 'eval', '--policy', str(file), '--data', str(data), '--json', '--threads', '1'] + options,
                             capture_output=True, text=True)
        if not run.stdout:
            sys.exit(f"{policy['id']}: {run.stderr}")
        report = json.loads(run.stdout)
    counts = report['counts']
    undetermined = counts['undetermined'] / counts['cases']
    auc = report['ranking']['roc_auc']
    f1 = report['with_undetermined_as_errors']['f1']
    value = lambda figure: figure['value'] if isinstance(figure, dict) else figure
    kind = 'one subject alone' if policy['inverted'] else 'a harm' if harm else 'an intent'
    if undetermined == 1:
        return kind, 0.5, 0.0, 1.0
    return kind, 0.5 if value(auc) is None else value(auc), value(f1) or 0.0, undetermined


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('binary')
    parser.add_argument('--set', default='', help='first, second, third or fourth (default: all)')
    parser.add_argument('--verbose', action='store_true', help='a line for each policy')
    o = parser.parse_args()
    chosen, by_set = policies(o.set), intents()
    by_kind = collections.defaultdict(list)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for policy, figures in zip(chosen, pool.map(lambda policy: measure(o.binary, policy, by_set), chosen)):
            if figures is None:
                continue
            by_kind[figures[0]].append(figures[1:])
            if o.verbose:
                print(f"{policy['id']} {policy['topic']}: AUC {figures[1]:.3f} F1 {figures[2]:.2f} undetermined {figures[3]:.2f}")
    for kind, rows in by_kind.items():
        auc, f1, undetermined = (statistics.mean(row[i] for row in rows) for i in range(3))
        print(f'policies on {kind}: {len(rows)}, mean ROC-AUC {auc:.3f}, mean F1 {f1:.3f}, undetermined {undetermined:.2f}')


if __name__ == '__main__':
    main()
