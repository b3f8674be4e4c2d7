#!/usr/bin/env bash
# Runs and follows commands for MCP clients: run, start, output, stop, list.
# Output goes to files, so that a command that prints without end costs no memory, a child left in the
# background holds no pipe open, and what was cut off can still be read. `run` makes as few processes as
# it can: each costs about a tenth of the whole call.
# Reads from the environment: RUN_ID; run and start: COMMAND, WORKDIR, LIMIT (seconds, 0 for none);
# output: OFFSET, COUNT (bytes), PATIENCE (seconds). Answers with one header line, then the payload.
set -u
LC_ALL=C
base=${HOME:-/tmp}/.moltbot/commands
id=${RUN_ID:-none}
HEAD_BYTES=8000 TAIL_BYTES=3000 KEEP_FILES=600
file=$base/$id

# Fills `pids` with the living processes of this command: those that carry its variable, and those in its
# process group, should one have cleared its environment.
find_processes() {
  local group=none stat path fields entry
  [[ -r $file.group ]] && read -r group <"$file.group"
  pids=()
  for path in /proc/[0-9]*; do
    IFS= read -r stat 2>/dev/null <"$path/stat" || continue
    # After the name, which may hold spaces: state, parent, group.
    read -r -a fields <<<"${stat##*) }"
    [[ ${fields[0]} == Z ]] && continue
    if [[ ${fields[2]} == "$group" ]]; then
      pids+=("${path#/proc/}")
      continue
    fi
    while IFS= read -r -d '' entry; do
      [[ $entry == "MOLTBOT_COMMAND_ID=$id" ]] || continue
      pids+=("${path#/proc/}")
      break
    done 2>/dev/null <"$path/environ"
  done
}

