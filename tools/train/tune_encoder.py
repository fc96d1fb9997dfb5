#!/usr/bin/python3
"""Tunes the encoder of the embedding screen so that a content lies near the rules that it breaks.

    tune_encoder.py --data .. --corpus .. --policies .. --safeguard .. --base .. --out FOLDER

The score is the one that the screen computes (judges/screen/embedding_policy.cc): over the whole content and its
sentences the highest of slope * (violating side - share * safe side - margin); a side is --nearest of the cosine to its
nearest rule and the rest of the mean cosine to its rules. All of a step's contents are compared with all of its policies whose answer is known.
"""
import argparse
import copy
import hashlib
import json
import pathlib
import random
import re
import time

import torch
from torch import nn
from torch.nn import functional as F

import anchors as a
import batches
import concepts as c
import measure
import model as m
import public
import train
import word_piece
from word_piece import WordPiece

SENTENCE_TOKENS_MIN = 3


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('data', 'corpus', 'policies', 'safeguard', 'base', 'out'):
        parser.add_argument('--' + name, required=True)
    parser.add_argument('--layers', default='0,1,2,3,4,5')
    parser.add_argument('--start', help='folder of tuned weights to go on from')
    parser.add_argument('--blend', nargs=2, metavar=('FOLDER', 'SHARE'),
                        help='another such folder, and its share of the weights to begin with')
    parser.add_argument('--steps', type=int, default=900)
    parser.add_argument('--stop-at', type=int, help='steps after which to end, on the schedule of --steps')
    parser.add_argument('--concepts', type=int, default=10, help='a step')
    parser.add_argument('--each', type=int, default=4, help='contents of each concept')
    parser.add_argument('--rate', type=float, default=5e-5)
    parser.add_argument('--warm-up', type=int, default=40)
    parser.add_argument('--content-tokens', type=int, default=160)
    parser.add_argument('--anchor-tokens', type=int, default=64)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--intents', type=float, help="the intents' weight in the choice of concepts")
    parser.add_argument('--other-intents', type=float, default=0.15, help="weight of an intent's messages under another intent's policy")
    parser.add_argument('--keep', type=float, default=0, help='weight of the mean square difference to the logits of the weights begun with, where content '
                        'and policy are no intents (learning without forgetting, Li and Hoiem 2016)')
    parser.add_argument('--often', nargs='*', help='parts of the matrix that are drawn five times as often')
    parser.add_argument('--measure-every', type=int, default=300)
    parser.add_argument('--neurons', type=int, help='of each feed-forward part: the most active ones are kept, the others cut off')
    parser.add_argument('--nearest', type=float, default=0.2, help="the nearest rule's share of a side; the mean over the rules has the rest")
    parser.add_argument('--slope', type=float, help='to begin with, instead of that of --start')
    parser.add_argument('--margin', type=float, help='to begin with, instead of that of --start')
    parser.add_argument('--average', type=float, default=0.995, help="share of the running average of the weights that a step leaves; it ships")
    parser.add_argument('--settle', action='store_true',
                        help='at the end move the margin so that a probability of one half is where the mean F1 of three sets that nothing was '
                             'trained on is best, scored from rules alone: the golden sets of the shipped policies, corpus/held-out under '
                             'eight categories at once, and its messages to an assistant')
    parser.add_argument('--whole', action='store_true', help='measure on all held-out intents and 150 cases a side at every time')
    parser.add_argument('--final', action='store_true')
    return parser.parse_args()


