//! Reading JSON without believing in its shape.

use serde_json::Value;

/// Looks into a JSON value; whatever is not there, or is something else, is `None`.
pub(crate) trait Look {
    /// The member of that name, unless null.
    fn look(&self, key: &str) -> Option<&Value>;

    /// A text that is not empty.
    fn text(&self, key: &str) -> Option<String> {
        self.look(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// A number of zero or more; a fraction is cut.
    fn count(&self, key: &str) -> Option<u64> {
        let value = self.look(key)?;
        value.as_u64().or_else(|| value.as_f64().filter(|n| (0.0..9e15).contains(n)).map(|n| n as u64))
    }

    /// A truth value.
    fn truth(&self, key: &str) -> Option<bool> {
        self.look(key)?.as_bool()
    }

    /// A list; nothing there is an empty one.
    fn list(&self, key: &str) -> &[Value] {
        self.look(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

impl Look for Value {
    fn look(&self, key: &str) -> Option<&Value> {
        self.get(key).filter(|value| !value.is_null())
    }
}

/// The elements that `read` understands, and how many it does not.
pub(crate) fn read_all<T>(list: &[Value], read: impl Fn(&Value) -> Option<T>) -> (Vec<T>, usize) {
    let items: Vec<T> = list.iter().filter_map(read).collect();
    let skipped = list.len() - items.len();
    (items, skipped)
}

/// The address of the narrowest picture of 300 px or more, else of the widest. A picture without a width counts as
/// one of 300: single pictures come that way.
pub(crate) fn picture(images: &[Value]) -> Option<String> {
    const WANTED: u64 = 300;
    let sized: Vec<(u64, String)> = images
        .iter()
        .filter_map(|image| Some((image.count("width").unwrap_or(WANTED), image.text("url")?)))
        .filter(|(_, url)| url.starts_with("https://") || url.starts_with("http://"))
        .collect();
    let enough = sized.iter().filter(|(width, _)| *width >= WANTED).min_by_key(|(width, _)| *width);
    enough.or_else(|| sized.iter().max_by_key(|(width, _)| *width)).map(|(_, url)| url.clone())
}
