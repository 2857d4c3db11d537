//! Data sets on disk: where their files are, whether they are intact, and how to get them.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Seek, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use flate2::read::GzDecoder;
use l2lab_core::data::{
    DataError, Dataset, FASHION_MNIST_CLASSES, MNIST_CLASSES, Split, cifar10, cifar100, cifar100_class_names, embedded,
    idx_dataset,
};
use md5::{Digest, Md5};

/// A data set that the program knows.
pub struct Source {
    /// Its name in `--data`.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// How many classes its images have.
    pub classes: usize,
    /// The terms it comes under.
    pub licence: &'static str,
    /// Its folder in the data directory.
    folder: &'static str,
    /// Where it is published.
    url: &'static str,
    archive: Archive,
    /// Files in the folder, with the MD5 that the data set's own loaders publish for them.
    files: &'static [(&'static str, &'static str)],
}

enum Archive {
    /// Part of the program.
    Embedded,
    /// One `.gz` for each file.
    Gzip,
    /// One `.tar.gz` with an MD5, whose members are in the folder.
    Tar(&'static str, &'static str),
}

/// The four IDX files' names.
const IDX: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// All data sets, the embedded one first.
pub const SOURCES: [Source; 5] = [
    Source {
        name: "fashion-mnist-512",
        about: "512 + 1000 images of Fashion-MNIST, part of the program",
        classes: 10,
        licence: "MIT",
        folder: "",
        url: "",
        archive: Archive::Embedded,
        files: &[],
    },
    Source {
        name: "fashion-mnist",
        about: "60000 + 10000 grey 28×28 images of clothes",
        classes: 10,
        licence: "MIT",
        folder: "fashion-mnist",
        url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        archive: Archive::Gzip,
        files: &[
            (IDX[0], "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
            (IDX[1], "9018921c3c673c538a1fc5bad174d6f9"),
            (IDX[2], "8181f5470baa50b63fa0f6fddb340f0a"),
            (IDX[3], "15d484375f8d13e6eb1aabb0c3f46965"),
        ],
    },
    Source {
        name: "mnist",
        about: "60000 + 10000 grey 28×28 images of digits",
        classes: 10,
        licence: "CC BY-SA 3.0",
        folder: "mnist",
        url: "https://ossci-datasets.s3.amazonaws.com/mnist",
        archive: Archive::Gzip,
        files: &[
            (IDX[0], "6bbc9ace898e44ae57da46a324031adb"),
            (IDX[1], "a25bea736e30d166cdddb491f175f624"),
            (IDX[2], "2646ac647ad5339dbf082846283269ea"),
            (IDX[3], "27ae3e4e09519cfbb04c329615203637"),
        ],
    },
    Source {
        name: "cifar10",
        about: "50000 + 10000 colour 32×32 images in 10 classes",
        classes: 10,
        licence: "none stated",
        folder: "cifar-10-batches-bin",
        url: "https://www.cs.toronto.edu/~kriz",
        archive: Archive::Tar("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),
        files: &[
            ("data_batch_1.bin", "5dd7e06a14cb22eb9f671a540d1b7c25"),
            ("data_batch_2.bin", "5ea93a67294ea407fff1d09f752e9692"),
            ("data_batch_3.bin", "942cd6a4bcdd0dd3c604fbe906cb4421"),
            ("data_batch_4.bin", "ae636b3ba5c66a11e91e8cb52e771fcb"),
            ("data_batch_5.bin", "53f37980c15c3d472c316c40844f3f0d"),
            ("test_batch.bin", "803d5f7f4d78ea53de84dbe85f74fb6d"),
        ],
    },
    Source {
        name: "cifar100",
        about: "50000 + 10000 colour 32×32 images in 100 classes",
        classes: 100,
        licence: "none stated",
        folder: "cifar-100-binary",
        url: "https://www.cs.toronto.edu/~kriz",
        archive: Archive::Tar("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"),
        // Only the archive has a published sum: these are checked by size and labels.
        files: &[("train.bin", ""), ("test.bin", ""), ("fine_label_names.txt", "")],
    },
];

/// What reads a data set from its files' bytes.
type Parse<'a> = dyn Fn(&[&[u8]]) -> Result<Dataset, DataError> + 'a;

/// The data set called `name`.
///
/// # Errors
/// When there is none.
pub fn find(name: &str) -> Result<&'static Source> {
    SOURCES
        .iter()
        .find(|s| s.name == name)
        .ok_or_else(|| anyhow!("data: no data set '{name}'; there are {}", SOURCES.map(|s| s.name).join(", ")))
}

/// What a check of a data set's files found.
pub enum State {
    /// Every file is there and has its published sum (or, without one, reads well).
    Intact,
    /// Some file is not there.
    Missing(PathBuf),
    /// Some file is not what was published.
    Damaged(String),
}

impl Source {
    /// Its folder under `data_dir`.
    pub fn path(&self, data_dir: &Path) -> PathBuf {
        data_dir.join(self.folder)
    }

    /// Whether it needs no file.
    pub fn is_embedded(&self) -> bool {
        matches!(self.archive, Archive::Embedded)
    }

    /// Reads it.
    ///
    /// # Errors
    /// When a file is missing or damaged; the message names it.
    pub fn load(&self, data_dir: &Path) -> Result<Split> {
        let dir = self.path(data_dir);
        let read = |file: &str| -> Result<Vec<u8>> {
            let path = Self::locate(&dir, file).with_context(|| {
                format!(
                    "'{}' is not there: get it with 'l2lab data fetch {}', or give --data-dir DIR where DIR/{} has the files",
                    dir.join(file).display(),
                    self.name,
                    self.folder
                )
            })?;
            fs::read(&path).with_context(|| format!("'{}' cannot be read", path.display()))
        };
        let in_dir = |what: &str| format!("{} of {} in '{}'", what, self.name, dir.display());
        let idx = |images: &str, labels: &str, classes: &[&str]| -> Result<Dataset> {
            idx_dataset(self.name, classes, &read(images)?, &read(labels)?)
                .with_context(|| in_dir(&format!("{images} and {labels}")))
        };
        let cifar = |files: &[&str], parse: &Parse| -> Result<Dataset> {
            let bytes = files.iter().map(|f| read(f)).collect::<Result<Vec<_>>>()?;
            let slices: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
            parse(&slices).with_context(|| in_dir(&files.join(", ")))
        };
        let (train, test) = match self.name {
            "mnist" | "fashion-mnist" => {
                let classes = if self.name == "mnist" { MNIST_CLASSES } else { FASHION_MNIST_CLASSES };
                (idx(IDX[0], IDX[1], &classes)?, idx(IDX[2], IDX[3], &classes)?)
            }
            "cifar10" => {
                let names: Vec<&str> = self.files.iter().map(|(f, _)| *f).collect();
                let parse = |bytes: &[&[u8]]| cifar10(self.name, bytes);
                (cifar(&names[..5], &parse)?, cifar(&names[5..], &parse)?)
            }
            "cifar100" => {
                let names = match Self::locate(&dir, "fine_label_names.txt") {
                    Some(path) => fs::read_to_string(path)?.lines().map(str::to_owned).collect(),
                    None => cifar100_class_names(),
                };
                let parse = |bytes: &[&[u8]]| cifar100(self.name, bytes, names.clone());
                (cifar(&["train.bin"], &parse)?, cifar(&["test.bin"], &parse)?)
            }
            _ => return Ok(embedded()?),
        };
        Ok(Split { train, test })
    }

    /// `file` in `dir`, plain or gzipped.
    fn locate(dir: &Path, file: &str) -> Option<PathBuf> {
        [dir.join(file), dir.join(format!("{file}.gz"))].into_iter().find(|p| p.is_file())
    }

    /// Checks every file.
    pub fn verify(&self, data_dir: &Path) -> State {
        let dir = self.path(data_dir);
        for (file, sum) in self.files {
            let Some(path) = Self::locate(&dir, file) else {
                return State::Missing(dir.join(file));
            };
            if sum.is_empty() {
                continue;
            }
            match content_md5(&path) {
                Ok(found) if found == *sum => {}
                Ok(found) => {
                    return State::Damaged(format!("'{}' has MD5 {found}, published is {sum}", path.display()));
                }
                Err(e) => return State::Damaged(format!("{e:#}")),
            }
        }
        match self.load(data_dir) {
            Ok(_) => State::Intact,
            Err(e) => State::Damaged(format!("{e:#}")),
        }
    }

    /// Downloads what is missing into `data_dir`, from `mirror` or the data set's own site. An
    /// interrupted download is resumed; a file whose sum is wrong is not kept.
    ///
    /// # Errors
    /// When a download fails or is not what was published.
    pub fn fetch(&self, data_dir: &Path, mirror: Option<&str>) -> Result<()> {
        let dir = self.path(data_dir);
        let base = mirror.unwrap_or(self.url).trim_end_matches('/');
        match self.archive {
            Archive::Embedded => Ok(()),
            Archive::Gzip => {
                make_dir(&dir)?;
                for (file, sum) in self.files {
                    let intact = Self::locate(&dir, file)
                        .is_some_and(|path| content_md5(&path).is_ok_and(|found| found == *sum));
                    if !intact {
                        let part = dir.join(format!("{file}.gz.part"));
                        download(&format!("{base}/{file}.gz"), &part)?;
                        keep_if(&part, &dir.join(format!("{file}.gz")), sum, content_md5)?;
                    }
                }
                Ok(())
            }
            Archive::Tar(archive, sum) => {
                make_dir(data_dir)?;
                if matches!(self.verify(data_dir), State::Intact) {
                    return Ok(());
                }
                let (part, path) = (data_dir.join(format!("{archive}.part")), data_dir.join(archive));
                if !file_md5(&path).is_ok_and(|found| found == sum) {
                    download(&format!("{base}/{archive}"), &part)?;
                    keep_if(&part, &path, sum, file_md5)?;
                }
                self.unpack(&path, data_dir)?;
                fs::remove_file(&path).with_context(|| format!("'{}' cannot be removed", path.display()))
            }
        }
    }

    /// Takes the data set's own files, and nothing else, out of its archive.
    fn unpack(&self, archive: &Path, data_dir: &Path) -> Result<()> {
        let open = || -> std::io::Result<()> {
            let mut tar = tar::Archive::new(GzDecoder::new(File::open(archive)?));
            let dir = self.path(data_dir);
            fs::create_dir_all(&dir)?;
            for entry in tar.entries()? {
                let mut entry = entry?;
                let path = entry.path()?.into_owned();
                let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
                if self.files.iter().any(|(file, _)| *file == name) {
                    let mut file = tempfile::Builder::new().prefix(".partial-").tempfile_in(&dir)?;
                    std::io::copy(&mut entry, &mut file)?;
                    file.persist(dir.join(name))?;
                }
            }
            Ok(())
        };
        open().with_context(|| format!("'{}' cannot be unpacked", archive.display()))
    }
}

fn make_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("--data-dir '{}' cannot be written", dir.display()))
}

