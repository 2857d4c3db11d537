#!/usr/bin/env bash
# mlpack 4.8.0 LinearRegression(lambda_=10) and snapml 1.17.2 LinearRegression(regularizer=10, fit_intercept=True).
# Guess: as in scikit-learn's Ridge(10), whose names they share, the penalty spares the intercept.
# What happens: both penalize the intercept like a slope. For y = 10 + x0 - 2*x1 + 3*x2 + noise, with x2 about 2: Ridge has
#   intercept 12.1 and slopes 0.914, -1.969, 1.963; both others 5.09 and 1.268, -2.022, 5.073 - the slope of x2, which
#   stands in for the intercept, is moved away from 0 by the penalty. They equal Ridge(fit_intercept=False) with a column of ones.
# Why it matters: with targets or features off 0 the same penalty gives another model, and the best penalty for one is not that for
#   the other; centre both before comparing penalties.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q mlpack==4.8.0 snapml==1.17.2 scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$dir/venv/bin/python" -W ignore - <<'PY'
import sys
import mlpack
import numpy as np
import snapml
from sklearn.linear_model import Ridge

rng = np.random.default_rng(0)
n, penalty = 100, 10.0
x = rng.normal(size=(n, 3)) * [1, 2, 0.5] + [1, 0, 2]
y = 10 + x @ [1, -2, 3.0] + 0.5 * rng.normal(size=n)
probes = np.vstack([np.zeros(3), np.eye(3)])

def line(predictions):
    predictions = np.ravel(predictions)
    return np.concatenate([predictions[:1], predictions[1:] - predictions[0]])

ridge = line(Ridge(penalty).fit(x, y).predict(probes))
ones = Ridge(penalty, fit_intercept=False).fit(np.column_stack([np.ones(n), x]), y).coef_
model = mlpack.LinearRegression(lambda_=penalty)
model.fit(x, y)
by_mlpack = line(model.predict(probes))
model = snapml.LinearRegression(regularizer=penalty, fit_intercept=True, normalize=False, tol=1e-10, max_iter=100_000)
by_snapml = line(model.fit(x, y).predict(probes))
for name, found in {"Ridge": ridge, "Ridge on ones": ones, "mlpack": by_mlpack, "snapml": by_snapml}.items():
    print(f"{name:13} intercept {found[0]:.3f}, slopes {found[1:].round(3)}")
if not np.allclose(by_mlpack, ones, atol=1e-4) or not np.allclose(by_snapml, ones, atol=1e-4):
    sys.exit("changed: mlpack or snapml no longer penalizes the intercept")
PY
echo "seen: both penalize the intercept"
