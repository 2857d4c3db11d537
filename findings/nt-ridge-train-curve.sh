#!/usr/bin/env bash
# neural-tangents 0.6.5 (jax 0.4.30): predict.gradient_descent_mse(kernel, targets, diag_reg=r), training predictions.
# Guess: diag_reg is added to the kernel's diagonal, and training and test predictions follow gradient flow with that
#   ridge: k/(k+r) * (1 - exp(-(k+r)*t/n)) in an eigendirection k.
# What happens, two things. diag_reg is relative: r = diag_reg * trace/n (the docstring's formula reads as the whole trace).
#   And only test predictions follow that flow: training predictions are 1 - exp(-(k+r)*t/n), which fits the targets
#   exactly, the sooner the larger the ridge. The same points as training and as test points differ by 0.48 at t = 100.
# Why it matters: a training curve under weight decay from here shows faster fitting and loss 0 where decay slows it and
#   leaves an error; pass the training points as test points instead, and r with diag_reg_absolute_scale=True.
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
n, diag_reg = 6, 0.1
factor = rng.normal(size=(n, n))
kernel = factor @ factor.T + 0.1 * np.eye(n)
targets, zero = rng.normal(size=(n, 1)), jnp.zeros((n, 1))
values, vectors = np.linalg.eigh(kernel)
ridge = diag_reg * np.trace(kernel) / n
at = predict.gradient_descent_mse(jnp.array(kernel), jnp.array(targets), diag_reg=diag_reg)
for t in (0.1, 1.0, 10.0, 100.0):
    train, test = map(np.array, at(t, zero, zero, jnp.array(kernel)))
    faster = 1 - np.exp(-(values + ridge) * t / n)
    as_train = np.abs((vectors * faster) @ vectors.T @ targets - train).max()
    as_test = np.abs((vectors * faster * values / (values + ridge)) @ vectors.T @ targets - test).max()
    print(f"t {t:5}: training residual {np.abs(train - targets).max():.3f}, the same points as test points "
          f"{np.abs(test - targets).max():.3f}; off the two formulas by {as_train:.0e}, {as_test:.0e}")
    if as_train > 1e-10 or as_test > 1e-10:
        print("changed: the predictions follow other formulas")
        sys.exit(1)
if np.abs(train - test).max() < 0.1:
    print("changed: training and test predictions at the same points agree")
    sys.exit(1)
PY
echo "seen: training predictions fit exactly whatever the ridge, test predictions do not"
