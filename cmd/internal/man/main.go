// Command man makes the manual pages of kbusd, kbus, kbus-limpet and kbus-web from what their --help says, so that the two never
// differ: `man BIN DIR` runs the programs in BIN and writes the pages to DIR. `make man` does that.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// page is one to be made.
type page struct {
	program, section, summary string
	seeAlso                   []string
	more                      []section // that no help tells
}

var pages = []page{
	{"kbus", "1", "talk on a KBUS bus, look at it, learn about it", []string{"kbusd(8)", "kbus-limpet(1)", "kbus-web(1)"}, []section{
		{"EXIT STATUS", "0, or the errno of what went wrong, which kbus errno explains. Bad usage is 2."}, environment,
	}},
	{"kbus-limpet", "1", "join KBUS buses", []string{"kbusd(8)", "kbus(1)"}, []section{
		{"EXIT STATUS", "0, also after a signal, or the errno of what went wrong. Bad usage is 2."}, environment,
	}},
	{"kbus-web", "1", "figures of KBUS buses for Prometheus", []string{"kbusd(8)", "kbus(1)"}, []section{
		{"EXIT STATUS", "0, also after a signal, or the errno of what went wrong. Bad usage is 2."}, environment,
	}},
	{"kbusd", "8", "the KBUS daemon: message buses for the processes of one machine", []string{"kbus(1)", "kbus-limpet(1)"}, nil},
}

var environment = section{"ENVIRONMENT", "KBUS_DIR is the directory with the daemon's sockets, unless --dir says another."}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: man BIN DIR")
		os.Exit(2)
	}
	if err := makeAll(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "man:", err)
		os.Exit(1)
	}
}

func makeAll(bin, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, p := range pages {
		text, err := p.make(bin)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, p.program+"."+p.section), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// make asks the program for its help and for that of each of its commands.
func (p *page) make(bin string) (string, error) {
	ask := func(args ...string) (string, error) {
		c := exec.Command(filepath.Join(bin, p.program), args...)
		c.Stderr = os.Stderr
		out, err := c.Output()
		if err != nil {
			err = fmt.Errorf("%s: %w", strings.Join(c.Args, " "), err)
		}
		return string(out), err
	}
	text, err := ask("--help")
	if err != nil {
		return "", err
	}
	whole := parseHelp(text)
	var commands []help
	for _, name := range whole.commands {
		if text, err = ask(name, "--help"); err != nil {
			return "", err
		}
		commands = append(commands, parseHelp(text))
	}
	how := "--version"
	if len(commands) > 0 {
		how = "version"
	}
	version, err := ask(how)
	if err != nil {
		return "", err
	}
	return p.write(whole, commands, versionIn(version)), nil
}

// versionIn finds the number in "kbus 0.1.0 (...)".
func versionIn(text string) string {
	for _, word := range strings.Fields(text) {
		if word[0] >= '0' && word[0] <= '9' {
			return word
		}
	}
	return ""
}
