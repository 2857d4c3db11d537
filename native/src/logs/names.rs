//! Which column is what: by the names that people give them, in a fixed order, or as the user says.

use anyhow::{Result, bail};
use l2lab_core::experiment::ExperimentError;

use super::{Format, Table, tensorboard};

/// The columns that a user names.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// `--step-column`.
    pub step: Option<String>,
    /// `--epoch-column`.
    pub epoch: Option<String>,
    /// `--accuracy-column`.
    pub accuracy: Option<String>,
    /// `--loss-column`.
    pub loss: Option<String>,
}

/// A column that was found.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Its place in the table.
    pub index: usize,
    /// It is an error rate: accuracy is 1 minus it.
    pub is_error: bool,
    /// What it was taken for, and instead of what, in a sentence.
    pub note: String,
}

/// A table's columns by what they are.
#[derive(Debug, Default)]
pub struct Columns {
    /// Optimizer steps.
    pub step: Option<usize>,
    /// Epochs.
    pub epoch: Option<usize>,
    /// Test accuracy or error.
    pub accuracy: Option<Chosen>,
    /// Test loss.
    pub loss: Option<Chosen>,
    /// Learning rate.
    pub lr: Option<usize>,
    /// L2 coefficient.
    pub lambda: Option<usize>,
    /// Momentum.
    pub momentum: Option<usize>,
    /// Seed.
    pub seed: Option<usize>,
    /// What tells runs of one file apart.
    pub run: Option<usize>,
    /// How time was found, in sentences.
    pub notes: Vec<String>,
}

const STEP: &[&str] = &[
    "step",
    "global_step",
    "trainer_global_step",
    "train_global_step",
    "train_step",
    "steps",
    "iteration",
    "iterations",
    "iter",
    "iters",
    "n_iter",
    "num_updates",
    "updates",
    "update",
    "batch",
    "batches",
];
/// Counts calls of `wandb.log`, which may be steps: better than nothing.
const WANDB_STEP: &str = "_step";
const EPOCH: &[&str] = &["epoch", "epochs", "train_epoch", "current_epoch", "ep"];
const LR: &[&str] = &[
    "lr",
    "learning_rate",
    "train_lr",
    "train_learning_rate",
    "opt_lr",
    "optimizer_lr",
    "lr_sgd",
    "lr_adamw",
    "lr_adam",
    "lr_pg1",
    "lr_pg_0",
    "lr_group_0",
    "lr_0",
];
const LAMBDA: &[&str] = &["lambda", "weight_decay", "wd", "l2"];

/// Words for the examples that were not trained on, the best first.
const SPLITS: [&[&str]; 3] =
    [&["test", "tst"], &["val", "valid", "validation", "dev", "heldout", "holdout"], &["eval", "evaluation"]];
const ACCURACY: &[&str] = &["accuracy", "acc", "acc1", "top1", "prec1"];
const ERROR: &[&str] = &["error", "err", "err1", "error1"];
const LOSS: &[&str] = &["loss", "nll", "xent", "crossentropy", "entropy", "ce"];
/// Words of what is something else: of training, of other tasks, or no value at its own time.
const NOT: &[&str] = &[
    "train",
    "training",
    "tr",
    "top5",
    "acc5",
    "err5",
    "prec5",
    "best",
    "max",
    "min",
    "std",
    "stderr",
    "var",
    "time",
    "reg",
    "regularization",
    "l2",
    "penalty",
    "squared",
    "absolute",
    "lr",
];

/// The words of a name in small letters: `valAcc`, `val/acc` and `Val-Acc` are `val`, `acc`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (small && c.is_uppercase()) {
            words.push(String::new());
        }
        small = c.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    // "acc@1" and "Top-1" are acc1 and top1.
    let mut joined: Vec<String> = Vec::new();
    for word in words {
        match joined.last_mut().filter(|last| ["acc", "top", "prec", "err", "error"].contains(&last.as_str())) {
            Some(last) if word.chars().all(|c| c.is_ascii_digit()) => last.push_str(&word),
            _ => joined.push(word),
        }
    }
    joined
}

