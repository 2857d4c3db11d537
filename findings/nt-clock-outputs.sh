#!/usr/bin/env bash
# neural-tangents 0.6.5 (jax 0.4.30): the time t of predict.gradient_descent_mse(kernel, targets)(t, f0).
# Guess: t belongs to the loss 1/(2n) * sum over examples and outputs, or to 1/2 * the plain sum, the two of the papers, so
#   that an eigendirection k is learnt as 1 - exp(-k*t/n) or 1 - exp(-k*t). The docstring names no loss.
# What happens: the loss is half the mean over examples and outputs: 1 - exp(-k*t/(n*K)) with K outputs. One output: t/n, as
#   guessed; ten outputs: ten times slower. Largest difference from the closed form below: 1e-16 for t/(n*K).
# Why it matters: a time to best predicted for 10 classes is ten times too long beside a network trained on the loss summed
#   over classes (the usual one), and so is the product lr * weight decay * t that is read off it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q jax==0.4.30 jaxlib==0.4.30 numpy==1.26.4 scipy==1.13.1 tensorflow-cpu==2.17.1 frozendict==2.4.7
"$dir/venv/bin/pip" install -q --no-deps neural-tangents==0.6.5 tf2jax==0.3.6 dm-tree==0.1.8
TF_CPP_MIN_LOG_LEVEL=3 "$dir/venv/bin/python" - 2>"$dir/log" <<'PY' || { tail -3 "$dir/log"; exit 1; }
import sys
import jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
from neural_tangents import predict

rng = np.random.default_rng(0)
n, t = 6, 3.0
factor = rng.normal(size=(n, n))
kernel = factor @ factor.T + 0.1 * np.eye(n)
values, vectors = np.linalg.eigh(kernel)
for outputs in (1, 10):
    targets = rng.normal(size=(n, outputs))
    seen = np.array(predict.gradient_descent_mse(jnp.array(kernel), jnp.array(targets))(t, jnp.zeros((n, outputs))))
    off = {}
    for name, scale in {"t": 1, "t/n": n, "t/(n*K)": n * outputs}.items():
        flow = (vectors * (1 - np.exp(-values * t / scale))) @ vectors.T @ targets
        off[name] = np.abs(flow - seen).max()
    print(f"{outputs} outputs, largest difference:", ", ".join(f"{name} {value:.1e}" for name, value in off.items()))
    if off["t/(n*K)"] > 1e-10 or off["t"] < 0.1 or (outputs > 1 and off["t/n"] < 0.1):
        print("changed: the clock is no longer t/(n*K)")
        sys.exit(1)
PY
echo "seen: the clock runs slower by the number of outputs"
