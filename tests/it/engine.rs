//! The offline engine on the base pack's own files: words of danger, labelled examples, figures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use vireille::model::TextClassifier as _;
use vireille::model::offline::LinearClassifier;
use vireille::municipality::emergency::Lexicon;
use vireille::municipality::format::{EmergencyFile, Example};
use vireille::text::{mask, normalize};

fn base(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/base").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn lexicon() -> Lexicon {
    let file: EmergencyFile = serde_saphyr::from_str(&base("emergency.yaml")).expect("emergency.yaml");
    Lexicon::compile(&file).expect("emergency.yaml compiles")
}

fn kinds(lexicon: &Lexicon, text: &str) -> BTreeSet<String> {
    lexicon.find(&normalize(text).text).into_iter().map(|hit| hit.kind).collect()
}

/// Kind of danger and a message that must raise it.
const ALARMS: &[(&str, &str)] = &[
    ("live-wire", "Sähköjohto roikkuu tiellä Koivutien kohdalla"),
    ("live-wire", "HEI!! myrskyn jäljiltä sähkölinja on katkennut ja makaa maassa meidän pihalla"),
    ("live-wire", "lapsi sai sähköiskun katuvalon pylväästä"),
    ("live-wire", "Johto tien päällä ja se kipinöi"),
    ("live-wire", "sahkojohto poikki ja roikkuu kadun ylla"),
    ("live-wire", "Valopylväästä puuttuu luukku ja paljaat sähköjohdot näkyvät"),
    ("live-wire", "pylväässä johdot näkyvissä lasten korkeudella"),
    ("live-wire", "En elledning har fallit ner över vägen efter stormen"),
    ("live-wire", "det gnistrar från ledningen vid hållplatsen"),
    ("live-wire", "Min son fick en stöt av lyktstolpen"),
    ("live-wire", "There is a power line lying on the road and it sparks"),
    ("live-wire", "Wire on the road sparks"),
    ("live-wire", "exposed wires in the lamp post next to the playground"),
    ("fire", "Tulipalo! Roskakatos on ilmiliekeissä"),
    ("fire", "koulun takana metsä palaa"),
    ("fire", "Koulun takaa nousee paksua savua"),
    ("fire", "tulpialo rivitalossa"),
    ("fire", "naapurin talo palaa tulkaa äkkiä"),
    ("fire", "Kirjaston roskis syttyi palamaan"),
    ("fire", "Bussikatoksen takana ruohikko palaa"),
    ("fire", "Det brinner i skogen bakom skolan"),
    ("fire", "Soptunnan står i lågor"),
    ("fire", "det kommer svart rök från förrådet"),
    ("fire", "The bin shelter is on fire"),
    ("fire", "thick smoke from the school roof"),
    ("fire", "there is a fire in the forest next to the track"),
    ("gas-smell", "Leikkipuiston vieressä haisee vahvasti kaasulle"),
    ("gas-smell", "kaivinkone rikkoi putken ja nyt kaasua vuotaa"),
    ("gas-smell", "kova kaasun haju kellarissa"),
    ("gas-smell", "Det luktar gas utanför daghemmet"),
    ("gas-smell", "strong smell of gas near the market square"),
    ("person-hurt", "Äitini kaatui jäisellä jalkakäytävällä ja makaa tässä nyt, ei pääse ylös"),
    ("person-hurt", "My mother fell on ice, she is lying here now"),
    ("person-hurt", "mies makaa tajuttomana pysäkillä"),
    ("person-hurt", "vanhus ei hengitä kirjaston edessä"),
    ("person-hurt", "Pyöräilijä jäi auton alle suojatiellä"),
    ("person-hurt", "poika on loukkaantunut pahasti skeittipuistossa"),
    ("person-hurt", "naapuri sai sydänkohtauksen"),
    ("person-hurt", "tarvitaan ambulanssi urheilukentälle"),
    ("person-hurt", "En gubbe ligger medvetslös på trottoaren"),
    ("person-hurt", "cyklisten blev påkörd av en buss"),
    ("person-hurt", "hon andas inte hjälp"),
    ("person-hurt", "a man is unconscious at the bus stop"),
    ("person-hurt", "he cant breathe please help"),
    ("person-hurt", "kid was hit by a car on the crossing"),
    ("drowning-ice", "Lapsi putosi jäihin satamassa!"),
    ("drowning-ice", "laiturin luona joku hukkuu"),
    ("drowning-ice", "ihminen vedessä sillan alla"),
    ("drowning-ice", "någon har gått genom isen vid badstranden"),
    ("drowning-ice", "a child fell through the ice"),
    ("drowning-ice", "someone is drowning at the beach"),
    ("child-danger", "Pieni lapsi on pudonnut kaivoon kannen alta"),
    ("child-danger", "lapsi on jumissa kiipeilytelineessä ja itkee"),
    ("child-danger", "taapero kävelee yksin ison tien varressa"),
    ("child-danger", "barn leker på spåret vid stationen"),
    ("child-danger", "children on the tracks near the station"),
    ("traffic-danger", "Risteyksessä on kolari, autot tukkivat tien"),
    ("traffic-danger", "rekka kaatui liittymään"),
    ("traffic-danger", "silta romahti juuri"),
    ("traffic-danger", "En bil har kört i diket vid Storgatan"),
    ("traffic-danger", "två bilar har krockat"),
    ("traffic-danger", "there has been an accident on the main road"),
    ("chemical", "Traktorista valuu öljyä ojaan ja siitä järveen"),
    ("chemical", "uimahallin pihalla kova kloorin haju, kemikaalia vuotaa"),
    ("chemical", "det rinner olja i diket från grävmaskinen"),
    ("chemical", "diesel is leaking? no: leaking diesel from the truck into the river"),
    ("explosion-weapon", "joku ampuu kentällä"),
    ("explosion-weapon", "mies heiluu puukon kanssa torilla"),
    ("explosion-weapon", "någon springer runt med kniv på torget"),
    ("explosion-weapon", "a man with a knife in the library"),
    ("building-collapse", "hallin katto romahti lumen painosta"),
    ("building-collapse", "the roof has collapsed at the sports hall"),
    ("deer-injured", "Ajoin peuraan ja se makaa ojassa elossa"),
    ("deer-injured", "loukkaantunut hirvi Mäntytien varressa"),
    ("deer-injured", "ett skadat rådjur ligger vid vägen"),
    ("deer-injured", "I hit a deer and it is still moving"),
    ("threat", "Tulen sinne ja tapan teidät kaikki"),
    ("threat", "tiedän missä asut, muista se kun päätät"),
    ("threat", "jag vet var du bor"),
    ("threat", "I will kill you if you reject my application"),
    ("self-harm", "en jaksa enää elää, avustuksella ei ole väliä"),
    ("self-harm", "Mikään ei merkitse enää mitään. Haluan kuolla."),
    ("self-harm", "mietin itsemurhaa joka päivä"),
    ("self-harm", "jag orkar inte leva längre"),
    ("self-harm", "tänker ta livet av mig"),
    ("self-harm", "I cannot go on, nothing matters"),
    ("self-harm", "i want to kill myself"),
];

