#!/usr/bin/env python3
"""Writes src/engine/encoder/testdata/pair_goldens.txt: what a model of pairs gives, by PyTorch.

Independent of the engine: weights are read with struct and numpy (encoder.py), the forward pass is
BERT in torch operations, binary32, over whole matrices with nothing cached and no last row singled
out. The layers are those of the base model, or of a trained folder where one is given; the
classifier without one is weight[i] = (37 i mod 101 - 50) / 500, bias = 0.25.

    /usr/bin/python3 tools/goldens/pair_encoder.py BASE_FOLDER [TRAINED_FOLDER] > OUT

Lines: "pair NAME SPLIT", "content IDS...", "policy IDS...", "logit MILLIONTHS", and "state V...":
every eighth component of the content's first token behind the last layer, in hundred-thousandths.
"""

import json
import math
import os
import random
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from encoder import CLS, SEP, TEXTS, Bert, read_safetensors  # noqa: E402

POLICIES = [
    "sales . violations : sells to strangers ; sends links . allowed : was asked for .",
    "violence . violations : says that a person will be hurt . allowed : fiction ; news .",
    "cats . violations : speaks of cats . allowed : speaks of dogs .",
]


class Pairs(Bert):
    def __init__(self, folder, trained):
        super().__init__(folder)
        hidden = self.config["hidden_size"]
        if trained:
            with open(trained + "/config.json") as file:
                self.split = json.load(file)["split_layers"]
            layers = read_safetensors(trained + "/model.safetensors")
            self.classifier = layers.pop("classifier.weight")[0]
            self.bias = layers.pop("classifier.bias")[0]
            self.weights.update(layers)
        else:
            self.split = None
            self.classifier = torch.tensor([(37 * i % 101 - 50) / 500 for i in range(hidden)])
            self.bias = torch.tensor(0.25)

    def embed(self, ids, token_type):
        w = self.weights
        return self.norm("embeddings.LayerNorm",
                         w["embeddings.word_embeddings.weight"][ids]
                         + w["embeddings.position_embeddings.weight"][: len(ids)]
                         + w["embeddings.token_type_embeddings.weight"][token_type])

    def layer(self, index, x):
        heads = self.config["num_attention_heads"]
        name = f"encoder.layer.{index}."
        q, k, v = (self.linear(name + "attention.self." + part, x)
                   .view(len(x), heads, -1).transpose(0, 1)
                   for part in ("query", "key", "value"))
        scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
        context = (scores.softmax(-1) @ v).transpose(0, 1).reshape(len(x), -1)
        x = self.norm(name + "attention.output.LayerNorm",
                      self.linear(name + "attention.output.dense", context) + x)
        inner = F.gelu(self.linear(name + "intermediate.dense", x))
        return self.norm(name + "output.LayerNorm", self.linear(name + "output.dense", inner) + x)

    def score(self, content, policy, split):
        a, b = self.embed(content, 0), self.embed(policy, 1)
        for index in range(split):
            a, b = self.layer(index, a), self.layer(index, b)
        x = torch.cat([a, b])
        for index in range(split, self.config["num_hidden_layers"]):
            x = self.layer(index, x)
        return x[0] @ self.classifier + self.bias, x[0]


def pairs(folder):
    with open(folder + "/tokenizer.json") as file:
        vocabulary = json.load(file)["model"]["vocab"]

    def encode(text):
        return [CLS] + [vocabulary[word] for word in text.split()] + [SEP]

    for p, policy in enumerate(POLICIES):
        for t, text in enumerate(TEXTS[: 10 if p == 0 else 3]):
            yield f"text_{t}_{p}", 3, encode(text), encode(policy)
    rng = random.Random(77)
    for content, policy in ((1, 1), (2, 128), (160, 3), (13, 40), (100, 126), (160, 128)):
        ids = [rng.randrange(30522) for _ in range(content + policy)]
        yield f"random_{content}_{policy}", 3, ids[:content], ids[content:]
    for split in (0, 1, 5):
        yield f"split_{split}", split, encode(TEXTS[4]), encode(POLICIES[1])


def main():
    torch.set_num_threads(1)
    folder = sys.argv[1]
    model = Pairs(folder, sys.argv[2] if len(sys.argv) > 2 else None)
    with torch.no_grad():
        for name, split, content, policy in pairs(folder):
            if model.split is not None and split != model.split:
                continue
            logit, state = model.score(content, policy, split)
            print("pair", name, split)
            print("content", *content)
            print("policy", *policy)
            print("logit", round(float(logit) * 1e6))
            print("state", *[round(v * 1e5) for v in state[::8].tolist()])


main()
