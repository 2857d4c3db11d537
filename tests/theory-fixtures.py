"""Makes core/tests/fixtures/kernels.json (by neural-tangents) and flow.json (by mpmath), which core's tests compare with.

    pip install "jax==0.4.28" "jaxlib==0.4.28" "neural-tangents==0.6.5" "numpy<2" "scipy<1.13" "mpmath==1.3.0"
    python3 tests/theory-fixtures.py
"""

import json
import pathlib

import jax

jax.config.update("jax_enable_x64", True)

import mpmath
import numpy as np
from neural_tangents import stax

FIXTURES = pathlib.Path(__file__).parent.parent / "core/tests/fixtures"
ACTIVATIONS = {
    "relu": stax.Relu(),
    "leaky-relu": stax.LeakyRelu(0.2),
    "erf": stax.Erf(),
    "linear": stax.Identity(),
}


def kernels():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(5, 7))
    rows[3] = rows[1]  # equal inputs: a singular kernel
    rows[4] = -2 * rows[0]  # opposite ones
    columns = rng.normal(size=(3, 7)) * 3
    dense = []
    for name, activation in ACTIVATIONS.items():
        for depth, w_std, b_std, parameterization, width in [
            (1, 1.3, 0.4, "ntk", 1),
            (2, 1.0, None, "ntk", 1),
            (4, 2**0.5, None, "ntk", 1),
            (3, 1.5, 0.3, "ntk", 1),
            (3, 1.5, 0.3, "standard", 32),
            (3, 1.5, None, "standard", 32),
            (2, 1.2, 0.0, "standard", 16),
        ]:
            def layer(units):
                return stax.Dense(units, W_std=w_std, b_std=b_std, parameterization=parameterization)

            layers = [x for _ in range(depth - 1) for x in (layer(width), activation)] + [layer(1)]
            _, _, kernel = stax.serial(*layers)
            for kind in ("nngp", "ntk"):
                dense.append(
                    dict(
                        activation=name, depth=depth, w_std=w_std, b_std=b_std, parameterization=parameterization,
                        width=width, kind=kind,
                        among=np.asarray(kernel(rows, None, kind)).tolist(),
                        between=np.asarray(kernel(rows, columns, kind)).tolist(),
                    )
                )
    images = rng.normal(size=(3, 5, 4, 2))
    others = rng.normal(size=(2, 5, 4, 2))
    conv = []
    for name in ("relu", "erf"):
        for readout, depth, w_std, b_std, parameterization, width in [
            (r, *rest)
            for r in ("flatten", "pool")
            for rest in [(2, 2**0.5, None, "ntk", 1), (4, 1.4, 0.2, "ntk", 1), (3, 1.4, 0.2, "standard", 8)]
        ]:
            args = dict(W_std=w_std, b_std=b_std, parameterization=parameterization)
            blocks = [
                x for _ in range(depth - 1) for x in (stax.Conv(width, (3, 3), padding="SAME", **args), ACTIVATIONS[name])
            ]
            read = stax.Flatten() if readout == "flatten" else stax.GlobalAvgPool()
            _, _, kernel = stax.serial(*blocks, read, stax.Dense(1, **args))
            for kind in ("nngp", "ntk"):
                conv.append(
                    dict(
                        activation=name, readout=readout, depth=depth, w_std=w_std, b_std=b_std,
                        parameterization=parameterization, width=width, kind=kind,
                        among=np.asarray(kernel(images, None, kind)).tolist(),
                        between=np.asarray(kernel(images, others, kind)).tolist(),
                    )
                )
    return dict(
        rows=rows.tolist(), columns=columns.tolist(), dense=dense, images=images.tolist(), others=others.tolist(), conv=conv
    )


def flow():
    """Theorem 2 by the exponential integral to 80 digits, checked against its own integral where that is easy."""
    mpmath.mp.dps = 80
    mp = mpmath.mpf

    def attractor(p, x):
        """x e^x E_{1−p}(x), by the incomplete gamma function or, where that would take long, its continued fraction."""
        if x < 100:
            return x ** (1 - p) * mpmath.exp(x) * mpmath.gammainc(p, x)
        fraction = x
        for j in range(200, 0, -1):
            fraction = x + (j - p) / (1 + j / fraction)
        return x / fraction

    def responses(k, lam, gamma, t):
        k, lam, gamma, t = mp(k), mp(lam), mp(gamma), mp(t)
        mu = 2 * (k - 1) * lam
        p = (k - 2) / (2 * (k - 1))
        z, u = gamma / mu, mpmath.exp(-mu * t)
        initial = mpmath.exp(-k * lam * t - z * (1 - u))
        return initial, attractor(p, z * u) - initial * attractor(p, z)

    def by_quadrature(k, lam, gamma, t):
        k, lam, gamma, t = mp(k), mp(lam), mp(gamma), mp(t)
        mu = 2 * (k - 1) * lam
        at = lambda s: gamma * mpmath.exp(-mu * s)
        f = lambda s: mpmath.exp(-(k - 2) * lam * s + (at(t) - at(s)) / mu)
        return gamma * mpmath.exp(-k * lam * t) * mpmath.quad(f, mpmath.linspace(0, t, 20))

    for case in [(2, 0.3, 1, 2), (3, 0.1, 2, 5), (5, 0.01, 0.2, 30)]:
        assert abs(responses(*case)[1] / by_quadrature(*case) - 1) < mp(10) ** -30
    cases = []
    for k in (2, 3, 5):
        for ratio in range(-12, 13, 2):
            lam, gamma = 10.0 ** (-ratio / 2), 10.0 ** (ratio / 2)
            mu = 2 * (k - 1) * lam
            # Around learning, at λt ~ 1, and late.
            times = {1e-6 / gamma, 0.01 / gamma, 0.9 / gamma, 3 / gamma, 30 / gamma}
            times |= {1e-3 / lam, 0.1 / lam, 0.5 / lam, 1.7 / lam, 10 / lam, 60 / lam}
            # And on both sides of where the series takes over.
            z = gamma / mu
            if z > 0.07:
                times |= {-float(np.log1p(-e / z)) / mu for e in (0.0624, 0.0626)}
            # Beyond this all is 0 in double precision.
            for t in sorted(t for t in times if k * lam * t < 600):
                initial, target = responses(k, lam, gamma, t)
                cases.append([k, lam, gamma, t, float(initial), float(target)])
    return cases


if __name__ == "__main__":
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / "kernels.json").write_text(json.dumps(kernels()) + "\n")
    (FIXTURES / "flow.json").write_text(json.dumps(flow()) + "\n")
