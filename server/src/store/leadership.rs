//! Which of the web servers that share a database does what only one may do?

use sqlx::Postgres;
use sqlx::pool::PoolConnection;

use crate::store::{Database, Store, StoreError, postgres};

/// This web server leads until it is dropped, or its connection ends: a process that dies, or cannot reach the database, leads no
/// more.
#[derive(Debug)]
pub(crate) struct Leadership {
    /// `None` on SQLite, whose file one process owns.
    session: Option<PoolConnection<Postgres>>,
}

impl Store {
    /// Leads, if no other web server does.
    pub(crate) async fn try_to_lead(&self) -> Result<Option<Leadership>, StoreError> {
        Ok(match &self.database {
            Database::Sqlite(_) => Some(Leadership { session: None }),
            Database::Postgres(postgres) => {
                let session = postgres.try_to_lead().await?;
                session.map(|session| Leadership { session: Some(session) })
            }
        })
    }
}

impl Leadership {
    /// Waits until another web server may lead.
    pub(crate) async fn wait_until_lost(&mut self) {
        match &mut self.session {
            None => std::future::pending().await,
            Some(session) => postgres::wait_until_broken(session).await,
        }
    }
}
