//! The client of the event stream, which delivers updates at once where no proxy buffers it. The page either
//! has an open stream or polls, never both, so that no update overtakes another.

use std::cell::Cell;
use std::rc::Rc;

use leptos::wasm_bindgen::JsCast as _;
use leptos::wasm_bindgen::prelude::Closure;
use web_sys::{EventSource, MessageEvent};

/// After n failures in a row the page polls 2^n - 1 times before it opens the stream again; n is at most this.
const MAX_BACKOFF_EXPONENT: u32 = 6;

/// The stream while it is open, and its back-off.
#[derive(Default)]
pub(crate) struct EventStream {
    stream: Option<OpenStream>,
    /// How many streams in a row delivered nothing.
    failures: u32,
    skip: u32,
}

struct OpenStream {
    source: EventSource,
    received: Rc<Cell<bool>>,
    ended: Rc<Cell<bool>>,
    _closures: [Closure<dyn Fn(MessageEvent)>; 2],
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.source.close();
    }
}

impl EventStream {
    /// Opens the stream at this address, unless the back-off is not over.
    pub(crate) fn open(&mut self, address: &str, on_update: impl Fn(String) + 'static) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        let Ok(source) = EventSource::new(address) else { return };
        let (received, ended) = (Rc::<Cell<bool>>::default(), Rc::<Cell<bool>>::default());
        let (set_received, set_ended) = (Rc::clone(&received), Rc::clone(&ended));
        let update = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                set_received.set(true);
                on_update(text);
            }
        });
        let end = Closure::<dyn Fn(MessageEvent)>::new(move |_| set_ended.set(true));
        for (event, closure) in
            [("update", &update), ("resync", &end), ("bye", &end), ("error", &end)]
        {
            let closure = closure.as_ref().unchecked_ref();
            // Adding a listener cannot fail: any event name is valid.
            let _ = source.add_event_listener_with_callback(event, closure);
        }
        self.stream = Some(OpenStream { source, received, ended, _closures: [update, end] });
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
