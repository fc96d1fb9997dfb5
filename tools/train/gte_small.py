#!/usr/bin/python3
"""Reads gte-small's weights out of an ONNX file into safetensors with BERT's names (a base that was tried).

    gte_small.py model.onnx OUT.safetensors     needs Debian's python3-onnx
"""
import re
import sys

import onnx
import torch
from onnx import numpy_helper

import model as m


def main(source, target):
    graph = onnx.load(source).graph
    tensors = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    named = {}
    for name, value in tensors.items():
        plain = name.removeprefix('bert.')
        if plain.startswith(('embeddings.', 'encoder.layer.')):
            named[plain] = value
    for node in graph.node:
        if node.op_type != 'MatMul' or node.input[1] not in tensors:
            continue
        place = re.search(r'encoder/layer\.(\d+)/(.*?)/MatMul', node.name)
        if place:
            named[f'encoder.layer.{place[1]}.' + place[2].replace('/', '.') + '.weight'] = tensors[node.input[1]].t().contiguous()
    m.write_safetensors(target, {k: v for k, v in named.items() if v.is_floating_point()})
    print(len(named), 'tensors')


main(*sys.argv[1:])
