//! Can programs use the API with nothing but its `OpenAPI` document?

use std::path::PathBuf;
use std::process::Command;

use testkit::{Overview, TOKEN, folder, output_text, target};

/// A tool in the Python environment that `cargo xtask` creates.
pub(crate) fn python_tool(name: &str) -> PathBuf {
    let tool = target().join("python/bin").join(name);
    assert!(tool.exists(), "{} is missing: `cargo xtask check` installs it", tool.display());
    tool
}

#[test]
fn requests_generated_from_the_openapi_document_get_documented_responses() {
    let overview = Overview::start();
    overview.send_heartbeat("app-1", 1);
    // All routes except the stream, which never ends.
    let result = Command::new(python_tool("schemathesis"))
        .args(["run", &overview.url("/api/v1/openapi.json")])
        .args(["--header", &format!("Authorization: Bearer {TOKEN}")])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"])
        .args(["--exclude-path", "/api/v1/stream", "--max-examples", "40"])
        .args(["--request-timeout", "15", "--warnings", "off", "--no-color"])
        .current_dir(&overview.folder)
        .output()
        .unwrap();
    assert!(result.status.success(), "{}", output_text(&result));
    assert!(output_text(&result).contains("No issues found"), "{}", output_text(&result));
}

#[test]
fn a_client_generated_from_the_openapi_document_sends_heartbeats_reads_and_configures() {
    let overview = Overview::start();
    let folder = folder();
    let generated = Command::new(python_tool("openapi-python-client"))
        .args(["generate", "--url", &overview.url("/api/v1/openapi.json")])
        .args(["--meta", "none", "--output-path", "generated"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(generated.status.success(), "{}", output_text(&generated));
    let client = Command::new(python_tool("python"))
        .args([
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/client.py"),
            &overview.url(""),
            TOKEN,
        ])
        .env("PYTHONPATH", &*folder)
        .output()
        .unwrap();
    assert!(client.status.success(), "{}", output_text(&client));
    overview.wait_for_component("generated-1", |component| component["pulse"] == "alive");
}
