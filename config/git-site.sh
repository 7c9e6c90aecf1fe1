#!/bin/sh
# Take a site out of a git repository, without a work tree.
#
#   config/git-site.sh git:REPOSITORY[#REF[:FOLDER]]
#
# REPOSITORY is a folder (bare or not) or a URL (https, http, ssh, git, file, or
# user@host:path).  REF is a branch, a tag or a commit, full or short; without it,
# HEAD.  FOLDER is where in the commit the site lies; without it, its top.
#
# Prints three lines: the folder with the files, the commit, the tree.  All files
# have the time of the commit.  What is taken is what `git archive` takes, so
# export-ignore and the other attributes of .gitattributes count; nobody's git
# configuration does, beyond what it takes to reach the repository.
#
# Works in build/git/: `repo` keeps fetched commits, so that a commit named in full
# needs no network again; TREE/ is the site.  An error leaves no site behind.
set -eu
umask 022

work=build/git
ours=$work/repo
newline='
'

# Names and messages may be a stranger's: no control character reaches the terminal.
fail()
{
	{
		printf 'stele: %s\n' "$1"
		shift
		for line; do printf 'stele:   %s\n' "$line"; done
	} | LC_ALL=C sed 's/\xc2[\x80-\x9f]/?/g; s/[\x01-\x08\x0b-\x1f\x7f]/?/g' >&2
	exit 1
}

# git in our own repository, deaf to all configuration but its own.
our_git()
{
	GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_COUNT=0 \
	    GIT_ATTR_NOSYSTEM=1 GIT_NO_REPLACE_OBJECTS=1 GIT_LITERAL_PATHSPECS=1 \
	    XDG_CONFIG_HOME=/nonexistent git --git-dir="$ours" "$@"
}

is_hash() # TEXT: a commit's full name
{
	case $1 in *[!0-9a-f]*) return 1 ;; esac
	[ ${#1} = 40 ] || [ ${#1} = 64 ]
}

# Sets repository, ref and folder.
parse() # SPEC
{
	rest=${1#git:}
	ref=HEAD
	folder=
	case $rest in
	*'#'*)
		ref=${rest##*'#'}
		rest=${rest%'#'*}
		;;
	esac
	repository=$rest
	case $ref in
	*:*)
		folder=${ref#*:}
		ref=${ref%%:*}
		;;
	esac
	[ -n "$ref" ] || ref=HEAD
	[ -n "$repository" ] || fail "SITE=$1 names no repository" \
	    "make SITE=git:/path/to/repository#main"
	case $ref in
	-*) fail "'$ref' is no name of a commit: it begins with a dash" ;;
	esac
	while :; do
		case $folder in
		/*) folder=${folder#/} ;;
		*/) folder=${folder%/} ;;
		*) break ;;
		esac
	done
	[ -z "$folder" ] || case /$folder/ in
	*//*|*/./*|*/../*|*"$newline"*)
		fail "'$folder' is no folder of a commit: no empty, '.' or '..' names" ;;
	esac
	# A password in a URL is for nobody's screen.
	shown=$(printf '%s' "$repository" | sed 's,://[^/@]*@,://,')
}

