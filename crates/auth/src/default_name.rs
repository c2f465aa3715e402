//! Names for those who have not chosen one.

use kernel::Entropy;

const MANNERS: [&str; 40] = [
    "Amber", "Bold", "Brave", "Bright", "Calm", "Clever", "Cosmic", "Curious", "Daring", "Dreamy", "Early",
    "Electric", "Gentle", "Golden", "Happy", "Honest", "Humble", "Indigo", "Jolly", "Kind", "Late", "Lively",
    "Lucky", "Mellow", "Merry", "Misty", "Modest", "Nimble", "Patient", "Polite", "Quiet", "Rapid", "Silver",
    "Sleepy", "Sunny", "Swift", "Tender", "Velvet", "Warm", "Witty",
];

const ANIMALS: [&str; 40] = [
    "Badger", "Bear", "Beaver", "Bison", "Crane", "Curlew", "Deer", "Dolphin", "Falcon", "Finch", "Fox",
    "Gecko", "Hare", "Hedgehog", "Heron", "Ibis", "Jackdaw", "Koala", "Lark", "Lemur", "Lynx", "Magpie",
    "Marten", "Mole", "Moth", "Newt", "Otter", "Owl", "Panda", "Pelican", "Puffin", "Quail", "Raven",
    "Robin", "Seal", "Sparrow", "Stork", "Swan", "Tapir", "Wren",
];

/// A name in the manner of "Quiet Otter", one of 1600. Two people may get the same: names tell nobody apart.
pub fn default_name(entropy: &dyn Entropy) -> String {
    let draw = |words: &[&'static str; 40]| words[entropy.below(40) as usize];
    format!("{} {}", draw(&MANNERS), draw(&ANIMALS))
}
