#!/usr/bin/env bash
# vowpalwabbit 9.11.9, --sgd --power_t 0 --noconstant, learning rate 0.1, --l2 0.1: when weights decay.
# Guess: every example multiplies every weight by 1 - lr*l2 = 0.99.
# What happens: only an example that makes an update does (then also weights of features it has not). With squared loss,
#   100 examples of another feature that are predicted exactly leave the weight as it was, 10 that are not multiply it
#   by 0.99^10 = 0.904. With hinge loss the weight stops at 1.0, the margin, for good: 350 more examples change nothing.
# Why it matters: the clock of the decay counts errors, not steps; it slows as training gets better, and the minimum of
#   loss plus penalty is not what comes out. No lr*l2 law holds for it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q vowpalwabbit==9.11.9
"$dir/venv/bin/python" - <<'PY'
import sys
import vowpalwabbit

def trained(loss, examples):
    model = vowpalwabbit.Workspace(f"--sgd --power_t 0 -l 0.1 --l2 0.1 --noconstant --quiet --loss_function {loss}")
    for _ in range(examples):
        model.learn("1 | a:1")
    return model

def effective(model):
    return model.predict("| a:1")

model = trained("squared", 20)
start = effective(model)
for _ in range(100):
    model.learn("0 | b:1")
exact = effective(model) / start
for step in range(10):
    model.learn(f"{5 * (-1) ** step} | b:1")
wrong = effective(model) / start
print(f"squared loss: weight of a x {exact:.4f} after 100 examples of b without error, x {wrong:.4f} after 10 with")
if exact != 1 or abs(wrong - 0.99**10) > 1e-3:
    sys.exit("changed: decay no longer waits for an error")

early, late = (effective(trained("hinge", examples)) for examples in (50, 400))
print(f"hinge loss: {early:.6f} after 50 examples, {late:.6f} after 400; 0.99^350 is {0.99**350:.4f}")
if late != early or late != 1:
    sys.exit("changed: hinge loss no longer stops the decay at the margin")
PY
echo "seen: examples without error do not decay"
