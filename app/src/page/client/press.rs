//! A press of the mouse acts on what was pressed, although the list may move under the pointer before it is released.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, MouseEvent, PointerEvent};

use crate::page::client::history::{forget_handle, navigate};
use crate::page::route::Route;
use crate::page::state::PageState;

/// Who moves the pointer farther has changed their mind.
const MAX_MOVE_PX: i32 = 8;

struct Press {
    address: String,
    at: (i32, i32),
}

pub(super) fn start(state: PageState) {
    let pressed: Rc<RefCell<Option<Press>>> = Rc::default();
    let press = Rc::clone(&pressed);
    forget_handle(window_event_listener(ev::pointerdown, move |event| {
        let address = row_link(&event).filter(|_| is_plain(&event));
        *press.borrow_mut() =
            address.map(|address| Press { address, at: (event.client_x(), event.client_y()) });
    }));
    forget_handle(window_event_listener(ev::pointerup, move |event: PointerEvent| {
        let Some(Press { address, at: (x, y) }) = pressed.borrow_mut().take() else { return };
        let moved = (event.client_x() - x).abs().max((event.client_y() - y).abs());
        // Where the row has not moved, the browser makes a click of it.
        if moved <= MAX_MOVE_PX && row_link(&event).as_ref() != Some(&address) {
            navigate(state, Route::parse(&address), "");
        }
    }));
}

/// The address of the details of the server under the pointer.
fn row_link(event: &MouseEvent) -> Option<String> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let link = target.closest(".server-name a").ok().flatten()?;
    link.get_attribute("href").filter(|address| address.starts_with('?'))
}

fn is_plain(event: &MouseEvent) -> bool {
    event.button() == 0
        && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key())
}
