package gauge

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// A child process knows what it is from its environment, and has the page as its descriptor 3. It dies with the process
// that started it.
const (
	childVariable = "KBUS_GAUGE_CHILD"
	pageFD        = 3
)

// job is what a child is told.
type job struct {
	Role  Role `json:"role"`
	Index int  `json:"index"`
	Plan  Plan `json:"plan"`
}

// Child does the work of a client if this process was started to be one, and then never returns. Otherwise it returns
// at once. A program that measures calls it first: it is started again with the same arguments for each client, and
// must come here by the same way.
func Child(newClient func() Client) {
	text, isChild := os.LookupEnv(childVariable)
	if !isChild {
		return
	}
	var j job
	p, err := mapPage(os.NewFile(pageFD, "kbus-gauge"))
	if err == nil {
		if err = json.Unmarshal([]byte(text), &j); err == nil {
			err = j.work(p, newClient())
		}
		if err != nil {
			p.fail()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for { // until we are ended: closing a connection is no part of what is measured
		unix.Pause()
	}
}

func (j *job) work(p *page, c Client) error {
	if err := c.Open(j.Role, &j.Plan); err != nil {
		return err
	}
	p.isReady()
	if j.Role == Replier {
		return fmt.Errorf("the replier has stopped: %w", c.Serve())
	}
	var n uint64
	err := c.Consume(func(data []byte) (more bool, err error) {
		if err := check(data, j.Plan.Size, n); err != nil {
			return false, err
		}
		n = p.took(j.Index)
		return n < j.Plan.total(), nil
	})
	if err != nil {
		return fmt.Errorf("consumer %d: %w", j.Index, err)
	}
	return nil
}

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
		kid := exec.Command("/proc/self/exe", os.Args[1:]...)
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
