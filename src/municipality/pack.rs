//! A municipality's pack: everything that officers wrote for it, with the base pack beneath.
//!
//! What a municipality writes under the same id replaces the base's: a service, a fixed text in one
//! language, all rows of an authority or of a delegation. Emergency words and examples only ever add: no
//! municipality can take a word of danger away. The hash covers every file that was read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::fault::Faults;
use super::format::{
    AuthoritiesFile, Authority, Delegation, DelegationFile, EmergencyFile, Example, InjectionFile, MunicipalityFile,
    ServiceFile, Task, TextFrontMatter,
};
use super::tasks::Tasks;
use super::{consistency, delegation, injection, yaml};
use crate::cases::hex;
use crate::cases::{AuthorityId, Language, MunicipalityId, Owner, ServiceId, Validity};

/// Everything of one municipality but its policy documents.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Who it is.
    pub municipality: MunicipalityFile,
    /// Its services.
    pub services: BTreeMap<ServiceId, ServiceFile>,
    /// Who may decide what, dated.
    pub delegations: Vec<Delegation>,
    /// Who else is competent for what, dated.
    pub authorities: Vec<Authority>,
    /// Words that tell whose a matter is.
    pub tasks: Tasks,
    /// Fixed texts, all versions and languages.
    pub texts: Vec<TextBlock>,
    /// Words of danger.
    pub emergency: EmergencyFile,
    /// Orders to a machine.
    pub injection: injection::Lexicon,
    /// What the offline classifier learns from.
    pub examples: Vec<LabelledExample>,
    /// SHA-256 over every file of the pack, hexadecimal.
    pub hash: String,
    pub(crate) origins: Origins,
    /// File and line of each example.
    pub(super) example_origins: Vec<(PathBuf, usize)>,
}

/// A labelled example message with its language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledExample {
    /// The message.
    pub text: String,
    /// A fault category code, a service id, or a matter.
    pub label: String,
    /// Language of the message.
    pub language: Language,
}

/// A fixed text in one language and version. The body is a minijinja template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextBlock {
    /// Id, the same in every language.
    pub id: String,
    /// Language.
    pub language: Language,
    /// Heading of the part; none for text without one.
    pub title: Option<String>,
    /// The version, by its first day in force.
    pub version: Date,
    /// When it is in force.
    pub valid: Validity,
    /// The template.
    pub body: String,
}

/// Which file and text an entry came from, so that a later check can name the line.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub file: PathBuf,
    pub source: Arc<str>,
    /// Where the entry stands in the file's list; 0 for a file of its own.
    pub place: usize,
}

impl Origin {
    /// The line of a path of keys within the file.
    pub fn line(&self, path: &[&str]) -> usize {
        yaml::line_of(&self.source, path)
    }
}

/// Origins by kind and key: `municipality/x`, `service/x`, `delegation/x@from`, `authority/x@from`, `text/fi/x@from`.
pub(crate) type Origins = BTreeMap<String, Origin>;

/// The key of a dated row.
pub(crate) fn row_key(id: &str, valid: Validity) -> String {
    format!("{id}@{}", valid.from)
}

/// Collects the hash over files: path within the pack and content, in the order of paths.
#[derive(Debug, Default)]
pub(crate) struct FileHash(BTreeMap<String, [u8; 32]>);

impl FileHash {
    pub fn add(&mut self, root: &Path, file: &Path, content: &str) {
        let name = file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/");
        self.0.insert(name, Sha256::digest(content.as_bytes()).into());
    }

    pub fn finish(&self) -> String {
        let mut hash = Sha256::new();
        for (name, content) in &self.0 {
            hash.update(name.as_bytes());
            hash.update([0]);
            hash.update(content);
        }
        hex(&hash.finalize())
    }
}

/// The files of a folder with one of the endings, in the order of their names; a missing folder is empty.
pub(crate) fn files_in(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    files
}

