//! The statuses of the routes about people.

use serde_json::json;

use super::checker::*;
use crate::harness::{FORM, OWN, Running};

/// Checks people with every rejection. There is a person `viv` afterwards.
pub(super) fn check_people(checker: &Checker) {
    let person = |name: &str, role: &str| bytes(&json!({"name": name, "role": role}));
    let role = |role: &str| bytes(&json!({"role": role}));
    let invite = ("POST", PEOPLE, PEOPLE);
    checker.ask(201, invite, &[JSON], &person("viv", "viewer"));
    checker.ask(409, invite, &[JSON], &person("VIV", "admin"));
    refuse_bodies(checker, "POST", PEOPLE, &[]);
    checker.ask(200, ("GET", PEOPLE, PEOPLE), &[], &[]);
    let code = checker.overview.setup_code();
    let form = format!("name=Ann&password=correct+horse+battery&code={code}");
    assert_eq!(
        checker.overview.send("POST", "/sign-in", &[FORM, OWN], form.as_bytes()).status,
        303
    );
    let ann = "/api/v1/people/ann";
    checker.ask(204, ("PATCH", PERSON, "/api/v1/people/Viv"), &[JSON], &role("admin"));
    checker.ask(409, ("PATCH", PERSON, ann), &[JSON], &role("viewer"));
    checker.ask(404, ("PATCH", PERSON, "/api/v1/people/nobody"), &[JSON], &role("viewer"));
    refuse_bodies(checker, "PATCH", PERSON, &[]);
    checker.ask(409, ("DELETE", PERSON, ann), &[], &[]);
    checker.ask(204, ("DELETE", SESSIONS, "/api/v1/people/ann/sessions"), &[], &[]);
    checker.ask(201, ("POST", INVITATION, "/api/v1/people/ann/invitation"), &[], &[]);
    checker.ask(201, invite, &[JSON], &person("bob", "viewer"));
    checker.ask(204, ("DELETE", PERSON, "/api/v1/people/bob"), &[], &[]);
    for (method, template) in [("DELETE", PERSON), ("DELETE", SESSIONS), ("POST", INVITATION)] {
        checker.ask(404, (method, template, &template.replace("{name}", "bob")), &[], &[]);
        checker.ask(400, (method, template, &template.replace("{name}", "%FF")), &[], &[]);
    }
    // Where nobody signs in there are no people.
    let open = Checker::of(Running::start());
    open.ask(409, ("GET", PEOPLE, PEOPLE), &[], &[]);
    open.ask(409, ("DELETE", SESSIONS, "/api/v1/people/ann/sessions"), &[], &[]);
    open.ask(409, ("POST", INVITATION, "/api/v1/people/ann/invitation"), &[], &[]);
    checker.seen.borrow_mut().extend(open.seen.take());
}

/// No change of people is possible while the database cannot be written.
pub(super) fn check_people_while_locked(checker: &Checker) {
    let bob = bytes(&json!({"name": "Bob", "role": "viewer"}));
    checker.ask(503, ("POST", PEOPLE, PEOPLE), &[JSON], &bob);
    let viewer = bytes(&json!({"role": "viewer"}));
    checker.ask(503, ("PATCH", PERSON, "/api/v1/people/viv"), &[JSON], &viewer);
    checker.ask(503, ("DELETE", PERSON, "/api/v1/people/viv"), &[], &[]);
    checker.ask(503, ("DELETE", SESSIONS, "/api/v1/people/viv/sessions"), &[], &[]);
    checker.ask(503, ("POST", INVITATION, "/api/v1/people/viv/invitation"), &[], &[]);
}
