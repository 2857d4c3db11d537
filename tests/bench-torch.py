#!/usr/bin/env python3
"""`l2lab bench`'s workloads in PyTorch, timed in turn with l2lab on the same machine, and the ratio of their rates.

A ratio is PyTorch's steps a second over l2lab's: below 1 l2lab is faster. cuDNN may choose its algorithms by trial; f32 is f32
on both sides, without TF32.

Not part of tests/run. Needs a release build and `pip install torch`; without names it times all but the Wide ResNets:
    cargo build --release && python3 tests/bench-torch.py [NAME...]
On a GPU, beside PyTorch's eager and compiled step in f16 with channels last:
    cargo build --release --features vulkan && python3 tests/bench-torch.py --device gpu --precision f16 wrn-28-10
"""
import argparse
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
    "wrn-28-10": (lambda: WideResNet(28, 10, 1), (128, 3, 32, 32), 1),
}
FORMATS = {"f32": None, "bf16": torch.bfloat16, "f16": torch.float16}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(WORKLOADS))
    parser.add_argument("--device", default="cpu", help="as l2lab's: cpu, gpu, gpu:1, cuda:1")
    parser.add_argument("--precision", default="f32", choices=FORMATS)
    parser.add_argument("--batch", type=int, metavar="N", help="images of a step, on both sides [default: the workload's own]")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in WORKLOADS]
    if unknown:
        parser.error(f"no workload {unknown[0]!r}; there are {', '.join(WORKLOADS)}")
    return args


def stepper(name, device, precision, batch, compiled):
    make, (own, *image), runs = WORKLOADS[name]
    size = batch or own
    layout = torch.channels_last if len(image) == 3 and device.type != "cpu" else torch.contiguous_format
    models = [make().to(device, memory_format=layout) for _ in range(runs)]
    momentum = 0.9 if name.startswith("wrn") else 0.0
    optimizers = [torch.optim.SGD(m.parameters(), lr=0.01, momentum=momentum, weight_decay=1e-3) for m in models]
    examples = max(1024, 2 * size)
    data, labels = torch.randn(examples, *image, device=device), torch.randint(0, 10, (examples,), device=device)
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "f16" and device.type != "cpu")

    def loss(model, images, targets):
        with torch.autocast(device.type, dtype=FORMATS[precision], enabled=FORMATS[precision] is not None):
            return F.cross_entropy(model(images).float(), targets)

    if compiled:
        loss = torch.compile(loss)

    def step():
        for model, optimizer in zip(models, optimizers):
            chosen = torch.randint(0, examples, (size,), device=device)
            optimizer.zero_grad()
            images = data[chosen]
            scaler.scale(loss(model, images.to(memory_format=layout) if images.dim() == 4 else images, labels[chosen])).backward()
            scaler.step(optimizer)
            scaler.update()

    return step


def rate(step, device):
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    begin = time.perf_counter()
    for _ in range(5):
        step()
        wait()
        if time.perf_counter() - begin > 5:
            break
    steps, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < SAMPLE_SECONDS:
        step()
        steps += 1
    wait()
    return steps / (time.perf_counter() - begin)


def l2lab(name, args):
    command = [os.path.join(ROOT, "target/release/l2lab"), "bench", name, "--json"]
    command += ["--device", args.device, "--precision", args.precision]
    command += ["--batch", str(args.batch)] if args.batch else []
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout)["bench"][0]["steps_per_second"]


def main():
    args = parse()
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    kind, _, index = args.device.partition(":")
    device = torch.device("cpu") if kind == "cpu" else torch.device(f"cuda:{index or 0}")
    # Compiled kernels are what one would use on a GPU; on a CPU they need a C++ compiler and gain little.
    ways = [("eager", False)] if device.type == "cpu" else [("eager", False), ("compiled", True)]
    where = f"{torch.get_num_threads()} threads" if device.type == "cpu" else torch.cuda.get_device_name(device)
    print(f"PyTorch {torch.__version__}, {where}, {args.precision}; medians of {ROUNDS} rounds in turn, ms a step; "
          "ratio: PyTorch's rate over l2lab's")
    for name in args.names or [n for n in WORKLOADS if not n.startswith("wrn")]:
        for way, compiled in ways:
            step = stepper(name, device, args.precision, args.batch, compiled)
            theirs, ours = zip(*[(rate(step, device), l2lab(name, args)) for _ in range(ROUNDS)])
            ratios = sorted(t / o for t, o in zip(theirs, ours))
            theirs, ours = 1e3 / statistics.median(theirs), 1e3 / statistics.median(ours)
            print(
                f"{name:9} PyTorch {way:8} {theirs:8.2f}  l2lab {ours:8.2f}  "
                f"ratio {statistics.median(ratios):5.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
                flush=True,
            )


main()
