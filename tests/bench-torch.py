#!/usr/bin/env python3
"""`l2lab bench`'s workloads in PyTorch, timed in turn with l2lab on the same machine, as ratios.

Not part of tests/run. Needs a release build and `pip install torch`; without names it times all but the Wide ResNet:
    cargo build --release && python3 tests/bench-torch.py [NAME...]
"""
import json
import os
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

from wide_resnet import WideResNet

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
ROUNDS, SAMPLE_SECONDS = 5, 0.4


def fully_connected(width):
    return nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))


def convolutional():
    layers = []
    for c_in, stride in [(3, 1), (32, 2), (32, 2)]:
        layers += [nn.Conv2d(c_in, 32, 3, stride, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))


WORKLOADS = {
    "fc-512": (lambda: fully_connected(512), (128, 784), 1),
    "fc-2048": (lambda: fully_connected(2048), (128, 784), 1),
    "cnn-32": (convolutional, (64, 3, 32, 32), 1),
    "grid-fc": (lambda: fully_connected(128), (64, 784), 16),
    "wrn-16-4": (lambda: WideResNet(16, 4, 1), (128, 3, 32, 32), 1),
}


def stepper(make, shape, runs):
    models = [make() for _ in range(runs)]
    optimizers = [torch.optim.SGD(m.parameters(), lr=0.01, weight_decay=1e-3) for m in models]
    data, labels = torch.randn(1024, *shape[1:]), torch.randint(0, 10, (1024,))

    def step():
        for model, optimizer in zip(models, optimizers):
            batch = torch.randint(0, 1024, (shape[0],))
            optimizer.zero_grad()
            F.cross_entropy(model(data[batch]), labels[batch]).backward()
            optimizer.step()

    return step


def rate(step):
    begin = time.perf_counter()
    for _ in range(5):
        step()
        if time.perf_counter() - begin > 5:
            break
    steps, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < SAMPLE_SECONDS:
        step()
        steps += 1
    return steps / (time.perf_counter() - begin)


def l2lab(name):
    command = [os.path.join(ROOT, "target/release/l2lab"), "bench", name, "--json"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(out)["bench"][0]["steps_per_second"]


print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; medians of {ROUNDS} rounds in turn, ms a step")
for name in sys.argv[1:] or [n for n in WORKLOADS if not n.startswith("wrn")]:
    make, shape, runs = WORKLOADS[name]
    step = stepper(make, shape, runs)
    theirs, ours = zip(*[(rate(step), l2lab(name)) for _ in range(ROUNDS)])
    ratios = sorted(t / o for t, o in zip(theirs, ours))
    theirs, ours = 1e3 / statistics.median(theirs), 1e3 / statistics.median(ours)
    print(
        f"{name:8} PyTorch {theirs:8.2f}  l2lab {ours:8.2f}  "
        f"ratio {statistics.median(ratios):5.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    )
