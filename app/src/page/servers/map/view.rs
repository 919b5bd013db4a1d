//! The map as one picture with a path for each state, not an element for each server, and hidden from screen readers.
//! Over it is one link, which is moved to the server under the pointer or by the arrow keys, and says which it is.

use leptos::prelude::*;
use maud::{Markup, html};

use crate::cluster::Health;
use crate::cluster::hints::Arg;
use crate::i18n::MessageKey;
use crate::page::live_html::live_html;
use crate::page::route::dialog::Dialog;
use crate::page::route::query::to_query;
use crate::page::servers::map::model::{CELL, Map};
use crate::page::state::{PageState, Part};
use crate::page::status_style;

/// The map, and the link to one server.
#[component]
pub(crate) fn ServerMap(state: PageState) -> impl IntoView {
    // Apart, so that the link moves without the picture being written.
    view! {
        <div class="map">
            {live_html(Box::new(move || picture(&state.model(Part::Map).map)))}
            {live_html(Box::new(move || current_link(state, &state.model(Part::Map).map)))}
        </div>
    }
}

fn picture(map: &Map) -> Markup {
    if map.servers.is_empty() {
        return Markup::default();
    }
    let (width, height) = (map.columns * CELL, map.rows() * CELL);
    html! {
        svg width=(width) viewBox={"0 0 " (width) " " (height)} aria-hidden="true" {
            @for health in Health::WORST_FIRST {
                path class=(status_style::health(health).icon) d=(map.path(health)) {}
            }
        }
    }
}

/// The link to the current server, over its shape.
fn current_link(state: PageState, map: &Map) -> Markup {
    let place = state.map_place.get();
    let Some((server, health)) = map.servers.get(place).or(map.servers.last()) else {
        return Markup::default();
    };
    let catalog = state.catalog();
    let args = [
        ("server", Arg::Text(server.to_string())),
        ("status", Arg::Text(status_style::health(*health).label(catalog).to_owned())),
    ];
    let said = catalog.format(MessageKey::ListMapPosition, &args);
    let query = to_query(Dialog::Details(server.clone()).pairs());
    let (width, height) = (map.columns * CELL, map.rows() * CELL);
    html! {
        svg.if-hydrated width=(width) viewBox={"0 0 " (width) " " (height)} {
            a #map-current href=(state.address(&query)) aria-label={(catalog.text(MessageKey::ListMap)) ", " (said)} {
                title { (said) }
                rect x=(place % map.columns * CELL) y=(place / map.columns * CELL) width=(CELL) height=(CELL) rx="3" {}
            }
        }
    }
}
