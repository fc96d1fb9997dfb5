"""All concepts: the corpus, the public sets under the wordings of policy_texts.json, and the intents."""
import json
import pathlib
import random

import concepts as c
import sets

# Whole topics of the corpus that are held out while settings are chosen: two or three of every area.
HELD_TOPICS = 6  # every sixth policy by hash of its name
HELD_SETS = {'OLID_OFFENSIVE', 'YOUTUBE_SPAM'}
PER_SIDE_MAX = 6000  # of a set: the large ones are much of a muchness

# concept -> (domain, rows, labels that violate, labels that do not)
READINGS = {
    'DAVIDSON_HATE': ('abuse', sets.davidson, {'hate'}, {'offensive', 'neither'}),
    'DAVIDSON_OFFENSIVE': ('abuse', sets.davidson, {'hate', 'offensive'}, {'neither'}),
    'OLID_OFFENSIVE': ('abuse', lambda r: sets.tweeteval(r, 'offensive'), {'1'}, {'0'}),
    'HATEVAL': ('abuse', lambda r: sets.tweeteval(r, 'hate'), {'1'}, {'0'}),
    'HATEXPLAIN_HATE': ('abuse', lambda r: sets.rule_by_example(r, 'hatexplain'), {'hatespeech'}, {'offensive', 'normal'}),
    'HATEXPLAIN_ABUSIVE': ('abuse', lambda r: sets.rule_by_example(r, 'hatexplain'), {'hatespeech', 'offensive'}, {'normal'}),
    'CAD_IDENTITY_ABUSE': ('abuse', lambda r: sets.rule_by_example(r, 'cad'), {'hatespeech'}, {'normal'}),
    'TOXIGEN': ('abuse', lambda r: sets.safenlp(r, 'toxiGen'), {'hate'}, {'neutral'}),
    'IMPLICIT_HATE': ('abuse', lambda r: sets.safenlp(r, 'implicitHate'), {'hate'}, {'neutral'}),
    'STORMFRONT_HATE': ('abuse', sets.stormfront, {'hate'}, {'noHate'}),
    'HATEMOJI': ('abuse', sets.hatemoji, {'1'}, {'0'}),
    'TOXIC_SPANS': ('abuse', sets.toxic_sentences, {'1'}, {'0'}),
    'SMS_SPAM': ('spam', sets.sms_spam, {'spam'}, {'ham'}),
    'YOUTUBE_SPAM': ('spam', sets.youtube_spam, {'1'}, {'0'}),
    'DEEPSET_INJECTION': ('injection', sets.deepset_injection, {'1'}, {'0'}),
    'PURPLELLAMA_PROMPT_INJECTION': ('injection', sets.purplellama_injection, {'1'}, {'0'}),
    'BIPIA_INDIRECT_INJECTION': ('injection', sets.bipia_planted, {'1'}, {'0'}),
}


def concepts(o):
    root = pathlib.Path(o.data)
    result = []
    for concept in c.corpus(o.corpus, o.safeguard):
        concept.held = not o.final and c.stable(concept.name) % HELD_TOPICS == 0
        result.append(concept)
    texts = json.loads(pathlib.Path(__file__).with_name('policy_texts.json').read_text(encoding='utf-8'))
    result += [public(root, name, texts[name]) for name in READINGS if name in texts]
    if 'INTENT_TEMPLATES' in texts:
        result += intents(root, texts['INTENT_TEMPLATES'])
    result += harm(root, texts)
    return result


def public(root, name, texts):
    domain, rows, positive, negative = READINGS[name]
    positives, negatives = c.split(rows(root), positive, negative)
    rng = random.Random(c.stable(name))
    rng.shuffle(positives)
    rng.shuffle(negatives)
    return c.Concept(name, domain, texts['policies'] + texts.get('renamed', []), texts.get('inverted', []),
                     positives[:PER_SIDE_MAX], negatives[:PER_SIDE_MAX], held=name in HELD_SETS)


def intents(root, texts):
    result = []
    for name, rows in (('clinc150', sets.clinc), ('banking77', sets.banking)):
        result += c.intents(list(rows(root)), texts['intents'][name], texts['templates'], texts['inverted_templates'])
    return result


def harm(root, texts):
    """Harmful questions by category; against them harmless traffic, security questions and the other categories."""
    questions = list(sets.catqa(root))
    benign = [c.Case(t, False) for t, _ in sets.mitre_frr(root)]
    traffic = [c.Case(t, False) for t, _ in sets.banking(root)] + [c.Case(t, False) for t, _ in sets.clinc(root)]
    traffic = random.Random(5).sample(traffic, 1500)
    asked = [c.Case(t, False) for t, label in sets.deepset_injection(root) if label == '0']
    result = []
    for name, entry in texts.items():
        if not name.startswith(('CATQA', 'HARMFULQA', 'MALWARE')):
            continue
        chosen = entry.get('categories') or []
        positives, others = [], []
        for text, category, sub in questions:
            hit = '*' in chosen or category in chosen or f'{category}/{sub}' in chosen
            (positives if hit else others).append(c.Case(text, hit))
        if name.startswith('HARMFULQA'):
            positives = [c.Case(t, True) for t, topic in sets.harmfulqa(root) if '*' in chosen or topic in chosen]
            others = [c.Case(t, False) for t, topic in sets.harmfulqa(root) if not ('*' in chosen or topic in chosen)]
        if not positives:
            continue
        negatives = (benign[:400] if name.startswith('MALWARE') else benign[:60]) + asked + traffic[:300]
        if entry.get('others_are_safe', False):
            negatives = negatives + others
        result.append(c.Concept(name, 'harm', entry['policies'] + entry.get('renamed', []), entry.get('inverted', []),
                                positives, negatives))
    return result
