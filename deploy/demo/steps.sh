# Shared by the scripts: one line a step with its time, and quiet commands that speak when they fail.
# shellcheck shell=bash

step_started=0
step_open=no

now_ms() {
  local seconds=${EPOCHREALTIME/[.,]/}
  echo $((seconds / 1000))
}

# step TEXT: starts a step's line.
step() {
  step_started=$(now_ms)
  step_open=yes
  printf '  %-62s ' "$1"
}

# step_done: ends the line with the time it took.
step_done() {
  local ms=$(($(now_ms) - step_started))
  step_open=no
  printf '%4d.%d s\n' $((ms / 1000)) $((ms % 1000 / 100))
}

# fail WHAT [NEXT…]: closes an open line, says what went wrong and what to do, and leaves.
fail() {
  [[ $step_open == no ]] || printf 'failed\n'
  step_open=no
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit 1
}

# quietly COMMAND…: keeps its output in a file and shows the end of it only when the command fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  if ((status != 0)); then
    [[ $step_open == no ]] || printf 'failed\n'
    step_open=no
    tail -n 60 "$log" >&2
    rm -f "$log"
    printf '%s: this command failed (%d): %s\n' "$(basename "$0")" "$status" "$*" >&2
    exit 1
  fi
  rm -f "$log"
}
