//! A streaming standby, and what makes it the primary.

use std::process::{Command, Stdio};

use super::{Postgres, as_user, program};
use crate::process::said;
use crate::wait::{SOON, wait_until_ok};

impl Postgres {
    /// Starts a server that follows this one.
    #[must_use]
    pub fn standby(&self) -> Self {
        let mut standby = Self::without_data(None);
        let mut copy = as_user(&program("pg_basebackup"), standby.user);
        copy.args(["-R", "-X", "stream", "-c", "fast", "-h", "127.0.0.1", "-U", "overview", "-p"]);
        copy.arg(self.port.to_string()).arg("-D").arg(standby.folder.join("disk/data"));
        answer(&mut copy);
        standby.start_again(&[]);
        standby
    }

    /// Makes this standby the primary, once it has all that the one before has written. That one stays up,
    /// with its connections, and takes no more writes.
    pub fn take_over_from(&self, demoted: &Self) {
        demoted.ask("alter system set default_transaction_read_only = on");
        demoted.ask("select pg_reload_conf()");
        wait_until_ok("the demoted server to refuse writes", SOON, || {
            let is_read_only = demoted.ask("show default_transaction_read_only");
            if is_read_only == "on" { Ok(()) } else { Err(is_read_only) }
        });
        let written = demoted.ask("select pg_current_wal_lsn()");
        let has_all = format!("select pg_last_wal_replay_lsn() >= '{written}'");
        wait_until_ok("the standby to have all that was written", SOON, || {
            let answer = self.ask(&has_all);
            if answer == "t" { Ok(()) } else { Err(answer) }
        });
        assert_eq!(self.ask("select pg_promote()"), "t");
    }

    /// What it answers to a statement.
    pub fn ask(&self, statement: &str) -> String {
        let mut psql = Command::new(program("psql"));
        psql.args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement]);
        psql.arg(self.address("postgres"));
        answer(&mut psql)
    }
}

/// What a program says that must succeed.
fn answer(program: &mut Command) -> String {
    let output = program.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program:?}: {}", said(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
