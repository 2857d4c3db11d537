//! An output directory: written atomically, never overwritten, resumable after any interruption.
//!
//! While runs are under way `state/` holds a JSON trace for each finished run, a safetensors snapshot and a claim for each
//! unfinished one, and `flags` what the command was told besides the experiment. Several processes may work in one directory.
//! `summary.json` is written last: a directory that has it is complete.

use std::{
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
    train::{NamedTensor, Snapshot, Trace},
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::claims::{Claim, Claims};

const EXPERIMENT: &str = "experiment.toml";
const SUMMARY: &str = "summary.json";
const STATE: &str = "state";
const FLAGS: &str = "state/flags";
/// The key of a snapshot's JSON part in the safetensors header.
const META: &str = "l2lab";
/// The key of the CRC-32C of its tensors' bytes, in the order of their names.
const SUM: &str = "crc32c";

/// An output directory, and this process's claims in it.
pub struct Store {
    dir: PathBuf,
    claims: Claims,
}

impl Store {
    /// Makes `dir` for a new experiment of `command`, which is told `flags` besides. Others take over what this process has
    /// claimed when it has not been heard of for `lease`.
    ///
    /// # Errors
    /// When it is there already and not empty, or cannot be written.
    pub fn create(dir: &Path, experiment: &Experiment, command: &str, flags: &str, lease: Duration) -> Result<Self> {
        let exists = || {
            format!("--out '{}' exists already: continue it with --resume, or choose another directory", dir.display())
        };
        let occupied = match fs::read_dir(dir) {
            // A state alone is what is left where the experiment could not be written.
            Ok(mut entries) => entries.any(|e| e.is_ok_and(|e| e.file_name() != STATE)),
            Err(e) if e.kind() == ErrorKind::NotFound => false,
            Err(e) => return Err(e).with_context(|| format!("--out '{}' is no directory", dir.display())),
        };
        if occupied {
            bail!(exists());
        }
        let store = Self::open(dir, lease)?;
        let text = toml::to_string(experiment).context("the experiment cannot be written as TOML")?;
        if !flags.is_empty() {
            store.write(FLAGS, flags.as_bytes())?;
        }
        let head = format!("# Run again: {}\n", again(command, flags));
        // What makes the directory the experiment's: of two processes that begin at once, one does it.
        let write = || -> std::io::Result<()> {
            let mut file = temporary(dir)?;
            file.write_all((head + &text).as_bytes())?;
            file.as_file().sync_all()?;
            Ok(file.persist_noclobber(dir.join(EXPERIMENT)).map(drop)?)
        };
        match write() {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => bail!(exists()),
            result => result.with_context(|| format!("'{}' cannot be written", dir.join(EXPERIMENT).display()))?,
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

    /// The flags that an unfinished `dir` was made with besides the experiment, if there were any.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn flags(dir: &Path) -> Result<Option<String>> {
        let path = dir.join(FLAGS);
        match fs::read_to_string(&path) {
            Ok(flags) => Ok(Some(flags)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e).with_context(|| format!("'{}' cannot be read", path.display())),
        }
    }

    fn open(dir: &Path, lease: Duration) -> Result<Self> {
        let state = dir.join(STATE);
        fs::create_dir_all(&state).with_context(|| format!("--out '{}' cannot be written", dir.display()))?;
        Ok(Self { dir: dir.to_owned(), claims: Claims::new(state, lease) })
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

    /// The trace of a finished run of `phase`.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn finished(&self, phase: &str, run: usize) -> Result<Option<Trace>> {
        let path = self.dir.join(trace_name(phase, run));
        match fs::read(&path) {
            Ok(bytes) => {
                let trace = serde_json::from_slice(&bytes);
                Ok(Some(trace.with_context(|| format!("'{}' is damaged; remove it to run it again", path.display()))?))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e).with_context(|| format!("'{}' cannot be read", path.display())),
        }
    }

    /// Records a finished run; it is never run again.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&self, phase: &str, run: usize, trace: &Trace) -> Result<()> {
        self.write(&trace_name(phase, run), &serde_json::to_vec(trace)?)
    }

    /// Saves the state of a group of unfinished runs.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, phase: &str, group: &[usize], snapshot: &Snapshot) -> Result<()> {
        let views = snapshot.tensors.iter().map(|t| {
            let bytes: Vec<u8> = t.values.iter().flat_map(|v| v.to_le_bytes()).collect();
            (t.name.clone(), t.shape.clone(), bytes)
        });
        let views: Vec<_> = views.collect();
        let tensors = views
            .iter()
            .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        let mut bytes: Vec<(&str, &[u8])> = views.iter().map(|(name, _, bytes)| (&name[..], &bytes[..])).collect();
        let sum = checksum(&mut bytes);
        let meta = HashMap::from([(META.to_owned(), serde_json::to_string(snapshot)?), (SUM.to_owned(), sum)]);
        self.write(&snapshot_name(phase, group), &safetensors::serialize(tensors, Some(meta))?)
    }

    /// The saved state of a group of runs.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn load(&self, phase: &str, group: &[usize]) -> Result<Option<Snapshot>> {
        let path = self.dir.join(snapshot_name(phase, group));
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e).with_context(|| format!("'{}' cannot be read", path.display())),
        };
        let parse = || -> Result<Snapshot> {
            let (_, header) = SafeTensors::read_metadata(&bytes)?;
            let meta = header.metadata().as_ref().and_then(|m| m.get(META)).context("its header has no state")?;
            let mut snapshot: Snapshot = serde_json::from_str(meta)?;
            let file = SafeTensors::deserialize(&bytes)?;
            let sum = header.metadata().as_ref().and_then(|m| m.get(SUM));
            if sum != Some(&checksum(&mut file.iter().map(|(name, view)| (name, view.data())).collect::<Vec<_>>())) {
                bail!("its tensors are not those that were saved");
            }
            for (name, view) in file.tensors() {
                let values =
                    view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
                snapshot.tensors.push(NamedTensor { name, shape: view.shape().to_vec(), values });
            }
            Ok(snapshot)
        };
        Ok(Some(
            parse().with_context(|| format!("'{}' is damaged; remove it to start its runs again", path.display()))?,
        ))
    }

    /// Forgets the saved state of a group that has finished.
    pub fn forget(&self, phase: &str, group: &[usize]) {
        // A snapshot of a finished group is never read again; it only takes space.
        let _ = fs::remove_file(self.dir.join(snapshot_name(phase, group)));
    }
}

