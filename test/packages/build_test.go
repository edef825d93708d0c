package packages

import (
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// built are the packages of this tree, and those of a version before it, which are made from a tarball and in another folder.
var built = struct {
	sync.Once
	now, older string // directories
}{}

// build makes them once for all tests.
func build(t *testing.T) (now, older string) {
	t.Helper()
	built.Do(func() {
		dir, err := os.MkdirTemp("", "kbus-older-")
		if err != nil {
			t.Fatal(err)
		}
		remove = append(remove, dir)
		sh(t, `rm -f bin/packages/*; make -s packages source`)
		sh(t, `tar -xf bin/packages/kbus-"$(dist/version)".tar.gz -C "$1" --strip-components=1
			cd "$1"; printf '0.1.9~7.golder\n%s\n' "$(sed -n 2p .tarball-version)" >.tarball-version; make -s packages`, dir)
		built.now, built.older = filepath.Join(top, "bin/packages"), filepath.Join(dir, "bin/packages")
	})
	if built.older == "" {
		t.Fatal("there are no packages to test")
	}
	return built.now, built.older
}

var remove []string // when the tests are over

func TestMain(m *testing.M) {
	code := m.Run()
	for _, dir := range remove {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// TestSameBytes makes the packages again from the source tarball, in another folder and without git: nobody can tell which are which.
func TestSameBytes(t *testing.T) {
	needs(t)
	now, _ := build(t)
	dir := t.TempDir()
	sh(t, `tar -xf bin/packages/kbus-"$(dist/version)".tar.gz -C "$1" --strip-components=1; make -s -C "$1" packages`, dir)
	first, again := sums(t, now), sums(t, filepath.Join(dir, "bin/packages"))
	if len(again) < 12 {
		t.Errorf("only %d files are made", len(again))
	}
	for name, sum := range again {
		if first[name] != sum {
			t.Errorf("%s differs from one folder to another", name)
		}
	}
}

func sums(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			t.Fatal(err)
		}
		f.Close()
		all[filepath.Base(p)] = string(h.Sum(nil))
	}
	return all
}

// TestLint asks lintian, which knows Debian's rules. Overrides are in dist/packages/deb, with reasons.
func TestLint(t *testing.T) {
	needs(t, "lintian")
	now, _ := build(t)
	out := sh(t, `lintian --allow-root --fail-on error "$1"/*.deb`, abs(t, now))
	if strings.Contains(out, "E: ") {
		t.Error(out)
	}
}

func abs(t *testing.T, path string) string {
	t.Helper()
	a, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
