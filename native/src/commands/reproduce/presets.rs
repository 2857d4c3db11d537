//! The experiments that figures share, at each scale.

use l2lab_core::{
    Experiment,
    model::{ModelKind, Normalization, Readout, Shortcut},
};

use super::Preset;

/// What the figures of a Wide ResNet have in the paper.
pub const PAPER: &str = "a Wide ResNet 28-10 on CIFAR-10";

/// The authors' Wide ResNet: η = 0.2 and L2 = 5e-4 of their code are 0.02 and 0.01 here, since their cross-entropy is averaged
/// over the ten classes and their L2 has no ½.
pub fn authors() -> Experiment {
    Experiment {
        data: "cifar10".into(),
        train: 0,
        test: 0,
        model: ModelKind::Wrn,
        depth: 28,
        width: 10,
        shortcut: Shortcut::Three,
        normalization: Normalization::Batch,
        batch: 1024,
        flip: true,
        crop: 4,
        mixup: 1.0,
        lr: vec![0.02].into(),
        momentum: 0.9,
        lambda: vec![0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005].into(),
        epochs: Some(200.0),
        // One decides nothing: it has no interval.
        seeds: 3,
        ..Experiment::default()
    }
}

/// A CNN with batch normalization, and as many images of CIFAR-10 as it fits.
pub fn cnn() -> Experiment {
    Experiment {
        data: "cifar10".into(),
        train: 2000,
        model: ModelKind::Cnn,
        batch_norm: true,
        depth: 3,
        width: 8,
        readout: Readout::Flatten,
        lr: vec![0.02].into(),
        momentum: 0.9,
        lambda: vec![0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.0005].into(),
        epochs: Some(60.0),
        ..Experiment::default()
    }
}

/// Either, as figures of one η and one length have them.
pub fn of(preset: Preset) -> Experiment {
    match preset {
        Preset::Full => authors(),
        Preset::Mini => Experiment { lambda: vec![0.1, 0.03, 0.01, 0.002, 0.0005].into(), ..cnn() },
        Preset::Standard => Experiment { seeds: 8, ..cnn() },
        Preset::Smoke => {
            let lambda = vec![0.1, 0.03, 0.01].into();
            Experiment { train: 256, test: 100, width: 4, batch: 32, epochs: Some(3.0), seeds: 2, lambda, ..cnn() }
        }
    }
}

/// A Wide ResNet under plain SGD, without augmentation, over λ and η.
pub fn plain_wide_resnet(preset: Preset) -> Experiment {
    let full = Experiment {
        flip: false,
        crop: 0,
        mixup: 0.0,
        momentum: 0.0,
        lambda: vec![0.02, 0.01, 0.005].into(),
        lr: vec![0.02, 0.04, 0.08].into(),
        epochs: None,
        // 0.1 epochs of 48 steps.
        tau: Some(4.8),
        ..authors()
    };
    let mini = Experiment {
        train: 500,
        test: 500,
        depth: 10,
        width: 1,
        normalization: Normalization::Running,
        batch: 25,
        lambda: vec![0.04, 0.02, 0.01].into(),
        lr: vec![0.2, 0.4].into(),
        tau: Some(2.0),
        seeds: 3,
        ..full.clone()
    };
    match preset {
        Preset::Full => full,
        Preset::Mini => mini,
        Preset::Standard => Experiment { lambda: full.lambda.clone(), seeds: 8, ..mini },
        Preset::Smoke => {
            Experiment { train: 32, test: 20, batch: 8, lambda: vec![0.8, 0.4, 0.2].into(), seeds: 2, ..mini }
        }
    }
}

/// The paper's network, narrower, with its data and its plain SGD.
pub fn fully_connected(preset: Preset) -> Experiment {
    let mini = Experiment {
        data: "mnist".into(),
        test: 2000,
        width: 128,
        lambda: vec![0.3, 0.1, 0.03, 0.01].into(),
        lr: vec![0.05, 0.1, 0.2].into(),
        tau: Some(2.0),
        seeds: 5,
        ..Experiment::default()
    };
    match preset {
        Preset::Mini => mini,
        Preset::Standard => Experiment { lambda: vec![0.1, 0.03, 0.01, 0.003].into(), seeds: 10, ..mini },
        // Weights that start large, so that there is something to time.
        Preset::Smoke => Experiment {
            data: mini.data,
            train: 256,
            test: 300,
            width: 16,
            lambda: vec![0.2, 0.1, 0.05].into(),
            lr: vec![0.05, 0.1].into(),
            seeds: 2,
            ..Experiment::large_start()
        },
        Preset::Full => Experiment {
            test: 0,
            width: 512,
            lambda: vec![0.1, 0.03, 0.01, 0.003, 0.001, 0.0003].into(),
            lr: vec![0.025, 0.05, 0.1, 0.2].into(),
            ..mini
        },
    }
}

/// Two layers whose weights start large, where the law is plain: over λ at one η.
pub fn large_start(preset: Preset) -> Experiment {
    let mini = Experiment {
        data: "mnist".into(),
        test: 2000,
        lr: vec![0.05].into(),
        lambda: vec![0.2, 0.14, 0.1, 0.05].into(),
        tau: Some(6.0),
        ..Experiment::large_start()
    };
    match preset {
        Preset::Mini => mini,
        Preset::Standard => Experiment { lambda: vec![0.2, 0.1, 0.05, 0.02].into(), seeds: 10, ..mini },
        Preset::Smoke => Experiment {
            train: 64,
            test: 100,
            width: 8,
            batch: 32,
            lambda: vec![1.0, 0.5, 0.25].into(),
            tau: Some(3.0),
            seeds: 2,
            ..mini
        },
        Preset::Full => {
            Experiment { test: 0, width: 512, lambda: vec![0.2, 0.1, 0.05, 0.02, 0.01].into(), seeds: 10, ..mini }
        }
    }
}

/// The CNN that stands beside an experiment's fully connected network: two convolutions of eight channels.
pub fn small_cnn(e: &Experiment) -> Experiment {
    Experiment { model: ModelKind::Cnn, depth: 2, width: 8, readout: Readout::Flatten, batch: 32, ..e.clone() }
}
