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
    report::{Part, Report, escape, table_of},
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

/// How many claims hold, and how many networks meet their premise.
pub fn counts<'a>(all: impl Iterator<Item = &'a Claim>) -> String {
    let (premises, claims): (Vec<&Claim>, Vec<&Claim>) = all.partition(|c| c.premise);
    let [holds, fails, open, premise] =
        Verdict::ALL.map(|verdict| claims.iter().filter(|c| c.decision.verdict == verdict).count());
    let fitted = premises.iter().filter(|c| c.decision.verdict == Verdict::Holds).count();
    let of_premises = match premises.len() {
        0 => String::new(),
        networks => format!(" {fitted} of {networks} networks fit their training data, which is the premise."),
    };
    format!(
        "{} claims: {holds} hold, {fails} do not hold here, {open} are not decided by this data; of {premise} the premise is not met.\
         {of_premises}",
        claims.len()
    )
}

/// Claims as a table, as HTML.
pub fn claims_table(claims: &[Claim]) -> String {
    let row = |c: &Claim| vec![c.verdict(), c.statement.clone(), c.found.clone()];
    let table = table_of(&["verdict", "claim", "found"], &claims.iter().map(row).collect::<Vec<_>>());
    format!("<div class=\"claims\">{table}</div>")
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
        let counts = format!("<p>{}</p>", escape(&counts(self.claims.iter())));
        let tail = format!("<h2>What is claimed and what was found</h2>{}{}", claims_table(self.claims), self.tail);
        let report = Report::page(&self.heading, &self.about, &counts, self.parts, &tail)?;
        output::write_packed(job, &summary, phases, &report)?;
        if job.options.json {
            return Ok(serde_json::to_string(&summary)? + "\n");
        }
        let mut text = format!("{}\n\n{}", self.about, self.text);
        for claim in self.claims {
            let _ = write!(text, "\n{}\n", claim.text());
        }
        Ok(text + &output::place(job))
    }
}
