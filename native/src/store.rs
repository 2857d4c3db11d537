//! An output directory: written atomically, never overwritten, resumable after any interruption.
//!
//! While runs are under way `state/` holds a JSON trace for each finished run, a safetensors snapshot and a claim for each
//! unfinished one, and `flags` what the command was told besides the experiment. Traces and snapshots have a checksum and say of
//! which experiment and data they are. Several processes may work in one directory.
//! `summary.json` is written last: a directory that has it is complete.

use std::{
    borrow::Cow,
    collections::HashMap,
    fs,
    io::{BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use l2lab_core::{
    Experiment,
    data::{Dataset, Split},
    run::{RunSpec, Trace},
    train::{NamedTensor, Snapshot},
};
use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

use crate::claims::{Claim, Claims};

const EXPERIMENT: &str = "experiment.toml";
const SUMMARY: &str = "summary.json";
const STATE: &str = "state";
const FLAGS: &str = "state/flags";
/// The key of a snapshot's JSON part in the safetensors header.
const META: &str = "l2lab";
/// The key of the CRC-32C of that and of its tensors, in the order of their names.
const SUM: &str = "crc32c";
/// The key of what it belongs to.
const ORIGIN: &str = "origin";
/// How the name of a file begins that is not yet what it will be.
const PARTIAL: &str = ".partial-";
/// A file that has been so for this long is left from a process that was killed.
const STALE: Duration = Duration::from_hours(1);

/// An output directory, and this process's claims in it.
pub struct Store {
    dir: PathBuf,
    claims: Claims,
    /// What its traces and snapshots belong to: see [`Self::bind`].
    origin: String,
}

/// A trace as a file.
#[derive(Serialize, Deserialize)]
struct Finished<T> {
    origin: String,
    crc32c: String,
    trace: T,
}

/// A tensor as it is written.
struct Written<'a>(&'a NamedTensor);

impl View for Written<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let mut bytes = vec![0; self.data_len()];
        for (bytes, value) in bytes.chunks_exact_mut(4).zip(&self.0.values) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        bytes.into()
    }

    fn data_len(&self) -> usize {
        size_of::<f32>() * self.0.values.len()
    }
}

/// A directory that was to be made is there.
#[derive(Debug, thiserror::Error)]
#[error("--out '{}' exists already: continue it with --resume, or choose another directory", .0.display())]
pub struct Occupied(pub PathBuf);

impl Store {
    /// Makes `dir` for a new experiment of `command`, which is told `flags` besides. Others take over what this process has
    /// claimed when it has not been heard of for `lease`.
    ///
    /// # Errors
    /// [`Occupied`] when it is there already and not empty; or when it cannot be written.
    pub fn create(dir: &Path, experiment: &Experiment, command: &str, flags: &str, lease: Duration) -> Result<Self> {
        let occupied = match fs::read_dir(dir) {
            // A state alone, or a part of a file, is what is left where the experiment could not be written.
            Ok(mut entries) => entries.any(|e| e.is_ok_and(|e| e.file_name() != STATE && !is_partial(&e))),
            Err(e) if e.kind() == ErrorKind::NotFound => false,
            Err(e) => return Err(e).with_context(|| format!("--out '{}' is no directory", dir.display())),
        };
        if occupied {
            return Err(Occupied(dir.to_owned()).into());
        }
        let store = Self::open(dir, lease)?;
        let text = toml::to_string(experiment).context("the experiment cannot be written as TOML")?;
        if !flags.is_empty() {
            store.write(FLAGS, flags.as_bytes())?;
        }
        let head = format!("# Run again: {}\n", again(command, flags));
        // What makes the directory the experiment's: of two processes that begin at once, one does it.
        if !write_new(&dir.join(EXPERIMENT), (head + &text).as_bytes())? {
            return Err(Occupied(dir.to_owned()).into());
        }
        Ok(store)
    }

    /// Opens `dir` to continue it, with the experiment that it holds.
    ///
    /// # Errors
    /// When it holds none.
    pub fn resume(dir: &Path, lease: Duration) -> Result<(Self, Experiment)> {
        let file = dir.join(EXPERIMENT);
        let text = fs::read_to_string(&file)
            .with_context(|| format!("--resume: '{}' cannot be read; there is nothing to continue", file.display()))?;
        let experiment = toml::from_str(&text).with_context(|| format!("'{}' is damaged", file.display()))?;
        Ok((Self::open(dir, lease)?, experiment))
    }

