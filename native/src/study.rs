//! Claims, and what runs say of them; what a study of several phases of training leaves.

use std::fmt::Write;

use anyhow::Result;
use l2lab_core::{Experiment, train::Trace};
use serde::{Deserialize, Serialize};

use crate::{
    commands::Job,
    output,
    report::{Part, Report, list},
};

/// What the data decide about a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The interval is on the claim's side.
    #[serde(rename = "holds")]
    Holds,
    /// It is on the other side.
    #[serde(rename = "does not hold here")]
    Fails,
    /// It has both.
    #[serde(rename = "not decided by this data")]
    Open,
}

/// The training accuracy above which data count as fitted.
pub const FITTED: f64 = 0.999;
/// How far a measured exponent may be from a law's and still be called that: over a decade, a factor of 1.6.
pub const SLOPE: f64 = 0.2;

impl Verdict {
    /// Of "the difference is above `bound`", by the difference's interval.
    pub fn above(bound: f64, interval: Option<[f64; 2]>) -> Self {
        match interval {
            Some([low, _]) if low > bound => Self::Holds,
            Some([_, high]) if high < bound => Self::Fails,
            _ => Self::Open,
        }
    }

    /// Of "the difference is below `bound`", by its interval.
    pub fn below(bound: f64, interval: Option<[f64; 2]>) -> Self {
        Self::above(-bound, interval.map(|[low, high]| [-high, -low]))
    }

    /// Of "the number is `expected` to within `tolerance`", by its interval.
    pub fn near(expected: f64, tolerance: f64, interval: Option<[f64; 2]>) -> Self {
        let [least, most] = [expected - tolerance, expected + tolerance];
        match interval {
            Some([low, high]) if low > least && high < most => Self::Holds,
            Some([low, high]) if low > most || high < least => Self::Fails,
            _ => Self::Open,
        }
    }

    /// Of several at once: holds if all do, fails if one does.
    pub fn all(of: &[Self]) -> Self {
        if of.contains(&Self::Fails) {
            Self::Fails
        } else if of.iter().all(|v| *v == Self::Holds) {
            Self::Holds
        } else {
            Self::Open
        }
    }

    pub fn text(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "does not hold here",
            Self::Open => "not decided by this data",
        }
    }
}

/// A claim of the paper, and what the runs say of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claim {
    /// What the paper says.
    pub statement: String,
    /// The numbers.
    pub found: String,
    /// What they decide.
    pub verdict: Verdict,
}

impl Claim {
    /// Statement, verdict and numbers, in a line.
    pub fn text(&self) -> String {
        format!("{}: {}. {}", self.statement, self.verdict.text(), self.found)
    }
}

/// `summary.json` of a study.
#[derive(Serialize)]
struct Summary<'a, F> {
    command: &'static str,
    version: &'static str,
    device: String,
    heading: &'a str,
    about: &'a str,
    experiment: &'a Experiment,
    #[serde(flatten)]
    findings: &'a F,
    claims: &'a [Claim],
}

/// What a study of several phases of training writes and prints.
pub struct Study<'a, F> {
    /// The command that makes it.
    pub command: &'static str,
    /// The report's heading.
    pub heading: String,
    /// What was trained.
    pub about: String,
    /// What that says of the paper's claims.
    pub claims: &'a [Claim],
    /// What was found, as the summary has it.
    pub findings: &'a F,
    /// The report's figures.
    pub parts: Vec<Part>,
    /// Tables, as HTML.
    pub tail: String,
    /// The tables for a terminal.
    pub text: String,
}

impl<F: Serialize> Study<'_, F> {
    /// Writes the files, the summary last, and gives what is printed.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(self, job: &Job, phases: &[&[Trace]]) -> Result<String> {
        let said: Vec<String> = self.claims.iter().map(Claim::text).collect();
        let summary = Summary {
            command: self.command,
            version: env!("CARGO_PKG_VERSION"),
            device: job.options.device.to_string(),
            heading: &self.heading,
            about: &self.about,
            experiment: &job.experiment,
            findings: self.findings,
            claims: self.claims,
        };
        let report = Report::page(&self.heading, &self.about, &list(&said), self.parts, &self.tail)?;
        output::write(job, &summary, phases, &report)?;
        if job.options.json {
            return Ok(serde_json::to_string(&summary)? + "\n");
        }
        let mut text = format!("{}\n\n{}", self.about, self.text);
        for claim in said {
            let _ = write!(text, "\n{claim}\n");
        }
        Ok(text + &output::place(job))
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{self, Fails, Holds, Open};

    #[test]
    fn an_interval_decides_or_does_not() {
        let is = |low: f64, high: f64| Some([low, high]);
        for (interval, above, below, near) in [
            (is(0.1, 0.2), Holds, Fails, Open),
            (is(-0.2, -0.1), Fails, Holds, Open),
            (is(-0.1, 0.1), Open, Open, Holds),
            (is(-0.2, 0.2), Open, Open, Open),
            (is(0.16, 0.2), Holds, Fails, Fails),
            (is(-0.9, -0.8), Fails, Holds, Fails),
            // One seed decides nothing.
            (None, Open, Open, Open),
        ] {
            let found =
                (Verdict::above(0.0, interval), Verdict::below(0.0, interval), Verdict::near(0.0, 0.15, interval));
            assert_eq!(found, (above, below, near), "{interval:?}");
        }
        assert_eq!(Verdict::near(-1.0, 0.2, is(-1.1, -0.9)), Holds);
    }

    #[test]
    fn several_hold_together_or_one_fails_all() {
        assert_eq!([&[Holds, Holds][..], &[Holds, Open], &[Open, Fails]].map(Verdict::all), [Holds, Open, Fails]);
    }
}
