#!/usr/bin/env bash
# scikit-learn 1.9.1: MLPClassifier.loss_curve_ and best_loss_.
# Guess: the mean log loss of the training set, comparable between alphas and batch sizes.
# What happens: the L2 term is in it, and divided by the batch, not by the number of examples: log loss + alpha*|W|^2/(2*batch).
#   Weights that practically stand still (learning rate 1e-12), alpha 10, 100 examples: log loss 0.902 each time, loss_curve_
#   1.131 at batch 100, 3.195 at batch 10. The rule that stops at tol acts on this sum.
# Why it matters: loss curves of a sweep over alpha or batch size differ by penalty alone; the lowest is not the best fit,
#   and training may stop early or late because of the penalty.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
"$dir/venv/bin/python" -W ignore - <<'PY'
import sys
import numpy as np
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

x = np.random.default_rng(0).normal(size=(100, 3))
y = (x[:, 0] > 0).astype(int)
for batch in (100, 50, 10):
    net = MLPClassifier((4,), alpha=10.0, batch_size=batch, max_iter=1, learning_rate_init=1e-12, solver="sgd",
                        momentum=0, shuffle=False, random_state=0).fit(x, y)
    data = log_loss(y, net.predict_proba(x))
    penalty = 10.0 * sum((weights**2).sum() for weights in net.coefs_) / (2 * batch)
    print(f"batch {batch:3}: loss_curve_ {net.loss_curve_[0]:.4f}, log loss {data:.4f}, alpha*|W|^2/(2*batch) {penalty:.4f}")
    if abs(net.loss_curve_[0] - data - penalty) > 1e-6 or net.best_loss_ != net.loss_curve_[0]:
        sys.exit("changed: loss_curve_ is no longer log loss plus the penalty over the batch")
PY
echo "seen: loss_curve_ holds the penalty, divided by the batch"
