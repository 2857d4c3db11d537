#!/usr/bin/env bash
# vowpalwabbit 9.11.9: training goes on from a saved model (-i).
# Guess: as the model file brings back --sgd, --power_t, --noconstant and the learning rate, it brings --l2 back too.
# What happens: --l2 is not among the options in the file. A model trained with --l2 0.1 to its fixed point 0.9524
#   goes to 0.9998 in the next 200 examples when it is loaded with -i alone, and stays at 0.9524 with -i and --l2 0.1;
#   no message either way.
# Why it matters: a run that was resumed, or a warm start from a tuned model, trains without weight decay from then on.
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

def train(options, save=None):
    model = vowpalwabbit.Workspace(options + " --quiet")
    for _ in range(200):
        model.learn("1 | a:1")
    prediction = model.predict("| a:1")
    if save:
        model.save(save)
    model.finish()
    return prediction

first = train("--sgd --power_t 0 -l 0.1 --l2 0.1 --noconstant --readable_model model.txt", "model.vw")
kept = re.search(r"options:(.*)", open("model.txt").read()).group(1).strip()
resumed = train("-i model.vw")
named = train("-i model.vw --l2 0.1")
print("options in the file:", kept)
print(f"trained {first:.4f}, resumed {resumed:.4f}, resumed with --l2 0.1 named again {named:.4f}")
if "--l2" in kept or abs(first - 1 / 1.05) > 1e-4 or abs(named - first) > 1e-4 or resumed < 0.999:
    sys.exit("changed: a saved model now brings its --l2 back")
PY
echo "seen: a resumed model trains without its L2"
