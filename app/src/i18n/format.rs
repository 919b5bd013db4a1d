//! How numbers and days are written: plainly by a server, which cannot know who reads; in the browser, once
//! it has taken the page over, as its `Intl` writes them in the page's language and the reader's region.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::plain::{date, number};

#[cfg(target_arch = "wasm32")]
pub(crate) use self::here::{date, number, write_by};

mod plain {
    use crate::cluster::Timestamp;

    /// A count.
    pub(crate) fn number(number: usize) -> String {
        number.to_string()
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
        /// How this browser writes a number, and a moment in milliseconds. None until it has taken the page
        /// over: until then it writes what the server wrote.
        static HERE: RefCell<Option<(Function, Function)>> = const { RefCell::new(None) };
    }

    /// From now on numbers and days are written so.
    pub(crate) fn write_by(number: Function, date: Function) {
        HERE.with_borrow_mut(|here| *here = Some((number, date)));
    }

    pub(crate) fn number(number: usize) -> String {
        // Below a thousand all write alike.
        let written = (number >= 1_000).then(|| ask(|(of_number, _)| of_number, number as f64));
        written.flatten().unwrap_or_else(|| plain::number(number))
    }

    pub(crate) fn date(moment: Timestamp) -> String {
        ask(|(_, of_date)| of_date, moment.0 as f64).unwrap_or_else(|| plain::date(moment))
    }

    fn ask(which: fn(&(Function, Function)) -> &Function, value: f64) -> Option<String> {
        HERE.with_borrow(|here| {
            let written = which(here.as_ref()?).call1(&JsValue::NULL, &value.into()).ok()?;
            written.as_string()
        })
    }
}
