"""Batches: a few concepts, some contents of each, and every content under two or three policies.

A content is read under two wordings of its own policy, under a sibling policy whose answer is known (the same text,
another policy, perhaps another answer), under the opposite policy, and under one of another topic (safe).
"""
import random

import concepts as c

_LEET = str.maketrans({'a': '4', 'e': '3', 'i': '1', 'o': '0', 's': '5', 't': '7'})


def disguise(text, rng):
    """What evades word lists: leet, spaced or doubled letters, stars."""
    words = text.split()
    for i in rng.sample(range(len(words)), max(1, len(words) // 4)):
        word, kind = words[i], rng.randrange(4)
        if len(word) < 4:
            continue
        if kind == 0:
            words[i] = word.translate(_LEET)
        elif kind == 1:
            words[i] = ' '.join(word)
        elif kind == 2:
            words[i] = word[:1] + '*' + word[2:]
        else:
            at = rng.randrange(1, len(word))
            words[i] = word[:at] + word[at - 1] * 2 + word[at:]
    return ' '.join(words)


class Sampler:
    def __init__(self, concepts, shares, tokenizer, policy_tokens, content_tokens, seed):
        self.rng = random.Random(seed)
        self.by_domain = {}
        for concept in concepts:
            if not concept.held:
                self.by_domain.setdefault(concept.domain, []).append(concept)
        self.by_name = {concept.name: concept for concept in concepts if not concept.held}
        self.domains = [d for d in shares if d in self.by_domain]
        self.weights = [shares[d] for d in self.domains]
        self.tokenizer, self.policy_tokens, self.content_tokens = tokenizer, policy_tokens, content_tokens
        self.fillers = [case.text for concept in concepts if concept.domain == 'intent' and not concept.held
                        for case in concept.positives[:20]] or ['Thanks for your help.']

    def content(self, case):
        rng, text = self.rng, case.text
        if rng.random() < 0.05:
            text = disguise(text, rng)
        if rng.random() < 0.10:
            filler = ' '.join(rng.sample(self.fillers, min(len(self.fillers), rng.randrange(1, 5))))
            text = filler + ' ' + text if rng.random() < 0.5 else text + ' ' + filler
        return self.cut(self.tokenizer.ids(text))

    def cut(self, ids):
        room = self.content_tokens - 2
        if len(ids) > room:  # the deciding part may be anywhere; most often the beginning holds it
            begin = 0 if self.rng.random() < 0.7 else self.rng.randrange(len(ids) - room + 1)
            ids = ids[begin:begin + room]
        return [101] + ids + [102]

    def draw(self, concept, count, easy):
        """Contents of both sides; of a contrast pair both."""
        rng, drawn = self.rng, []
        while len(drawn) < count:
            sides = [side for side in (concept.positives, concept.negatives) if side]
            if not sides:
                break
            positive = rng.random() < (0.8 if easy else 0.5)
            side = concept.positives if concept.positives and (positive or not concept.negatives) else concept.negatives
            case = rng.choice(side)
            drawn.append(case)
            if case.pair and not easy and rng.random() < 0.6:
                others = concept.negatives if case.violates else concept.positives
                drawn += [o for o in others if o.pair == case.pair][:1]
        return drawn[:count]

    def batch(self, slots, each, easy=False):
        """(content blocks, policy blocks, pairs, labels). Easy ones, to begin with, ask only whether a content is of the
        policy's topic: mostly intents, no inverted policies, no contrast pairs, several policies of other topics."""
        rng = self.rng
        weights = [w + (3.0 if easy and d == 'intent' else 0) for d, w in zip(self.domains, self.weights)]
        chosen = [rng.choice(self.by_domain[d]) for d in rng.choices(self.domains, weights, k=slots)]
        contents, policies, pairs, labels = [], [], [], []
        index = {}

        def policy(text):
            if text not in index:
                index[text] = len(policies)
                policies.append(self.tokenizer.block(text, self.policy_tokens))
            return index[text]

        wordings = [[c.wording(concept, rng), c.wording(concept, rng)] for concept in chosen]
        for concept, texts in zip(chosen, wordings):
            flip = rng.choice(concept.inverted) if concept.inverted and not easy and rng.random() < 0.2 else None
            for case in self.draw(concept, each, easy):
                at = len(contents)
                contents.append(self.content(case))
                own = [(texts[0], case.violates)]
                if flip:
                    own.append((flip, not case.violates))
                elif rng.random() < 0.5:
                    own.append((texts[1], case.violates))
                known = [n for n in case.siblings if n in self.by_name]
                if known:
                    name = rng.choice(known)
                    own.append((c.wording(self.by_name[name], rng), case.siblings[name]))
                if concept.rules and rng.random() < 0.3:
                    own += self.rule_pair(concept, case)
                for other in range(len(chosen)):
                    away = chosen[other]
                    if away is not concept and self.elsewhere(concept, away, easy) and (easy or rng.random() < 0.4):
                        own.append((wordings[other][0], False))
                for text, label in own:
                    pairs.append((at, policy(text)))
                    labels.append(float(label))
        return contents, policies, pairs, labels

    @staticmethod
    def elsewhere(concept, away, easy):
        if away.broad or concept.broad and concept.domain == away.domain:
            return False
        if concept.domain == away.domain == 'intent':
            return easy
        return away.domain in c.ELSEWHERE.get(concept.domain, ())

    def rule_pair(self, concept, case):
        """One rule alone as the policy."""
        rng = self.rng
        if case.violates and case.rule_texts:
            return [(rng.choice(case.rule_texts), True)]
        if not case.violates and not case.rule_texts:
            violating = [text for side, text in concept.rules if side == 'violating']
            if violating:
                return [(rng.choice(violating), False)]
        return []
