#!/usr/bin/python3
"""Trains the screen. A developer tool: see README.md here.

    train.py --data ../shared/data/permissive --corpus corpus --safeguard build/safeguard --base BASE --out FOLDER

Two processes share every step (one core each): each works on batches of its own and their gradients are averaged, so
that for one seed and number of processes the result is the same every time.
"""
import argparse
import json
import math
import os
import pathlib
import sys
import time

import torch
import torch.multiprocessing as processes
from torch.nn import functional as F

import batches
import held_out
import model as m
import public
from word_piece import WordPiece

SHARES = {'abuse': 0.17, 'spam': 0.05, 'injection': 0.05, 'harm': 0.08, 'intent': 0.22, 'intimate': 0.15, 'hostility': 0.13,
          'trade': 0.11, 'assistant': 0.13, 'matrix': 0.6}


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', required=True)
    parser.add_argument('--corpus', required=True)
    parser.add_argument('--policies', required=True, help='the shipped policies, whose golden sets are held out')
    parser.add_argument('--safeguard', required=True, help='the built command: it reads the written policies')
    parser.add_argument('--base', required=True, help='folder of the base encoder')
    parser.add_argument('--layers', default='0,1,2,3,4,5', help="the base's layers to start from")
    parser.add_argument('--start', help='weights to go on from, instead of the base')
    parser.add_argument('--out', required=True)
    parser.add_argument('--split', type=int, default=3)
    parser.add_argument('--policy-tokens', type=int, default=160)
    parser.add_argument('--content-tokens', type=int, default=160)
    parser.add_argument('--steps', type=int, default=1200)
    parser.add_argument('--slots', type=int, default=3)
    parser.add_argument('--each', type=int, default=6)
    parser.add_argument('--easy-steps', type=int, default=0, help='to begin with: topics only')
    parser.add_argument('--rate', type=float, default=3e-4)
    parser.add_argument('--warm-up', type=int, default=60)
    parser.add_argument('--processes', type=int, default=2)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--measure-every', type=int, default=300)
    parser.add_argument('--final', action='store_true', help='train on the held-out topics of the corpus too')
    return parser.parse_args()


def opened(o):
    tokenizer = WordPiece(pathlib.Path(o.base) / 'tokenizer.json')
    return tokenizer, public.concepts(o)


def groups(net, rate):
    decayed = [p for n, p in net.named_parameters() if p.dim() > 1 and not n.startswith('head')]
    plain = [p for n, p in net.named_parameters() if p.dim() == 1 and not n.startswith('head')]
    return [{'params': decayed, 'weight_decay': 0.01, 'lr': rate}, {'params': plain, 'weight_decay': 0.0, 'lr': rate},
            {'params': list(net.head.parameters()), 'weight_decay': 0.01, 'lr': rate * 5}]


def rate_at(step, o):
    if step < o.warm_up:
        return (step + 1) / o.warm_up
    done = (step - o.warm_up) / max(1, o.steps - o.warm_up)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))


def loss_of(net, batch):
    contents, policies, pairs, labels = batch
    with torch.autocast('cpu', torch.bfloat16):
        logits = net(contents, policies, pairs)
    target = torch.tensor(labels) * 0.94 + 0.03  # some labels are wrong
    return F.binary_cross_entropy_with_logits(logits.float(), target)


def work(rank, o, shared, barrier, log):
    torch.set_num_threads(1)
    torch.manual_seed(o.seed * 1000 + rank)
    tokenizer, concepts = opened(o)
    net = m.Screen(o.split)
    torch.manual_seed(o.seed)
    net.head.reset_parameters()
    torch.manual_seed(o.seed * 1000 + rank)
    net.load_base(str(pathlib.Path(o.base) / 'model.safetensors'), [int(i) for i in o.layers.split(',')])
    if o.start:
        net.load_named(m.read_safetensors(o.start))
    net.train()
    optimizer = torch.optim.AdamW(groups(net, o.rate), betas=(0.9, 0.98))
    base_rates = [g['lr'] for g in optimizer.param_groups]
    sampler = batches.Sampler(concepts, SHARES, tokenizer, o.policy_tokens, o.content_tokens, o.seed * 100 + rank)
    parameters = [p for g in optimizer.param_groups for p in g['params']]
    begun, mean = time.time(), None
    pairs = 0
    for step in range(o.steps):
        for group, rate in zip(optimizer.param_groups, base_rates):
            group['lr'] = rate * rate_at(step, o)
        batch = sampler.batch(o.slots, o.each, easy=step < o.easy_steps)
        loss = loss_of(net, batch)
        loss.backward()
        pairs += len(batch[3]) * o.processes
        exchange(parameters, rank, shared, barrier)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        mean = loss.item() if mean is None else 0.97 * mean + 0.03 * loss.item()
        if rank == 0 and (step + 1) % 20 == 0:
            log(f'step {step + 1} loss {mean:.4f} pairs {pairs} seconds {time.time() - begun:.0f}')
        if rank == 0 and ((step + 1) % o.measure_every == 0 or step + 1 == o.steps):
            m.write_safetensors(pathlib.Path(o.out) / 'model.safetensors', net.named())
            log(json.dumps(held_out.figures(net, tokenizer, concepts, o, quick=step + 1 < o.steps)))
        barrier.wait()


def exchange(parameters, rank, shared, barrier):
    """Every process leaves with the mean gradient, summed in one order."""
    if len(shared) == 1:
        return
    flat = torch.cat([(p.grad if p.grad is not None else torch.zeros_like(p)).flatten() for p in parameters])
    shared[rank].copy_(flat)
    barrier.wait()
    mean = sum(shared[1:], shared[0].clone()) / len(shared)
    barrier.wait()
    at = 0
    for p in parameters:
        p.grad = mean[at:at + p.numel()].view_as(p).clone()
        at += p.numel()


class Log:
    def __init__(self, path):
        self.path = path

    def __call__(self, line):
        print(line, flush=True)
        with open(self.path, 'a', encoding='utf-8') as file:
            file.write(line + '\n')


def main():
    o = options()
    os.makedirs(o.out, exist_ok=True)
    log = Log(str(pathlib.Path(o.out) / 'log.txt'))
    log(json.dumps(vars(o)))
    size = sum(p.numel() for p in m.Screen(o.split).parameters())
    context = processes.get_context('spawn')
    shared = [torch.zeros(size).share_memory_() for _ in range(o.processes)]
    barrier = context.Barrier(o.processes)
    workers = [context.Process(target=work, args=(r, o, shared, barrier, log)) for r in range(o.processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit('a training process failed')


def with_jemalloc():
    """glibc gives every tensor's pages back to the kernel: a third of the time. Debian's libjemalloc2 keeps them."""
    library = '/usr/lib/x86_64-linux-gnu/libjemalloc.so.2'
    if os.path.exists(library) and 'LD_PRELOAD' not in os.environ:
        os.environ.update(LD_PRELOAD=library, MALLOC_CONF='dirty_decay_ms:-1,muzzy_decay_ms:-1,narenas:1,thp:always')
        os.execv(sys.executable, [sys.executable] + sys.argv)


if __name__ == '__main__':
    with_jemalloc()
    main()
