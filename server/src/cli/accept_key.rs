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
        writeln!(out, "The cluster's {kind} key is already {check}; nothing was changed.")?;
    } else {
        writeln!(out, "Accepted {check} as the cluster's {kind} key.")?;
    }
    if differing.is_empty() {
        writeln!(out, "All servers that report a key have this one.")?;
    } else {
        let names: Vec<&str> = differing.iter().map(ServerName::as_str).collect();
        writeln!(out, "These servers have another key now: {}.", names.join(", "))?;
    }
    Ok(())
}
