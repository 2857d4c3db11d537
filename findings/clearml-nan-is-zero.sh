#!/usr/bin/env bash
# clearml 2.1.12, offline mode: scalars that are not finite.
# Guess: report_scalar writes NaN or infinity as such, or leaves the point out.
# What happens: both are written as 0.0 in metrics.jsonl (and sent so to a server), with an INFO line on the console the
#   first time only; nothing in the record tells them from a true 0.0. (Logger.set_reporting_nan_value and
#   set_reporting_inf_value choose another number.)
# Why it matters: a diverged run shows a loss of 0.0, so that "lowest loss" picks the worst weight decay; an accuracy
#   of NaN becomes a plausible 0.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q clearml==2.1.12
cd "$dir"
HOME="$dir" "$dir/venv/bin/python" - >"$dir/log" 2>&1 <<'PY' || { tail -3 "$dir/log"; exit 1; }
from clearml import Task

Task.set_offline(True)
task = Task.init(project_name="p", task_name="t", auto_connect_frameworks=False,
                 auto_connect_streams=False, auto_resource_monitoring=False)
for step, loss in enumerate([0.9, float("nan"), float("inf"), 0.5]):
    task.get_logger().report_scalar("loss", "train", loss, step)
task.get_logger().flush(wait=True)
task.close()
PY
grep -o -E "(NaN|inf) value encountered. Reporting it as '[^']*'" "$dir/log" || true
python3 - "$dir"/.clearml/cache/offline/offline-*.zip <<'PY'
import json
import sys
import zipfile

lines = zipfile.ZipFile(sys.argv[1]).read("metrics.jsonl").splitlines()
points = [point for line in lines for point in json.loads(line)]
values = [point["value"] for point in sorted(points, key=lambda point: point["iter"])]
print("logged 0.9, nan, inf, 0.5; written", values)
if values != [0.9, 0.0, 0.0, 0.5]:
    sys.exit("changed: NaN and infinity are no longer written as 0.0")
PY
echo "seen: a NaN or infinite loss is written as 0.0"
