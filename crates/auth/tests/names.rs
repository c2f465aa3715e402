//! Names: which pass, and which rule the others break.

use auth::{DisplayName, NameError, name};

fn check(text: &str, expected: Result<&str, NameError>) {
    let parsed = name::parse(text);
    assert_eq!(parsed.as_ref().map(DisplayName::as_str).map_err(|error| *error), expected, "{text:?}");
}

#[test]
fn names_of_people_pass() {
    check("Ana", Ok("Ana"));
    check("  Ana  ", Ok("Ana"));
    check("\u{3000}Ana\u{a0}", Ok("Ana"));
    check("Ana María Núñez", Ok("Ana María Núñez"));
    check("Jose\u{301}", Ok("Jos\u{e9}"));
    check("李小龍", Ok("李小龍"));
    check("हिन्दी", Ok("हिन्दी"));
    check("ผู้ใหญ่", Ok("ผู้ใหญ่"));
    check("Nguyễn Thị", Ok("Nguyễn Thị"));
    check("אבי", Ok("אבי"));
    check("Мария", Ok("Мария"));
    check("O'Neil-Smith <3", Ok("O'Neil-Smith <3"));
    check("👩‍🚀", Ok("👩‍🚀"));
    check("👨‍👩‍👧‍👦 home", Ok("👨‍👩‍👧‍👦 home"));
    check("👩🏽‍🚀", Ok("👩🏽‍🚀"));
    check("❤️‍🔥", Ok("❤️‍🔥"));
    check("🏳️‍🌈", Ok("🏳️‍🌈"));
    check("🇩🇪", Ok("🇩🇪"));
    check("👍🏽", Ok("👍🏽"));
    check(&"a".repeat(32), Ok(&"a".repeat(32)));
    check(&format!("  {}  ", "a".repeat(32)), Ok(&"a".repeat(32)));
    // Counted after composition: 64 characters as typed, 32 as kept.
    check(&"e\u{301}".repeat(32), Ok(&"\u{e9}".repeat(32)));
}

#[test]
fn the_rule_that_a_name_breaks_is_named() {
    use NameError as E;
    check("", Err(E::Empty));
    check("   \u{3000}\t", Err(E::Empty));
    check(&"a".repeat(33), Err(E::TooLong));
    check(&"a".repeat(100_000), Err(E::TooLong));
    check("a\nb", Err(E::Control));
    check("a\u{0}b", Err(E::Control));
    check("a\u{1b}[31mb", Err(E::Control));
    check("a\u{9b}b", Err(E::Control));
    check("a\u{2028}b", Err(E::Control));
    for c in ['\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200e}', '\u{200f}', '\u{61c}'] {
        check(&format!("a{c}b"), Err(E::Direction));
    }
    let unseen = [
        '\u{200b}',
        '\u{200c}',
        '\u{2060}',
        '\u{feff}',
        '\u{ad}',
        '\u{3164}',
        '\u{2800}',
        '\u{e0041}',
        '\u{34f}',
    ];
    for c in unseen {
        check(&format!("a{c}b"), Err(E::Invisible));
        check(&c.to_string(), Err(E::Invisible));
    }
    check("a\u{200d}b", Err(E::Invisible));
    check("👩\u{200d}", Err(E::Invisible));
    check("\u{200d}👩", Err(E::Invisible));
    check("👩\u{200d}\u{200d}👩", Err(E::Invisible));
    check("a\u{e000}", Err(E::Unassigned));
    check("a\u{ffff}", Err(E::Unassigned));
    check("a\u{fffd}", Err(E::Unassigned));
    check("a\u{1fffe}", Err(E::Unassigned));
    check("a\u{50000}", Err(E::Unassigned));
    check("a\u{10fffd}", Err(E::Unassigned));
    check("x\u{300}\u{301}\u{302}", Err(E::Marks));
    check("Z\u{335}\u{336}\u{337}\u{338}algo", Err(E::Marks));
    check("\u{301}a", Err(E::Marks));
    check("a \u{301}", Err(E::Marks));
    check("\u{fe0f}", Err(E::Marks));
}
