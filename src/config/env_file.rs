//! A file of `NAME=value` lines, read only where somebody names it: keys that stand in no settings and no history.
//!
//! Values are taken as they stand, nothing in them is expanded. What a line holds is never repeated in a fault.

use std::path::Path;

use super::{Fault, Faulty};

/// The variables of a file in the order of its lines.
///
/// # Errors
/// Every faulty line, by its number.
pub(super) fn read(path: &Path) -> Result<Vec<(String, String)>, Faulty> {
    let fault = |line: Option<usize>, what: String, instead: &str| Fault {
        source: path.display().to_string(),
        line,
        key: None,
        what,
        instead: instead.to_owned(),
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        let what = format!("the file cannot be read ({})", error.kind());
        Faulty(vec![fault(None, what, "name a readable file of NAME=value lines")])
    })?;
    let (mut variables, mut faults) = (Vec::new(), Vec::new());
    for (number, line) in text.strip_prefix('\u{feff}').unwrap_or(&text).lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match variable(line) {
            Some(variable) => variables.push(variable),
            None => faults.push(fault(Some(number + 1), "this line sets no variable".to_owned(), "write NAME=value")),
        }
    }
    if faults.is_empty() { Ok(variables) } else { Err(Faulty(faults)) }
}

/// `NAME=value`, with `export` before it or quotes around the value as shells have them.
fn variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(plain) {
        return None;
    }
    let value = match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => value[1..].strip_suffix(quote).filter(|inner| !inner.contains(quote))?,
        None => value,
    };
    Some((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        super::read(file.path()).map_err(|faults| faults.to_string().replace(&file.path().display().to_string(), "F"))
    }

    #[test]
    fn lines_are_read_as_they_stand() {
        let text = "# keys\n\nA=1\nexport B = two words \nC=\"x # y\"\nD='$A'\nE=\nF=a=b\n";
        let known = [("A", "1"), ("B", "two words"), ("C", "x # y"), ("D", "$A"), ("E", ""), ("F", "a=b")];
        assert_eq!(read(text).unwrap(), known.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_line_at_fault_is_told_by_its_number_and_never_repeated() {
        let faults = read("A=1\nsk-secret\nB=\"sk-secret\n1C=sk-secret\nD D=sk-secret\n").unwrap_err();
        let told: Vec<&str> = faults.lines().collect();
        let of = |line: usize| format!("F:{line}: this line sets no variable; write NAME=value");
        assert_eq!(told, [of(2), of(3), of(4), of(5)]);
        assert!(super::read(Path::new("nowhere.env")).unwrap_err().to_string().contains("cannot be read"));
    }
}
