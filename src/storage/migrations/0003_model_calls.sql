-- What language models were asked, and what it cost: one row a call, no content, neither way.
-- `day` is the calendar day in Finland, YYYY-MM-DD: months and days are sums over it. Cost is in millionths of
-- `currency`; where `cost_known` is 0, no price was known for the model and the cost is reckoned by the dearest one.
create table model_calls (
    id text primary key,
    municipality text not null,
    -- None in dry runs. No reference: an account outlives the case it was made for.
    case_id text,
    step text not null,
    prompt text not null,
    prompt_hash text not null,
    model text not null,
    endpoint text,
    day text not null,
    started_at bigint not null,
    latency bigint not null,
    attempts bigint,
    input_tokens bigint not null,
    cached_tokens bigint not null,
    output_tokens bigint not null,
    estimated bigint not null check (estimated in (0, 1)),
    cost bigint not null,
    currency text not null,
    cost_known bigint not null check (cost_known in (0, 1)),
    finish text,
    outcome text not null
);
create index model_calls_case on model_calls (municipality, case_id, started_at) where case_id is not null;
-- All that a month's budget asks for stands in the index.
create index model_calls_day on model_calls (municipality, day, currency, cost, input_tokens, output_tokens);