fn plain(name: &str) -> String {
    words(name).join("_")
}

/// How good a candidate a column is: split, kind, words that say something else. Less is better.
type Rank = (usize, usize, usize);

/// Rank of a column that is `kinds` of held-out examples by its name, and whether it is of the second kind.
fn rank(name: &str, kinds: [&[&str]; 2]) -> Option<(Rank, bool)> {
    let words = words(name);
    let has = |list: &[&str]| words.iter().position(|w| list.contains(&w.as_str()));
    if has(NOT).is_some() {
        return None;
    }
    let split = SPLITS.iter().position(|split| has(split).is_some());
    // An error of accuracy ("top1_error") is an error.
    let second = has(kinds[1]).is_some();
    let kind = if second { kinds[1] } else { kinds[0] };
    let kind_at = |w: &String| kind.iter().position(|k| k == w);
    let kind_rank = words.iter().find_map(kind_at)? + if second { kinds[0].len() } else { 0 };
    let others = words.len() - 1 - usize::from(split.is_some());
    Some(((split.unwrap_or(SPLITS.len()), kind_rank, others), second))
}

impl Columns {
    /// Of a table: what the user wants, else the best guess.
    ///
    /// # Errors
    /// When the table has not what the user names, or nothing that tells the time.
    pub fn of(table: &Table, wanted: &Wanted) -> Result<Self> {
        let named = |field: &'static str, name: &Option<String>| -> Result<Option<usize>> {
            let Some(name) = name else { return Ok(None) };
            let mut alike = (0..table.columns.len()).filter(|&i| plain(&table.columns[i].name) == plain(name));
            let exact = table.columns.iter().position(|c| c.name == *name);
            match (exact, alike.next(), alike.next()) {
                (Some(i), ..) | (None, Some(i), None) => Ok(Some(i)),
                _ => Err(refused(field, name, format!("one of the log's columns: {}", table.names()))),
            }
        };
        let one_of = |list: &[&str]| {
            let place = |name: &str| table.columns.iter().position(|c| c.name != WANDB_STEP && plain(&c.name) == name);
            list.iter().find_map(|name| place(name))
        };
        let wanted_step = named("step-column", &wanted.step)?;
        let wanted_epoch = named("epoch-column", &wanted.epoch)?;
        let mut found = Self {
            // Who names the epochs alone wants them for the clock.
            step: wanted_step.or_else(|| one_of(STEP).filter(|_| wanted_epoch.is_none())),
            epoch: wanted_epoch.or_else(|| one_of(EPOCH)).filter(|&i| wanted_step != Some(i)),
            lr: one_of(LR),
            lambda: one_of(LAMBDA),
            momentum: one_of(&["momentum"]),
            seed: one_of(&["seed"]),
            run: one_of(&["run"]),
            ..Self::default()
        };
        let time = [found.step, found.epoch];
        let is_time = |i: usize| time.contains(&Some(i));
        found.accuracy = match named("accuracy-column", &wanted.accuracy)? {
            Some(index) => {
                let is_error = words(&table.columns[index].name).iter().any(|w| ERROR.contains(&w.as_str()));
                Some(Chosen {
                    index,
                    is_error,
                    note: format!("test accuracy is column '{}'", table.columns[index].name),
                })
            }
            None => guess(table, [ACCURACY, ERROR], "test accuracy", "--accuracy-column", is_time).map(|(c, _)| c),
        };
        if let Some(accuracy) = found.accuracy.as_mut().filter(|c| c.is_error) {
            accuracy.note += "; it is an error by its name, so accuracy is 1 minus it";
        }
        found.loss = match named("loss-column", &wanted.loss)? {
            Some(index) => {
                let note = format!("test loss is column '{}'", table.columns[index].name);
                Some(Chosen { index, is_error: false, note })
            }
            // Without a word of held-out examples, a loss is training's as a rule.
            None => guess(table, [LOSS, &[]], "test loss", "--loss-column", is_time)
                .filter(|(_, is_held_out)| *is_held_out)
                .map(|(c, _)| c),
        };
        if table.format == Format::TensorBoard {
            found.by_events(table, [wanted_step, wanted_epoch])?;
        } else if let Some(i) = found.step.filter(|_| wanted_step.is_none()) {
            found.notes.push(format!("optimizer steps are column '{}'", table.columns[i].name));
        } else if let Some(i) = found.epoch.filter(|_| found.step.is_none()) {
            if wanted_epoch.is_none() {
                found.notes.push(format!("epochs are column '{}'", table.columns[i].name));
            }
        } else if found.step.is_none() {
            found.step = table.columns.iter().position(|c| c.name == WANDB_STEP);
            let note = "column '_step', which counts calls of wandb.log, is taken to count optimizer steps";
            found.notes.push(note.into());
        }
        if found.step.is_none() && found.epoch.is_none() {
            bail!(
                "no column has a name known for steps or epochs; --step-column or --epoch-column chooses one of: {}",
                table.names()
            );
        }
        Ok(found)
    }

    /// Time in event files is the events' own step: scalars are in events apart from each other.
    fn by_events(&mut self, table: &Table, wanted: [Option<usize>; 2]) -> Result<()> {
        let events = table.columns.iter().position(|c| c.name == tensorboard::STEP);
        if let Some(i) = wanted[0].filter(|_| wanted[0] != events) {
            let allowed = format!("events are timed by their own '{}'", tensorboard::STEP);
            return Err(refused("step-column", &table.columns[i].name, allowed));
        }
        (self.run, self.seed) = (None, None);
        let metric = self.accuracy.as_ref().or(self.loss.as_ref());
        // Keras' callback writes its epoch_… scalars once an epoch, the events' step being the epoch.
        let of_keras = metric.is_some_and(|c| table.columns[c.index].name.starts_with("epoch_"));
        if wanted[1].is_some() && wanted[1] == events {
            self.step = None;
        } else if of_keras && wanted == [None, None] {
            (self.step, self.epoch) = (None, events);
            self.notes.push("the events' step is taken to count epochs, as it does in Keras' epoch_… scalars".into());
        } else {
            self.step = events;
            let note = "the events' step is taken to count optimizer steps (--epoch-column step if it counts epochs)";
            self.notes.push(note.into());
        }
        Ok(())
    }
}

