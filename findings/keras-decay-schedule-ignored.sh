#!/usr/bin/env bash
# keras 3.15.1 (jax 0.10.0 backend; tensorflow's does the same): a callback that sets model.optimizer.weight_decay.
# Guess: it acts from the next step on, as setting model.optimizer.learning_rate does.
# What happens: fit compiles the step at its first batch with weight_decay as a constant (the learning rate is a variable). The
#   attribute then reads the new value and the old one goes on acting: AdamW, gradient 0, lr = weight_decay = 0.1, one step an
#   epoch, 0 from the second epoch on: 0.99, 0.9801, 0.970299, 0.960596. With run_eagerly=True it stays at 0.99, as
#   it does in both modes where the learning rate is set to 0.
# Why it matters: a weight-decay schedule by callback does nothing, while a log of the attribute shows the schedule: any
#   conclusion about schedules from such runs is about constant decay. Call model.compile again, or use eager mode.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q keras==3.15.1 jax==0.10.0 jaxlib==0.10.0 numpy==2.4.6
KERAS_BACKEND=jax "$dir/venv/bin/python" -W ignore - <<'PY'
import sys
import keras
import numpy as np

class ZeroFromSecondEpoch(keras.callbacks.Callback):
    def __init__(self, attribute):
        super().__init__()
        self.attribute, self.weights = attribute, []

    def on_epoch_begin(self, epoch, logs=None):
        if epoch > 0:
            setattr(self.model.optimizer, self.attribute, 0.0)

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(round(float(self.model.get_weights()[0][0, 0]), 6))

def train(attribute, eager):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)])
    model.compile(keras.optimizers.AdamW(0.1, weight_decay=0.1), lambda truth, output: keras.ops.mean(output) * 0,
                  run_eagerly=eager)
    callback = ZeroFromSecondEpoch(attribute)
    model.fit(np.zeros((1, 1)), np.zeros((1, 1)), epochs=4, verbose=0, callbacks=[callback])
    print(f"{attribute} = 0, eager {eager}: weights {callback.weights}, weight_decay reads {model.optimizer.weight_decay}")
    return callback.weights

still = [0.99] * 4
if train("learning_rate", False) != still or train("weight_decay", True) != still:
    sys.exit("changed: the learning rate, or weight_decay in eager mode, no longer acts at once")
if train("weight_decay", False) != [0.99, 0.9801, 0.970299, 0.960596]:
    sys.exit("changed: weight_decay now acts in compiled training")
PY
echo "seen: a changed weight_decay is ignored in compiled training"
