//! Makes elements like a piece of HTML: only what differs is touched, so that the rest keeps its focus, its selection, its
//! place, and what the user has opened or typed.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlDetailsElement, HtmlInputElement, HtmlTemplateElement, Node};

use super::LiveHtml;

/// What the user, or a script for the user, has done to an element; HTML says nothing about it.
const OF_USER: [&str; 3] = ["open", "data-copied", "data-fetched"];

/// The address from which `page.js` fills an element.
const SOURCE: &str = "data-src";

/// Opens and closes a `details` element, when it changes. In between the user does.
const OPEN: &str = "data-open";

/// Makes what is in an element like `html`, and keeps it so.
pub(crate) fn follow(element: impl Fn() -> Option<Element> + 'static, html: LiveHtml) {
    Effect::new(move |before: Option<String>| {
        let now = html().into_string();
        if before.is_none_or(|before| before != now)
            && let Some(element) = element()
        {
            morph(&element, &now);
        }
        now
    });
}

fn morph(element: &Element, html: &str) {
    let Ok(template) = document().create_element("template") else { return };
    template.set_inner_html(html);
    let template: HtmlTemplateElement = template.unchecked_into();
    morph_children(element, &template.content());
}

/// Elements with a key are moved, never made into others.
fn morph_children(parent: &Node, wanted: &Node) {
    let wanted: Vec<Node> = children(wanted);
    let keys: Vec<String> = wanted.iter().filter_map(key).collect();
    for known in children(parent) {
        if key(&known).is_some_and(|key| !keys.contains(&key)) {
            remove(&known);
        }
    }
    let mut place = parent.first_child();
    for want in wanted {
        let key_of_want = key(&want);
        let found = match &key_of_want {
            Some(_) => children(parent).into_iter().find(|known| key(known) == key_of_want),
            None => place.clone().filter(|known| key(known).is_none()),
        };
        match found.filter(|known| known.node_name() == want.node_name()) {
            Some(known) if place.as_ref() == Some(&known) => {
                place = known.next_sibling();
                morph_node(&known, &want);
            }
            Some(known) => {
                insert(parent, &known, place.as_ref());
                morph_node(&known, &want);
            }
            None => insert(parent, &want, place.as_ref()),
        }
    }
    while let Some(rest) = place {
        place = rest.next_sibling();
        remove(&rest);
    }
}

fn morph_node(known: &Node, want: &Node) {
    if known.is_equal_node(Some(want)) {
        return;
    }
    let (Some(known), Some(want)) = (known.dyn_ref::<Element>(), want.dyn_ref::<Element>()) else {
        known.set_node_value(want.node_value().as_deref());
        return;
    };
    morph_attributes(known, want);
    if !want.has_attribute(SOURCE) {
        morph_children(known, want);
    }
}

fn morph_attributes(known: &Element, want: &Element) {
    let names = |element: &Element| {
        element.get_attribute_names().iter().filter_map(|name| name.as_string()).collect::<Vec<_>>()
    };
    for name in names(known) {
        if !want.has_attribute(&name) && !OF_USER.contains(&name.as_str()) {
            // Only an unknown name could fail.
            let _ = known.remove_attribute(&name);
        }
    }
    for name in names(want) {
        let value = want.get_attribute(&name);
        if OF_USER.contains(&name.as_str()) || known.get_attribute(&name) == value {
            continue;
        }
        let value = value.unwrap_or_default();
        if let Some(details) = known.dyn_ref::<HtmlDetailsElement>().filter(|_| name == OPEN) {
            details.set_open(value == "true");
        }
        let _ = known.set_attribute(&name, &value);
    }
    // What a field says is no attribute once it was edited.
    if let (Some(known), Some(want)) =
        (known.dyn_ref::<HtmlInputElement>(), want.dyn_ref::<HtmlInputElement>())
    {
        known.set_checked(want.checked());
        if known.value() != want.value() {
            known.set_value(&want.value());
        }
    }
}

/// What makes an element that one and no other: its `data-key`, or its id.
fn key(node: &Node) -> Option<String> {
    let element = node.dyn_ref::<Element>()?;
    element.get_attribute("data-key").or_else(|| element.get_attribute("id"))
}

fn children(parent: &Node) -> Vec<Node> {
    std::iter::successors(parent.first_child(), Node::next_sibling).collect()
}

fn insert(parent: &Node, node: &Node, place: Option<&Node>) {
    // `place` is a child of `parent`, so this cannot fail; nor can removing a child.
    let _ = parent.insert_before(node, place);
}

fn remove(node: &Node) {
    if let Some(parent) = node.parent_node() {
        let _ = parent.remove_child(node);
    }
}
