//! How are many rows read at once? As one text: the driver of SQLite passes each row from thread to thread, which costs as
//! much as to find it.

use crate::store::StoreError;
use crate::store::statement::{Row, Statement};
use crate::store::tx::Tx;

/// Ends a column. No column contains it: names have no control characters, and JSON escapes them.
const COLUMN_END: char = '\u{1f}';
/// Ends a row.
const ROW_END: char = '\u{1e}';

/// The columns of a row, by their place.
pub(super) trait Columns {
    fn text(&self, place: usize) -> Result<Option<&str>, StoreError>;
    fn number(&self, place: usize) -> Result<Option<i64>, StoreError>;
    fn flag(&self, place: usize) -> Result<bool, StoreError>;
}

impl Columns for Row {
    fn text(&self, place: usize) -> Result<Option<&str>, StoreError> {
        self.get(place)
    }

    fn number(&self, place: usize) -> Result<Option<i64>, StoreError> {
        self.get(place)
    }

    fn flag(&self, place: usize) -> Result<bool, StoreError> {
        self.get(place)
    }
}

/// A row of a packed answer with so many columns: what is null is empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct PackedRow<'a, const COLUMNS: usize>([&'a str; COLUMNS]);

impl<const COLUMNS: usize> Columns for PackedRow<'_, COLUMNS> {
    fn text(&self, place: usize) -> Result<Option<&str>, StoreError> {
        let column = self.0.get(place).ok_or(StoreError::UnreadableValue("packed row"))?;
        Ok(Some(*column).filter(|column| !column.is_empty()))
    }

    fn number(&self, place: usize) -> Result<Option<i64>, StoreError> {
        let number = self.text(place)?.map(str::parse).transpose();
        number.map_err(|_| StoreError::UnreadableValue("packed number"))
    }

    fn flag(&self, place: usize) -> Result<bool, StoreError> {
        Ok(matches!(self.text(place)?, Some("1" | "true")))
    }
}

/// The rows of a statement that packs them.
#[derive(Debug)]
pub(super) struct Packed(String);

impl Packed {
    /// `$1` of the statement ends each column, and `$2` each row; its other values are bound already, as `$3` and so on.
    pub(super) async fn read(statement: Statement, tx: &mut Tx) -> Result<Self, StoreError> {
        let statement = statement.bind_first([COLUMN_END, ROW_END].map(String::from));
        Ok(Self(statement.row(tx).await?.get::<Option<String>>(0)?.unwrap_or_default()))
    }

    /// Its rows. Columns that are missing are empty.
    pub(super) fn rows<const COLUMNS: usize>(
        &self,
    ) -> impl Iterator<Item = PackedRow<'_, COLUMNS>> {
        self.0.split_terminator(ROW_END).map(|row| {
            let mut columns = row.split(COLUMN_END);
            PackedRow(std::array::from_fn(|_| columns.next().unwrap_or_default()))
        })
    }
}
