"""Readers of the public labelled sets (../shared/data/permissive): each gives (text, label value) rows.

Only sets that may train what ships are read here; the measuring sets are read by evaluate.py alone.
"""
import ast
import csv
import json
import pathlib
import random
import re

csv.field_size_limit(1 << 24)


def _csv(path, encoding='utf-8'):
    with open(path, encoding=encoding, newline='') as file:
        yield from csv.DictReader(file)


def _json(path):
    return json.loads(pathlib.Path(path).read_text(encoding='utf-8'))


def davidson(root):
    """Where the annotators agree: two for hate, or none against `neither`."""
    for row in _csv(root / 'davidson_hate_offensive/labeled_data.csv'):
        label = ('hate', 'offensive', 'neither')[int(row['class'])]
        disputed = int(row['hate_speech']) < 2 if label == 'hate' else label == 'neither' and row['neither'] != row['count']
        if not disputed:
            yield row['tweet'], label


def tweeteval(root, name):
    for part in ('train', 'val', 'test'):
        texts = (root / f'tweeteval/{name}/{part}_text.txt').read_text(encoding='utf-8').split('\n')
        labels = (root / f'tweeteval/{name}/{part}_labels.txt').read_text().split()
        yield from zip(texts, labels)


def rule_by_example(root, name):
    for part in ('train', 'val', 'test'):
        yield from ((text, label) for text, label in _json(root / f'rule_by_example/{name}/{part}.json'))


def safenlp(root, name):
    for row in _json(root / f'safenlp_toxigen/{name}.json'):
        if name != 'toxiGen' or not 2.6 <= row['toxicity_score'] <= 3.7:
            yield row['text'].replace('_x000D_', ' '), row['label']


def stormfront(root):
    with open(root / 'vicomtech_stormfront/all.jsonl', encoding='utf-8') as file:
        for line in file:
            row = json.loads(line)
            yield row['text'], row['label']


def hatemoji(root):
    for part in ('train', 'validation', 'test'):
        for row in _csv(root / f'hatemoji/build/{part}.csv'):
            yield row['text'], row['label_gold']


def sms_spam(root):
    with open(root / 'sms_spam/SMSSpamCollection', encoding='utf-8') as file:
        for line in file:
            label, _, text = line.rstrip('\n').partition('\t')
            if text:
                yield text, label


def youtube_spam(root):
    for path in sorted((root / 'youtube_spam').glob('*.csv')):
        for row in _csv(path):
            yield row['CONTENT'], row.get('label') or row['CLASS']


def deepset_injection(root):
    for row in _csv(root / 'prompt_injection_deepset/deepset_train.csv'):
        yield row['text'], row['label']


def purplellama_injection(root):
    """A system prompt followed by the attack, or by a plain question of another set."""
    questions = [text for text, label in deepset_injection(root) if label == '0']
    rng = random.Random(3)
    for row in _json(root / 'purplellama/prompt_injection.json'):
        yield row['test_case_prompt'] + '\n' + row['user_input'], '1'
        yield row['test_case_prompt'] + '\n' + rng.choice(questions), '0'


def mitre_frr(root):
    """Harmless security requests, less those that are hardly harmless."""
    for row in _json(root / 'purplellama/mitre_frr.json'):
        if not re.search('obfuscat|side-channel|malware|not immediately obvious|vulnerab', row['mutated_prompt'], re.I):
            yield row['mutated_prompt'], '0'


def catqa(root):
    """(question, category, subcategory), less the rows that are not of their subcategory."""
    for category, subs in _json(root / 'red_instruct/catqa_english.json').items():
        for sub, questions in subs.items():
            for question in questions:
                astray = sub.startswith('Unsafe') and re.search('Wi-Fi|software|website|law enforcement', question, re.I)
                if not astray:
                    yield question, category, sub.rstrip(':')


_MISUSE = re.compile('manipulat|cheat|steal|plagiar|harm|illegal|without getting caught|hack|fake|falsif|deceiv|exploit|'
                     'discriminat|evade|bribe', re.I)


def harmfulqa(root):
    """The questions of misuse: many others are innocent."""
    for topic, subs in _json(root / 'red_instruct/harmfulqa.json').items():
        for questions in subs.values():
            for question in questions:
                if _MISUSE.search(question):
                    yield question, topic


def clinc(root):
    rows = _json(root / 'clinc150/data_full.json')
    for part in ('train', 'val', 'test', 'oos_train', 'oos_val', 'oos_test'):
        for text, intent in rows[part]:
            yield text, intent


def banking(root):
    for part in ('train', 'test'):
        for row in _csv(root / f'banking77/{part}.csv'):
            yield row['text'], row['category']


def toxic_sentences(root):
    """Sentences of the comments that have toxic spans: with such characters or without."""
    for part in ('train', 'trial', 'test'):
        for row in _csv(root / f'toxic_spans/tsd_{part}.csv'):
            marked = set(ast.literal_eval(row['spans']))
            if not marked:
                continue
            for sentence in re.finditer(r'[^.!?\n]+[.!?]*', row['text']):
                if len(sentence.group().split()) >= 3:
                    yield sentence.group(), str(int(any(i in marked for i in range(*sentence.span()))))


def bipia_planted(root):
    """Emails and tables of the train split, by themselves and with an attack planted in them."""
    contexts = []
    for kind in ('email', 'table'):
        with open(root / f'bipia/{kind}/train.jsonl', encoding='utf-8') as file:
            contexts += [str(json.loads(line)['context']) for line in file]
    attacks = [a for group in _json(root / 'bipia/text_attack_train.json').values() for a in group]
    rng = random.Random(7)
    for context in contexts:
        words = context.split()[:90]
        yield ' '.join(words), '0'
        at = rng.choice([0, len(words), rng.randrange(len(words) + 1)])
        yield ' '.join(words[:at] + [rng.choice(attacks)] + words[at:]), '1'


def plain(text):
    """Without what marks a set: retweet heads, masks, entities, placeholder names."""
    text = text.replace('&amp;', '&').replace('&lt;', '<').replace('&gt;', '>').replace('&#8220;', '"')
    text = re.sub(r'&#\d+;', ' ', text)
    text = re.sub(r'^[!"\s]*RT @\w+:?\s*', '', text)
    text = re.sub(r'@user\b|@\w+|<user>|<number>|\bURL\b|https?://t\.co/\w+', ' ', text)
    return re.sub(r'\s+', ' ', text).strip()
