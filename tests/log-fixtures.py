"""Makes tests/fixtures/logs, real logs of other programs, which tests/logs.rs reads.

    pip install tensorflow==2.21.0 keras==3.15.1 tensorboard==2.21.0 && python3 tests/log-fixtures.py keras
    pip install tensorboardX==2.6.5 && python3 tests/log-fixtures.py tensorboardx TRACES.csv

`keras` trains the default network on the embedded images under regularizers.L2(0.05), with Keras' CSVLogger and
TensorBoard callbacks: keras.csv and keras.tfevents, of one run. `tensorboardx` puts a traces.csv, that of
`l2lab train --lambda 0.1 --lr 0.1 --momentum 0.5 --out DIR`, into tensorboardx.tfevents, and keeps it as traces.csv.
"""

import csv
import gzip
import pathlib
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).parent.parent
FIXTURES = ROOT / "tests/fixtures/logs"


def only_file(directory):
    (file,) = [f for f in pathlib.Path(directory).rglob("*tfevents*") if f.is_file()]
    return file


def keras_run():
    import keras
    import numpy as np

    def idx(name, head):
        raw = gzip.open(ROOT / f"core/assets/fashion-mnist-512/{name}-ubyte.gz").read()
        return np.frombuffer(raw, np.uint8, offset=head)

    keras.utils.set_random_seed(0)
    images = [idx(f"{part}-images-idx3", 16).reshape(-1, 784) / 255.0 for part in ["train", "t10k"]]
    labels = [idx(f"{part}-labels-idx1", 8) for part in ["train", "t10k"]]
    mean, std = images[0].mean(), images[0].std()
    x, x_test = [(i - mean) / std for i in images]
    l2 = keras.regularizers.L2(0.05)
    units = [(64, "relu")] * 3 + [(10, None)]
    dense = [
        keras.layers.Dense(n, a, kernel_initializer="he_normal", kernel_regularizer=l2, bias_regularizer=l2) for n, a in units
    ]
    model = keras.Sequential([keras.Input((784,)), *dense])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    with tempfile.TemporaryDirectory() as logs:
        callbacks = [
            keras.callbacks.CSVLogger(FIXTURES / "keras.csv"),
            keras.callbacks.TensorBoard(logs, write_graph=False),
        ]
        model.fit(x, labels[0], 128, 60, verbose=0, callbacks=callbacks, validation_data=(x_test, labels[1]))
        shutil.copy(only_file(f"{logs}/validation"), FIXTURES / "keras.tfevents")


def tensorboardx(traces):
    from tensorboardX import SummaryWriter

    if pathlib.Path(traces).resolve() != (FIXTURES / "traces.csv").resolve():
        shutil.copy(traces, FIXTURES / "traces.csv")
    with tempfile.TemporaryDirectory() as logs:
        with SummaryWriter(logs) as writer:
            for row in csv.DictReader(open(traces)):
                for tag in ["test_accuracy", "test_loss", "train_accuracy", "train_loss"]:
                    split, metric = tag.split("_")
                    writer.add_scalar(f"{metric.capitalize()}/{split}", float(row[tag]), int(row["step"]), walltime=0)
        shutil.copy(only_file(logs), FIXTURES / "tensorboardx.tfevents")


FIXTURES.mkdir(parents=True, exist_ok=True)
match sys.argv[1:]:
    case ["keras"]:
        keras_run()
    case ["tensorboardx", traces]:
        tensorboardx(traces)
    case _:
        sys.exit(__doc__)
