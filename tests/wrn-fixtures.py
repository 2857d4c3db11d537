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

torch.set_default_dtype(torch.float64)
OUT = pathlib.Path(__file__).parent.parent / "core/tests/fixtures/wrn.json"
BATCH, SIDE, CLASSES = 6, 12, 5
LR, LAMBDA, MOMENTUM = 0.1, 0.01, 0.9


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride, side):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        changes = c_in != c_out or stride != 1
        self.shortcut = nn.Conv2d(c_in, c_out, side, stride, side // 2, bias=False) if changes else None

    def forward(self, x):
        active = F.relu(self.norm1(x))
        y = self.conv2(F.relu(self.norm2(self.conv1(active))))
        return y + (self.shortcut(active) if self.shortcut else x)


class WideResNet(nn.Module):
    def __init__(self, depth, width, side, channels=3, classes=CLASSES):
        super().__init__()
        self.conv = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        blocks, c_in = [], 16
        for group in range(3):
            c_out = 16 * width * 2**group
            for block in range((depth - 4) // 6):
                blocks.append(Block(c_in, c_out, 2 if group > 0 and block == 0 else 1, side))
                c_in = c_out
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.BatchNorm2d(c_in)
        self.dense = nn.Linear(c_in, classes)

    def forward(self, x):
        x = self.conv(x)
        for block in self.blocks:
            x = block(x)
        return self.dense(F.relu(self.norm(x)).mean((2, 3)))


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
    model = WideResNet(depth, width, side)
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


shapes = {f"{d}-{w}": sum(p.numel() for p in WideResNet(d, w, 1, classes=10).parameters()) for d, w in [(16, 4), (28, 10), (40, 2)]}
fixture = {"batch": BATCH, "side": SIDE, "classes": CLASSES, "lr": LR, "lambda": LAMBDA, "momentum": MOMENTUM}
fixture |= {"counts": shapes, "cases": [case(10, 1, 1), case(10, 2, 3), case(16, 1, 1)]}
OUT.write_text(json.dumps(fixture) + "\n")
print(OUT, shapes)
