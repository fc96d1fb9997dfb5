"""The trained screen: a policy-conditioned encoder with late interaction.

Two blocks, [CLS] text [SEP], positions from 0 in each: the content's with token type 0, the policy's with token
type 1. Layers 0..split-1 read each block alone, so that a policy's share is computed once and a content's once for
all policies; the other layers read both blocks together (PreTTR, MacAvaney et al. 2020). The logit is a linear
reading of the content's [CLS]; of the last layer only that row is computed.

Tokens are packed: no padding goes through the linear layers.
"""
import json
import struct

import torch
from torch import nn
from torch.nn import functional as F

WIDTH, HEADS, LAYERS, NEURONS, EPSILON = 384, 12, 6, 1536, 1e-12


def read_safetensors(path):
    with open(path, 'rb') as file:
        header = json.loads(file.read(struct.unpack('<Q', file.read(8))[0]))
        data = file.read()
    types = {'F16': torch.float16, 'F32': torch.float32}
    tensors = {}
    for name, entry in header.items():
        if name == '__metadata__' or entry['dtype'] not in types:
            continue
        begin, end = entry['data_offsets']
        flat = torch.frombuffer(bytearray(data[begin:end]), dtype=types[entry['dtype']])
        tensors[name] = flat.reshape(entry['shape']).float()
    return tensors


