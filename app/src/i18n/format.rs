//! How numbers and moments are written: plainly and in UTC by a server, which cannot know who reads; in the browser, once it
//! has taken the page over, as its `Intl` writes them in the page's language and the reader's region and time zone.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::plain::{clock, date, number};

#[cfg(target_arch = "wasm32")]
pub(crate) use self::here::{clock, date, number, write_by};

use crate::cluster::{Span, Timestamp};

/// A moment farther from now than this is written with its day.
const SAME_DAY: Span = Span::minutes(12 * 60);

/// A moment before `now`: its time of day, and its day where that is not plain.
pub(crate) fn recent(moment: Timestamp, now: Timestamp) -> String {
    if now - moment < SAME_DAY { clock(moment) } else { date(moment) }
}

mod plain {
    use crate::cluster::Timestamp;

    /// A count.
    pub(crate) fn number(number: usize) -> String {
        number.to_string()
    }

    /// A time of day.
    pub(crate) fn clock(moment: Timestamp) -> String {
        moment.clock()
    }

    /// A day and a time of day.
    pub(crate) fn date(moment: Timestamp) -> String {
        moment.date_and_clock()
    }
}

#[cfg(target_arch = "wasm32")]
#[expect(clippy::cast_precision_loss, reason = "nobody counts, and nothing lasts, beyond 2^53")]
mod here {
    use std::cell::RefCell;

    use js_sys::Function;
    use wasm_bindgen::JsValue;

    use super::plain;
    use crate::cluster::Timestamp;

    thread_local! {
        /// How this browser writes a number, a day, and a time of day, the latter two in milliseconds. None until it has taken
        /// the page over: until then it writes what the server wrote.
        static HERE: RefCell<Option<[Function; 3]>> = const { RefCell::new(None) };
    }

    /// From now on a number, a day and a time of day are written so.
    pub(crate) fn write_by(functions: [Function; 3]) {
        HERE.with_borrow_mut(|here| *here = Some(functions));
    }

    pub(crate) fn number(number: usize) -> String {
        // Below a thousand all write alike.
        let written = (number >= 1_000).then(|| ask(|[number, ..]| number, number as f64));
        written.flatten().unwrap_or_else(|| plain::number(number))
    }

    pub(crate) fn date(moment: Timestamp) -> String {
        ask(|[_, date, _]| date, moment.0 as f64).unwrap_or_else(|| plain::date(moment))
    }

    pub(crate) fn clock(moment: Timestamp) -> String {
        ask(|[.., clock]| clock, moment.0 as f64).unwrap_or_else(|| plain::clock(moment))
    }

    fn ask(which: fn(&[Function; 3]) -> &Function, value: f64) -> Option<String> {
        HERE.with_borrow(|here| {
            let written = which(here.as_ref()?).call1(&JsValue::NULL, &value.into()).ok()?;
            written.as_string()
        })
    }
}
