//! The command `demo`: a simulated cluster on a temporary database.

use std::io::Write as _;

use super::listen::{announce, bind, require_loopback, stop_signal};
use super::{Failure, args};
use crate::demo::Demo;
use crate::net::listener::Listener;
use crate::site::branding::Branding;

pub(super) async fn run(options: args::Demo) -> Result<(), Failure> {
    require_loopback(options.listen.address)?;
    // From here on a stop signal no longer ends the process before the temporary database is removed.
    let stop = stop_signal()?;
    let listener = Listener::from(bind(options.listen.address)?);
    let branding = options.branding.path.as_deref().map(Branding::read).transpose()?;
    let demo = Demo::open(&args::temporary_folder(), branding.unwrap_or_default()).await?;
    announce(&listener, "")?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "This is a demo with a simulated cluster: it shows every status and every hint within three minutes, repeatedly. Nothing is kept."
    )?;
    out.flush()?;
    demo.serve(listener, stop).await;
    Ok(())
}
