"""All concepts: the corpus, the public sets under the wordings of policy_texts.json, and the intents."""
import json
import pathlib
import random
import re

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
    result += c.matrix(o.corpus, getattr(o, 'often', None) or ())
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
        result += c.intents(list(rows(root)), texts['intents'][name], texts['templates'], texts['inverted_templates'],
                            texts['confusable'][name])
    return result


def harm(root, texts):
    """Harmful questions by category; against them security questions, plain questions, harmless traffic and, where the
    policy is of one category, the others."""
    catqa = [(text, category, sub) for text, category, sub in sets.catqa(root)]
    harmful = [(text, topic, '') for text, topic in sets.harmfulqa(root)]
    security = [text for text, _ in sets.mitre_frr(root)]
    asked = [text for text, label in sets.deepset_injection(root) if label == '0']
    traffic = [text for text, _ in sets.banking(root)] + [text for text, _ in sets.clinc(root)]
    result = []
    for name, entry in texts.items():
        if not name.startswith(('CATQA', 'HARMFULQA_MISUSE', 'MALWARE')):
            continue
        questions = harmful if name.startswith('HARMFULQA') else catqa
        hits = [text for text, *place in questions if meant(entry['positive_labels'], *place)]
        others = [text for text, *place in questions
                  if not meant(entry['positive_labels'], *place) and not overlaps(entry['negative_labels'], text, *place)]
        rng = random.Random(c.stable(name))
        safe = rng.sample(security, 400 if name.startswith('MALWARE') else 100) + asked + rng.sample(traffic, 300)
        if 'the other' in entry['negative_labels'] or 'every other' in entry['negative_labels']:
            safe += others
        result.append(c.Concept(name, 'harm', entry['policies'] + entry.get('renamed', []), entry.get('inverted', []),
                                [c.Case(t, True) for t in hits], [c.Case(t, False) for t in safe]))
    return result


def meant(labels, category, sub):
    """Whether the reading names this category (of CatQA or HarmfulQA), or one of its parts."""
    if labels.startswith('every question'):
        return True
    part = re.findall(r"category '([^']*)'(?:, subcategory '([^']*)')?", labels)
    if 'Malware Viruses' in labels and 'Cybercrime' in labels:
        return category == 'Malware Viruses' or sub == 'Cybercrime'
    topics = re.findall(r"topic '([^']*)'", labels)
    return category in topics or any(category == c1 and (not s1 or sub == s1) for c1, s1 in part)


def overlaps(labels, text, category, sub):
    """Whether the reading leaves this question out of both sides: it lies near."""
    near = re.search(r'except(?: those of)?: (.*)', labels)
    if not near:
        return False
    words = re.search(r'any row matching (\S+)', labels)
    return (category in near[1] and f'{category} (' not in near[1]) or sub in near[1] or bool(
        words and re.search(words[1], text, re.I))
