"""Times the theory's kernel and eigendecomposition in neural-tangents and numpy beside `l2lab bench theory`, in turn, on this
machine, and prints the ratios.

    pip install "jax==0.4.28" "jaxlib==0.4.28" "neural-tangents==0.6.5" "numpy<2" "scipy<1.13"
    cargo build --release && python3 tests/bench-theory.py [rounds]
"""

import json
import pathlib
import statistics
import subprocess
import sys
import time

import jax
import neural_tangents as nt
import numpy as np
from neural_tangents import stax

ROOT = pathlib.Path(__file__).parent.parent
L2LAB = ROOT / "target/release/l2lab"


def median(work, samples):
    work()
    seconds = []
    for _ in range(samples):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def peers(n):
    # Float32 is what neural-tangents computes in unless told otherwise: half the work of ours.
    x = jax.random.normal(jax.random.PRNGKey(0), (n, 784))
    y = jax.random.normal(jax.random.PRNGKey(1), (n, 10))
    layers = [layer for _ in range(3) for layer in (stax.Dense(1, W_std=2**0.5), stax.Relu())]
    _, _, kernel_fn = stax.serial(*layers, stax.Dense(1, W_std=2**0.5))
    kernel_fn = jax.jit(kernel_fn, static_argnums=2)
    kernel = np.asarray(kernel_fn(x, None, "ntk").block_until_ready(), dtype=np.float64)
    times = np.geomspace(1e-2, 1e6, 100)

    def one_setting():
        predict = nt.predict.gradient_descent_mse(kernel, y)
        np.asarray(predict(times))

    return dict(
        kernel_seconds=median(lambda: kernel_fn(x, None, "ntk").block_until_ready(), 3),
        eigen_seconds=median(lambda: np.linalg.eigh(kernel), 3),
        one_setting_seconds=median(one_setting, 1),
    )


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print("n      round  what                  peer s   l2lab s  l2lab/peer")
    for round in range(rounds):
        out = subprocess.run([L2LAB, "bench", "theory", "--json"], check=True, capture_output=True, text=True).stdout
        ours = {row["examples"]: row for row in json.loads(out)["bench"]}
        for n, own in ours.items():
            theirs = peers(n)
            for what, key in [("kernel", "kernel_seconds"), ("eigendecomposition", "eigen_seconds")]:
                print(f"{n:<6} {round:<6} {what:<20} {theirs[key]:8.3f} {own[key]:9.3f} {own[key] / theirs[key]:10.2f}")
            # Theirs is one setting at 100 times (with its eigendecomposition); ours 100 values of λ, without.
            print(
                f"{n:<6} {round:<6} {'100 times':<20} {theirs['one_setting_seconds']:8.3f} {own['grid_seconds']:9.3f}"
                f"   (theirs: one setting; ours: 100 λ)"
            )


if __name__ == "__main__":
    main()
