#!/usr/bin/env bash
# convnetjs 0.3.0: Trainer(net, {method: "sgd", learning_rate, l2_decay, batch_size}).
# Guess: the data gradient is averaged over the batch and l2_decay is added to it: a weight without data gradient is
#   multiplied by 1 - learning_rate * l2_decay an update, whatever the batch.
# What happens: the penalty's gradient is added to the batch's summed gradient and divided with it: the factor is
#   1 - learning_rate * l2_decay / batch_size. With both 0.1: 0.99, 0.9801, 0.970299 at batch 1, but 0.999, 0.998001,
#   0.997002999 at batch 10. The biases are exempt. The logged l2_decay_loss is not divided: l2_decay * sum(w^2) / 2.
# Why it matters: the L2 that acts is l2_decay / batch_size. A best l2_decay found at one batch size is wrong by their
#   ratio at another, and too weak by the batch size in any other framework.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund convnetjs@0.3.0
cat >decay.js <<'JS'
const convnetjs = require("convnetjs");

/** The first weight after each of three updates, from 1, with a data gradient of 0. */
function decay(batchSize) {
  const net = new convnetjs.Net();
  net.makeLayers([{type: "input", out_sx: 1, out_sy: 1, out_depth: 2}, {type: "regression", num_neurons: 1}]);
  const layer = net.layers.find((candidate) => candidate.layer_type === "fc");
  layer.filters[0].w.fill(1);
  layer.biases.w[0] = 1;
  const trainer = new convnetjs.Trainer(net,
    {method: "sgd", learning_rate: 0.1, momentum: 0, l2_decay: 0.1, batch_size: batchSize});
  const seen = [];
  for (let example = 1; example <= 3 * batchSize; example++) {
    trainer.train(new convnetjs.Vol(1, 1, 2, 0), [1]);
    if (example % batchSize === 0) seen.push(layer.filters[0].w[0]);
  }
  console.log(`batch ${batchSize}: weight ${seen.join(", ")}, bias ${layer.biases.w[0]}`);
  if (layer.biases.w[0] !== 1) throw new Error("changed: biases are decayed");
  return seen;
}

for (const batchSize of [1, 10, 32]) {
  const expected = Math.pow(1 - 0.1 * 0.1 / batchSize, 3);
  if (Math.abs(decay(batchSize)[2] - expected) > 1e-12) {
    throw new Error("changed: l2_decay is no longer divided by the batch size");
  }
}
JS
node decay.js
echo "seen: l2_decay acts divided by the batch size"
