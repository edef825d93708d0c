package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Upgrades between versions that write the state in different forms. The other versions are made here: the sources as they are,
// with a field more or less in each form, and the number of the form from the environment. Every form differs from the one before
// it in its bytes. A daemon reads all forms up to its own, as the policy is, so each upgrade is from an older form to a newer one;
// the way back must be refused, and the daemon go on.

// forms is how far they have come.
type forms struct {
	differ  bool // else all daemons are the same
	now     int  // that of the daemon
	most    int
	refused int
}

// shipped is the form of the program as it is.
const shipped = 3

const formVariable = "KBUS_CHAOS_FORM"

// additions are files that are added, and what is put behind a line of others.
var additions = struct {
	files map[string]string
	lines [][3]string // file, line, what follows it then
}{
	files: map[string]string{
		"internal/handover/chaos.go": `package handover

import "os"

func init() {
	if form := os.Getenv("` + formVariable + `"); form != "" {
		writes = form
	}
}
`,
		"internal/bus/chaos.go": `package bus

import (
	"fmt"
	"hash/crc32"

	"kbus.example/kbus/internal/form"
)

// codeMoreOfMessage: in odd forms a message has a sum of its data.
func codeMoreOfMessage(c *form.Coder, s *MessageState) {
	if c.Form() <= 3 || c.Form()%2 == 0 {
		return
	}
	is := crc32.ChecksumIEEE(s.Data)
	sum := is
	if form.Uint(c, &sum); sum != is {
		c.Fail("the sum of a message is not that of its data")
	}
}

// codeMoreOfKsock: a Ksock has a text that differs in each form, and in every third none.
func codeMoreOfKsock(c *form.Coder, s *KsockState) {
	if c.Form() <= 3 || c.Form()%3 == 0 {
		return
	}
	want := fmt.Sprint("Ksock ", s.ID, " in form ", c.Form())
	is := want
	if form.String(c, &is); is != want {
		c.Fail(fmt.Sprintf("it is %q and should be %q", is, want))
	}
}
`,
	},
	lines: [][3]string{
		{"internal/bus/statecode.go", "\tform.Bool(c, &s.ListenersOnly)\n", "\tcodeMoreOfMessage(c, s)\n"},
		{"internal/bus/statecode.go", "\tform.Uint(c, &s.LastFrom)\n", "\tcodeMoreOfKsock(c, s)\n"},
	},
}

// make builds the program of the other forms.
func (f *forms) make(dir string) error {
	replace, texts := map[string]string{}, map[string]string{}
	for path, text := range additions.files {
		texts[path] = text
	}
	for _, a := range additions.lines {
		path, line, more := a[0], a[1], a[2]
		if texts[path] == "" {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			texts[path] = string(text)
		}
		if strings.Count(texts[path], line) != 1 {
			return fmt.Errorf("%s has not once the line %q", path, line)
		}
		texts[path] = strings.Replace(texts[path], line, line+more, 1)
	}
	for path, text := range texts {
		put := filepath.Join(dir, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(put, []byte(text), 0o600); err != nil {
			return err
		}
		where, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		replace[where] = put
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-ldflags=-s -w", "-overlay", list, "-o", filepath.Join(dir, "kbusd-forms"), "./cmd/kbusd")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(build.Args, " "), err, out)
	}
	return nil
}

// of is a daemon that writes a form, and wants to take over.
func (s *stage) of(form int) *exec.Cmd {
	c := s.command("--replace")
	if form != shipped {
		c.Path = filepath.Join(s.dir, "kbusd-forms")
		c.Env = append(os.Environ(), formVariable+"="+strconv.Itoa(form))
	}
	return c
}

// successor is the daemon that the next upgrade is to.
func (s *stage) successor() *exec.Cmd {
	if !s.forms.differ {
		return s.of(shipped)
	}
	return s.of(s.forms.now + 1)
}

// refuseOlder has an older daemon try to take over, which must not be.
func (s *stage) refuseOlder() error {
	if !s.forms.differ {
		return nil
	}
	s.forms.now++
	s.forms.most = max(s.forms.most, s.forms.now)
	said, err := s.of(s.forms.now - 1).CombinedOutput()
	want := fmt.Sprintf("that of this one is form %d", s.forms.now)
	if err == nil || !strings.Contains(string(said), want) {
		return fmt.Errorf("it says %q and not %q: %v", said, want, err)
	}
	s.forms.refused++
	return nil
}
