//! Streams of bytes that grow side by side and are read one after the other: what a format needs that wants whole columns
//! while rows come in.

use super::atomic::temporary_beside;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes held in memory before they are moved to a file.
const HELD: usize = 8 << 20;

/// Byte streams in bounded memory: what is too much for it goes to one temporary file, in pieces of each stream.
pub struct Spool {
    streams: Vec<Stream>,
    held: usize,
    most: usize,
    /// Where the temporary file goes, if one is needed.
    path: PathBuf,
    file: Option<File>,
    /// Length of the temporary file.
    end: u64,
}

#[derive(Default)]
struct Stream {
    /// Begin and length of its pieces in the file.
    pieces: Vec<(u64, usize)>,
    /// What follows them.
    held: Vec<u8>,
}

impl Spool {
    /// So many empty streams. The temporary file is a neighbour of the target, whose disk has to take as much anyway; for a
    /// target that is no file, such as a device, it is in the system's directory for temporary files.
    pub fn beside(target: &Path, streams: usize) -> Spool {
        Spool::holding(HELD, target, streams)
    }

    /// The same with a limit to what memory holds.
    pub fn holding(most: usize, target: &Path, streams: usize) -> Spool {
        let file_or_new = fs::metadata(target).map_or(true, |metadata| metadata.is_file());
        let beside = if file_or_new { temporary_beside(target) } else { None };
        let path = beside.or_else(|| temporary_beside(&std::env::temp_dir().join("nullcline")));
        // The second name has a last part.
        let path = path.unwrap_or_default();
        let streams = (0..streams).map(|_| Stream::default()).collect();
        Spool { streams, held: 0, most, path, file: None, end: 0 }
    }

    /// Appends to a stream.
    pub fn add(&mut self, stream: usize, bytes: &[u8]) -> io::Result<()> {
        self.streams[stream].held.extend_from_slice(bytes);
        self.held += bytes.len();
        if self.held >= self.most { self.spill() } else { Ok(()) }
    }

    /// Writes a whole stream.
    pub fn copy(&mut self, stream: usize, out: &mut impl Write) -> io::Result<()> {
        let stream = &self.streams[stream];
        if let Some(file) = &mut self.file {
            let mut block = Vec::new();
            for &(begin, length) in &stream.pieces {
                block.resize(length, 0);
                file.seek(SeekFrom::Start(begin))?;
                file.read_exact(&mut block)?;
                out.write_all(&block)?;
            }
        }
        out.write_all(&stream.held)
    }

    /// Moves what is held to the file.
    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = OpenOptions::new().read(true).write(true).create_new(true).open(&self.path)?;
                self.file.insert(file)
            }
        };
        for stream in self.streams.iter_mut().filter(|s| !s.held.is_empty()) {
            file.write_all(&stream.held)?;
            stream.pieces.push((self.end, stream.held.len()));
            self.end += stream.held.len() as u64;
            stream.held.clear();
        }
        self.held = 0;
        Ok(())
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // What remains is a temporary file by its name; nothing better can be done about a failure.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_come_out_whole_whatever_memory_holds() {
        let directory = tempfile::TempDir::new().unwrap();
        for most in [1, 7, 64, 1 << 20] {
            let mut spool = Spool::holding(most, &directory.path().join("out.npz"), 3);
            let mut expected = [Vec::new(), Vec::new(), Vec::new()];
            for k in 0..100u8 {
                let bytes = vec![k; usize::from(k % 5)];
                let stream = usize::from(k % 7 % 2);
                spool.add(stream, &bytes).unwrap();
                expected[stream].extend(bytes);
            }
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), usize::from(most < 1 << 20));
            for (stream, expected) in expected.iter().enumerate() {
                let mut out = Vec::new();
                spool.copy(stream, &mut out).unwrap();
                assert_eq!(&out, expected, "stream {stream}, {most} bytes held");
            }
            drop(spool);
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        }
    }
}
