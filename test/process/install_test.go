package process

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstall installs into an empty directory and uses what is there: programs, the old utilities, units that name the
// programs where they are, completion. A second time it leaves settings alone, and so does uninstall, which leaves nothing else.
func TestInstall(t *testing.T) {
	dir := t.TempDir()
	run := func(what string) {
		make := exec.Command("sh", "-c", `umask 077; exec make -s "$@"`, "sh", what, "DESTDIR="+dir, "PREFIX=/opt/bus", "WIRESHARK=/opt/bus/lib/plugins")
		make.Dir = filepath.Join("..", "..")
		if out, err := make.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	install := func() { run("install") }
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
	if to, err := os.Readlink(filepath.Join(dir, "opt/bus/lib/plugins/kbus.lua")); err != nil || to != "/opt/bus/share/kbus/wireshark/kbus.lua" {
		t.Errorf("Wireshark's plugin is a link to %q, %v", to, err)
	}
	const room = 23_000_000 // on a small device
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
	for file, want := range map[string]string{ // what the programs say of themselves, and samples with programs where they are
		"bash-completion/completions/kbus":           "complete",
		"bash-completion/completions/kbus-limpet":    "complete",
		"zsh/site-functions/_kbus":                   "#compdef kbus",
		"zsh/site-functions/_kbus-limpet":            "#compdef kbus-limpet",
		"fish/vendor_completions.d/kbus.fish":        "complete -c kbus",
		"fish/vendor_completions.d/kbus-limpet.fish": "complete -c kbus-limpet",
		"man/man1/kbus.1":                            ".TH",
		"man/man1/kbus-limpet.1":                     ".TH",
		"man/man8/kbusd.8":                           ".TH",
		"kbus/nats/kbus.conf":                        "jetstream",
		"kbus/kbusd-device.conf":                     "ExecStart=/opt/bus/bin/kbusd ",
		"kbus/wireshark/kbus.lua":                    "DissectorTable",
		"kbus/example/kbus-greeter.service":          "ExecStart=/opt/bus/bin/kbus answer ",
	} {
		path := filepath.Join(dir, "opt/bus/share", file)
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, without %q", file, err, want)
		} else if info, _ := os.Stat(path); info.Mode().Perm() != 0o644 {
			t.Errorf("%s has mode %o", file, info.Mode().Perm())
		}
	}
	install()
	if text, err := os.ReadFile(settings); err != nil || string(text) != "buses = 2\n" {
		t.Errorf("settings were overwritten: %v, %s", err, text)
	}

	run("uninstall")
	var left []string
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			left = append(left, path)
		}
		return nil
	})
	if len(left) != 1 || left[0] != settings {
		t.Errorf("uninstall leaves %v; it should leave the settings alone", left)
	}
}
