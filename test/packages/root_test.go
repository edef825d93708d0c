// Package packages installs what `make packages` makes in a clean Debian with a systemd of its own, upgrades it while its daemon runs
// and clients come and go, and takes it away again; what is then left is a mistake. It takes root, and Debian's packages from its
// archive, once: the clean root is kept in bin/.
package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"kbus.example/kbus/internal/testing/smallmachine"
)

const top = "../.."

// needs skips a test, by name, where a person lacks a program or is not root. In CI test/needs has installed all of them.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make a root for packages")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing: test/needs packages installs it", p)
			}
			t.Skipf("%s is missing: test/needs packages installs it", p)
		}
	}
}

// sh runs a shell command at the top of the project.
func sh(t *testing.T, command string, args ...string) string {
	t.Helper()
	c := exec.Command("bash", append([]string{"-euc", command, "sh"}, args...)...)
	c.Dir = top
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", command, args, err, out)
	}
	return string(out)
}

// cleanRoot unpacks a Debian with systemd and Python into a directory.
func cleanRoot(t *testing.T) string {
	t.Helper()
	needs(t, "mmdebstrap", "dpkg-deb")
	kept := filepath.Join(top, "bin", "root.tar")
	if _, err := os.Stat(kept); err != nil {
		sh(t, `. /etc/os-release
			mkdir -p bin; trap 'rm -f bin/root.tar.new' EXIT
			mmdebstrap --quiet --variant=essential --include=systemd,python3,passwd --format=tar "$VERSION_CODENAME" bin/root.tar.new
			mv bin/root.tar.new bin/root.tar`)
	}
	dir := t.TempDir()
	sh(t, `tar -xf bin/root.tar -C "$1"`, dir)
	return dir
}

// boot starts it.
func boot(t *testing.T, dir string) *smallmachine.Machine {
	t.Helper()
	return smallmachine.Start(t, "testdata/boot.sh", dir, "/usr/sbin:/usr/bin:/sbin:/bin")
}

// files are all files of a root but those that change with any package: dpkg's lists, logs, caches, and the backups of the list of users.
func files(t *testing.T, dir string) []string {
	t.Helper()
	out := sh(t, `cd "$1"; find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./var/log \
		-o -path ./var/lib/dpkg -o -path ./var/lib/rpm -o -path ./var/cache \) -prune -o -printf '%P %y %l %m\n'; cat etc/passwd etc/group`, dir)
	list := strings.Split(out, "\n")
	sort.Strings(list)
	return list
}

// left are those that are there now and were not before.
func left(before, now []string) (more []string) {
	known := map[string]bool{}
	for _, f := range before {
		known[f] = true
	}
	for _, f := range now {
		name, _, _ := strings.Cut(f, " ")
		switch {
		case known[f], strings.HasPrefix(name, "etc/") && strings.HasSuffix(name, "-"), name == "etc/ld.so.cache":
		default:
			more = append(more, f)
		}
	}
	return more
}
