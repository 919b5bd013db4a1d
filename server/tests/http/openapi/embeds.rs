//! The statuses of the routes about embed codes.

use serde_json::json;

use super::checker::*;
use crate::harness::Answer;

/// The person for whom a product creates a code.
pub(super) fn guest(role: &str) -> Vec<u8> {
    bytes(&json!({"name": "Ann", "role": role}))
}

/// Checks embed codes with every rejection. Returns the path of a session that has not ended.
pub(super) fn check_embeds(checker: &Checker) -> String {
    checker.ask(200, ("GET", TOKENS, TOKENS), &[], &[]);
    let embed = ("POST", EMBEDS, EMBEDS);
    let visit = |made: &Answer| format!("{EMBEDS}/{}", made.body["id"].as_str().unwrap());
    let viewer = format!("Bearer {}", checker.overview.token("viewer"));
    checker.ask(403, embed, &[("authorization", &viewer), JSON], &guest("admin"));
    refuse_bodies(checker, "POST", EMBEDS, &[]);
    let ended = visit(&checker.ask(201, embed, &[JSON], &guest("admin")));
    checker.ask(204, ("DELETE", EMBED, &ended), &[], &[]);
    checker.ask(404, ("DELETE", EMBED, &ended), &[], &[]);
    checker.ask(400, ("DELETE", EMBED, "/api/v1/embeds/%FF"), &[], &[]);
    let made = checker.ask(201, embed, &[JSON], &guest("viewer"));
    // A guest cannot create codes.
    let path = format!("/embed?code={}", made.body["code"].as_str().unwrap());
    let cookie = checker.overview.get(&path).header("set-cookie").to_owned();
    let cookie = cookie.split(';').next().unwrap();
    let as_guest =
        [("authorization", NO_PROOF), ("cookie", cookie), ("sec-fetch-site", "same-origin")];
    checker.ask(409, embed, &[&as_guest[..], &[JSON]].concat(), &guest("viewer"));
    checker.ask(409, ("DELETE", EMBED, &visit(&made)), &as_guest, &[]);
    visit(&made)
}
