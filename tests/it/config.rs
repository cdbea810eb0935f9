//! Settings: layers, faults with their place, secrets that stay hidden.

use std::io::Write as _;

use vireille::config::{self, Config, LogFormat, Sources};

fn environment(variables: &[(&str, &str)]) -> Sources {
    Sources {
        environment: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Sources::default()
    }
}

fn file(text: &str) -> (tempfile::NamedTempFile, Sources) {
    let mut file = tempfile::Builder::new().prefix("vireille").suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let sources = Sources { file: Some(file.path().to_owned()), ..Sources::default() };
    (file, sources)
}

#[test]
fn the_compiled_in_defaults_hold() {
    let config = Config::standard();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.policies.default_municipality.as_str(), "harjuvesi");
    assert_eq!(config.work.workers, 2);
    assert_eq!(config.log.format, LogFormat::Pretty);
}

#[test]
fn every_key_is_documented_where_its_default_stands() {
    let lines: Vec<&str> = config::DEFAULTS.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        if line.contains(" = ") && !line.starts_with('#') && !line.starts_with("max_page_size") {
            assert!(lines[i - 1].starts_with('#'), "`{line}` has no comment above it");
        }
    }
}

#[test]
fn a_later_layer_wins() {
    let (_kept, mut sources) =
        file("[server]\nlisten = \"127.0.0.1:1\"\n[work]\nworkers = 3\n[review]\nclaim_minutes = 5\n");
    sources.environment = vec![
        ("VIREILLE__SERVER__LISTEN".to_owned(), "127.0.0.1:2".to_owned()),
        ("VIREILLE__WORK__WORKERS".to_owned(), "4".to_owned()),
        ("VIREILLE_TEST_POSTGRES_URL".to_owned(), "none of ours".to_owned()),
    ];
    sources.flags = vec![("server.listen".to_owned(), "127.0.0.1:3".to_owned())];
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.work.workers, 4);
    assert_eq!(config.review.claim_minutes, 5);
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest() {
    let (kept, sources) =
        file("[server]\n\nlisten = \"127.0.0.1:1\"\nrequest_timeout_second = 3\n[wrk]\nworkers = 1\n");
    let faults: Vec<String> = config::check(&sources)
        .iter()
        .map(|fault| fault.to_string().replace(&kept.path().display().to_string(), "vireille.toml"))
        .collect();
    insta::assert_snapshot!(faults.join("\n"), @r"
    vireille.toml:4: there is no setting `server.request_timeout_second`; did you mean `server.request_timeout_seconds`?
    vireille.toml:6: there is no setting `wrk.workers`; did you mean `work.workers`?
    ");
}

#[test]
fn every_fault_is_told_at_once() {
    let sources = environment(&[
        ("VIREILLE__WORK__WORKERS", "many"),
        ("VIREILLE__SERVER__LISTEN", "localhost"),
        ("VIREILLE__STORAGE__URL", "mysql://root:hunter2@host/db"),
        ("VIREILLE__LOG__FORMAT", "xml"),
        ("VIREILLE__COLOUR", "red"),
    ]);
    let faults = Config::load(&sources).unwrap_err().to_string();
    assert!(!faults.contains("hunter2"), "a fault never repeats a value");
    insta::assert_snapshot!(faults, @r"
    environment variable VIREILLE__WORK__WORKERS: `work.workers` takes the type integer, not string; write a value of type integer
    environment variable VIREILLE__COLOUR: there is no setting `colour`; see config/default.toml for the keys
    settings: `storage.url` names no database that we know; write sqlite:PATH or postgres://…
    settings: `server.listen` is no address with a port; write for example 127.0.0.1:8080
    settings: `log.format` is no format that we know; write pretty or json
    ");
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_line() {
    let (_kept, sources) = file("[server]\nlisten = \n");
    let faults = config::check(&sources);
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].line, Some(2));
}

#[test]
fn a_customary_key_goes_only_where_it_was_meant_to_go() {
    const PUBLIC: &str = "https://api.openai.com/v1";
    const LOCAL: &str = "http://10.0.0.5:8000/v1";
    let model = |variables: &[(&str, &str)]| {
        let model = Config::load(&environment(variables)).unwrap().model;
        (model.url, model.key.reveal().to_owned())
    };
    for (variables, url, key) in [
        (vec![("OPENAI_API_KEY", "ambient")], PUBLIC, "ambient"),
        (vec![("OPENAI_API_KEY", "ambient"), ("VIREILLE__MODEL__URL", PUBLIC)], PUBLIC, "ambient"),
        (vec![("OPENAI_API_KEY", "ambient"), ("OPENAI_BASE_URL", LOCAL)], LOCAL, "ambient"),
        (vec![("OPENAI_API_KEY", "ambient"), ("VIREILLE__MODEL__URL", LOCAL)], LOCAL, ""),
        (vec![("OPENAI_API_KEY", "ambient"), ("VIREILLE__MODEL__KEY", "own")], PUBLIC, "own"),
        (vec![("OPENAI_BASE_URL", LOCAL), ("VIREILLE__MODEL__KEY", "own")], PUBLIC, "own"),
        (vec![("OPENAI_BASE_URL", PUBLIC), ("VIREILLE__MODEL__URL", LOCAL)], LOCAL, ""),
    ] {
        assert_eq!(model(&variables), (url.to_owned(), key.to_owned()), "{variables:?}");
    }
    let unclear = environment(&[
        ("OPENAI_BASE_URL", LOCAL),
        ("VIREILLE__MODEL__KEY", "own"),
        ("VIREILLE__MODEL__ENGINE", "openai"),
    ]);
    let faults = Config::load(&unclear).unwrap_err().to_string();
    assert!(faults.contains("OPENAI_BASE_URL") && faults.contains("set `model.url`, too"), "{faults}");
    assert!(!faults.contains("own\"") && !faults.contains(LOCAL), "a fault never repeats a value: {faults}");
}

#[test]
fn a_secret_is_never_printed() {
    let sources = environment(&[("VIREILLE__STORAGE__URL", "postgres://vireille:hunter2@localhost/vireille")]);
    let config = Config::load(&sources).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(config.storage.url.reveal().contains("hunter2"));
}