class Encoder(nn.Module):
    def __init__(self, base, layers, nearest):
        super().__init__()
        self.nearest = nearest
        self.body = m.Screen(m.LAYERS)
        self.body.load_base(base, layers)
        self.body.dropout = 0.0
        self.body.head = None
        self.slope = nn.Parameter(torch.tensor(8.0))
        self.share = nn.Parameter(torch.tensor(0.6))
        self.margin = nn.Parameter(torch.tensor(0.13))

    def pooled(self, blocks, spans):
        """Unit embeddings of every block's spans [(begin, end)], in order."""
        x, packed = self.body.lower(blocks, 0)
        units, where = [], []
        for start, of_block in zip(packed.starts.tolist(), spans):
            for begin, end in of_block:
                where += [len(units)] * (end - begin)
                units.append(range(start + begin, start + end))
        rows = torch.tensor([i for unit in units for i in unit])
        total = x.new_zeros(len(units), m.WIDTH).float().index_add(0, torch.tensor(where), x.index_select(0, rows).float())
        return F.normalize(total, dim=1)

    def side(self, cosines):
        """[units] of [units][rules]."""
        return self.nearest * cosines.max(1).values + (1 - self.nearest) * cosines.mean(1)

    def logits(self, contents, policies):
        """[contents][policies]; a content is (block, spans), a policy [(side, block)]."""
        units = self.pooled([b for b, _ in contents], [s for _, s in contents])
        flat = [block for policy in policies for _, block in policy]
        rules = self.pooled(flat, [[(0, len(block))] for block in flat])
        with torch.autocast('cpu', enabled=False):
            near = units.float() @ rules.float().t()
        columns, at = [], 0
        for policy in policies:
            sides = {'violating': [], 'safe': []}
            for i, (side, _) in enumerate(policy):
                sides[side].append(at + i)
            at += len(policy)
            violating = self.side(near[:, sides['violating']])
            safe = self.side(near[:, sides['safe']]) if sides['safe'] else torch.zeros(len(near))
            columns.append(self.slope * (violating - self.share * safe - self.margin))
        table = torch.stack(columns, 1)
        counts = [len(s) for _, s in contents]
        owner = torch.tensor([i for i, n in enumerate(counts) for _ in range(n)])
        best = torch.full((len(contents), len(policies)), -1e9)
        return best.scatter_reduce(0, owner[:, None].expand_as(table), table, 'amax', include_self=True)


class Texts:
    """Contents and policies as token blocks."""

    def __init__(self, tokenizer, o):
        self.tokenizer, self.o, self.blocks = tokenizer, o, {}

    def content(self, text):
        ids, spans = [], []
        for sentence in re.split(r'(?<=[.!?])\s+|\n+', text):
            piece = self.tokenizer.ids(sentence)[:self.o.content_tokens - 2 - len(ids)]
            if len(piece) >= SENTENCE_TOKENS_MIN:
                spans.append((1 + len(ids), 1 + len(ids) + len(piece)))
            ids += piece
        whole = [(0, len(ids) + 2)]
        return [word_piece.CLS] + ids + [word_piece.SEP], whole + (spans if len(spans) > 1 else [])

    def policy(self, rules):
        for _, text in rules:
            if text not in self.blocks:
                self.blocks[text] = self.tokenizer.block(text, self.o.anchor_tokens)
        return [(side, self.blocks[text]) for side, text in a.of_rules(rules)
                for text in [text] if self.blocks.setdefault(text, self.tokenizer.block(text, self.o.anchor_tokens))]


