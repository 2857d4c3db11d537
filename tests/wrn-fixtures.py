"""Makes core/tests/fixtures/wrn.json: what PyTorch makes of small Wide ResNets, which core's tests compare with.

    pip install torch numpy
    python3 tests/wrn-fixtures.py
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F
from torch import nn

from wide_resnet import WideResNet

torch.set_default_dtype(torch.float64)
OUT = pathlib.Path(__file__).parent.parent / "core/tests/fixtures/wrn.json"
BATCH, SIDE, CLASSES = 6, 12, 5
LR, LAMBDA, MOMENTUM = 0.1, 0.01, 0.9


def ours(model):
    """The parameters in the order of l2lab's layout; dense weights are [in, out] there."""
    named = dict(model.named_parameters())
    names = ["conv.weight"]
    for i, block in enumerate(model.blocks):
        own = ["norm1.weight", "norm1.bias", "conv1.weight", "norm2.weight", "norm2.bias", "conv2.weight"]
        names += [f"blocks.{i}.{n}" for n in own + (["shortcut.weight"] if block.shortcut else [])]
    return [named[n] for n in names + ["norm.weight", "norm.bias", "dense.weight", "dense.bias"]]


def values(index, count, shape):
    """Values that both sides make by themselves: sines with a scale like He's, around 1 for scales of a normalization."""
    wave = torch.tensor([math.sin(0.7 * index + 1.3 * i + 0.01 * i * i) for i in range(count)])
    fan_in = math.prod(shape[1:]) if len(shape) == 4 else shape[1] if len(shape) == 2 else None
    return wave * (2 / math.sqrt(fan_in)) if fan_in else 0.2 * wave


def flat(parameter):
    return (parameter.t() if parameter.dim() == 2 else parameter).reshape(-1)


def case(depth, width, side):
    model = WideResNet(depth, width, side, classes=CLASSES)
    with torch.no_grad():
        for index, parameter in enumerate(ours(model)):
            made = values(index, parameter.numel(), parameter.shape)
            shape = parameter.shape
            parameter.copy_(made.reshape(shape[1], shape[0]).t() if len(shape) == 2 else made.reshape(shape))
        for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.weight += 1
    count = BATCH * 3 * SIDE * SIDE
    pixels = torch.tensor([float((i * i * 31 + 17 * i) % 256) for i in range(count)]) / 255
    images = ((pixels - pixels.mean()) / pixels.std(correction=0)).reshape(BATCH, 3, SIDE, SIDE)
    labels = torch.arange(BATCH) % CLASSES
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=LAMBDA)
    logits = []
    for _ in range(2):
        output = model(images)
        logits.append(output.flatten().tolist())
        optimizer.zero_grad()
        F.cross_entropy(output, labels).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        tested = model(images).flatten().tolist()
    return {
        "depth": depth,
        "width": width,
        "shortcut": f"{side}x{side}",
        "logits": logits,
        "tested": tested,
        # The first values of each parameter after two steps, and its norm.
        "updated": [{"first": flat(p).tolist()[:4], "norm": p.norm().item()} for p in ours(model)],
        "parameters": sum(p.numel() for p in model.parameters()),
    }


shapes = {f"{d}-{w}": sum(p.numel() for p in WideResNet(d, w, 1).parameters()) for d, w in [(16, 4), (28, 10), (40, 2)]}
fixture = {"batch": BATCH, "side": SIDE, "classes": CLASSES, "lr": LR, "lambda": LAMBDA, "momentum": MOMENTUM}
fixture |= {"counts": shapes, "cases": [case(10, 1, 1), case(10, 2, 1), case(10, 2, 3), case(16, 1, 1)]}
OUT.write_text(json.dumps(fixture) + "\n")
print(OUT, shapes)
