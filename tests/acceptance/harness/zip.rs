//! Reads a zip archive, as far as plan files need it.

use miniz_oxide::inflate::decompress_to_vec;

/// Whether these bytes are a zip archive.
pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// Name and content of each entry, by the central directory at the end of the archive.
pub(super) fn entries(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let end = bytes
        .windows(4)
        .rposition(|window| window == b"PK\x05\x06")
        .expect("a zip archive has a directory");
    let count = short(bytes, end + 10);
    let mut entry = long(bytes, end + 16);
    let mut found = Vec::with_capacity(count);
    for _ in 0..count {
        let (method, size, name_length) = (
            short(bytes, entry + 10),
            long(bytes, entry + 20),
            short(bytes, entry + 28),
        );
        let name = String::from_utf8_lossy(&bytes[entry + 46..entry + 46 + name_length]).into_owned();
        let local = long(bytes, entry + 42);
        let start = local + 30 + short(bytes, local + 26) + short(bytes, local + 28);
        let packed = &bytes[start..start + size];
        let content = match method {
            STORED => packed.to_vec(),
            DEFLATED => decompress_to_vec(packed).expect("an entry can be unpacked"),
            other => panic!("{name} is packed by method {other}"),
        };
        found.push((name, content));
        entry += 46 + name_length + short(bytes, entry + 30) + short(bytes, entry + 32);
    }
    found
}

fn short(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn long(bytes: &[u8], at: usize) -> usize {
    short(bytes, at) + (short(bytes, at + 2) << 16)
}

const STORED: usize = 0;
const DEFLATED: usize = 8;
