//! Hashes of what answers depend on: files and folders, as they are when a run begins.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::cases::hex;
use crate::config::{Config, SearchBackend};
use crate::evals::calibration::{self, Judging};
use crate::evals::folder::Hashes;
use crate::evals::load::Loaded;
use crate::evals::suite::{Component, ModelChoice};
use crate::evals::target::at_hand;
use crate::evals::target::provider::Provider;
use crate::model::accounts::prices;

/// The hashes of a run over a dataset with this hash.
pub(super) fn of(
    loaded: &Loaded,
    dataset: &str,
    config: &Config,
    model: Option<&ModelChoice>,
    judges: &[Judging],
) -> io::Result<Hashes> {
    let suite = &loaded.suite;
    let asks = matches!(Provider::of(model), Ok(Provider::OpenAi { .. }));
    let chat = suite.target.component == Component::Chat;
    let prompts = match &suite.target.prompts {
        Some(folder) => loaded.resolve(folder),
        None => config.model.prompts.clone(),
    };
    let lock = loaded.resolve(&suite.dataset.path).with_file_name("split.lock");
    Ok(Hashes {
        suite: loaded.hash.clone(),
        dataset: dataset.to_owned(),
        split: suite.dataset.split.map(|_| file(&lock)).transpose()?,
        prompts: if asks && !chat { Some(tree(&[prompts])?) } else { None },
        packs: if chat { None } else { Some(tree(std::slice::from_ref(&config.policies.dir))?) },
        prices: if asks { Some(prices(&config.budget.prices)?) } else { None },
        judges: calibration::hash(judges),
        search: if chat { None } else { search(&at_hand(config, suite.run.mode)) },
    })
}

/// What finds passages, where that is more than the index of words in memory: the model of the vectors, the cluster.
fn search(config: &Config) -> Option<String> {
    let (search, embedding) = (&config.search, &config.embedding);
    let backend = match search.backend {
        SearchBackend::Embedded if embedding.url.is_empty() => return None,
        SearchBackend::Embedded => String::new(),
        SearchBackend::Qdrant => format!("{}\n{}", search.url, search.collection),
    };
    let embedder = match embedding.url.as_str() {
        "" => String::new(),
        _ => format!("{}\n{}", embedding.name, embedding.dimensions),
    };
    Some(hex(&Sha256::digest([backend, embedder].join("\n\n"))))
}

fn prices(path: &Path) -> io::Result<String> {
    if path.as_os_str().is_empty() { Ok(hex(&Sha256::digest(prices::STANDARD))) } else { file(path) }
}

fn file(path: &Path) -> io::Result<String> {
    Ok(hex(&Sha256::digest(std::fs::read(path)?)))
}

/// One hash over files and over everything in folders, names and contents, in the order of names.
fn tree(paths: &[PathBuf]) -> io::Result<String> {
    let mut hash = Sha256::new();
    for path in paths {
        add(path, path, &mut hash)?;
    }
    Ok(hex(&hash.finalize()))
}

fn add(root: &Path, path: &Path, hash: &mut Sha256) -> io::Result<()> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
        entries.sort_unstable();
        return entries.iter().try_for_each(|entry| add(root, entry, hash));
    }
    let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let content = Sha256::digest(std::fs::read(path)?);
    hash.update(name.len().to_be_bytes());
    hash.update(name.as_bytes());
    hash.update(content);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::suite::Mode;

    #[test]
    fn what_searches_decides_where_it_is_asked() {
        let mut config = Config::standard();
        let hash = |config: &Config, mode| search(&at_hand(config, mode));
        assert_eq!(hash(&config, Mode::Live), None);
        config.embedding.url = "http://127.0.0.1:1/v1".to_owned();
        config.embedding.name = "e5".to_owned();
        let with = hash(&config, Mode::Live);
        assert!(with.is_some());
        config.embedding.name = "bge-m3".to_owned();
        assert_ne!(hash(&config, Mode::Live), with);
        assert_eq!(hash(&config, Mode::Replay), None, "nobody is asked");
    }

    #[test]
    fn names_and_contents_decide() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let hash = || tree(&[folder.path().to_owned()]).unwrap();
        write("a.md", "one");
        write("b.md", "two");
        let before = hash();
        assert_eq!(hash(), before);
        write("b.md", "three");
        let changed = hash();
        assert_ne!(changed, before);
        write("b.md", "two");
        assert_eq!(hash(), before);
        std::fs::rename(folder.path().join("b.md"), folder.path().join("c.md")).unwrap();
        assert_ne!(hash(), before);
        assert!(tree(&[folder.path().join("nowhere")]).is_err());
    }
}
