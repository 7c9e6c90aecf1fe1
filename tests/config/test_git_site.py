"""Sites from git commits: config/git-site.sh, in a folder of its own."""
import os
import shutil
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATE = "2020-01-02T03:04:05Z"
SECONDS = 1577934245
ENVIRONMENT = {
    **{k: v for k, v in os.environ.items() if not k.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@a.example", "GIT_AUTHOR_DATE": DATE,
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@a.example",
    "GIT_COMMITTER_DATE": DATE,
}


def git(folder, *words, data=None, env=None):
    done = subprocess.run(["git", *words], cwd=folder, input=data, check=True,
                          capture_output=True, env={**ENVIRONMENT, **(env or {})})
    return done.stdout.decode().strip()


class Place:
    """A folder with config/ and a repository in it."""

    def __init__(self, path):
        self.path = path
        shutil.copytree(os.path.join(TOP, "config"), path / "config")
        self.repository = path / "repo"
        self.repository.mkdir()
        git(self.repository, "init", "-q", "-b", "main")

    def commit(self, files, message="m"):
        for name, content in files.items():
            file = self.repository / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        git(self.repository, "add", "-A")
        git(self.repository, "commit", "-q", "--allow-empty", "-m", message)
        return git(self.repository, "rev-parse", "HEAD")

    def take(self, spec, status=0, env=None):
        """Returns (folder, commit, tree, stderr), or stderr of a failure."""
        done = subprocess.run(["config/git-site.sh", spec], cwd=self.path, text=True,
                              capture_output=True, check=False, timeout=60,
                              env={**ENVIRONMENT, **(env or {})})
        assert done.returncode == status, done.stdout + done.stderr
        if status:
            assert done.stdout == ""
            left = [n for n in os.listdir(self.path / "build/git")
                    if n not in ("repo", "lock")] \
                if (self.path / "build/git").exists() else []
            assert left == [], "a failure left something behind"
            return done.stderr
        folder, commit, tree = done.stdout.splitlines()
        return self.path / folder, commit, tree, done.stderr

    def url(self):
        return f"git:file://{self.repository}"


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def names(folder):
    return sorted(os.path.relpath(os.path.join(where, name), folder)
                  for where, _, files in os.walk(folder) for name in files)


# ---- What is taken ---------------------------------------------------------------------

@pytest.mark.parametrize("remote", [False, True], ids=["folder", "url"])
def test_a_commit_by_each_of_its_names(place, remote):
    first = place.commit({"a.html": "1"})
    git(place.repository, "tag", "light")
    git(place.repository, "tag", "-a", "-m", "x", "heavy")
    git(place.repository, "branch", "feature/x")
    second = place.commit({"a.html": "2"})
    spec = place.url() if remote else "git:repo"
    for ref, commit in (("", second), ("#main", second), ("#light", first),
                        ("#heavy", first), ("#feature/x", first), ("#" + first, first),
                        ("#" + first[:10], first), ("#refs/tags/light", first),
                        ("#", second), ("#HEAD", second)):
        folder, found, tree, _ = place.take(spec + ref)
        assert found == commit, ref
        assert tree == git(place.repository, "rev-parse", commit + "^{tree}")
        assert (folder / "a.html").read_text() == ("1" if commit == first else "2")


def test_a_bare_repository(place):
    commit = place.commit({"a": "1"})
    git(place.path, "clone", "-q", "--bare", "repo", "bare")
    assert place.take("git:bare#main")[1] == commit


def test_the_work_tree_does_not_matter(place):
    place.commit({"a": "1"})
    (place.repository / "a").write_text("2")
    (place.repository / "b").write_text("2")
    folder = place.take("git:repo")[0]
    assert names(folder) == ["a"] and (folder / "a").read_text() == "1"


def test_files_have_the_commits_time(place):
    place.commit({"a": "1", "b/c": "2"})
    for ref in "", "#main:b":
        folder = place.take("git:repo" + ref)[0]
        for name in names(folder):
            assert os.stat(folder / name).st_mtime == SECONDS


def test_a_folder_of_a_commit(place):
    place.commit({"public/a": "1", "b": "2"})
    for spec in "git:repo#main:public", "git:repo#:public/", place.url() + "#main:/public":
        folder, _, tree, _ = place.take(spec)
        assert names(folder) == ["a"]
        assert tree == git(place.repository, "rev-parse", "HEAD:public")


def test_attributes_count_and_configuration_does_not(place):
    place.commit({".gitattributes": "hidden export-ignore\nid export-subst\n"
                                    "text text\nf filter=evil\n",
                  "hidden": "1", "id": "$Format:%H %d$", "text": "1\n", "f": "1"})
    git(place.repository, "config", "filter.evil.smudge", "touch /tmp/stele-evil; cat")
    git(place.repository, "config", "core.autocrlf", "true")
    git(place.repository, "config", "core.eol", "crlf")
    for spec in "git:repo", place.url():
        folder, commit, _, _ = place.take(spec)
        assert names(folder) == [".gitattributes", "f", "id", "text"]
        assert (folder / "id").read_text().strip() == commit
        assert (folder / "text").read_bytes() == b"1\n"
    assert not os.path.exists("/tmp/stele-evil")


def test_a_hooks_environment_names_another_repository(place):
    commit = place.commit({"a": "1"})
    assert place.take("git:repo", env={"GIT_DIR": "/nowhere",
                                       "GIT_WORK_TREE": "/"})[1] == commit


def test_odd_paths_and_names(place):
    commit = place.commit({"a b": "1", "new\nline": "2", "-rf": "3", "\u00e9'\"": "4"})
    for name in "-x", "a b", "a#b", "quote'\"$HOME`", ":y":
        shutil.copytree(place.repository, place.path / name)
        folder, found, _, _ = place.take(f"git:{name}#main")
        assert found == commit
        assert names(folder) == sorted(["a b", "new\nline", "-rf", "\u00e9'\""])


def test_links_are_left_to_mkromfs_and_lead_nowhere(place):
    place.commit({"a": "1"})
    os.symlink("/etc", place.repository / "out")
    os.symlink("a", place.repository / "in")
    git(place.repository, "add", "-A")
    git(place.repository, "commit", "-q", "-m", "links")
    folder = place.take("git:repo")[0]
    assert os.readlink(folder / "out") == "/etc"
    assert os.readlink(folder / "in") == "a"


def test_a_tree_that_writes_through_its_own_link(place):
    """Two entries of one name: a link, and a folder below it."""
    target = place.path / "target"
    target.mkdir()
    link = git(place.repository, "hash-object", "-w", "--stdin",
               data=str(target).encode())
    blob = git(place.repository, "hash-object", "-w", "--stdin", data=b"evil")
    inner = git(place.repository, "mktree", data=f"100644 blob {blob}\tf\n".encode())
    raw = b"".join(mode + b" x\0" + bytes.fromhex(at)
                   for mode, at in ((b"120000", link), (b"40000", inner)))
    tree = git(place.repository, "hash-object", "-w", "-t", "tree", "--literally",
               "--stdin", data=raw)
    commit = git(place.repository, "commit-tree", "-m", "x", tree)
    git(place.repository, "update-ref", "refs/heads/evil", commit)
    subprocess.run(["config/git-site.sh", "git:repo#evil"], cwd=place.path, check=False,
                   env=ENVIRONMENT, capture_output=True)
    assert os.listdir(target) == []


# ---- Away from the network -------------------------------------------------------------

def test_a_commit_named_in_full_is_fetched_once(place):
    commit = place.commit({"a": "1"})
    place.take(place.url() + "#" + commit)
    place.repository.rename(place.path / "gone")
    assert place.take(place.url() + "#" + commit)[1] == commit


def test_a_branch_that_moves_is_followed(place):
    place.commit({"a": "1"})
    place.take(place.url() + "#main")
    commit = place.commit({"a": "2"})
    assert place.take(place.url() + "#main")[1] == commit


# ---- What is refused -------------------------------------------------------------------

@pytest.mark.parametrize("spec, reason", [
    ("git:", "names no repository"), ("git:#main", "names no repository"),
    ("git:none", "none is neither a folder nor a URL"),
    ("git:config", "config is not a git repository"),
    ("git:repo#none", "'none' is no branch, tag or commit of repo"),
    ("git:repo#none", "it has: main"),
    ("git:repo#--help", "begins with a dash"),
    ("git:repo#main:../repo", "no '.' or '..'"), ("git:repo#main:a/./b", "no empty"),
    ("git:repo#main:none", "has no folder 'none'"),
    ("git:repo#main:a", "has no folder 'a'"),
    ("git:repo/sub", "try: SITE=git:"),
    ("git:ext::sh -c id", "transport 'ext' not allowed"),
    ("git:file:///none", "cannot read file:///none"),
    ("git:https://u:secret@localhost:1/x", "cannot read https://localhost:1/x"),
    ("git:-u:x", "neither a folder nor a URL"),
])
def test_refused_with_a_reason(place, spec, reason):
    place.commit({"a": "1", "sub/b": "2"})
    said = place.take(spec, status=1)
    if reason.startswith("no "):
        assert "no empty, '.' or '..' names" in said
    else:
        assert reason in said
    assert "secret" not in said


@pytest.mark.parametrize("ref", ["none", "abcdef1", "m*", "refs/heads/none"])
def test_an_unknown_name_at_a_url(place, ref):
    place.commit({"a": "1"})
    said = place.take(place.url() + "#" + ref, status=1)
    assert f"'{ref}' is no branch, tag or commit" in said


def test_names_of_a_stranger_do_not_reach_the_terminal(place):
    place.commit({"a\x1b[2Jb\u009bc\u00fc": "version https://git-lfs.github.com/spec/v1\n"})
    error = place.take(f"git:{place.repository}", status=1)
    assert "a?[2Jb?c\u00fc" in error and "\x1b" not in error


def test_pointers_of_git_lfs_are_no_site(place):
    place.commit({"a.mp4": "version https://git-lfs.github.com/spec/v1\n"
                           "oid sha256:" + "0" * 64 + "\nsize 5\n", "b": "1"})
    assert "only pointers: a.mp4" in place.take("git:repo", status=1)


def test_submodules_are_said_to_be_missing(place):
    commit = place.commit({"a": "1"})
    git(place.repository, "update-index", "--add", "--cacheinfo",
        f"160000,{commit},theme")
    git(place.repository, "commit", "-q", "-m", "x")
    folder, _, _, said = place.take("git:repo")
    assert "warning: git submodules are left out: theme" in said
    assert names(folder) == ["a"]


def test_a_commit_without_any_file(place):
    place.commit({".gitattributes": "* export-ignore\n"})
    assert names(place.take("git:repo")[0]) == []


def test_objects_that_are_missing_are_said(place):
    place.commit({"a": "1"})
    blob = git(place.repository, "rev-parse", "HEAD:a")
    (place.repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    assert "git cannot read commit" in place.take("git:repo", status=1)
