//! Steps, epochs and regularization time τ.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A length of training in one of the three units.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
pub enum Length {
    /// Optimizer steps.
    Steps(f64),
    /// Passes over the training set.
    Epochs(f64),
    /// Regularization time `τ = η/(1−β)·λ·t`: weight-decay e-folds.
    Tau(f64),
}

impl Length {
    /// The number before the unit.
    #[must_use]
    pub fn amount(self) -> f64 {
        match self {
            Self::Steps(x) | Self::Epochs(x) | Self::Tau(x) => x,
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(x) => write!(f, "{x}"),
            Self::Epochs(x) => write!(f, "{x}ep"),
            Self::Tau(x) => write!(f, "{x}tau"),
        }
    }
}

/// The text is no length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a length is a number of steps, or one with a unit: 5000, 200ep (epochs), 2tau")]
pub struct ParseLengthError;

impl FromStr for Length {
    type Err = ParseLengthError;

    fn from_str(text: &str) -> Result<Self, ParseLengthError> {
        let text = text.trim();
        let (number, unit): (&str, fn(f64) -> Self) = if let Some(n) = text.strip_suffix("tau") {
            (n, Self::Tau)
        } else if let Some(n) = text.strip_suffix("ep") {
            (n, Self::Epochs)
        } else {
            (text, Self::Steps)
        };
        let number = number.trim_end().parse().map_err(|_| ParseLengthError)?;
        Ok(unit(number))
    }
}

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// A bare number is steps.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Number(f64),
            Text(String),
        }
        match Raw::deserialize(deserializer)? {
            Raw::Number(steps) => Ok(Self::Steps(steps)),
            Raw::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

/// Effective learning rate `η_eff = η/(1−β)`.
#[must_use]
pub fn effective_lr(lr: f64, momentum: f64) -> f64 {
    lr / (1.0 - momentum)
}
