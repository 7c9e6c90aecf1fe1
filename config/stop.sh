#!/bin/sh
# End what `make run` and `make dev` of this checkout have started.
set -eu
. config/instance.sh

found=0
for file in build/run/*.pid; do
	[ -f "$file" ] || continue
	pid= start=
	read -r pid start <"$file" || true
	port=${file##*/}
	port=${port%.pid}
	case $pid in ''|*[!0-9]*) rm -f "$file"; continue ;; esac
	if [ -z "$start" ] || [ "$(started_at "$pid")" != "$start" ]; then
		say "port $port: had ended without saying so"
		rm -f "$file"
		continue
	fi
	found=1
	kill -TERM "$pid" || fail "cannot end process $pid (another user's?)"
	wait_gone "$pid" 100 || fail "process $pid does not end"
	say "port $port: stopped"
done
[ "$found" = 1 ] || say "nothing is running"
