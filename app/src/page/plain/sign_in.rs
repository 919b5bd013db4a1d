//! The page in front of the page: name and password, and for the first admin the set-up code. A plain
//! form; it has no scripts but the theme's.

use leptos::prelude::*;

use super::{Document, sentence};
use crate::api::Site;

/// What the page shows.
#[derive(Clone, Debug)]
pub struct SignInForm {
    /// Where it lives.
    pub site: Site,
    /// The name that was typed before.
    pub name: String,
    /// The query of the page that was wanted.
    pub then: String,
    /// Why the last trial led nowhere.
    pub wrong: Option<String>,
    /// What has to be made first.
    pub lacking: Lacking,
}

/// What has to be made before anybody can sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// Nothing.
    Nothing,
    /// The first admin, with the code that was printed.
    FirstAdmin,
    /// The same, and the code is over.
    FirstAdminAndCode,
}

/// The whole HTML document.
pub fn document(form: SignInForm) -> Document {
    let (title, button) = match form.lacking {
        Lacking::Nothing => ("Sign in", "Sign in"),
        Lacking::FirstAdmin | Lacking::FirstAdminAndCode => ("Set up", "Create the first admin"),
    };
    let first = form.lacking != Lacking::Nothing;
    let action = format!("{}/sign-in", form.site.base);
    let wrong = form.wrong.map(|wrong| {
        view! {
            <p class="wrong" id="wrong" role="alert">
                {sentence(&wrong)}
            </p>
        }
    });
    let password = if first { "new-password" } else { "current-password" };
    let content = view! {
        <main class="door">
            <h1>{title}</h1>
            {opening(form.lacking)}
            {wrong}
            <form method="post" action=action>
                <input type="hidden" name="then" value=form.then />
                <label for="name">"Name"</label>
                <input
                    type="text"
                    id="name"
                    name="name"
                    value=form.name
                    autocomplete="username"
                    autocapitalize="none"
                    spellcheck="false"
                    maxlength="100"
                    required
                    autofocus
                />
                <label for="password">"Password"</label>
                <input
                    type="password"
                    id="password"
                    name="password"
                    autocomplete=password
                    aria-describedby=first.then_some("fit")
                    maxlength="1024"
                    required
                />
                {first
                    .then(|| {
                        view! {
                            <p class="muted hint" id="fit">
                                "At least 12 characters; a sentence is easy to keep in mind."
                            </p>
                            <label for="code">"Set-up code"</label>
                            <input
                                type="text"
                                id="code"
                                name="code"
                                autocomplete="off"
                                autocapitalize="none"
                                spellcheck="false"
                            />
                        }
                    })}
                <button class="primary">{button}</button>
            </form>
        </main>
    };
    super::document(&form.site, title, content)
}

fn opening(lacking: Lacking) -> impl IntoView {
    let said = match lacking {
        Lacking::Nothing => "Cluster Overview shows its servers to those who may see them.",
        Lacking::FirstAdmin => {
            "There is no admin yet. The first one is whoever has the set-up code that `serve` printed at its start; it is good for one hour."
        }
        Lacking::FirstAdminAndCode => {
            "There is no admin yet, and the hour of the set-up code is over: start `serve` again for a new one, or run `cluster-overview admin set-password NAME`."
        }
    };
    view! { <p class="muted">{said}</p> }
}