/// Messages that sound like danger and must not alarm.
const CALM: &[&str] = &[
    "Kuolen nauruun kun luen teidän päätöksiä",
    "Nauruun kuolemista lähellä, kiitos hauskasta teatterista",
    "Meillä on tulipalokiire saada päätös",
    "Konsertti oli varsinainen pommi elokuvamusiikkia",
    "It was a bomb of a concert, thank you",
    "Palautetta kirjaston aukioloista",
    "Pihan valot palaa koko päivän",
    "katuvalo palaa keskellä päivää, turhaa sähkön kulutusta",
    "Koulussa palaa valot yölläkin",
    "Kirjastossa palaa vielä valot vaikka ovi on kiinni",
    "Kunnanjohtaja palaa lomalta maanantaina, palaan asiaan",
    "Rahaa palaa turhaan katujen sulattamiseen",
    "Jyväskyläntien ruohikkopalovaroitus on vielä voimassa, saako risuja polttaa?",
    "Milloin on tulipaloharjoitus koululla?",
    "Ei ole tulipalo, mutta valo vilkkuu ärsyttävästi",
    "Olen loukkaantunut vastauksenne sävystä",
    "Hän loukkaantui siitä että tervehdittiin väärin",
    "Onneksi kukaan ei loukkaantunut, mutta portaat on korjattava",
    "Korjatkaa kaide ennen kuin joku loukkaantuu",
    "Kuoppa on niin syvä että joku voi vielä kaatua",
    "Tajuttoman hieno leikkipuisto, kiitos!",
    "Auto ei pääse mäkeä ylös kun ei ole hiekoitettu",
    "Rollaattorilla ei pääse ylös kun auraus on tekemättä",
    "Kylä hukkuu lumeen, auratkaa jo",
    "Kadotin avaimet, avaimet hukkuivat hiihtoladulle",
    "Piha hukkuu roskiin ja kukaan ei tee mitään",
    "Lapset luistelevat jäällä joka päivä, kiitos hyvästä kaukalosta",
    "Hinnat räjähtivät käsiin, miten voitte nostaa maksuja",
    "Yleisö räjähti nauruun kesäteatterissa",
    "Milloin ampumarata on auki?",
    "Suunnitelma ampuu yli",
    "Sähköt ovat poikki koko kylältä",
    "Katuvalo ei toimi Lehtotiellä",
    "Työilmapiiri on myrkyttynyt, ilmapiiri myrkyttynyt johtajan takia",
    "Tapan aikaa bussipysäkillä kun katosta ei ole",
    "Kaukalossa elohopea laski alle kolmenkymmenen ja jää oli hyvää",
    "Kokouksessa oli kipinöivä tunnelma",
    "Haemme avustusta yksityistien kunnossapitoon vuodelle 2026",
    "Elvytysrahaa pitäisi käyttää teihin",
    "Kunta elvyttää keskustaa, hyvä!",
    "Öinen melu ei anna nukkua",
    "Päästökauppa ja palaute samassa viestissä",
    "Gatlampan brinner mitt på dagen",
    "Lamporna brinner hela dagen på Skolgatan",
    "Gatlampan brinner inte",
    "Jag brinner för frågan om gångvägar",
    "Jag dör av skratt",
    "Vi drunknar i snö här på Byvägen",
    "Jackan är brandgul och låg på bänken",
    "Det finns en brandpost som läcker vid torget",
    "Brandövningen i går var bra",
    "Kommunen skjuter upp beslutet igen",
    "Ingen blev skadad men räcket är löst",
    "Skolan ligger på Storgatan",
    "Ett hål i vägen, fyll det innan någon skadar sig",
    "Vi ansöker om bidrag för enskild väg",
    "Konserten var som en bomb",
    "The street light is burning all day",
    "Nobody was hurt but the railing is loose",
    "Fix this before someone gets hurt",
    "We had a fire brigade exercise yesterday and the yard is full of litter",
    "The fire hydrant on Main Street leaks a little",
    "We are drowning in paperwork",
    "Our team was on fire last night, thanks for the new floodlights",
    "I nearly died laughing",
    "Nearly had a heart attack when I saw the water bill",
    "The queue is not moving at the library",
    "The office is not responding to my emails",
    "Is the shooting range open on Sundays?",
    "No dogs allowed sign is missing",
    "The village is dying because the shop closed",
    "Smoke coming from the sauna chimney bothers us every Saturday? not at all, kidding",
    "Pothole on the road, it damaged my tyre",
    "I am applying for a private road grant",
    "Metsätalouden tukea haetaan muualta, mistä?",
    "Onko sähköistä lomaketta, sähköisiä kaavakkeita ei löydy",
    "They keep shouting on the square",
    "",
    "😀",
];

