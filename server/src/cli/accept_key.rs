//! The command `key accept`.

use std::io::Write as _;

use app::cluster::ServerName;

use super::{Failure, args};
use crate::store::admin::{Accepted, AdminStore};

pub(super) async fn run(options: args::AcceptKey) -> Result<(), Failure> {
    let database = AdminStore::open(&options.database.address).await?;
    let Accepted { check, already, differing } =
        database.accept_key(options.kind, &options.digits).await?;
    let (kind, check) = (options.kind.as_str(), check.short());
    let mut out = std::io::stdout();
    if already {
        writeln!(out, "The cluster's {kind} key was {check} already; nothing was changed.")?;
    } else {
        writeln!(out, "Accepted {check} as the cluster's {kind} key.")?;
    }
    if differing.is_empty() {
        writeln!(out, "No server differs from it.")?;
    } else {
        let names: Vec<&str> = differing.iter().map(ServerName::as_str).collect();
        writeln!(out, "These servers now differ from it: {}.", names.join(", "))?;
    }
    Ok(())
}
