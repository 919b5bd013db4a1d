//! A streaming standby, and its promotion to the primary.

use std::process::{Command, Stdio};

use super::{Postgres, command_as_user, program};
use crate::process::output_text;
use crate::wait::{DEFAULT_TIMEOUT, wait_until_ok};

impl Postgres {
    /// Starts a server that replicates this one.
    #[must_use]
    pub fn start_standby(&self) -> Self {
        let mut standby = Self::without_data(None);
        let mut copy = command_as_user(&program("pg_basebackup"), standby.user);
        copy.args(["-R", "-X", "stream", "-c", "fast", "-h", "127.0.0.1", "-U", "overview", "-p"]);
        copy.arg(self.port.to_string()).arg("-D").arg(standby.folder.join("disk/data"));
        run_to_success(&mut copy);
        standby.start_again(&[]);
        standby
    }

    /// Promotes this standby once it has replayed everything that the former primary wrote. The former primary stays up
    /// with its connections, but read-only.
    pub fn promote(&self, demoted: &Self) {
        demoted.query("alter system set default_transaction_read_only = on");
        demoted.query("select pg_reload_conf()");
        wait_until_ok("the demoted server to refuse writes", DEFAULT_TIMEOUT, || {
            let is_read_only = demoted.query("show default_transaction_read_only");
            if is_read_only == "on" { Ok(()) } else { Err(is_read_only) }
        });
        let written = demoted.query("select pg_current_wal_lsn()");
        let has_all = format!("select pg_last_wal_replay_lsn() >= '{written}'");
        wait_until_ok("the standby to have all that was written", DEFAULT_TIMEOUT, || {
            let answer = self.query(&has_all);
            if answer == "t" { Ok(()) } else { Err(answer) }
        });
        assert_eq!(self.query("select pg_promote()"), "t");
    }

    /// Runs a statement and returns the result as text.
    pub fn query(&self, statement: &str) -> String {
        let mut psql = Command::new(program("psql"));
        psql.args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement]);
        psql.arg(self.address("postgres"));
        run_to_success(&mut psql)
    }
}

/// Runs a program that must succeed and returns its output.
fn run_to_success(program: &mut Command) -> String {
    let output = program.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program:?}: {}", output_text(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
