//! Files that appear when they are complete, or not at all.

use super::Fault;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes gathered before they are handed to the operating system.
const BUFFER: usize = 1 << 16;

/// A file written beside its target and renamed to it by [`finish`](AtomicFile::finish).
///
/// Dropped without `finish`, it leaves an older target as it was and removes what it wrote. A target that is a device or
/// a pipe is written directly, since renaming would replace it; a symbolic link is followed.
pub struct AtomicFile {
    /// The path the user gave, for messages.
    path: PathBuf,
    writer: BufWriter<File>,
    /// From where to where to rename; none for a device, and after the rename.
    pending: Option<(PathBuf, PathBuf)>,
}

impl AtomicFile {
    /// Opens a temporary file beside `path`.
    pub fn create(path: impl AsRef<Path>) -> Result<AtomicFile, Fault> {
        let path = path.as_ref();
        let existing = fs::metadata(path).ok();
        if let Some(metadata) = &existing {
            if metadata.is_dir() {
                let fault = Fault::write(path, "it is a directory, expected a file name");
                return Err(fault.with_help(format!("write `{}`", path.join("recording.csv").display())));
            }
            if !metadata.is_file() {
                let file = OpenOptions::new().write(true).open(path).map_err(|error| Fault::write_os(path, &error))?;
                let writer = BufWriter::with_capacity(BUFFER, file);
                return Ok(AtomicFile { path: path.to_owned(), writer, pending: None });
            }
            if metadata.permissions().readonly() {
                let fault = Fault::write(path, "the file exists and is read-only");
                return Err(fault.with_help(format!("write elsewhere, or `chmod u+w {}`", path.display())));
            }
        }
        let target = match &existing {
            Some(_) => fs::canonicalize(path).map_err(|error| Fault::write_os(path, &error))?,
            None => path.to_owned(),
        };
        let temporary = temporary_beside(&target).ok_or_else(|| Fault::write(path, "this is not a file name"))?;
        let file = OpenOptions::new().write(true).create_new(true).open(&temporary).map_err(|error| {
            match (error.kind(), target.parent()) {
                (io::ErrorKind::NotFound, Some(parent)) => {
                    Fault::write(path, format!("directory `{}` does not exist", parent.display()))
                        .with_help(format!("create it: `mkdir -p {}`", parent.display()))
                }
                (io::ErrorKind::NotADirectory, Some(parent)) => {
                    Fault::write(path, format!("`{}` is a file, expected a directory", parent.display()))
                }
                _ => Fault::write_os(path, &error),
            }
        })?;
        if let Some(metadata) = existing {
            // The replaced file's permissions are a convenience: a file system that cannot set them may refuse.
            let _ = file.set_permissions(metadata.permissions());
        }
        let writer = BufWriter::with_capacity(BUFFER, file);
        Ok(AtomicFile { path: path.to_owned(), writer, pending: Some((temporary, target)) })
    }

    /// The path that the finished file will have, as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Completes the file: only now does it appear under its name.
    pub fn finish(mut self) -> Result<(), Fault> {
        self.commit().map_err(|error| Fault::write_os(&self.path, &error))
    }

    fn commit(&mut self) -> io::Result<()> {
        self.writer.flush()?;
        if let Some((temporary, target)) = &self.pending {
            // Without this a power cut after the rename could leave an empty file under the final name.
            self.writer.get_ref().sync_data()?;
            fs::rename(temporary, target)?;
            self.pending = None;
        }
        Ok(())
    }
}

/// A name in the target's directory that no other writer of this or another process uses.
pub(super) fn temporary_beside(target: &Path) -> Option<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = OsString::from(".");
    name.push(target.file_name()?);
    name.push(format!(".{}-{}.partial", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    Some(target.with_file_name(name))
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.writer.seek(position)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some((temporary, _)) = &self.pending {
            // Nothing better can be done about a failure here: the reason why the file is incomplete was reported.
            let _ = fs::remove_file(temporary);
        }
    }
}
