"""All concepts: the corpus, the public sets under the wordings of policy_texts.json, and the intents."""
import json
import pathlib
import random

import concepts as c
import sets

# Whole topics of the corpus that are held out while settings are chosen: two or three of every area.
HELD_TOPICS = 6  # every sixth policy by hash of its name


def concepts(o):
    root = pathlib.Path(o.data)
    all_concepts = []
    for concept in c.corpus(o.corpus, o.safeguard):
        concept.held = not o.final and c.stable(concept.name) % HELD_TOPICS == 0
        all_concepts.append(concept)
    texts = pathlib.Path(__file__).with_name('policy_texts.json')
    if texts.exists():
        all_concepts += public(root, json.loads(texts.read_text(encoding='utf-8')))
    return all_concepts