/// The name of a file without its folder.
pub(crate) fn file_name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl Pack {
    /// Reads the base pack and lays the municipality's folder over it. Every fault is noted; none is returned
    /// when too much is missing to go on.
    pub fn read(root: &Path, id: &MunicipalityId, faults: &mut Faults) -> Option<Self> {
        let before = faults.len();
        let mut reader = Reader { root, hash: FileHash::default(), origins: Origins::new(), faults };
        let own = root.join(id.as_str());
        let base = root.join("base");

        let municipality = reader.municipality(&own.join("municipality.yaml"), id);
        let mut services = BTreeMap::new();
        let mut delegations = Vec::new();
        let mut authorities = Vec::new();
        let mut tasks = Vec::new();
        let mut texts = Vec::new();
        let mut emergency = EmergencyFile { kinds: Vec::new(), lookalikes: Vec::new() };
        let mut injection = InjectionFile { kinds: Vec::new(), lookalikes: Vec::new() };
        let mut examples = Vec::new();
        let mut example_origins = Vec::new();
        for folder in [&base, &own] {
            services.extend(reader.services(folder));
            replace_rows(&mut delegations, reader.delegations(folder), |row| row.id.clone());
            let (rows, words) = reader.authorities(folder);
            replace_rows(&mut authorities, rows, |row| row.id.clone());
            replace_rows(&mut tasks, words, |row| row.id.clone());
            replace_rows(&mut texts, reader.texts(folder), |text| (text.id.clone(), text.language));
            if let Some(more) = reader.emergency(&folder.join("emergency.yaml"), folder == &base) {
                emergency.kinds.extend(more.kinds);
                emergency.lookalikes.extend(more.lookalikes);
            }
            if let Some(more) = reader.injection(&folder.join("injection.yaml"), folder == &base) {
                injection.kinds.extend(more.kinds);
                injection.lookalikes.extend(more.lookalikes);
            }
            for (example, origin) in reader.examples(folder) {
                examples.push(example);
                example_origins.push(origin);
            }
        }
        for id in municipality.iter().flat_map(|own| &own.without) {
            services.remove(id);
        }
        delegations.extend(municipality.iter().flat_map(|own| delegation::claims(&own.deciders)));
        delegations.extend(municipality.iter().flat_map(|own| delegation::corrections(&own.deciders)));
        let injection = reader.orders(&injection);
        let tasks = reader.tasks(tasks);
        let hash = reader.hash.finish();
        let origins = reader.origins;
        let pack = Self {
            municipality: municipality?,
            services,
            delegations,
            authorities,
            tasks: tasks?,
            texts,
            emergency,
            injection: injection?,
            examples,
            hash,
            origins,
            example_origins,
        };
        // What could not be read would make faults of everything that names it.
        if faults.len() == before {
            consistency::check(&pack, faults);
        }
        Some(pack)
    }

    /// The service of that id.
    #[must_use]
    pub fn service(&self, id: &ServiceId) -> Option<&ServiceFile> {
        self.services.get(id)
    }

    /// The version of a fixed text that is in force on a date: the service's own, `<id>-<service>`, before the common one.
    #[must_use]
    pub fn text_of(&self, id: &str, service: Option<&ServiceId>, language: Language, on: Date) -> Option<&TextBlock> {
        let own = service.and_then(|service| self.text(&format!("{id}-{service}"), language, on));
        own.or_else(|| self.text(id, language, on))
    }

    /// The row of an authority that is valid on a date.
    #[must_use]
    pub fn authority(&self, id: &AuthorityId, on: Date) -> Option<&Authority> {
        self.authorities.iter().find(|row| row.id == *id && row.valid.contains(on))
    }

    /// The authority that stands for an owner on a date.
    #[must_use]
    pub fn authority_for(&self, owner: Owner, on: Date) -> Option<&Authority> {
        self.authorities.iter().find(|row| row.owner == Some(owner) && row.valid.contains(on))
    }

    /// A fixed text in a language, in the version of a date.
    #[must_use]
    pub fn text(&self, id: &str, language: Language, on: Date) -> Option<&TextBlock> {
        self.texts.iter().find(|text| text.id == id && text.language == language && text.valid.contains(on))
    }

    pub(crate) fn origin(&self, kind: &str, id: &str) -> Option<&Origin> {
        self.origins.get(&format!("{kind}/{id}"))
    }
}

/// What the base pack has for every municipality, as far as it names what only a municipality has.
#[derive(Debug)]
pub(crate) struct Offer {
    /// Services.
    pub services: BTreeMap<ServiceId, ServiceFile>,
    /// Rows of power to decide.
    pub delegations: Vec<Delegation>,
    /// Who else is competent.
    pub authorities: Vec<Authority>,
}

