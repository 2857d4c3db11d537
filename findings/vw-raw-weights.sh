#!/usr/bin/env bash
# vowpalwabbit 9.11.9 with --l2: what get_weight_from_name, --readable_model and --invert_hash show.
# Guess: the weights that predict, already decayed.
# What happens: the decay is kept apart as one common factor (l2_state in the text model) and the stored weights are
#   divided by it. After 20 examples with learning rate and l2 0.1 the weight reads 1.154 where the prediction is 0.944
#   (factor 0.818 = 0.99^20); after 2000 it reads 5e8 where the prediction is 0.952.
# Why it matters: a norm or a decay curve taken from these weights grows without bound where the true one settles:
#   multiply by l2_state first.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q vowpalwabbit==9.11.9
cd "$dir"
"$dir/venv/bin/python" - <<'PY'
import re
import sys
import vowpalwabbit

for examples in (20, 200, 2000):
    model = vowpalwabbit.Workspace("--sgd --power_t 0 -l 0.1 --l2 0.1 --noconstant --quiet --readable_model model.txt")
    for _ in range(examples):
        model.learn("1 | a:1")
    weight, prediction = model.get_weight_from_name("a"), model.predict("| a:1")
    model.finish()
    text = open("model.txt").read()
    factor = float(re.search(r"l2_state (\S+)", text).group(1))
    in_text = float(text.split(":")[-1])
    print(f"{examples} examples: weight {weight:.6g}, in the text model {in_text:.6g}, l2_state {factor:.6g}, prediction {prediction:.6g}")
    if abs(factor / 0.99**examples - 1) > 1e-2 or abs(weight * factor / prediction - 1) > 1e-3:
        sys.exit("changed: the weight times l2_state is no longer the prediction")
    if weight / prediction < 1.2 or abs(in_text / weight - 1) > 1e-4:
        sys.exit("changed: the weights shown are now the ones that predict")
PY
echo "seen: the weights shown lack the decay"
