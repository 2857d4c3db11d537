#!/usr/bin/env bash
# @tensorflow/tfjs-layers 4.22.0 (tfjs-core and tfjs-backend-cpu 4.22.0): regularizers.l1l2({l2: 1e-4}).
# Guess: as in Keras' L1L2(l2=1e-4), what is not named is 0, so that this equals regularizers.l2({l2: 1e-4}).
# What happens: l1 defaults to 0.01 there. For weights [1, 1] with data gradient 0 and learning rate 1 the penalty
#   in the loss is 0.0202 instead of 0.0002, and the weights go to 0.9898 instead of 0.9998.
# Why it matters: a sweep over small l2 through this function is a sweep at a constant L1 up to a hundred times
#   stronger, which pulls weights to 0 at a constant speed; its best "weight decay" says nothing about L2.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-layers@4.22.0 @tensorflow/tfjs-core@4.22.0 \
  @tensorflow/tfjs-backend-cpu@4.22.0
cat >step.js <<'JS'
const tf = require("@tensorflow/tfjs-core");
require("@tensorflow/tfjs-backend-cpu");
const {layers, regularizers, sequential} = require("@tensorflow/tfjs-layers");

async function oneStep(name, kernelRegularizer) {
  const dense = layers.dense({units: 1, inputShape: [2], useBias: false, kernelInitializer: "ones", kernelRegularizer});
  const model = sequential({layers: [dense]});
  model.compile({optimizer: tf.train.sgd(1), loss: "meanSquaredError"});
  const {history} = await model.fit(tf.tensor2d([[0, 0]]), tf.tensor2d([[0]]), {epochs: 1, verbose: 0});
  const weight = model.getWeights()[0].dataSync()[0];
  console.log(`${name}: penalty ${history.loss[0].toFixed(6)}, weight after the step ${weight.toFixed(6)}`);
  return weight;
}

async function main() {
  await tf.setBackend("cpu");
  const plain = await oneStep("l2({l2: 1e-4})", regularizers.l2({l2: 1e-4}));
  const mixed = await oneStep("l1l2({l2: 1e-4})", regularizers.l1l2({l2: 1e-4}));
  const named = await oneStep("l1l2({l1: 0, l2: 1e-4})", regularizers.l1l2({l1: 0, l2: 1e-4}));
  const near = (a, b) => Math.abs(a - b) < 1e-6;
  if (!near(plain, 0.9998) || !near(named, 0.9998)) throw new Error("changed: l2 no longer moves a weight by 2*l2");
  if (!near(mixed, 0.9898)) throw new Error("changed: l1l2 without l1 no longer adds an L1 of 0.01");
}

main().catch((error) => { console.error(error.message); process.exit(1); });
JS
node step.js 2>&1 | grep -v -E '^(=+|Hi, .*|)$' || { echo "failed: the check did not pass" >&2; exit 1; }
echo "seen: l1l2 without l1 adds an L1 of 0.01"
