//! AutoL2 in a training loop of one's own, here a network of one hidden layer in plain Burn:
//! `cargo run --release -p l2lab-core --example autol2`. The three lines are marked.

use std::error::Error;

use burn::tensor::{
    Device, Distribution, Tensor, TensorData,
    activation::{log_softmax, relu},
};
use l2lab_core::{
    data::embedded,
    train::{AutoL2, LambdaSchedule, Probe, Progress},
};

const LR: f64 = 0.1;
const MOMENTUM: f64 = 0.9;
const STEPS: u64 = 600;

fn main() -> Result<(), Box<dyn Error>> {
    let data = embedded()?;
    let device = Device::flex();
    let [images, targets] = [
        TensorData::new(data.train.normalized(data.train.mean_std()), [data.train.len(), data.train.image_size()]),
        one_hot(data.train.labels(), data.train.classes().len()),
    ]
    .map(|values| Tensor::<2>::from_data(values, &device));
    let weight = |rows: usize, columns: usize| {
        let scale = (2.0 / rows as f64).sqrt();
        Tensor::<2>::random([rows, columns], Distribution::Normal(0.0, scale), &device)
    };
    let mut params = [weight(data.train.image_size(), 128), weight(128, data.train.classes().len())];
    let mut velocities = params.each_ref().map(Tensor::zeros_like);

    // 1: λ starts at 0.1.
    let (mut autol2, mut progress) = (AutoL2::new(0.1), Progress::new(STEPS));
    for step in 0..STEPS {
        let tracked = params.map(|p| p.autodiff().require_grad());
        let logits = relu(images.clone().autodiff().matmul(tracked[0].clone())).matmul(tracked[1].clone());
        let loss = (log_softmax(logits, 1) * targets.clone().autodiff()).sum_dim(1).mean().neg();
        let mut grads = loss.backward();
        // 2: λ of this step, as weight decay.
        let lambda = autol2.lambda(&progress);
        let mut updated = Vec::with_capacity(2);
        for (theta, velocity) in tracked.into_iter().zip(&mut velocities) {
            let grad = theta.grad_remove(&mut grads).ok_or("a parameter without a gradient")?;
            let theta = theta.inner();
            *velocity = velocity.clone().mul_scalar(MOMENTUM) + grad + theta.clone().mul_scalar(lambda);
            updated.push(theta - velocity.clone().mul_scalar(LR));
        }
        params = updated.try_into().map_err(|_| "two parameters")?;
        progress.tick(LR / (1.0 - MOMENTUM), lambda);
        if step % 10 == 9 {
            let loss = f64::from(loss.inner().into_scalar::<f32>());
            // 3: what it watches, the loss without L2.
            autol2.observe(&progress, Probe { loss, accuracy: 0.0 });
            if autol2.lambda(&progress) != lambda {
                println!("step {:>4}, τ = {:.2}: loss {loss:.4}, λ = {:.0e}", step + 1, progress.tau, autol2.lambda);
            }
        }
    }
    Ok(())
}

fn one_hot(labels: &[u8], classes: usize) -> TensorData {
    let mut values = vec![0.0_f32; labels.len() * classes];
    for (row, &label) in values.chunks_exact_mut(classes).zip(labels) {
        row[usize::from(label)] = 1.0;
    }
    TensorData::new(values, [labels.len(), classes])
}
