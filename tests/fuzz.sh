#!/bin/sh
# Run one fuzz harness: first everything its corpus holds, then a search for new
# input.  Prints TAP.  Used by `make test` and `make fuzz`.
#
#   tests/fuzz.sh fuzz_NAME SECONDS
#
# New input that reaches new code is kept in build/fuzz/corpus/NAME; input that
# breaks something in build/fuzz/NAME-*, which belongs, with a name that says what it
# was, into fuzz/corpus/NAME once it is understood.
set -eu

name=$1
seconds=$2
program=build/fuzz/$name/program
short=${name#fuzz_}
seeds=fuzz/corpus/$short
grown=build/fuzz/corpus/$short
mkdir -p "$grown"

failed=0
result() # STATUS NUMBER NAME
{
	if [ "$1" = 0 ]; then
		echo "ok $2 - $3"
	else
		echo "not ok $2 - $3"
		failed=1
	fi
}

echo 1..2
if [ -n "$(find "$seeds" -type f 2>/dev/null | head -n 1)" ]; then
	status=0
	find "$seeds" -type f -print0 | xargs -0 "$program" \
	    -timeout=20 -artifact_prefix="build/fuzz/$short-" 2>&1 || status=$?
	result "$status" 1 "$short: every input of the corpus"
else
	echo "not ok 1 - $short: $seeds holds no input"
	failed=1
fi

status=0
seeds_if_any=$seeds
[ -d "$seeds" ] || seeds_if_any=
dictionary=
if [ -f "fuzz/$name.dict" ]; then dictionary=-dict=fuzz/$name.dict; fi
"$program" -max_total_time="$seconds" -timeout=20 -print_final_stats=1 $dictionary \
    -artifact_prefix="build/fuzz/$short-" "$grown" $seeds_if_any 2>&1 || status=$?
result "$status" 2 "$short: $seconds s of new input"
exit "$failed"
