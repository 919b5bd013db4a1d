//! A `PgBouncer` in front of a PostgreSQL.

use std::fs;
use std::path::Path;

use super::{Postgres, command_as_user};
use crate::folder::Folder;
use crate::process::{Process, free_port};
use crate::wait::wait_until_ok;

const START_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);

#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    _process: Process,
}

impl PgBouncer {
    /// Starts one with the pool mode `session` or `transaction`.
    pub fn start(postgres: &Postgres, folder: &Folder, pool_mode: &str) -> Self {
        let port = free_port();
        let options = postgres.file(&format!("pgbouncer-{port}.ini"));
        let users = postgres.file("pgbouncer-users");
        fs::write(&users, "\"overview\" \"\"\n").unwrap();
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\npool_mode = {pool_mode}\n",
            postgres.port,
            users.display(),
        );
        fs::write(&options, text).unwrap();
        let mut command = command_as_user(Path::new("/usr/sbin/pgbouncer"), postgres.user);
        let process =
            Process::start(command.arg(&options), folder, &format!("pgbouncer {pool_mode}"));
        wait_until_ok("PgBouncer to start", START_TIMEOUT, || {
            std::net::TcpStream::connect(("127.0.0.1", port)).map(drop).map_err(|_| process.log())
        });
        Self { port, _process: process }
    }

    pub fn address(&self, database: &str) -> String {
        format!("postgres://overview@127.0.0.1:{}/{database}", self.port)
    }
}