# Builtins only: it has to work when no more processes can be made. Stopped first, so a fork bomb cannot outrun it.
kill_tree() {
  local pass
  for ((pass = 0; pass < 200; pass++)); do
    find_processes
    ((${#pids[@]} == 0)) && return 0
    kill -STOP "${pids[@]}" 2>/dev/null
    kill -KILL "${pids[@]}" 2>/dev/null
  done
  return 1
}

# Runs the command in a process group of its own until it ends or its time is up; sets `ended` and `code`.
supervise() {
  local command=$COMMAND limit=$LIMIT input=/dev/null
  unset COMMAND RUN_ID WORKDIR LIMIT
  [[ -e $file.in ]] && input=$file.in
  # Job control is what gives a background job its own group, and leaves its signals as they are.
  set -m
  MOLTBOT_COMMAND_ID=$id bash -c "$command" <"$input" >>"$1" 2>>"$2" &
  local leader=$!
  set +m
  echo "$leader" >"$file.group"
  # Made before it is needed: at the timeout there may be no process left to make.
  ((limit > 0)) && coproc watch {
    read -r -t "$limit" && exit
    echo timeout >"$file.timeout"
    kill_tree
  } 2>/dev/null
  wait "$leader" 2>/dev/null
  code=$? ended=done
  ((limit > 0)) && echo done >&"${watch[1]}" 2>/dev/null
  [[ -e $file.timeout ]] && ended=timeout
}

# Sets `kind`, `size` and, for a short text, `text`.
classify() {
  if IFS= read -r -d '' -n $((HEAD_BYTES + TAIL_BYTES + 1)) text <"$1"; then
    size=$(stat -c %s "$1")
    # Reading stopped early only at a NUL: no text.
    if ((${#text} <= HEAD_BYTES + TAIL_BYTES)); then kind=binary; else kind=cut; fi
    text=
  else
    kind=whole size=${#text}
  fi
}

emit() {
  case $1 in
  whole) printf '%s' "$2" ;;
  cut) head -c $HEAD_BYTES "$3" && printf '\036%s\036' "$id" && tail -c $TAIL_BYTES "$3" ;;
  esac
}

# Whether the shell that watches a started command lives; before its first process and after its last it is all there is.
is_supervised() {
  local pid entry
  [[ -r $file.supervisor ]] && read -r pid <"$file.supervisor" && [[ $pid != "$$" ]] || return 1
  while IFS= read -r -d '' entry; do
    [[ $entry == "RUN_ID=$id" ]] && return 0
  done 2>/dev/null <"/proc/$pid/environ"
  return 1
}

# Sets `state` (running, done or lost) and `code`.
look_up() {
  code=-
  local try
  # Between the last process and the note of how it ended lies a moment, so nothing is called lost at first sight.
  for try in 1 2 3 4 5; do
    if [[ -r $file.exit ]]; then
      read -r state code <"$file.exit" && return
    fi
    find_processes
    { ((${#pids[@]} > 0)) || is_supervised; } && { state=running && return; }
    sleep 0.1
  done
  state=lost
  # Looking again would take as long each time.
  [[ -e $file.command ]] && echo "lost -" >"$file.exit"
}

# Files over an hour old, but for those of a started command that may still run.
prune() {
  local path stem old=()
  while IFS= read -r -d '' path; do
    stem=${path%.*}
    [[ -e $stem.command && ! -e $stem.exit ]] || old+=("$path")
  done < <(find "$base" -type f -mmin +60 -print0)
  ((${#old[@]} > 0)) && rm -f -- "${old[@]}"
}

enter() {
  [[ -d $base ]] || mkdir -p "$base"
  cd -- "$WORKDIR" 2>/dev/null && return
  echo no-directory
  exit 0
}

case ${1:-} in
run)
  enter
  supervise "$file.out" "$file.err"
  classify "$file.out"
  out_kind=$kind out_size=$size out_text=$text
  classify "$file.err"
  printf '%s %s %s %s %s %s %s\n' "$ended" "$code" "$out_kind" "$out_size" "$kind" "$size" "$file"
  emit "$out_kind" "$out_text" "$file.out"
  emit "$kind" "$text" "$file.err" >&2
  # Counting hundreds of names takes as long as a short command; now and then is often enough.
  if ((RANDOM % 32 == 0)); then
    files=("$base"/*)
    ((${#files[@]} > KEEP_FILES)) && prune
  fi
  exit 0
  ;;
start)
  enter
  printf '%s' "$COMMAND" >"$file.command"
  {
    supervise "$file.out" "$file.out"
    [[ -e $file.exit ]] || echo "$ended $code" >"$file.exit"
  } </dev/null >/dev/null 2>&1 &
  echo "$!" >"$file.supervisor"
  disown
  echo started
  ;;
output)
  [[ -e $file.command ]] || { echo unknown && exit 0; }
  end=$((SECONDS + PATIENCE))
  while :; do
    look_up
    size=$(stat -c %s "$file.out" 2>/dev/null || echo 0)
    [[ $size -gt $OFFSET || $state != running || $SECONDS -ge $end ]] && break
    sleep 0.1
  done
  printf '%s %s %s\n' "$state" "$code" "$size"
  # Bytes, not text: a chunk may end inside a character.
  tail -c +$((OFFSET + 1)) "$file.out" 2>/dev/null | head -c "$COUNT" | base64 -w 0
  ;;
stop)
  [[ -e $file.command || -e $file.group ]] || { echo unknown && exit 0; }
  look_up
  [[ $state == running ]] || { echo "$state" && exit 0; }
  [[ -e $file.command ]] && echo "stopped 137" >"$file.exit"
  if kill_tree; then echo stopped; else echo stuck; fi
  ;;
list)
  echo ok
  for path in "$base"/*.command; do
    [[ ${path##*/} =~ ^c[0-9a-f]{24}\.command$ ]] || continue
    file=${path%.command} id=${path##*/} id=${id%.command}
    IFS= read -r -d '' -n 200 command <"$path"
    look_up
    printf '%s %s %s %s %s %s\n' "$id" "$state" "$code" "$(stat -c %s "$file.out" 2>/dev/null || echo 0)" \
      "$(stat -c %Y "$path")" "${command//[$'\n\r\t']/ }"
  done
  ;;
*)
  echo "usage: command.sh run|start|output|stop|list" >&2
  exit 64
  ;;
esac
