package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstall installs into an empty directory and uses what is there: programs, the old utilities, units that name the
// programs where they are. A second time it leaves settings alone.
func TestInstall(t *testing.T) {
	dir := t.TempDir()
	install := func() {
		make := exec.Command("make", "-s", "install", "DESTDIR="+dir, "PREFIX=/opt/bus")
		make.Dir = filepath.Join("..", "..")
		if out, err := make.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	install()
	for program, want := range map[string]string{
		"kbus version":  "kbus ",
		"kbusd --help":  "kbusd",
		"kbus-errno 32": "Error 32 (0x20) is EPIPE",
	} {
		words := strings.Fields(program)
		out, err := exec.Command(filepath.Join(dir, "opt/bus/bin", words[0]), words[1:]...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, %s", program, err, out)
		}
	}
	for _, utility := range []string{"kmsg", "kspeed", "kbus-errno", "runlimpet"} {
		if to, err := os.Readlink(filepath.Join(dir, "opt/bus/bin", utility)); err != nil || to != "kbus" {
			t.Errorf("%s is a link to %q, %v", utility, to, err)
		}
	}
	const room = 22_000_000 // on a small device
	if limpet, err := os.Stat(filepath.Join(dir, "opt/bus/bin/kbus-limpet")); err != nil || limpet.Size() >= room {
		t.Errorf("kbus-limpet, with its NATS server: %v, %d bytes", err, limpet.Size())
	}
	unit, err := os.ReadFile(filepath.Join(dir, "opt/bus/lib/systemd/system/kbusd.service"))
	if err != nil || !strings.Contains(string(unit), "ExecStart=/opt/bus/bin/kbusd ") {
		t.Errorf("%v, %s", err, unit)
	}
	settings := filepath.Join(dir, "etc/kbus/kbusd.toml")
	if _, err := os.Stat(settings); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(settings, []byte("buses = 2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	install()
	if text, err := os.ReadFile(settings); err != nil || string(text) != "buses = 2\n" {
		t.Errorf("settings were overwritten: %v, %s", err, text)
	}
}
