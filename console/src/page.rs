//! The page, whose files are in the binary. The browser may load no other files.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// Allows only this server's files: no other origin, nothing inline, no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const MARKDOWN: &str = "text/markdown; charset=utf-8";

/// The runbook has a section for each alarm; banners name these sections.
const RUNBOOK: &str = include_str!("../../docs/RUNBOOK.md");

/// Every asset: name, content type, text.
const ASSETS: [(&str, &str, &str); 14] = [
    ("app.js", SCRIPT, include_str!("page/app.js")),
    ("api.js", SCRIPT, include_str!("page/api.js")),
    ("dom.js", SCRIPT, include_str!("page/dom.js")),
    ("act.js", SCRIPT, include_str!("page/act.js")),
    ("rollups.js", SCRIPT, include_str!("page/rollups.js")),
    ("timeline.js", SCRIPT, include_str!("page/timeline.js")),
    ("jobs.js", SCRIPT, include_str!("page/jobs.js")),
    ("job.js", SCRIPT, include_str!("page/job.js")),
    ("workers.js", SCRIPT, include_str!("page/workers.js")),
    ("dead.js", SCRIPT, include_str!("page/dead.js")),
    ("runbook.js", SCRIPT, include_str!("page/runbook.js")),
    ("stock.js", SCRIPT, include_str!("page/stock.js")),
    ("style.css", STYLE, include_str!("page/style.css")),
    ("icon.svg", SVG, include_str!("page/icon.svg")),
];

pub(super) async fn index() -> Response {
    typed(HTML, include_str!("page/index.html"))
}

pub(super) async fn runbook() -> Response {
    typed(MARKDOWN, RUNBOOK)
}

/// True if the runbook has a section of this name.
#[cfg(test)]
pub(super) fn in_runbook(section: &str) -> bool {
    RUNBOOK.lines().any(|line| line == format!("## {section}"))
}

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|(asset, ..)| *asset == name) {
        Some((_, kind, text)) => typed(kind, text),
        None => (StatusCode::NOT_FOUND, "no such asset\n").into_response(),
    }
}

fn typed(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // The next request may reach a process of another release.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_no_other_origin_and_has_nothing_inline() {
        let index = include_str!("page/index.html");
        assert!(!index.contains("<style") && !index.contains("style="));
        assert!(!index.contains("<script>"));
        for attribute in ["onload=", "onclick=", "onerror="] {
            assert!(!index.contains(attribute), "{attribute}");
        }
        for (name, _, text) in ASSETS {
            let namespace = "http://www.w3.org/2000/svg";
            let text = text.replace(namespace, "");
            assert!(
                !text.contains("http://") && !text.contains("https://"),
                "{name}"
            );
            assert!(text.lines().count() < 300, "{name}");
        }
    }
}
