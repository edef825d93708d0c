package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// description is what must be known of a run beside its figures.
type description struct {
	Date, Processor, Kernel, System, Go string
	Processors                          int
	MemoryMiB                           int
	Versions                            []string
	Load                                string // when it began: others that use the machine make all figures worse
}

func machine(here []*peer) description {
	d := description{
		Date:       time.Now().Format("2006-01-02"),
		Processor:  find("/proc/cpuinfo", `model name\s*: (.*)`),
		Processors: runtime.NumCPU(),
		Kernel:     "Linux " + find("/proc/sys/kernel/osrelease", `(\S+)`),
		System:     find("/etc/os-release", `PRETTY_NAME="(.*)"`),
		Go:         runtime.Version(),
		Load:       find("/proc/loadavg", `(\S+)`),
	}
	fmt.Sscan(find("/proc/meminfo", `MemTotal:\s*(\d+)`), &d.MemoryMiB)
	d.MemoryMiB /= 1024
	for _, p := range here {
		if v := p.version(); v != "" {
			d.Versions = append(d.Versions, v)
		}
	}
	return d
}

// version names the broker and what it says of itself.
func (p *peer) version() string {
	var output []byte
	switch {
	case p.name == "nats":
		output, _ = exec.Command("go", "list", "-m", "github.com/nats-io/nats-server/v2").Output()
	case p.name == "mosquitto":
		output, _ = exec.Command("mosquitto", "-h").Output() // there is no other way
	case len(p.programs) > 0:
		output, _ = exec.Command(p.programs[0], "--version").Output()
	case len(p.packages) > 0:
		output, _ = exec.Command("pkg-config", "--modversion", p.packages[0]).Output()
	}
	for _, pattern := range []string{`\d+(\.\d+)+`, `\d+`} { // some have no dots, but a path may have numbers without
		if number := regexp.MustCompile(pattern).Find(output); number != nil {
			return p.title + " " + string(number)
		}
	}
	return ""
}

func find(path, pattern string) string {
	b, _ := os.ReadFile(path)
	if m := regexp.MustCompile(pattern).FindSubmatch(b); m != nil {
		return strings.TrimSpace(string(m[1]))
	}
	return "unknown"
}

// String is a paragraph.
func (d description) String() string {
	return fmt.Sprintf("Measured on %s: %d × %s, %d MiB, %s, %s, %s; load average %s at the beginning.\n",
		d.Date, d.Processors, d.Processor, d.MemoryMiB, d.Kernel, d.System, d.Go, d.Load) +
		"Others: " + strings.Join(d.Versions, "; ") + ".\n\n"
}
