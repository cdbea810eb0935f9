//! People's names in texts: those that the form tells, in all their forms, and those of people whom a text brings in.
//!
//! The recogniser is a rule, not a model: words with a capital within a sentence that are no place, authority or everyday
//! word and say no whereabouts; at the start of one a first name, two of them, or one behind a word such as `naapurini`; in
//! capitals throughout, a first name beside another name. What it takes for a person is one from then on, in every text of
//! the case.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::detect::{Span, is_somewhere, is_street};
use super::inflection::Forms;
use super::placeholder::Class;
use super::public_words::PublicWords;

/// Most names that a case knows with all their forms. Whoever a text brings in beyond them is masked by the very letters
/// of the name, so that a list of names built for it costs no more time than another text.
const MOST: usize = 500;

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// As it is written.
    pub text: &'a str,
    /// Where it starts, in bytes.
    pub start: usize,
    /// Where it ends, exclusive.
    pub end: usize,
}

impl Word<'_> {
    /// One large letter and small ones behind it.
    pub fn is_capitalised(&self) -> bool {
        let mut letters = self.text.chars();
        letters.next().is_some_and(char::is_uppercase) && letters.any(char::is_lowercase)
    }
}

/// Runs of letters, with hyphens and apostrophes within them.
pub fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + text[rest..].find(char::is_alphabetic)?;
        let is_part = |c: char| c.is_alphabetic() || is_mark(c) || matches!(c, '-' | '\'' | '’');
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |length| start + length);
        rest = end;
        let word = text[start..end].trim_end_matches(['-', '\'', '’']);
        Some(Word { text: word, start, end: start + word.len() })
    })
}

/// An accent that a letter carries as a character of its own.
const fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

/// Words of organisations, in any of the forms of [`Forms`].
static ORGANISATIONS: LazyLock<Forms> = LazyLock::new(|| {
    let mut forms = Forms::default();
    "tiekunta väglag vägförening osakaskunta delägarlag oy oyj ab abp ry rf ky ay osuuskunta andelslag yhtiö bolag aktiebolag \
     yhdistys förening seura sällskap kunta kommun kaupunki stad seurakunta församling säätiö stiftelse liitto förbund \
     taloyhtiö husbolag asunto-osakeyhtiö ltd inc association company cooperative"
        .split_whitespace()
        .for_each(|word| forms.add(word, 0));
    forms
});

/// Whether a name is an organisation's.
pub fn is_organisation(name: &str) -> bool {
    words(name).any(|word| ORGANISATIONS.has(word.text))
}

