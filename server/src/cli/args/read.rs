//! Reads the command line and the environment. Nothing else reads them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _};

use super::CommandLine;
use crate::cli::config_file::{self, FileError};
use crate::store::without_password;

/// The environment variable that names the configuration file.
pub(super) const CONFIG_FILE: &str = "CLUSTER_OVERVIEW_CONFIG_FILE";

impl CommandLine {
    /// Reads the options: from the command line, else from the environment, else from the configuration file that one of them
    /// names. If they are not valid, it prints why and ends the process.
    pub fn read() -> Result<Self, FileError> {
        let mut arguments: Vec<OsString> = std::env::args_os().collect();
        let commands = without_values(Self::command());
        for option in passwords_in(&arguments) {
            tracing::warn!(
                "the argument {option} contains a password, which every account of this machine can read. {PASSWORD_ADVICE}"
            );
        }
        show_help_if_asked(&commands, &arguments);
        if let Some(path) = named_file(&arguments) {
            let command = arguments.get(1).and_then(|name| commands.find_subcommand(name));
            // The variable may be set for `serve` or `agent`, while another command runs.
            let command = command.filter(|command| config_file::is_read_by(command));
            if let Some(command) = command {
                let is_set = |name: &str| variable(name).is_some();
                let extra = config_file::extra_arguments(&path, command, &arguments, is_set)?;
                arguments.splice(2..2, extra);
            }
        }
        let matches = commands.get_matches_from(arguments);
        // This does not fail: fields and options come from the same derive.
        Ok(Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
    }
}

/// Prints help or the version and ends the process, if the arguments ask for that, even if the configuration file is not valid.
fn show_help_if_asked(commands: &clap::Command, arguments: &[OsString]) {
    let Err(shown) = commands.clone().try_get_matches_from(arguments) else { return };
    if matches!(shown.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        shown.exit();
    }
}

const PASSWORD_ADVICE: &str = "Put it into a file that PGPASSFILE names, into the option's environment variable, or into a configuration file with mode 600";

/// Hides the values of environment variables in the help: they may be secrets.
fn without_values(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| arg.hide_env_values(true)).mut_subcommands(without_values)
}

/// Whether a URL contains a password.
pub(crate) fn holds_password(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else { return false };
    if scheme.starts_with("postgres") {
        // Such a password can contain characters that end the host of other URLs.
        return without_password(address) != address;
    }
    let host = rest.split(['/', '?', '#', ' ', '"', '\'']).next().unwrap_or_default();
    host.rsplit_once('@').is_some_and(|(person, _)| person.contains(':'))
}

/// The options whose values contain a password, or else the positions of such arguments.
fn passwords_in(arguments: &[OsString]) -> Vec<String> {
    let mut before = String::new();
    let mut found = Vec::new();
    for (place, argument) in arguments.iter().enumerate().skip(1) {
        let text = argument.to_string_lossy();
        let (option, value) = match text.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option.to_owned(), value),
            _ if before.starts_with("--") => (before, text.as_ref()),
            _ => (format!("number {place}"), text.as_ref()),
        };
        if holds_password(value) {
            found.push(option);
        }
        before = text.into_owned();
    }
    found
}

/// The path of the configuration file, if there is one.
fn named_file(arguments: &[OsString]) -> Option<PathBuf> {
    let option = format!("--{}", config_file::OPTION);
    let mut all = arguments.iter();
    while let Some(argument) = all.next() {
        let text = argument.to_string_lossy();
        if text == option {
            return all.next().map(PathBuf::from);
        }
        if let Some(path) = text.strip_prefix(&option).and_then(|rest| rest.strip_prefix('=')) {
            return Some(PathBuf::from(path));
        }
    }
    variable(CONFIG_FILE).map(PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The folder for temporary files: `TMPDIR`, or the default of the system.
pub fn temporary_folder() -> PathBuf {
    std::env::temp_dir()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::CommandLine::command().debug_assert();
    }

    #[test]
    fn help_shows_no_values_of_environment_variables() {
        fn check(command: &clap::Command) {
            for arg in command.get_arguments().filter(|arg| arg.get_env().is_some()) {
                assert!(arg.is_hide_env_values_set(), "{} {}", command.get_name(), arg.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&super::without_values(super::CommandLine::command()));
    }

    #[test]
    fn a_password_is_found_in_any_argument() {
        let found = |arguments: &[&str]| {
            super::passwords_in(&arguments.iter().map(std::convert::Into::into).collect::<Vec<_>>())
        };
        let address = "postgres://ann:secret@db/overview";
        assert_eq!(found(&["program", "serve", "--database", address]), ["--database"]);
        assert_eq!(found(&["program", "serve", &format!("--database={address}")]), ["--database"]);
        assert_eq!(found(&["program", "agent", "--probe=http://a:b@c/health"]), ["--probe"]);
        assert_eq!(found(&["program", "x", "postgres://db/o?password=secret"]), ["number 2"]);
        for harmless in [
            "postgres://ann@db/overview",
            "sqlite:a.db",
            "https://product:8443/overview?mail=ann@example",
            "[::1]:3000",
        ] {
            assert!(found(&["program", "serve", "--database", harmless]).is_empty(), "{harmless}");
        }
    }
}