is_url()
{
	case $1 in
	-*) return 1 ;;
	*://*) return 0 ;;
	esac
	[ ! -e "$1" ] || return 1
	case $1 in
	*/*:*) return 1 ;;
	?*:?*) return 0 ;;
	esac
	return 1
}

make_ours() # FORMAT
{
	if [ -d "$ours" ]; then
		[ "$(our_git rev-parse --show-object-format)" != "$1" ] || return 0
		rm -rf "$ours"
	fi
	rm -rf "$ours.new"
	GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null git init -q --bare \
	    --template= --object-format="$1" "$ours.new"
	mv "$ours.new" "$ours"
}

# ---- A repository on this machine: its objects are read where they are ---------

# Sets commit.
find_local()
{
	case $repository in -*) repository=./$repository ;; esac
	[ -d "$repository" ] || fail "$repository is neither a folder nor a URL"
	git_dir=$(git -C "$repository" rev-parse --absolute-git-dir 2>&1) ||
	    fail "$repository is not a git repository" "$git_dir"
	# A folder inside a work tree: say which commit's folder is meant.
	prefix=$(git -C "$repository" rev-parse --show-prefix 2>/dev/null) || prefix=
	[ -z "$prefix" ] || fail \
	    "$repository is a folder of a repository, not its top" \
	    "try: SITE=git:$(git -C "$repository" rev-parse --show-toplevel)#$ref:${prefix%/}"
	commit=$(git -C "$repository" rev-parse --quiet --verify --end-of-options \
	    "$ref^{commit}" 2>/dev/null) || unknown_ref \
	    "$(git -C "$repository" for-each-ref --count=8 --format='%(refname:short)' \
	    refs/heads refs/tags 2>/dev/null | tr '\n' ' ')"
	make_ours "$(git -C "$repository" rev-parse --show-object-format)"
	objects=$(cd "$repository" && realpath "$(git rev-parse --git-path objects)")
	case $objects in
	*"$newline"*) fail "git cannot borrow from a path with a line break" ;;
	esac
	printf '%s\n' "$objects" >"$ours/objects/info/alternates"
}

unknown_ref() # WHAT-THERE-IS
{
	if [ -n "$1" ]; then
		fail "'$ref' is no branch, tag or commit of $shown" "it has: $1"
	fi
	fail "'$ref' is no branch, tag or commit of $shown"
}

# ---- A repository elsewhere: fetched, the commit alone where that can be --------

# The user's configuration counts here (credentials, proxies), but not for which
# programs a URL may start.
fetch()
{
	GIT_ALLOW_PROTOCOL=https:http:ssh:git:file GIT_TERMINAL_PROMPT=0 \
	    git -c core.hooksPath=/dev/null -c gc.auto=0 -c maintenance.auto=false \
	    --git-dir="$ours" "$@"
}

cannot_reach()
{
	fail "cannot read $shown" "$(tail -n 3 "$work/log" | tr '\n' ' ')" \
	    "(a commit named in full needs no network once it was fetched)"
}

# Sets commit.
find_remote()
{
	make_ours sha1
	rm -f "$ours/objects/info/alternates"
	if is_hash "$ref"; then
		[ ${#ref} = 64 ] && make_ours sha256 || make_ours sha1
		commit=$ref
		have_commit && return 0
		fetch fetch -q --depth 1 --no-tags "$repository" "$ref" \
		    2>"$work/log" && have_commit && return 0
		fetch_everything
		have_commit || unknown_ref ""
		return 0
	fi
	fetch ls-remote -q "$repository" >"$work/refs" 2>"$work/log" || cannot_reach
	commit=$(look_up_ref)
	if [ -z "$commit" ]; then
		find_short
		return 0
	fi
	[ ${#commit} = 64 ] && make_ours sha256 || make_ours sha1
	have_commit && return 0
	fetch fetch -q --depth 1 --no-tags "$repository" "$commit" 2>"$work/log" ||
	    fetch_everything
	have_commit || fail \
	    "'$ref' of $shown moved while it was fetched: try again"
}

# As git itself looks: the name, tags, branches; a tag's commit, not the tag.
look_up_ref()
{
	awk -F '\t' -v ref="$ref" '
		{ at[$2] = $1 }
		END {
			n = split(ref " refs/" ref " refs/tags/" ref " refs/heads/" ref,
			    name, " ")
			for (i = 1; i <= n; i++) {
				if (name[i] "^{}" in at) { print at[name[i] "^{}"]; exit }
				if (name[i] in at) { print at[name[i]]; exit }
			}
		}' "$work/refs"
}

# No such name: perhaps the first digits of a commit.
find_short()
{
	there=$(sed -n 's,.*refs/\(heads\|tags\)/,,p' "$work/refs" |
	    grep -v '{}$' | head -n 8 | tr '\n' ' ')
	case $ref in
	????*) ;;
	*) unknown_ref "$there" ;;
	esac
	case $ref in *[!0-9a-f]*) unknown_ref "$there" ;; esac
	first=$(head -c 64 "$work/refs" | cut -f 1)
	[ ${#first} = 64 ] && make_ours sha256 || make_ours sha1
	fetch_everything
	commit=$(our_git rev-parse --quiet --verify --end-of-options \
	    "$ref^{commit}") || unknown_ref "$there"
}

fetch_everything()
{
	unshallow=
	[ ! -e "$ours/shallow" ] || unshallow=--unshallow
	fetch fetch -q $unshallow --no-tags "$repository" \
	    '+refs/heads/*:refs/heads/*' '+refs/tags/*:refs/tags/*' \
	    2>"$work/log" || cannot_reach
	# `$Format:%d$` (export-subst) would name them.
	our_git for-each-ref --format='delete %(refname)' |
	    our_git update-ref --stdin
}

have_commit()
{
	our_git cat-file -e "$commit^{commit}" 2>/dev/null
}

# ---- From commit to files ------------------------------------------------------

check_tree()
{
	tree=$(our_git rev-parse --quiet --verify --end-of-options \
	    "$commit:$folder" 2>/dev/null) &&
	    [ "$(our_git cat-file -t "$tree" 2>/dev/null)" = tree ] ||
	    fail "commit $commit has no folder '$folder'"
	submodules=$(our_git ls-tree -r --full-tree "$tree" |
	    sed -n 's/^160000 commit [0-9a-f]*\t//p' | head -n 5 | tr '\n' ' ')
	[ -z "$submodules" ] || {
		echo "stele: warning: git submodules are left out: $submodules"
		echo "stele:   what they hold has to be in the commit to be served"
	} >&2
}

export_tree()
{
	out=$work/$tree
	rm -rf "$work"/*.new
	mkdir "$out.new"
	# Without `shallow`, which is for fetching, `$Format:%d$` does not tell how the
	# commit came here.  GNU tar takes no name that leads out of the folder, through a
	# link neither.
	{ our_git --shallow-file /dev/null archive --format=tar "$commit" \
	    ${folder:+"$folder"} 2>"$work/log" || echo failed >>"$work/log"; } |
	    tar -x -f - -C "$out.new" --no-same-owner --no-same-permissions \
	    2>"$work/tar-log" || echo failed >>"$work/tar-log"
	if grep -q '^failed$' "$work/log"; then
		fail "git cannot read commit $commit" \
		    "$(head -n 2 "$work/log" | tr '\n' ' ')" \
		    "(is $shown a partial clone?)"
	fi
	if grep -q '^failed$' "$work/tar-log"; then
		fail "the commit's files cannot be written" \
		    "$(head -n 3 "$work/tar-log" | tr '\n' ' ')"
	fi
	[ -d "$out.new/$folder" ] || fail \
	    "nothing is left of commit $commit: is all of it export-ignore?"
	check_pointers "$out.new/$folder"
	rm -rf "$out"
	mv "$out.new" "$out"
	# Earlier sites, unless somebody may still be packing one.
	find "$work" -mindepth 1 -maxdepth 1 -type d ! -name repo ! -name "$tree" \
	    -mmin +60 -exec rm -rf {} +
}

# Git LFS keeps large files elsewhere, and in the commit a few lines that say where.
check_pointers() # FOLDER
{
	pointers=$(cd "$1" && find . -type f -size -2 -exec \
	    grep -l '^version https://git-lfs\.github\.com/spec/v1$' {} + |
	    head -n 5 | sed 's,^\./,,' | tr '\n' ' ')
	[ -z "$pointers" ] || fail \
	    "these files are in Git LFS, and the commit has only pointers: $pointers" \
	    "check them out (git lfs pull) and build from that folder"
}

command -v git >/dev/null || fail "git is not installed"
# In a hook they would name the hook's repository.
# shellcheck disable=SC2046  # words
unset $(git rev-parse --local-env-vars)
parse "$1"
mkdir -p "$work"
exec 9>"$work/lock"
flock 9
trap 'rm -rf "$work"/*.new "$work/refs" "$work/log" "$work/tar-log"' EXIT
trap 'exit 130' INT TERM HUP
if is_url "$repository"; then find_remote; else find_local; fi
check_tree
export_tree
printf '%s\n%s\n%s\n' "$out${folder:+/$folder}" "$commit" "$tree"
