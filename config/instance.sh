# What run.sh, dev.sh and stop.sh share; read with `.`, not run.
#
# Every running instance of this checkout has a file build/run/PORT.pid with two
# words: the process and the time it started.  A process counts as ours only if
# both still agree, so a file left behind by a crash can never stop a stranger.

say()
{
	echo "stele: $*"
}

fail()
{
	echo "stele: $1" >&2
	shift
	for line; do
		echo "stele:   $line" >&2
	done
	exit 1
}

# The time a process started, in clock ticks since boot; nothing if it is gone.
started_at() # PID
{
	# The name in parentheses may hold spaces: count after its end.
	sed -n 's/.*) //p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

# Is HTTP_PORT a number, ours to open, and free?  $1: what to type instead
check_port()
{
	case $HTTP_PORT in
	''|*[!0-9]*|??????*) fail "HTTP_PORT=$HTTP_PORT is not a port number" ;;
	esac
	[ "$HTTP_PORT" -ge 1 ] && [ "$HTTP_PORT" -le 65535 ] ||
	    fail "HTTP_PORT=$HTTP_PORT is not between 1 and 65535"
	lowest=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start \
	    2>/dev/null || echo 1024)
	if [ "$HTTP_PORT" -lt "$lowest" ] && [ "$(id -u)" != 0 ]; then
		fail "only root may open port $HTTP_PORT (below $lowest)" \
		    "choose another: $1 HTTP_PORT=8080"
	fi
	if port_in_use; then
		other=$((HTTP_PORT < 65535 ? HTTP_PORT + 1 : 8080))
		fail "port $HTTP_PORT is in use on this machine" \
		    "choose another: $1 HTTP_PORT=$other" \
		    "(or make stop, if it is an earlier stele)"
	fi
}

# True if something listens where we want to: on 127.0.0.1 or on all addresses.
port_in_use()
{
	port=$(printf '%04X' "$HTTP_PORT")
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$port" '
		$4 != "0A" { next }
		{ split($2, local, ":") }
		local[2] == port &&
		    local[1] ~ /^(0100007F|0+|0+FFFF00000100007F)$/ { hit = 1 }
		END { exit !hit }'
}

record_instance() # PID
{
	mkdir -p build/run
	echo "$1 $(started_at "$1")" >"build/run/$HTTP_PORT.pid"
}

forget_instance()
{
	rm -f "build/run/$HTTP_PORT.pid"
}

# True while the process runs and is not just waiting to be collected.
alive() # PID
{
	[ -r "/proc/$1/stat" ] && ! grep -q ') Z' "/proc/$1/stat"
}

# Wait until a process is gone, $2 tenths of a second at most.
wait_gone() # PID TENTHS
{
	left=$2
	while alive "$1"; do
		[ "$left" -gt 0 ] || return 1
		left=$((left - 1))
		sleep 0.1
	done
}