fn refused(field: &'static str, value: &str, allowed: String) -> anyhow::Error {
    ExperimentError::Value { field, value: value.to_owned(), allowed }.into()
}

/// The best column by name that has values, and whether its name says that it is of held-out examples.
fn guess(
    table: &Table,
    kinds: [&[&str]; 2],
    what: &str,
    flag: &str,
    is_time: impl Fn(usize) -> bool,
) -> Option<(Chosen, bool)> {
    let mut candidates: Vec<(Rank, usize, bool)> = Vec::new();
    for (i, column) in table.columns.iter().enumerate().filter(|(i, c)| !c.cells.is_empty() && !is_time(*i)) {
        candidates.extend(rank(&column.name, kinds).map(|(rank, is_error)| (rank, i, is_error)));
    }
    candidates.sort_unstable();
    let &((split, ..), index, is_error) = candidates.first()?;
    let others = candidates[1..].iter().map(|(_, i, _)| format!("'{}'", table.columns[*i].name));
    let others = others.take(8).collect::<Vec<_>>().join(", ");
    let others = if others.is_empty() { others } else { format!(", and not {others} ({flag} chooses)") };
    let is_held_out = split < SPLITS.len();
    let doubt = if is_held_out { "" } else { "; its name does not say test: if it is of training, t_* means nothing" };
    let note = format!("{what} is column '{}'{others}{doubt}", table.columns[index].name);
    Some((Chosen { index, is_error, note }, is_held_out))
}
