#!/bin/sh
# What the harness itself takes: wall, CPU seconds, peak memory and requests, against a mock server on this machine.
# Needs a release build: cargo build --release --bin vireille --bench mock_model, and GNU time.
set -eu
cd "$(dirname "$0")/../.."
vireille=${VIREILLE:-target/release/vireille}
mock=${MOCK:-$(ls -t target/release/deps/mock_model-* | grep -v '\.d$' | head -n 1)}
work=$(mktemp -d)
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT
server=
mkdir -p "$work/suites" "$work/datasets"

cases() { # of how many cases
  awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) {
    text = "Message " i ":"; while (length(text) < 440) text = text " the lamp at the corner of the street is dark again";
    printf "{\"id\":\"m-%05d\",\"input\":\"%s\",\"expected\":{\"label\":\"%s\"},\"metadata\":{\"household\":\"h-%d\"}}\n", i, substr(text, 1, 453), i % 10 ? "lamp" : "leak", i / 2
  } }' > "$work/datasets/$1.jsonl"
  cat > "$work/suites/$1.yaml" <<YAML
version: 1
suite: bench-$1
description: $1 messages to a server that always says the same.
dataset: { path: ../datasets/$1.jsonl, cluster: metadata.household }
target: { component: chat, json: true, system: "Which kind of matter is this? Answer as JSON with label and confidence." }
models: [{ id: openai/mock-1 }]
assert:
  - { type: label, actual: output.label, expected: expected.label, metric: kind }
  - { type: confidence, actual: output.confidence, of: kind, metric: sure }
  - { type: latency, threshold: 10000 }
metrics: { kind: { labels: [leak, lamp] } }
YAML
}

start() { # the server with these arguments
  [ -z "$server" ] || kill $server
  rm -f "$work/address"
  "$mock" "$@" > "$work/address" &
  server=$!
  until [ -s "$work/address" ]; do sleep 0.05; done
  export VIREILLE__MODEL__URL="$(cat "$work/address")/v1"
}

measure() { # name, then the arguments of eval run
  name=$1; shift
  /usr/bin/time -o "$work/time" -f '%e %U %S %M' "$vireille" eval run "$@" > "$work/out" 2> "$work/err" && code=0 || code=$?
  tail -n 1 "$work/time" | awk -v name="$name" -v code="$code" \
    '{ printf "%-34s wall %5.2f s   CPU %5.2f s   peak %4d MiB   exit %d\n", name, $1, $2 + $3, $4 / 1024, code }'
}

for n in 1 200 500 5000; do cases $n; done
start --delay 50
measure "1 case, 50 ms" "$work/suites/1.yaml" --mode live
for nth in 1 2 3; do measure "500 cases, 50 ms, 20 in flight" "$work/suites/500.yaml" --mode live -j 20; done
start
measure "500 cases, 0 ms" "$work/suites/500.yaml" --mode live -j 20
for nth in 1 2 3; do measure "5000 cases, 0 ms" "$work/suites/5000.yaml" --mode live -j 20; done
/usr/bin/time -o "$work/time" -f '%e' "$vireille" eval verify "$(ls -td "$work"/runs/*-bench-5000-* | head -n 1)/verdict.json" > /dev/null
echo "verdict of 5000 cases made anew: wall $(tail -n 1 "$work/time") s"
measure "500 cases recorded" "$work/suites/500.yaml" --mode record -j 20
kill $server; server=
for nth in 1 2 3; do measure "500 cases replayed" "$work/suites/500.yaml" --mode replay; done
start --delay 50 --fault 429
measure "200 cases, every tenth 429" "$work/suites/200.yaml" --mode live -j 20
start --delay 50 --fault 500
measure "200 cases, every tenth 500" "$work/suites/200.yaml" --mode live -j 20
start --delay 50 --fault words
measure "200 cases, every tenth unreadable" "$work/suites/200.yaml" --mode live -j 20
start --delay 50
"$vireille" eval run "$work/suites/500.yaml" --mode live -j 20 --runs "$work/crash" > /dev/null 2>&1 & running=$!
sleep 0.7; kill -9 $running; wait $running 2>/dev/null || true
"$vireille" eval run "$work/suites/500.yaml" --mode live -j 20 --runs "$work/crash" --resume > /dev/null 2>&1 || true
requests=$(curl -s "$(cat "$work/address")/count")
echo "killed at half and resumed: $requests requests for $(cat "$work"/crash/*/rows.jsonl | wc -l) rows of 500"
