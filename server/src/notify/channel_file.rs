//! The channel file: TOML, a table `[[channel]]` for each channel.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::channel::Channel;
use super::fields::Fields;
use crate::files;
use crate::telemetry::outside_text::one_line;

const MAX_CHANNELS: usize = 100;

/// All channels of a file, in its order.
#[derive(Clone, Debug, Default)]
pub struct Channels(Vec<Channel>);

/// Why a channel file cannot be used. It names the file, and each channel and field with a problem; no secrets.
#[derive(Debug, thiserror::Error)]
pub enum ChannelFileError {
    #[error("cannot read the channel file {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the channel file {}: {error}", .path.display())]
    Malformed { path: PathBuf, error: String },
    #[error("the channel file {} has {}", .path.display(), list(.problems))]
    Problems { path: PathBuf, problems: Vec<Problem> },
}

/// One field that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of the channel, or its place in the file.
    channel: String,
    field: String,
    why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "channel {}: {} {}", self.channel, self.field, self.why)
    }
}

/// One problem in the same line, several in a line each.
fn list(problems: &[Problem]) -> String {
    match problems {
        [only] => format!("a problem: {only}"),
        several => several
            .iter()
            .fold(format!("{} problems:", several.len()), |all, one| format!("{all}\n  {one}")),
    }
}

impl Channels {
    /// Reads a channel file and the secrets that it names. All problems are found at once.
    pub fn read(path: &Path) -> Result<Self, ChannelFileError> {
        let malformed =
            |error: String| ChannelFileError::Malformed { path: path.to_owned(), error };
        let text = files::read_text(path)
            .map_err(|source| ChannelFileError::Unreadable { path: path.to_owned(), source })?;
        // The whole error would show the line, which may contain a secret in the wrong place.
        let file: Table = toml::from_str(&text).map_err(|error: toml::de::Error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            malformed(format!("{line}{}", one_line(error.message())))
        })?;
        let tables = tables(&file).map_err(malformed)?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let (mut channels, mut problems) = (Vec::<Channel>::new(), Vec::new());
        let mut names = Vec::new();
        for (number, table) in (1..).zip(tables) {
            let name = table.get("name").and_then(Value::as_str).map(one_line);
            let shown = name
                .as_ref()
                .map_or_else(|| format!("number {number}"), |name| format!("\"{name}\""));
            let (channel, mut found) = Channel::read(Fields::new(table, folder));
            if let Some(name) = name {
                if names.contains(&name.to_ascii_lowercase()) {
                    let why = "is the name of another channel too; give each its own".to_owned();
                    found.push(("name".to_owned(), why));
                }
                names.push(name.to_ascii_lowercase());
            }
            let problem = |(field, why): (String, String)| Problem {
                channel: shown.clone(),
                field: one_line(&field),
                why,
            };
            problems.extend(found.into_iter().map(problem));
            channels.extend(channel);
        }
        if problems.is_empty() {
            Ok(Self(channels))
        } else {
            Err(ChannelFileError::Problems { path: path.to_owned(), problems })
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.0.iter()
    }

    /// The channel of this name, upper and lower case alike.
    pub fn find(&self, name: &str) -> Option<&Channel> {
        self.0.iter().find(|channel| channel.name.eq_ignore_ascii_case(name))
    }
}

/// The tables `[[channel]]`; nothing else may be in the file.
fn tables(file: &Table) -> Result<Vec<&Table>, String> {
    const FORM: &str = "a channel is a table that begins with the line [[channel]]";
    if let Some(key) = file.keys().find(|key| *key != "channel") {
        return Err(format!("{} is unknown: {FORM}", one_line(key)));
    }
    let Some(channels) = file.get("channel") else { return Ok(Vec::new()) };
    let tables = channels
        .as_array()
        .and_then(|channels| channels.iter().map(Value::as_table).collect::<Option<Vec<_>>>());
    let tables = tables.ok_or_else(|| format!("channel is not a list of tables: {FORM}"))?;
    if tables.len() > MAX_CHANNELS {
        return Err(format!("it has more than {MAX_CHANNELS} channels"));
    }
    Ok(tables)
}

#[cfg(test)]
#[path = "channel_file_tests.rs"]
mod tests;