/// First names that people here often have.
static FIRST_NAMES: LazyLock<Forms> = LazyLock::new(|| {
    let mut forms = Forms::default();
    "Aada Aapo Aarne Aaro Aaron Abdi Adam Ahmed Aila Aili Aimo Aino Airi Aki Aleksi Alex Alexander Alexandra Ali Alina Alisa \
     Allan Amanda Amina Anders Andreas Anette Anita Anja Anna Anne Anneli Anni Annika Annikki Annukka Ansa Anton Antti Ari Arja \
     Armas Arto Arttu Arvo Asko Atte Aulis Axel Benjamin Bengt Bertil Birgit Birgitta Björn Bo Camilla Carina Carita Carl \
     Carola Caroline Cecilia Charlotta Christer Christian Christina Christoffer Clara Dan Daniel David Diana Eelis Eemeli Eero \
     Eetu Eeva Eevi Eija Eila Eino Einari Elias Elina Elisa Elisabet Elisabeth Ella Ellen Elli Elsa Elvi Emil Emilia Emma Emmi \
     Enni Erik Erika Eriikka Erja Erkki Erno Ernesti Esa Essi Ester Eva Eveliina Fatima Felix Filip Frans Fredrik Frida Gunnar \
     Gunilla Gustav Göran Hanna Hannah Hanne Hannele Hannes Hannu Hans Harri Harry Hassan Heidi Heikki Heimo Helena Helge Heli \
     Helmi Helvi Henna Henri Henriikka Henrik Hilda Hilja Hilkka Hugo Ibrahim Ida Iida Iina Iiris Iiro Ilkka Ilmari Ilona Ilpo \
     Ilari Ina Inga Inger Inkeri Irene Iris Irja Irma Irmeli Isak Ismo Ivan Jaakko Jaana Jalmari Jan Jani Janina Janne Jari Jarkko \
     Jarmo Jarno Jasmin Jenni Jenny Jere Jesse Joakim Joel Johan Johanna Johannes John Joni Jonas Jonna Jorma Josefiina Jouko \
     Jouni Juha Juhana Juhani Juho Jukka Julia Julius Jussi Jutta Juuso Jyri Jyrki Jörgen Kaarina Kaarlo Kai Kaija Kaisa Kaj \
     Kalevi Kalle Karim Karin Karl Karoliina Kasper Kati Katja Katri Katriina Kauko Kenneth Kerttu Kimmo Kirsi Kirsti Kirsten \
     Kjell Klaus Kristian Kristiina Krista Kristina Kristoffer Kyllikki Kyösti Lars Lasse Lassi Laura Lauri Lea Leena Leif Leila \
     Lena Lennart Leo Lidia Liisa Lilja Linda Linnea Lisa Lotta Lucas Lukas Maaria Maarit Magdalena Magnus Maija Maj Malin Manu \
     Marcus Margareta Margit Mari Maria Mariam Marianne Maritta Marja Marjatta Marjo Marjut Marketta Markku Marko Markus Martin \
     Martta Mathias Matias Matilda Mats Matti Mauno Mauri Max Mehdi Merja Mervi Mia Michael Mika Mikael Mikko Milla Minna Mira \
     Mirja Mirjami Mirka Miska Mohamed Mohammed Mona Monica Muhammad Mustafa Mårten Natalia Nea Nella Niclas Niina Niilo Niklas \
     Niko Nina Noora Olavi Olga Oliver Olli Omar Onni Orvokki Oskari Oskar Osmo Ossi Otso Otto Outi Paavo Patrik Paul Paula Pauli \
     Pauliina Pekka Pentti Per Perttu Peter Petra Petri Petteri Pertti Pia Pirjo Pirkko Päivi Päivikki Pär Raija Raili Raimo Raine \
     Ralf Rasmus Rauno Rebecka Reetta Reijo Reino Riikka Riina Risto Ritva Robert Robin Roger Roland Roope Roosa Ronja Saara Saana \
     Saija Saila Sakari Salla Sami Samu Samuel Samuli Sanna Sannamari Sanni Santeri Santtu Sara Sari Satu Saku Sebastian Seija \
     Seppo Severi Siiri Silja Simo Simon Sini Sinikka Siri Sirkka Sirpa Sofia Sofie Soile Sonja Stefan Sten Stig Sture Susanna \
     Susanne Suvi Sven Tage Taina Taisto Tanja Tapani Tapio Tarja Tatjana Tauno Teemu Teija Tero Terhi Terttu Theodor Thomas Tiia \
     Tiina Timo Tom Tomi Tommi Tommy Toni Tony Topi Torsten Touko Tuija Tuomas Tuomo Tuula Tyyne Ulf Ulla Urho Urpo Usko Valtteri \
     Vappu Veera Veijo Veikko Vesa Vilho Viljo Ville Vilma Viktor Viktoria Veli Venla Viivi Waltteri Wilhelm William Yrjö Yusuf \
     Åke Åsa Östen"
        .split_whitespace()
        .for_each(|name| forms.add(name, 0));
    forms
});

/// What stands before a person.
static CUES: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "naapuri naapurini naapurimme naapurin naapurilla naapurille rouva herra hra rva neiti tohtori isännöitsijä puheenjohtaja pj \
     sihteeri asukas asukkaan omistaja omistajan vuokralainen vaimoni mieheni puolisoni poikani tyttäreni lapseni äitini isäni \
     siskoni veljeni kaverini ystäväni nimeni nimi allekirjoittanut soitti kertoi hakija hakijan huoltaja terveisin terveiset terv \
     terkuin kiittäen olen granne grannen grannes min herr fru fröken doktor ordförande ordföranden sekreterare ägaren ägare hustru \
     sambo son dotter barn mor far syster bror heter undertecknad hälsningar hälsn mvh vänligen sökande vårdnadshavare jag neighbour \
     neighbor mr mrs ms miss dr chair chairman chairwoman owner wife husband daughter mother father sister brother regards \
     sincerely named name signed"
        .split_whitespace()
        .collect()
});

