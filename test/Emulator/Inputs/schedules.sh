#!/bin/sh
# schedules.sh COUNT ARGUMENT...: dit-run on the emulator under the plain schedule
# and COUNT - 1 others. Says that all pass, or what the first says that does not.
count=$1
shift
seed=0
while [ "$seed" -lt "$count" ]; do
  text=$(DIT_EMULATOR_SEED=$seed dit-run --target emulator "$@" 2>&1) || {
    echo "$text"
    exit 0
  }
  seed=$((seed + 1))
done
echo "$count schedules pass"
