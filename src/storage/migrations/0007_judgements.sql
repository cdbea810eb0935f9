-- Events of one kind within a time: the judgements of blind review are read so.
create index events_kind on events (municipality, kind, at);