def wording(concept, rng, reader):
    """Rules of one wording of a concept's policy."""
    if concept.rules:
        violating = [r for r in concept.rules if r[0] == 'violating']
        safe = [r for r in concept.rules if r[0] == 'safe']
        if rng.random() < 0.2:
            safe = rng.sample(safe, max(1, len(safe) // 2)) if safe else []
        return violating + safe
    return written(rng.choice(concept.policies), concept, reader)


def readable(concepts, reader):
    """Leaves out the wordings of which the reader makes no violating rule, or none with the intent's topic."""
    seen = {}

    def teaches(text, frame):
        if frame not in seen:
            seen[frame] = a.teaches(reader, frame) if frame != text else any(side == 'violating' for side, _ in reader.rules(text))
        return seen[frame]

    for concept in concepts:
        for which in ('policies', 'inverted'):
            texts = getattr(concept, which)
            kept = [text for text in texts if concept.rules or teaches(text, concept.frames.get(text, text))]
            setattr(concept, which, kept if kept or which == 'inverted' else texts)
    return concepts


def written(text, concept, reader):
    if concept.frames:
        frame = concept.frames[text]
        return a.frame_rules(reader, frame, concept.words)
    return [(side, c.plain_rule(rule)) for side, rule in reader.rules(text)]


class Steps:
    """What a step sees: contents, policies, of every pair whose answer is known the answer and its weight, and which pairs are
    of no intent."""

    def __init__(self, concepts, o, texts, reader):
        self.o, self.texts, self.reader = o, texts, reader
        self.rng = random.Random(o.seed)
        shares = train.SHARES | ({'intent': o.intents} if o.intents else {})
        self.sampler = batches.Sampler(concepts, shares, texts.tokenizer, 0, o.content_tokens, o.seed)
        self.sampler.rng = self.rng

    def step(self):
        rng, s = self.rng, self.sampler
        chosen = [rng.choice(s.by_domain[d]) for d in rng.choices(s.domains, s.weights, k=self.o.concepts)]
        policies, owners, flips = [], [], []
        for concept in dict.fromkeys(k.name for k in chosen):
            concept = s.by_name[concept]
            policies.append(self.texts.policy(wording(concept, rng, self.reader)))
            owners.append(concept)
            flips.append(False)
            if concept.inverted and rng.random() < 0.15:
                policies.append(self.texts.policy(written(rng.choice(concept.inverted), concept, self.reader)))
                owners.append(concept)
                flips.append(True)
        for concept in list(owners):  # a sibling of a written policy in half of the cases, three of one that is labelled under many
            names = sorted({n for k in concept.positives[:40] for n in k.siblings if n in s.by_name} - {k.name for k in owners})
            many = concept.domain == 'matrix'
            for name in rng.sample(names, min(len(names), 3 if many else rng.randrange(2))):
                sibling = s.by_name[name]
                policies.append(self.texts.policy(wording(sibling, rng, self.reader)))
                owners.append(sibling)
                flips.append(False)
        contents, labels, weights, general = [], [], [], []
        for concept in chosen:
            for case in s.draw(concept, self.o.each, False):
                text = batches.disguise(case.text, rng) if rng.random() < 0.04 and case.text.split() else case.text
                contents.append(self.texts.content(text))
                row, weight = [], []
                for owner, flip in zip(owners, flips):
                    label, known = self.answer(concept, case, owner, flip)
                    row.append(label)
                    weight.append(known)
                labels.append(row)
                weights.append(weight)
                general.append([float('intent' not in (concept.domain, owner.domain)) for owner in owners])
        return contents, policies, torch.tensor(labels), torch.tensor(weights), torch.tensor(general)

    def answer(self, concept, case, owner, flip):
        """(label, weight); weight 0 where it is not known."""
        if owner is concept:
            return float(case.violates != flip), 1.0
        if flip:
            return 0.0, 0.0
        if owner.name in case.siblings:
            return float(case.siblings[owner.name]), 1.0
        if concept.domain == owner.domain == 'intent':
            return 0.0, self.o.other_intents if case.violates and owner.name not in concept.near else 0.0
        if self.sampler.elsewhere(concept, owner, False):
            return 0.0, 0.15
        return 0.0, 0.0


@torch.no_grad()
def scores(net, texts, contents, policies):
    """[text][policy] of many contents; long ones in windows, the highest counts."""
    net.eval()
    blocks, owner = [], []
    for t, text in enumerate(contents):
        words = text.split()
        size = 110
        for begin in range(0, max(1, len(words)), size - 15):
            part = ' '.join(words[begin:begin + size]) if len(words) > size else text
            blocks.append(texts.content(part))
            owner.append(t)
            if begin + size >= len(words):
                break
    order = sorted(range(len(blocks)), key=lambda i: len(blocks[i][0]))
    out = [[-1e9] * len(policies) for _ in contents]
    for begin in range(0, len(order), 64):
        part = order[begin:begin + 64]
        with torch.autocast('cpu', torch.bfloat16):
            table = net.logits([blocks[i] for i in part], policies)
        for i, row in zip(part, table.float().tolist()):
            out[owner[i]] = [max(x, y) for x, y in zip(out[owner[i]], row)]
    net.train()
    return out


def figures(net, texts, reader, concepts, o, quick):
    result, by_domain = {}, {}
    for concept in concepts:
        if not concept.held:
            continue
        if concept.domain == 'intent' and quick and len(by_domain.get('intent', ())) >= 12:
            continue
        rng = random.Random(c.stable(concept.name))
        limit = 40 if quick else 150
        cases = rng.sample(concept.positives, min(limit, len(concept.positives)))
        cases += rng.sample(concept.negatives, min(limit, len(concept.negatives)))
        rules = list(concept.rules) or written(concept.policies[0], concept, reader)
        table = scores(net, texts, [k.text for k in cases], [texts.policy(rules)])
        by_domain.setdefault(concept.domain, {})[concept.name] = round(measure.auc([r[0] for r in table], [k.violates for k in cases]), 3)
    result['held'] = {d: round(sum(v.values()) / len(v), 3) for d, v in by_domain.items()}
    result['topics'] = {k: x for d, v in by_domain.items() if d != 'intent' for k, x in v.items()}
    golden, all_scores, all_labels = {}, [], []
    for path in sorted(pathlib.Path(o.policies).glob('*/policy.md')):
        rules = c.written_policy(path, o.safeguard).rules
        cases = [json.loads(line) for line in (path.parent / 'golden.jsonl').read_text(encoding='utf-8').split('\n') if line]
        cases = [k for k in cases if isinstance(k.get('text'), str)]
        labels = [k['expected'] == 'violation' for k in cases]
        row = [r[0] for r in scores(net, texts, [k['text'] for k in cases], [texts.policy(rules)])]
        golden[path.parent.name] = round(measure.auc(row, labels), 3)
        all_scores += row
        all_labels += labels
    best, threshold = measure.best_f1(all_scores, all_labels)
    result['held-out'], sets = held_out(net, texts, o)
    result['settled at'] = round(measure.balanced_threshold([(all_scores, all_labels)] + sets), 3)
    result['golden'] = golden
    result['golden mean'] = round(sum(golden.values()) / len(golden), 3)
    result['golden all'] = {'auc': round(measure.auc(all_scores, all_labels), 3), 'f1': round(best, 3), 'at': round(threshold, 3)}
    result['scalars'] = [round(float(x), 4) for x in (net.slope, net.share, net.margin)]
    return result


CATEGORIES = {'s': 'sexual', 'h': 'hate', 'v': 'violence', 'hr': 'harassment', 'sh': 'self-harm', 's3': 'sexual-minors',
              'h2': 'hate-threatening', 'v2': 'violence-graphic'}


def held_out(net, texts, o):
    """Figures of corpus/held-out under the policies of policies/benchmarks, and [(scores, labels)] of any category and of toxicity."""
    def rows(part):
        lines = (pathlib.Path(o.corpus) / 'held-out' / f'{part}.jsonl').read_text(encoding='utf-8').split('\n')
        return [json.loads(line) for line in lines if line]

    def policy(name):
        return texts.policy(c.written_policy(pathlib.Path(o.policies) / 'benchmarks' / name, o.safeguard).rules)

    chat, result = rows('chat'), {}
    cases = rows('web') + chat
    table = scores(net, texts, [k['text'] for k in cases], [policy(f'openai-moderation/{label}.md') for label in CATEGORIES])
    for i, category in enumerate(CATEGORIES.values()):
        result[category] = round(measure.auc([row[i] for row in table], [category in k['violates'] for k in cases]), 3)
    anything = [max(row) for row in table], [any(category in k['violates'] for category in CATEGORIES.values()) for k in cases]
    toxic = ([row[0] for row in scores(net, texts, [k['text'] for k in chat], [policy('toxicchat.md')])],
             ['toxic' in k['violates'] for k in chat])
    for name, (row, labels) in (('any', anything), ('toxic', toxic)):
        best, threshold = measure.best_f1(row, labels)
        result[name] = {'auc': round(measure.auc(row, labels), 3), 'f1': round(best, 3), 'at': round(threshold, 3)}
    return result, [anything, toxic]


@torch.no_grad()
def cut(net, texts, concepts, count):
    """Leaves each feed-forward part its `count` neurons that move the result most: mean square of the activation over contents
    of every domain times the square length of the neuron's outgoing weights (a magnitude measure, as of Wanda, Sun et al. 2023)."""
    rng = random.Random(5)
    blocks = [texts.content(case.text)[0] for concept in concepts if not concept.held
              for case in rng.sample(concept.positives, min(6, len(concept.positives)))][:1500]
    sums = [torch.zeros(layer.up.out_features) for layer in net.body.layers]
    for begin in range(0, len(blocks), 50):
        packed = m.Packed([len(block) for block in blocks[begin:begin + 50]])
        x = net.body.embed(blocks[begin:begin + 50], 0)
        for layer, total in zip(net.body.layers, sums):
            caught = []
            hook = layer.down.register_forward_pre_hook(lambda _, inputs: caught.append(inputs[0]))
            x = layer(x, packed)
            hook.remove()
            total += caught[0].float().square().sum(0)
    for layer, total in zip(net.body.layers, sums):
        weight = total * layer.down.weight.square().sum(0)
        layer.keep(weight.topk(count).indices.sort().values)


class Average:
    """The running average of the weights, in the net's place while it is measured and saved."""

    def __init__(self, net, share):
        self.net, self.share, self.steps = net, share, 0
        self.mean = [p.detach().clone() for p in net.parameters()]

    @torch.no_grad()
    def add(self):
        self.steps += 1
        share = min(self.share, self.steps / (self.steps + 10))
        for mean, p in zip(self.mean, self.net.parameters()):
            mean.lerp_(p, 1 - share)

    @torch.no_grad()
    def swap(self):
        for mean, p in zip(self.mean, self.net.parameters()):
            kept = p.detach().clone()
            p.copy_(mean)
            mean.copy_(kept)

    def __enter__(self):
        self.swap()

    def __exit__(self, *_):
        self.swap()


def save(net, o):
    """The two files of models/screen."""
    out, base = pathlib.Path(o.out), pathlib.Path(o.base)
    m.write_safetensors(out / 'model.safetensors', net.body.named())
    slope, share, margin = (round(float(x), 6) for x in (net.slope, net.share, net.margin))
    config = {'kind': 'embedding', 'base': base.name, 'slope': slope, 'safe_share': share, 'margin': margin, 'nearest_share': net.nearest,
              'base_sha256': hashlib.sha256((base / 'model.safetensors').read_bytes()).hexdigest()}
    (out / 'config.json').write_text(json.dumps(config, indent=2) + '\n', encoding='utf-8')


def resume(net, folder):
    tensors = m.read_safetensors(folder / 'model.safetensors')
    for i, layer in enumerate(net.body.layers):
        layer.keep(torch.arange(len(tensors[f'encoder.layer.{i}.intermediate.dense.bias'])))
    net.body.load_named(tensors)
    config = json.loads((folder / 'config.json').read_text(encoding='utf-8'))
    with torch.no_grad():
        net.slope.fill_(config['slope'])
        net.share.fill_(config['safe_share'])
        net.margin.fill_(config['margin'])


def main():
    o = options()
    pathlib.Path(o.out).mkdir(parents=True, exist_ok=True)
    log = train.Log(str(pathlib.Path(o.out) / 'log.txt'))
    log(json.dumps(vars(o)))
    torch.set_num_threads(1)
    torch.manual_seed(o.seed)
    reader = a.Reader(o.safeguard, pathlib.Path(o.out) / 'rules.json')
    texts = Texts(WordPiece(pathlib.Path(o.base) / 'tokenizer.json'), o)
    concepts = readable(public.concepts(o), reader)
    net = Encoder(str(pathlib.Path(o.base) / 'model.safetensors'), [int(i) for i in o.layers.split(',')], o.nearest)
    if o.start:
        resume(net, pathlib.Path(o.start))
    if o.blend:
        own = [p.detach().clone() for p in net.parameters()]
        resume(net, pathlib.Path(o.blend[0]))
        with torch.no_grad():
            for p, start in zip(net.parameters(), own):
                p.lerp_(start, 1 - float(o.blend[1]))
    with torch.no_grad():
        for name in ('slope', 'margin'):
            if getattr(o, name) is not None:
                getattr(net, name).fill_(getattr(o, name))
    if o.neurons:
        cut(net, texts, concepts, o.neurons)
    teacher = copy.deepcopy(net).eval() if o.keep else None
    steps = Steps(concepts, o, texts, reader)
    average = Average(net, o.average)
    scalars = [net.slope, net.share, net.margin]
    body = list(net.body.layers.parameters())
    optimizer = torch.optim.AdamW([{'params': [p for p in body if p.dim() > 1], 'weight_decay': 0.01, 'lr': o.rate},
                                   {'params': [p for p in body if p.dim() == 1], 'weight_decay': 0.0, 'lr': o.rate},
                                   {'params': [net.slope], 'weight_decay': 0.0, 'lr': o.rate * 200},
                                   {'params': [net.share, net.margin], 'weight_decay': 0.0, 'lr': o.rate * 10}], betas=(0.9, 0.98))
    rates = [g['lr'] for g in optimizer.param_groups]
    log(json.dumps(figures(net, texts, reader, concepts, o, not o.whole)))
    reader.save()
    begun, mean = time.time(), None
    last = min(o.steps, o.stop_at or o.steps)
    for step in range(last):
        for group, rate in zip(optimizer.param_groups, rates):
            group['lr'] = rate * train.rate_at(step, o)
        contents, policies, labels, weights, general = steps.step()
        with torch.autocast('cpu', torch.bfloat16):
            table = net.logits(contents, policies)
        losses = F.binary_cross_entropy_with_logits(table.float(), labels * 0.94 + 0.03, reduction='none')
        loss = (losses * weights).sum() / weights.sum()
        if o.keep:
            with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
                before = teacher.logits(contents, policies)
            loss = loss + o.keep * ((table.float() - before.float()).square() * general).sum() / general.sum().clamp(min=1)
        own = float((losses.detach() * (weights == 1)).sum() / (weights == 1).sum())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(body + scalars, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        average.add()
        mean = own if mean is None else 0.97 * mean + 0.03 * own
        if (step + 1) % 20 == 0:
            log(f'step {step + 1} loss {mean:.4f} scalars {[round(float(x), 3) for x in scalars]} seconds {time.time() - begun:.0f}')
        if (step + 1) % o.measure_every == 0 or step + 1 == last:
            with average:
                save(net, o)
                log(json.dumps(figures(net, texts, reader, concepts, o, step + 1 < last and not o.whole)))
    if o.settle:
        with average, torch.no_grad():
            at = figures(net, texts, reader, concepts, o, not o.whole)['settled at']
            net.margin += at / net.slope
            save(net, o)
            log(json.dumps({'margin moved by logits': at, 'to': round(float(net.margin), 6)}))
    reader.save()


if __name__ == '__main__':
    train.with_jemalloc()
    main()