def write_safetensors(path, tensors):
    header, blobs, offset = {}, [], 0
    for name in sorted(tensors):
        blob = tensors[name].detach().half().contiguous().numpy().tobytes()
        header[name] = {'dtype': 'F16', 'shape': list(tensors[name].shape), 'data_offsets': [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text)
        for blob in blobs:
            file.write(blob)


class Packed:
    """Where the tokens of several sequences lie: flat rows <-> padded [sequences, longest]."""

    def __init__(self, lengths):
        self.lengths = lengths
        self.count, self.longest = len(lengths), max(lengths)
        grid = torch.arange(self.longest)[None, :]
        self.mask = grid < torch.tensor(lengths)[:, None]
        self.flat = self.mask.flatten().nonzero().squeeze(1)
        starts = torch.tensor([0] + lengths[:-1]).cumsum(0)
        self.starts = starts

    def pad(self, x):
        out = x.new_zeros(self.count * self.longest, x.shape[-1])
        return out.index_copy(0, self.flat, x).view(self.count, self.longest, -1)

    def unpad(self, x):
        return x.reshape(self.count * self.longest, -1).index_select(0, self.flat)


class Layer(nn.Module):
    def __init__(self, neurons=NEURONS):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.up, self.down = nn.Linear(WIDTH, neurons), nn.Linear(neurons, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, EPSILON), nn.LayerNorm(WIDTH, EPSILON)

    def heads(self, x, packed):
        return packed.pad(x).view(packed.count, packed.longest, HEADS, -1).transpose(1, 2)

    @staticmethod
    def attend(query, key, value, packed):
        scores = query @ key.transpose(-1, -2) * (WIDTH // HEADS) ** -0.5
        scores = scores.masked_fill(~packed.mask[:, None, None, :], -1e9)
        return torch.softmax(scores, -1) @ value

    def keep(self, neurons):
        """Only these neurons of the feed-forward part (their numbers, a tensor)."""
        up, down = self.up, self.down
        self.up, self.down = nn.Linear(WIDTH, len(neurons)), nn.Linear(len(neurons), WIDTH)
        with torch.no_grad():
            self.up.weight.copy_(up.weight[neurons])
            self.up.bias.copy_(up.bias[neurons])
            self.down.weight.copy_(down.weight[:, neurons])
            self.down.bias.copy_(down.bias)

    def forward(self, x, packed, first_row_only=False):
        key, value = self.heads(self.key(x), packed), self.heads(self.value(x), packed)
        if first_row_only:
            x = x.index_select(0, packed.starts)
            query = self.query(x).view(packed.count, 1, HEADS, -1).transpose(1, 2)
            mixed = self.attend(query, key, value, packed).transpose(1, 2).reshape(packed.count, WIDTH)
        else:
            query = self.heads(self.query(x), packed)
            mixed = self.attend(query, key, value, packed).transpose(1, 2)
            mixed = packed.unpad(mixed)
        x = self.norm1(x + self.out(mixed))
        return self.norm2(x + self.down(F.gelu(self.up(x))))


_NAMES = {'query': 'attention.self.query', 'key': 'attention.self.key', 'value': 'attention.self.value',
          'out': 'attention.output.dense', 'norm1': 'attention.output.LayerNorm', 'up': 'intermediate.dense',
          'down': 'output.dense', 'norm2': 'output.LayerNorm'}


class Screen(nn.Module):
    def __init__(self, split):
        super().__init__()
        self.split, self.dropout = split, 0.1  # of the embeddings and of the reading; inside it would cost a third
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.head = nn.Linear(WIDTH, 1)
        nn.init.zeros_(self.head.bias)
        nn.init.normal_(self.head.weight, std=0.02)

    def load_base(self, path, layers=range(LAYERS)):
        base = {name.removeprefix('bert.'): value for name, value in read_safetensors(path).items()}
        self.words = base['embeddings.word_embeddings.weight']
        self.positions = base['embeddings.position_embeddings.weight']
        self.types = base['embeddings.token_type_embeddings.weight']
        self.norm = (base['embeddings.LayerNorm.weight'], base['embeddings.LayerNorm.bias'])
        self.load_named(base, layers)

    def load_named(self, tensors, layers=range(LAYERS)):
        with torch.no_grad():
            for layer, source in zip(self.layers, layers):
                for name, theirs in _NAMES.items():
                    for kind in ('weight', 'bias'):
                        getattr(getattr(layer, name), kind).copy_(tensors[f'encoder.layer.{source}.{theirs}.{kind}'])
            if 'classifier.weight' in tensors:
                self.head.weight.copy_(tensors['classifier.weight'])
                self.head.bias.copy_(tensors['classifier.bias'])

    def named(self):
        tensors = {}
        if self.head is not None:
            tensors = {'classifier.weight': self.head.weight, 'classifier.bias': self.head.bias}
        for i, layer in enumerate(self.layers):
            for name, theirs in _NAMES.items():
                for kind in ('weight', 'bias'):
                    tensors[f'encoder.layer.{i}.{theirs}.{kind}'] = getattr(getattr(layer, name), kind)
        return tensors

    def embed(self, blocks, token_type):
        ids = torch.tensor([i for block in blocks for i in block])
        places = torch.cat([torch.arange(len(block)) for block in blocks])
        x = self.words[ids] + self.positions[places] + self.types[token_type]
        x = F.layer_norm(x, (WIDTH,), *self.norm, EPSILON)
        return F.dropout(x, self.dropout, self.training)

    def lower(self, blocks, token_type):
        """Packed rows of every block after the layers that read it alone."""
        packed = Packed([len(block) for block in blocks])
        x = self.embed(blocks, token_type)
        for layer in self.layers[:self.split]:
            x = layer(x, packed)
        return x, packed

    def joint(self, contents, policies, pairs):
        """Logits of pairs (content index, policy index), from what lower() gave for either side."""
        (x, of_contents), (y, of_policies) = contents, policies
        rows, lengths, base = [], [], x.shape[0]
        for content, policy in pairs:
            n, p = of_contents.lengths[content], of_policies.lengths[policy]
            start, other = int(of_contents.starts[content]), base + int(of_policies.starts[policy])
            rows += [torch.arange(start, start + n), torch.arange(other, other + p)]
            lengths.append(n + p)
        packed = Packed(lengths)
        z = torch.cat([x, y]).index_select(0, torch.cat(rows))
        for layer in self.layers[self.split:-1]:
            z = layer(z, packed)
        cls = self.layers[-1](z, packed, first_row_only=True)
        return self.head(F.dropout(cls, self.dropout, self.training)).squeeze(1)

    def forward(self, contents, policies, pairs):
        return self.joint(self.lower(contents, 0), self.lower(policies, 1), pairs)
