"""AutoL2 as its authors released it, in plain Python: the recipe of README.md, ready for a training loop of PyTorch's.

    python3 tests/autol2.py        # checks it against tests/autol2-vectors.json
"""

import json
import pathlib


class AutoL2:
    """λ for `weight_decay`. Call `note` every ten steps with loss (without L2) and accuracy on one training minibatch."""

    def __init__(self, weight_decay=0.1, factor=10.0, delay=0.1):
        self.weight_decay, self.factor, self.delay = weight_decay, factor, delay
        self.last_decay = 0
        self.probes = []
        self.best_loss, self.best_accuracy = float("inf"), float("-inf")

    def note(self, step, loss, accuracy):
        """Whether weight_decay fell; give it to the optimizer then, whose velocity stays as it is."""
        self.probes.append((loss, accuracy))
        last_two = self.probes[-2:]
        stalled = len(self.probes) > 2 and (
            all(loss >= self.best_loss for loss, _ in last_two)
            or all(accuracy <= self.best_accuracy for _, accuracy in last_two)
        )
        if stalled and step > self.delay / self.weight_decay + self.last_decay:
            self.weight_decay /= self.factor
            self.last_decay = step
            return True
        if len(self.probes) > 1:
            loss, accuracy = self.probes[-2]
            self.best_loss = min(self.best_loss, loss)
            self.best_accuracy = max(self.best_accuracy, accuracy)
        return False


def main():
    vectors = json.loads((pathlib.Path(__file__).parent / "autol2-vectors.json").read_text())
    for v in vectors:
        autol2 = AutoL2(v.get("lambda0", 0.1), v.get("factor", 10.0), v.get("delay", 0.1))
        decays = [[step, autol2.weight_decay] for step, loss, accuracy in v["log"] if autol2.note(step, loss, accuracy)]
        same = len(decays) == len(v["decays"]) and all(
            a[0] == b[0] and abs(a[1] / b[1] - 1) < 1e-12 for a, b in zip(decays, v["decays"])
        )
        assert same, f"{v['name']}\n{decays}, expected {v['decays']}"
    print(f"{len(vectors)} logs decided as worked out by hand")


if __name__ == "__main__":
    main()
