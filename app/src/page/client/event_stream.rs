//! The event stream, which delivers updates at once where no proxy buffers it. The page either has an open stream or polls,
//! never both, so that no update overtakes another. All windows of a browser share one stream: see `stream.js`.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Function;
use leptos::wasm_bindgen::prelude::Closure;
use leptos::wasm_bindgen::{JsCast as _, JsValue};

/// After n failures in a row the page polls 2^n - 1 times before it opens the stream again; n is at most this.
const MAX_BACKOFF_EXPONENT: u32 = 6;

/// The stream while it is open, and its back-off.
pub(crate) struct EventStream {
    /// `openStream` of `stream.js`.
    open: Function,
    stream: Option<OpenStream>,
    /// How many streams in a row delivered nothing.
    failures: u32,
    skip: u32,
}

struct OpenStream {
    close: Option<Function>,
    received: Rc<Cell<bool>>,
    ended: Rc<Cell<bool>>,
    _tell: Closure<dyn Fn(JsValue)>,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        if let Some(close) = &self.close {
            // It throws nothing.
            let _ = close.call0(&JsValue::NULL);
        }
    }
}

impl EventStream {
    pub(crate) fn new(open: Function) -> Self {
        Self { open, stream: None, failures: 0, skip: 0 }
    }

    /// Opens the stream at this address, for a page at this cursor, unless the back-off is not over. `on_update` gets each
    /// update, and `None` when there is no stream any more.
    pub(crate) fn open(
        &mut self,
        address: &str,
        cursor: &str,
        on_update: impl Fn(Option<String>) + 'static,
    ) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        let (received, ended) = (Rc::<Cell<bool>>::default(), Rc::<Cell<bool>>::default());
        let (set_received, set_ended) = (Rc::clone(&received), Rc::clone(&ended));
        let tell =
            Closure::<dyn Fn(JsValue)>::new(move |update: JsValue| match update.as_string() {
                None => {
                    set_ended.set(true);
                    on_update(None);
                }
                Some(update) => {
                    set_received.set(true);
                    if !update.is_empty() {
                        on_update(Some(update));
                    }
                }
            });
        let (address, cursor) = (address.into(), cursor.into());
        let close =
            self.open.call3(&JsValue::NULL, &address, &cursor, tell.as_ref().unchecked_ref());
        let close = close.ok().and_then(|close| close.dyn_into().ok());
        self.stream = Some(OpenStream { close, received, ended, _tell: tell });
    }

    /// Whether the stream has delivered something and is still open.
    pub(crate) fn is_receiving(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.received.get() && !stream.ended.get())
    }

    /// Closes the stream. Returns whether it delivered anything.
    pub(crate) fn close(&mut self) -> bool {
        let Some(stream) = self.stream.take() else { return false };
        let received = stream.received.get();
        self.failures = if received { 0 } else { MAX_BACKOFF_EXPONENT.min(self.failures + 1) };
        self.skip = (1 << self.failures) - 1;
        received
    }
}
