#!/usr/bin/env bash
# mlx 0.32.4 (CPU build): optimizer.weight_decay changed between calls of a step made by mx.compile.
# Guess: with the optimizer's state passed as compile's inputs and outputs, as its manual says, hyperparameters follow.
# What happens: learning_rate lives in that state and follows; weight_decay is a plain number, frozen at the first call, though
#   the attribute reads the new value. AdamW, SGD and Lion, gradient 0, lr = weight_decay = 0.1, 0 after the first step:
#   0.99, 0.9801, 0.970299, 0.960596 compiled, 0.99 throughout not compiled.
# Why it matters: a weight-decay schedule works in a script and stops working, silently, once its step is compiled.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q "mlx[cpu]==0.32.4"
"$dir/venv/bin/python" - <<'PY'
import functools
import sys
import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optimizers

def train(kind, attribute, compiled):
    model = nn.Linear(1, 1, bias=False)
    model.weight = mx.ones((1, 1))
    optimizer = kind(learning_rate=0.1, weight_decay=0.1)
    optimizer.init(model.trainable_parameters())
    state = [model.state, optimizer.state]

    def step(x):
        _, gradient = nn.value_and_grad(model, lambda net, inputs: (net(inputs) * 0).sum())(model, x)
        optimizer.update(model, gradient)

    if compiled:
        step = functools.partial(mx.compile, inputs=state, outputs=state)(step)
    weights = []
    for index in range(4):
        if index == 1:
            setattr(optimizer, attribute, 0.0)
        step(mx.zeros((1, 1)))
        mx.eval(state)
        weights.append(round(model.weight.item(), 6))
    print(f"{kind.__name__}, {attribute} = 0 after step 1, compiled {compiled}: {weights}")
    return weights

still = [0.99] * 4
for kind in (optimizers.AdamW, optimizers.SGD, optimizers.Lion):
    if train(kind, "weight_decay", False) != still or train(kind, "learning_rate", True) != still:
        sys.exit("changed: learning_rate, or weight_decay without compile, no longer follows")
    if train(kind, "weight_decay", True) != [0.99, 0.9801, 0.970299, 0.960596]:
        sys.exit("changed: weight_decay now follows in a compiled step")
PY
echo "seen: weight_decay is frozen in a compiled step"
