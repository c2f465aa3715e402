//! The headers that every answer carries, so that no page of ours can be framed, read by others, or made to run what is
//! not ours.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::parts::Config;

/// Where Spotify keeps its pictures.
const PICTURES: &str = "https://i.scdn.co https://mosaic.scdn.co https://image-cdn-ak.spotifycdn.com \
                        https://image-cdn-fa.spotifycdn.com";

const FIXED: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// What of the headers depends on the configuration. Made once.
#[derive(Clone, Debug)]
pub(in crate::http) struct SecurityHeaders {
    policy: HeaderValue,
    https: bool,
}

impl SecurityHeaders {
    pub(in crate::http) fn new(config: &Config) -> Self {
        let policy = HeaderValue::from_str(&policy(config));
        // An address that no header can hold is none that anybody reaches; then nothing may be loaded at all.
        let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
        Self { policy, https: config.https() }
    }

    /// Adds them. What a handler has set itself stays.
    pub(super) fn add(self, headers: &mut HeaderMap, private: bool) {
        for (name, value) in FIXED {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(self.policy);
        // Under `no-referrer` some browsers name no origin in what a page sends, and the page could change nothing.
        let referrer = if private { "no-referrer" } else { "same-origin" };
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static(referrer));
        if private {
            headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        }
        if self.https {
            let a_year = HeaderValue::from_static("max-age=31536000");
            headers.insert(header::STRICT_TRANSPORT_SECURITY, a_year);
        }
    }
}

/// Whether what is found at that path is one person's.
pub(super) fn is_private(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/auth/")
}

/// The content security policy of every page.
fn policy(config: &Config) -> String {
    let demo = config.demo_spotify.as_deref().map_or(String::new(), |origin| format!(" {origin}"));
    // Not every browser takes 'self' to cover the WebSocket of the same host.
    let socket = config.public_url.replacen("http", "ws", 1);
    [
        "default-src 'none'".to_owned(),
        "script-src 'self'".to_owned(),
        "style-src 'self'".to_owned(),
        format!("img-src 'self' data: {PICTURES}{demo}"),
        format!("connect-src 'self' {socket}"),
        "font-src 'self'".to_owned(),
        "manifest-src 'self'".to_owned(),
        "worker-src 'self'".to_owned(),
        "base-uri 'none'".to_owned(),
        "form-action 'self'".to_owned(),
        "frame-ancestors 'none'".to_owned(),
        "require-trusted-types-for 'script'".to_owned(),
        "trusted-types svelte-trusted-html".to_owned(),
    ]
    .join("; ")
}
