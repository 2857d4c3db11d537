//! Claims, and what runs say of them; what a study of several phases of training leaves.

use std::fmt::Write;

use anyhow::Result;
use l2lab_core::{
    Experiment,
    law::{Decision, Verdict},
    run::Trace,
};
use serde::{Deserialize, Serialize};

use crate::{
    commands::Job,
    output,
    report::{Part, Report, list},
};

/// A claim of the paper, and what the runs say of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claim {
    /// Whether it is what the others presuppose, and so no claim itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub premise: bool,
    /// What the paper says.
    pub statement: String,
    /// The numbers.
    pub found: String,
    /// What they decide.
    #[serde(flatten)]
    pub decision: Decision,
}

impl Claim {
    /// Statement, verdict and numbers, in a line.
    pub fn text(&self) -> String {
        format!("{}: {}. {}", self.statement, self.verdict(), self.found)
    }

    /// The verdict in words, and, of one that is not decided, how many seeds would decide it.
    pub fn verdict(&self) -> String {
        let text = self.decision.verdict.text();
        match self.decision.seeds_needed {
            Some(seeds) if self.decision.verdict == Verdict::Open => format!("{text} (about {seeds} seeds would)"),
            _ => text.to_owned(),
        }
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
        output::write_packed(job, &summary, phases, &report)?;
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
