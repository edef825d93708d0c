package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// testbed is a network of its own: a bridge in one namespace, and a namespace for each member with a link to the bridge. To
// cut a member off is to take its link down, at the bridge, so that neither side is told by its own interface.
type testbed struct {
	play    *play
	dir     string
	tag     string
	members []*member
	ether   int // namespaces made so far
}

func (p *play) newTestbed(members int) (*testbed, error) {
	dir, err := os.MkdirTemp("", "kbfed")
	if err != nil {
		return nil, err
	}
	h := &testbed{play: p, dir: dir, tag: "kf" + strings.TrimLeft(filepath.Base(dir), "kbfed")}
	if len(h.tag) > 9 {
		h.tag = h.tag[:9] // of the 15 characters that an interface may have
	}
	err = ip(
		"netns add %[1]ss", "-n %[1]ss link add name hub type bridge", "-n %[1]ss link set hub up",
		"-n %[1]ss link set lo up",
	).on(h.tag)
	for i := 1; err == nil && i <= members; i++ {
		err = h.link(i)
		h.members = append(h.members, &member{testbed: h, id: i, dir: filepath.Join(dir, fmt.Sprint(i))})
		if err == nil {
			err = os.Mkdir(h.members[i-1].dir, 0o755)
		}
	}
	if err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// link makes a namespace with an address on the bridge.
func (h *testbed) link(i int) error {
	h.ether = i
	return ip(
		"netns add %[1]s%[2]d", "link add %[1]sv%[2]d type veth peer name e%[2]d netns %[1]s%[2]d",
		"link set %[1]sv%[2]d netns %[1]ss", "-n %[1]ss link set %[1]sv%[2]d master hub up",
		"-n %[1]s%[2]d link set lo up", "-n %[1]s%[2]d addr add 10.99.0.%[2]d/24 dev e%[2]d",
		"-n %[1]s%[2]d link set e%[2]d up",
	).on(h.tag, i)
}

func (h *testbed) namespace(i int) string { return fmt.Sprintf("%s%d", h.tag, i) }

// cut takes the link of a member down, heal up again.
func (h *testbed) cut(i int) error  { return ip("-n %[1]ss link set %[1]sv%[2]d down").on(h.tag, i) }
func (h *testbed) heal(i int) error { return ip("-n %[1]ss link set %[1]sv%[2]d up").on(h.tag, i) }

// close ends what runs and removes what was made, whatever went wrong before.
func (h *testbed) close() {
	for _, b := range h.members {
		b.kill()
	}
	for i := 1; i <= h.ether; i++ {
		_ = ip("netns del %s%d").on(h.tag, i) // may not have been made
	}
	_ = ip("netns del %ss").on(h.tag)
	if h.play.keep {
		fmt.Printf("    logs are in %s\n", h.dir)
		return
	}
	os.RemoveAll(h.dir)
}

// ip is a row of ip commands.
type ipCommands []string

func ip(commands ...string) ipCommands { return commands }

func (c ipCommands) on(args ...any) error {
	for _, command := range c {
		line := fmt.Sprintf(command, args...)
		if i := strings.Index(line, "%!(EXTRA"); i >= 0 {
			line = line[:i]
		}
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, bytes.TrimSpace(out))
		}
	}
	return nil
}
