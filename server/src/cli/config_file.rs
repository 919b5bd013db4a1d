//! The configuration file: a TOML file with the options of a command.
//!
//! A key is an option's long name without its dashes: `listen = "127.0.0.1:3000"`. The command line and the environment take
//! precedence.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

use super::args::holds_password;
use crate::files;

/// The option that names the configuration file.
pub(super) const OPTION: &str = "config-file";
/// The options whose values are paths of secret files.
const SECRET_FILE_OPTIONS: [&str; 4] =
    ["join-token-file", "token-file", "tls-key", "encryption-key-file"];

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read the configuration file {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: {source}", .path.display())]
    Malformed { path: PathBuf, source: Box<toml::de::Error> },
    /// An unknown key, or a value of the wrong type.
    #[error("{}: {key} {why}", .path.display())]
    BadEntry { path: PathBuf, key: String, why: String },
    #[error("every account of this machine can read {} (mode {mode:o}), and {why}; set its mode to 640 or 600", .path.display())]
    WorldReadable { path: PathBuf, mode: u32, why: &'static str },
}

/// The arguments that a file adds to a command line: the options that neither the command line nor the environment has.
/// `is_in_environment`: whether this variable is set.
pub(super) fn extra_arguments(
    path: &Path,
    command: &Command,
    arguments: &[OsString],
    is_in_environment: impl Fn(&str) -> bool,
) -> Result<Vec<OsString>, FileError> {
    let text = files::read_text(path)
        .map_err(|source| FileError::Unreadable { path: path.to_owned(), source })?;
    let table: Table = toml::from_str(&text).map_err(|source| FileError::Malformed {
        path: path.to_owned(),
        source: Box::new(source),
    })?;
    check_secrecy(path, &table)?;
    let mut added = Vec::new();
    for (key, value) in &table {
        let bad =
            |why: String| FileError::BadEntry { path: path.to_owned(), key: key.clone(), why };
        let known = |arg: &&Arg| arg.get_long() == Some(key.as_str()) && is_option(arg);
        let arg = command.get_arguments().find(known).ok_or_else(|| {
            bad(format!(
                "is not an option of `{}`; the options are {}",
                command.get_name(),
                option_names(command)
            ))
        })?;
        let argument = argument(arg, key, value).map_err(bad)?;
        let by_environment =
            arg.get_env().and_then(|name| name.to_str()).is_some_and(&is_in_environment);
        if !by_environment && !is_given(key, arguments) {
            added.extend(argument);
        }
    }
    Ok(added)
}

/// Whether a command has the option that names a configuration file.
pub(super) fn is_read_by(command: &Command) -> bool {
    command.get_arguments().any(|arg| arg.get_long() == Some(OPTION))
}

/// Whether a file may contain this option.
fn is_option(arg: &Arg) -> bool {
    arg.get_long().is_some_and(|long| !["help", "version", OPTION].contains(&long))
}

fn option_names(command: &Command) -> String {
    let mut names: Vec<&str> =
        command.get_arguments().filter(|arg| is_option(arg)).filter_map(Arg::get_long).collect();
    names.sort_unstable();
    names.join(", ")
}

/// Whether the command line has this option.
fn is_given(key: &str, arguments: &[OsString]) -> bool {
    let (alone, with_value) = (format!("--{key}"), format!("--{key}="));
    arguments.iter().any(|argument| {
        let argument = argument.to_string_lossy();
        argument == alone || argument.starts_with(&with_value)
    })
}

/// The entry as a command line argument; `None` for a flag that is off.
fn argument(arg: &Arg, key: &str, value: &Value) -> Result<Option<OsString>, String> {
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
    let text = match value.as_array() {
        Some(list) if takes_many => {
            list.iter().map(one).collect::<Option<Vec<_>>>().map(|all| all.join(","))
        }
        Some(_) => None,
        None => one(value),
    };
    let expected = if takes_many {
        "a text in quotes, or a list of them"
    } else {
        "a text in quotes, or a number"
    };
    let text = text.ok_or_else(|| format!("must be {expected}"))?;
    Ok(Some(format!("--{key}={text}").into()))
}

/// Rejects a file that contains a secret, or names a secret file, if every account of the machine can read it.
fn check_secrecy(path: &Path, table: &Table) -> Result<(), FileError> {
    let check = |path: &Path, why| match files::mode_if_world_readable(path) {
        Some(mode) => Err(FileError::WorldReadable { path: path.to_owned(), mode, why }),
        None => Ok(()),
    };
    // Other URLs can contain passwords too: of a health probe, or of a proxy in front of the overview.
    let in_text = |value: &Value| value.as_str().is_some_and(holds_password);
    let named = |value: &Value| {
        in_text(value) || value.as_array().is_some_and(|all| all.iter().any(in_text))
    };
    let database = table.get("database").and_then(Value::as_str).unwrap_or_default();
    if holds_password(database) {
        check(path, "it contains the password of the database")?;
    }
    if table.values().any(named) {
        check(path, "it contains a URL with a password")?;
    }
    for name in SECRET_FILE_OPTIONS {
        if let Some(secret) = table.get(name).and_then(Value::as_str) {
            check(Path::new(secret), "it contains a secret")?;
        }
    }
    Ok(())
}