/// Renames a finished download if it is what was published, and removes it if not.
fn keep_if(part: &Path, path: &Path, sum: &str, md5: impl Fn(&Path) -> Result<String>) -> Result<()> {
    let found = md5(part).unwrap_or_else(|e| format!("of no readable file ({e:#})"));
    if found != sum {
        let _ = fs::remove_file(part);
        bail!(
            "the download '{}' is not what was published (MD5 {found}, expected {sum}); it was removed",
            path.display()
        );
    }
    fs::rename(part, path).with_context(|| format!("'{}' cannot be written", path.display()))
}

/// Fetches `url` into `part`, from where an earlier attempt stopped.
fn download(url: &str, part: &Path) -> Result<()> {
    let cannot = || format!("'{}' cannot be written", part.display());
    let mut file = OpenOptions::new().create(true).append(true).open(part).with_context(cannot)?;
    let have = file.seek(std::io::SeekFrom::End(0)).with_context(cannot)?;
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_mins(1)))
        .http_status_as_error(false)
        .build()
        .into();
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let response = request.call().with_context(|| format!("'{url}' cannot be reached"))?;
    match response.status().as_u16() {
        206 => {}
        // The server starts over: so do we.
        200 => file.set_len(0).with_context(cannot)?,
        // Nothing is left to send: the part is whole, and its sum will tell.
        416 if have > 0 => return Ok(()),
        status => bail!("'{url}' answered with status {status}"),
    }
    eprintln!("fetching {url}{}", if have > 0 { " (continued)" } else { "" });
    let expected = response.body().content_length();
    let mut reader = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    let mut got = 0;
    loop {
        let n = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(e).with_context(|| format!("'{url}' broke off; call again to continue")),
        };
        file.write_all(&buffer[..n]).with_context(cannot)?;
        got += n as u64;
    }
    if expected.is_some_and(|e| e != got) {
        bail!("'{url}' broke off after {got} bytes; call again to continue");
    }
    file.sync_all().with_context(cannot)
}

/// MD5 of a file's bytes, unpacked if it is gzipped.
fn content_md5(path: &Path) -> Result<String> {
    let mut magic = [0; 2];
    let mut file = File::open(path).with_context(|| format!("'{}' cannot be read", path.display()))?;
    if file.read(&mut magic)? == 2 && magic == [0x1f, 0x8b] {
        let file = File::open(path)?;
        return md5_of(GzDecoder::new(file)).with_context(|| format!("'{}' is no whole gzip file", path.display()));
    }
    file_md5(path)
}

fn file_md5(path: &Path) -> Result<String> {
    let read = || -> Result<String> { md5_of(File::open(path)?) };
    read().with_context(|| format!("'{}' cannot be read", path.display()))
}

fn md5_of(mut reader: impl Read) -> Result<String> {
    let mut hash = Md5::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}
