//! `serve` on a throw-away database, with a simulated cluster: how to see every verdict without
//! breaking a real one. The heartbeats, the store and the watch are the real ones; only the servers
//! are played.

mod driver;
mod servers;
mod sim_node;
mod timeline;

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::auth::Policy;
use crate::auth::secret::Hash;
use crate::demo::driver::Driver;
use crate::demo::sim_node::Node;
use crate::ingest::Refused;
use crate::net::listener::Listener;
use crate::site::branding::Branding;
use crate::site::{Options, Site};
use crate::store::StoreError;
use crate::store::admin::AdminStore;

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no room for its database.
    #[error("cannot make a folder for the demo's database: {0}")]
    Folder(#[from] std::io::Error),
    /// Its database does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The first heartbeats were not taken.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// One of its servers cannot be called so.
    #[error("a server's name in the demo {0}")]
    Name(String),
}

/// What everybody on the stage acts upon: the second of a round of the script.
#[derive(Clone, Copy, Debug)]
struct Tick {
    round: u64,
    /// Below [`timeline::ROUND`].
    second: u32,
}

impl Tick {
    /// The first of all.
    const FIRST: Self = Self { round: 1, second: 0 };
}

/// A demo under way. It ends, and its files go, with this value.
#[derive(Debug)]
pub struct Demo {
    site: Arc<Site>,
    players: JoinSet<()>,
    /// Dropped last: nobody plays any more when it goes.
    _folder: Folder,
}

impl Demo {
    /// Opens an overview of its own and begins the first round.
    pub async fn open(temporary_folder: &Path, branding: Branding) -> Result<Self, DemoError> {
        let folder = Folder::below(temporary_folder)?;
        let database = format!("sqlite:{}", folder.0.join("overview.db").display());
        let options = Options {
            // Known to nobody: the cluster is played within the process. Nor is anybody dialled: nobody is
            // where its cast says to be.
            join_token: Some(Hash::of(&uuid::Uuid::new_v4().to_string())),
            branding,
            ..Options::new(&database, Policy::open())
        };
        let site = Site::open(options).await?;
        let mut director = Driver::new(Arc::clone(&site), AdminStore::open(&database).await?);
        director.prepare(Tick::FIRST.second).await?;
        let mut nodes = Vec::new();
        for member in servers::SERVERS {
            for role in member.roles {
                let node = Node::new(member, *role, site.intake.clone());
                nodes.push(node.map_err(DemoError::Name)?);
            }
        }
        // All at once, so that nobody ever sees half a cluster.
        site.intake.take(nodes.iter_mut().map(Node::arrive).collect()).await?;
        let (cues, cue) = watch::channel(Tick::FIRST);
        let mut players = JoinSet::new();
        for node in nodes {
            players.spawn(node.live(cue.clone()));
        }
        players.spawn(director.direct(cues));
        Ok(Self { site, players, _folder: folder })
    }

    /// Serves it on `listener` until `shutdown`.
    pub async fn serve(
        mut self,
        listener: Listener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) {
        crate::serve(listener, Arc::clone(&self.site), shutdown).await;
        self.players.shutdown().await;
    }
}

/// A folder that is gone when the demo is.
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
            tracing::warn!(%error, folder = %self.0.display(), "the demo's folder stays behind");
        }
    }
}
