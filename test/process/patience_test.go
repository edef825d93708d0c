package process

import (
	"context"
	"fmt"
	"testing"

	"kbus"
)

// Waiting for what must come, and what is said when it does not.

// describe is for a test that waits in vain: who is on the bus, and what they wait for.
func (d *daemon) describe() (text string) {
	o, err := kbus.Observe(0, kbus.Dir(d.dir))
	if err != nil {
		return err.Error()
	}
	defer o.Close()
	info, _ := o.Info()
	text = fmt.Sprintf("%+v", info)
	list, _ := o.List()
	for _, k := range list {
		text += fmt.Sprintf("\n%+v", k)
	}
	return text
}

// patient is a context for who waits.
func patient(t testing.TB) context.Context {
	ctx, done := context.WithTimeout(t.Context(), *patienceFlag)
	t.Cleanup(done)
	return ctx
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// settled asks until the bus is as wanted. What it waits for has happened already, in the kernel; but the daemon takes
// notice in its own order. Each question is a turn of its loop, so it is turns that are counted here, and a daemon that
// never takes notice fails the test.
func settled(t testing.TB, o *kbus.Observer, wanted func(kbus.BusInfo) bool) (now kbus.BusInfo) {
	t.Helper()
	for range 10_000 {
		var err error
		now, err = o.Info()
		must(t, err)
		if wanted(now) {
			return now
		}
	}
	t.Fatalf("the bus does not come to rest: %+v", now)
	return now
}
