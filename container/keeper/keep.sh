#!/bin/bash
# Keeps the keeper running: one that was killed is started again. Ends with it when it ended by itself, which it does after
# its last commit (SIGTERM, exit code 0) and when another start has taken the memory over (3).
stop() {
  stopping=1
  kill -TERM "$keeper" 2>/dev/null
}
trap stop TERM INT
while :; do
  node "$(dirname "$0")/main.ts" keep &
  keeper=$!
  code=
  # A trap interrupts the wait; the second one gets the exit code.
  while kill -0 "$keeper" 2>/dev/null || [ -z "$code" ]; do
    wait "$keeper"
    code=$?
  done
  if [ "$stopping" ] || [ "$code" = 0 ] || [ "$code" = 3 ]; then exit "$code"; fi
  sleep 0.5
done
