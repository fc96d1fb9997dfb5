#!/usr/bin/env python3
"""Learns the wording of prompt injections: the weights of the tamper detector's sign "wording".

    tools/train/train_tamper.py --data ../shared/data/permissive --root . --out \
        src/moderation/cascade/tamper/wording_weights.cc

A logistic regression over hashed words and pairs of words, learned from the train part of deepset's
prompt injections (Apache-2.0), from this repository's own corpus and golden set, and from questions
to assistants and banks (CLINC150, Banking77; CC BY) as harmless ones. The test part is never read.
Prints five-fold figures of the train part, with quantised weights, before it writes anything.
Needs Debian's python3-torch; the same seed gives the same file on one kind of machine.
"""
import argparse
import csv
import json
import random
import re

import torch

BITS = 14
SIZE = 1 << BITS
WINDOW = 128  # tokens, every half of it: as wording.cc
FEATURES_MIN = 4
LEVELS = 63
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
OWN = [
    "policies/prompt-injection/golden",
    "corpus/assistant/injection-in-documents",
    "corpus/assistant/jailbreak-evasion",
    "corpus/assistant/system-prompt-extraction",
]


def hash_of(text):
    value = 2166136261
    for byte in text:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return (value ^ (value >> 15)) % SIZE


def windows(text):
    tokens = re.findall(rb"[a-z0-9\x80-\xff]+|[^\sa-z0-9\x80-\xff]", text.lower().encode())
    for begin in range(0, max(1, len(tokens) - WINDOW // 2), WINDOW // 2):
        yield tokens[begin : begin + WINDOW]


def features(tokens):
    found = set()
    for i, token in enumerate(tokens):
        found.add(hash_of(b"1" + token))
        for gap in (1, 2):
            if i + gap < len(tokens):
                found.add(hash_of(b"%d" % (gap + 1) + token + b" " + tokens[i + gap]))
    return sorted(found)


def rows_of(args):
    train = []
    with open(args.data + "/prompt_injection_deepset/deepset_train.csv", newline="") as file:
        for row in csv.DictReader(file):
            train.append((row["text"], int(row["label"])))
    own = []
    for name in OWN:
        for line in open(f"{args.root}/{name}.jsonl"):
            case = json.loads(line)
            if "text" in case:
                own.append((case["text"], int(case["expected"] == "violation")))
    for line in open(f"{args.root}/corpus/matrix/prompt.jsonl"):
        case = json.loads(line)
        if not case["violates"]:
            own.append((case["text"], 0))
    random.shuffle(train)
    for texts, count in harmless(args.data):
        random.shuffle(texts)
        own += [(text, 0) for text in texts[:count]]
    return train, own


def harmless(data):
    """Texts that address no judge, and how many of each set: questions, comments, tasks."""
    clinc = json.load(open(data + "/clinc150/data_full.json"))
    yield [row[0] for row in clinc["train"] + clinc["oos_train"]], 6000
    for name, field, count in (
        ("banking77/train.csv", "text", 2000),
        ("davidson_hate_offensive/labeled_data.csv", "tweet", 2000),
        ("toxic_spans/tsd_train.csv", "text", 2000),
    ):
        with open(f"{data}/{name}", newline="") as file:
            yield [row[field] for row in csv.DictReader(file)], count
    tasks = json.load(open(data + "/purplellama/mitre_frr.json"))
    # The second half is left to measure on.
    yield [task["mutated_prompt"] for task in tasks[: len(tasks) // 2]], len(tasks)
    with open(data + "/sms_spam/SMSSpamCollection", encoding="utf-8") as file:
        yield [line.rstrip("\n").split("\t", 1)[-1] for line in file], 1500


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = torch.nn.EmbeddingBag(SIZE, 1, mode="sum")
        torch.nn.init.zeros_(self.weights.weight)
        self.bias = torch.nn.Parameter(torch.tensor(-3.0))

    def forward(self, index, offset, length):
        return self.weights(index, offset).squeeze(1) / length.sqrt() + self.bias


def tensors(lists):
    index, offset = [], []
    for each in lists:
        offset.append(len(index))
        index += each
    length = torch.tensor([float(max(len(each), FEATURES_MIN)) for each in lists])
    return torch.tensor(index, dtype=torch.long), torch.tensor(offset), length


def fit(rows):
    lists, labels = [], []
    for text, label in rows:
        for window in windows(text):
            lists.append(features(window))
            labels.append(float(label))
    index, offset, length = tensors(lists)
    wanted = torch.tensor(labels)
    model = Model()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.15)
    for _ in range(80):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            model(index, offset, length), wanted
        )
        loss = loss + 1e-2 * (model.weights.weight**2).sum() / len(rows)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    values = model.weights.weight.detach().squeeze(1)
    scale = float(values.abs().quantile(0.9995)) / (LEVELS // 2)
    digits = (values / scale).round().clamp(-(LEVELS // 2), LEVELS // 2).long() + LEVELS // 2
    return digits, scale, float(model.bias.detach())


def score(model, text):
    digits, scale, bias = model
    best = -1e9
    for window in windows(text):
        found = features(window)
        total = sum(int(digits[f]) - LEVELS // 2 for f in found) * scale
        best = max(best, total / max(len(found), FEATURES_MIN) ** 0.5 + bias)
    return best


def write(model, path):
    digits, scale, bias = model
    text = "".join(DIGITS[int(d)] for d in digits)
    lines = [text[i : i + 96] for i in range(0, len(text), 96)]
    with open(path, "w") as file:
        file.write(
            "// Made by tools/train/train_tamper.py: do not edit. One digit of 64 a weight.\n"
            '#include "moderation/cascade/tamper/wording.h"\n\n'
            "namespace safeguard::moderation::tamper {\n\n"
            f"const WordingWeights kWording = {{\n    {scale!r},\n    {bias!r},\n"
        )
        file.write("\n".join(f'    "{line}"' for line in lines))
        file.write("};\n\n}  // namespace safeguard::moderation::tamper\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--root", default=".")
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    train, rest = rows_of(args)
    scored = []
    for fold in range(5):
        model = fit([row for i, row in enumerate(train) if i % 5 != fold] + rest)
        scored += [(score(model, t), label) for i, (t, label) in enumerate(train) if i % 5 == fold]
    for threshold in (1.0, 0.5, 0.0, -0.5, -1.0, -1.5):
        hits = [label for value, label in scored if value >= threshold]
        positives = sum(label for _, label in scored)
        print(
            f"from {threshold:4.1f}: recall {sum(hits) / positives:.3f}, "
            f"false alarms {(len(hits) - sum(hits)) / (len(scored) - positives):.3f}"
        )
    write(fit(train + rest), args.out)


if __name__ == "__main__":
    main()
