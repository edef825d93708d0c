package packages

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRPM installs, upgrades and erases the rpms in a root of their own, as far as a Debian can: rpm there knows none of the packages
// that ours need, so what is missing is looked at and then allowed. Scripts run in the root, without systemd running.
func TestRPM(t *testing.T) {
	needs(t, "rpm")
	dir := cleanRoot(t)
	now, older := build(t)
	before := files(t, dir)
	sh(t, `rpm --root "$1" --initdb`, dir)

	missing := sh(t, `rpm --root "$1" -i --test "$2"/*.rpm 2>&1 || true`, dir, abs(t, older))
	for line := range strings.Lines(missing) {
		what, _, needed := strings.Cut(strings.TrimSpace(line), " is needed by ")
		if needed && what != "shadow-utils" && !strings.HasPrefix(what, "libc.so.6(GLIBC_") && !strings.HasPrefix(what, "python(abi)") {
			t.Errorf("what is there on no machine is needed: %s", line)
		}
	}
	sh(t, `rpm --root "$1" -i --nodeps "$2"/*.rpm`, dir, abs(t, older))
	is := func(want, command string) {
		t.Helper()
		if got := strings.TrimSpace(sh(t, `chroot "$1" sh -c "$2"`, dir, command)); got != want {
			t.Errorf("%s: %q, not %q", command, got, want)
		}
	}
	is("kbusd 0.1.9~7.golder", "kbusd --version")
	is("KBUS message bus", "getent passwd kbusd | cut -d: -f5")
	if err := os.WriteFile(filepath.Join(dir, "etc/kbus/kbusd.toml"), []byte("buses = 2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	sh(t, `rpm --root "$1" -U --nodeps "$2"/*.rpm`, dir, abs(t, now))
	is("kbusd "+strings.TrimSpace(sh(t, "dist/version")), "kbusd --version")
	is("buses = 2", "cat /etc/kbus/kbusd.toml")
	sh(t, `rpm --root "$1" -e kbus libkbus1 libkbus-dev python3-kbus`, dir)
	more := slices.DeleteFunc(left(before, files(t, dir)), func(f string) bool { // what rpms leave
		name, rest, _ := strings.Cut(f, " ")
		ofOthers := strings.HasPrefix(rest, "d ") && !strings.Contains(name, "kbus") // in packages that are not here
		return ofOthers || strings.HasPrefix(name, "kbusd:") || strings.Contains(name, "/.rpmdb/") || strings.HasSuffix(name, "/.rpmdb") ||
			name == "etc/kbus" || name == "etc/kbus/kbusd.toml.rpmsave"
	})
	if len(more) > 0 {
		t.Errorf("what is erased leaves\n%s", strings.Join(more, "\n"))
	}
}