/// Letters of a family name that no other capitalised word within a sentence has.
const FAMILY: &[&str] = &[
    "nen", "sen", "selle", "selta", "seltä", "sella", "sellä", "sson", "ssons", "ssonin", "ström", "ströms", "strömin",
    "qvist", "kvist", "stedt", "gren", "grens", "lund", "lunds", "berg", "bergs", "bergin", "dahl", "blom", "skog",
    "ov", "ova", "eva", "ović", "evich",
];

/// Everybody whom the case knows by name.
#[derive(Default)]
pub struct People {
    forms: Forms,
    /// The words of each name, in lower case, and what it names.
    names: Vec<(Class, Vec<String>)>,
}

impl People {
    /// Adds a name and gives its key; a name that is known already keeps its own.
    pub fn know(&mut self, class: Class, name: &str) -> Option<String> {
        let parts: Vec<String> =
            words(name).filter(|word| word.text.chars().count() > 1).map(|word| word.text.to_lowercase()).collect();
        if parts.is_empty() {
            return None;
        }
        let known = self.names.iter().position(|(of, known)| *of == class && *known == parts);
        let number = known.unwrap_or_else(|| {
            let number = self.names.len();
            for part in &parts {
                self.forms.add(part, number);
            }
            if class == Class::Person && parts.len() > 1 {
                // As it stands in file names and addresses: mattimeikalainen.
                let reversed: Vec<&str> = parts.iter().rev().map(String::as_str).collect();
                for glued in [parts.concat(), reversed.concat()] {
                    self.forms.add(&plain(&glued), number);
                    self.forms.add(&glued, number);
                }
            }
            for part in &parts {
                let plain = plain(part);
                if plain != *part {
                    self.forms.add(&plain, number);
                }
            }
            self.names.push((class, parts));
            number
        });
        Some(number.to_string())
    }

    /// Names in a text. `within` tells that the text is a piece: only what is known counts then.
    pub fn find(
        &mut self,
        text: &str,
        public: &PublicWords,
        is_place: &dyn Fn(&str) -> bool,
        within: bool,
    ) -> Vec<Span> {
        let words: Vec<Word<'_>> = words(text).collect();
        let mut spans = Vec::new();
        let mut at = 0;
        while at < words.len() {
            // Each run is looked at with what the ones before it brought in.
            let mut run = Vec::new();
            for (place, word) in words.iter().enumerate().skip(at) {
                let joined = place == at || is_joint(&text[words[place - 1].end..word.start]);
                let seen = joined.then(|| self.look(text, *word, public, is_place)).filter(|seen| seen.may_be);
                let Some(seen) = seen else { break };
                run.push(seen);
            }
            let next = at + run.len().max(1);
            if !run.is_empty() {
                let cue = is_cue(text, &words, at);
                self.run(text, &run, cue, public, within, &mut spans);
            }
            at = next;
        }
        spans
    }

