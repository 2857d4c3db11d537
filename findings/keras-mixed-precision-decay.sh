#!/usr/bin/env bash
# keras 3.15.1 (jax 0.10.0 backend): weight decay through model.optimizer under the mixed_float16 policy.
# Guess: model.optimizer is the AdamW that was passed to compile; reading its weight_decay, or exempting weights
#   by model.optimizer.exclude_from_weight_decay before the first step, works under any policy.
# What happens: under mixed_float16 compile wraps it in a LossScaleOptimizer. model.optimizer.weight_decay is then None while
#   0.1 acts, and the exemption is kept by the wrapper, which nobody asks: after 3 steps with gradient 0 and lr = 0.1 the
#   bias is 0.970299 like the kernel; under float32 it is 1. (model.optimizer.inner_optimizer is the one to use.)
# Why it matters: switching on mixed precision decays what was exempt, and a log of the optimizer's weight_decay says None.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q keras==3.15.1 jax==0.10.0 jaxlib==0.10.0 numpy==2.4.6
KERAS_BACKEND=jax "$dir/venv/bin/python" -W ignore - <<'PY'
import sys
import keras
import numpy as np

def train(policy, inner=False):
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([keras.Input((2,)),
                              keras.layers.Dense(1, kernel_initializer="ones", bias_initializer="ones")])
    model.compile(keras.optimizers.AdamW(0.1, weight_decay=0.1), lambda truth, output: keras.ops.mean(output) * 0)
    optimizer = model.optimizer.inner_optimizer if inner else model.optimizer
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.fit(np.zeros((3, 2)), np.zeros((3, 1)), batch_size=1, verbose=0)
    kernel, bias = (round(float(weight.max()), 6) for weight in model.get_weights())
    read = model.optimizer.weight_decay
    print(f"{policy}, exempted on {type(optimizer).__name__}: kernel {kernel}, bias {bias}, weight_decay reads {read}")
    return kernel, bias, read

if train("float32") != (0.970299, 1.0, 0.1) or train("mixed_float16", inner=True)[:2] != (0.970299, 1.0):
    sys.exit("changed: an exemption on AdamW itself no longer holds")
if train("mixed_float16") != (0.970299, 0.970299, None):
    sys.exit("changed: the wrapper now passes weight decay settings on")
PY
echo "seen: under mixed_float16 the exemption is lost and weight_decay reads None"
