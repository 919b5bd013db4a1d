//! The demo: an overview with a temporary database and a simulated cluster that shows every status and hint.
//!
//! Only the servers are simulated. Heartbeats, store and live state are the same as in `serve`. The cluster has a past of
//! seven days, which is written to the database before it is served.

mod driver;
mod fault;
mod past;
mod servers;
mod sim_node;
mod timeline;

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::auth::AuthPolicy;
use crate::auth::secret::SecretHash;
use crate::demo::driver::Driver;
use crate::net::listener::Listener;
use crate::site::branding::Branding;
use crate::site::{Options, Site};
use crate::store::admin::AdminStore;
use crate::store::{Store, StoreError};

/// Why the demo did not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("cannot create a folder for the demo's database: {0}")]
    Folder(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the name of a simulated server {0}")]
    Name(String),
}

/// A running demo. Dropping it stops the demo and deletes its files.
#[derive(Debug)]
pub struct Demo {
    site: Arc<Site>,
    tasks: JoinSet<()>,
    /// Dropped last: nothing uses the database any more then.
    _folder: Folder,
}

impl Demo {
    /// Opens an overview on a database that has a past, and begins the first round.
    pub async fn open(temporary_folder: &Path, branding: Branding) -> Result<Self, DemoError> {
        let folder = Folder::below(temporary_folder)?;
        let database = format!("sqlite:{}", folder.0.join("overview.db").display());
        write_past(&database).await?;
        let options = Options {
            // Nobody knows this token: the heartbeats do not go through HTTP. No messengers are dialled, because
            // there are none at the addresses that the servers report.
            join_token: Some(SecretHash::new(&uuid::Uuid::new_v4().to_string())),
            branding,
            ..Options::new(&database, AuthPolicy::open())
        };
        let site = Site::open_without_upkeep_checks(options).await?;
        let mut driver = Driver::new(Arc::clone(&site), AdminStore::open(&database).await?);
        let nodes = driver.begin_first_round().await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(driver.run(nodes));
        Ok(Self { site, tasks, _folder: folder })
    }

    pub async fn serve(
        mut self,
        listener: Listener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) {
        crate::serve(listener, Arc::clone(&self.site), shutdown).await;
        self.tasks.shutdown().await;
    }
}

async fn write_past(database: &str) -> Result<(), DemoError> {
    let store = Store::open(database).await?;
    let past = past::simulate(store.now()).map_err(DemoError::Name)?;
    store.import_past(past).await?;
    store.close().await;
    Ok(())
}

/// A folder that is deleted when it is dropped.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn below(parent: &Path) -> std::io::Result<Self> {
        let name = format!("cluster-overview-demo-{}", uuid::Uuid::new_v4());
        let path = parent.join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "cannot delete the demo's folder; delete it by hand");
        }
    }
}