    /// Whether `dir` holds an experiment.
    pub fn is_begun(dir: &Path) -> bool {
        dir.join(EXPERIMENT).exists()
    }

    /// The flags that `dir` was made with besides the experiment, if there were any. A complete directory has them only in
    /// what its experiment says first.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn flags(dir: &Path) -> Result<Option<String>> {
        let text = |name: &str| -> Result<Option<String>> {
            let path = dir.join(name);
            let text = read(&path)?.map(String::from_utf8).transpose();
            text.with_context(|| format!("'{}' is damaged", path.display()))
        };
        if let Some(flags) = text(FLAGS)? {
            return Ok(Some(flags));
        }
        let head = text(EXPERIMENT)?.and_then(|text| text.lines().next().map(str::to_owned));
        Ok(head.as_deref().and_then(flags_of).map(str::to_owned))
    }

    fn open(dir: &Path, lease: Duration) -> Result<Self> {
        let state = dir.join(STATE);
        fs::create_dir_all(&state).with_context(|| format!("--out '{}' cannot be written", dir.display()))?;
        for entry in [dir, &state].into_iter().flat_map(fs::read_dir).flatten().flatten().filter(is_partial) {
            let changed = entry.metadata().and_then(|m| m.modified());
            if changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STALE)) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(Self { dir: dir.to_owned(), claims: Claims::new(state, lease), origin: String::new() })
    }

    /// Binds what is kept here to an experiment and its data, of which each seed may have a draw of its own: what was made by
    /// another, or from others, is refused.
    ///
    /// # Errors
    /// When the experiment cannot be written.
    pub fn bind(&mut self, experiment: &Experiment, data: &Split, of_seeds: bool) -> Result<()> {
        let mut text = toml::to_string(experiment).context("the experiment cannot be written as TOML")?;
        text += if of_seeds { "# each seed has its own draw of the data" } else { "" };
        let set = |sum: u32, set: &Dataset| {
            let sum = crc32c::crc32c_append(sum, set.labels());
            (0..set.len()).fold(sum, |sum, i| crc32c::crc32c_append(sum, set.image(i)))
        };
        self.origin = hex(set(set(crc32c::crc32c(text.as_bytes()), &data.train), &data.test));
        Ok(())
    }

    /// Refuses a file that is not of this directory's experiment.
    fn check_origin(&self, path: &Path, origin: &str) -> Result<()> {
        if origin != self.origin {
            bail!(
                "'{}' is of another experiment or of other data than '{}' tells of: put that and the data back as they were, or start \
                 again in a new --out",
                path.display(),
                self.dir.join(EXPERIMENT).display()
            );
        }
        Ok(())
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Takes the runs of `group`, unless one of them is at work in another process.
    ///
    /// # Errors
    /// When the directory cannot be read or written.
    pub fn claim(&self, phase: &str, group: &[usize]) -> Result<Option<Vec<Arc<Claim>>>> {
        let mut claims = Vec::with_capacity(group.len());
        for &run in group {
            match self.claims.take(&run_name(phase, run))? {
                Some(claim) => claims.push(claim),
                // Those that were taken are given back.
                None => return Ok(None),
            }
        }
        Ok(Some(claims))
    }

    /// Lets others know that this process is there.
    pub fn beat(&self) {
        self.claims.beat();
    }

    /// The summary of a completed directory.
    pub fn summary(&self) -> Option<String> {
        fs::read_to_string(self.dir.join(SUMMARY)).ok()
    }

    /// Writes a file whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written, a full disk included.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_whole(&self.dir.join(name), bytes)
    }

    /// Writes the summary and drops the state: the directory is complete.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn complete(&self, summary: &str) -> Result<()> {
        self.write(SUMMARY, summary.as_bytes())?;
        self.clear();
        Ok(())
    }

    /// Drops the state of a complete directory, which only takes space.
    pub fn clear(&self) {
        let _ = fs::remove_dir_all(self.dir.join(STATE));
    }

    /// The trace of run number `run` of `phase`, if it has ended; one of the same number that is not `spec` does not count.
    ///
    /// # Errors
    /// When the file is damaged, or of another experiment.
    pub fn finished(&self, phase: &str, run: usize, spec: &RunSpec) -> Result<Option<Trace>> {
        let path = self.dir.join(trace_name(phase, run));
        let Some(bytes) = read(&path)? else { return Ok(None) };
        let damaged = || format!("'{}' is damaged; remove it to run it again", path.display());
        let file: Finished<Trace> = serde_json::from_slice(&bytes).with_context(damaged)?;
        if sum_of(&file.trace)? != file.crc32c {
            bail!(damaged());
        }
        self.check_origin(&path, &file.origin)?;
        Ok(Some(file.trace).filter(|trace| trace.run == *spec))
    }

    /// Records a finished run, which is never run again, and returns its trace: that of another process if it was first.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&self, phase: &str, run: usize, trace: Trace) -> Result<Trace> {
        let path = self.dir.join(trace_name(phase, run));
        let file = Finished { origin: self.origin.clone(), crc32c: sum_of(&trace)?, trace: &trace };
        let bytes = serde_json::to_vec(&file)?;
        if !write_new(&path, &bytes)? {
            if let Some(first) = self.finished(phase, run, &trace.run)? {
                return Ok(first);
            }
            // It was of a run that had this number once.
            write_whole(&path, &bytes)?;
        }
        Ok(trace)
    }

    /// Saves the state of a group of unfinished runs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, phase: &str, group: &[usize], snapshot: &Snapshot) -> Result<()> {
        let meta = serde_json::to_string(snapshot)?;
        let tensors = || snapshot.tensors.iter().map(|t| (&t.name[..], Written(t)));
        let sum = checksum(&meta, tensors());
        let header = [(META, meta), (SUM, sum), (ORIGIN, self.origin.clone())];
        let header: HashMap<_, _> = header.map(|(key, value)| (key.to_owned(), value)).into();
        self.write(&snapshot_name(phase, group), &safetensors::serialize(tensors(), Some(header))?)
    }

    /// The saved state of a group of runs.
    ///
    /// # Errors
    /// When the file is damaged, or of another experiment.
    pub fn load(&self, phase: &str, group: &[usize]) -> Result<Option<Snapshot>> {
        let path = self.dir.join(snapshot_name(phase, group));
        let Some(bytes) = read(&path)? else { return Ok(None) };
        let parse = || -> Result<(Snapshot, String)> {
            let (_, header) = SafeTensors::read_metadata(&bytes)?;
            let text = |key| header.metadata().as_ref().and_then(|m| m.get(key)).with_context(|| format!("no {key}"));
            let meta = text(META)?;
            let file = SafeTensors::deserialize(&bytes)?;
            if *text(SUM)? != checksum(meta, file.iter()) {
                bail!("it is not what was saved");
            }
            let mut snapshot: Snapshot = serde_json::from_str(meta)?;
            for (name, view) in file.tensors() {
                let values =
                    view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
                snapshot.tensors.push(NamedTensor { name, shape: view.shape().to_vec(), values });
            }
            Ok((snapshot, text(ORIGIN)?.clone()))
        };
        let (snapshot, origin) = parse().with_context(|| self.unusable(phase, group))?;
        self.check_origin(&path, &origin)?;
        Ok(Some(snapshot))
    }

    /// What to tell of a group's saved state that is of no use.
    pub fn unusable(&self, phase: &str, group: &[usize]) -> String {
        let path = self.dir.join(snapshot_name(phase, group));
        format!("'{}' is damaged; remove it to start its runs again", path.display())
    }

    /// Forgets the saved state of a group that has finished.
    pub fn forget(&self, phase: &str, group: &[usize]) {
        // A snapshot of a finished group is never read again; it only takes space.
        let _ = fs::remove_file(self.dir.join(snapshot_name(phase, group)));
    }
}

