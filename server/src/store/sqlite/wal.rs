//! Is the write-ahead log whole that a killed process left behind?
//!
//! `SQLite` takes the log up to the first frame that does not fit and forgets the rest without a word:
//! right for a transaction that was being written when the power went, wrong for a log that was damaged,
//! where what was forgotten had been acknowledged. <https://sqlite.org/fileformat2.html#walformat>

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::store::sqlite::checkpoint::wal_path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What is wrong with the log beside a database. Each commit is on the disk before the next begins: so
/// behind a frame that does not fit there is the end of one transaction at most, unless it was damaged.
pub(super) fn find_damage(database: &Path) -> Option<String> {
    let mut log = BufReader::new(File::open(wal_path(database)).ok()?);
    let mut header = [0; HEADER];
    log.read_exact(&mut header).ok()?;
    // The header is on the disk before the first frame: a hole in its place means nothing came after.
    if header.iter().all(|byte| *byte == 0) {
        return None;
    }
    let found = |what: &str| Some(format!("its write-ahead log is damaged: {what}"));
    let Some(head) = WalHeader::parse(&header) else { return found("it has no valid beginning") };
    let lost = head.count_commits_after_fault(&mut log);
    if lost > 1 {
        found(&format!("{lost} commits follow a page that is not as written"))
    } else {
        None
    }
}

/// The largest page that `SQLite` knows.
const MAX_PAGE_BYTES: usize = 65_536;

/// What the log's header says of its frames.
struct WalHeader {
    /// How long each is: the header and the content of a page.
    frame: usize,
    /// Marks the frames of this log among those that an earlier one left in its file.
    salt: [u8; 8],
    checksum: Checksum,
}

impl WalHeader {
    /// A header that is valid.
    fn parse(header: &[u8; HEADER]) -> Option<Self> {
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
            frame: FRAME_HEADER + page,
            salt,
            checksum,
        })
    }

    /// How many transactions end behind the first frame that is not as written. The frames are read one by one: a log
    /// may be larger than the memory.
    fn count_commits_after_fault(mut self, frames: &mut impl Read) -> usize {
        let mut frame = vec![0; self.frame];
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

/// The checksum over all that came before: a frame that does not fit spoils those behind it.
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

    /// Takes a frame in; whether it is of this log and as it was written.
    fn matches(&mut self, frame: &[u8], salt: [u8; 8]) -> bool {
        let (header, page) = frame.split_at(FRAME_HEADER);
        self.add(&header[..8]);
        self.add(page);
        header.get(8..16) == Some(&salt[..])
            && (read_u32(header, 16), read_u32(header, 20))
                == (Some(self.words.0), Some(self.words.1))
    }
}

/// The number at a place: the log's own are big-endian.
fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}
