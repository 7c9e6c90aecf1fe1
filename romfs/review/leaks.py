"""Files that look as if they were not meant for the public."""
import fnmatch
import os
import re

from .found import Finding

# Names that a site never needs; dot-files are not served, but lie where servers with
# other habits would serve them.
HIDDEN = (".env", ".env.*", ".git", ".svn", ".hg", ".bzr", ".htpasswd", ".netrc", ".npmrc",
          ".pypirc", ".ssh", ".aws", ".gnupg", ".docker", ".kube", ".pgpass", ".my.cnf",
          ".bash_history", ".git-credentials")
KEYS = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.p12", "*.pfx", "*.jks",
        "*.keystore", "*.kdbx", "*.ppk", "htpasswd", "wp-config.php", "*.ovpn")
BACKUPS = ("*~", "*.bak", "*.old", "*.orig", "*.save", "*.swp", "*.swo", "*.sql",
           "*.sql.gz", "*.sqlite", "*.sqlite3", "#*#")

# What it is, words that are quick to look for, and the whole of it.
SECRETS = tuple((what, words.encode().split(), re.compile(whole)) for what, words, whole in (
    ("a private key", "PRIVATE",
     # Bounded, and each line has one reading: a page may be made to be slow to search.
     rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
     rb"(?:\\r|\\n|[A-Za-z0-9-]{1,40}: [^\r\n\\]{0,200}(?=[\r\n\\])|\s){0,40}"
     rb"[A-Za-z0-9+/]{40}"),
    ("an AWS access key", "AKIA ASIA",
     rb"(?<![A-Za-z0-9])(?:AKIA|ASIA)(?![A-Z0-9]*EXAMPLE)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ("a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_",
     rb"(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36}(?!\w)"),
    ("a GitHub token", "github_pat_", rb"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    ("a GitLab token", "glpat-", rb"glpat-[A-Za-z0-9_-]{20}"),
    ("a Slack token", "xox", rb"xox[abprs]-[0-9]{10,}-[0-9A-Za-z-]{20,}"),
    ("a Stripe key", "k_live_", rb"(?<![A-Za-z0-9])[sr]k_live_[0-9A-Za-z]{24,}"),
))


def in_name(file):
    """Findings about a served file's name."""
    name = os.path.basename(file).lower()
    if any(fnmatch.fnmatchcase(name, p) for p in KEYS):
        yield Finding(file, 0, "secret", "by its name it holds keys or passwords, and"
                                         " everybody may fetch it")
    elif any(fnmatch.fnmatchcase(name, p) for p in BACKUPS):
        yield Finding(file, 0, "backup", "by its name it is a backup or a dump, and"
                                         " everybody may fetch it")


def in_content(file, data):
    for what, words, whole in SECRETS:
        if not any(data.find(word) >= 0 for word in words):
            continue
        found = whole.search(data)
        if found:
            line = data[:found.start()].count(b"\n") + 1
            yield Finding(file, line, "secret", f"this looks like {what}, and everybody"
                                                " may fetch it")


def in_hidden(folder):
    """Findings about names that are not served: they should not be there at all."""
    for place, folders, names in os.walk(folder):
        for name in sorted(folders + names):
            if any(fnmatch.fnmatchcase(name.lower(), p) for p in HIDDEN):
                yield Finding(os.path.relpath(os.path.join(place, name), folder), 0,
                              "secret", "not served from here, but it does not belong"
                                        " into a public folder")
        folders[:] = sorted(f for f in folders if not f.startswith("."))