/// Of tensors' names and bytes.
fn checksum(tensors: &mut [(&str, &[u8])]) -> String {
    tensors.sort_unstable();
    let sum = tensors
        .iter()
        .fold(0, |sum, (name, bytes)| crc32c::crc32c_append(crc32c::crc32c_append(sum, name.as_bytes()), bytes));
    format!("{sum:08x}")
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
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::new(temporary(folder)?);
        content(&mut file)?;
        let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&target)?;
        Ok(())
    };
    write().with_context(|| format!("'{}' cannot be written", path.display()))
}

/// A file in `folder` that is not yet what it will be.
fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".partial-");
    // As readable as any file the user makes: the umask decides.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
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

fn run_name(phase: &str, run: usize) -> String {
    format!("{phase}-{run:05}")
}

fn trace_name(phase: &str, run: usize) -> String {
    format!("{STATE}/{}.json", run_name(phase, run))
}

fn snapshot_name(phase: &str, group: &[usize]) -> String {
    // The first run names the group: no run is in two groups.
    format!("{STATE}/{}-{}.safetensors", run_name(phase, group[0]), group.len())
}

/// The first of `runs/NAME-1`, `runs/NAME-2`, … that does not exist.
pub fn free_directory(name: &str) -> PathBuf {
    let path = |n: u32| PathBuf::from(format!("runs/{name}-{n}"));
    (1..u32::MAX).map(path).find(|p| !p.exists()).unwrap_or_else(|| path(0))
}