/// Of a snapshot's JSON part and of all that its tensors are.
fn checksum<'a>(meta: &str, tensors: impl Iterator<Item = (&'a str, impl View)>) -> String {
    let mut tensors: Vec<_> = tensors.collect();
    tensors.sort_unstable_by_key(|(name, _)| *name);
    let sum = tensors.iter().fold(crc32c::crc32c(meta.as_bytes()), |sum, (name, tensor)| {
        let head = format!("{name} {:?} {:?}", tensor.dtype(), tensor.shape());
        crc32c::crc32c_append(crc32c::crc32c_append(sum, head.as_bytes()), &tensor.data())
    });
    hex(sum)
}

/// Of a trace, which is read as the same bits that were written.
fn sum_of(trace: &Trace) -> Result<String> {
    Ok(hex(crc32c::crc32c(&serde_json::to_vec(trace)?)))
}

fn hex(sum: u32) -> String {
    format!("{sum:08x}")
}

/// A file's bytes, if it is there.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("'{}' cannot be read", path.display())),
    }
}

/// Writes a file whole, unless it is there: whether it was not.
fn write_new(path: &Path, bytes: &[u8]) -> Result<bool> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let whole = whole(folder, |file| file.write_all(bytes));
    match whole.and_then(|file| Ok(file.persist_noclobber(path).map(drop)?)) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(e).with_context(|| format!("'{}' cannot be written", path.display())),
    }
}

