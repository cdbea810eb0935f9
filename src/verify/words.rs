//! What the checks say, in Finnish, Swedish and English: officers read it beside the draft.
//!
//! One function a finding; its three wordings stand under each other, and the compiler holds that each names all
//! its values. A detail says what was found, where, and what to do about it. Codes of rules, documents and texts
//! stand as they are, for they are what a person looks for.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::cases::{DraftKind, Euro, Language, Localized, Outcome, PartKind, write_date, write_time};

/// A value within a sentence, written as the language has it.
pub trait Say {
    /// The value in `language`.
    fn say(&self, language: Language) -> String;
}

impl Say for str {
    fn say(&self, _: Language) -> String {
        self.to_owned()
    }
}

impl Say for String {
    fn say(&self, _: Language) -> String {
        self.clone()
    }
}

impl Say for Localized {
    fn say(&self, language: Language) -> String {
        self.get(language).to_owned()
    }
}

impl Say for Date {
    fn say(&self, language: Language) -> String {
        write_date(*self, language)
    }
}

impl Say for Timestamp {
    fn say(&self, language: Language) -> String {
        write_time(*self, language)
    }
}

impl Say for Euro {
    fn say(&self, language: Language) -> String {
        self.format(language)
    }
}

/// Nothing is a word of its own: `the rules computed nothing`.
impl Say for Option<Euro> {
    fn say(&self, language: Language) -> String {
        self.map_or_else(|| pick(language, ["ei mitään", "ingenting", "nothing"]), |amount| amount.say(language))
    }
}

macro_rules! as_written {
    ($($kind:ty),+) => {$(
        impl Say for $kind {
            fn say(&self, _: Language) -> String {
                self.to_string()
            }
        }
    )+};
}
as_written!(u32, usize, i64);

impl<T: Say + ?Sized> Say for &T {
    fn say(&self, language: Language) -> String {
        (**self).say(language)
    }
}

fn pick(language: Language, [fi, sv, en]: [&str; 3]) -> String {
    match language {
        Language::Fi => fi,
        Language::Sv => sv,
        Language::En => en,
    }
    .to_owned()
}

impl Say for Language {
    fn say(&self, language: Language) -> String {
        let name = match self {
            Self::Fi => ["suomi", "finska", "Finnish"],
            Self::Sv => ["ruotsi", "svenska", "Swedish"],
            Self::En => ["englanti", "engelska", "English"],
        };
        pick(language, name)
    }
}

impl Say for DraftKind {
    fn say(&self, language: Language) -> String {
        let name = match self {
            Self::Grant => ["myönteinen päätös", "bifall", "grant"],
            Self::Partial => ["osittain myönteinen päätös", "delvis bifall", "partial grant"],
            Self::Rejection => ["hylkäävä päätös", "avslag", "rejection"],
            Self::Inadmissible => ["tutkimatta jättäminen", "avvisning", "refusal as inadmissible"],
            Self::Completion => ["täydennyspyyntö", "begäran om komplettering", "completion request"],
            Self::Transfer => ["siirto", "överföring", "transfer"],
            Self::Hearing => ["kuuleminen", "hörande", "hearing"],
            Self::Acknowledgement => ["kuittaus", "kvittering", "acknowledgement"],
            Self::DocumentAnswer => {
                ["vastaus tietopyyntöön", "svar på begäran om handlingar", "answer to a document request"]
            }
            Self::Recovery => ["takaisinperintä", "återkrav", "recovery"],
            Self::ClaimDecision => {
                ["oikaisuvaatimuksen ratkaisu", "avgörande om omprövning", "decision on a claim for revision"]
            }
            Self::Correction => ["korjaus", "rättelse", "correction"],
            Self::Withdrawal => ["raukeaminen", "förfallande", "note of withdrawal"],
        };
        pick(language, name)
    }
}

impl Say for Outcome {
    fn say(&self, language: Language) -> String {
        let name = match self {
            Self::Granted => ["myönteisen", "bifall", "granted"],
            Self::Partial => ["osittain myönteisen", "delvis bifall", "partial"],
            Self::Rejected => ["hylkäävän", "avslag", "rejected"],
            Self::Inadmissible => ["tutkimatta jättämisen", "avvisning", "inadmissible"],
            Self::Incomplete => ["puutteellisen", "ofullständigt", "incomplete"],
            Self::Discretion => ["harkinnan", "prövning", "discretion"],
            Self::Pending => ["kierrosta odottavan", "väntan på omgången", "waiting"],
        };
        pick(language, name)
    }
}

impl Say for PartKind {
    fn say(&self, language: Language) -> String {
        let name = match self {
            Self::Emergency => ["hätäohje", "nödanvisning", "emergency"],
            Self::Heading => ["otsikko", "rubrik", "heading"],
            Self::Party => ["asianosainen", "part", "party"],
            Self::Matter => ["asia", "ärende", "matter"],
            Self::Operative => ["päätös", "beslut", "operative part"],
            Self::Questions => ["täydennettävät asiat", "att komplettera", "questions"],
            Self::Deadline => ["määräaika", "tidsfrist", "deadline"],
            Self::Facts => ["tiedot", "uppgifter", "facts"],
            Self::Hearing => ["kuuleminen", "hörande", "hearing"],
            Self::Reasons => ["perustelut", "motivering", "reasons"],
            Self::Calculation => ["laskelma", "beräkning", "calculation"],
            Self::Conditions => ["ehdot", "villkor", "conditions"],
            Self::Provisions => ["säännökset", "bestämmelser", "provisions"],
            Self::Decider => ["päättäjä", "beslutsfattare", "decider"],
            Self::Contact => ["yhteystiedot", "kontaktuppgifter", "contact"],
            Self::Appeal => ["muutoksenhaku", "sökande av ändring", "appeal"],
            Self::Notification => ["tiedoksi", "för kännedom", "notification"],
            Self::AiStatement => ["tieto tekoälyn käytöstä", "uppgift om användning av AI", "AI statement"],
        };
        pick(language, name)
    }
}

macro_rules! words {
    ($($name:ident($($value:ident),*) { fi: $fi:literal, sv: $sv:literal, en: $en:literal $(,)? })+) => {$(
        pub fn $name($($value: impl Say),*) -> Localized {
            Localized {
                fi: {
                    $(let $value = $value.say(Language::Fi);)*
                    format!($fi)
                },
                sv: {
                    $(let $value = $value.say(Language::Sv);)*
                    format!($sv)
                },
                en: Some({
                    $(let $value = $value.say(Language::En);)*
                    format!($en)
                }),
            }
        }
    )+};
}

