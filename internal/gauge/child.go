package gauge

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A child process knows what it is from its environment, and has the page as its descriptor 3. It dies with the process
// that started it.
const (
	childVariable = "KBUS_GAUGE_CHILD"
	pageFD        = 3
)

// job is the task of a child.
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
	p, err := mapPage(os.NewFile(pageFD, "kbus-gauge"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var j job
	if err = json.Unmarshal([]byte(text), &j); err == nil {
		err = j.work(p, newClient())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err) // before fail: who is told by that ends us
		p.fail()
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
		n = p.counted(j.Index)
		return n < j.Plan.total(), nil
	})
	if err != nil {
		return fmt.Errorf("consumer %d: %w", j.Index, err)
	}
	return nil
}
