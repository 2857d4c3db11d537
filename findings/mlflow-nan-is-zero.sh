#!/usr/bin/env bash
# mlflow-skinny 3.17.2 with its sqlite store (SQLAlchemy 2.1.9, alembic 1.20.1): metrics that are not finite.
# Guess: a NaN loss is stored as NULL or NaN, an infinite one as infinity, and both come back as they were logged.
# What happens: the table metrics holds 0.0 for NaN (a second column, is_nan, is 1) and 1.7976931348623157e308
#   for infinity (-1.797e308 for minus infinity), with nothing that marks it. MLflow's own client gives NaN back,
#   but the largest double in place of infinity: isinf is false.
# Why it matters: a diverged run read from mlflow.db has a loss of 0.0, the best of all; an average or a logarithm
#   over a run with one infinite loss is a finite number near 1e308.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q mlflow-skinny==3.17.2 sqlalchemy==2.1.9 alembic==1.20.1 pandas==3.1.1
cd "$dir"
"$dir/venv/bin/python" - 2>"$dir/log" <<'PY' || { tail -3 "$dir/log"; exit 1; }
import math
import sqlite3
import sys
import mlflow

mlflow.set_tracking_uri("sqlite:///mlflow.db")
logged = [0.9, float("nan"), float("inf"), -float("inf"), 0.5]
with mlflow.start_run() as run:
    for step, loss in enumerate(logged):
        mlflow.log_metric("loss", loss, step=step)

rows = sqlite3.connect("mlflow.db").execute("select step, value, is_nan from metrics order by step").fetchall()
history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
client = {point.step: point.value for point in history}
print("step  logged  in the table (is_nan)  from the client")
for step, value, is_nan in rows:
    print(f"{step}  {logged[step]}  {value} ({is_nan})  {client[step]}")

largest = sys.float_info.max
if [value for _, value, _ in rows] != [0.9, 0.0, largest, -largest, 0.5]:
    sys.exit("changed: the table holds other values")
if [is_nan for *_, is_nan in rows] != [0, 1, 0, 0, 0]:
    sys.exit("changed: is_nan marks other rows")
if not math.isnan(client[1]) or client[2] != largest:
    sys.exit("changed: the client returns other values")
print("smallest loss by SQL:", min(value for _, value, _ in rows if value > -1))
PY
echo "seen: NaN is 0.0 in the table, infinity is the largest double everywhere"
