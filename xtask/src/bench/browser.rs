//! How are figures measured in a real browser?

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use testkit::{Overview, TOKEN};

use super::{Figure, parse_figure};
use crate::browser;
use crate::workspace::Profile;

/// Runs a script that measures a page of this overview. The environment variables are its parameters.
pub(super) fn run_script(
    name: &str,
    overview: &Overview,
    environment: &[(&str, String)],
) -> Result<Vec<Figure>> {
    let mut script = browser::command("node", Profile::Release)?;
    script.arg(name);
    script.env("OVERVIEW", overview.url("/"));
    script.env("OVERVIEW_TOKEN", TOKEN);
    script.envs(environment.iter().map(|(name, value)| (name, value)));
    let output = script.stderr(Stdio::inherit()).output().context("node does not start")?;
    ensure!(output.status.success(), "{name} ended with {}", output.status);
    String::from_utf8(output.stdout)?.lines().map(|line| parse_figure(name, line)).collect()
}
