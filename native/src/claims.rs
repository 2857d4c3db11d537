//! Which process does which run: claim files in a directory that processes of several machines may share.
//!
//! A claim is a file of its own, `NAME.claim-N`, that only one process can create. Its owner renews it (touches it) until the
//! run is done, and then removes it. Where a claim's owner is gone, others take the run with generation N + 1, so two of them
//! never take it both, and the owner, should it only have been asleep, sees that it has lost the claim.

use std::{
    collections::HashMap,
    fs::{self, File, TryLockError},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// A claim is renewed this often within its lease.
const BEATS: u32 = 8;

/// What a claim file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    /// The running system and its file system: processes that share both see each other's file locks. None where there are no
    /// locks.
    system: Option<String>,
    process: u32,
    /// Tells apart what one process claims.
    number: u64,
    /// Seconds without renewal after which the owner counts as gone.
    lease: u64,
}

/// The claims of this process in one directory.
#[derive(Debug)]
pub struct Claims {
    dir: PathBuf,
    lease: Duration,
    system: Option<String>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    held: Vec<Weak<Claim>>,
    /// Others' claims: when each was renewed by its own clock, and since when this process has seen that.
    seen: HashMap<PathBuf, (SystemTime, Instant)>,
    beat: Option<Instant>,
}

/// The right to do one run, until it is dropped or lost.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    owner: Owner,
    /// Locked for as long as its process lives.
    file: File,
    lost: AtomicBool,
}

impl Claim {
    /// Whether others were seen to have taken the run over: what is done from then on is void.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether the run is still this claim's, by a look at the directory.
    pub fn is_held(&self) -> bool {
        let held = !self.is_lost() && self.is_written() && self.is_newest();
        self.lost.store(!held, Ordering::Relaxed);
        held
    }

    /// Whether the file is there, with this owner. A directory that cannot be read for a while says nothing.
    fn is_written(&self) -> bool {
        match read(&self.path) {
            Ok(owner) => owner.is_none_or(|owner| owner == self.owner),
            Err(e) => e.kind() != ErrorKind::NotFound,
        }
    }

