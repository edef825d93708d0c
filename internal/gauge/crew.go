package gauge

import (
	"encoding/json"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
)

// crew is the child processes of a measurement.
type crew struct {
	plan *Plan
	page *page
	file *os.File
	kids []*exec.Cmd
	left []chan struct{} // closed when the child has ended

	dismissed atomic.Bool
}

func newCrew(p *Plan) (*crew, error) {
	page, file, err := newPage()
	if err != nil {
		return nil, err
	}
	return &crew{plan: p, page: page, file: file}, nil
}

// hire starts children of one role, and waits until they can begin.
func (c *crew) hire(role Role, n int) error {
	for i := range n {
		text, err := json.Marshal(job{role, i, *c.plan})
		if err != nil {
			return err
		}
		kid := exec.Command(program(), os.Args[1:]...)
		kid.Args[0] = os.Args[0]
		kid.Env = append(os.Environ(), childVariable+"="+string(text))
		kid.ExtraFiles = []*os.File{c.file} // descriptor 3
		kid.Stdout, kid.Stderr = os.Stderr, os.Stderr
		kid.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := kid.Start(); err != nil {
			return err
		}
		left := make(chan struct{})
		c.kids, c.left = append(c.kids, kid), append(c.left, left)
		go func() {
			defer close(left)
			if kid.Wait(); !c.dismissed.Load() {
				c.page.fail()
			}
		}()
	}
	return c.page.waitReady(uint32(n))
}

// program is the file that children run: ours, by its own name, for that is what the bus and ps call them; by /proc if
// the file is not there any more or another one is in its place.
func program() string {
	const running = "/proc/self/exe"
	self, err := os.Executable()
	if err != nil {
		return running
	}
	here, err := os.Stat(self)
	if err != nil {
		return running
	}
	if ours, err := os.Stat(running); err != nil || !os.SameFile(here, ours) {
		return running
	}
	return self
}

// dismiss ends all children.
func (c *crew) dismiss() {
	c.dismissed.Store(true)
	for i, kid := range c.kids {
		kid.Process.Kill()
		<-c.left[i]
	}
	c.file.Close()
	c.page.unmap()
}
