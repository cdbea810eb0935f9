-- The queue: cases with words of danger stand first, then what is due first.
create index cases_queue on cases (municipality, (1 - emergency), due_at, id);
drop index cases_due;
