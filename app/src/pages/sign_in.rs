//! The page in front of the page: name and password, and for the first admin the set-up code. A plain
//! form; it has no scripts but the theme's.

use leptos::prelude::*;

use crate::pages::layout::{Document, Sheet, sentence};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct SignInForm {
    /// Where it lives, and how it appears.
    pub sheet: Sheet,
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
        Lacking::Nothing => ("plain.sign-in", "plain.sign-in"),
        Lacking::FirstAdmin | Lacking::FirstAdminAndCode => ("plain.set-up", "plain.set-up.button"),
    };
    let sheet = form.sheet;
    let title = sheet.label(title);
    let first = form.lacking != Lacking::Nothing;
    let action = sheet.address("sign-in");
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
            {opening(&sheet, form.lacking)}
            {wrong}
            <form method="post" action=action>
                <input type="hidden" name="then" value=form.then />
                <label for="name">{sheet.label("plain.name")}</label>
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
                    autofocus=!sheet.dress.bare
                />
                <label for="password">{sheet.label("plain.password")}</label>
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
                                {sheet.label("plain.password.fit")}
                            </p>
                            <label for="code">{sheet.label("plain.code")}</label>
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
                <button class="primary">{sheet.label(button)}</button>
            </form>
        </main>
    };
    crate::pages::layout::door(&sheet, title, content)
}

fn opening(sheet: &Sheet, lacking: Lacking) -> impl IntoView + use<> {
    let key = match lacking {
        Lacking::Nothing => "plain.sign-in.lead",
        Lacking::FirstAdmin => "plain.set-up.lead",
        Lacking::FirstAdminAndCode => "plain.set-up.over",
    };
    view! { <p class="muted">{sheet.label(key)}</p> }
}
