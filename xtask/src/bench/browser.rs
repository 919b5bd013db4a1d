//! What does a large cluster cost the browser?

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use testkit::{Overview, TOKEN};

use super::Figure;
use crate::browser;
use crate::workspace::Profile;

/// Runs a script that measures a page of this overview, and is told more by its environment.
pub(super) fn figures(
    name: &str,
    overview: &Overview,
    environment: &[(&str, String)],
) -> Result<Vec<Figure>> {
    let mut script = browser::tool("node", Profile::Release)?;
    script.arg(name);
    script.env("OVERVIEW", overview.url("/"));
    script.env("OVERVIEW_TOKEN", TOKEN);
    script.envs(environment.iter().map(|(name, value)| (name, value)));
    let output = script.stderr(Stdio::inherit()).output().context("node does not start")?;
    ensure!(output.status.success(), "{name} ended with {}", output.status);
    String::from_utf8(output.stdout)?.lines().map(|line| figure(name, line)).collect()
}

/// `what`, `value`, `unit` and `how`, with tabs in between.
fn figure(script: &str, line: &str) -> Result<Figure> {
    let told = || format!("{script} said {line:?}");
    let mut parts = line.splitn(4, '\t').map(str::to_owned);
    let mut next = || parts.next().with_context(told);
    let (what, value, unit, how) = (next()?, next()?, next()?, next()?);
    Ok(Figure { what, value: value.parse().with_context(told)?, unit, how })
}
