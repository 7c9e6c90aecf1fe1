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

# Is this a port number, ours to open, and free?  $1: what to type instead
check_port() # TARGET VARIABLE PORT
{
	case $3 in
	''|*[!0-9]*|??????*) fail "$2=$3 is not a port number" ;;
	esac
	[ "$3" -ge 1 ] && [ "$3" -le 65535 ] ||
	    fail "$2=$3 is not between 1 and 65535"
	lowest=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start \
	    2>/dev/null || echo 1024)
	other=8080
	[ "$2" = HTTP_PORT ] || other=8443
	if [ "$3" -lt "$lowest" ] && [ "$(id -u)" != 0 ]; then
		fail "only root may open port $3 (below $lowest)" \
		    "choose another: $1 $2=$other"
	fi
	if port_in_use "$3"; then
		[ "$3" = 65535 ] || other=$(($3 + 1))
		fail "port $3 is in use on this machine" \
		    "choose another: $1 $2=$other" \
		    "(or make stop, if it is an earlier stele)"
	fi
}

check_ports() # TARGET
{
	check_port "$1" HTTP_PORT "$HTTP_PORT"
	[ "$https" = yes ] || return 0
	check_port "$1" HTTPS_PORT "$HTTPS_PORT"
	[ "$HTTP_PORT" != "$HTTPS_PORT" ] ||
	    fail "HTTP_PORT and HTTPS_PORT are both $HTTP_PORT"
}

# True if something listens where we want to: on 127.0.0.1 or on all addresses.
port_in_use() # PORT
{
	port=$(printf '%04X' "$1")
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$port" '
		$4 != "0A" { next }
		{ split($2, local, ":") }
		local[2] == port &&
		    local[1] ~ /^(0100007F|0+|0+FFFF00000100007F)$/ { hit = 1 }
		END { exit !hit }'
}

# Which instance bundle the machine gets: sets bundle (a file; empty: none), https
# (yes if there is a certificate in it) and contents (what mkinstance --list says).
choose_bundle()
{
	https=no
	contents=
	bundle=$INSTANCE
	case $INSTANCE in
	none)
		bundle=
		return
		;;
	'')
		bundle=build/instance.bin
		if [ ! -e "$bundle" ]; then
			bundle=build/development.bin
			made=$(build/mkinstance --development -o "$bundle") ||
			    exit 1
			[ -z "$made" ] || say "there is no build/instance.bin: $made"
		fi
		;;
	esac
	contents=$(build/mkinstance --list "$bundle") || exit 1
	case $contents in
	*"
chain 0 "*) https=yes ;;
	esac
}

# The addresses on this machine, and what to expect there.
say_addresses()
{
	say "http://localhost:$HTTP_PORT/"
	if [ "$https" = no ]; then
		say "no HTTPS: there is no certificate (make instance)"
		return
	fi
	say "https://localhost:$HTTPS_PORT/"
	case $contents in
	*", for development"*)
		say "with a development certificate that nobody signed, so browsers" \
		    "warn: build/development.crt"
		return
		;;
	esac
	say "with the certificates in $bundle"
	case "$contents $APPEND" in
	*"
hosts    -
"*|*redirect=*) ;;
	*)
		say "plain HTTP redirects to port 443 there; for here:" \
		    "APPEND=redirect=https:$HTTPS_PORT"
		;;
	esac
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
