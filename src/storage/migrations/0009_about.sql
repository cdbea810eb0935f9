-- The decided case that a case is about: a claim for revision is shown with the decision that it is against.
alter table cases add column about_id text;
create index cases_about on cases (about_id);
