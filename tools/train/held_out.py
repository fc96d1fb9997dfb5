"""Figures on what training never saw: intents, topics of the corpus, whole sets, and the shipped policies' golden sets."""
import json
import pathlib
import random
import statistics

import concepts as c
import measure


def measure_concept(net, tokenizer, concept, o, limit):
    rng = random.Random(c.stable(concept.name))
    positives, negatives = concept.positives[:], concept.negatives[:]
    rng.shuffle(positives)
    rng.shuffle(negatives)
    cases = positives[:limit] + negatives[:limit]
    texts = [case.text for case in cases]
    policies = concept.policies[:2 if limit > 20 else 1]
    table = measure.scores(net, tokenizer, texts, policies, o.content_tokens, o.policy_tokens)
    labels = [case.violates for case in cases]
    return statistics.mean(measure.auc([row[p] for row in table], labels) for p in range(len(policies)))


def golden_sets(o):
    for policy in sorted(pathlib.Path(o.policies).glob('*/policy.md')):
        block = c.written_policy(policy, o.safeguard).block
        cases = [json.loads(line) for line in (policy.parent / 'golden.jsonl').read_text(encoding='utf-8').split('\n') if line]
        cases = [case for case in cases if isinstance(case.get('text'), str)]
        yield (policy.parent.name, block, [case['text'] for case in cases],
               [case['expected'] == 'violation' for case in cases])


def measure_golden(net, tokenizer, o):
    """AUC of each shipped policy zero-shot on its golden set, and over all sets the F1 at one threshold."""
    figures, scores, labels = {}, [], []
    for name, policy, texts, expected in golden_sets(o):
        row = [r[0] for r in measure.scores(net, tokenizer, texts, [policy], o.content_tokens, o.policy_tokens)]
        figures[name] = round(measure.auc(row, expected), 3)
        scores += row
        labels += expected
    best, threshold = measure.best_f1(scores, labels)
    return figures, {'auc': round(measure.auc(scores, labels), 3), 'f1': round(best, 3), 'threshold': round(threshold, 2)}


def measure_all(net, tokenizer, concepts, o, limit):
    result = {}
    groups = {}
    for concept in concepts:
        if concept.held:
            groups.setdefault(concept.domain, []).append(concept)
    for domain, members in groups.items():
        members = members[:12] if domain == 'intent' and limit <= 20 else members
        values = {k.name: round(measure_concept(net, tokenizer, k, o, limit), 3) for k in members}
        result[domain] = round(statistics.mean(values.values()), 3)
        if domain != 'intent':
            result[domain + ' by concept'] = values
    return result


def figures(net, tokenizer, concepts, o, quick):
    result = {'held': measure_all(net, tokenizer, concepts, o, 20 if quick else 60)}
    result['golden'], result['golden all'] = measure_golden(net, tokenizer, o)
    return result
