"""Figures: areas under curves and best thresholds, and logits of many contents under many policies."""
import torch


def auc(scores, labels):
    """Of the ROC curve, ties counted half (Mann-Whitney)."""
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    positives = sum(labels)
    negatives = len(labels) - positives
    if not positives or not negatives:
        return float('nan')
    rank_sum, i = 0.0, 0
    while i < len(order):
        j = i
        while j < len(order) and scores[order[j]] == scores[order[i]]:
            j += 1
        mean = (i + j + 1) / 2
        rank_sum += mean * sum(labels[order[k]] for k in range(i, j))
        i = j
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def f1(scores, labels, threshold):
    hits = sum(1 for s, l in zip(scores, labels) if s >= threshold and l)
    flagged = sum(1 for s in scores if s >= threshold)
    positives = sum(labels)
    return 2 * hits / (flagged + positives) if flagged + positives else 0.0


def best_f1(scores, labels):
    best = (0.0, 0.0)
    for t in sorted(set(scores))[::max(1, len(set(scores)) // 200)]:
        best = max(best, (f1(scores, labels, t), t))
    return best


def balanced_threshold(sets):
    """The threshold with the highest mean of the F1 of several sets [(scores, labels)]."""
    every = sorted({s for scores, _ in sets for s in scores})
    tried = every[::max(1, len(every) // 300)]
    return max(tried, key=lambda t: sum(f1(scores, labels, t) for scores, labels in sets))


@torch.no_grad()
def logits(model, contents, policies, chunk=48):
    """[len(contents)][len(policies)]; blocks of token ids."""
    model.eval()
    out = [None] * len(contents)
    order = sorted(range(len(contents)), key=lambda i: len(contents[i]))
    side = model.lower(policies, 1)
    for begin in range(0, len(order), chunk):
        part = order[begin:begin + chunk]
        with torch.autocast('cpu', torch.bfloat16):
            lower = model.lower([contents[i] for i in part], 0)
            rows = []
            for p in range(len(policies)):
                rows.append(model.joint(lower, side, [(k, p) for k in range(len(part))]).float())
        table = torch.stack(rows, 1).tolist()
        for k, i in enumerate(part):
            out[i] = table[k]
    model.train()
    return out


def windows(ids, tokens_max, overlap=32):
    room = tokens_max - 2
    begins = [0]
    while begins[-1] + room < len(ids):
        begins.append(begins[-1] + room - overlap)
    return [[101] + ids[b:b + room] + [102] for b in begins]


def scores(model, tokenizer, texts, policy_texts, content_tokens, policy_tokens):
    """Logits, the largest over a text's windows: [text][policy]."""
    blocks, owner = [], []
    for t, text in enumerate(texts):
        for block in windows(tokenizer.ids(text), content_tokens):
            blocks.append(block)
            owner.append(t)
    table = logits(model, blocks, [tokenizer.block(p, policy_tokens) for p in policy_texts])
    out = [[-1e9] * len(policy_texts) for _ in texts]
    for t, row in zip(owner, table):
        out[t] = [max(a, b) for a, b in zip(out[t], row)]
    return out
