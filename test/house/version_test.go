package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/internal/testing/programs"
	"kbus.example/kbus/internal/version"
)

const root = "../.."

// TestOneVersion compares what says which version this is with the file VERSION: programs as they print it, the daemon
// as clients hear it, and what is installed for C, Python and JavaScript.
func TestOneVersion(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSpace(string(text))
	same := func(what, got string) {
		t.Helper()
		if got != want {
			t.Errorf("%s says %q, and VERSION %q: `make version` stamps it", what, got, want)
		}
	}
	same("the Go module", version.Number)
	same("package kbus", kbus.Version)
	same("Hello", strings.TrimPrefix(session.ServerName, "kbusd "))

	says := func(dir, program string, args ...string) string {
		t.Helper()
		c := exec.Command(program, args...)
		c.Dir = filepath.Join(root, dir)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", program, args, err, out)
		}
		return string(out)
	}
	bin, all := t.TempDir(), []string{"kbus", "kbusd", "kbus-limpet", "kbus-web"}
	if err := programs.Build(bin, all...); err != nil {
		t.Fatal(err)
	}
	for _, program := range all {
		words := append(strings.Fields(says(".", filepath.Join(bin, program), "--version")), "", "")
		if words[0] != program {
			t.Errorf("%s is called %s", program, words[0])
		}
		same(program+" --version", words[1])
	}
	if _, err := exec.LookPath("python3"); err == nil {
		same("the Python package", strings.TrimSpace(says("bindings/python", "python3", "-Bc", "import kbus; print(kbus.__version__)")))
		same("the wheel", strings.TrimSpace(says("bindings/python", "python3", "-Bc", "import backend; print(backend.VERSION)")))
	}
	same("the npm package", between(t, "bindings/js/package.json", `"version": "`))
	same("the JavaScript package", between(t, "bindings/js/src/api.js", `export const version = '`))
	pc := filepath.Join(t.TempDir(), "kbus.pc")
	says("bindings/c", "make", "-s", "OUT="+filepath.Dir(pc), pc)
	text, err = os.ReadFile(pc)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "\nVersion: ")
	line, _, _ := strings.Cut(after, "\n")
	same("kbus.pc", line)
	same("kbus_version.h", between(t, "bindings/c/include/kbus/kbus_version.h", `#define KBUS_VERSION "`))
}

// between gives what stands in a file behind some text, up to a quotation mark as the last one there.
func between(t *testing.T, file, text string) string {
	t.Helper()
	all, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(all), text)
	found, _, _ := strings.Cut(after, text[len(text)-1:])
	return found
}
