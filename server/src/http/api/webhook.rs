//! The description of what a channel of the kind `webhook` sends. The schema of its body is that of
//! [`Message`](crate::notify::Message).

use serde_json::{Value, json};

const DESCRIPTION: &str = "\
A `[[channel]]` of the channel file with `kind = \"webhook\"` and without `format` sends this to its URL. \
Headers and signature are those of Standard Webhooks (www.standardwebhooks.com).

**At least once.** A message that was not accepted is tried again after 5 s, 30 s, 2, 5, 15 and 30 min, and then every hour \
until a day has passed, always with the same `webhook-id`. It may also arrive twice if its acceptance was not received. While \
the overview cannot use its database, each of its web servers says so, with the same id. So remember the ids of accepted \
messages for a day, and accept the same id again without acting on it.

**True when it arrives.** The body is made at each try, so it can differ from that of an earlier try with the same id. If there \
is more to say before a message was accepted, a new message with a new id says it all, and the earlier one is not tried again.

**In time.** An answer that is not there after 15 s counts as none. Redirects are not followed.

A test (`POST /api/v1/channels/{name}/test`) is a message with one incident, which has ended and has the hint `test`. A test is \
tried once.";

/// The webhooks of the description.
pub(super) fn describe() -> Value {
    let schema = json!({"$ref": "#/components/schemas/WebhookMessage"});
    json!({"incidents": {"post": {
        "operationId": "receive_incidents",
        "summary": "What a webhook is told of incidents",
        "description": DESCRIPTION,
        "parameters": [
            header("webhook-id", "The same at each try of a message, and different from that of any other message.", json!({"type": "string"})),
            header(
                "webhook-timestamp",
                "When this try was made: seconds since 1970-01-01T00:00:00Z. Reject a message whose time is more than 5 min \
                 from yours, or somebody could send an old one again.",
                json!({"type": "string", "pattern": "^[0-9]+$"}),
            ),
            header(
                "webhook-signature",
                "`v1,` and the signature in base64: the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}`. The key is \
                 what follows `whsec_` in the `secret_file` of the channel, decoded from base64.",
                json!({"type": "string", "pattern": "^v1,[A-Za-z0-9+/]{43}=$"}),
            ),
        ],
        "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
        "responses": responses(),
    }}})
}

fn header(name: &str, description: &str, schema: Value) -> Value {
    json!({
        "name": name, "in": "header", "required": true, "description": description, "schema": schema,
    })
}

/// What the overview makes of an answer.
fn responses() -> Value {
    let busy = json!({
        "description": "Not now: the message is tried again, at the earliest after `Retry-After`.",
        "headers": {"Retry-After": {
            "description": "Seconds, or a time as HTTP writes it; at most a day.",
            "schema": {"type": "string"},
        }},
    });
    json!({
        "2XX": {"description": "Accepted. The message is not sent again."},
        "410": {"description": "The receiver is gone for good: the channel is paused until an admin lets it go on."},
        "429": busy,
        "503": busy,
        "default": {"description": "Not accepted: the message is tried again. So is one without an answer."},
    })
}
