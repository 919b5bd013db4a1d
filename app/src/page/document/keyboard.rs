//! What the document has for the keyboard: links that skip to its parts, and the help about the shortcuts.

use leptos::prelude::*;

use crate::i18n::{Catalog, MessageKey};

/// Links that are shown while they have the focus.
pub(crate) fn skip_links(catalog: &Catalog) -> impl IntoView + use<> {
    let link = |to: &'static str, key: MessageKey| {
        view! {
            <a class="skip" href=to>
                {catalog.text(key)}
            </a>
        }
    };
    view! {
        {link("#servers", MessageKey::PagesSkipServers)}
        {link("#troubleshooting-head", MessageKey::PagesSkipHints)}
    }
}

/// The help. `page.js` opens it, and switches the shortcuts of a single key off for those whose software types by itself.
pub(crate) fn help(catalog: &Catalog) -> impl IntoView + use<> {
    let shortcuts = [
        ("/", MessageKey::PagesKeysSearch),
        ("j", MessageKey::PagesKeysNext),
        ("k", MessageKey::PagesKeysPrevious),
        ("?", MessageKey::PagesKeysHelp),
        ("Enter", MessageKey::PagesKeysEnter),
        ("Esc", MessageKey::PagesKeysEscape),
    ];
    let shortcuts = shortcuts.map(|(key, effect)| {
        view! {
            <div>
                <dt>
                    <kbd>{key}</kbd>
                </dt>
                <dd>{catalog.text(effect)}</dd>
            </div>
        }
    });
    view! {
        <dialog id="help" aria-labelledby="help-title">
            <form method="dialog">
                <h2 id="help-title">{catalog.text(MessageKey::PagesKeys)}</h2>
                <button>{catalog.text(MessageKey::ActionClose)}</button>
            </form>
            <dl>{shortcuts}</dl>
            <label class="checkbox">
                <input type="checkbox" id="shortcuts" checked />
                {catalog.text(MessageKey::PagesKeysEnabled)}
            </label>
        </dialog>
    }
}