#[test]
fn danger_raises_the_alarm() {
    let lexicon = lexicon();
    let missed: Vec<_> = ALARMS.iter().filter(|(kind, text)| !kinds(&lexicon, text).contains(*kind)).collect();
    assert!(missed.is_empty(), "missed: {missed:#?}");
}

#[test]
fn danger_in_a_long_and_wrapped_message_raises_the_alarm() {
    let lexicon = lexicon();
    let chat = "Hei ja kiitos viimeisestä, täällä kaikki muuten hyvin. ".repeat(200);
    for (kind, text) in ALARMS {
        let wrapped = format!("{chat}\n{}\n{chat}", text.replace(' ', "\n"));
        let hits = lexicon.find(&wrapped);
        assert!(hits.iter().any(|hit| hit.kind == *kind), "{text}");
        for hit in hits {
            assert!(wrapped[hit.start..hit.end].starts_with(&hit.words));
        }
    }
}

#[test]
fn what_only_sounds_like_danger_does_not() {
    let lexicon = lexicon();
    let raised: Vec<_> = CALM
        .iter()
        .map(|text| (text, lexicon.find(text)))
        .filter(|(_, hits)| !hits.is_empty())
        .map(|(text, hits)| (text, hits.into_iter().map(|hit| (hit.kind, hit.words)).collect::<Vec<_>>()))
        .collect();
    assert!(raised.is_empty(), "raised: {raised:#?}");
}

#[test]
fn a_look_alike_hides_nothing_but_itself() {
    let lexicon = lexicon();
    assert!(kinds(&lexicon, "Kuolen nauruun. Mutta nyt roskakatos palaa!").contains("fire"));
    assert!(kinds(&lexicon, "Valot palaa, ja sitten tulipalo syttyi").contains("fire"));
    assert!(kinds(&lexicon, "Kukaan ei loukkaantunut, mutta sähköjohto roikkuu tiellä").contains("live-wire"));
}

