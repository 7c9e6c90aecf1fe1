#!/bin/sh
# Run the server as a Linux process, PROGRAM, with the site in build/site.rom, until
# Ctrl-C or `make stop`.  passt is its network: no root, DHCP included.
#
#   config/dev.sh PROGRAM       in the environment: HTTP_PORT, HTTPS_PORT, INSTANCE
#                               (as for run.sh), MEM (MiB), APPEND
set -eu
. config/instance.sh

program=$1
server_pid=
passt_pid=

MEM=${MEM:-64}
case $MEM in
*[!0-9]*|?????*|0*) fail "MEM=$MEM is not a number of MiB from 1 to 4096" ;;
esac
choose_bundle
check_ports "make dev"

# A short path that passt may write to whatever the machine's security modules say.
dir=$(mktemp -d "${TMPDIR:-/tmp}/stele-dev.XXXXXX")

clean_up()
{
	[ -z "$passt_pid" ] || kill "$passt_pid" 2>/dev/null || true
	rm -rf "$dir"
	forget_instance
}

# Five seconds for responses under way.
stop()
{
	trap '' INT TERM HUP
	if [ -n "$server_pid" ]; then
		echo
		say "stopping"
		kill -TERM "$server_pid" 2>/dev/null || true
		wait_gone "$server_pid" 50 ||
		    kill -KILL "$server_pid" 2>/dev/null || true
		wait "$server_pid" || true
	fi
	exit 0
}

trap clean_up EXIT
trap stop INT TERM HUP
record_instance $$

# As root it would become nobody, who may not use our folder.
runas=
[ "$(id -u)" != 0 ] || runas='--runas 0:0'
ports=127.0.0.1/$HTTP_PORT:80
[ "$https" = no ] || ports=$ports,$HTTPS_PORT:443
# shellcheck disable=SC2086  # two words
setsid setpriv --pdeathsig TERM passt --foreground --stderr --one-off $runas \
    --socket "$dir/passt" --address 10.0.2.15 --netmask 24 --gateway 10.0.2.2 \
    --mtu 1500 --tcp-ports "$ports" \
    </dev/null >"$dir/log" 2>&1 &
passt_pid=$!

tries=50
while [ ! -S "$dir/passt" ]; do
	tries=$((tries - 1))
	if [ "$tries" = 0 ] || ! alive "$passt_pid"; then
		grep -v syslog "$dir/log" | tail -n 5 >&2
		fail "passt did not start (it needs a default route; see above)"
	fi
	sleep 0.1
done

say_addresses
say "a Linux process, $MEM MiB of pools; Ctrl-C or \`make stop\` ends it"
set --
[ -z "$bundle" ] || set -- --instance "$bundle"
setsid setpriv --pdeathsig TERM "$program" --rom build/site.rom "$@" \
    --passt "$dir/passt" --memory "$MEM" --append "$APPEND" </dev/null &
server_pid=$!

status=0
wait "$server_pid" || status=$?
[ "$status" = 0 ] || fail "the server ended with status $status"
