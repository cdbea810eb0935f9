//! Writing the rows of a run: appended as they come, and gone on with whatever stopped the writer before.
//!
//! After `kill -9` at most one line, the last, is torn: it is cut off, and its case is run again. A case that was run
//! again has a later row, and whoever reads the folder takes the later one. Rows are with the system as soon as they are
//! there, and on the disk every half second. Only one process writes the rows of a run: a second one is refused.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::row::Row;

/// What a power cut may take at most: rows of this long.
const BATCH: Duration = Duration::from_millis(500);

/// Why rows cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {because}", file.display())]
pub struct RowsError {
    /// The file.
    file: PathBuf,
    /// Why.
    because: io::Error,
}

/// Whoever writes rows: a thread of its own, so that no answer waits for a disk.
#[derive(Debug)]
pub struct Writer {
    rows: Sender<Vec<u8>>,
    thread: JoinHandle<io::Result<()>>,
    file: PathBuf,
}

impl Writer {
    /// Appends to a file, which is made if it is not there; a torn last line is cut off first.
    ///
    /// # Errors
    /// [`RowsError`], also while another process writes this run.
    pub fn append(path: &Path) -> Result<Self, RowsError> {
        let because = |because| RowsError { file: path.to_owned(), because };
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(because)?;
        // Before anything is cut off: the line that looks torn may be one that the other one is writing.
        file.try_lock().map_err(|error| {
            because(match error {
                TryLockError::WouldBlock => io::Error::other("another process is writing this run"),
                TryLockError::Error(error) => error,
            })
        })?;
        let end = whole_lines(&mut file).map_err(because)?;
        file.set_len(end).map_err(because)?;
        let (rows, received) = channel();
        let thread = std::thread::Builder::new()
            .name("eval-rows".to_owned())
            .spawn(move || write(file, &received))
            .map_err(because)?;
        Ok(Self { rows, thread, file: path.to_owned() })
    }

    /// Hands a row over. False when the writer has ended: [`close`](Self::close) says why.
    #[must_use]
    pub fn push(&self, row: &Row) -> bool {
        let Ok(mut line) = serde_json::to_vec(row) else { return false };
        line.push(b'\n');
        self.rows.send(line).is_ok()
    }

    /// Waits until every row is on the disk.
    ///
    /// # Errors
    /// [`RowsError`] when a row could not be written.
    pub fn close(self) -> Result<(), RowsError> {
        let Self { rows, thread, file } = self;
        drop(rows);
        let ended = thread.join().unwrap_or_else(|_| Err(io::Error::other("the writer broke off")));
        ended.map_err(|because| RowsError { file, because })
    }
}

/// Writes what comes at once and together; the disk is asked to keep it once a batch and at the end.
fn write(mut file: File, rows: &Receiver<Vec<u8>>) -> io::Result<()> {
    let mut unsynced: Option<Instant> = None;
    loop {
        let wait = unsynced.map_or(BATCH, |since| BATCH.saturating_sub(since.elapsed()));
        let mut batch = match rows.recv_timeout(wait) {
            Ok(row) => row,
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => return file.sync_data(),
        };
        for row in rows.try_iter() {
            batch.extend_from_slice(&row);
        }
        if !batch.is_empty() {
            file.write_all(&batch)?;
            unsynced.get_or_insert_with(Instant::now);
        }
        if unsynced.is_some_and(|since| since.elapsed() >= BATCH) {
            file.sync_data()?;
            unsynced = None;
        }
    }
}

/// Where the last whole line ends.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    const BLOCK: u64 = 64 * 1024;
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        io::Read::by_ref(file).take(end - start).read_to_end(&mut block)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::evals::case::EvalCaseId;
    use crate::evals::row::{Status, Used};

    fn read(path: &Path) -> Vec<Row> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn row(case: &str, status: Status) -> Row {
        Row {
            case: EvalCaseId::try_from(case.to_owned()).unwrap(),
            epoch: 0,
            status,
            scores: BTreeMap::new(),
            slices: BTreeMap::new(),
            base: None,
            cluster: case.to_owned(),
            output: serde_json::Value::Null,
            used: Used::default(),
            judged: Used::default(),
            latency_ms: 1.5,
            error: None,
        }
    }

    fn written(path: &Path, rows: &[Row]) {
        let writer = Writer::append(path).unwrap();
        assert!(rows.iter().all(|row| writer.push(row)));
        writer.close().unwrap();
    }

    #[test]
    fn only_one_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        let first = Writer::append(&path).unwrap();
        let second = Writer::append(&path).unwrap_err().to_string();
        assert!(second.contains("another process is writing this run"), "{second}");
        assert!(first.push(&row("a", Status::Ok)));
        first.close().unwrap();
        written(&path, &[row("b", Status::Ok)]);
        assert_eq!(read(&path).len(), 2);
    }

    #[test]
    fn a_torn_line_is_dropped_and_its_case_can_be_run_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        let (a, b) = (row("a", Status::Ok), row("b", Status::Failed));
        written(&path, &[a.clone(), b.clone()]);
        assert_eq!(read(&path), [a.clone(), b.clone()]);
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            written(&path, std::slice::from_ref(&b));
            let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
            let kept = if cut > first { vec![a.clone(), b.clone()] } else { vec![b.clone()] };
            assert_eq!(read(&path), kept, "{cut}");
        }
    }
}
