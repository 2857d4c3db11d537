#!/usr/bin/env bash
# @tensorflow/tfjs-layers 4.22.0 (tfjs-core and tfjs-backend-cpu 4.22.0): kernelRegularizer and the logged losses.
# Guess: as in Keras, of which it is the port, the L2 penalty is in loss and in val_loss alike.
# What happens: the training loss holds the penalty, val_loss and evaluate() leave it out. A model that fits its data
#   exactly, weights [1, 1], l2 = 0.5, learning rate 0, the same data for both: loss 1, val_loss 0, evaluate 0.
# Why it matters: the gap between the two curves is the penalty, not generalization; and a reader that takes the
#   penalty off both, as for Keras logs, gets a negative validation loss.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-layers@4.22.0 @tensorflow/tfjs-core@4.22.0 \
  @tensorflow/tfjs-backend-cpu@4.22.0
cat >losses.js <<'JS'
const tf = require("@tensorflow/tfjs-core");
require("@tensorflow/tfjs-backend-cpu");
const layers = require("@tensorflow/tfjs-layers");

async function main() {
  await tf.setBackend("cpu");
  const model = layers.sequential({layers: [layers.layers.dense({
    units: 1, inputShape: [2], useBias: false, kernelInitializer: "ones",
    kernelRegularizer: layers.regularizers.l2({l2: 0.5}),
  })]});
  model.compile({optimizer: tf.train.sgd(0), loss: "meanSquaredError"});
  const x = tf.tensor2d([[1, 0], [0, 1], [1, 1], [0, 0]]);
  const y = tf.tensor2d([[1], [1], [2], [0]]);
  const {history} = await model.fit(x, y, {epochs: 1, validationData: [x, y], verbose: 0});
  const evaluated = model.evaluate(x, y).dataSync()[0];
  console.log(`loss ${history.loss[0]}, val_loss ${history.val_loss[0]}, evaluate ${evaluated}`);
  if (history.loss[0] !== 1) throw new Error("changed: loss is no longer data loss plus l2 times the squared norm");
  if (history.val_loss[0] !== 0 || evaluated !== 0) throw new Error("changed: val_loss now holds the penalty");
}

main().catch((error) => { console.error(error.message); process.exit(1); });
JS
node losses.js 2>&1 | grep -v -E '^(=+|Hi, .*|)$' || { echo "failed: the check did not pass" >&2; exit 1; }
echo "seen: the penalty is in loss, and in neither val_loss nor evaluate"
