#!/usr/bin/env bash
# statsmodels 0.15.0 (numpy 2.4.6): ridge by GLM(...).fit_regularized(alpha, L1_wt=0), Gaussian family.
# Guess: the same estimate as OLS(...).fit_regularized(alpha, L1_wt=0), namely ridge with penalty n*alpha,
#   since the documented objective is -loglike/n + alpha * (...); and y times 10 gives coefficients times 10.
# What happens: the Gaussian log-likelihood that is used has its variance profiled out, so that the penalty is
#   about alpha * (residual sum of squares at the solution). The answer hangs on the unit of y and collapses, without a word:
#   y x 1: GLM [1.757, -0.790], OLS [1.763, -0.793]; y x 10, divided by 10: GLM [0.035, -0.015], OLS [1.763, -0.793].
#   An L1_wt of 1e-9 instead of 0 takes another code path and gives OLS's answer.
# Why it matters: an alpha chosen with one of the two classes, or after rescaling targets, is another penalty by
#   orders of magnitude in the other, although both are called ridge with the same alpha.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
"$dir/venv/bin/python" - <<'PY'
import sys
import numpy as np
import statsmodels.api as sm

rng = np.random.default_rng(0)
n, alpha = 200, 0.1
x = rng.normal(size=(n, 2))
target = x @ [2.0, -1.0] + rng.normal(size=n)
ridge = np.linalg.solve(x.T @ x + n * alpha * np.eye(2), x.T @ target)

def fit(model, unit, l1_weight):
    return model(target * unit, x).fit_regularized(alpha=alpha, L1_wt=l1_weight).params / unit

print("closed form, penalty n*alpha:", ridge.round(4))
seen = {}
for unit in (1, 10, 100):
    seen[unit] = fit(sm.GLM, unit, 0)
    print(f"y x {unit:3}: GLM L1_wt=0 {seen[unit].round(4)}  GLM L1_wt=1e-9 {fit(sm.GLM, unit, 1e-9).round(4)}"
          f"  OLS {fit(sm.OLS, unit, 0).round(4)}")
    if not np.allclose(fit(sm.OLS, unit, 0), ridge, rtol=1e-6):
        sys.exit("changed: OLS.fit_regularized is no longer ridge with penalty n*alpha")
    if not np.allclose(fit(sm.GLM, unit, 1e-9), ridge, rtol=1e-4):
        sys.exit("changed: GLM with a tiny L1_wt no longer agrees with OLS")

rss = ((10 * (target - x @ seen[10])) ** 2).sum()
implied = np.linalg.solve(x.T @ x + alpha * rss * np.eye(2), x.T @ target)
print("closed form, penalty alpha*RSS, y x 10:", implied.round(4))
if np.abs(seen[10] / seen[1]).max() > 0.05 or not np.allclose(seen[10], implied, rtol=0.03):
    sys.exit("changed: GLM's ridge no longer penalizes by alpha times the residual sum of squares")
PY
echo "seen: the Gaussian GLM's ridge depends on the unit of y"
