#!/usr/bin/env bash
# river 0.26.1: linear_model.LinearRegression(optimizer=SGD(0.1), l2=0.1), examples as dictionaries.
# Guess: every example decays every weight by 1 - lr*l2 = 0.99; a feature that is absent counts as 0.
# What happens: only weights of features named in the example decay. From 1, with exact predictions throughout: three examples
#   {a: 1} leave b at 1 and take a to 0.970299; three examples {a: 1, b: 0} take both to 0.970299. The intercept never decays.
# Why it matters: an explicit 0 and an absent feature are two different regularizations: with sparse input a feature's
#   decay clock runs with its frequency, so frequent features are shrunk most and one l2 stands for many.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q river==0.26.1
"$dir/venv/bin/python" - <<'PY'
import sys
from river import linear_model, optim

def after(example):
    model = linear_model.LinearRegression(optimizer=optim.SGD(0.1), l2=0.1, intercept_init=1.0,
                                          initializer=optim.initializers.Constant(1.0))
    # The first example, of error 0, creates the weights; decay is measured from there.
    model.learn_one({"a": 1, "b": 1}, 3.0)
    start = dict(model.weights)
    for _ in range(3):
        model.learn_one(example, model.predict_one(example))
    return {name: round(weight / start[name], 6) for name, weight in model.weights.items()}, model.intercept

for example, expected in (({"a": 1}, {"a": 0.970299, "b": 1.0}), ({"a": 1, "b": 0}, {"a": 0.970299, "b": 0.970299})):
    weights, intercept = after(example)
    print(f"three examples {example}: weights {weights}, intercept {intercept}")
    if weights != expected:
        sys.exit("changed: other weights decay")
PY
echo "seen: a weight decays only when its feature is named"