    fn look<'a>(&self, text: &str, word: Word<'a>, public: &PublicWords, is_place: &dyn Fn(&str) -> bool) -> Seen<'a> {
        let capital = word.is_capitalised();
        let shouted = !capital && word.text.chars().next().is_some_and(char::is_uppercase);
        let long = word.text.chars().count() > 3;
        let known = if capital || shouted || (long && !public.is_common(word.text)) {
            self.forms.find(word.text)
        } else {
            Vec::new()
        };
        let place = capital && (is_place(word.text) || public.is_place(word.text) || is_street(word.text));
        // An initial, and `I've`.
        let single = word.text.split(['\'', '’']).next().unwrap_or_default().chars().count() < 2;
        let before = text[..word.start].trim_end_matches([' ', '\u{a0}', '”', '"', '(', '“', '–', '-', '*', '>']);
        let starts = before.is_empty() || before.ends_with(['.', '!', '?', ':', '\n', ';', '\t', '|']);
        let named = || FIRST_NAMES.has(word.text) || is_family_name(word.text);
        let somewhere = || is_place(word.text) || public.is_place(word.text) || is_street(word.text);
        let loud = shouted && known.is_empty() && !single && named() && !somewhere();
        let may_be = !known.is_empty() || (capital && !place && !single) || loud;
        let begins = |rest: &str| rest.is_empty() || rest.ends_with(char::is_whitespace);
        let there = THERE.iter().any(|word| before.strip_suffix(word).is_some_and(begins));
        Seen { word, known, place, starts, there, loud, may_be }
    }

    /// A run of words beside each other that may all be names.
    fn run(
        &mut self,
        text: &str,
        run: &[Seen<'_>],
        cue: bool,
        public: &PublicWords,
        within: bool,
        spans: &mut Vec<Span>,
    ) {
        // An everyday word with a capital at the start of a sentence, or in the middle of a Title Like This.
        let everyday = |seen: &Seen<'_>| {
            let word = seen.word.text;
            seen.known.is_empty() && (public.is_common(word) || CUES.contains(word.to_lowercase().as_str()))
        };
        let from = run.iter().take_while(|seen| everyday(seen) && (!cue || seen.starts)).count();
        // `Naapurini Matti`: the cue itself may begin the sentence.
        let cue = cue || from > 0 && CUES.contains(run[from - 1].word.text.to_lowercase().as_str());
        let run = &run[from..];
        let run = &run[..run.len() - run.iter().rev().take_while(|seen| everyday(seen)).count()];
        // `Eilen Jari Koskinen`: the name begins with its first name.
        let given = |seen: &Seen<'_>| !seen.known.is_empty() || FIRST_NAMES.has(seen.word.text);
        let late = run.len() > 2 && run[0].starts && !given(&run[0]) && given(&run[1]);
        let run = &run[usize::from(late)..];
        let Some(first) = run.first() else { return };
        let shaped = |seen: &Seen<'_>| FIRST_NAMES.has(seen.word.text) || is_family_name(seen.word.text);
        let person = if within || run.iter().all(|seen| !seen.known.is_empty()) {
            false
        } else if run.iter().any(|seen| seen.loud) {
            // Where all is written so, a single word proves nothing.
            (cue || run.len() > 1) && run.iter().any(given)
        } else if run.len() == 1 {
            let word = first.word.text;
            let alone = if first.starts {
                (FIRST_NAMES.has(word) || is_nen(word)) && !public.is_common(word)
            } else {
                shaped(first) || !(first.there || is_somewhere(word))
            };
            cue || alone
        } else {
            true
        };
        if !person {
            self.known(text, run, spans);
        } else if let Some(key) = self.who(run) {
            spans.push(self.span(text, run, &key));
        }
    }

    /// The parts of a run that are known, those of one person together.
    fn known(&self, text: &str, run: &[Seen<'_>], spans: &mut Vec<Span>) {
        let mut at = 0;
        while at < run.len() {
            let Some(&one) = run[at].known.iter().find(|one| self.is_named(**one, &run[at..])) else {
                at += 1;
                continue;
            };
            let mut end = at + 1;
            while end < run.len()
                && run[end].known.contains(&one)
                && is_joint(&text[run[end - 1].word.end..run[end].word.start])
            {
                end += 1;
            }
            // A family name that is a place, too, counts beside a first name only.
            if end - at > 1 || !run[at].place {
                spans.push(self.span(text, &run[at..end], &one.to_string()));
            }
            at = end;
        }
    }

    /// Whether the words from here on name that one: any part of a person, the whole of an organisation.
    fn is_named(&self, one: usize, from: &[Seen<'_>]) -> bool {
        let (class, parts) = &self.names[one];
        *class == Class::Person
            || from.len() >= parts.len() && from[..parts.len()].iter().all(|seen| seen.known.contains(&one))
    }

    /// The person of a run: a known one whose name it gives or completes, else a new one.
    fn who(&mut self, run: &[Seen<'_>]) -> Option<String> {
        let mut matched: HashMap<usize, usize> = HashMap::new();
        for one in run.iter().flat_map(|seen| &seen.known) {
            *matched.entry(*one).or_default() += 1;
        }
        let same = run.iter().flat_map(|seen| seen.known.iter().copied()).find(|one| {
            let (class, parts) = &self.names[*one];
            *class == Class::Person && (matched[one] == run.len() || matched[one] >= parts.len())
        });
        if let Some(one) = same {
            for seen in run.iter().filter(|seen| !seen.known.contains(&one)) {
                self.forms.add(seen.word.text, one);
                self.names[one].1.push(seen.word.text.to_lowercase());
            }
            return Some(one.to_string());
        }
        let name = run.iter().map(|seen| seen.word.text).collect::<Vec<_>>().join(" ");
        if self.names.len() < MOST { self.know(Class::Person, &name) } else { Some(name.to_lowercase()) }
    }

    fn span(&self, text: &str, run: &[Seen<'_>], key: &str) -> Span {
        let (first, last) = (run.first().map_or(0, |seen| seen.word.start), run.last().map_or(0, |seen| seen.word.end));
        let class = key.parse::<usize>().ok().and_then(|one| self.names.get(one)).map_or(Class::Person, |name| name.0);
        // `Virtanen:lle`: the ending belongs to the form.
        let ending: usize = text[last..]
            .strip_prefix(':')
            .map(|rest| rest.chars().take_while(|c| c.is_alphabetic() || is_mark(*c)).map(char::len_utf8).sum())
            .filter(|length| *length > 0)
            .map_or(0, |length: usize| length + 1);
        Span { start: first, end: last + ending, class, key: key.to_owned() }
    }
}

/// A word as the recogniser sees it.
struct Seen<'a> {
    word: Word<'a>,
    known: Vec<usize>,
    place: bool,
    starts: bool,
    /// Whether the word before says that a place follows.
    there: bool,
    /// Whether it has the form of a name, in capitals throughout.
    loud: bool,
    may_be: bool,
}

/// Whether two words stand beside each other as the parts of a name do, in texts and in the names of files.
fn is_joint(between: &str) -> bool {
    matches!(between, " " | "\u{a0}" | "_" | "." | "," | ", " | "-")
}

/// Whether the word before says that a person follows.
fn is_cue(text: &str, all: &[Word<'_>], at: usize) -> bool {
    if at == 0 {
        return false;
    }
    let between = &text[all[at - 1].end..all[at].start];
    if between.len() > 12 || !between.chars().all(|c| c.is_whitespace() || matches!(c, ',' | ':' | '.' | '!')) {
        return false;
    }
    let word = |at: usize| all[at].text.to_lowercase();
    let before = word(at - 1);
    // Nimeni on, mitt namn är, my name is.
    let verb = at > 1
        && matches!(before.as_str(), "on" | "är" | "is")
        && matches!(word(at - 2).as_str(), "nimeni" | "nimi" | "namn" | "name");
    verb || CUES.contains(before.as_str())
}

/// Words behind which a single name is a place's.
const THERE: &[&str] =
    &["i", "på", "till", "från", "vid", "över", "genom", "in", "at", "near", "to", "from", "on", "of"];

/// A family name on `-nen` that no sentence begins with otherwise.
fn is_nen(word: &str) -> bool {
    const OTHERS: &[&str] = &[
        "toinen",
        "ensimmäinen",
        "viimeinen",
        "jokainen",
        "tällainen",
        "sellainen",
        "tuollainen",
        "millainen",
        "nykyinen",
        "edellinen",
        "entinen",
        "suomalainen",
        "ruotsalainen",
        "yhteinen",
        "yksityinen",
        "julkinen",
        "samanlainen",
        "erilainen",
        "punainen",
        "sininen",
        "valkoinen",
        "keltainen",
        "oikeanlainen",
        "moinen",
        "tavallinen",
        "varsinainen",
        "nainen",
        "ihminen",
        "hevonen",
        "vasemmanpuoleinen",
        "oikeanpuoleinen",
        "keskinen",
        "pohjoinen",
        "eteläinen",
        "itäinen",
        "läntinen",
        "viereinen",
        "hiljainen",
    ];
    let lower = word.to_lowercase();
    lower.chars().count() >= 6 && lower.ends_with("nen") && !OTHERS.contains(&lower.as_str())
}

fn is_family_name(word: &str) -> bool {
    let lower = word.to_lowercase();
    lower.chars().count() >= 5 && FAMILY.iter().any(|end| lower.ends_with(end))
}

/// Without the dots and rings that addresses leave out.
fn plain(word: &str) -> String {
    word.chars()
        .map(|c| match c {
            'å' | 'ä' => 'a',
            'ö' => 'o',
            'é' => 'e',
            'ü' => 'u',
            other => other,
        })
        .collect()
}
