//! Is a write-ahead log that a killed process left behind damaged?
//!
//! `SQLite` uses the log up to the first frame with a wrong checksum and silently ignores the rest. That is right for a
//! transaction that was being written when the power failed. It is wrong for a damaged log, because the ignored
//! transactions had been acknowledged. <https://sqlite.org/fileformat2.html#walformat>

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::store::sqlite::checkpoint::wal_path;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// Describes the damage of a database's log. Each commit is synced before the next one begins. So after a frame with a
/// wrong checksum there is at most one commit, unless the log was damaged.
pub(super) fn find_damage(database: &Path) -> Option<String> {
    let mut log = BufReader::new(File::open(wal_path(database)).ok()?);
    let mut header = [0; HEADER_BYTES];
    log.read_exact(&mut header).ok()?;
    // The header is synced before the first frame is written: if it is empty, there are no frames.
    if header.iter().all(|byte| *byte == 0) {
        return None;
    }
    let found = |what: &str| Some(format!("its write-ahead log is damaged: {what}"));
    let Some(head) = WalHeader::parse(&header) else { return found("its header is invalid") };
    let lost = head.count_commits_after_fault(&mut log);
    if lost > 1 {
        found(&format!("{lost} commits follow a page with a wrong checksum"))
    } else {
        None
    }
}

const MAX_PAGE_BYTES: usize = 65_536;

struct WalHeader {
    /// The size of a frame: its header and one page.
    frame_bytes: usize,
    /// Distinguishes frames of this log from those of an earlier one that are still in the file.
    salt: [u8; 8],
    checksum: Checksum,
}

impl WalHeader {
    /// `None` if the header is invalid.
    fn parse(header: &[u8; HEADER_BYTES]) -> Option<Self> {
        let is_big_endian = match read_u32(header, 0)? {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return None,
        };
        let mut checksum = Checksum { words: (0, 0), is_big_endian };
        checksum.add(header.get(..24)?);
        let page =
            usize::try_from(read_u32(header, 8)?).ok().filter(|page| *page <= MAX_PAGE_BYTES)?;
        let salt = *header.get(16..)?.first_chunk()?;
        (checksum.words == (read_u32(header, 24)?, read_u32(header, 28)?)).then_some(Self {
            frame_bytes: FRAME_HEADER_BYTES + page,
            salt,
            checksum,
        })
    }

    /// Counts the commits after the first frame with a wrong checksum. Frames are read one by one, because a log may be
    /// larger than the memory.
    fn count_commits_after_fault(mut self, frames: &mut impl Read) -> usize {
        let mut frame = vec![0; self.frame_bytes];
        let (mut is_whole, mut lost) = (true, 0);
        while frames.read_exact(&mut frame).is_ok() {
            is_whole = is_whole && self.checksum.matches(&frame, self.salt);
            if !is_whole
                && frame.get(8..16) == Some(&self.salt[..])
                && read_u32(&frame, 4) != Some(0)
            {
                lost += 1;
            }
        }
        lost
    }
}

/// The checksum of all frames so far: after a damaged frame, no later one matches.
struct Checksum {
    words: (u32, u32),
    is_big_endian: bool,
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let read = if self.is_big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        let mut words = bytes.as_chunks().0.iter().map(|bytes| read(*bytes));
        while let (Some(first), Some(second)) = (words.next(), words.next()) {
            self.words.0 = self.words.0.wrapping_add(first).wrapping_add(self.words.1);
            self.words.1 = self.words.1.wrapping_add(second).wrapping_add(self.words.0);
        }
    }

    /// Adds a frame. Returns whether it belongs to this log and has the right checksum.
    fn matches(&mut self, frame: &[u8], salt: [u8; 8]) -> bool {
        let (header, page) = frame.split_at(FRAME_HEADER_BYTES);
        self.add(&header[..8]);
        self.add(page);
        header.get(8..16) == Some(&salt[..])
            && (read_u32(header, 16), read_u32(header, 20))
                == (Some(self.words.0), Some(self.words.1))
    }
}

/// Numbers in the log are big-endian.
fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}
