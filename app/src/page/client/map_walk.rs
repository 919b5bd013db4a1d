//! Moves the link of the map: to the server under the pointer, or by the arrow keys.

use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, KeyboardEvent, PointerEvent};

use crate::page::client::focus;
use crate::page::client::history::forget_handle;
use crate::page::client::rendering::set_if_changed;
use crate::page::state::PageState;

const LINK: &str = "map-current";

pub(super) fn start(state: PageState) {
    forget_handle(window_event_listener(ev::pointermove, move |event| {
        if let Some(place) = place_under(state, &event) {
            set_if_changed(&state.map_place, place);
        }
    }));
    forget_handle(window_event_listener(ev::keydown, move |event| {
        let has_focus = focus::current().is_some_and(|id| id == LINK);
        if let Some(place) = has_focus.then(|| place_after(state, &event)).flatten() {
            event.prevent_default();
            set_if_changed(&state.map_place, place);
        }
    }));
}

/// The server under the pointer.
fn place_under(state: PageState, event: &PointerEvent) -> Option<usize> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let bounds = target.closest(".map svg").ok().flatten()?.get_bounding_client_rect();
    let model = state.model_untracked();
    let map = &model.map;
    let x = f64::from(event.client_x()) - bounds.left();
    let y = f64::from(event.client_y()) - bounds.top();
    let column = cell(x / bounds.width(), map.columns);
    let row = cell(y / bounds.height(), map.rows());
    Some(row * map.columns + column).filter(|place| *place < map.servers.len())
}

/// The cell at this fraction of a side with so many cells.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a cast of a float saturates, and a map has far fewer cells"
)]
fn cell(fraction: f64, count: usize) -> usize {
    ((fraction * count as f64) as usize).min(count.saturating_sub(1))
}

/// Where a key leads to; `None` for other keys.
fn place_after(state: PageState, event: &KeyboardEvent) -> Option<usize> {
    let model = state.model_untracked();
    let map = &model.map;
    let last = map.servers.len().saturating_sub(1);
    let place = state.map_place.get_untracked().min(last);
    let next = match event.key().as_str() {
        "ArrowRight" => place + 1,
        "ArrowLeft" => place.saturating_sub(1),
        "ArrowDown" => place + map.columns,
        "ArrowUp" => place.checked_sub(map.columns).unwrap_or(place),
        "Home" => 0,
        "End" => last,
        _ => return None,
    };
    Some(if next > last { place } else { next })
}
