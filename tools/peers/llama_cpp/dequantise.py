#!/usr/bin/env python3
"""Writes a GGUF file again with every MXFP4, Q8_0, F16 and BF16 matrix as F32: the same numbers,
exactly. Needs Debian's python3-numpy.

    /usr/bin/python3 dequantise.py IN.gguf OUT.gguf

llama.cpp rounds activations to the type that goes with the weights' (Q8_0 for MXFP4 and Q8_0);
over F32 weights it rounds nothing, so what is left is the meaning of the model. The embeddings stay
as they are: rows are looked up there, not multiplied.
"""

import struct
import sys

import numpy as np

F32, F16, Q8_0, BF16, MXFP4 = 0, 1, 8, 30, 39
BLOCKS = {F32: (1, 4), F16: (1, 2), BF16: (1, 2), Q8_0: (32, 34), MXFP4: (32, 17)}
SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)
CHUNK = 1 << 20  # blocks at a time


def aligned(size, alignment=32):
    return (size + alignment - 1) // alignment * alignment


class Reader:
    def __init__(self, file):
        self.file = file

    def number(self, form):
        return struct.unpack("<" + form, self.file.read(struct.calcsize(form)))[0]

    def text(self):
        return self.file.read(self.number("Q"))

    def skip_value(self, kind):
        if kind == 8:
            self.text()
        elif kind == 9:
            element, count = self.number("I"), self.number("Q")
            for _ in range(count):
                self.skip_value(element)
        else:
            self.file.read(SCALARS[kind])


def read_header(file):
    """The bytes of the keys, their number and the tensors as [name, dimensions, type, offset]."""
    reader = Reader(file)
    if file.read(4) != b"GGUF" or reader.number("I") != 3:
        sys.exit("not a GGUF file of version 3")
    tensor_count, key_count = reader.number("Q"), reader.number("Q")
    begin = file.tell()
    for _ in range(key_count):
        if reader.text() == b"general.alignment":
            assert reader.number("I") == 4 and reader.number("I") == 32
        else:
            reader.skip_value(reader.number("I"))
    end = file.tell()
    tensors = []
    for _ in range(tensor_count):
        name = reader.text()
        dimensions = [reader.number("Q") for _ in range(reader.number("I"))]
        tensors.append([name, dimensions, reader.number("I"), reader.number("Q")])
    data = aligned(file.tell())
    file.seek(begin)
    return file.read(end - begin), key_count, tensors, data


def as_f32(kind, raw):
    if kind == F16:
        return raw.view("<f2").astype(np.float32)
    if kind == BF16:
        return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)
    blocks = raw.reshape(-1, BLOCKS[kind][1])
    if kind == Q8_0:
        scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
        return scale * blocks[:, 2:].view(np.int8).astype(np.float32)
    # ggml's order: the low halves of the 16 bytes are elements 0 to 15, the high ones 16 to 31.
    codes = np.concatenate([blocks[:, 1:] & 15, blocks[:, 1:] >> 4], axis=1)
    return np.ldexp(E2M1[codes], blocks[:, :1].astype(np.int32) - 127)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as target:
        keys, key_count, tensors, data = read_header(source)
        header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), key_count) + keys
        offset = 0
        kept = []
        for name, dimensions, kind, _ in tensors:
            new = kind if name == b"token_embd.weight" else F32
            per, size = BLOCKS[new]
            header += struct.pack("<Q", len(name)) + name + struct.pack("<I", len(dimensions))
            header += struct.pack(f"<{len(dimensions)}QIQ", *dimensions, new, offset)
            kept.append(new == kind)
            offset = aligned(offset + int(np.prod(dimensions)) // per * size)
        target.write(header.ljust(aligned(len(header)), b"\0"))
        for (name, dimensions, kind, begin), keep in zip(tensors, kept):
            per, size = BLOCKS[kind]
            left = int(np.prod(dimensions)) // per
            source.seek(data + begin)
            while left > 0:
                count = min(left, CHUNK)
                raw = np.frombuffer(source.read(count * size), np.uint8)
                target.write(raw if keep else as_f32(kind, raw).astype("<f4").tobytes())
                left -= count
            target.write(b"\0" * (aligned(target.tell()) - target.tell()))


if __name__ == "__main__":
    main()
