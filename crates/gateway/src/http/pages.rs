//! Pages that the server itself shows: what became of a sign-in. No scripts; they work wherever a browser does.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

/// The one style sheet, so that the content security policy needs no exception.
const STYLE: &str = include_str!("page.css");

/// Parlor's mark, as the web app draws it.
const MARK: &str = "<svg class=\"mark\" width=\"40\" height=\"40\" viewBox=\"0 0 32 32\" fill=\"none\" \
                    stroke=\"currentColor\" stroke-width=\"3.5\" aria-hidden=\"true\"><circle cx=\"16\" cy=\"16\" r=\"12.5\" \
                    opacity=\"0.3\"/><path d=\"M16 3.5a12.5 12.5 0 1 1-12.5 12.5\" stroke-linecap=\"round\"/><circle cx=\"16\" \
                    cy=\"16\" r=\"3.4\" fill=\"currentColor\" stroke=\"none\"/></svg>";

/// A page of a heading, a few sentences, and one thing to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    pub(super) status: StatusCode,
    pub(super) title: &'a str,
    pub(super) text: &'a str,
    /// Where the button leads, and what it says.
    pub(super) action: Option<(&'a str, &'a str)>,
    /// How long to wait, in seconds.
    pub(super) retry_after_s: Option<u64>,
}

impl IntoResponse for Page<'_> {
    fn into_response(self) -> Response {
        let action = self.action.map_or(String::new(), |(href, words)| {
            format!("<a class=\"act\" href=\"{}\">{}</a>", escape(href), escape(words))
        });
        let html = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Parlor</title>\
             <link rel=\"stylesheet\" href=\"/auth/page.css\"></head>\
             <body><main>{MARK}<h1>{title}</h1><p>{text}</p><p>{action}<a href=\"/\">To the front page</a></p></main></body></html>\n",
            title = escape(self.title),
            text = escape(self.text),
        );
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        let mut response = (self.status, [(header::CONTENT_TYPE, kind)], html).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The style of the pages.
pub(super) async fn style() -> Response {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    let cache = HeaderValue::from_static("public, max-age=3600");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], STYLE).into_response()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
