#!/usr/bin/env bash
# paddlepaddle 3.3.1: AdamW(apply_decay_param_fun=...), which says by a parameter's name whether to decay it.
# Guess: it is called with the names of named_parameters(), "fc.bias" and "norm.weight", so that
#   lambda name: not ("bias" in name or "fc" in name) exempts those.
# What happens: it is called with generated names, "linear_0.b_0", "layer_norm_0.w_0": no name holds "bias" or the attribute.
#   After one step with gradient 0 and lr = weight_decay = 0.1 fc.weight and fc.bias are 0.99; nothing warns. The number in
#   the name counts layers of the process, so a second network in it has other names.
# Why it matters: an exemption list ported from PyTorch exempts nothing, and one written as "linear_0" works for the
#   first network built and not for the next of a sweep.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q paddlepaddle==3.3.1 setuptools==80.9.0
"$dir/venv/bin/python" -W ignore - <<'PY'
import sys
import numpy as np
import paddle

paddle.set_device("cpu")

def decay_once(decayed):
    model = paddle.nn.Sequential(("fc", paddle.nn.Linear(2, 2)), ("norm", paddle.nn.LayerNorm(2)))
    for parameter in model.parameters():
        parameter.set_value(np.ones(parameter.shape, "float32"))
    optimizer = paddle.optimizer.AdamW(learning_rate=0.1, weight_decay=0.1, parameters=model.parameters(),
                                       apply_decay_param_fun=decayed)
    sum((parameter * 0).sum() for parameter in model.parameters()).backward()
    optimizer.step()
    return {name: (parameter.name, round(float(parameter.max()), 4)) for name, parameter in model.named_parameters()}

by_attribute = decay_once(lambda name: not ("bias" in name or "fc" in name))
by_number = decay_once(lambda name: not name.startswith("linear_0."))
print('exempt "bias", "fc":  ', by_attribute)
print('exempt "linear_0.":   ', by_number)
if by_attribute["fc.weight"] != ("linear_0.w_0", 0.99) or by_attribute["fc.bias"] != ("linear_0.b_0", 0.99):
    sys.exit("changed: attribute names now exempt, or the generated names differ")
if by_number["fc.weight"] != ("linear_1.w_0", 0.99):
    sys.exit("changed: the second network's layer is no longer linear_1")
PY
echo "seen: the names are generated ones, and no exemption by attribute name holds"