    /// Whether nobody has a later generation.
    fn is_newest(&self) -> bool {
        let (dir, name) = (self.path.parent(), self.path.file_name().and_then(|n| split(n.to_str()?)));
        let Some((dir, (name, own))) = dir.zip(name) else { return false };
        generations(dir, name).map_or(true, |all| all.into_iter().all(|g| g <= own))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Another's is not this one's to remove. One that stays counts as abandoned: the lock goes with the process.
        if !self.is_lost() && self.is_written() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A claim file's name without its generation, and that.
fn split(name: &str) -> Option<(&str, u64)> {
    let (name, generation) = name.rsplit_once(".claim-")?;
    Some((name, generation.parse().ok()?))
}

impl Claims {
    /// Of a process that counts as gone when it has not been heard of for `lease`.
    pub fn new(dir: PathBuf, lease: Duration) -> Self {
        let system = system(&dir);
        Self { dir, lease, system, state: Mutex::default() }
    }

    /// Takes `name`, unless a process that is alive has it.
    ///
    /// # Errors
    /// When the directory cannot be read or written.
    pub fn take(&self, name: &str) -> Result<Option<Arc<Claim>>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let list = || generations(&self.dir, name).with_context(|| format!("'{}' cannot be read", self.dir.display()));
        let last = list()?.into_iter().max();
        if let Some(generation) = last
            && self.is_alive(&self.path(name, generation), &mut state)
        {
            return Ok(None);
        }
        let generation = last.map_or(0, |g| g + 1);
        let path = self.path(name, generation);
        let cannot = || format!("'{}' cannot be written", path.display());
        let mut file = match open(File::options().create_new(true), &path) {
            Ok(file) => file,
            // Another was faster.
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return Ok(None),
            Err(e) => return Err(e).with_context(cannot),
        };
        // Locked before it says whose it is: others judge by the lock only what has an owner. Without locks, renewal has to tell.
        let system = self.system.clone().filter(|_| file.lock().is_ok());
        state.next += 1;
        let owner = Owner { system, process: std::process::id(), number: state.next, lease: self.lease.as_secs() };
        file.write_all(&serde_json::to_vec(&owner)?).with_context(cannot)?;
        let claim = Arc::new(Claim { path, owner, file, lost: AtomicBool::new(false) });
        let all = list()?;
        // Others may have gone on while this process slept between its look and its claim.
        if all.iter().any(|&g| g > generation) {
            return Ok(None);
        }
        for older in all.into_iter().filter(|&g| g < generation) {
            let _ = fs::remove_file(self.path(name, older));
        }
        state.held.push(Arc::downgrade(&claim));
        Ok(Some(claim))
    }

    /// Renews the claims of this process, if it is time to, and finds out which are lost.
    pub fn beat(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.beat.is_some_and(|b| b.elapsed() < self.lease / BEATS) {
            return;
        }
        state.beat = Some(Instant::now());
        state.held.retain(|claim| claim.strong_count() > 0);
        for claim in state.held.iter().filter_map(Weak::upgrade).filter(|c| c.is_held()) {
            // A failure is found out by the next write of what the run leaves.
            let _ = claim.file.set_modified(SystemTime::now());
        }
    }

    fn path(&self, name: &str, generation: u64) -> PathBuf {
        self.dir.join(format!("{name}.claim-{generation}"))
    }

    /// Whether the owner of a claim is still there.
    fn is_alive(&self, path: &Path, state: &mut State) -> bool {
        let owner = read(path).ok().flatten();
        if let Some(owner) = &owner
            && self.system.is_some()
            && owner.system == self.system
        {
            return match open(&mut File::options(), path).map(|file| file.try_lock()) {
                Ok(Err(TryLockError::WouldBlock)) => true,
                Ok(Ok(())) => false,
                // Gone by now, or on a file system without locks, where renewal has to tell.
                Err(_) | Ok(Err(TryLockError::Error(_))) => Self::is_renewed(path, owner.lease, state),
            };
        }
        Self::is_renewed(path, owner.map_or(self.lease.as_secs(), |o| o.lease), state)
    }

    /// Whether a claim was renewed within its lease. Clocks of machines differ: what counts is for how long this process has
    /// seen no change.
    fn is_renewed(path: &Path, lease: u64, state: &mut State) -> bool {
        let renewed = match fs::metadata(path).and_then(|m| m.modified()) {
            Ok(renewed) => renewed,
            Err(e) => return e.kind() != ErrorKind::NotFound,
        };
        let seen = state.seen.entry(path.to_owned()).or_insert((renewed, Instant::now()));
        if seen.0 != renewed {
            *seen = (renewed, Instant::now());
        }
        seen.1.elapsed() < Duration::from_secs(lease)
    }
}

/// Whose a claim is; `None` of one that is not yet written.
fn read(path: &Path) -> io::Result<Option<Owner>> {
    Ok(serde_json::from_slice(&fs::read(path)?).ok())
}

/// A claim file that can be locked: network file systems lock only what is open for writing.
fn open(options: &mut fs::OpenOptions, path: &Path) -> io::Result<File> {
    options.read(true).write(true).open(path)
}

/// The generations of a claim that there are.
fn generations(dir: &Path, name: &str) -> io::Result<Vec<u64>> {
    let names = fs::read_dir(dir)?.flatten().filter_map(|e| e.file_name().into_string().ok());
    Ok(names.filter_map(|n| split(&n).filter(|(own, _)| *own == name).map(|(_, g)| g)).collect())
}

/// What processes share that see each other's locks in `dir`: a running kernel, and the file system as it is mounted.
fn system(dir: &Path) -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    #[cfg(unix)]
    let device = std::os::unix::fs::MetadataExt::dev(&fs::metadata(dir).ok()?);
    #[cfg(not(unix))]
    let device = dir.display();
    Some(format!("{}:{device}", boot.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(dir: &Path, lease: u64) -> Claims {
        Claims::new(dir.to_owned(), Duration::from_secs(lease))
    }

    /// A claim of a process on another machine.
    fn foreign(dir: &Path, name: &str, lease: u64) {
        let owner = Owner { system: Some("another".into()), process: 1, number: 1, lease };
        fs::write(dir.join(name), serde_json::to_vec(&owner).unwrap()).unwrap();
    }

    #[test]
    fn a_claim_is_taken_once_and_again_when_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (claims(dir.path(), 60), claims(dir.path(), 60));
        let claim = a.take("grid-00001").unwrap().unwrap();
        assert!(b.take("grid-00001").unwrap().is_none());
        assert!(b.take("grid-00002").unwrap().is_some());
        a.beat();
        assert!(!claim.is_lost());
        drop(claim);
        assert!(b.take("grid-00001").unwrap().is_some());
    }

    #[test]
    fn what_a_dead_process_of_this_system_had_is_taken_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let a = claims(dir.path(), 3600);
        // What `kill -9` leaves: the file, without the lock.
        let owner = Owner { system: a.system.clone(), process: 1, number: 1, lease: 3600 };
        fs::write(dir.path().join("run.claim-7"), serde_json::to_vec(&owner).unwrap()).unwrap();
        assert_eq!(a.take("run").unwrap().is_some(), a.system.is_some());
    }

