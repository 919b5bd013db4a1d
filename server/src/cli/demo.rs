//! The command `demo`: a simulated cluster on a temporary database.

use std::io::Write as _;

use super::listen::{announce, asked_to_stop, bind, require_loopback};
use super::{Failure, args};
use crate::demo::Demo;
use crate::net::listener::Listener;
use crate::site::branding::Branding;

pub(super) async fn run(options: args::Demo) -> Result<(), Failure> {
    require_loopback(options.listen.address)?;
    // Asked to stop from here on, it still removes what it made.
    let stop = asked_to_stop()?;
    let listener = Listener::from(bind(options.listen.address)?);
    let branding = options.branding.path.as_deref().map(Branding::read).transpose()?;
    let demo = Demo::open(&args::temporary_folder(), branding.unwrap_or_default()).await?;
    announce(&listener, "")?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "A demo: a simulated cluster that shows everything there is within two minutes, again and again. Nothing of it is kept."
    )?;
    out.flush()?;
    demo.serve(listener, stop).await;
    Ok(())
}
