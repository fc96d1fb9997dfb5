#!/usr/bin/python3
"""Figures of a trained screen on the measuring sets, which training never reads. Zero-shot: policy texts only; the
threshold comes from the held-out side of the training data (held_out.py) and is given here.

    evaluate.py --shared ../shared --policies policies --safeguard build/safeguard --base BASE --model FOLDER --threshold LOGIT
"""
import argparse
import csv
import gzip
import json
import pathlib

import concepts as c
import measure
import model as m
import torch
from word_piece import WordPiece

LABELS = {'s': 'S', 'h': 'H', 'v': 'V', 'hr': 'HR', 'sh': 'SH', 's3': 'S3', 'h2': 'H2', 'v2': 'V2'}


def moderation(o, score):
    with gzip.open(pathlib.Path(o.shared) / 'data/permissive/openai_moderation/samples-1680.jsonl.gz', 'rt', encoding='utf-8') as f:
        rows = [json.loads(line) for line in f][::o.moderation_every]
    files = sorted((pathlib.Path(o.policies) / 'benchmarks/openai-moderation').glob('*.md'))
    names = [LABELS[path.stem.split('-')[-1]] for path in files]
    table = score([row['prompt'] for row in rows], [c.written_policy(path, o.safeguard).block for path in files])
    figures = {}
    for p, name in enumerate(names):
        known = [(t[p], row[name]) for t, row in zip(table, rows) if name in row and row[name] is not None]
        figures[name] = round(measure.auc(*zip(*known)), 3)
    highest = [max(t) for t in table]
    any_label = [int(any(row.get(name) for name in names)) for row in rows]
    figures['any'] = round(measure.auc(highest, any_label), 3)
    figures['any F1'] = round(measure.f1(highest, any_label, o.threshold), 3)
    figures['any F1 best'] = [round(x, 3) for x in measure.best_f1(highest, any_label)]
    cut = sorted(s for s, l in zip(highest, any_label) if l)[int(0.05 * sum(any_label))]
    benign = [s for s, l in zip(highest, any_label) if not l]
    figures['benign settled at recall .95'] = round(sum(s < cut for s in benign) / len(benign), 3)
    return figures


def binary(texts, labels, policy, o, score):
    scores = [row[0] for row in score(texts, [policy])]
    return {'auc': round(measure.auc(scores, labels), 3), 'f1': round(measure.f1(scores, labels, o.threshold), 3),
            'f1 best': [round(x, 3) for x in measure.best_f1(scores, labels)]}


def toxicchat(o, score):
    with open(pathlib.Path(o.shared) / 'data/noncommercial/toxicchat_0124_test_full.jsonl', encoding='utf-8') as f:
        rows = [json.loads(line) for line in f][::o.toxicchat_every]
    policy = c.written_policy(pathlib.Path(o.policies) / 'benchmarks/toxicchat.md', o.safeguard).block
    return binary([r['text'] for r in rows], [int(r['toxicity']) for r in rows], policy, o, score)


def hatecheck(o, score):
    with open(pathlib.Path(o.shared) / 'data/permissive/hatecheck/test_suite_cases.csv', encoding='utf-8', newline='') as f:
        rows = list(csv.DictReader(f))
    policy = c.written_policy(pathlib.Path(o.policies) / 'hate/policy.md', o.safeguard).block
    return binary([r['test_case'] for r in rows], [int(r['label_gold'] == 'hateful') for r in rows], policy, o, score)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('shared', 'policies', 'safeguard', 'base', 'model'):
        parser.add_argument('--' + name, required=True)
    parser.add_argument('--threshold', type=float, required=True)
    parser.add_argument('--split', type=int, default=3)
    parser.add_argument('--policy-tokens', type=int, default=160)
    parser.add_argument('--content-tokens', type=int, default=160)
    parser.add_argument('--toxicchat-every', type=int, default=1)
    parser.add_argument('--moderation-every', type=int, default=1)
    parser.add_argument('--sets', default='moderation,toxicchat,hatecheck')
    o = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = WordPiece(pathlib.Path(o.base) / 'tokenizer.json')
    net = m.Screen(o.split)
    net.load_base(str(pathlib.Path(o.base) / 'model.safetensors'))
    net.load_named(m.read_safetensors(pathlib.Path(o.model) / 'model.safetensors'))

    def score(texts, policies):
        return measure.scores(net, tokenizer, texts, policies, o.content_tokens, o.policy_tokens)

    for name in o.sets.split(','):
        print(name, json.dumps(globals()[name](o, score)), flush=True)


if __name__ == '__main__':
    main()