/// Writes a file whole or not at all.
///
/// # Errors
/// When it cannot be written, a full disk included.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// Writes a file whole or not at all, piece by piece. A link stays, and the file that it leads to is replaced.
///
/// # Errors
/// When it cannot be written, a full disk included, or there is something that is no regular file.
pub fn write_with(path: &Path, content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let target = match fs::symlink_metadata(path) {
        Ok(_) => path.canonicalize().with_context(|| format!("'{}' leads nowhere", path.display()))?,
        Err(_) => path.to_owned(),
    };
    if target.exists() && !target.is_file() {
        bail!("'{}' is no regular file, so it is not replaced", path.display());
    }
    let folder = match target.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => bail!("'{}' is no file", path.display()),
    };
    let written = whole(folder, content).and_then(|file| Ok(file.persist(&target).map(drop)?));
    written.with_context(|| format!("'{}' cannot be written", path.display()))
}

/// A file in `folder` with all of its content, safe on the disk, and without its name yet.
fn whole(
    folder: &Path,
    content: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PARTIAL);
    // As readable as any file the user makes: the umask decides.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = BufWriter::new(builder.tempfile_in(folder)?);
    content(&mut file)?;
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Refuses an output that is one of the inputs.
///
/// # Errors
/// When both paths are one file that exists.
pub fn refuse_input(out: &Path, inputs: &[&Path]) -> Result<()> {
    let same = |input: &&Path| input.canonicalize().is_ok_and(|a| out.canonicalize().is_ok_and(|b| a == b));
    if inputs.iter().any(same) {
        bail!("--out '{}' is an input: choose another file", out.display());
    }
    Ok(())
}

/// The command line that makes a directory again from its experiment.toml.
pub fn again(command: &str, flags: &str) -> String {
    let flags = if flags.is_empty() { String::new() } else { format!(" {flags}") };
    format!("l2lab {command} experiment.toml{flags} --out DIR")
}

/// The flags in what [`again`] gives.
fn flags_of(line: &str) -> Option<&str> {
    let (_, flags) = line.split_once(" experiment.toml ")?;
    flags.strip_suffix(" --out DIR")
}

fn run_name(phase: &str, run: usize) -> String {
    format!("{phase}-{run:05}")
}

fn trace_name(phase: &str, run: usize) -> String {
    format!("{STATE}/{}.json", run_name(phase, run))
}

fn snapshot_name(phase: &str, group: &[usize]) -> String {
    // A group loses the runs that have ended elsewhere, and is then another.
    let runs: Vec<u8> = group.iter().flat_map(|run| run.to_le_bytes()).collect();
    format!("{STATE}/{}-{}.safetensors", run_name(phase, group[0]), hex(crc32c::crc32c(&runs)))
}

fn is_partial(entry: &fs::DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(PARTIAL.as_bytes())
}

/// The first of `runs/NAME-1`, `runs/NAME-2`, … that does not exist.
pub fn free_directory(name: &str) -> PathBuf {
    let path = |n: u32| PathBuf::from(format!("runs/{name}-{n}"));
    (1..u32::MAX).map(path).find(|p| !p.exists()).unwrap_or_else(|| path(0))
}

