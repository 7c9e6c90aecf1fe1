#!/bin/sh
# Print what config/tests.mk builds, one call of its `program` per line, from the
# "links:" comments that say what a test or a fuzz harness is linked with.
#
#   config/links.sh KIND FILE...     KIND: unit or fuzz
#
# In the comment: source files, @GROUPs of them, and flags (-lNAME, -DNAME).  It may
# go over several lines.
set -eu

kind=$1
shift
for file; do
	case $kind in
	unit) name=${file#tests/} ;;
	*)    name=${file#fuzz/} ;;
	esac
	sed -n '/\/\* *links:/,/\*\//p' "$file" | tr '\n\t' '  ' |
	awk -v kind="$kind" -v name="${name%.c}" -v sources="$file" -v file="$file" '
		function group(name) {
			return " $(or $(" name "),$(error " file ": no group @" name "))"
		}
		{
			sub(/.*links:/, ""); sub(/\*\/.*/, ""); gsub(/ \* /, " ")
			for (i = 1; i <= NF; i++) {
				if ($i ~ /^-l/) libraries = libraries " " $i
				else if ($i ~ /^-/) flags = flags " " $i
				else if ($i ~ /^@/) sources = sources group(substr($i, 2))
				else if ($i != "*") sources = sources " " $i
			}
		}
		END {
			printf "$(call program_%s,%s,%s,%s,%s)\n",
			    kind, name, sources, flags, libraries
		}'
done