    #[test]
    fn a_silent_machine_loses_its_claim_after_the_lease_and_one_that_is_heard_of_does_not() {
        let dir = tempfile::tempdir().unwrap();
        foreign(dir.path(), "run.claim-0", 1);
        let a = claims(dir.path(), 3600);
        for _ in 0..6 {
            assert!(a.take("run").unwrap().is_none(), "its owner is heard of");
            std::thread::sleep(Duration::from_millis(300));
            let file = File::options().write(true).open(dir.path().join("run.claim-0")).unwrap();
            file.set_modified(SystemTime::now()).unwrap();
        }
        assert!(a.take("run").unwrap().is_none());
        std::thread::sleep(Duration::from_millis(1200));
        let claim = a.take("run").unwrap().expect("the lease is over");
        assert_eq!(claim.path, dir.path().join("run.claim-1"));
        assert!(!dir.path().join("run.claim-0").exists());
    }

    #[test]
    fn an_owner_that_only_slept_sees_that_it_has_lost() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (claims(dir.path(), 0), claims(dir.path(), 0));
        let (taken, gone) = (a.take("taken").unwrap().unwrap(), b.take("gone").unwrap().unwrap());
        foreign(dir.path(), "taken.claim-1", 60);
        fs::remove_file(&gone.path).unwrap();
        a.beat();
        b.beat();
        assert!(taken.is_lost() && gone.is_lost());
        drop(taken);
        assert!(dir.path().join("taken.claim-1").exists(), "others' claims stay");
    }

    #[test]
    fn a_claim_that_another_has_written_over_is_lost_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let a = claims(dir.path(), 60);
        let claim = a.take("run").unwrap().unwrap();
        assert!(claim.is_held());
        foreign(dir.path(), "run.claim-0", 60);
        drop(claim);
        assert!(dir.path().join("run.claim-0").exists(), "others' claims stay, even before a beat");
        foreign(dir.path(), "other.claim-0", 0);
        let claim = a.take("other").unwrap().unwrap();
        foreign(dir.path(), "other.claim-2", 60);
        assert!(!claim.is_held() && claim.is_lost(), "there is a later generation");
    }

    #[cfg(unix)]
    #[test]
    fn locks_are_trusted_only_on_the_same_mount() {
        let dir = tempfile::tempdir().unwrap();
        let a = claims(dir.path(), 3600);
        let device = std::os::unix::fs::MetadataExt::dev(&fs::metadata(dir.path()).unwrap());
        assert!(a.system.as_ref().is_none_or(|s| s.ends_with(&format!(":{device}"))));
        // The same kernel, another mount: its lock is not seen from here, so only its lease tells.
        let system = a.system.as_ref().map(|s| s.replace(&format!(":{device}"), ":another"));
        let owner = Owner { system, process: 1, number: 1, lease: 3600 };
        fs::write(dir.path().join("run.claim-0"), serde_json::to_vec(&owner).unwrap()).unwrap();
        assert!(a.take("run").unwrap().is_none());
    }

    #[test]
    fn of_many_who_reach_for_a_run_one_gets_it() {
        let dir = tempfile::tempdir().unwrap();
        foreign(dir.path(), "run.claim-3", 0);
        let all: Vec<Claims> = (0..8).map(|_| claims(dir.path(), 60)).collect();
        let claims: Vec<_> = std::thread::scope(|scope| {
            let takers: Vec<_> = all.iter().map(|c| scope.spawn(|| c.take("run").unwrap())).collect();
            takers.into_iter().filter_map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(claims.len(), 1);
    }
}
