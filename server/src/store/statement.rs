//! How does one statement run on either database?
//!
//! Both use placeholders like `$1`, so most statements have the same text. Texts that differ are in `sqlite/` and
//! `postgres/`.

use std::time::Duration;

use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};

use crate::store::StoreError;
use crate::store::tx::{Connection, Tx};

/// For PostgreSQL: a server that has disappeared does not close the connection.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);

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

/// A statement and its bound values.
#[derive(Debug)]
pub(super) struct Statement {
    text: &'static str,
    values: Vec<Value>,
}

/// A statement that both databases understand.
pub(super) fn sql(text: &'static str) -> Statement {
    Statement { text, values: Vec::new() }
}

/// The statement as a query of sqlx. A macro, because the type differs between the two databases.
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

/// A statement that reads rows from the JSON array `$1`, for SQLite and for PostgreSQL. In both, `value ->> 0` is the first
/// value of a row, as text on PostgreSQL.
macro_rules! with_json_rows {
    ($before:literal, $after:literal) => {
        [
            concat!($before, "json_each($1)", $after),
            concat!($before, "json_array_elements($1::json) as given (value)", $after),
        ]
    };
}
pub(super) use with_json_rows;

/// A statement of [`with_json_rows`].
pub(super) fn sql_with_json_rows(tx: &mut Tx, [sqlite, postgres]: [&'static str; 2]) -> Statement {
    sql(match tx.connection() {
        Connection::Sqlite(_) => sqlite,
        Connection::Postgres(_) => postgres,
    })
}

impl Statement {
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Binds these before all others.
    pub(super) fn bind_first(mut self, values: [String; 2]) -> Self {
        self.values.splice(0..0, values.map(Value::from));
        self
    }

    /// Returns how many rows it changed.
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

    /// Returns the first row; an error if there is none.
    pub(super) async fn row(self, tx: &mut Tx) -> Result<Row, StoreError> {
        let row = self.rows(tx).await?.into_iter().next();
        row.ok_or(StoreError::Database(sqlx::Error::RowNotFound))
    }
}

/// Fails if PostgreSQL does not answer in time. The caller must not use the connection again.
pub(super) async fn with_timeout<T>(
    query: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(STATEMENT_TIMEOUT, Box::pin(query)).await.unwrap_or_else(|_| {
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
    pub(super) fn get<'r, T>(&'r self, index: usize) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
    {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(index)?,
            Self::Postgres(row) => row.try_get(index)?,
        })
    }

    /// Parses the JSON in a column.
    pub(super) fn json<T: DeserializeOwned>(&self, index: usize) -> Result<T, StoreError> {
        Ok(serde_json::from_str(self.get(index)?)?)
    }
}
