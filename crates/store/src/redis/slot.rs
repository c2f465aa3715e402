//! Which of a cluster's 16,384 slots a key is in: CRC16 of its hash tag (Redis cluster specification, appendix A).

const SLOTS: u16 = 16384;

pub(super) fn slot(key: &str) -> u16 {
    let tag = match key.split_once('{').and_then(|(_, rest)| rest.split_once('}')) {
        Some((tag, _)) if !tag.is_empty() => tag,
        _ => key,
    };
    tag.bytes().fold(0, step) % SLOTS
}

/// CRC-16/XMODEM.
fn step(crc: u16, byte: u8) -> u16 {
    (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
        let shifted = crc << 1;
        if crc & 0x8000 == 0 { shifted } else { shifted ^ 0x1021 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        // As CLUSTER KEYSLOT of Redis 7.0.15 says; the first is the specification's check value.
        for (key, expected) in [("123456789", 0x31c3), ("foo", 12182), ("x{foo}y", 12182), ("{}foo", 9500)] {
            assert_eq!(slot(key), expected, "{key}");
        }
    }
}
