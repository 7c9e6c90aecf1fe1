"""Debian's nginx as a witness: the same folder, served on loopback by a process of its own.

    with nginx.Nginx(folder) as server:
        server.port

It runs in the foreground, as one process without capabilities, writes to a temporary
folder only, and is ended by its process id.
"""
import os
import shutil
import subprocess
import tempfile
import time

import vm

# What follows the RFC where nginx has a choice: dates in If-Modified-Since are compared, not
# matched; sidecars count in HTTP/1.0, too; locations have no host.  And as many ranges
# as we send, and paths as they came.
CONFIG = """
daemon off;
master_process off;
user root;
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 64; }}
http {{
	access_log off;
	server_tokens off;
	include /etc/nginx/mime.types;
	default_type application/octet-stream;
	charset utf-8;
	charset_types text/plain text/css application/javascript application/json
		image/svg+xml;
	sendfile on;
	if_modified_since before;
	max_ranges 16;
	gzip_static on;
	gzip_vary on;
	gzip_http_version 1.0;
	gzip_proxied any;
	absolute_redirect off;
	merge_slashes off;
	keepalive_requests 1000000;
	client_body_temp_path {folder}/body;
	proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi;
	uwsgi_temp_path {folder}/uwsgi;
	scgi_temp_path {folder}/scgi;
	server {{
		listen 127.0.0.1:{port};
		root "{site}";
		index index.html;
	}}
}}
"""


class Nginx:
    def __init__(self, site):
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        if not os.path.exists(program):
            raise vm.Skip("nginx is not installed")
        self.port = vm.free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="stele-nginx-")
        config = os.path.join(self.folder.name, "nginx.conf")
        with open(config, "w", encoding="utf-8") as f:
            f.write(CONFIG.format(folder=self.folder.name, port=self.port, site=site))
        self.errors = open(os.path.join(self.folder.name, "errors"), "w+b")
        self.child = subprocess.Popen(
            ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all",
             program, "-p", self.folder.name, "-e", "stderr", "-c", config],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors)

    def __enter__(self):
        end = time.monotonic() + 10
        while True:
            try:
                vm.connect("127.0.0.1", self.port, timeout=1).close()
                return self
            except OSError:
                if self.child.poll() is not None or time.monotonic() > end:
                    reason = vm.read_text(self.errors.name)[-300:]
                    self.__exit__()
                    raise AssertionError(f"nginx did not start: {reason}") from None
                time.sleep(0.05)

    def __exit__(self, *error):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.errors.close()
        self.folder.cleanup()
