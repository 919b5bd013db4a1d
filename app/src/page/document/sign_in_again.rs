//! What asks a user whose session has ended for the password, in place.

use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::i18n::{Catalog, MessageKey};
use crate::protocol::{CurrentUser, SiteInfo};

/// The form, which is hidden until the session has ended, and the script that sends it. `None` if the user did not
/// sign in here.
pub(crate) fn sign_in_again(
    catalog: &Catalog,
    site: &SiteInfo,
    user: &CurrentUser,
    nonce: &str,
) -> Option<(impl IntoView + use<>, impl IntoView + use<>)> {
    let name = user.name.clone().filter(|_| user.can_sign_out)?;
    let lead = catalog.format(MessageKey::PagesSignInAgain, &[("name", Arg::Text(name.clone()))]);
    let base = &site.base;
    let form = view! {
        <form
            class="bar"
            id="sign-in-again"
            method="post"
            action=format!("{base}/sign-in")
            data-check=format!("{base}/account/session")
        >
            <p id="sign-in-again-lead" role="status">{lead}</p>
            <input type="text" name="name" value=name autocomplete="username" hidden />
            <input
                type="password"
                id="sign-in-again-password"
                name="password"
                autocomplete="current-password"
                maxlength="1024"
                required
                aria-label=catalog.text(MessageKey::PagesPassword)
                aria-describedby="sign-in-again-lead"
            />
            <button class="primary">{catalog.text(MessageKey::PagesSignIn)}</button>
            <p class="error-text" role="alert"></p>
        </form>
    };
    let file = format!("{}/session.js", site.assets);
    let script = view! { <script nonce=nonce.to_owned() r#type="module" src=file></script> };
    Some((form, script))
}
