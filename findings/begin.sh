# Read by each script here (". begin.sh"): a temporary folder that goes away with the script, and the three ways to get outside
# software into it. FINDINGS_CACHE, a folder, keeps what was downloaded and built for the next script; without it nothing stays.
set -eu
dir=$(mktemp -d)
cache=${FINDINGS_CACHE:-$dir/cache}
pids=
finish() {
	for pid in $pids; do kill -CONT "$pid" 2>/dev/null && kill "$pid" 2>/dev/null || true; done
	for pid in $pids; do wait "$pid" 2>/dev/null || true; done
	chmod -R u+w "$dir"
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
cd "$dir"
umask 077

# npm packages, each name@version
npm_packages() {
	npm_config_cache="$cache/npm" npm install --silent --no-audit --no-fund "$@" >/dev/null
}

# Debian packages, each name=version, unpacked into $dir/debian
debian_packages() {
	mkdir -p "$dir/debian/packages"
	(cd "$dir/debian/packages" && apt-get download -qq -o APT::Sandbox::User=root "$@" >/dev/null &&
		for package in *.deb; do dpkg -x "$package" ..; done)
	libraries=$(echo "$dir"/debian/usr/lib/*-linux-gnu)
	export LD_LIBRARY_PATH="$libraries" PATH="$dir/debian/usr/bin:$dir/debian/usr/sbin:$PATH" PYTHONPATH="$dir/debian/usr/lib/python3/dist-packages"
}

# A Go program in the folder program, built as ./run; main.go is the standard input, the arguments are modules, each path@version
go_program() {
	export GOFLAGS=-mod=mod GOPATH="$cache/go" GOCACHE="$cache/go-build" GOTOOLCHAIN=local
	mkdir program
	cat >program/main.go
	(
		cd program
		go mod init finding 2>log
		for module; do go mod edit -require "$module"; done
		go build -o ../run . 2>>log || { cat log >&2; exit 1; }
	)
}

# until FILE WORD: waits until a line of the file has the word
until_said() {
	for _ in $(seq 300); do
		grep -q "$2" "$1" 2>/dev/null && return
		sleep 0.1
	done
	echo "never said: $2" >&2
	exit 1
}

# as_found: prints what was seen and fails if it is not what the standard input says
as_found() {
	cat >expected
	cat seen
	diff expected seen >difference || { echo "not as found (< then, > now):"; cat difference; exit 1; }
	echo "as found"
}

# free_port: prints a TCP port of loopback that nobody listens on
free_port() {
	node -e 's = net.createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'
}