impl Offer {
    /// Reads it; every fault is noted.
    pub fn read(root: &Path, faults: &mut Faults) -> Self {
        let mut reader = Reader { root, hash: FileHash::default(), origins: Origins::new(), faults };
        let base = root.join("base");
        Self {
            services: reader.services(&base),
            delegations: reader.delegations(&base),
            authorities: reader.authorities(&base).0,
        }
    }
}

/// Lays rows over rows: what has the same key is replaced altogether.
fn replace_rows<T, K: Ord>(below: &mut Vec<T>, above: Vec<T>, key: impl Fn(&T) -> K) {
    let replaced: BTreeSet<K> = above.iter().map(&key).collect();
    below.retain(|row| !replaced.contains(&key(row)));
    below.extend(above);
}

struct Reader<'a> {
    root: &'a Path,
    hash: FileHash,
    origins: Origins,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    fn source(&mut self, file: &Path) -> Option<Arc<str>> {
        let source = yaml::read_file(file, self.faults)?;
        self.hash.add(self.root, file, &source);
        Some(source.into())
    }

    fn emergency(&mut self, file: &Path, required: bool) -> Option<EmergencyFile> {
        if !required && !file.exists() {
            return None;
        }
        let source = self.source(file)?;
        self.origin("emergency", "", file, &source, 0);
        yaml::read(file, &source, 1, self.faults)
    }

    fn injection(&mut self, file: &Path, required: bool) -> Option<InjectionFile> {
        if !required && !file.exists() {
            return None;
        }
        let source = self.source(file)?;
        self.origin("injection", &file.to_string_lossy(), file, &source, 0);
        yaml::read(file, &source, 1, self.faults)
    }

    /// The compiled orders to a machine of all files.
    fn orders(&mut self, file: &InjectionFile) -> Option<injection::Lexicon> {
        let wrong = match injection::Lexicon::compile(file) {
            Ok(lexicon) => return Some(lexicon),
            Err(wrong) => wrong,
        };
        // The last file that has the words: a municipality's own comes after the base's.
        let stands = |origin: &&Origin| origin.source.contains(&wrong.text);
        let of_kind =
            self.origins.range("injection/".to_owned()..).take_while(|(key, _)| key.starts_with("injection/"));
        let origin = of_kind.map(|(_, origin)| origin).filter(stands).last()?;
        let line = origin.source.lines().position(|line| line.contains(&wrong.text)).map_or(1, |line| line + 1);
        let file = origin.file.clone();
        self.faults.at(&file, line, wrong.what, "write patterns as `ohita _ ohje*`, markers as `[inst]`");
        None
    }

    fn origin(&mut self, kind: &str, id: &str, file: &Path, source: &Arc<str>, place: usize) {
        let origin = Origin { file: file.to_owned(), source: source.clone(), place };
        self.origins.insert(format!("{kind}/{id}"), origin);
    }

    fn municipality(&mut self, file: &Path, id: &MunicipalityId) -> Option<MunicipalityFile> {
        let source = self.source(file)?;
        let read: MunicipalityFile = yaml::read(file, &source, 1, self.faults)?;
        self.origin("municipality", id.as_str(), file, &source, 0);
        if read.id != *id {
            let line = yaml::line_of(&source, &["id"]);
            self.faults.at(
                file,
                line,
                format!("the id `{}` is not the folder's name", read.id),
                format!("write `id: {id}`"),
            );
            return None;
        }
        Some(read)
    }

    fn services(&mut self, folder: &Path) -> BTreeMap<ServiceId, ServiceFile> {
        let mut services = BTreeMap::new();
        for file in files_in(&folder.join("services"), ".yaml") {
            let Some(source) = self.source(&file) else { continue };
            let Some(service) = yaml::read::<ServiceFile>(&file, &source, 1, self.faults) else { continue };
            let stem = file_name(&file).trim_end_matches(".yaml").to_owned();
            if service.id.as_str() != stem {
                let line = yaml::line_of(&source, &["id"]);
                let what = format!("the id `{}` is not the file's name", service.id);
                self.faults.at(&file, line, what, format!("write `id: {stem}`"));
            }
            self.origin("service", service.id.as_str(), &file, &source, 0);
            services.insert(service.id.clone(), service);
        }
        services
    }

    fn delegations(&mut self, folder: &Path) -> Vec<Delegation> {
        let file = folder.join("delegation.yaml");
        if !file.exists() {
            return Vec::new();
        }
        let Some(source) = self.source(&file) else { return Vec::new() };
        let rows = yaml::read::<DelegationFile>(&file, &source, 1, self.faults).map_or_else(Vec::new, |f| f.delegation);
        for (place, row) in rows.iter().enumerate() {
            self.origin("delegation", &row_key(&row.id, row.valid), &file, &source, place);
        }
        rows
    }

    fn authorities(&mut self, folder: &Path) -> (Vec<Authority>, Vec<Task>) {
        let none = || (Vec::new(), Vec::new());
        let file = folder.join("authorities.yaml");
        if !file.exists() {
            return none();
        }
        let Some(source) = self.source(&file) else { return none() };
        let read = yaml::read::<AuthoritiesFile>(&file, &source, 1, self.faults);
        let (rows, tasks) = read.map_or_else(none, |file| (file.authorities, file.tasks));
        for (place, task) in tasks.iter().enumerate() {
            self.origin("task", &task.id, &file, &source, place);
        }
        for (place, row) in rows.iter().enumerate() {
            self.origin("authority", &row_key(row.id.as_str(), row.valid), &file, &source, place);
        }
        (rows, tasks)
    }

    /// The compiled words that tell whose a matter is.
    fn tasks(&mut self, rows: Vec<Task>) -> Option<Tasks> {
        let (id, what) = match Tasks::compile(rows) {
            Ok(tasks) => return Some(tasks),
            Err(wrong) => wrong,
        };
        let origin = self.origins.get(&format!("task/{id}"))?;
        let (file, line) = (origin.file.clone(), origin.line(&["tasks", &format!("#{}", origin.place), "patterns"]));
        self.faults.at(&file, line, what, "write patterns as `rakennuslu*` or `koti* _ hoitaja*`");
        None
    }

    fn texts(&mut self, folder: &Path) -> Vec<TextBlock> {
        let mut texts = Vec::new();
        for language in [Language::Fi, Language::Sv, Language::En] {
            for file in files_in(&folder.join("texts").join(language.code()), ".md") {
                if let Some(text) = self.text(&file, language) {
                    texts.push(text);
                }
            }
        }
        texts
    }

    fn text(&mut self, file: &Path, language: Language) -> Option<TextBlock> {
        let source = self.source(file)?;
        let Some(cut) = yaml::front_matter(&source) else {
            self.faults.at(
                file,
                1,
                "the text has no front matter",
                "begin with `---`, `id: …`, `language: …`, `in_force: …`, `---`",
            );
            return None;
        };
        let front: TextFrontMatter = yaml::read(file, cut.front, cut.front_line, self.faults)?;
        if front.language != language {
            let line = yaml::line_of(&source, &["language"]);
            let what = format!("the language `{}` is not the folder's", front.language);
            self.faults.at(file, line, what, format!("write `language: {language}` or move the file"));
        }
        consistency::check_template(file, cut.body, cut.body_line, self.faults);
        self.origin("text", &format!("{}/{}@{}", language, front.id, front.in_force.from), file, &source, 0);
        Some(TextBlock {
            id: front.id,
            language,
            title: front.title,
            version: front.in_force.from,
            valid: front.in_force,
            body: cut.body.trim().to_owned(),
        })
    }

    fn examples(&mut self, folder: &Path) -> Vec<(LabelledExample, (PathBuf, usize))> {
        let mut examples = Vec::new();
        for language in [Language::Fi, Language::Sv, Language::En] {
            let file = folder.join("examples").join(format!("{language}.jsonl"));
            if !file.exists() {
                continue;
            }
            let Some(source) = self.source(&file) else { continue };
            for (n, line) in source.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                match serde_json::from_str::<Example>(line) {
                    Ok(example) => {
                        let example = LabelledExample { text: example.text, label: example.label, language };
                        examples.push((example, (file.clone(), n + 1)));
                    }
                    Err(error) => {
                        let what = format!("the example cannot be read ({error})");
                        self.faults.at(&file, n + 1, what, r#"write {"text": "…", "label": "…"} on one line"#);
                    }
                }
            }
        }
        examples
    }
}
