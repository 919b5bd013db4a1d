//! The page's ear: hears of changes as they happen, where nothing on the way holds them back. At any time
//! the page either listens or asks, never both: so no news is overtaken by another.

use std::cell::Cell;
use std::rc::Rc;

use leptos::wasm_bindgen::JsCast as _;
use leptos::wasm_bindgen::prelude::Closure;
use web_sys::{EventSource, MessageEvent};

/// A page that could not hear so often asks so many times, two to the power of it, before it listens again.
const DEAFEST: u32 = 6;

/// What listens, when it does.
#[derive(Default)]
pub(crate) struct Ear {
    line: Option<Line>,
    /// How often in a row nothing was heard.
    deaf: u32,
    /// How often to ask before listening again.
    rest: u32,
}

struct Line {
    source: EventSource,
    heard: Rc<Cell<bool>>,
    over: Rc<Cell<bool>>,
    _closures: [Closure<dyn Fn(MessageEvent)>; 2],
}

impl Drop for Line {
    fn drop(&mut self) {
        self.source.close();
    }
}

impl Ear {
    /// Listens to the stream at this address, if it is worth a trial.
    pub(crate) fn open(&mut self, address: &str, hear: impl Fn(String) + 'static) {
        if self.rest > 0 {
            self.rest -= 1;
            return;
        }
        let Ok(source) = EventSource::new(address) else { return };
        let (heard, over) = (Rc::<Cell<bool>>::default(), Rc::<Cell<bool>>::default());
        let (note, end) = (Rc::clone(&heard), Rc::clone(&over));
        let update = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                note.set(true);
                hear(text);
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
        self.line = Some(Line { source, heard, over, _closures: [update, stop] });
    }

    /// Whether there is more to hear.
    pub(crate) fn listens(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.heard.get() && !line.over.get())
    }

    /// Listens no more; whether anything was heard.
    pub(crate) fn close(&mut self) -> bool {
        let Some(line) = self.line.take() else { return false };
        let heard = line.heard.get();
        self.deaf = if heard { 0 } else { DEAFEST.min(self.deaf + 1) };
        self.rest = (1 << self.deaf) - 1;
        heard
    }
}
