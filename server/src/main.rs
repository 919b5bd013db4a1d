//! The program `cluster-overview`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    cluster_overview::cli::run().await
}