words! {
    // K01, K02: the amount.
    grants_nothing_but_carries(kind, amount) {
        fi: "luonnoksella ({kind}) ei myönnetä mitään, mutta siinä on summa {amount}: poistakaa summa",
        sv: "utkastet ({kind}) beviljar ingenting men har beloppet {amount}: ta bort beloppet",
        en: "a draft of kind `{kind}` grants nothing, but carries {amount}: take the amount out",
    }
    another_amount(granted, computed) {
        fi: "luonnoksessa myönnetään {granted}, säännöistä laskettu summa on {computed}: niiden on oltava samat",
        sv: "utkastet beviljar {granted}, enligt reglerna är beloppet {computed}: de måste vara lika",
        en: "the draft grants {granted}, the rules computed {computed}: they must be the same",
    }
    sums_have_sources() {
        fi: "jokainen kirjeen summa on laskettu summa tai löytyy näytöstä",
        sv: "varje belopp i brevet är det beräknade eller finns i bevisningen",
        en: "every sum of the letter is the computed amount or stands in evidence",
    }
    stray_sums(sums) {
        fi: "kirjeessä on summia, joilla ei ole lähdettä: {sums}",
        sv: "brevet har belopp som saknar källa: {sums}",
        en: "sums without a source in the letter: {sums}",
    }
    one_operative_part() {
        fi: "päätöksessä on oltava yksi päätösosa",
        sv: "ett beslut ska ha en beslutsdel",
        en: "a decision has one operative part",
    }
    operative_without_amount(amount) {
        fi: "päätösosassa ei mainita summaa {amount}: kirjoittakaa se siihen",
        sv: "beslutsdelen nämner inte beloppet {amount}: skriv det där",
        en: "the operative part does not name the amount {amount}: write it there",
    }
    operative_with_another_sum(sum) {
        fi: "päätösosassa on summa {sum}, jota ei ole päätetty",
        sv: "beslutsdelen har beloppet {sum}, som inte är det som beslutas",
        en: "the operative part names {sum}, which is not what is decided",
    }
    operative_not_its_text(id) {
        fi: "päätösosa ei ole teksti `{id}`: päätösosa muodostetaan, sitä ei kirjoiteta",
        sv: "beslutsdelen är inte texten `{id}`: den bildas, den skrivs inte",
        en: "the operative part is not the text `{id}`: what is decided is worked out, not written",
    }
    no_rules_evaluated() {
        fi: "sääntöjä ei ole sovellettu",
        sv: "inga regler har tillämpats",
        en: "no rules were evaluated",
    }
    version_not_in_pack(version) {
        fi: "{version} ei ole kunnan aineistossa: arvioikaa asia uudelleen",
        sv: "{version} finns inte i kommunens material: bedöm ärendet på nytt",
        en: "{version} is not in the pack: assess the case again",
    }
    computes_otherwise(again, amount_again, stored, amount_stored) {
        fi: "uudelleen laskettuna säännöt antavat {again} {amount_again}, asiassa on {stored} {amount_stored}: arvioikaa asia uudelleen",
        sv: "beräknat på nytt ger reglerna {again} {amount_again}, ärendet har {stored} {amount_stored}: bedöm ärendet på nytt",
        en: "evaluated again the rules give {again} {amount_again}, the case has {stored} {amount_stored}: assess the case again",
    }
    step_does_not_reproduce(step) {
        fi: "laskelman vaihe `{step}` ei toistu samana",
        sv: "beräkningens steg `{step}` blir inte detsamma på nytt",
        en: "the step `{step}` of the calculation does not reproduce",
    }
    reproduces(version) {
        fi: "toistuu samana versiosta {version}",
        sv: "blir detsamma på nytt enligt {version}",
        en: "reproduces from {version}",
    }

    // K03, K04, K05: citations and reasons.
    no_such_version(place) {
        fi: "{place}: versiota ei ole",
        sv: "{place}: versionen finns inte",
        en: "{place}: no such version",
    }
    no_such_section(place) {
        fi: "{place}: versiossa ei ole tätä pykälää",
        sv: "{place}: versionen har ingen sådan paragraf",
        en: "{place}: the version has no such section",
    }
    no_text_in(place, language) {
        fi: "{place}: tekstiä ei ole tällä kielellä ({language})",
        sv: "{place}: texten finns inte på detta språk ({language})",
        en: "{place}: no text in {language}",
    }
    nothing_quoted(place) {
        fi: "{place}: lainaus puuttuu",
        sv: "{place}: inget är citerat",
        en: "{place}: nothing is quoted",
    }
    quote_not_found(place) {
        fi: "{place}: lainaus ei ole tekstissä kirjaimelleen",
        sv: "{place}: citatet står inte där ordagrant",
        en: "{place}: the quote does not stand there byte for byte",
    }
    quote_no_sentence(place) {
        fi: "{place}: lainaus ei ole kokonainen virke",
        sv: "{place}: citatet är ingen hel mening",
        en: "{place}: the quote is no whole sentence",
    }
    not_in_force_on(version, day) {
        fi: "{version} ei ole voimassa {day}",
        sv: "{version} gäller inte {day}",
        en: "{version} is not in force on {day}",
    }
    was_not_in_force(version, day) {
        fi: "{version} ei ollut voimassa {day}: viitatkaa silloin voimassa olleeseen versioon",
        sv: "{version} gällde inte {day}: hänvisa till den version som gällde då",
        en: "{version} was not in force on {day}: cite the version that was",
    }
    nothing_by_policy() {
        fi: "mitään ei ratkaista ohjeen nojalla",
        sv: "inget avgörs enligt en riktlinje",
        en: "nothing is decided by a policy",
    }
    policy_not_evaluated() {
        fi: "perusteluissa viitataan ohjeeseen, jota ei ole sovellettu",
        sv: "motiveringen hänvisar till en riktlinje som inte har tillämpats",
        en: "reasons cite a policy, but no policy was evaluated",
    }
    in_force_on_arrival(day) {
        fi: "se, mihin viitataan, oli voimassa saapumispäivänä {day}",
        sv: "det som citeras gällde på ankomstdagen {day}",
        en: "what is cited was in force on {day}, the day of arrival",
    }
    assessed_by_another_version(version, day) {
        fi: "{version} ei ollut voimassa {day}: arvioikaa asia uudelleen",
        sv: "{version} gällde inte {day}: bedöm ärendet på nytt",
        en: "{version} was not in force on {day}: assess the case again",
    }
    was_in_force(version, day) {
        fi: "{version} oli voimassa {day}",
        sv: "{version} gällde {day}",
        en: "{version} was in force on {day}",
    }
    no_statute_in_force(version, day) {
        fi: "{version} ei ole säädös, joka on voimassa {day}",
        sv: "{version} är ingen författning som gäller {day}",
        en: "{version} is no statute in force on {day}",
    }
    statute_not_allowed(number) {
        fi: "säädös {number} ei ole sallittujen luettelossa: poistakaa se tai lisätkää se kansioon law/",
        sv: "författningen {number} finns inte på listan över tillåtna: ta bort den eller lägg den i law/",
        en: "statute {number} is not on the allow-list: take it out or add it to law/",
    }
    no_provision_named() {
        fi: "päätöksessä on mainittava sovelletut säännökset (hallintolaki 45 §): yhtään ei ole mainittu",
        sv: "ett beslut ska ange de tillämpade bestämmelserna (förvaltningslagen 45 §): ingen är angiven",
        en: "a decision names the provisions applied (hallintolaki 45 §): none is named",
    }
    provisions_in_force(count) {
        fi: "säännöksiä {count}, kaikki voimassa",
        sv: "{count} bestämmelser, alla gäller",
        en: "{count} provisions, all in force",
    }
    needs_no_reasons() {
        fi: "valmisteleva kirje ei tarvitse perusteluja",
        sv: "ett beredande brev behöver ingen motivering",
        en: "a letter that prepares needs no reasons",
    }
    no_reasons() {
        fi: "päätöksessä ei ole perusteluja (hallintolaki 45 §)",
        sv: "beslutet saknar motivering (förvaltningslagen 45 §)",
        en: "a decision without reasons (hallintolaki 45 §)",
    }
    reason_without_provision(reason) {
        fi: "perustelulla ”{reason}” ei ole säännöstä",
        sv: "motiveringen ”{reason}” har ingen bestämmelse",
        en: "no provision for the reason “{reason}”",
    }
    reason_without_evidence(reason) {
        fi: "perustelulla ”{reason}” ei ole näyttöä",
        sv: "motiveringen ”{reason}” saknar bevis",
        en: "no evidence for the reason “{reason}”",
    }
    reason_without_fact(name, reason) {
        fi: "asiassa ei ole tietoa `{name}`, johon perustelu ”{reason}” nojaa",
        sv: "ärendet har inte uppgiften `{name}` som motiveringen ”{reason}” stöder sig på",
        en: "the case has no fact `{name}` for the reason “{reason}”",
    }
    reason_not_in_letter(reason) {
        fi: "perustelu ”{reason}” ei ole kirjeessä",
        sv: "motiveringen ”{reason}” står inte i brevet",
        en: "the letter does not carry the reason “{reason}”",
    }
    reason_that_nothing_carries(line) {
        fi: "kirjeessä on perustelu, jota mikään ei kanna: ”{line}”",
        sv: "brevet har en motivering som inget bär: ”{line}”",
        en: "the letter gives a reason that nothing carries: “{line}”",
    }
    reasons_carried(count) {
        fi: "perusteluja {count}, jokaisella näyttö ja säännös",
        sv: "{count} motiveringar, var och en med bevis och bestämmelse",
        en: "{count} reasons, each with evidence and a provision",
    }
    decided_without_rules() {
        fi: "päätös säännöistä, joita ei ole sovellettu",
        sv: "ett beslut enligt regler som ingen har tillämpat",
        en: "a decision by rules that nobody evaluated",
    }
    reason_without_rule(reason) {
        fi: "mikään sääntö ei anna perustelua ”{reason}”",
        sv: "ingen regel ger motiveringen ”{reason}”",
        en: "no rule gives the reason “{reason}”",
    }
    rule_left_out(rule) {
        fi: "perusteluista puuttuu sääntö `{rule}`",
        sv: "regeln `{rule}` saknas i motiveringen",
        en: "the reasons leave out the rule `{rule}`",
    }
    rule_not_told(rule) {
        fi: "perusteluissa on sääntö `{rule}`, johon tämä päätös ei nojaa",
        sv: "motiveringen tar upp regeln `{rule}`, som beslutet inte stöder sig på",
        en: "the reasons tell of the rule `{rule}`, which this decision does not rest on",
    }
    rules_out_of_order() {
        fi: "perusteluissa ei ole jokaista sääntöä kerran ja ohjeen järjestyksessä",
        sv: "motiveringen tar inte upp varje regel en gång och i riktlinjens ordning",
        en: "the reasons do not tell each rule once, in the order of the policy",
    }
    rule_cites_another_section(rule) {
        fi: "säännön `{rule}` perustelu ei viittaa säännön omaan pykälään",
        sv: "motiveringen för regeln `{rule}` hänvisar inte till regelns egen paragraf",
        en: "the reason for the rule `{rule}` does not cite the rule's own section",
    }

    // K06, K12, K27: procedure.
    decision_without_rules() {
        fi: "päätös, jossa sääntöjä ei ole sovellettu",
        sv: "ett beslut utan tillämpade regler",
        en: "a decision without evaluated rules",
    }
    nothing_refused() {
        fi: "mitään ei evätä",
        sv: "inget avslås",
        en: "nothing is refused",
    }
    waits_for_a_round() {
        fi: "asia odottaa hakukierrosta: ratkaisu edellyttää, että kierros on laskettu kaikille hakuajan hakemuksille",
        sv: "ärendet väntar på ansökningsomgången: det kan avgöras först när omgången har räknats över alla ansökningar",
        en: "the case waits for the round: it can be settled once the round has been run over all applications of the window",
    }
    left_to_a_person(rule, section) {
        fi: "sääntö `{rule}` ({section}) on jätetty ihmisen harkintaan: kirjatkaa harkinta perusteluineen",
        sv: "regeln `{rule}` ({section}) är lämnad till en människas prövning: anteckna prövningen med skäl",
        en: "the rule `{rule}` ({section}) is left to a person: record a ruling with its reason",
    }
    granted_although_unknown(unknown) {
        fi: "myönnetty, vaikka tieto puuttuu: {unknown}; kysykää ensin",
        sv: "beviljat fast uppgifter saknas: {unknown}; fråga först",
        en: "granted although unknown: {unknown}; ask first",
    }
    rule_not_evaluated(rule) {
        fi: "perustelu viittaa sääntöön `{rule}`, jota ei ole sovellettu",
        sv: "motiveringen hänvisar till regeln `{rule}`, som inte har tillämpats",
        en: "the reason cites the rule `{rule}`, which was not evaluated",
    }
    rule_unknown(rule, missing) {
        fi: "säännön `{rule}` täyttymistä ei tiedetä (puuttuu: {missing}): kysykää, älkää evätkö",
        sv: "det är okänt om regeln `{rule}` uppfylls (saknas: {missing}): fråga, avslå inte",
        en: "the rule `{rule}` is unknown ({missing} missing): ask, do not refuse",
    }
    refused_with_nothing_unmet() {
        fi: "mikään ei jää täyttymättä, mutta luonnos on kielteinen",
        sv: "inget är ouppfyllt, men utkastet är ett avslag",
        en: "nothing is unmet, but the draft refuses",
    }
    refusal_evidenced() {
        fi: "kielteisillä kohdilla on näyttö",
        sv: "det som avslås har bevis",
        en: "whatever is refused is evidenced",
    }
    refuses_otherwise() {
        fi: "luonnos ei evää samaa kuin säännöt: laatikaa se uudelleen",
        sv: "utkastet avslår inte detsamma som reglerna: gör det på nytt",
        en: "the draft does not refuse what the rules refuse: draft it anew",
    }
    nothing_to_be_heard_on() {
        fi: "ratkaisu ei perustu muiden antamiin tietoihin, joista olisi kuultava",
        sv: "avgörandet bygger inte på andras uppgifter som parten ska höras om",
        en: "nothing rests on what others said and the party must be heard on",
    }
    was_heard() {
        fi: "asianosaista on kuultu",
        sv: "parten har hörts",
        en: "the party was heard",
    }
    not_heard(rule, fact) {
        fi: "sääntö `{rule}` jää täyttymättä muilta saadun tiedon `{fact}` vuoksi: kuulkaa asianosaista ennen ratkaisua (hallintolaki 34 §)",
        sv: "regeln `{rule}` uppfylls inte på grund av uppgiften `{fact}` som kommer från andra: hör parten före avgörandet (förvaltningslagen 34 §)",
        en: "the rule `{rule}` is not met because of `{fact}`, which came from others: hear the party first (hallintolaki 34 §)",
    }
    never_heard() {
        fi: "takaisinperinnästä on kuultava ennen päätöstä (hallintolaki 34 §)",
        sv: "parten ska höras före beslutet om återkrav (förvaltningslagen 34 §)",
        en: "the party is heard before money is recovered (hallintolaki 34 §)",
    }
    hears_on_nothing() {
        fi: "kuulemiskirjeessä ei kerrota, mistä asianosainen voi lausua (hallintolaki 36 §)",
        sv: "brevet om hörande anger inte vad parten kan yttra sig om (förvaltningslagen 36 §)",
        en: "the hearing letter does not say what to comment on (hallintolaki 36 §)",
    }
    hearing_leaves_out(rule) {
        fi: "kuulemiskirjeessä ei mainita säännön `{rule}` perustetta",
        sv: "brevet om hörande nämner inte grunden för regeln `{rule}`",
        en: "the hearing letter leaves out the ground of the rule `{rule}`",
    }
    heard_until(deadline) {
        fi: "kuullaan, aikaa {deadline} asti",
        sv: "parten hörs, med tid till {deadline}",
        en: "the party is heard, with time until {deadline}",
    }
    no_last_day() {
        fi: "täydennyspyynnössä ei ole määräpäivää (hallintolaki 33 §)",
        sv: "begäran om komplettering saknar sista dag (förvaltningslagen 33 §)",
        en: "a completion request without a last day (hallintolaki 33 §)",
    }
    too_little_time(deadline, days, earliest) {
        fi: "määräpäivään {deadline} on alle {days} päivää: pyytäkää uudelleen, niin kirjeessä on {earliest} tai myöhempi päivä",
        sv: "till sista dagen {deadline} är det under {days} dagar: begär på nytt, så anger brevet {earliest} eller senare",
        en: "the last day {deadline} leaves less than {days} days: ask again, and the letter names {earliest} or later",
    }
    question_not_asked(about) {
        fi: "kirjeessä ei kysytä tietoa `{about}`",
        sv: "brevet frågar inte efter `{about}`",
        en: "the letter does not ask about `{about}`",
    }
    asked_until(deadline) {
        fi: "pyydetty, aikaa {deadline} asti",
        sv: "begärt, med tid till {deadline}",
        en: "asked, with time until {deadline}",
    }
    asks_nothing() {
        fi: "täydennyspyynnössä ei pyydetä mitään",
        sv: "begäran om komplettering begär ingenting",
        en: "a completion request that asks nothing",
    }
    nothing_refused_for_missing() {
        fi: "mitään ei evätä puuttuvan aineiston vuoksi",
        sv: "inget avslås på grund av material som saknas",
        en: "nothing is refused for missing material",
    }
    refused_for_missing_unasked() {
        fi: "evätty puuttuvan aineiston vuoksi, vaikka sitä ei ole pyydetty tai aika on kesken (hallintolaki 22 §)",
        sv: "avslaget på grund av material som inte har begärts eller vars tid inte har gått ut (förvaltningslagen 22 §)",
        en: "refused for missing material that was not asked for, or whose time is not over (hallintolaki 22 §)",
    }
    not_refused_for_missing() {
        fi: "ei evätty puuttuvan aineiston vuoksi",
        sv: "inte avslaget på grund av material som saknas",
        en: "not refused for missing material",
    }
    no_danger() {
        fi: "ei hätään viittaavia sanoja",
        sv: "inga ord som tyder på fara",
        en: "no words of danger",
    }
    danger_unseen(hits) {
        fi: "hätään viittaavia sanoja ({hits}): ihmisen on ensin kuitattava hälytys",
        sv: "ord som tyder på fara ({hits}): en människa måste först kvittera larmet",
        en: "words of danger ({hits}): a person must acknowledge the alert first",
    }
    danger_seen(hits) {
        fi: "hätään viittaavia sanoja ({hits}), ihminen on kuitannut",
        sv: "ord som tyder på fara ({hits}), kvitterade av en människa",
        en: "words of danger ({hits}), acknowledged by a person",
    }
    danger_in(kind, source) {
        fi: "{kind}, kohdassa {source}",
        sv: "{kind}, i {source}",
        en: "{kind} in {source}",
    }

    // K07, K08: instructions for appeal.
    no_decision_no_appeal() {
        fi: "ei päätöstä, ei muutoksenhakuohjetta",
        sv: "inget beslut, ingen besvärsanvisning",
        en: "no decision, no instructions for appeal",
    }
    appeal_without_service() {
        fi: "päätöksellä ei ole palvelua: muutoksenhakutapaa ei tiedetä",
        sv: "ett beslut utan tjänst: ingen vet hur ändring söks",
        en: "a decision without a service: nobody knows how to appeal",
    }
    appeal_not_defined(service, kind) {
        fi: "palvelulla `{service}` ei ole muutoksenhakuohjetta tälle ({kind}), tai päättäjällä ei ole ylempää toimielintä",
        sv: "tjänsten `{service}` har ingen besvärsanvisning för detta ({kind}), eller så finns inget organ ovanför beslutsfattaren",
        en: "the service `{service}` names no instructions for `{kind}`, or the decider has no body above",
    }
    another_appeal(given, expected) {
        fi: "muutoksenhakuohje on {given}, sen pitää olla {expected}",
        sv: "besvärsanvisningen är {given}, den ska vara {expected}",
        en: "instructions {given}, expected {expected}",
    }
    appeal_told(block, addressee, days) {
        fi: "{block} (osoite: {addressee}, aika päivinä: {days})",
        sv: "{block} (till: {addressee}, tid i dagar: {days})",
        en: "{block} (to: {addressee}, days: {days})",
    }
    no_appeal_for_this_kind() {
        fi: "tähän ei liity muutoksenhakuohjetta",
        sv: "ingen besvärsanvisning för detta",
        en: "no instructions for this kind",
    }
    letter_without_appeal() {
        fi: "kirjeessä ei ole muutoksenhakuohjetta (hallintolaki 46–47 §)",
        sv: "brevet har ingen besvärsanvisning (förvaltningslagen 46–47 §)",
        en: "the letter has no instructions for appeal (hallintolaki 46–47 §)",
    }
    appeal_does_not_name(addressee) {
        fi: "muutoksenhakuohjeessa ei mainita: {addressee}",
        sv: "besvärsanvisningen nämner inte: {addressee}",
        en: "the instructions do not name {addressee}",
    }
    appeal_does_not_say(days) {
        fi: "muutoksenhakuohjeessa ei mainita aikaa {days} päivää",
        sv: "besvärsanvisningen nämner inte tiden {days} dagar",
        en: "the instructions do not say {days} days",
    }
    appeal_reworded(id) {
        fi: "muutoksenhakuohje ei ole teksti `{id}`: sitä ei muotoilla uudelleen",
        sv: "besvärsanvisningen är inte texten `{id}`: den formuleras inte om",
        en: "the instructions are not the text `{id}`: nobody words them anew",
    }
    appeal_block_unused(block) {
        fi: "kirjeessä ei käytetä tekstiä appeal-{block}",
        sv: "brevet använder inte texten appeal-{block}",
        en: "the letter does not use the block appeal-{block}",
    }
    appeal_not_carried() {
        fi: "kirje ei sisällä muutoksenhakuohjettaan",
        sv: "brevet innehåller inte sin besvärsanvisning",
        en: "the letter does not carry its instructions for appeal",
    }
    appeal_as_demanded(block) {
        fi: "ohje {block}, kuten palvelu edellyttää",
        sv: "anvisning {block}, som tjänsten kräver",
        en: "block {block}, as the service demands",
    }
    appeal_looked_at_elsewhere() {
        fi: "päätös: K07 tarkistaa muutoksenhakuohjeen",
        sv: "ett beslut: K07 granskar besvärsanvisningen",
        en: "a decision: K07 looks at its instructions",
    }
    appeal_on_preparation(kind) {
        fi: "kirje ({kind}) on valmisteleva: poistakaa muutoksenhakuohje (kuntalaki 136 §)",
        sv: "brevet ({kind}) är beredande: ta bort besvärsanvisningen (kommunallagen 136 §)",
        en: "a letter of kind `{kind}` prepares: take the instructions for appeal out (kuntalaki 136 §)",
    }
    no_appeal() {
        fi: "ei muutoksenhakuohjetta",
        sv: "ingen besvärsanvisning",
        en: "no instructions for appeal",
    }

    // K09, K10: power.
    no_decision() {
        fi: "ei päätöstä",
        sv: "inget beslut",
        en: "no decision",
    }
    no_delegation() {
        fi: "palvelulle ei ole määrätty toimivaltaa: kukaan ei voi päättää",
        sv: "tjänsten anger ingen delegering: ingen har befogenhet att besluta",
        en: "the service names no delegation: nobody has the power to decide",
    }
    no_decider() {
        fi: "luonnoksessa ei ole päättäjää (hallintolaki 44 §)",
        sv: "utkastet anger ingen beslutsfattare (förvaltningslagen 44 §)",
        en: "the draft names no decider (hallintolaki 44 §)",
    }
    beyond_power(who, beyond) {
        fi: "{who} ei voi päättää tätä: {beyond}",
        sv: "{who} får inte besluta detta: {beyond}",
        en: "{who} may not decide this: {beyond}",
    }
    no_power_here() {
        fi: "viranhaltijalla ei ole toimivaltaa tässä asiassa",
        sv: "tjänsten har ingen befogenhet i ärendet",
        en: "beyond the power of this post",
    }
    no_power_here_but(whose) {
        fi: "viranhaltijalla ei ole toimivaltaa tässä asiassa; se on: {whose}",
        sv: "tjänsten har ingen befogenhet i ärendet; den tillkommer {whose}",
        en: "beyond the power of this post; it belongs to {whose}",
    }
    power_reaches(limit) {
        fi: "toimivalta ulottuu summaan {limit} asti",
        sv: "befogenheten räcker till {limit}",
        en: "beyond the power of this post, which reaches {limit}",
    }
    power_reaches_but(limit, whose) {
        fi: "toimivalta ulottuu summaan {limit} asti; sen ylittävästä päättää {whose}",
        sv: "befogenheten räcker till {limit}; över det beslutar {whose}",
        en: "beyond the power of this post, which reaches {limit}; it belongs to {whose}",
    }
    approver_without_post() {
        fi: "hyväksyjällä ei ole virkaa, jolla on päätösvalta",
        sv: "godkännaren har ingen tjänst med beslutanderätt",
        en: "the approver holds no post that could decide",
    }
    decided_by(who, authority) {
        fi: "{who}, toimivalta: {authority}",
        sv: "{who}, befogenhet: {authority}",
        en: "{who} by {authority}",
    }
    same_hands() {
        fi: "valmistelija ja hyväksyjä ovat sama henkilö: toisen on hyväksyttävä",
        sv: "samma person har berett och godkänner: någon annan måste godkänna",
        en: "prepared and approved by the same person: somebody else must approve",
    }
    different_hands() {
        fi: "valmistelija ja hyväksyjä ovat eri henkilöt",
        sv: "olika personer har berett och godkänner",
        en: "prepared and approved by different hands",
    }
    machine_prepared() {
        fi: "kone valmisteli; ihminen hyväksyy",
        sv: "maskinen beredde; en människa godkänner",
        en: "prepared by the machine; a person approves",
    }
    person_prepared() {
        fi: "ihminen valmisteli; toinen hyväksyy",
        sv: "en människa beredde; en annan godkänner",
        en: "prepared by a person; another one approves",
    }

    // K13: dates.
    // K22, K23: before money is paid.
    nothing_is_paid() {
        fi: "mitään ei makseta",
        sv: "inget betalas",
        en: "nothing is paid",
    }
    account_of_nobody_else() {
        fi: "tili ei ole aiemmissa asioissa toisen saajan, eikä samaa makseta kahdesti",
        sv: "kontot är inte en annan mottagares i tidigare ärenden, och samma sak betalas inte två gånger",
        en: "the account is no other recipient's in earlier cases, and the same is not paid twice",
    }
    paid_already(cases) {
        fi: "saajalle on myönnetty samana vuonna samaan tarkoitukseen ({cases}): yhdistäkää asiat, tai kirjatkaa tiedoksi, mihin tämä maksetaan",
        sv: "mottagaren har beviljats för samma ändamål samma år ({cases}): slå ihop ärendena, eller anteckna som uppgift vad detta betalas för",
        en: "the recipient was granted the same in the same year ({cases}): merge the cases, or state as a fact what this one is paid for",
    }
    account_confirmed(cases) {
        fi: "sama tili on toisella saajalla ({cases}), ja käsittelijä on varmistanut tilin",
        sv: "en annan mottagare har samma konto ({cases}), och handläggaren har bekräftat kontot",
        en: "another recipient has the same account ({cases}), and a handler has confirmed it",
    }
    account_of_another(cases) {
        fi: "sama tili on toisella saajalla ({cases}): pysäyttäkää maksu, kysykää tiliä ja kirjatkaa vastaus tiedoksi",
        sv: "en annan mottagare har samma konto ({cases}): stoppa betalningen, fråga om kontot och anteckna svaret som uppgift",
        en: "another recipient has the same account ({cases}): stop the payment, ask about the account and state the answer as a fact",
    }
    nothing_recovered() {
        fi: "saajalta ei peritä takaisin mitään",
        sv: "inget återkrävs av mottagaren",
        en: "nothing is being recovered from the recipient",
    }
    recovered_from_the_party(cases) {
        fi: "saajaa koskee takaisinperintä ({cases}): tarkistakaa, onko se maksettu. Se ei ole hylkäysperuste; kuittausta harkitaan erikseen",
        sv: "ett återkrav gäller mottagaren ({cases}): kontrollera om det är betalt. Det är ingen grund för avslag; kvittning övervägs särskilt",
        en: "money is recovered from the recipient ({cases}): see whether it is paid. It is no ground to refuse; set-off is weighed apart",
    }
    too_little_time_to_pay(deadline, days, earliest) {
        fi: "eräpäivä {deadline} on liian pian: maksuaikaa on vähintään {days} päivää, siis {earliest} asti",
        sv: "förfallodagen {deadline} är för tidig: betalningstiden är minst {days} dagar, alltså till {earliest}",
        en: "the day to pay {deadline} is too early: there are at least {days} days, until {earliest}",
    }
    no_day_to_pay() {
        fi: "takaisinperinnässä ei ole eräpäivää",
        sv: "återkravet har ingen förfallodag",
        en: "the recovery names no day to pay",
    }
    arrived_after_decision(arrival, decided) {
        fi: "saapunut {arrival}, päätöspäivän {decided} jälkeen",
        sv: "inkommet {arrival}, efter beslutsdagen {decided}",
        en: "arrived {arrival}, after the day of the decision {decided}",
    }
    arrival_differs() {
        fi: "tieto `received_at` ei ole lähetyksen saapumisaika",
        sv: "uppgiften `received_at` är inte försändelsens ankomsttid",
        en: "the fact `received_at` is not the arrival of the submission",
    }
    lateness_differs() {
        fi: "myöhästyminen ei vastaa hakuaikaa: arvioikaa asia uudelleen",
        sv: "förseningen stämmer inte med ansökningstiden: bedöm ärendet på nytt",
        en: "lateness does not agree with the window: assess the case again",
    }
    refused_as_late_in_time() {
        fi: "jätetty tutkimatta myöhästyneenä, vaikka se saapui ajoissa",
        sv: "avvisat som försenat, fast det kom i tid",
        en: "refused as late, but it arrived in time",
    }
    last_day_past(deadline) {
        fi: "määräpäivä {deadline} on mennyt",
        sv: "sista dagen {deadline} har gått",
        en: "the last day {deadline} is past",
    }
    last_day_not_working(deadline, next) {
        fi: "määräpäivä {deadline} ei ole arkipäivä: kirjoittakaa {next}",
        sv: "sista dagen {deadline} är ingen vardag: skriv {next}",
        en: "the last day {deadline} is no working day: write {next}",
    }
    last_day_not_named(deadline) {
        fi: "kirjeessä ei mainita määräpäivää {deadline}",
        sv: "brevet nämner inte sista dagen {deadline}",
        en: "the letter does not name its last day {deadline}",
    }
    arrived(arrival) {
        fi: "saapunut {arrival}",
        sv: "inkommet {arrival}",
        en: "arrived {arrival}",
    }

    // K15: privacy.
    private_detail(what, line) {
        fi: "tekstin rivillä {line} on {what}: poistakaa se",
        sv: "på textens rad {line} står {what}: ta bort det",
        en: "{what} on line {line} of the text: take it out",
    }
    an_identity_code() { fi: "henkilötunnus", sv: "en personbeteckning", en: "an identity code" }
    an_account_number() { fi: "tilinumero", sv: "ett kontonummer", en: "an account number" }
    a_private_telephone() { fi: "yksityinen puhelinnumero", sv: "ett privat telefonnummer", en: "a private telephone number" }
    an_email_address() { fi: "sähköpostiosoite", sv: "en e-postadress", en: "an e-mail address" }
    a_telephone() { fi: "puhelinnumero", sv: "ett telefonnummer", en: "a telephone number" }
    no_private_details() {
        fi: "ei henkilötunnusta, tilinumeroa eikä yksityistä puhelinnumeroa",
        sv: "ingen personbeteckning, inget kontonummer och inget privat telefonnummer",
        en: "no identity code, account number or private telephone number",
    }

    // K16: language.
    language_unread() {
        fi: "ei tiedetä, millä kielellä asianosainen kirjoitti",
        sv: "det är okänt på vilket språk parten skrev",
        en: "nobody read in which language the party wrote",
    }
    letter_in_another_language(found, expected) {
        fi: "kirjeen kieli on {found}, sen pitää olla {expected}",
        sv: "brevets språk är {found}, det ska vara {expected}",
        en: "the letter is in {found}, it must be in {expected}",
    }
    paragraph_in_another_language(part, found, expected) {
        fi: "osassa {part} on kappale, jonka kieli on {found}; kirjeen kieli on {expected}",
        sv: "delen {part} har ett stycke på {found}; brevets språk är {expected}",
        en: "a paragraph of the part `{part}` is in {found}, the letter in {expected}",
    }
    place_in_another_language(place, found, expected) {
        fi: "{place}: kieli on {found}; kirjeen kieli on {expected}",
        sv: "{place}: språket är {found}; brevets språk är {expected}",
        en: "{place} is in {found}, the letter in {expected}",
    }
    place_in_unserved_language(place, expected) {
        fi: "{place}: kieli, jolla emme palvele; kirjeen kieli on {expected}",
        sv: "{place}: ett språk som vi inte betjänar på; brevets språk är {expected}",
        en: "{place} is in a language that we do not serve, the letter in {expected}",
    }
    party_language(expected, source) {
        fi: "asianosaisen kieli: {expected} (pääteltiin lähteestä {source})",
        sv: "partens språk: {expected} (framgår av {source})",
        en: "in {expected} (told from: {source})",
    }
    municipality_language(expected, party) {
        fi: "kunnan kieli: {expected}; asianosaisen kieli on {party}",
        sv: "kommunens språk: {expected}; partens språk är {party}",
        en: "in {expected} (the municipality's language; the party's is {party})",
    }

    // K17: promises.
    rules_and_fixed_texts() {
        fi: "jokainen virke on säännön tai vakiotekstin",
        sv: "varje mening är en regels eller en fast text",
        en: "every sentence is a rule's or a fixed text",
    }
    promises_nothing_more() {
        fi: "mikään virke ei lupaa enempää kuin päätösosa",
        sv: "ingen mening lovar mer än beslutsdelen",
        en: "no sentence promises more than the operative part",
    }
    says_another_outcome(place, said, kind) {
        fi: "{place}: sanoo ”{said}”, mikä ei sovi kirjeeseen ({kind})",
        sv: "{place}: säger ”{said}”, vilket inte passar brevet ({kind})",
        en: "{place} says “{said}”, which a letter of kind `{kind}` does not",
    }
    says_beside_another_sum(place, said, sum) {
        fi: "{place}: sanoo ”{said}” ja summan {sum}, jota ei ole päätetty",
        sv: "{place}: säger ”{said}” och beloppet {sum}, som inte är det som beslutas",
        en: "{place} says “{said}” beside {sum}, which is not what is decided",
    }
    says_all_granted(place) {
        fi: "{place}: sanoo, että kaikki myönnetään, mutta osa evätään",
        sv: "{place}: säger att allt beviljas, men en del avslås",
        en: "{place} says that all is granted, but a part is refused",
    }
    the_part(part) { fi: "osa {part}", sv: "delen {part}", en: "the part `{part}`" }
    the_reason(number) { fi: "perustelu {number}", sv: "motivering {number}", en: "reason {number}" }
    the_matter() { fi: "asia", sv: "ärendet", en: "the matter" }

    // K18: sources.
    number_without_source(number) {
        fi: "luvulla {number} ei ole lähdettä: poistakaa se tai lisätkää sen näyttö",
        sv: "talet {number} saknar källa: ta bort det eller lägg till bevis",
        en: "the number {number} has no source: take it out or add its evidence",
    }
    name_without_source(name, part) {
        fi: "nimellä ”{name}” (osa {part}) ei ole lähdettä: poistakaa se tai lisätkää sen näyttö",
        sv: "namnet ”{name}” (delen {part}) saknar källa: ta bort det eller lägg till bevis",
        en: "the name “{name}” in the part `{part}` has no source: take it out or add its evidence",
    }
    everything_has_a_source() {
        fi: "jokaisella luvulla ja nimellä on lähde",
        sv: "varje tal och namn har en källa",
        en: "every number and name has a source",
    }
    the_person_set_the_days(days) {
        fi: "jokaisella luvulla ja nimellä on lähde; ehtojen päivän on asettanut luonnoksen muokkaaja: {days}",
        sv: "varje tal och namn har en källa; dagen i villkoren har satts av den som redigerat utkastet: {days}",
        en: "every number and name has a source; the day in the conditions was set by whoever edited the draft: {days}",
    }
    number_in_none_of_its_sources(number, place) {
        fi: "luku {number} ({place}) ei ole missään lähteistään",
        sv: "talet {number} ({place}) finns inte i någon av sina källor",
        en: "the number {number} in {place} stands in none of its sources",
    }
    number_word_in_none_of_its_sources(word, place) {
        fi: "luku ”{word}” ({place}) ei ole missään lähteistään",
        sv: "talet ”{word}” ({place}) finns inte i någon av sina källor",
        en: "the number “{word}” in {place} stands in none of its sources",
    }
    name_in_none_of_its_sources(name, place) {
        fi: "nimi ”{name}” ({place}) ei ole missään lähteistään",
        sv: "namnet ”{name}” ({place}) finns inte i någon av sina källor",
        en: "the name “{name}” in {place} stands in none of its sources",
    }

    // K19: commands.
    no_model_wrote() {
        fi: "kielimalli ei kirjoittanut tätä luonnosta",
        sv: "ingen språkmodell har skrivit detta utkast",
        en: "no model wrote this draft",
    }
    no_order_followed() {
        fi: "viestin käskyjä ei ole noudatettu eikä toistettu",
        sv: "inga order från meddelandet har följts eller upprepats",
        en: "no order that came in is followed or repeated",
    }
    leaks(place, what) { fi: "{place}: {what}", sv: "{place}: {what}", en: "{place} {what}" }
    repeats_an_order(least) {
        fi: "toistaa vähintään {least} sanaa viestissä tulleesta käskystä",
        sv: "upprepar minst {least} ord av en order som kom in",
        en: "repeats {least} or more words of an order that came in",
    }
    holds_a_placeholder() {
        fi: "sisältää paikanpitimen, jota ei ole korvattu",
        sv: "har en platshållare som ingen har ersatt",
        en: "holds a placeholder that nobody put back",
    }
    holds_machinery() {
        fi: "sisältää kehotteen merkkejä",
        sv: "har tecken som hör till en prompt",
        en: "holds marks of the machinery around a prompt",
    }
    speaks_of_the_model() {
        fi: "puhuu kielimallista tai sen ohjeista",
        sv: "talar om språkmodellen eller dess instruktioner",
        en: "speaks of the model or of its instructions",
    }
    holds_an_address(start) {
        fi: "sisältää verkko-osoitteen (”{start}…”), jota kunnan teksteissä ei ole",
        sv: "har en webbadress (”{start}…”) som inte finns i kommunens texter",
        en: "holds an address (“{start}…”) that no text of the municipality has",
    }
    holds_markup() {
        fi: "sisältää merkintäkieltä tai koodia; kirje on pelkkää tekstiä",
        sv: "har märkspråk eller kod; ett brev är ren text",
        en: "holds markup or code; a letter is plain text",
    }
    holds_a_bot_command() {
        fi: "sisältää komennon botille",
        sv: "har ett kommando till en bot",
        en: "holds a command to a bot",
    }
    holds_a_contact(what) {
        fi: "sisältää tiedon ({what}), jota kunnan teksteissä ei ole",
        sv: "har en uppgift ({what}) som inte finns i kommunens texter",
        en: "holds {what} that no text of the municipality has",
    }
    holds_hidden_characters() {
        fi: "sisältää piilotettuja merkkejä",
        sv: "har dolda tecken",
        en: "holds characters that hide",
    }

    step_not_as_computed(step) {
        fi: "laskelman vaihe `{step}` ei ole kirjeessä niin kuin se laskettiin",
        sv: "beräkningssteget `{step}` står inte i brevet så som det beräknades",
        en: "the step `{step}` does not stand in the letter as it was computed",
    }

    // K14: the party.
    party_agrees() {
        fi: "osapuolen, tilin ja rekisterin tiedot sopivat yhteen",
        sv: "partens, kontots och registrets uppgifter stämmer överens",
        en: "party, account and register agree",
    }
    party_differs(what) {
        fi: "tiedoissa on eroja: {what}. Kysykää tai selvittäkää",
        sv: "uppgifterna skiljer sig: {what}. Fråga eller utred",
        en: "differences: {what}. Ask, or find out",
    }
    another_holder() {
        fi: "tilin omistaja on muu kuin asianosainen",
        sv: "kontoinnehavaren är en annan än parten",
        en: "the account holder is not the party",
    }
    another_sender() {
        fi: "lähettäjäksi on ilmoitettu muu yhteisö kuin asianosainen",
        sv: "avsändaren är en annan sammanslutning än parten",
        en: "the sender is another organisation than the party",
    }
    another_account_in(place) {
        fi: "tilinumero on toinen kuin hakemuksessa ({place})",
        sv: "kontonumret är ett annat än i ansökan ({place})",
        en: "another account number than in the application ({place})",
    }
    another_business_id_in(place) {
        fi: "Y-tunnus on toinen kuin hakemuksessa ({place})",
        sv: "FO-numret är ett annat än i ansökan ({place})",
        en: "another business id than in the application ({place})",
    }
    register_differs(field, source) {
        fi: "{field}: toinen tieto kuin rekisterissä ({source})",
        sv: "{field}: en annan uppgift än i registret ({source})",
        en: "{field}: otherwise in the register ({source})",
    }

    // K24, K25: legibility.
    legible() {
        fi: "virkkeet ovat lyhyitä, eikä lyhenteitä ole",
        sv: "meningarna är korta och utan förkortningar",
        en: "short sentences, no abbreviations",
    }
    long_sentence(begins, words, most) {
        fi: "virkkeessä, joka alkaa ”{begins} …”, on {words} sanaa; enintään {most}: jakakaa se",
        sv: "meningen som börjar ”{begins} …” har {words} ord, högst {most}: dela den",
        en: "the sentence that begins ”{begins} …” has {words} words, at most {most}: divide it",
    }
    abbreviation(short) {
        fi: "lyhenne ”{short}”: kirjoittakaa se kokonaan (kieliohjelma 7 §)",
        sv: "förkortningen ”{short}”: skriv ut den (språkprogrammet 7 §)",
        en: "the abbreviation ”{short}”: write it out (language programme, section 7)",
    }
    much_passive(hidden, all) {
        fi: "{hidden} virkkeessä {all}:stä ei sanota, kuka tekee: sanokaa tekijä",
        sv: "{hidden} av {all} meningar säger inte vem som gör det: säg vem",
        en: "{hidden} of {all} sentences do not say who acts: say who",
    }
    structured() {
        fi: "osilla on otsikot kirjeen järjestyksessä",
        sv: "delarna har rubriker i brevets ordning",
        en: "every part has its heading",
    }
    empty_part(part) {
        fi: "osa {part} on tyhjä: poistakaa se",
        sv: "delen {part} är tom: ta bort den",
        en: "the part `{part}` is empty: take it out",
    }
    part_without_heading(part) {
        fi: "osalla {part} ei ole otsikkoa: ruudunlukija ei löydä sitä",
        sv: "delen {part} har ingen rubrik: en skärmläsare hittar den inte",
        en: "the part `{part}` has no heading: a screen reader does not find it",
    }
    heading_twice(title) {
        fi: "otsikko ”{title}” on kahdesti",
        sv: "rubriken ”{title}” finns två gånger",
        en: "the heading ”{title}” stands twice",
    }
    columns_of_spaces(part) {
        fi: "osassa {part} on välilyönneillä tehty taulukko: kirjoittakaa se luettelona",
        sv: "delen {part} har en tabell av mellanslag: skriv den som en lista",
        en: "the part `{part}` has a table made of spaces: write it as a list",
    }

    // K26: practice.
    follows_from_rules() {
        fi: "ratkaisu seuraa säännöistä: samoista tiedoista tulee aina sama",
        sv: "avgörandet följer av reglerna: samma uppgifter ger alltid detsamma",
        en: "it follows from the rules: the same facts always give the same",
    }
    practice_not_looked_up() {
        fi: "aiempia ratkaisuja ei haettu",
        sv: "tidigare avgöranden söktes inte",
        en: "earlier decisions were not looked up",
    }
    practice_followed(compared) {
        fi: "verrattuja aiempia ratkaisuja {compared}, yksikään ei poikkea",
        sv: "jämförda tidigare avgöranden {compared}, inget avviker",
        en: "{compared} earlier decisions compared, none deviates",
    }
    practice_deviates(number, day, rule, facts) {
        fi: "asiassa {number} ({day}) sääntö `{rule}` ratkaistiin toisin samoilla tiedoilla ({facts}): perustelkaa ero tai yhtenäistäkää",
        sv: "i ärende {number} ({day}) avgjordes regeln `{rule}` annorlunda på samma uppgifter ({facts}): motivera skillnaden eller följ praxis",
        en: "in case {number} ({day}) the rule `{rule}` was ruled otherwise on the same facts ({facts}): give the reason, or follow practice",
    }

    // K29: the approver.
    nobody_approves_yet() {
        fi: "kukaan ei ole vielä hyväksymässä",
        sv: "ingen godkänner ännu",
        en: "nobody approves yet",
    }
    looked_at(time) {
        fi: "hyväksyjä avasi tämän version {time}",
        sv: "godkännaren öppnade denna version {time}",
        en: "the approver opened this version {time}",
    }
    approved_unseen() {
        fi: "ei merkintää siitä, että hyväksyjä olisi avannut tämän version ja sen perusteet",
        sv: "ingen anteckning om att godkännaren har öppnat denna version och dess grunder",
        en: "no note that the approver opened this version and what it rests on",
    }

    // K30: statutes above local rules.
    local_rule_against_statute(rule, section) {
        fi: "sääntö `{rule}` ({section}) hylkää puutteen vuoksi, vaikka täydennystä ei ole pyydetty (hallintolaki 22 §)",
        sv: "regeln `{rule}` ({section}) avslår för en brist fastän komplettering inte har begärts (förvaltningslagen 22 §)",
        en: "the rule `{rule}` ({section}) refuses for something missing that nobody asked for (hallintolaki 22 §)",
    }
    no_conflict_with_statute() {
        fi: "paikallinen sääntö ei syrjäytä lakia",
        sv: "ingen lokal regel åsidosätter lag",
        en: "no local rule sets a statute aside",
    }

    // K20, K21, K28: records.
    no_records_class(service) {
        fi: "palvelulla `{service}` ei ole tehtäväluokkaa (TOS)",
        sv: "tjänsten `{service}` har ingen uppgiftsklass (informationsstyrningsplan)",
        en: "the service `{service}` has no records class",
    }
    no_retention(service) {
        fi: "palvelulla `{service}` ei ole säilytysaikaa",
        sv: "tjänsten `{service}` har ingen förvaringstid",
        en: "the service `{service}` has no retention period",
    }
    letter_without_number(number) {
        fi: "kirjeen alussa ei ole asianumeroa {number}",
        sv: "brevets början saknar ärendenumret {number}",
        en: "the letter does not begin with the number {number}",
    }
    filed(class, years) {
        fi: "luokka {class}, säilytysaika {years} vuotta",
        sv: "klass {class}, förvaringstid {years} år",
        en: "class {class}, kept for {years} years",
    }
    no_publicity() {
        fi: "päätöksellä ei ole palvelua eikä siksi julkisuusluokkaa",
        sv: "ett beslut utan tjänst har ingen offentlighetsklass",
        en: "a decision without a service has no publicity class",
    }
    no_service_yet() {
        fi: "palvelua ei vielä ole: kirjaamo määrää luokan",
        sv: "ingen tjänst ännu: registratorskontoret bestämmer klassen",
        en: "no service yet: the registry sets the class",
    }
    secret_without_ground(service) {
        fi: "palvelu `{service}` on salassa pidettävä ilman perustetta (621/1999 24 §)",
        sv: "tjänsten `{service}` är sekretessbelagd utan grund (621/1999 24 §)",
        en: "the service `{service}` is secret without a ground (621/1999 24 §)",
    }
    publicity(class, ground) { fi: "{ground}, luokka {class}", sv: "{ground}, klass {class}", en: "{ground}, class {class}" }
    public() { fi: "julkinen", sv: "offentlig", en: "public" }
    partly_secret() { fi: "osittain salassa pidettävä", sv: "delvis sekretessbelagd", en: "partly secret" }
    secret() { fi: "salassa pidettävä", sv: "sekretessbelagd", en: "secret" }
    not_recorded(missing) {
        fi: "ei kirjattu: {missing}",
        sv: "inte antecknat: {missing}",
        en: "not recorded: {missing}",
    }
    made_from_other_material() {
        fi: "luonnos tehtiin muusta aineistosta kuin asiassa nyt on: laatikaa se uudelleen",
        sv: "utkastet gjordes av annat material än vad ärendet har nu: gör det på nytt",
        en: "the draft was made from other material than the case has now: draft it again",
    }
    recorded(engine, version, pack) {
        fi: "{engine} {version}, aineisto {pack}",
        sv: "{engine} {version}, material {pack}",
        en: "{engine} {version}, pack {pack}",
    }
}
