#!/usr/bin/env bash
# keras 3.15.1 (jax 0.10.0 backend): optimizer.exclude_from_weight_decay(var_names=[...]).
# Guess: the patterns are matched against names like "layer_norm/gamma", as in Keras 2, so that the usual recipe
#   ["layer_norm", "bias"], or a layer's own name, exempts those weights.
# What happens: the patterns see variable.name, which in Keras 3 is the bare "kernel", "bias", "gamma", "beta"; the layer
#   stands in variable.path only. A layer's name exempts nothing, without a warning: after one step with gradient 0 and
#   lr = weight_decay = 0.1, layer_norm/gamma, layer_norm/beta and head/kernel are 0.99, only the biases are still 1.
# Why it matters: who ports a recipe that spares norms (or a head) decays them all the same; so "who is exempt"
#   can't be read from the list that was passed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q keras==3.15.1 jax==0.10.0 jaxlib==0.10.0 numpy==2.4.6
KERAS_BACKEND=jax "$dir/venv/bin/python" - <<'PY'
import sys
import keras
import numpy as np

def decay_once(patterns):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, name="body"),
                              keras.layers.LayerNormalization(name="layer_norm"), keras.layers.Dense(1, name="head")])
    variables = model.trainable_variables
    optimizer = keras.optimizers.AdamW(learning_rate=0.1, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=patterns)
    optimizer.build(variables)
    for variable in variables:
        variable.assign(np.ones(variable.shape))
    optimizer.apply([np.zeros(variable.shape, "float32") for variable in variables])
    return {variable.path.split("/", 1)[1]: round(float(keras.ops.max(variable)), 4) for variable in variables}

by_layer = decay_once(["layer_norm", "head", "bias"])
by_kind = decay_once(["gamma", "beta", "bias"])
print('exclude "layer_norm", "head", "bias":', by_layer)
print('exclude "gamma", "beta", "bias":     ', by_kind)
if {name for name, value in by_layer.items() if value == 1} != {"body/bias", "head/bias"}:
    sys.exit("changed: a layer's name now exempts its variables, or biases are no longer exempt")
if {name for name, value in by_kind.items() if value < 1} != {"body/kernel", "head/kernel"}:
    sys.exit("changed: the bare variable names no longer exempt")
PY
echo "seen: the name of a layer exempts nothing"
