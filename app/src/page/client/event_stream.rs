//! The page's ear: hears of changes as they happen, where nothing on the way holds them back. At any time
//! the page either listens or asks, never both: so no news is overtaken by another.

use std::cell::Cell;
use std::rc::Rc;

use leptos::wasm_bindgen::JsCast as _;
use leptos::wasm_bindgen::prelude::Closure;
use web_sys::{EventSource, MessageEvent};

/// A page that could not hear so often asks so many times, two to the power of it, before it listens again.
const MAX_BACKOFF_EXPONENT: u32 = 6;

/// What listens, when it does.
#[derive(Default)]
pub(crate) struct EventStream {
    stream: Option<OpenStream>,
    /// How often in a row nothing was heard.
    failures: u32,
    /// How often to ask before listening again.
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
    /// Listens to the stream at this address, if it is worth a trial.
    pub(crate) fn open(&mut self, address: &str, on_update: impl Fn(String) + 'static) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        let Ok(source) = EventSource::new(address) else { return };
        let (received, ended) = (Rc::<Cell<bool>>::default(), Rc::<Cell<bool>>::default());
        let (note, end) = (Rc::clone(&received), Rc::clone(&ended));
        let update = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                note.set(true);
                on_update(text);
            }
        });
        let stop = Closure::<dyn Fn(MessageEvent)>::new(move |_| end.set(true));
        for (event, closure) in
            [("update", &update), ("resync", &stop), ("bye", &stop), ("error", &stop)]
        {
            let closure = closure.as_ref().unchecked_ref();
            // An event of any name can be listened to.
            let _ = source.add_event_listener_with_callback(event, closure);
        }
        self.stream = Some(OpenStream { source, received, ended, _closures: [update, stop] });
    }

    /// Whether there is more to hear.
    pub(crate) fn is_receiving(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.received.get() && !stream.ended.get())
    }

    /// Listens no more; whether anything was heard.
    pub(crate) fn close(&mut self) -> bool {
        let Some(stream) = self.stream.take() else { return false };
        let received = stream.received.get();
        self.failures = if received { 0 } else { MAX_BACKOFF_EXPONENT.min(self.failures + 1) };
        self.skip = (1 << self.failures) - 1;
        received
    }
}
