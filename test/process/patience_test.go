package process

import (
	"context"
	"fmt"
	"testing"

	"kbus.example/kbus"
)

// Waiting for what must come, and what is said when it does not.

// describe is for a test that waits in vain: who is on the bus, and what they wait for.
func (d *daemon) describe() (text string) {
	o, err := kbus.Observe(d.t.Context(), 0, kbus.Dir(d.dir))
	if err != nil {
		return err.Error()
	}
	defer o.Close()
	info, _ := o.Info(d.t.Context())
	text = fmt.Sprintf("%+v", info)
	list, _ := o.List(d.t.Context())
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

// eventually asks until the bus is as wanted. What it waits for has happened already, in the kernel; but the daemon takes
// notice in its own order. Each question is a turn of its loop, so it is turns that are counted here, and a daemon that
// never takes notice fails the test.
func eventually(t testing.TB, o *kbus.Observer, wanted func(kbus.BusInfo) bool) (now kbus.BusInfo) {
	t.Helper()
	for range 10_000 {
		var err error
		now, err = o.Info(t.Context())
		must(t, err)
		if wanted(now) {
			return now
		}
	}
	t.Fatalf("the bus does not come to rest: %+v", now)
	return now
}
