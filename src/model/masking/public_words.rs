//! The words of a municipality that name nobody: places, authorities, units and posts, and the everyday words of its
//! own texts and examples. They hold the recogniser of names back, so that the work keeps its roads and places.

use std::collections::HashSet;

use super::inflection::Forms;
use super::names::words;
use crate::cases::Localized;
use crate::municipality::Pack;

/// Words that name nobody, of one municipality. Made once and shared by its cases.
#[derive(Debug, Default)]
pub struct PublicWords {
    places: Forms,
    common: HashSet<String>,
}

/// Capitalised in Finnish, Swedish or English texts, and nobody's name.
const EVERYDAY: &str = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April June July August \
     September October November December Finnish Swedish English Finland Suomi Sverige Sweden Ruotsi Helsinki Helsingfors \
     Turku Åbo Tampere Oulu Vaasa Espoo Vantaa Europe Eurooppa Digiroad Traficom Väylävirasto Trafikledsverket Posti Posten \
     Internet Facebook Google Whatsapp Joulu Juhannus Pääsiäinen Street Road Dear Hello Good Best Kind Thank Please";

impl PublicWords {
    /// The words of a pack.
    #[must_use]
    pub fn new(pack: &Pack) -> Self {
        let mut public = Self::default();
        let municipality = &pack.municipality;
        public.names(&municipality.name);
        public.names(&municipality.letterhead);
        for contact in [&municipality.registry].into_iter().chain(municipality.departments.values().map(|d| &d.contact))
        {
            public.names(&contact.name);
            contact.address.iter().for_each(|address| public.name(address));
        }
        for department in municipality.departments.values() {
            public.names(&department.name);
        }
        for decider in municipality.deciders.values() {
            public.names(&decider.title);
        }
        for authority in &pack.authorities {
            public.names(&authority.name);
            public.names(&authority.contact.name);
            authority.contact.address.iter().for_each(|address| public.name(address));
        }
        for service in pack.services.values() {
            public.names(&service.name);
            service.fields.iter().for_each(|field| public.names(&field.label));
            service.categories.iter().for_each(|category| public.names(&category.name));
        }
        let roads = municipality.private_roads.iter().chain(municipality.neighbours.values().flatten());
        roads.for_each(|road| public.name(road));
        public.name(EVERYDAY);
        let texts = pack.texts.iter().map(|text| text.body.as_str());
        for text in texts.chain(pack.examples.iter().map(|example| example.text.as_str())) {
            public
                .common
                .extend(words(text).filter(|word| !word.is_capitalised()).map(|word| word.text.to_lowercase()));
        }
        public
    }

    /// Whether a word is the name of a place, an authority, a unit or a post.
    pub fn is_place(&self, word: &str) -> bool {
        self.places.has(word)
    }

    /// Whether a word is an everyday one.
    pub fn is_common(&self, word: &str) -> bool {
        self.common.contains(&word.to_lowercase())
    }

    fn names(&mut self, name: &Localized) {
        [Some(&name.fi), Some(&name.sv), name.en.as_ref()].into_iter().flatten().for_each(|name| self.name(name));
    }

    fn name(&mut self, name: &str) {
        words(name).filter(|word| word.text.chars().count() > 2).for_each(|word| self.places.add(word.text, 0));
    }
}