#[cfg(test)]
mod tests {
    use std::{fs::File, time::SystemTime};

    use l2lab_core::data::embedded;

    use super::*;

    /// A directory with a store, and a short trace of its experiment.
    fn store(dir: &Path) -> (Store, Trace) {
        let experiment = Experiment { train: 256, test: 16, ..Experiment::default() };
        let mut store = Store::create(&dir.join("o"), &experiment, "sweep", "", Duration::from_mins(1)).unwrap();
        store.bind(&experiment, &experiment.prepare(&embedded().unwrap()).unwrap(), false).unwrap();
        (store, Trace::new(experiment.run(0.1, 0.01, 1, 20)))
    }

    /// Each of a file's bytes changed, one at a time.
    fn each_flipped(path: &Path, mut check: impl FnMut(usize)) {
        let whole = fs::read(path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(path, bytes).unwrap();
            check(at);
        }
        fs::write(path, whole).unwrap();
    }

    #[test]
    fn a_byte_changed_anywhere_in_what_is_kept_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let (store, trace) = store(dir.path());
        let tensors = vec![NamedTensor { name: "param.w".into(), shape: vec![1, 2], values: vec![0.5, -2.0] }];
        let snapshot = Snapshot { step: 7, measured: false, runs: Vec::new(), tensors };
        store.save("grid", &[3], &snapshot).unwrap();
        assert_eq!(store.load("grid", &[3]).unwrap().unwrap(), snapshot);
        assert!(store.load("grid", &[3, 4]).unwrap().is_none(), "another group");
        let file = store.dir().join(snapshot_name("grid", &[3]));
        each_flipped(&file, |at| {
            let error = format!("{:#}", store.load("grid", &[3]).expect_err(&format!("byte {at}")));
            assert!(error.contains("is damaged; remove it") || error.contains("of another experiment"), "{error}");
        });
        store.finish("grid", 3, trace.clone()).unwrap();
        each_flipped(&store.dir().join(trace_name("grid", 3)), |at| {
            // What stays empty may lose its name.
            let same = |found: Option<Trace>| found.is_some_and(|found| found == trace);
            assert!(store.finished("grid", 3, &trace.run).map_or(true, same), "byte {at}");
        });
    }

    #[test]
    fn of_two_who_finish_a_run_the_first_counts() {
        let dir = tempfile::tempdir().unwrap();
        let (store, first) = store(dir.path());
        let second = Trace { end: Some(l2lab_core::run::End::Completed), ..first.clone() };
        assert_eq!(store.finish("grid", 0, first.clone()).unwrap(), first);
        assert_eq!(store.finish("grid", 0, second).unwrap(), first);
        // A run that had the number before an earlier phase was done again is no answer.
        let other = Trace::new(RunSpec { seed: 9, ..first.run.clone() });
        assert!(store.finished("grid", 0, &other.run).unwrap().is_none());
        assert_eq!(store.finish("grid", 0, other.clone()).unwrap(), other);
    }

    #[test]
    fn flags_that_are_lost_are_known_from_the_experiments_first_line() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str, flags: &str| {
            let out = dir.path().join(name);
            Store::create(&out, &Experiment::default(), "reproduce fig3", flags, Duration::from_mins(1)).unwrap();
            assert_eq!(Store::flags(&out).unwrap().unwrap_or_default(), flags);
            fs::remove_dir_all(out.join(STATE)).unwrap();
            Store::flags(&out).unwrap()
        };
        assert_eq!(make("a", "--preset full").as_deref(), Some("--preset full"));
        assert_eq!(make("b", ""), None);
    }

    #[test]
    fn parts_of_files_are_cleared_away_when_they_are_old() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("o");
        fs::create_dir_all(out.join(STATE)).unwrap();
        let [old, young] = [out.join("state/.partial-old"), out.join(".partial-young")];
        let hours_ago = SystemTime::now() - 2 * STALE;
        File::create(&old).unwrap().set_modified(hours_ago).unwrap();
        File::create(&young).unwrap();
        store(dir.path());
        assert!(!old.exists() && young.exists());
    }
}
