//! Faults that were ordered, and whom they strike.

use super::account::User;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// An answer of this status instead of the real one.
    Status(u16),
    /// The real answer, late; with headers and a body in the place of its own, where some were ordered.
    Delay,
    /// No answer, and the connection stays open.
    Hang,
    /// No answer, and the connection is torn down.
    Reset,
    /// A body that is no JSON.
    Garbage,
    /// The request arrives twice, and both are carried out; the answer is the first one's.
    Duplicate,
}

/// A fault in force.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) method: Option<String>,
    /// A path template, or a plain path.
    pub(crate) path: Option<String>,
    pub(crate) user: Option<User>,
    pub(crate) kind: FaultKind,
    /// Bytes and whether they are JSON.
    pub(crate) body: Option<(String, bool)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) status: Option<u16>,
    pub(crate) delay_ms: u64,
    /// How often it still strikes; `None`: until replaced.
    pub(crate) times: Option<u64>,
    /// Whether the act is left undone.
    pub(crate) before_effect: bool,
}

/// A call as faults see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) method: &'a str,
    pub(crate) template: &'a str,
    pub(crate) path: &'a str,
    pub(crate) user: Option<User>,
}

impl Fault {
    fn strikes(&self, call: Seen<'_>) -> bool {
        self.times != Some(0)
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(call.method))
            && self.path.as_ref().is_none_or(|path| path == call.path || same_template(path, call.template))
            && (self.user.is_none() || self.user == call.user)
    }
}

/// `{id}` and `{playlist_id}` mean the same place.
fn same_template(asked: &str, template: &str) -> bool {
    let placeholder = |part: &str| part.starts_with('{') && part.ends_with('}');
    asked.split('/').count() == template.split('/').count()
        && asked
            .split('/')
            .zip(template.split('/'))
            .all(|(a, b)| a == b || (placeholder(a) && placeholder(b)))
}

/// The first fault, in order, that strikes a call; counted as one strike.
pub(crate) fn strike(faults: &mut [Fault], call: Seen<'_>) -> Option<Fault> {
    let fault = faults.iter_mut().find(|fault| fault.strikes(call))?;
    if let Some(times) = &mut fault.times {
        *times -= 1;
    }
    Some(fault.clone())
}
