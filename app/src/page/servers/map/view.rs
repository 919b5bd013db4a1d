//! The map as one picture with a path for each state, not an element for each server, and hidden from screen readers.
//! Over it is one link, which is moved to the server under the pointer or by the arrow keys, and says which it is.

use leptos::prelude::*;
use maud::html;

use crate::cluster::Health;
use crate::cluster::hints::Arg;
use crate::i18n::MessageKey;
use crate::page::route::dialog::Dialog;
use crate::page::route::query::to_query;
use crate::page::servers::map::model::CELL;
use crate::page::state::{PageState, Part};
use crate::page::status_style;

/// The map, and the link to one server.
#[component]
pub(crate) fn ServerMap(state: PageState) -> impl IntoView {
    move || {
        let model = state.model(Part::Map);
        let map = &model.map;
        (!map.servers.is_empty()).then(|| {
            let (width, height) = (map.columns * CELL, map.rows() * CELL);
            let picture = html! {
                svg width=(width) viewBox={"0 0 " (width) " " (height)} aria-hidden="true" {
                    @for health in Health::WORST_FIRST {
                        path class=(status_style::health(health).icon) d=(map.path(health)) {}
                    }
                }
            };
            view! {
                <div class="map">
                    <div inner_html=picture.into_string()></div>
                    <div class="if-hydrated">
                        {move || current_link(state, state.map_place.get())}
                    </div>
                </div>
            }
        })
    }
}

/// The link to the server at this place, over its shape.
fn current_link(state: PageState, place: usize) -> Option<impl IntoView> {
    let model = state.model(Part::Map);
    let map = &model.map;
    let catalog = state.catalog();
    let (server, health) = map.servers.get(place).or(map.servers.last())?;
    let args = [
        ("server", Arg::Text(server.to_string())),
        ("status", Arg::Text(status_style::health(*health).label(catalog).to_owned())),
    ];
    let said = catalog.format(MessageKey::ListMapPosition, &args);
    let query = to_query(Dialog::Details(server.clone()).pairs());
    let (width, height) = (map.columns * CELL, map.rows() * CELL);
    Some(view! {
        <svg width=width viewBox=format!("0 0 {width} {height}")>
            <a
                id="map-current"
                href=state.address(&query)
                aria-label=format!("{}, {said}", catalog.text(MessageKey::ListMap))
            >
                <title>{said.clone()}</title>
                <rect
                    x=place % map.columns * CELL
                    y=place / map.columns * CELL
                    width=CELL
                    height=CELL
                    rx="3"
                ></rect>
            </a>
        </svg>
    })
}
