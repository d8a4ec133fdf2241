//! A rotating log file.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::whole_file::append;

/// A file that lines are appended to. When it is full it is renamed to `<file>.1`, which replaces the previous one, and
/// begins again: both together have at most twice the bytes of a full one.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    full: u64,
}

impl LogFile {
    /// Opens or continues a file, which is full at `full` bytes.
    pub(crate) fn open(path: &Path, full: u64) -> io::Result<Self> {
        let file = append(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes, full })
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        let mut before = self.path.clone().into_os_string();
        before.push(".1");
        fs::rename(&self.path, before)?;
        self.file = append(&self.path)?;
        self.bytes = 0;
        Ok(())
    }
}

/// Each write is one line, which is never split between files.
impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.full {
            self.begin_anew()?;
        }
        let written = self.file.write(line)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &Path) -> Vec<String> {
        fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn two_files_keep_the_newest_lines_and_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let (path, before) = (folder.path().join("x.log"), folder.path().join("x.log.1"));
        for round in 0..10 {
            // Each time as a program that starts again.
            let mut file = LogFile::open(&path, 100).unwrap();
            for line in 0..7 {
                writeln!(file, "line {:02}", 7 * round + line).unwrap();
            }
        }
        let sizes = [&path, &before].map(|path| fs::metadata(path).unwrap().len());
        assert!(sizes.iter().all(|size| *size <= 100), "{sizes:?}");
        let kept = [lines(&before), lines(&path)].concat();
        let newest: Vec<_> = (0..70).map(|number| format!("line {number:02}")).skip(70 - kept.len()).collect();
        assert_eq!(kept, newest);
        assert!(kept.len() >= 100 / "line 00\n".len());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
