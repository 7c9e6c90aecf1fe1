#!/bin/bash
# Serve the site as `make dev` does, and again with the new bytes after every change of
# a file, until Ctrl-C or `make stop`.  (bash, for read with a time limit.)
#
#   config/watch.sh PROGRAM     in the environment: SITE or SITES, and what dev.sh takes
#
# A change is: pack, end the server and its passt, start others; for some 50 ms nobody
# listens.  (A passt that stayed would accept connections then, and leave them hanging.)
# A site that cannot be packed leaves the old server running.  Nothing is compressed,
# which would take longest.
set -u
. config/instance.sh

program=$1
server_pid=
passt_pid=
watcher_pid=

# One save is several events, and a site generator's run thousands: wait until none
# came for QUIET seconds, but no longer than MOST_MS.
QUIET=0.05
MOST_MS=400
EVENTS=close_write,moved_to,moved_from,create,delete,attrib,delete_self,move_self

top=${SITES:-$SITE}
case $top in
git:*) fail "a git commit does not change" "make dev SITE=... serves it" ;;
'') fail "SITE is empty: make watch SITE=/path/to/a/folder" ;;
/*) ;;
*) top=./$top ;;
esac
[ -e "$top" ] || fail "$top: no such folder"
[ -d "$top" ] || fail "$top is not a folder"
command -v inotifywait >/dev/null || fail "inotifywait (inotify-tools) is not installed"

MEM=${MEM:-64}
case $MEM in
*[!0-9]*|?????*|0*) fail "MEM=$MEM is not a number of MiB from 1 to 4096" ;;
esac
choose_bundle
check_ports "make watch"

dir=$(mktemp -d "${TMPDIR:-/tmp}/stele-watch.XXXXXX") || exit 1
rom=$dir/site.rom
served=$dir/served.rom

end() # PID
{
	[ -n "$1" ] || return 0
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

clean_up()
{
	trap '' INT TERM HUP
	end "$watcher_pid"
	stop_server
	rm -rf "$dir"
	forget_instance
}

trap clean_up EXIT
trap 'echo; say "stopping"; exit 0' INT TERM HUP
record_instance $$

# ---- The server ------------------------------------------------------------------

# As root it would become nobody, who may not use our folder.
runas=
[ "$(id -u)" != 0 ] || runas='--runas 0:0'
ports=127.0.0.1/$HTTP_PORT:80
[ "$https" = no ] || ports=$ports,$HTTPS_PORT:443

start_passt()
{
	rm -f "$dir/passt"
	# shellcheck disable=SC2086  # two words
	setsid setpriv --pdeathsig TERM passt --foreground --stderr --one-off $runas \
	    --socket "$dir/passt" --address 10.0.2.15 --netmask 24 --gateway 10.0.2.2 \
	    --mtu 1500 --tcp-ports "$ports" </dev/null >"$dir/log" 2>&1 &
	passt_pid=$!
	local tries=1000
	while [ ! -S "$dir/passt" ]; do
		tries=$((tries - 1))
		if [ "$tries" = 0 ] || ! alive "$passt_pid"; then
			grep -v syslog "$dir/log" | tail -n 5 >&2
			fail "passt did not start (it needs a default route; see above)"
		fi
		sleep 0.005
	done
}

start_server()
{
	start_passt
	set --
	[ -z "$bundle" ] || set -- --instance "$bundle"
	# Its address is passt's; not to ask for it is quicker.
	setsid setpriv --pdeathsig TERM "$program" --rom "$served" "$@" \
	    --passt "$dir/passt" --memory "$MEM" \
	    --append "ip=10.0.2.15/24::10.0.2.2 $APPEND" </dev/null &
	server_pid=$!
}

stop_server()
{
	end "$server_pid"
	end "$passt_pid"
	server_pid=
	passt_pid=
}

# ---- The site --------------------------------------------------------------------

# Pack, and serve what came out if it is new: pack.sh leaves the file alone if not.
update()
{
	if ! CODINGS=none config/pack.sh "$rom"; then
		if [ -n "$server_pid" ]; then
			say "that cannot be served; still serving what was there before"
		else
			say "that cannot be served; waiting for a change"
		fi
		return
	fi
	if [ -n "$server_pid" ]; then
		[ ! "$rom" -ef "$served" ] || return
		stop_server
	fi
	ln -f "$rom" "$served" || exit 1
	start_server
	say "$(date +%H:%M:%S) serving $(sed -n 's/^files *\([0-9]*\).*/\1 files/p' \
	    "$dir/site.txt")"
}

start_watcher()
{
	[ -z "$watcher_pid" ] || { end "$watcher_pid"; exec 3<&-; }
	gone=
	: >"$dir/watcher"
	exec 3< <(exec setsid setpriv --pdeathsig TERM inotifywait --monitor --recursive \
	    --format '%e %w' --event "$EVENTS" "$top/" 2>"$dir/watcher")
	watcher_pid=$!
	local tries=600
	until grep -q 'Watches established' "$dir/watcher"; do
		tries=$((tries - 1))
		if [ "$tries" = 0 ] || ! alive "$watcher_pid"; then
			[ -d "$top" ] || return 1
			grep -v -e 'Setting up' -e Beware "$dir/watcher" | head -n 5 >&2
			fail "cannot watch $top"
		fi
		sleep 0.05
	done
}

now_ms()
{
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

# What an event says besides that something changed: sets folders if one came or went,
# gone if the site itself did.
note() # EVENT
{
	case $1 in
	*_SELF" $top/") gone=1 ;;
	*ISDIR*) folders=1 ;;
	esac
}

# The rest of a burst.
drain()
{
	local until=$(($(now_ms) + MOST_MS))
	while read -r -t "$QUIET" -u 3 event; do
		note "$event"
		[ "$(now_ms)" -lt "$until" ] || return
	done
}

# A server that ended by itself said why.
check_server()
{
	[ -n "$server_pid" ] && ! alive "$server_pid" || return
	wait "$server_pid"
	say "the server ended with status $?; a change starts it again"
	stop_server
}

start_watcher || fail "$top: no such folder"
say_addresses
say "watching $top; nothing is compressed here; Ctrl-C or \`make stop\` ends it"
update

while :; do
	event=
	read -r -t 1 -u 3 event
	status=$?
	check_server
	if [ "$status" = 0 ]; then
		folders=
		note "$event"
		drain
		[ ! -d "$top" ] || update
	elif [ "$status" -le 128 ]; then
		sleep 0.1       # the watcher has ended
	fi
	# Another folder by that name, as site generators make: watch that one.
	if [ -n "$gone" ] || ! alive "$watcher_pid"; then
		until [ -d "$top" ]; do
			check_server
			sleep 0.1
		done
		start_watcher && update
	elif [ "${folders-}" = 1 ]; then
		# Files that came with a new folder, before it was watched.
		folders=
		read -r -t 0.3 -u 3 event && drain
		update
	fi
done