#[test]
fn a_huge_text_gives_few_hits_and_four_times_the_text_takes_about_four_times_as_long() {
    let lexicon = lexicon();
    for word in ["lapsi ", "palaa ", "talo ", "öljyä ", "sähköjohtoa "] {
        let text = word.repeat(50_000 / word.len());
        let four = word.repeat(200_000 / word.len());
        // The better of two: what else the machine does only ever adds.
        let seconds = |text: &str| {
            let best = (0..2).map(|_| {
                let started = std::time::Instant::now();
                assert!(lexicon.find(text).len() <= 20 * 12);
                started.elapsed().as_secs_f64()
            });
            best.fold(f64::INFINITY, f64::min)
        };
        let (one, four) = (seconds(&text), seconds(&four));
        // Square growth would be sixteen times. What takes a moment anyway is not worth measuring.
        assert!(four < 10.0 * one || four < 0.05, "{word}: {one:.3} s, and {four:.3} s for four times the text");
    }
}

fn examples() -> Vec<(Example, &'static str)> {
    ["fi", "sv", "en"]
        .into_iter()
        .flat_map(|language| {
            base(&format!("examples/{language}.jsonl"))
                .lines()
                .enumerate()
                .map(|(line, text)| {
                    let example: Example = serde_json::from_str(text)
                        .unwrap_or_else(|error| panic!("{language}.jsonl:{}: {error}", line + 1));
                    (example, language)
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The fault categories, the services, and the matters that are no fault notice.
const LABELS: &str = "LI1 LI2 LI3 TS1 RD1 RD2 RD3 RD4 WI1 WI2 WI3 WI4 WA1 WA2 WA3 WA4 SG1 SG2 PL1 PL2 PL3 GR1 GR2 GR3 GR4 \
    CL1 CL2 CL3 CL4 VA1 VA2 BU1 BU2 AN1 AN2 AN3 AN4 EL1 TE1 PT1 PA1 BR1 RA1 HA1 CE1 NO1 OT1 private-road-grant feedback question \
    access-right association-grant association-one-off-grant facility-booking public-area-permit student-stipend summer-job summer-voucher \
    claim-for-revision damage-claim document-request data-subject-request complaint initiative threat self-harm spam other-authority";

#[test]
fn every_label_has_enough_examples_and_no_example_stands_twice() {
    let examples = examples();
    let known: BTreeSet<&str> = LABELS.split_whitespace().collect();
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut texts = BTreeSet::new();
    for (example, language) in &examples {
        assert!(known.contains(example.label.as_str()), "{language}: no such label: {}", example.label);
        assert!(texts.insert(example.text.to_lowercase()), "{language}: stands twice: {}", example.text);
        assert_eq!(mask(&example.text), example.text, "{language}: holds an identifier");
        *counts.entry((example.label.as_str(), language)).or_default() += 1;
    }
    for label in known {
        for (language, least) in [("fi", 12), ("sv", 8), ("en", 8)] {
            let count = counts.get(&(label, language)).copied().unwrap_or(0);
            assert!(count >= least, "{label} has {count} examples in {language}, needs {least}");
        }
    }
}

#[test]
fn the_engine_learns_from_the_examples() {
    let examples = examples();
    let classifier =
        LinearClassifier::train(examples.iter().map(|(example, _)| (example.text.as_str(), example.label.as_str())));
    for (text, label) in [
        ("Koulutien ja Rantatien risteyksessä on syvä kuoppa asfaltissa.", "RD1"),
        ("kuappa tiäs koulun eres", "RD1"),
        ("Katuvalo ei pala talomme edessä", "LI1"),
        ("Det finns en stor grop i vägen utanför skolan", "RD1"),
        ("The street lamp in front of our house is dark", "LI1"),
        ("Haemme tiekunnan puolesta kunnossapitoavustusta yksityistielle", "private-road-grant"),
        ("Vaadin päätökseen oikaisua, päätös on virheellinen", "claim-for-revision"),
    ] {
        let prediction = classifier.predict(text);
        assert_eq!(prediction.label, label, "{text}: {prediction:?}");
        assert!(!prediction.features.is_empty() && prediction.features.iter().all(|f| text.contains(&f.text)));
    }
    for text in ["", "😡", "asdf qwer zxcv", "На дороге яма", "QUJDREVGR0hJSktMTU5PUA=="] {
        assert!(classifier.predict(text).abstained, "{text}: {:?}", classifier.predict(text));
    }
    let again = LinearClassifier::from_bytes(&classifier.to_bytes()).expect("what was written is read");
    assert_eq!(again, classifier);
}
