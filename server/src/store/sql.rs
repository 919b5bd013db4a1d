//! One statement, on either database: what is bound to it, and what comes back.
//!
//! Both take `$1`, so most statements are one text. Where the two differ, the text is in `sqlite/` or
//! `postgres/`.

use std::time::Duration;

use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};

use crate::store::StoreError;
use crate::store::tx::{Connection, Tx};

/// How long PostgreSQL may take for one statement: a server that is gone does not say so.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// What can be bound to a statement.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Number(Option<i64>),
    Text(Option<String>),
    Flag(bool),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(Some(number.into()))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(Some(text.clone()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

/// A statement with what is bound to it.
#[derive(Debug)]
pub(super) struct Statement {
    text: &'static str,
    values: Vec<Value>,
}

/// A statement that both databases understand.
pub(super) fn sql(text: &'static str) -> Statement {
    Statement { text, values: Vec::new() }
}

/// The statement as sqlx has it, for the database at hand.
macro_rules! query {
    ($statement:expr) => {
        $statement.values.into_iter().fold(sqlx::query($statement.text), |query, value| match value
        {
            Value::Number(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
            Value::Flag(flag) => query.bind(flag),
        })
    };
}

impl Statement {
    /// Binds the next value.
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs it; how many rows it wrote.
    pub(super) async fn execute(self, tx: &mut Tx) -> Result<u64, StoreError> {
        Ok(match tx.connection() {
            Connection::Sqlite(sqlite) => {
                Box::pin(query!(self).execute(&mut **sqlite)).await?.rows_affected()
            }
            Connection::Postgres(postgres) => {
                with_timeout(query!(self).execute(&mut **postgres)).await?.rows_affected()
            }
        })
    }

    /// Runs it; the rows it finds.
    pub(super) async fn rows(self, tx: &mut Tx) -> Result<Vec<Row>, StoreError> {
        Ok(match tx.connection() {
            Connection::Sqlite(sqlite) => {
                let rows = Box::pin(query!(self).fetch_all(&mut **sqlite)).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Connection::Postgres(postgres) => {
                let rows = with_timeout(query!(self).fetch_all(&mut **postgres)).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Runs it; the first row it finds.
    pub(super) async fn row(self, tx: &mut Tx) -> Result<Row, StoreError> {
        let row = self.rows(tx).await?.into_iter().next();
        row.ok_or(StoreError::Database(sqlx::Error::RowNotFound))
    }
}

/// Gives up on a server that does not answer; whoever asked throws the connection away.
pub(super) async fn with_timeout<T>(
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(STATEMENT_TIMEOUT, Box::pin(asked)).await.unwrap_or_else(|_| {
        let late = "PostgreSQL did not answer within 5 s";
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, late)))
    })
}

/// A row of either database.
#[derive(Debug)]
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// What stands in the column at this place.
    pub(super) fn get<'r, T>(&'r self, place: usize) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
    {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(place)?,
            Self::Postgres(row) => row.try_get(place)?,
        })
    }

    /// What the JSON in the column at this place says.
    pub(super) fn json<T: DeserializeOwned>(&self, place: usize) -> Result<T, StoreError> {
        Ok(serde_json::from_str(self.get(place)?)?)
    }
}
