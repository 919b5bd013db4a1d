//! The configuration file: the options of a command, one a line, beneath the command line and the environment.
//!
//! A key is an option's long name without its dashes: `listen = "127.0.0.1:3000"`. What the command line or the
//! environment says has its way.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

use super::args::holds_password;
use crate::files;

/// The option that names the file.
pub(super) const OPTION: &str = "config-file";
/// The options that name files with secrets.
const SECRETS: [&str; 4] = ["join-token-file", "token-file", "tls-key", "encryption-key-file"];

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read the configuration file {}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not written as one.
    #[error("{}: {source}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// It has a key that is none, or a value of another type.
    #[error("{}: {key} {why}", .path.display())]
    PasswordPolicyError {
        /// The file.
        path: PathBuf,
        /// Which key.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// Everybody can read a secret.
    #[error("{} can be read by everybody (mode {mode:o}), and {why}; set its mode to 640 or 600", .path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// What is secret about it.
        why: &'static str,
    },
}

/// What a file adds to a command line: the options that neither that nor the environment says. `said` tells
/// whether the environment says an option of this variable.
pub(super) fn options(
    path: &Path,
    command: &Command,
    arguments: &[OsString],
    said: impl Fn(&str) -> bool,
) -> Result<Vec<OsString>, FileError> {
    let text = files::read_text(path)
        .map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
    let table: Table = toml::from_str(&text).map_err(|source| FileError::Malformed {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    keep_secret(path, &table)?;
    let mut added = Vec::new();
    for (key, value) in &table {
        let unfit = |why: String| FileError::PasswordPolicyError {
            path: path.to_owned(),
            key: key.clone(),
            why,
        };
        let known = |arg: &&Arg| arg.get_long() == Some(key.as_str()) && is_option(arg);
        let arg = command.get_arguments().find(known).ok_or_else(|| {
            unfit(format!("is no option of `{}`: {}", command.get_name(), all(command)))
        })?;
        let option = option(arg, key, value).map_err(unfit)?;
        let by_environment = arg.get_env().and_then(|name| name.to_str()).is_some_and(&said);
        if !by_environment && !is_given(key, arguments) {
            added.extend(option);
        }
    }
    Ok(added)
}

/// Whether a command takes options from a file.
pub(super) fn is_read_by(command: &Command) -> bool {
    command.get_arguments().any(|arg| arg.get_long() == Some(OPTION))
}

/// What may stand in a file.
fn is_option(arg: &Arg) -> bool {
    arg.get_long().is_some_and(|long| !["help", "version", OPTION].contains(&long))
}

fn all(command: &Command) -> String {
    let mut names: Vec<&str> =
        command.get_arguments().filter(|arg| is_option(arg)).filter_map(Arg::get_long).collect();
    names.sort_unstable();
    format!("there are {}", names.join(", "))
}

/// Whether the command line says this option.
fn is_given(key: &str, arguments: &[OsString]) -> bool {
    let (alone, with_value) = (format!("--{key}"), format!("--{key}="));
    arguments.iter().any(|argument| {
        let argument = argument.to_string_lossy();
        argument == alone || argument.starts_with(&with_value)
    })
}

/// An option as the command line would have it.
fn option(arg: &Arg, key: &str, value: &Value) -> Result<Option<OsString>, String> {
    let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
    if is_flag {
        let on = value.as_bool().ok_or("must be true or false, without quotes")?;
        return Ok(on.then(|| format!("--{key}").into()));
    }
    let one = |value: &Value| match (value.as_str(), value.as_integer()) {
        (Some(text), _) => Some(text.to_owned()),
        (_, Some(number)) => Some(number.to_string()),
        _ => None,
    };
    let takes_many = arg.get_value_delimiter().is_some();
    let said = match value.as_array() {
        Some(list) if takes_many => {
            list.iter().map(one).collect::<Option<Vec<_>>>().map(|all| all.join(","))
        }
        Some(_) => None,
        None => one(value),
    };
    let wanted = if takes_many {
        "a text in quotes, or a list of them"
    } else {
        "a text in quotes, or a number"
    };
    let said = said.ok_or_else(|| format!("must be {wanted}"))?;
    Ok(Some(format!("--{key}={said}").into()))
}

/// Refuses a file that tells everybody a secret, or names one that does.
fn keep_secret(path: &Path, table: &Table) -> Result<(), FileError> {
    let refuse = |path: &Path, why| match files::mode_if_everybody_reads(path) {
        Some(mode) => Err(FileError::Readable { path: path.to_owned(), mode, why }),
        None => Ok(()),
    };
    // Other addresses hold passwords too: a product's that is asked for its health, a proxy's before the overview.
    let in_text = |value: &Value| value.as_str().is_some_and(holds_password);
    let named = |value: &Value| {
        in_text(value) || value.as_array().is_some_and(|all| all.iter().any(in_text))
    };
    let database = table.get("database").and_then(Value::as_str).unwrap_or_default();
    if holds_password(database) {
        refuse(path, "the database's password stands in it")?;
    }
    if table.values().any(named) {
        refuse(path, "the password of an address stands in it")?;
    }
    for name in SECRETS {
        if let Some(secret) = table.get(name).and_then(Value::as_str) {
            refuse(Path::new(secret), "it holds a secret")?;
        }
    }
    Ok(())
}
