package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Which peers can be measured here, and their clients, made before anything is measured.

// installed divides the peers into those that can be measured here, and words on how to get the others.
func installed(all []*peer) (here []*peer, missing []string) {
	for _, p := range all {
		lacks := p.lacks()
		if len(lacks) == 0 {
			here = append(here, p)
			continue
		}
		missing = append(missing, fmt.Sprintf("%s is left out: %s not found. On Debian:\n"+
			"  RUNLEVEL=1 apt-get install -y --no-install-recommends gcc libc6-dev pkg-config %s",
			p.name, strings.Join(lacks, " and "), p.debian))
	}
	return here, missing
}

func (p *peer) lacks() (what []string) {
	programs := p.programs
	if p.source != "" {
		programs = append([]string{"gcc"}, programs...)
	}
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			what = append(what, program)
		}
	}
	for _, module := range p.modules {
		if exec.Command(python, "-c", "import "+module).Run() != nil {
			what = append(what, "Python's "+module)
		}
	}
	if p.library != "" {
		if _, err := os.Stat(filepath.Join("/usr/include", p.library)); err != nil {
			what = append(what, "header "+p.library)
		}
	}
	for _, library := range p.packages {
		if exec.Command("pkg-config", "--exists", library).Run() != nil {
			what = append(what, "library "+library)
		}
	}
	return what
}

// build makes the clients, and the brokers that are not installed as packages, each once and all at a time.
func build(here []*peer, work string) error {
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	done := map[string]bool{}
	start := func(name string, arguments ...string) {
		if done[name] {
			return
		}
		done[name] = true
		group.Go(func() {
			c := exec.Command(arguments[0], arguments[1:]...)
			if output, err := c.CombinedOutput(); err != nil {
				mu.Lock()
				failed = fmt.Errorf("%s: %w\n%s", strings.Join(arguments, " "), err, output)
				mu.Unlock()
			}
		})
	}
	for _, p := range here {
		if script, ok := strings.CutSuffix(p.client, ".py"); ok { // beside the frame that they share
			start(script, "install", "-m", "755", filepath.Join("python", p.client), work)
			start("frame", "install", "-m", "644", filepath.Join("python", "frame.py"), work)
		}
		if p.source != "" {
			files := append([]string{p.source, "gauge", "measure", "page", "process"}, p.more...)
			line := compile(filepath.Join(work, p.source), p.packages, files...)
			if p.link != "" {
				line = append(line, "-l"+p.link)
			}
			start(p.source, line...)
		}
		switch p.name {
		case "dbus-broker":
			start("dbus-broker-start", compile(filepath.Join(work, "dbus-broker-start"), p.packages, "dbus-broker")...)
		case "grpc":
			start("grpc", "go", "build", "-o", filepath.Join(work, "grpc"), "./grpc")
		case "nats":
			start("nats", "go", "build", "-o", filepath.Join(work, "nats"), "./nats")
			start("nats-server", "go", "build", "-o", filepath.Join(work, "nats-server"),
				"github.com/nats-io/nats-server/v2")
		}
	}
	group.Wait()
	for _, program := range []string{"kbusd", "kbus-bench"} {
		if _, err := os.Stat(filepath.Join(work, "..", program)); err != nil && failed == nil {
			failed = fmt.Errorf("%w: run make build first", err)
		}
	}
	return failed
}

// compile is the command that makes a C program of files in peers/.
func compile(program string, libraries []string, files ...string) []string {
	line := []string{"gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", program}
	for _, f := range files {
		line = append(line, filepath.Join("peers", f+".c"))
	}
	for _, l := range libraries {
		flags, _ := exec.Command("pkg-config", "--cflags", "--libs", l).Output()
		line = append(line, strings.Fields(string(flags))...)
	}
	return append(line, "-pthread")
}
